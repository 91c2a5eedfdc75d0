"""The file of judged titles: enough of every kind, small, and legal; how agreement is counted."""

from collections import Counter

import pytest

from benchmarks.themes import judged, shops


def test_at_least_three_hundred_titles_of_all_states_and_catalogues_are_judged():
    lines = judged.read()
    assert len(lines) >= 300 and judged.FILE.stat().st_size < 100_000
    assert set(Counter(line.verdict for line in lines)) == {judged.APT, judged.ODD, judged.WRONG}
    assert min(Counter(line.verdict for line in lines).values()) >= 50
    assert {line.maker for line in lines} == {*judged.FIRST, judged.LATER, judged.LAST}
    assert len({line.catalogue for line in lines}) >= 15
    assert all(len(set(line.items)) == len(line.items) >= 10 and line.seed not in line.items for line in lines)
    halves = Counter(line.chosen_on for line in lines if line.maker in judged.FIRST)
    assert min(halves.values()) >= 120
    assert all(line.why for line in lines if line.verdict != judged.APT)


@pytest.mark.parametrize(
    "pairs, precision, recall, kappa",
    [
        ([(True, True), (False, False)], 1, 1, 1),
        ([(True, True), (True, False), (False, True), (False, False)], 0.5, 0.5, 0),
        ([(True, True), (True, True), (False, True)], 2 / 3, 1, 0),
    ],
)
def test_agreement_is_counted_as_by_hand(pairs, precision, recall, kappa):
    found = judged.agreement(pairs)
    assert found["precision"] == pytest.approx(precision)
    assert found["recall"] == pytest.approx(recall)
    assert found["kappa"] == pytest.approx(kappa)


def test_shops_are_read_as_somebody_in_a_hurry_would(tmp_path):
    folder = tmp_path / "corner_shop"
    folder.mkdir()
    head = "item_id,parent_id,title,category_1,category_1_fr,size,price,description\n"
    rows = [f"{n},{n // 2},Cup {n},Cups,Tasses,{'SM'[n % 2]},3,A cup\n" for n in range(8)]
    (folder / "items.csv").write_text(head + "".join(rows) + "99,,Screw,,,S,1,\n")
    (folder / "items_de.csv").write_text("item_id,title\n1,Tasse\n2,\n")
    (folder / "interactions.csv").write_text("user_id,item_id,event_type\nu,1,sale\nu,1,sale\nu,2,return\n")
    found = {shop.name: shop for shop in shops.found(tmp_path)}
    assert list(found) == ["corner_shop", "corner_shop styles", "corner_shop de"]
    items, categories = found["corner_shop"].items()
    assert categories == ("PARENT_ID", "SIZE") or categories == ("SIZE",)
    assert list(items["ITEM_ID"]) == [str(n) for n in range(8)]  # what has no category is not sold
    assert found["corner_shop"].likes()["item"].tolist() == ["1"]
    assert len(found["corner_shop styles"].items()[0]) == 4
    german, _ = found["corner_shop de"].items()
    assert german["DESCRIPTION"].tolist() == ["Tasse"] and found["corner_shop de"].likes().empty
