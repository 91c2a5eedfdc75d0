"""aws-trending-now: what grows leads, with the length that the solution names; served, and refused for batch jobs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import small_world as world
from inline_service import BUCKET, RECIPE, ROLE, InlineService
from planted import planted

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries

HOUR = 3600


def data_with(hours_ago: dict[str, list[float]]) -> TrainingData:
    """The planted world, and some more events of many users so many hours before its end."""
    data = planted()
    table = data.interactions.select(["USER_ID", "ITEM_ID", "TIMESTAMP"])
    end = int(np.max(table["TIMESTAMP"].to_numpy())) + 100 * HOUR
    rows = [(item, end - int(hours * HOUR)) for item, times in hours_ago.items() for hours in times]
    more = pa.table(
        {
            "USER_ID": [f"u{number:03d}" for number in range(len(rows))],
            "ITEM_ID": [item for item, _ in rows],
            "TIMESTAMP": [moment for _, moment in rows],
        }
    )
    return TrainingData(pa.concat_tables([table, more]), data.items, None, data.schemas)


# a10 rises from nothing, b20 stays high, b05 falls; all of it within four hours
NEWS = {"a10": [0, 0.1, 0.2, 0.3], "b20": [0.1] * 6 + [1.5] * 6, "b05": [0.4] + [1.1] * 9, "a20": [2.5] * 20}


@pytest.mark.parametrize(
    ("frequency", "leading"), [("1 hour", "a10"), ("30 minutes", "b20"), ("3 hours", "a20"), (None, "a20")]
)
def test_what_grows_fastest_leads(frequency, leading):
    given = {"trend_discovery_frequency": frequency} if frequency else {}
    model = families.train("aws-trending-now", data_with(NEWS), hyperparameters=given)
    ranked = model.rank(Queries(users=["", "u001"], num_results=5))
    first, second = ranked.items.to_pylist()
    assert first == second and first[0] == leading
    assert ranked.scores is None


def test_without_news_the_popular_items_come(tmp_path):
    model = families.train("aws-trending-now", data_with({"a10": [0, 0.1], "b20": [1.1, 1.2]}))
    model.save(tmp_path / "model")
    found = families.load(tmp_path / "model").rank(Queries(users=[""], num_results=4)).items.to_pylist()[0]
    assert found[2:] == ["a00", "b00"]


def test_an_unknown_frequency_is_refused():
    with pytest.raises(WorkError, match="'2 days' of hyperparameter trend_discovery_frequency; legal is 30 minutes"):
        families.train("aws-trending-now", planted(), hyperparameters={"trend_discovery_frequency": "2 days"})


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("trending"))
    yield service
    service.close()


def test_a_campaign_answers_and_a_batch_job_is_refused(service):
    group, _ = service.group(kinds=("INTERACTIONS",))
    features = {"featureTransformationParameters": {"trend_discovery_frequency": "1 day"}}
    request = {"name": "t", "datasetGroupArn": group, "recipeArn": RECIPE + "aws-trending-now"}
    wrong = {"featureTransformationParameters": {"trend_discovery_frequency": "weekly"}}
    code, message = service.refused(service.control, "create_solution", **request, solutionConfig=wrong)[1:]
    assert code == "InvalidInputException" and "1 day" in message
    solution = service.made("create_solution", **request, solutionConfig=features)
    version = service.made("create_solution_version", solutionArn=solution)
    assert service.control.get_solution_metrics(solutionVersionArn=version)["metrics"]["coverage"] > 0
    campaign = service.made("create_campaign", name="t", solutionVersionArn=version)
    found = service.runtime.get_recommendations(campaignArn=campaign, numResults=3)["itemList"]
    assert [item.keys() for item in found] == [{"itemId"}] * 3
    service.put("in.json", b'{"userId": "u1"}\n')
    job = {
        "jobName": "t",
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/in.json"}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}},
        "roleArn": ROLE,
    }
    status, code, message = service.refused(service.control, "create_batch_inference_job", **job)
    assert (status, code) == (400, "InvalidInputException") and "aws-trending-now" in message


def test_its_domain_recipe_becomes_a_recommender(service):
    rows = {"INTERACTIONS": world.csv("INTERACTIONS").replace(b",view,", b",Watch,").replace(b",buy,", b",Watch,")}
    group, _ = service.group("films", "VIDEO_ON_DEMAND", ("INTERACTIONS",), rows)
    arn = service.made(
        "create_recommender", name="now", datasetGroupArn=group, recipeArn=RECIPE + "aws-vod-trending-now"
    )
    assert len(service.runtime.get_recommendations(recommenderArn=arn, numResults=7)["itemList"]) == 7
