"""The benches' harness, on contenders that take no time, and what the READMEs tell of them."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as command
from benchmarks import harness, objects, report
from benchmarks.themes.pack_classes import pack


def contender(log, name, **figures):
    def run():
        log.append(name)
        return figures

    return run


def rows_of(rounds):
    log = []
    contenders = {
        harness.OURS: contender(log, "a", rate=200.0, cpu=0.5),
        "moto": contender(log, "b", rate=50.0, cpu=2.0),
    }
    return log, harness.rows("up", harness.interleave(contenders, rounds), more_is_better=["rate"])


def test_contenders_take_turns_and_begin_in_turn():
    log, found = rows_of(3)
    assert log == ["a", "b", "b", "a", "a", "b"]
    assert [len(row.samples["moto"]) for row in found] == [3, 3]


def test_a_ratio_above_one_is_for_us_whichever_way_a_figure_counts():
    _, (rate, cpu) = rows_of(1)
    assert (rate.ratio("moto"), cpu.ratio("moto")) == (4, 4)


def test_one_slow_round_does_not_decide():
    row = harness.Row("up", "s", False, {harness.OURS: (1, 1, 90), "moto": (2, 2, 2)})
    assert row.ratio("moto") == 2


def test_nothing_at_all_has_no_ratio():
    none = harness.Row("themes", "duplicates", False, {harness.OURS: (0, 0), "categories": (46, 46)})
    assert "| themes | duplicates | 0 | 46 |  |" in harness.table([none])


def test_results_come_back_as_they_were_saved(tmp_path):
    _, found = rows_of(2)
    facts, back = harness.load(harness.save("objects", "Title", found, tmp_path))
    assert facts["title"] == "Title" and "mode" not in facts
    assert harness.table(back) == harness.table(found)
    assert "| up | rate | 200 | 50 | 4x |" in harness.table(found)
    assert "|  | cpu | 0.5 | 2 | 4x |" in harness.table(found)
    text = report.fill(f"before\n{report.BEGIN}\nold\n{report.END}\nafter", report.tables(tmp_path))
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")


def test_results_say_in_which_mode_they_were_measured(tmp_path, monkeypatch):
    _, found = rows_of(1)
    for value, mode in (("1", "durable"), ("0", "not durable")):
        monkeypatch.setenv("PERSONALIZE_NB_DURABLE", value)
        assert objects.mode() == mode
        harness.save("objects", "Title", found, tmp_path, mode=objects.mode())
        assert f"of 1 rounds, {mode}, " in report.tables(tmp_path)


def test_a_text_without_markers_is_refused():
    with pytest.raises(ValueError, match="needs the lines"):
        report.fill("nothing", "body")


def test_every_bench_is_found_and_the_readmes_tell_its_results():
    assert "objects" in command.names()
    for path, text in report.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m benchmarks --report"


def test_eight_ratios_are_told_as_the_tables_have_them():
    lines = report.ratios().splitlines()[2:]
    assert len(lines) == 8
    told = [float(line.split("|")[2].strip().removesuffix("x")) for line in lines]
    found = harness.load(harness.RESULTS / "learning.json")[1]
    slowest = next(row for row in found if row.task.startswith("1,000,000 events") and row.figure == "s")
    assert round(slowest.ratio("implicit ALS"), 3) in told


def test_a_word_is_packed_with_its_parts_of_speech_and_its_class(tmp_path):
    notice = "  1 the licence\n"
    (tmp_path / "index.noun").write_text(f"{notice}ship n 1 1 @ 1 1 0001\nparis n 1 0 1 0 0002\nada n 1 0 1 0 0003\n")
    (tmp_path / "index.verb").write_text(f"{notice}ship v 1 0 1 1 0009\n")
    (tmp_path / "index.adj").write_text(notice)
    (tmp_path / "data.noun").write_text(
        f"{notice}0001 06 n 01 ship 0 001 @ 0007 n | a vessel\n0002 15 n 01 Paris 0 001 @i 0008 n | a city\n"
        "0003 18 n 01 Ada 0 001 @i 0008 n | somebody\n"
    )
    (tmp_path / "cntlist.rev").write_text("ship%1:06:00:: 1 3\nship%2:38:00:: 1 1\n")
    # a named place is a class of its own, other names are left out
    assert pack(tmp_path) == ["paris\t900M", "ship\t720d"]
