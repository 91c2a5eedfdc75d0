"""An older boto3 works for what it knows; what it does not know is refused with the release that brought it."""

from __future__ import annotations

import copy

import botocore
import botocore.loaders
import botocore.model
import pytest

import personalize_nb as pnb
from personalize_nb.contract import limits, releases
from personalize_nb.contract.releases import BROUGHT
from personalize_nb.errors import InputError, RequestError, ServiceError

ARN = "arn:aws:personalize:us-east-1:123456789012"
GOOD = pnb.JobRequest("n", f"{ARN}:solution/s/1", "s3://b/in.jsonl", "s3://b/out/", "arn:aws:iam::123456789012:role/R")
MEMBERS = [(operation, path) for operation, paths in BROUGHT.items() for path in paths]
ASKED = {
    "batchInferenceJobMode": {"mode": "THEME_GENERATION", "item_name": "TITLE"},
    "themeGenerationConfig": {"mode": "THEME_GENERATION", "item_name": "TITLE"},
    "batchInferenceJobConfig.rankingInfluence": {"ranking_influence": {"POPULARITY": 0.5}},
}


def numbers(release):
    return [int(one) for one in release.split(".")]


@pytest.fixture
def older(monkeypatch):
    """Give what takes members, and the shapes that only they use, out of the installed model."""

    def cut(*members):
        whole = copy.deepcopy(botocore.loaders.Loader().load_service_model("personalize", "service-2"))
        for operation, path in members:
            shape = whole["shapes"][whole["operations"][operation]["input"]["shape"]]
            *steps, last = path.split(".")
            for step in steps:
                shape = whole["shapes"][shape["members"][step]["shape"]]
            shape["members"].pop(last, None)
        gone = {"batchInferenceJobMode": "BatchInferenceJobMode", "rankingInfluence": "RankingInfluence"}
        for name in {gone[path.split(".")[-1]] for _, path in members if path.split(".")[-1] in gone}:
            whole["shapes"].pop(name, None)
            for shape in whole["shapes"].values():
                of = shape.get("members", {})
                shape |= {"members": {key: one for key, one in of.items() if one["shape"] != name}} if of else {}
        found = botocore.model.ServiceModel(whole, "personalize")
        monkeypatch.setattr(limits, "service_model", lambda service="personalize": found)
        limits.string_rule.cache_clear()

    yield cut
    limits.string_rule.cache_clear()


@pytest.mark.parametrize(("operation", "path"), MEMBERS)
def test_the_table_names_members_that_the_newest_model_has(operation, path):
    release = BROUGHT[operation][path]
    known = numbers(botocore.__version__) >= numbers(release)
    assert (releases.lacking(operation, path) is None) == known
    # and what lies within it
    assert (releases.lacking(operation, f"{path}.x") is None) == known


@pytest.mark.parametrize(("operation", "path"), MEMBERS)
def test_what_an_older_model_lacks_is_told_with_its_release(older, operation, path):
    older((operation, path))
    told = releases.lacking(operation, path)
    assert f"boto3 {BROUGHT[operation][path]} or newer" in told and botocore.__version__ in told
    assert f"pip install --upgrade 'boto3>={BROUGHT[operation][path]}'" in told
    parameters = value = {}
    for name in path.split("."):
        value[name] = value = {}
    assert list(releases.too_new(operation, parameters)) == [f"{path!r} {told}."]
    assert releases.lacking(operation, "no.such.member") is None  # that is botocore's to say


@pytest.mark.parametrize("member", ASKED)
def test_a_job_that_does_not_need_it_is_sound_and_another_is_refused(older, member):
    older(("CreateBatchInferenceJob", member))
    assert pnb.problems(GOOD.replace(exploration_weight=0.5, num_results=3, tags={"a": "b"})) == []
    (found,) = pnb.problems(GOOD.replace(**ASKED[member]))
    assert f"boto3 {BROUGHT['CreateBatchInferenceJob'][member]}" in found.text and found.text.endswith(".")


def test_a_botocore_without_any_of_it_works(older, readers_model, session):
    older(*MEMBERS)
    job = pnb.recommend(["r1"], readers_model, num_results=2, exploration_weight=0.2).wait(progress=False)
    assert len(job.recommendations()) == 2 and job.request.mode == "BATCH_INFERENCE"
    uploads = []
    session.s3.meta.events.register("before-call.s3.PutObject", lambda **_: uploads.append(1), "spy")
    with pytest.raises(RequestError, match=r"'mode' needs boto3 1\.33\.0 or newer"):
        pnb.start(job.request.replace(job_name="releases-no", mode="THEME_GENERATION", item_name="TITLE"))
    with pytest.raises(RequestError, match=r"'ranking_influence' needs boto3 1\.41\.6 or newer"):
        pnb.recommend(["r1"], readers_model, ranking_influence={"POPULARITY": 0.5})
    session.s3.meta.events.unregister("before-call.s3.PutObject", unique_id="spy")
    assert not uploads
    with pytest.raises(RequestError, match=r"'batchInferenceJobConfig\.rankingInfluence' needs boto3 1\.41\.6"):
        pnb.preflight({"solutionVersionArn": readers_model.arn, "batchInferenceJobConfig": {"rankingInfluence": {}}})


@pytest.mark.parametrize(
    "config",
    [
        {"eventsConfig": {"eventParametersList": [{"eventType": "buy"}]}},
        {"trainingDataConfig": {"includedDatasetColumns": {"ITEMS": ["GENRE"]}}},
        {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["A"]}, "includedDatasetColumns": {}}},
    ],
)
def test_a_training_is_refused_in_the_same_words(older, config):
    from personalize_nb.training.configuration import configuration

    older(*MEMBERS)
    with pytest.raises(InputError, match=r"'solutionConfig\.\S+' needs boto3 1\.\d+\.\d+ or newer"):
        configuration(None, config)
    assert configuration({"hidden_dimension": 50}, {"trainingDataConfig": {}})


def test_what_is_called_by_hand_is_refused_in_the_same_words(older, session):
    older(*MEMBERS)
    with pytest.raises(ServiceError, match=r"CreateSolution: 'performIncrementalUpdate' needs boto3 1\.41\.6 or newer"):
        session.call(
            "create_solution", name="n", datasetGroupArn=f"{ARN}:dataset-group/g", performIncrementalUpdate=True
        )
