"""The whole workflow through plain boto3, as a user writes it: from a dataset group to rows in S3."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
import small_world as world

from personalize_nb import local

JOB_TEXTS = {"ACTIVE", "CREATE FAILED"}


@pytest.fixture(scope="module")
def service(tmp_path_factory, clean_environment):
    """Give a service of the chain's own: what its process has loaded, it has loaded for the chain."""
    path = tmp_path_factory.mktemp("chain")
    yield local.start(path, idle_seconds=600)
    local.stop(path)


@pytest.fixture(scope="module")
def personalize(client, service):
    return client("personalize", service)


@pytest.fixture(scope="module")
def s3(client, service):
    return client("s3", service)


@pytest.fixture(scope="module")
def ended(until):
    """Wait until a described resource has ended; return it when it is ACTIVE."""

    def wait(describe, **arn):
        def look():
            (found,) = (value for key, value in describe(**arn).items() if key != "ResponseMetadata")
            return found if found["status"] in JOB_TEXTS else None

        found = until(look, f"the end of {arn}")
        assert found["status"] == "ACTIVE", found.get("failureReason")
        return found

    return wait


@pytest.fixture(scope="module")
def group(personalize, s3, service, ended):
    """Make a dataset group with three imported datasets; return its ARN."""
    arn = personalize.create_dataset_group(name="chain")["datasetGroupArn"]
    ended(personalize.describe_dataset_group, datasetGroupArn=arn)
    imports = []
    for kind in world.SCHEMAS:
        schema = personalize.create_schema(name=f"chain-{kind}", schema=world.avro(kind))["schemaArn"]
        dataset = personalize.create_dataset(
            name=f"chain-{kind}", schemaArn=schema, datasetGroupArn=arn, datasetType=kind.capitalize()
        )["datasetArn"]
        assert dataset.endswith(f":dataset/chain/{kind}")
        ended(personalize.describe_dataset, datasetArn=dataset)
        s3.put_object(Bucket=service.bucket, Key=f"chain/{kind}.csv", Body=world.csv(kind))
        imports.append(
            personalize.create_dataset_import_job(
                jobName=f"chain-{kind}",
                datasetArn=dataset,
                dataSource={"dataLocation": f"s3://{service.bucket}/chain/{kind}.csv"},
                roleArn=service.role_arn,
            )["datasetImportJobArn"]
        )
    for job in imports:
        ended(personalize.describe_dataset_import_job, datasetImportJobArn=job)
    return arn


@pytest.fixture(scope="module")
def trained(personalize, group, ended):
    """Train a recipe on the group, once per recipe; return the solution version's ARN."""
    versions = {}

    def train(recipe):
        if recipe not in versions:
            solution = personalize.create_solution(
                name=f"chain-{recipe}",
                recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
                datasetGroupArn=group,
                performAutoTraining=False,
            )["solutionArn"]
            ended(personalize.describe_solution, solutionArn=solution)
            arn = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
            version = ended(personalize.describe_solution_version, solutionVersionArn=arn)
            assert version["trainingHours"] > 0
            versions[recipe] = arn
        return versions[recipe]

    return train


@pytest.fixture(scope="module")
def answered(personalize, s3, service, ended):
    """Run a batch inference job on lines; return its description and its output rows by the line's key."""

    def run(name, version, lines, **parameters):
        bucket = service.bucket
        body = "\n".join(json.dumps(line) for line in lines)
        s3.put_object(Bucket=bucket, Key=f"jobs/{name}/in.json", Body=body.encode())
        arn = personalize.create_batch_inference_job(
            jobName=name,
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{bucket}/jobs/{name}/in.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/jobs/{name}/out/"}},
            roleArn=service.role_arn,
            **parameters,
        )["batchInferenceJobArn"]
        job = ended(personalize.describe_batch_inference_job, batchInferenceJobArn=arn)
        text = s3.get_object(Bucket=bucket, Key=f"jobs/{name}/out/in.json.out")["Body"].read().decode()
        rows = [json.loads(line) for line in text.splitlines()]
        assert sorted(json.dumps(row["input"]) for row in rows) == sorted(json.dumps(line) for line in lines)
        return job, {row["input"].get("userId") or row["input"].get("itemId"): row for row in rows}

    return run


def test_user_personalization_recommends_what_readers_like(personalize, s3, service, trained, answered):
    version = trained("aws-user-personalization")
    metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 < metrics["normalized_discounted_cumulative_gain_at_25"] <= 1

    lines = [{"userId": f"u{reader}"} for reader in range(6)] + [{"userId": "stranger"}]
    job, rows = answered("users", version, lines, numResults=5, tags=[{"tagKey": "team", "tagValue": "a"}])
    assert job["numResults"] == 5
    for user, row in rows.items():
        assert row["error"] is None
        assert len(row["output"]["recommendedItems"]) == len(row["output"]["scores"]) == 5
        if user != "stranger":
            own = [item for item in row["output"]["recommendedItems"] if world.shelf(item) == world.taste(user)]
            assert len(own) >= 3
    tags = personalize.list_tags_for_resource(resourceArn=job["batchInferenceJobArn"])["tags"]
    assert tags == [{"tagKey": "team", "tagValue": "a"}]

    written = s3.list_objects_v2(Bucket=service.bucket, Prefix="jobs/users/out/")["Contents"]
    assert {entry["Key"].rsplit("/", 1)[-1] for entry in written} == {"in.json.out", "_CHECK"}
    # how AWS's own notebooks find the output of a job
    assert all(entry["LastModified"] > job["creationDateTime"] for entry in written)


def test_personalized_ranking_orders_the_list_of_each_line(trained, answered):
    # not the first books: everybody has read those
    lists = {f"u{reader}": [f"i{book}" for book in range(6, 15)] for reader in range(3)}
    lines = [{"userId": user, "itemList": items} for user, items in lists.items()]
    _, rows = answered("rankings", trained("aws-personalized-ranking"), lines)
    for user, row in rows.items():
        assert sorted(row["output"]["recommendedItems"]) == sorted(lists[user])
        assert sum(row["output"]["scores"]) == pytest.approx(1, abs=1e-5)
        assert world.shelf(row["output"]["recommendedItems"][0]) == world.taste(user)


def test_similar_items_come_from_the_same_shelf(trained, answered):
    lines = [{"itemId": f"i{book}"} for book in range(6, 12)]
    _, rows = answered("items", trained("aws-similar-items"), lines, numResults=6)
    for item, row in rows.items():
        similar = row["output"]["recommendedItems"]
        assert item not in similar
        assert sum(world.shelf(other) == world.shelf(item) for other in similar) >= 4


def test_themes_describe_each_group(trained, answered):
    lines = [{"itemId": f"i{book}"} for book in range(6)]
    _, rows = answered(
        "themes",
        trained("aws-similar-items"),
        lines,
        numResults=6,
        batchInferenceJobMode="THEME_GENERATION",
        themeGenerationConfig={"fieldsForThemeGeneration": {"itemName": "TITLE"}},
    )
    for row in rows.values():
        output = row["output"]
        assert output["theme"]
        assert len(output["itemsThemeRelevanceScores"]) == len(output["recommendedItems"]) == 6
        assert output["itemsThemeRelevanceScores"] == sorted(output["itemsThemeRelevanceScores"], reverse=True)


def test_a_filter_with_values_of_each_line(personalize, group, trained, answered, ended):
    arn = personalize.create_filter(
        name="one-shelf",
        datasetGroupArn=group,
        filterExpression="INCLUDE ItemID WHERE Items.SHELF IN ($SHELF) | "
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    )["filterArn"]
    ended(personalize.describe_filter, filterArn=arn)
    lines = [
        {"userId": f"u{reader}", "filterValues": {"SHELF": f'"{shelf}"'}}
        for reader, shelf in enumerate(["Sea", "Crime", "Garden"] * 2)
    ]
    _, rows = answered("filtered", trained("aws-user-personalization"), lines, filterArn=arn, numResults=4)
    wanted = {line["userId"]: line["filterValues"]["SHELF"].strip('"') for line in lines}
    for user, row in rows.items():
        assert row["output"]["recommendedItems"]
        assert {world.shelf(item) for item in row["output"]["recommendedItems"]} == {wanted[user]}


def test_lines_that_do_not_fit_the_recipe_become_error_rows(trained, answered):
    _, rows = answered("misfits", trained("aws-user-personalization"), [{"itemId": "i1"}, {"userId": "u1"}])
    assert rows["i1"]["error"] == "User error: Required fields for the provided recipe are userId"
    assert rows["i1"]["output"]["recommendedItems"] == []
    assert rows["u1"]["error"] is None


def test_an_import_of_a_bad_file_fails_with_the_reason(personalize, s3, group, service, until):
    s3.put_object(Bucket=service.bucket, Key="chain/bad.csv", Body=b"USER_ID,YEARS\nu1,20\n")
    arn = personalize.create_dataset_import_job(
        jobName="chain-bad",
        datasetArn=group.replace("dataset-group", "dataset") + "/USERS",
        dataSource={"dataLocation": f"s3://{service.bucket}/chain/bad.csv"},
        roleArn=service.role_arn,
    )["datasetImportJobArn"]

    def failed():
        job = personalize.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
        return job if job["status"] in JOB_TEXTS else None

    job = until(failed)
    assert (job["status"], job["failureReason"]) == (
        "CREATE FAILED",
        "Input CSV is missing the following columns:[AGE].",
    )


def test_an_import_can_read_a_folder(personalize, s3, group, service, ended):
    rows = world.csv("USERS").decode().splitlines()
    for part, lines in enumerate((rows[1:40], rows[40:])):
        body = "\n".join([rows[0], *lines]).encode()
        s3.put_object(Bucket=service.bucket, Key=f"chain/users/part-{part}.csv", Body=body)
    arn = personalize.create_dataset_import_job(
        jobName="chain-folder",
        datasetArn=group.replace("dataset-group", "dataset") + "/USERS",
        dataSource={"dataLocation": f"s3://{service.bucket}/chain/users/"},
        roleArn=service.role_arn,
        importMode="INCREMENTAL",
    )["datasetImportJobArn"]
    assert ended(personalize.describe_dataset_import_job, datasetImportJobArn=arn)["importMode"] == "INCREMENTAL"


@pytest.mark.skipif(not hasattr(psutil.Process, "memory_maps"), reason="psutil cannot tell on this system")
def test_the_server_process_has_done_all_this_without_numerical_libraries(trained, service):
    trained("aws-user-personalization")
    loaded = {Path(mapped.path).name for mapped in psutil.Process(service.pid).memory_maps()}
    assert loaded
    assert not [name for name in loaded if name.startswith(("libarrow", "_multiarray_umath", "_dynfunc"))]
