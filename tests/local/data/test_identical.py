"""Events that are the same in every column count once: imported in whatever mode, put, trained, filtered, exported."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_service import BUCKET, RECIPE, ROLE, InlineService

from personalize_nb.local.data import datasets
from personalize_nb.local.data.events import EventStore
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import WorkError

COLUMNS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string", "SEAT": "string"}
FIELDS = [{"name": name, "type": of} for name, of in COLUMNS.items()]
EVENTS = Schema.from_avro("INTERACTIONS", {"fields": FIELDS})
MANY = [(f"u{row % 30}", f"i{row % 41}", row, "view", "A") for row in range(1000)]


def imported(folder, rows, mode="FULL"):
    text = ",".join(COLUMNS) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    datasets.import_files(folder, "g", EVENTS, [("events.csv", lambda: io.BytesIO(text.encode()))], mode)


def held(folder):
    return [
        tuple(row.values()) for row in datasets.load(folder, "g", {"INTERACTIONS": EVENTS}).interactions.to_pylist()
    ]


def put(folder, rows):
    store = EventStore(folder)
    store.put("g", "INTERACTIONS", [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    store.close()


EVENT = st.tuples(
    st.sampled_from(["u0", "u1"]),
    st.sampled_from(["i0", "i1"]),
    st.sampled_from([0, 1, 2**62]),
    st.sampled_from(["view", "buy"]),
    st.sampled_from(["A", "B"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(full=st.lists(EVENT, max_size=30), more=st.lists(EVENT, max_size=30), streamed=st.lists(EVENT, max_size=30))
def test_each_event_is_there_once_wherever_it_came_from(tmp_path_factory, full, more, streamed):
    folder = tmp_path_factory.mktemp("events")
    imported(folder, MANY + full)
    imported(folder, more + MANY, "INCREMENTAL")
    put(folder, streamed)
    found = held(folder)
    assert sorted(found) == sorted({*MANY, *full, *more, *streamed})
    assert [row[2] for row in found] == sorted(row[2] for row in found)


def test_an_import_needs_a_thousand_different_events(tmp_path):
    with pytest.raises(
        WorkError, match=r"has 999 interaction records that differ from one another \(of 2998: identical"
    ):
        imported(tmp_path, MANY[:999] * 3 + MANY[:1])
    imported(tmp_path, [row for row in MANY for _ in range(20)])
    assert len(held(tmp_path)) == 1000


def test_a_column_that_is_not_trained_on_still_tells_events_apart(tmp_path):
    twins = [("u0", "i0", 5, kind, "A") for kind in ("view", "buy")]
    imported(tmp_path, MANY + twins)
    kept = Schema(EVENTS.type, tuple(field for field in EVENTS.fields if field.name != "EVENT_TYPE"))
    loaded = datasets.load(tmp_path, "g", {"INTERACTIONS": EVENTS}, kept={"INTERACTIONS": kept}).interactions
    assert loaded.column_names == ["USER_ID", "ITEM_ID", "TIMESTAMP", "SEAT"]
    assert loaded.num_rows == 1002


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("identical"))
    yield service
    service.close()


def test_trainings_filters_and_exports_count_alike(service):
    rows = [(f"u{row % 30}", f"i{row % 41}", row, "view", "A") for row in range(1010)]
    text = ",".join(COLUMNS) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows * 2)
    group = service.made("create_dataset_group", name="g")
    avro = json.dumps({"type": "record", "name": "Interactions", "fields": FIELDS, "version": "1.0"})
    schema = service.made("create_schema", name="s", schema=avro)
    dataset = service.made(
        "create_dataset", name="d", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )
    service.put("events.csv", text.encode())
    source = {"dataLocation": f"s3://{BUCKET}/events.csv"}
    service.made("create_dataset_import_job", jobName="i", datasetArn=dataset, dataSource=source, roleArn=ROLE)
    service.put("one.csv", b"USER_ID\nu0\n")
    source = {"dataLocation": f"s3://{BUCKET}/one.csv"}
    # a user less leaves 976 events, though nearly twice as many lines were imported
    job = service.control.create_data_deletion_job(
        jobName="forget", datasetGroupArn=group, dataSource=source, roleArn=ROLE
    )["dataDeletionJobArn"]
    service.work()
    assert (
        service.control.describe_data_deletion_job(dataDeletionJobArn=job)["dataDeletionJob"]["status"] == "COMPLETED"
    )
    out = {"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}}
    service.made(
        "create_dataset_export_job", jobName="e", datasetArn=dataset, ingestionMode="ALL", roleArn=ROLE, jobOutput=out
    )
    assert len(service.read("out/e.csv").splitlines()) == 977
    solution = service.made("create_solution", name="few", datasetGroupArn=group, recipeArn=RECIPE + "aws-sims")
    version = service.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    service.work()
    found = service.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert found["status"] == "CREATE FAILED"
    assert found["failureReason"].startswith("Dataset has fewer than 1000 interactions")
