"""Filters, batch inference jobs and tags, through boto3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from control_plane import avro

from personalize_nb.contract.recipes import RECIPES

THEMES = {
    "batchInferenceJobMode": "THEME_GENERATION",
    "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
}


def seen_filter(plane, group, name="seen", text='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")', **more):
    arn = plane.client.create_filter(name=name, datasetGroupArn=group, filterExpression=text, **more)["filterArn"]
    plane.work()
    return arn


# filters --------------------------------------------------------------------------------------------------------


def test_a_filter_is_echoed_and_listed_under_a_capital_letter(plane):
    group = plane.group()
    plane.dataset(group)
    text = "EXCLUDE ItemID WHERE  Interactions.EVENT_TYPE IN ($EVENTS)"
    arn = seen_filter(plane, group, text=text)
    found = plane.client.describe_filter(filterArn=arn)["filter"]
    assert (found["filterExpression"], found["status"], found["datasetGroupArn"]) == (text, "ACTIVE", group)
    answer = plane.client.list_filters(datasetGroupArn=group)
    assert [entry["filterArn"] for entry in answer["Filters"]] == [arn]
    assert "filterExpression" not in answer["Filters"][0]
    plane.client.delete_filter(filterArn=arn)
    assert plane.refused("describe_filter", filterArn=arn)[0] == "ResourceNotFoundException"


def test_filters_of_all_groups_share_their_names(plane):
    first, second = plane.group("a"), plane.group("b")
    plane.dataset(first)
    seen_filter(plane, first)
    code, _ = plane.refused(
        "create_filter", name="seen", datasetGroupArn=second, filterExpression="EXCLUDE ItemID WHERE Items.A IN (1)"
    )
    assert code == "ResourceAlreadyExistsException"


def test_a_bad_expression_is_refused_in_the_words_of_aws(plane):
    group = plane.group()
    plane.dataset(group)
    for text, start in (
        ("EXCLUDE everything", "Could not create filter. Invalid Expression"),
        ('INCLUDE ItemID WHERE Items.GENRES IN ("a")', "Could not create filter. Invalid Expression"),
        (
            "INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ($E)",
            "Could not create filter. Invalid input symbol: $E. Placeholders are not allowed with NOT_IN operator.",
        ),
    ):
        code, message = plane.refused("create_filter", name="f", datasetGroupArn=group, filterExpression=text)
        assert (code, message[: len(start)]) == ("InvalidInputException", start)
    assert plane.client.list_filters()["Filters"] == []


def test_deleting_a_group_takes_its_filters_along(plane):
    group = plane.group()
    dataset = plane.dataset(group)
    arn = seen_filter(plane, group)
    plane.client.delete_dataset(datasetArn=dataset)
    plane.client.delete_dataset_group(datasetGroupArn=group)
    assert plane.refused("describe_filter", filterArn=arn)[0] == "ResourceNotFoundException"


# batch inference jobs -------------------------------------------------------------------------------------------


def test_a_job_is_echoed_exactly_and_keeps_the_facts_for_its_worker(plane):
    group, version = plane.trained()
    found = seen_filter(plane, group)
    request = plane.job(
        version,
        filterArn=found,
        numResults=7,
        batchInferenceJobConfig={
            "itemExplorationConfig": {"explorationWeight": "0.5", "explorationItemAgeCutOff": "14"},
            "rankingInfluence": {"POPULARITY": 0.25},
        },
        batchInferenceJobMode="BATCH_INFERENCE",
    )
    key = "arn:aws:kms:us-east-1:123456789012:key/abc"
    request["jobInput"]["s3DataSource"]["kmsKeyArn"] = key
    request["jobOutput"]["s3DataDestination"]["kmsKeyArn"] = key
    arn = plane.client.create_batch_inference_job(**request, tags=[{"tagKey": "a", "tagValue": "b"}])
    arn = arn["batchInferenceJobArn"]
    assert arn == "arn:aws:personalize:us-east-1:123456789012:batch-inference-job/job"
    job = plane.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    dates = {key: job.pop(key) for key in ("creationDateTime", "lastUpdatedDateTime")}
    assert dates["creationDateTime"].tzinfo is not None
    assert job == request | {"batchInferenceJobArn": arn, "status": "CREATE PENDING"}
    facts = plane.store[arn].facts
    assert facts.filter_expression == 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
    assert facts.model == version.rpartition("/")[2]
    assert (facts.recipe, facts.group, facts.num_results, facts.mode) == (
        "aws-user-personalization",
        "books",
        7,
        "BATCH_INFERENCE",
    )
    assert plane.store.claim(1).kind == "batch"


def test_what_a_request_leaves_out_stays_out_of_describe(plane):
    _, version = plane.trained()
    arn = plane.client.create_batch_inference_job(**plane.job(version))["batchInferenceJobArn"]
    job = plane.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert job.keys() & {"numResults", "batchInferenceJobMode", "filterArn", "failureReason"} == set()
    assert plane.store[arn].facts.num_results == 25


def test_jobs_are_listed_by_version_with_the_members_of_the_summary(plane):
    group, version = plane.trained()
    other = plane.version(plane.solution(group, "aws-sims", name="other"))
    names = ["b", "a", "c"]
    for name in names:
        plane.client.create_batch_inference_job(**plane.job(version, name))
    plane.client.create_batch_inference_job(**plane.job(other, "d"))
    jobs = plane.client.list_batch_inference_jobs(solutionVersionArn=version)["batchInferenceJobs"]
    assert [job["jobName"] for job in jobs] == names
    assert jobs[0].keys() == {
        "batchInferenceJobArn",
        "jobName",
        "status",
        "creationDateTime",
        "lastUpdatedDateTime",
        "solutionVersionArn",
    }
    assert len(plane.client.list_batch_inference_jobs()["batchInferenceJobs"]) == 4


def test_a_used_name_stays_used(plane):
    _, version = plane.trained()
    plane.client.create_batch_inference_job(**plane.job(version))
    plane.work("CREATE FAILED", "the input is gone")
    assert plane.refused("create_batch_inference_job", **plane.job(version))[0] == "ResourceAlreadyExistsException"
    plane.client.delete_solution(solutionArn=version.rpartition("/")[0])
    assert plane.refused("create_batch_inference_job", **plane.job(version))[0] == "ResourceAlreadyExistsException"
    [job] = plane.client.list_batch_inference_jobs()["batchInferenceJobs"]
    assert job["failureReason"] == "the input is gone"


def test_only_five_jobs_at_a_time(plane):
    _, version = plane.trained()
    for number in range(5):
        plane.client.create_batch_inference_job(**plane.job(version, f"j{number}"))
    code, message = plane.refused("create_batch_inference_job", **plane.job(version, "j5"))
    assert code == "LimitExceededException"
    assert message.endswith("More than 5 resources with PENDING or IN_PROGRESS status.")
    plane.work()
    plane.client.create_batch_inference_job(**plane.job(version, "j5"))


def test_many_callers_at_once_get_one_job_per_name_and_five_in_all(plane):
    _, version = plane.trained()
    requests = [plane.job(version, f"j{number % 8}") for number in range(32)]

    def create(request):
        try:
            return plane.client.create_batch_inference_job(**request)["batchInferenceJobArn"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, requests))
    made = [answer for answer in answers if answer.startswith("arn:")]
    assert (len(made), len(set(made))) == (5, 5)
    assert set(answers) - set(made) <= {"ResourceAlreadyExistsException", "LimitExceededException"}
    assert plane.store.waiting() == 5


@pytest.mark.parametrize("recipe", [name for name, facts in RECIPES.items() if not facts.batch])
def test_recipes_without_batch_are_refused(plane, recipe):
    _, version = plane.trained(recipe, ("Interactions", "Items"))
    code, message = plane.refused("create_batch_inference_job", **plane.job(version))
    assert (code, recipe in message) == ("InvalidInputException", True)


@pytest.mark.parametrize("recipe", [name for name, facts in RECIPES.items() if facts.batch])
def test_recipes_with_batch_are_accepted(plane, recipe):
    _, version = plane.trained(recipe, ("Interactions", "Items"))
    plane.client.create_batch_inference_job(**plane.job(version))


def at(request, path, value):
    """Return the request with one nested member replaced."""
    head, _, rest = path.partition(".")
    return request | {head: at(request.get(head, {}), rest, value) if rest else value}


BAD_JOBS = [
    ("numResults", 0, "numResults must be at least 1, got 0"),
    ("jobInput.s3DataSource.path", "s3://nowhere/in.json", "Invalid S3 input path. There is no bucket 'nowhere'"),
    ("jobInput.s3DataSource.path", "s3://data/gone", "Invalid S3 input path. Bucket 'data' holds no object"),
    ("jobInput.s3DataSource.path", "http://data/in.json", "Invalid S3 input path. "),
    ("jobOutput.s3DataDestination.path", "s3://nowhere/", "Invalid S3 output path. There is no bucket 'nowhere'"),
    ("jobOutput.s3DataDestination.path", "s3://data/in.json", "Invalid S3 output path. "),
    ("batchInferenceJobConfig.itemExplorationConfig", {"explorationWeight": "1.5"}, "explorationWeight must be"),
    ("batchInferenceJobConfig.itemExplorationConfig", {"explorationWeight": "nan"}, "explorationWeight must be"),
    ("batchInferenceJobConfig.itemExplorationConfig", {"explorationItemAgeCutOff": "0"}, "at least 1"),
    ("batchInferenceJobConfig.itemExplorationConfig", {"weight": "1"}, "no key 'weight'; legal: explorationWeight"),
    ("themeGenerationConfig", THEMES["themeGenerationConfig"], "needs batchInferenceJobMode THEME_GENERATION"),
    ("batchInferenceJobMode", "THEME_GENERATION", "the recipe must be aws-similar-items"),
]


@pytest.mark.parametrize(("path", "value", "text"), BAD_JOBS)
def test_a_job_that_cannot_work_is_refused_and_leaves_nothing(plane, path, value, text):
    _, version = plane.trained()
    code, message = plane.refused("create_batch_inference_job", **at(plane.job(version), path, value))
    assert (code, text in message) == ("InvalidInputException", True), message
    assert plane.client.list_batch_inference_jobs()["batchInferenceJobs"] == []
    assert plane.store.waiting() == 0


def test_output_in_the_root_of_the_input_bucket_is_fine(plane):
    _, version = plane.trained()
    request = at(plane.job(version), "jobOutput.s3DataDestination.path", "s3://data/")
    plane.client.create_batch_inference_job(**request)


def test_exploration_is_for_user_personalization_only(plane):
    _, version = plane.trained("aws-user-personalization-v2")
    config = {"itemExplorationConfig": {"explorationWeight": "0.5"}}
    code, message = plane.refused("create_batch_inference_job", **plane.job(version, batchInferenceJobConfig=config))
    assert (code, "aws-user-personalization only" in message) == ("InvalidInputException", True)


def test_unknown_and_unfinished_parts_are_refused(plane):
    group = plane.group()
    plane.dataset(group)
    version = plane.version(plane.solution(group), work=False)
    assert plane.refused("create_batch_inference_job", **plane.job(version))[0] == "ResourceInUseException"
    assert plane.refused("create_batch_inference_job", **plane.job(version + "0"))[0] == "ResourceNotFoundException"
    plane.work()
    text = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
    young = plane.client.create_filter(name="f", datasetGroupArn=group, filterExpression=text)["filterArn"]
    request = plane.job(version, filterArn=young)
    assert plane.refused("create_batch_inference_job", **request)[0] == "ResourceInUseException"
    request["filterArn"] = young + "x"
    assert plane.refused("create_batch_inference_job", **request)[0] == "ResourceNotFoundException"


def test_a_filter_must_fit_the_version(plane):
    group, version = plane.trained(records=("Interactions", "Items"))
    current = seen_filter(plane, group, "current", "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES")
    code, message = plane.refused("create_batch_inference_job", **plane.job(version, filterArn=current))
    assert (code, "RELATED_ITEMS" in message) == ("InvalidInputException", True)
    other = plane.group("other")
    plane.dataset(other)
    foreign = seen_filter(plane, other, "foreign")
    code, message = plane.refused("create_batch_inference_job", **plane.job(version, filterArn=foreign))
    assert (code, other in message) == ("InvalidInputException", True)


def test_a_filter_and_a_solution_stay_while_a_job_uses_them(plane):
    group, version = plane.trained()
    used, free = seen_filter(plane, group), seen_filter(plane, group, "free")
    solution = version.rpartition("/")[0]
    job = plane.client.create_batch_inference_job(**plane.job(version, filterArn=used))["batchInferenceJobArn"]
    for operation, params in (("delete_filter", {"filterArn": used}), ("delete_solution", {"solutionArn": solution})):
        code, message = plane.refused(operation, **params)
        assert (code, job in message) == ("ResourceInUseException", True)
    plane.client.delete_filter(filterArn=free)
    plane.work()
    plane.client.delete_filter(filterArn=used)
    plane.client.delete_solution(solutionArn=solution)
    assert plane.client.describe_batch_inference_job(batchInferenceJobArn=job)["batchInferenceJob"]["filterArn"] == used


# themes ---------------------------------------------------------------------------------------------------------


def test_a_theme_job_that_fits(plane):
    _, version = plane.trained("aws-similar-items", ("Interactions", "Items"))
    arn = plane.client.create_batch_inference_job(**plane.job(version, **THEMES))["batchInferenceJobArn"]
    job = plane.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert {key: job[key] for key in THEMES} == THEMES
    [listed] = plane.client.list_batch_inference_jobs()["batchInferenceJobs"]
    assert listed["batchInferenceJobMode"] == "THEME_GENERATION"


def test_all_missing_conditions_of_themes_are_named(plane):
    group = plane.group()
    plane.dataset(group)
    plain = avro("Items", [("ITEM_ID", "string"), ("NAME", "string"), ("YEAR", "int")])
    plane.dataset(group, "Items", plain)
    version = plane.version(plane.solution(group, "aws-sims"))
    _, message = plane.refused("create_batch_inference_job", **plane.job(version, **THEMES))
    for text in ("aws-similar-items, got aws-sims", "marked textual", "(ITEM_ID, NAME), got 'TITLE'"):
        assert text in message


def test_themes_have_their_regions(make_plane):
    plane = make_plane(region="eu-central-1")
    _, version = plane.trained("aws-similar-items", ("Interactions", "Items"))
    code, message = plane.refused("create_batch_inference_job", **plane.job(version, **THEMES))
    assert (code, "us-west-2, got eu-central-1" in message) == ("InvalidInputException", True)


# tags -----------------------------------------------------------------------------------------------------------


def test_tags_are_kept_beside_the_resource(plane):
    arn = plane.group(tags=[{"tagKey": "team", "tagValue": "a"}, {"tagKey": "empty", "tagValue": ""}])
    assert "tags" not in plane.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    plane.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "team", "tagValue": "b c"}])
    plane.client.untag_resource(resourceArn=arn, tagKeys=["empty", "unknown"])
    assert plane.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"tagKey": "team", "tagValue": "b c"}]


def many(count):
    return [{"tagKey": f"k{number}", "tagValue": "v"} for number in range(count)]


BAD_TAGS = [
    (many(51), "TooManyTagsException"),
    ([{"tagKey": "aws:x", "tagValue": "v"}], "InvalidInputException"),
    ([{"tagKey": "x", "tagValue": "AWS:v"}], "InvalidInputException"),
    (many(1) * 2, "InvalidInputException"),
    ([{"tagKey": "a;b", "tagValue": "v"}], "InvalidInputException"),
]


@pytest.mark.parametrize(("tags", "code"), BAD_TAGS)
def test_bad_tags_are_refused_everywhere(plane, tags, code):
    assert plane.refused("create_dataset_group", name="g", tags=tags)[0] == code
    arn = plane.group()
    assert plane.refused("tag_resource", resourceArn=arn, tags=tags)[0] == code
    assert plane.client.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_fifty_tags_in_all(plane):
    arn = plane.group(tags=many(50))
    plane.client.tag_resource(resourceArn=arn, tags=many(3))
    code, message = plane.refused("tag_resource", resourceArn=arn, tags=[{"tagKey": "one more", "tagValue": ""}])
    assert (code, "would have 51" in message) == ("TooManyTagsException", True)
    keys = [f"k{number}" for number in range(51)]
    assert plane.refused("untag_resource", resourceArn=arn, tagKeys=keys)[0] == "TooManyTagKeysException"


def test_schemas_have_no_tags_and_unknown_resources_are_not_found(plane):
    schema = plane.client.create_schema(name="s", schema=avro("Users"))["schemaArn"]
    for operation, more in (
        ("list_tags_for_resource", {}),
        ("tag_resource", {"tags": many(1)}),
        ("untag_resource", {"tagKeys": ["k"]}),
    ):
        assert plane.refused(operation, resourceArn=schema, **more)[0] == "InvalidInputException"
        assert plane.refused(operation, resourceArn=schema + "x", **more)[0] == "ResourceNotFoundException"
