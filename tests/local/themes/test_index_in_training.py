"""The texts of the items are read while a version is trained, so that its first theme job begins at once."""

from __future__ import annotations

import fault_points
import pytest

from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.themes import index, maker
from personalize_nb.local.themes.catalogue import name_columns


@pytest.fixture
def scene(tmp_path):
    made = fault_points.Scene(tmp_path)
    yield made
    made.service.close()


@pytest.fixture
def built(monkeypatch):
    """The catalogues that were indexed."""
    seen, build = [], index.build
    monkeypatch.setattr(index, "build", lambda catalogue: seen.append(catalogue) or build(catalogue))
    return seen


def run(scene, version, job, item_name="TITLE"):
    request = scene.asking(
        version,
        [{"itemId": "i1"}],
        batchInferenceJobMode="THEME_GENERATION",
        themeGenerationConfig={"fieldsForThemeGeneration": {"itemName": item_name}},
    )
    scene.service.made("create_batch_inference_job", **request | {"jobName": job})


def test_the_index_is_built_once_a_version_and_in_training(scene, built):
    version = scene.trained("aws-similar-items")
    assert len(built) == 1
    run(scene, version, "first")
    run(scene, version, "second")
    assert len(built) == 1


def test_a_version_whose_index_is_gone_gets_it_on_first_need(scene, built):
    version = scene.trained("aws-similar-items")
    for folder in (scene.service.folder / "cache").glob("themes-*"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    run(scene, version, "first")
    run(scene, version, "second")
    assert len(built) == 2


def test_only_recipes_that_make_themes_read_texts(scene, built):
    scene.trained("aws-popularity-count")
    assert built == []


def test_texts_that_cannot_be_read_leave_the_model(scene, monkeypatch):
    def broken(catalogue):
        raise ZeroDivisionError

    monkeypatch.setattr(index, "build", broken)
    version = scene.trained("aws-similar-items")
    found = scene.service.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert found["status"] == "ACTIVE"


def test_a_catalogue_without_texts_is_let_be(tmp_path):
    data = TrainingData(None, None, None, {})
    maker.prepare(data, tmp_path)
    assert list(tmp_path.iterdir()) == []


PLAIN, FREE = Field("SUMMARY", "string"), Field("DESCRIPTION", "string", textual=True)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([Field("LABEL", "string", item_name=True), Field("TITLE", "string")], ["LABEL"]),
        ([Field("TITLE", "string"), PLAIN], ["TITLE"]),
        ([Field("product_name", "string"), Field("BRAND_NAME", "string"), PLAIN], ["product_name"]),
        ([Field("NAME", "string"), Field("SUBTITLE", "string"), Field("TITLE", "string")], ["NAME", "TITLE"]),
        ([Field("HEADLINE", "string"), Field("GENRES", "string", categorical=True)], ["HEADLINE"]),
        ([Field("HEADLINE", "string"), Field("IMAGE_URL", "string"), Field("YEAR", "int")], ["HEADLINE"]),
        # nobody can tell: the first job does
        ([Field("HEADLINE", "string"), PLAIN], []),
        ([], []),
    ],
)
def test_the_column_of_names_is_guessed_by_its_mark_then_its_name_then_by_being_the_only_one(fields, named):
    assert name_columns(Schema("ITEMS", (Field("ITEM_ID", "string"), *fields, FREE))) == named
