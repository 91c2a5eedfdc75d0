"""User segments, exports and deletions of users: real data in, real files out, through boto3's client."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
import small_world as world
from damaged_lines import is_blank, is_json, lines, many
from hypothesis import strategies as st
from inline_service import BUCKET, ROLE, InlineService

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters.binding import bind_users
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.filters.syntax import FilterError
from personalize_nb.local.recipes.base import Queries


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("segments"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def group(service):
    return service.group()[0]


@pytest.fixture(scope="module")
def by_item(service, group):
    return service.version(group, "aws-item-affinity")


@pytest.fixture(scope="module")
def by_attributes(service, group):
    return service.version(group, "aws-item-attribute-affinity")


@pytest.fixture
def segment(service, request):
    """Run a segment job on lines; return its rows."""

    def run(version, lines, name=None, **more):
        name = name or request.node.name.partition("[")[0].replace("_", "-")[:60]
        service.put(f"{name}/in.json", "\n".join(json.dumps(line) for line in lines).encode())
        service.made(
            "create_batch_segment_job",
            jobName=name,
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/{name}/in.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/"}},
            roleArn=ROLE,
            **more,
        )
        assert service.read(f"{name}/_CHECK") == ""
        return service.read(f"{name}/in.json.out").splitlines()

    return run


def test_the_readers_of_a_shelf_are_found_by_one_of_its_books(service, by_item, segment):
    rows = segment(by_item, [{"itemId": "i6"}, {"itemId": "i7"}], numResults=10)
    for row, item in zip(rows, ("i6", "i7"), strict=True):
        assert row.startswith(f'{{"input":{{"itemId":"{item}"}},"output":{{"usersList":["u')
        found = json.loads(row)
        users = found["output"]["usersList"]
        assert found["error"] is None and len(users) == len(set(users)) == 10
        assert np.mean([world.taste(user) == world.shelf(item) for user in users]) >= 0.8


def test_the_readers_of_a_shelf_are_found_by_its_name(service, by_attributes, segment):
    attributes = 'ITEMS.SHELF = "Sea" AND ITEMS.SHELF = "Fiction"'
    [row] = segment(by_attributes, [{"itemAttributes": attributes}], numResults=20)
    users = json.loads(row)["output"]["usersList"]
    assert np.mean([world.taste(user) == "Sea" for user in users]) >= 0.9


def test_the_default_is_25_users_and_there_are_no_more_than_all(by_item, segment):
    [row] = segment(by_item, [{"itemId": "i6"}])
    assert len(json.loads(row)["output"]["usersList"]) == 25
    [row] = segment(by_item, [{"itemId": "i6"}], "everybody", numResults=5_000_000)
    assert len(json.loads(row)["output"]["usersList"]) == world.READERS


def test_lines_that_cannot_be_answered(by_item, by_attributes, segment):
    rows = segment(by_item, [{"itemId": "nowhere"}, {"userId": "u1"}, {"itemId": "i1"}], numResults=3)
    errors = [json.loads(row)["error"] for row in rows]
    assert "nowhere" in errors[0] and errors[1].endswith("provided recipe are itemId") and errors[2] is None
    assert json.loads(rows[0])["output"] == {"usersList": []}
    texts = [
        'ITEMS.SHELF = "Moon"',
        "ITEMS.NOPE = 1",
        'ITEMS.DESCRIPTION = "x"',
        'ITEMS.SHELF = "Sea" OR ITEMS.SHELF = "Crime"',
        'ITEMS.SHELF IN ("Sea")',
        "ITEMS.PRICE > 1",
        "USERS.AGE = 30",
        "x",
    ]
    rows = segment(by_attributes, [{"itemAttributes": text} for text in texts], "wrong-attributes")
    words = ["no item has", "unknown field", "textual", "joined with AND", "AND", "AND", "cannot stand", "expected"]
    for row, word in zip(rows, words, strict=True):
        assert word in json.loads(row)["error"], row
        assert "position" not in json.loads(row)["error"]


def test_filters_choose_users(service, group, by_item, segment):
    text = "INCLUDE UserID WHERE Users.AGE >= $AGE | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($EVENT)"
    arn = service.made("create_filter", name="elders", datasetGroupArn=group, filterExpression=text)
    lines = [
        {"itemId": "i6", "filterValues": {"AGE": "60"}},
        {"itemId": "i6", "filterValues": {"AGE": "60", "EVENT": '"BUY"'}},
        {"itemId": "i6"},
    ]
    rows = [json.loads(row) for row in segment(by_item, lines, filterArn=arn, numResults=80)]
    elders = [f"u{reader}" for reader in range(world.READERS) if 20 + reader % 50 >= 60]
    assert sorted(rows[0]["output"]["usersList"]) == sorted(elders)
    assert rows[0]["input"] == lines[0]
    assert rows[1]["output"]["usersList"] == [] and rows[1]["error"] is None  # everybody has bought something
    assert "$AGE" in rows[2]["error"]


@pytest.mark.parametrize(("recipe", "most"), [("by_item", 500), ("by_attributes", 10)])
def test_too_many_lines_fail_the_job(service, request, recipe, most):
    line = b'{"itemId": "i1", "itemAttributes": "ITEMS.PRICE = 1"}\n'
    version = request.getfixturevalue(recipe)
    for count, status in ((most, "ACTIVE"), (most + 1, "CREATE FAILED")):
        service.put("many.json", line * count)
        arn = service.control.create_batch_segment_job(
            jobName=f"many-{count}",
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/many.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/many/"}},
            roleArn=ROLE,
        )["batchSegmentJobArn"]
        service.work()
        found = service.control.describe_batch_segment_job(batchSegmentJobArn=arn)["batchSegmentJob"]
        assert found["status"] == status
        assert status == "ACTIVE" or f"it can have {most}." in found["failureReason"]


def test_segments_are_measured(service, by_item, by_attributes):
    for version in (by_item, by_attributes):
        metrics = service.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
        assert metrics.keys() == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
        assert metrics["hits_at_1_percent"] > 0


def test_only_full_imports_count(service, segment):
    """Readers, items and categories of INCREMENTAL imports are in no segment; filters see them."""
    group, datasets = service.group("grown")
    more = world.csv("INTERACTIONS").replace(b"\nu", b"\nnew").replace(b",i6,", b",late,")
    items = (
        b"\n".join(world.csv("ITEMS").splitlines()[:1]) + b'\nlate,Late,Late|Fiction,"A late book.",1.5,1700000000\n'
    )
    for kind, text in (("INTERACTIONS", more), ("ITEMS", items)):
        service.put(f"more-{kind}.csv", text)
        service.made(
            "create_dataset_import_job",
            jobName=f"more-{kind}",
            datasetArn=datasets[kind],
            dataSource={"dataLocation": f"s3://{BUCKET}/more-{kind}.csv"},
            roleArn=ROLE,
            importMode="INCREMENTAL",
        )
    assert len(export(service, datasets["INTERACTIONS"], "grown", ingestionMode="BULK")) > 1 + world.READERS * 18
    by_item = service.version(group, "aws-item-affinity", "grown-item")
    rows = [json.loads(row) for row in segment(by_item, [{"itemId": "i6"}, {"itemId": "late"}], numResults=500)]
    users = rows[0]["output"]["usersList"]
    assert len(users) == world.READERS and not any(user.startswith("new") for user in users)
    assert "late" in rows[1]["error"]
    by_attributes = service.version(group, "aws-item-attribute-affinity", "grown-attributes")
    [row] = segment(by_attributes, [{"itemAttributes": 'ITEMS.SHELF = "Late"'}], "grown-attributes")
    assert "no item has" in json.loads(row)["error"]
    # what is not a segment counts them
    taste = service.version(group, "aws-popularity-count", "grown-popular")
    assert "late" in service.models().model(service.store[taste].facts).item_ids.to_pylist()

    service.put("grown-gone.csv", b"USER_ID\nu3\nnew3\n")
    service.made(
        "create_data_deletion_job",
        jobName="grown-gone",
        datasetGroupArn=group,
        dataSource={"dataLocation": f"s3://{BUCKET}/grown-gone.csv"},
        roleArn=ROLE,
    )
    [row] = segment(by_item, [{"itemId": "i6"}], "grown-without", numResults=500)
    assert len(json.loads(row)["output"]["usersList"]) == world.READERS - 1
    left = export(service, datasets["INTERACTIONS"], "grown-left", ingestionMode="BULK")
    assert not any(line.startswith(("u3,", "new3,")) for line in left)


def test_attributes_need_items(service):
    group, _ = service.group("bare", kinds=("INTERACTIONS",))
    recipe = "arn:aws:personalize:::recipe/aws-item-attribute-affinity"
    solution = service.made("create_solution", name="bare", datasetGroupArn=group, recipeArn=recipe)
    refused = service.refused(service.control, "create_solution_version", solutionArn=solution)
    assert refused[1] == "InvalidInputException" and "type ITEMS" in refused[2]


def test_jobs_are_for_their_own_recipes(service, group, by_item):
    popular = service.version(group, "aws-popularity-count")
    users = service.made(
        "create_filter", name="items", datasetGroupArn=group, filterExpression="EXCLUDE ItemID WHERE Items.PRICE > 1"
    )
    request = {
        "jobName": "j",
        "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/g/ITEMS.csv"}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/j/"}},
        "roleArn": ROLE,
    }
    for operation, version, more, words in (
        ("create_batch_segment_job", popular, {}, "aws-popularity-count"),
        ("create_batch_inference_job", by_item, {}, "aws-item-affinity"),
        ("create_batch_segment_job", by_item, {"filterArn": users}, "USER_SEGMENTATION"),
        ("create_batch_segment_job", by_item, {"numResults": 5_000_001}, "5000000"),
        ("create_batch_segment_job", by_item, {"numResults": 0}, "from 1"),
    ):
        refused = service.refused(service.control, operation, solutionVersionArn=version, **request, **more)
        assert refused[1] == "InvalidInputException" and words in refused[2], refused


def test_a_model_of_segments_answers_for_items(service, by_item):
    model = service.models().model(service.store[by_item].facts)
    rows = model.rank(Queries(items=["i6", "nowhere"], num_results=3)).items.to_pylist()
    assert len(rows[0]) == 3 and rows[1] == []
    only = Allowed.dense(np.array([[user == "u1" for user in model.user_ids.to_pylist()]]))
    assert model.rank(Queries(items=["i6"], num_results=3, allowed=only)).items.to_pylist() == [["u1"]]


# filters on users, by hand ----------------------------------------------------------------------------------------

DATA = TrainingData(
    pa.table(
        {
            "USER_ID": ["a", "a", "b"],
            "ITEM_ID": ["x", "y", "x"],
            "TIMESTAMP": [1, 2, 3],
            "EVENT_TYPE": ["click", "buy", "Click"],
        }
    ),
    None,
    pa.table({"USER_ID": ["b", "a", "z"], "TIER": ["gold|new", "new", "gold"], "AGE": [30, 20, 50]}),
    {
        "INTERACTIONS": Schema("INTERACTIONS", (Field("USER_ID", "string"), Field("EVENT_TYPE", "string"))),
        "USERS": Schema(
            "USERS",
            (Field("USER_ID", "string"), Field("TIER", "string", categorical=True), Field("AGE", "int")),
        ),
    },
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('INCLUDE UserID WHERE Users.TIER IN ("gold")', "b"),
        ("EXCLUDE UserID WHERE Users.AGE < 25", "bc"),
        ('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("click")', "ab"),
        ('INCLUDE UserID WHERE Interactions.EVENT_TYPE NOT IN ("buy")', "bc"),
        ('EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("*")', "c"),
        ('INCLUDE UserID WHERE Users.AGE > 10 | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("BUY")', "b"),
    ],
)
def test_users_are_filtered(text, expected):
    allowed, errors = bind_users(parse(text), DATA, pa.array(["a", "b", "c"])).allowed(None, None, [None])
    assert "".join(user for user, kept in zip("abc", allowed.cells()[0], strict=True) if kept) == expected
    assert not errors


def test_a_filter_on_users_has_no_current_user():
    with pytest.raises(FilterError, match="IF cannot follow a filter on UserID"):
        parse("INCLUDE UserID WHERE Users.AGE > 3 IF CurrentUser.AGE > 3")
    with pytest.raises(FilterError, match="ItemID cannot stand where UserID is needed"):
        bind_users(parse("INCLUDE ItemID WHERE Items.PRICE > 3"), DATA, pa.array(["a"]))


# exports and deletions --------------------------------------------------------------------------------------------


def export(service, dataset, name, **more):
    service.made(
        "create_dataset_export_job",
        jobName=name,
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/exports"}},
        **more,
    )
    return service.read(f"exports/{name}.csv").splitlines()


@pytest.fixture(scope="module")
def people(service):
    """A second group whose rows may go."""
    group, datasets = service.group("people")
    item = {"itemId": "odd", "properties": json.dumps({"TITLE": 'a "b", c\\d', "CREATION_TIMESTAMP": 1})}
    service.events.put_items(datasetArn=datasets["ITEMS"], items=[item, item])
    return group, datasets


def test_what_is_exported_can_be_imported_again(service, people):
    _, datasets = people
    header = "ITEM_ID,TITLE,SHELF,DESCRIPTION,PRICE,CREATION_TIMESTAMP"
    put = export(service, datasets["ITEMS"], "put")
    assert put == [header, 'odd,"a \\"b\\", c\\\\d",,,,1']
    assert len(export(service, datasets["ITEMS"], "bulk", ingestionMode="BULK")) == 1 + world.BOOKS
    everything = export(service, datasets["ITEMS"], "all", ingestionMode="ALL")
    assert len(everything) == 2 + world.BOOKS
    service.made(
        "create_dataset_import_job",
        jobName="back",
        datasetArn=datasets["ITEMS"],
        dataSource={"dataLocation": f"s3://{BUCKET}/exports/all.csv"},
        roleArn=ROLE,
    )
    again = export(service, datasets["ITEMS"], "again", ingestionMode="BULK")
    assert sorted(again) == sorted(everything)
    job = service.control.list_dataset_export_jobs(datasetArn=datasets["ITEMS"])["datasetExportJobs"][0]
    assert (job["jobName"], job["status"]) == ("put", "ACTIVE")


def test_an_export_without_rows_has_a_header(service, people):
    _, datasets = people
    assert export(service, datasets["USERS"], "nobody") == ["USER_ID,AGE"]


def test_users_are_deleted_everywhere(service, people, segment):
    group, datasets = people
    version = service.version(group, "aws-item-affinity", "people")
    tracker = service.control.create_event_tracker(name="people", datasetGroupArn=group)["trackingId"]
    service.work()
    event = {"eventType": "view", "sentAt": world.START, "itemId": "i1"}
    service.events.put_events(trackingId=tracker, userId="u3", sessionId="s", eventList=[event])
    service.put("gone.csv", b"USER_ID\nu3\nu4\nnobody\n")
    request = {"datasetGroupArn": group, "dataSource": {"dataLocation": f"s3://{BUCKET}/gone.csv"}, "roleArn": ROLE}
    arn = service.control.create_data_deletion_job(jobName="gone", **request)["dataDeletionJobArn"]
    look = {"dataDeletionJobArn": arn}
    assert service.control.describe_data_deletion_job(**look)["dataDeletionJob"]["status"] == "PENDING"
    assert (
        service.refused(service.control, "delete_dataset", datasetArn=datasets["USERS"])[1] == "ResourceInUseException"
    )
    service.work()
    job = service.control.describe_data_deletion_job(**look)["dataDeletionJob"]
    # 18 interactions and one row of metadata each, and one event
    assert (job["status"], job["numDeleted"]) == ("COMPLETED", 2 * 19 + 1)
    [listed] = service.control.list_data_deletion_jobs(datasetGroupArn=group)["dataDeletionJobs"]
    assert listed["status"] == "COMPLETED"
    rows = export(service, datasets["INTERACTIONS"], "left", ingestionMode="ALL")
    assert not any(row.startswith(("u3,", "u4,")) for row in rows)
    [row] = segment(version, [{"itemId": "i6"}], "without-them", numResults=100)
    users = json.loads(row)["output"]["usersList"]
    assert len(users) == world.READERS - 2 and not {"u3", "u4"} & set(users)

    service.put("wrong.csv", b"USER\nu3\n")
    request["dataSource"] = {"dataLocation": f"s3://{BUCKET}/wrong.csv"}
    arn = service.control.create_data_deletion_job(jobName="wrong", **request)["dataDeletionJobArn"]
    service.work()
    job = service.control.describe_data_deletion_job(dataDeletionJobArn=arn)["dataDeletionJob"]
    assert job["status"] == "FAILED" and "missing the following columns:[USER_ID]" in job["failureReason"]


def test_any_line_of_a_segment_job_costs_itself(service, by_item, by_attributes):
    for version, key, good, count in (
        (by_item, "itemId", b'{"itemId":"i6"}', 150),
        (by_attributes, "itemAttributes", b'{"itemAttributes":"ITEMS.SHELF = \\"Sea\\""}', 8),
    ):
        drawn = [line for line in many(lines([key, "other"], st.just(good)), 2 * count) if not is_blank(line)][-count:]
        folder = f"damaged-{key}"
        service.put(f"{folder}/in.json", b"\n".join([good, *drawn, good]))
        service.made(
            "create_batch_segment_job",
            jobName=folder,
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/{folder}/in.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/{folder}/"}},
            roleArn=ROLE,
        )
        rows = [json.loads(row) for row in service.read(f"{folder}/in.json.out").split("\n")[:-1]]
        assert len(rows) == len(drawn) + 2
        assert rows[0]["error"] is rows[-1]["error"] is None and len(rows[0]["output"]["usersList"]) == 25
        for line, row in zip(drawn, rows[1:-1], strict=True):
            assert bool(row["error"]) != bool(row["output"]["usersList"]) and (row["error"] or is_json(line))
