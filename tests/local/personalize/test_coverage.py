"""The operations named in the service's README are those that the code answers; choices name modules that exist."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from personalize_nb.contract.limits import service_model
from personalize_nb.local.personalize import coverage, documented_choices

README = Path(coverage.__file__).parents[1] / "README.md"


def test_the_readme_tells_the_truth():
    text = README.read_text(encoding="utf-8")
    assert coverage.written(text) == text, f"run: python -m personalize_nb.local.coverage {README}"


def test_every_operation_of_the_models_is_in_the_table_once():
    rows = list(coverage.operations())
    names = [name for _, name, _ in rows]
    services = ("personalize", "personalize-runtime", "personalize-events")
    assert sorted(names) == sorted(name for service in services for name in service_model(service).operation_names)
    assert all(coverage.table().count(f" {name}") >= 1 for name in names)


def test_only_recommendations_of_actions_are_left_out():
    unsupported = {name for _, name, state in coverage.operations() if state == coverage.UNSUPPORTED}
    assert unsupported == {"GetActionRecommendations"}
    recorded = {name for _, name, state in coverage.operations() if state == coverage.RECORDED_ONLY}
    assert {name for name in recorded if "MetricAttribution" not in name} == {"PutActions", "PutActionInteractions"}


def test_a_document_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        coverage.written("# nothing here")


def test_the_table_is_printed_and_written(tmp_path, capsys):
    document = tmp_path / "page.md"
    document.write_text(f"before\n{coverage.START}\nold\n{coverage.END}\nafter\n", encoding="utf-8")
    coverage.main([str(document)])
    coverage.main([])
    assert capsys.readouterr().out == coverage.table() + "\n"
    assert document.read_text(encoding="utf-8").split(coverage.START)[1].startswith("\n" + coverage.table())


@pytest.mark.parametrize("choice", documented_choices.CHOICES, ids=lambda choice: choice.subject)
def test_a_choice_names_a_module(choice, capsys):
    name = (
        f"personalize_nb.{choice.where}"
        if choice.where.startswith("contract.")
        else f"personalize_nb.local.{choice.where}"
    )
    assert importlib.util.find_spec(name) is not None
    documented_choices.main()
    assert choice.subject in capsys.readouterr().out


def test_a_document_that_cannot_be_written_is_named(tmp_path, capsys):
    empty = tmp_path / "empty.md"
    empty.write_text("no markers", encoding="utf-8")
    for path in (tmp_path / "none.md", empty):
        assert coverage.main([str(path)]) == 1
        told = capsys.readouterr().err
        assert str(path) in told and coverage.START in told
