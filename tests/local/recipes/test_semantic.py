"""Semantic-Similarity: neighbours by meaning where nobody has met anything, and what rankingInfluence changes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries
from personalize_nb.local.recipes.semantic import words_of
from personalize_nb.local.tasks import hold_out

RECIPE = "aws-semantic-similarity"
TOPICS = {
    "sea": ["ship", "sailor", "storm", "harbour", "whale", "captain", "island", "voyage", "anchor", "tide"],
    "law": ["judge", "court", "trial", "lawyer", "witness", "verdict", "jury", "crime", "prison", "oath"],
    "farm": ["field", "harvest", "plough", "orchard", "cattle", "barn", "village", "meadow", "wheat", "shepherd"],
}
FIELDS = (
    Field("ITEM_ID", "string"),
    Field("TITLE", "string", item_name=True),
    Field("BLURB", "string", nullable=True, textual=True),
    Field("CREATION_TIMESTAMP", "long"),
)


def planted(readers: int = 0) -> TrainingData:
    """Twenty items of each topic, each with a few of its words; `law19` is met by all readers, and made first."""
    rng = np.random.default_rng(5)
    rows = []
    for topic, words in TOPICS.items():
        for number in range(20):
            chosen = rng.choice(words, 5, replace=False)
            rows.append(
                (f"{topic}{number:02d}", " ".join(chosen[:2]), f"A tale of {' and '.join(chosen[2:])}.", number)
            )
    rows.sort()
    names = [field.name for field in FIELDS]
    items = pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})
    met = [(f"u{user}", f"law{19 - user % (step + 1):02d}", step) for user in range(readers) for step in range(10)]
    interactions = None
    if readers:
        columns = zip(("USER_ID", "ITEM_ID", "TIMESTAMP"), zip(*met, strict=True), strict=True)
        interactions = pa.table({name: list(values) for name, values in columns}).sort_by("TIMESTAMP")
    return TrainingData(interactions, items, None, {"ITEMS": Schema("ITEMS", FIELDS)})


@pytest.fixture(scope="module")
def model():
    return families.train(RECIPE, planted(readers=30))


def ranked(model, items: list[str], **more) -> list[list[str]]:
    return model.rank(Queries(items=items, **({"num_results": 10} | more))).items.to_pylist()


def test_without_interactions_neighbours_share_the_topic():
    model = families.train(RECIPE, planted())
    seeds = model.item_ids.to_pylist()
    for seed, found in zip(seeds, ranked(model, seeds), strict=True):
        assert len(found) == 10
        assert seed not in found
        assert sum(item.startswith(seed.rstrip("0123456789")) for item in found) >= 9


def test_an_item_whose_words_are_all_common_has_neighbours():
    titles = ["green scarf wool", "blue shirt wool", "red hat cotton", "red shirt cotton"] + ["red shirt"] * 4
    ids = [f"i{at}" for at in range(8)]
    items = pa.table({"ITEM_ID": ids, "TITLE": titles, "BLURB": titles, "CREATION_TIMESTAMP": [1] * 8})
    model = families.train(RECIPE, TrainingData(None, items, None, {"ITEMS": Schema("ITEMS", FIELDS)}))
    [found] = ranked(model, ["i7"], num_results=4)
    assert set(found[:3]) == {"i4", "i5", "i6"} and found[3] == "i3"


def test_models_survive_the_disk_and_give_no_scores(model, tmp_path):
    model.save(tmp_path / "model")
    again = families.load(tmp_path / "model")
    asked = Queries(items=["sea03", "nobody knows"], num_results=60, ranking_influence={"POPULARITY": 0.4})
    assert again.rank(asked).items == model.rank(asked).items
    assert again.rank(asked).scores is None


def test_unknown_items_get_popular_ones(model):
    [found] = ranked(model, ["nobody knows"], num_results=60)
    assert found[0] == "law19"
    assert len(found) == len(set(found)) == 60


def test_filters_hold(model):
    ids = np.asarray(model.item_ids.to_pylist())
    allowed = Allowed.dense(np.tile(np.char.startswith(ids, "farm"), (2, 1)))
    for found in ranked(model, ["farm01", "sea01"], allowed=allowed, num_results=60):
        assert all(item.startswith("farm") for item in found)
        assert len(found) in (19, 20)


@pytest.mark.parametrize(("influence", "favoured"), [("POPULARITY", "popularity"), ("FRESHNESS", "freshness")])
def test_more_influence_brings_more_of_it(model, influence, favoured):
    seeds = [item for item in model.item_ids.to_pylist() if item.startswith("law")]
    means = []
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        codes = [model.item_codes(items) for items in ranked(model, seeds, ranking_influence={influence: weight})]
        means.append(float(np.mean([model.arrays[favoured][found].mean() for found in codes])))
    assert means == sorted(means)
    assert means[-1] > means[0] + 0.05


def test_influence_never_brings_up_what_is_unlike(model):
    both = {"POPULARITY": 1.0, "FRESHNESS": 1.0}
    for found in ranked(model, ["sea03", "sea08"], ranking_influence=both, num_results=15):
        assert all(item.startswith("sea") for item in found)


def test_metrics_with_and_without_interactions():
    assert hold_out.hold_out(RECIPE, planted()) == {"coverage": 1.0}
    assert "precision_at_5" in hold_out.hold_out(RECIPE, planted(readers=30))


def test_a_title_and_a_text_are_needed():
    data = planted()
    for dropped in ("TITLE", "BLURB"):
        fields = tuple(field for field in FIELDS if field.name != dropped)
        with pytest.raises(WorkError, match="marked itemName and a field marked textual"):
            families.train(RECIPE, TrainingData(None, data.items, None, {"ITEMS": Schema("ITEMS", fields)}))


def test_words_of_many_scripts():
    assert words_of("The Ships' 2 captains, 19th-century stories") == [
        "the",
        "ship",
        "captain",
        "19th",
        "century",
        "story",
    ]
    assert words_of("吾輩は猫") == ["吾輩", "輩は", "は猫"]
