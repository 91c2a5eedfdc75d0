"""Kill a piece of work before each of its writes, do it again, and tell what differs from work that nobody killed.

A program of its own, because every attempt is a forked process:

    python fault_points.py FOLDER KILLS CASE ...

prints for each case its writes and what became otherwise when the work was killed so often before one of them. A write
is whatever changes a name below the folder, opens a file there for writing, or commits to a database; Python's own
audit events and SQLite's trace tell of them, so that the service knows nothing of being watched.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import small_world as world
from inline_service import ACCOUNT, BUCKET, RECIPE, REGION, ROLE, InlineService
from skipping_clock import SkippingClock

from personalize_nb.local.data import datasets
from personalize_nb.local.data.events import EventStore
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, versions
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.store import Store
from personalize_nb.local.tasks import tasks
from personalize_nb.local.tasks.run import WorkContext, perform

_NAMES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_FLOAT = re.compile(rb"-?\d+\.\d+")
# of results that are measured by the clock, or made up anew
_UNLIKE = {"trainingHours", "creationDateTime", "lastUpdatedDateTime"}

SCHEMAS = {
    **{kind: world.avro(kind) for kind in world.SCHEMAS},
    **{
        kind: json.dumps({"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]})
        for kind, name, fields in (
            ("ACTIONS", "Actions", [("ACTION_ID", "string"), ("VALUE", "int")]),
            (
                "ACTION_INTERACTIONS",
                "Action_Interactions",
                [("USER_ID", "string"), ("ACTION_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")],
            ),
        )
    },
}


def rows(kind):
    """Return the CSV file of a dataset of any type."""
    if kind in world.SCHEMAS:
        # as recommenders spell it
        return world.csv(kind).replace(b",view,", b",View,")
    if kind == "ACTIONS":
        return b"ACTION_ID,VALUE\n" + b"".join(b"a%d,%d\n" % (n, n) for n in range(40))
    return b"USER_ID,ACTION_ID,TIMESTAMP,EVENT_TYPE\n" + b"".join(
        b"u%d,a%d,%d,taken\n" % (n % 30, n % 40, world.START + n) for n in range(1200)
    )


class Scene:
    """A service with data, and the work of one case waiting in its queue."""

    def __init__(self, folder):
        self.service = InlineService(folder)
        self.group = self.service.made("create_dataset_group", name="g")
        self.datasets = {}

    def imported(self, kind, mode="FULL", name="first"):
        """Import the rows of a type; the dataset is made when there is none."""
        self.service.made("create_dataset_import_job", **self.importing(kind, mode, name))

    def importing(self, kind, mode, name):
        """Return the request of an import."""
        if kind not in self.datasets:
            schema = self.service.made("create_schema", name=kind, schema=SCHEMAS[kind])
            names = {"name": kind, "datasetType": kind, "schemaArn": schema}
            self.datasets[kind] = self.service.made("create_dataset", datasetGroupArn=self.group, **names)
        self.service.put(f"{kind}.csv", rows(kind))
        return {
            "jobName": f"{kind}-{name}".replace("_", "-"),
            "datasetArn": self.datasets[kind],
            "dataSource": {"dataLocation": f"s3://{BUCKET}/{kind}.csv"},
            "roleArn": ROLE,
            "importMode": mode,
        }

    def everything(self):
        """Import the small world, twice, and put a few rows one by one."""
        for kind in world.SCHEMAS:
            self.imported(kind)
        self.imported("INTERACTIONS", "INCREMENTAL", "second")
        event = {"ITEM_ID": "i1", "TIMESTAMP": world.START, "EVENT_TYPE": "View", "EVENT_VALUE": 1.0}
        put = [event | {"USER_ID": f"u{reader}"} for reader in (1, 1, 2, 5)]
        self.service.event_store.put("g", "INTERACTIONS", put, session="s")

    def solved(self, recipe, **more):
        """Return a solution on everything."""
        self.everything()
        return self.service.made(
            "create_solution", name="s", datasetGroupArn=self.group, recipeArn=RECIPE + recipe, **more
        )

    def trained(self, recipe):
        """Return a solution version on everything."""
        return self.service.made("create_solution_version", solutionArn=self.solved(recipe))

    def recommending(self):
        """Return a recommender."""
        self.group = self.service.made("create_dataset_group", name="d", domain="ECOMMERCE")
        schema = self.service.made("create_schema", name="d", schema=SCHEMAS["INTERACTIONS"], domain="ECOMMERCE")
        names = {"name": "d", "datasetType": "INTERACTIONS", "schemaArn": schema}
        self.datasets["INTERACTIONS"] = self.service.made("create_dataset", datasetGroupArn=self.group, **names)
        self.imported("INTERACTIONS")
        return {
            "name": "r",
            "datasetGroupArn": self.group,
            "recipeArn": RECIPE + "aws-ecomm-customers-who-viewed-x-also-viewed",
        }

    def output(self):
        """Return where jobs write."""
        return {"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}}

    def asking(self, version, lines, **more):
        """Return the request of a batch job."""
        self.service.put("in.json", "\n".join(json.dumps(line) for line in lines).encode())
        return {
            "jobName": "job",
            "solutionVersionArn": version,
            "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/in.json"}},
            "jobOutput": self.output(),
            "roleArn": ROLE,
            **more,
        }


def importing(kind, mode):
    def queue(scene):
        scene.imported(kind)
        scene.imported(kind, "INCREMENTAL", "second")
        return "create_dataset_import_job", scene.importing(kind, mode, "third")

    return queue


def deleting(scene):
    scene.everything()
    scene.imported("ACTIONS")
    scene.imported("ACTION_INTERACTIONS")
    scene.service.put("users.csv", b"USER_ID\nu1\nu2\nnobody\n")
    return "create_data_deletion_job", {
        "jobName": "delete",
        "datasetGroupArn": scene.group,
        "dataSource": {"dataLocation": f"s3://{BUCKET}/users.csv"},
        "roleArn": ROLE,
    }


def exporting(scene):
    scene.everything()
    return "create_dataset_export_job", {
        "jobName": "export",
        "datasetArn": scene.datasets["INTERACTIONS"],
        "ingestionMode": "ALL",
        "jobOutput": scene.output(),
        "roleArn": ROLE,
    }


def training(recipe, **more):
    return lambda scene: ("create_solution_version", {"solutionArn": scene.solved(recipe, **more)})


def searching(scene):
    space = {"categoricalHyperParameterRanges": [], "continuousHyperParameterRanges": []}
    whole = {"name": "min_cointeraction_count", "minValue": 1, "maxValue": 3}
    config = {
        "hpoResourceConfig": {"maxNumberOfTrainingJobs": "2", "maxParallelTrainingJobs": "1"},
        "algorithmHyperParameterRanges": space | {"integerHyperParameterRanges": [whole]},
    }
    arn = scene.solved("aws-sims", performHPO=True, solutionConfig={"hpoConfig": config})
    return "create_solution_version", {"solutionArn": arn}


def inferring(scene):
    version = scene.trained("aws-user-personalization")
    lines = [{"userId": f"u{reader}"} for reader in range(10)]
    return "create_batch_inference_job", scene.asking(version, lines)


def naming(scene):
    version = scene.trained("aws-similar-items")
    fields = {"fieldsForThemeGeneration": {"itemName": "TITLE"}}
    more = {"batchInferenceJobMode": "THEME_GENERATION", "themeGenerationConfig": fields}
    return "create_batch_inference_job", scene.asking(version, [{"itemId": "i1"}, {"itemId": "i2"}], **more)


def segmenting(scene):
    version = scene.trained("aws-item-affinity")
    return "create_batch_segment_job", scene.asking(version, [{"itemId": "i1"}], numResults=5)


def serving(scene):
    return "create_campaign", {"name": "c", "solutionVersionArn": scene.trained("aws-popularity-count")}


def reserving(scene):
    operation, request = serving(scene)
    campaign = scene.service.made(operation, **request)
    return "update_campaign", {"campaignArn": campaign, "minProvisionedTPS": 2}


def recommending(scene):
    return "create_recommender", scene.recommending()


def retraining(scene):
    arn = scene.service.made("create_recommender", **scene.recommending())
    columns = {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_VALUE"]}}
    return "update_recommender", {"recommenderArn": arn, "recommenderConfig": {"trainingDataConfig": columns}}


def stopping(scene):
    return "stop_recommender", {"recommenderArn": scene.service.made("create_recommender", **scene.recommending())}


def starting(scene):
    arn = scene.service.made("create_recommender", **scene.recommending())
    scene.service.control.stop_recommender(recommenderArn=arn)
    scene.service.work()
    return "start_recommender", {"recommenderArn": arn}


def grouping(scene):
    return "create_dataset_group", {"name": "another"}


def filtering(scene):
    scene.everything()
    rule = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")'
    return "create_filter", {"name": "f", "datasetGroupArn": scene.group, "filterExpression": rule}


CASES = {
    **{
        f"import-{kind.lower().replace('_', '-')}-{mode.lower()}": importing(kind, mode)
        for kind in SCHEMAS
        for mode in ("FULL", "INCREMENTAL")
    },
    "delete": deleting,
    "export": exporting,
    "dataset-group": grouping,
    "filter": filtering,
    "train": training("aws-user-personalization"),
    "train-segments": training("aws-item-affinity"),
    "train-themes": training("aws-similar-items"),
    "search": searching,
    "batch": inferring,
    "themes": naming,
    "segments": segmenting,
    "campaign": serving,
    "campaign-update": reserving,
    "recommender": recommending,
    "recommender-update": retraining,
    "recommender-stop": stopping,
    "recommender-start": starting,
}


def prepare(case, folder):
    """Make the folder in which the work of a case waits."""
    folder.mkdir()
    scene = Scene(folder)
    operation, params = CASES[case](scene)
    getattr(scene.service.control, operation)(**params)
    scene.service.close()


# attempts -------------------------------------------------------------------------------------------------------


def watch(folder, on_write):
    """Call `on_write` before each write below a folder."""
    root = os.fspath(folder)

    def audit(event, arguments):
        writes = event in _NAMES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if not writes or not isinstance(arguments[0], str | os.PathLike):
            return
        # a folder that is there already, and a file that is not, stay as they are
        idle = {"os.mkdir": True, "os.remove": False}.get(event)
        if os.fspath(arguments[0]).startswith(root) and os.path.exists(arguments[0]) is not idle:
            on_write(f"{event} {os.fspath(arguments[0]).removeprefix(root)}")

    connect = Database._connect

    def connected(database):
        connection = connect(database)
        name = database.path.name
        connection.set_trace_callback(lambda sql: on_write(f"COMMIT {name}") if sql == "COMMIT" else None)
        return connection

    Database._connect = connected
    sys.addaudithook(audit)


def work(folder):
    """Do all that waits, as a worker does and as the start of a service releases it."""
    clock = SkippingClock()
    store, objects = Store(folder / layout.STATE, clock.time), ObjectStore(folder / layout.OBJECTS, clock.time)
    context = WorkContext(folder, store, objects, REGION, ACCOUNT, clock=clock.time, sleep=clock.sleep)
    store.requeue([])
    while (claimed := store.claim(os.getpid())) is not None:
        perform(context, claimed, tasks.LIGHT | tasks.HEAVY)


def result(folder):
    """Return everything that a folder says, but for dates and made-up names."""
    store, objects = Store(folder / layout.STATE), ObjectStore(folder / layout.OBJECTS)
    found = {}
    for row in store._rows("SELECT arn, kind, name, status, failure_reason, body FROM resources ORDER BY id"):
        found[f"{row['kind']} {row['name']} {row['arn'][-8:]}"] = [row["status"], row["failure_reason"], _alike(row)]
    found["queue"] = [store.waiting(), len(store.running())]
    for info in objects.list(BUCKET):
        with objects.open(BUCKET, info.key) as body:
            text = body.read()
        # what is factorized differs in its last digits from run to run: a number of its own is compared as one
        scores = [float(number) for number in _FLOAT.findall(text)]
        found[f"object {info.key}"] = [hashlib.sha256(_FLOAT.sub(b"", text)).hexdigest(), scores]
    with versions.DatasetVersions(folder) as data:
        for group in sorted(path.name for path in (folder / "datasets").iterdir()):
            for kind, text in SCHEMAS.items():
                if data.files(group, kind).newest is None:
                    continue
                schema = Schema.from_avro(kind, json.loads(text))
                for which in (True, False):
                    table = datasets.rows(folder, group, schema, with_streamed=False, with_incremental=which)
                    lines = sorted(json.dumps(line) for line in table.to_pylist())
                    found[f"rows {group} {kind} {which}"] = [
                        len(lines),
                        hashlib.sha256("".join(lines).encode()).hexdigest(),
                    ]
    streamed = EventStore(folder)
    found["put"] = streamed.rows("g", "INTERACTIONS")
    for model in sorted((folder / "models").iterdir()):
        for path in sorted(model.iterdir()):
            found[f"model {model.name} {path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _alike(row):
    def keep(value):
        if isinstance(value, dict):
            return {key: keep(inner) for key, inner in value.items() if key not in _UNLIKE}
        return value

    return keep(json.loads(row["body"]))


def _same(expected, found):
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, abs_tol=1e-3)
    return expected == found


def forked(do):
    """Run a function in a process of its own; return how that ended."""
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attempt(folder, kill_before=None):
    """Work in a forked process; return the writes it made, and whether it was killed."""
    said = folder.with_name(folder.name + ".writes")

    def do():
        with open(said, "w", buffering=1) as out:
            seen = []

            def on_write(what):
                seen.append(what)
                if len(seen) - 1 == kill_before:
                    os.kill(os.getpid(), signal.SIGKILL)
                out.write(what + "\n")

            watch(folder, on_write)
            work(folder)

    code = forked(do)
    assert code in (0, -signal.SIGKILL), f"the work ended with {code}"
    return said.read_text().splitlines(), code != 0


def outcome(folder):
    """Return `result` of a folder, found in a forked process."""
    said = folder.with_name(folder.name + ".result")
    assert forked(lambda: said.write_text(json.dumps(result(folder)))) == 0
    return json.loads(said.read_text())


def tidied(folder):
    """Return the names of files with rows after the sweep of a start."""

    def do():
        layout.prepare(folder)
        with versions.DatasetVersions(folder) as data:
            data.drop_former()
            data.set_aside()

    assert forked(do) == 0
    return len(list((folder / "datasets").glob("*/*")))


def tried(case, place, kills):
    """Try every point of a case; return its writes and what went wrong at which."""
    place.mkdir()
    first = place / "first"
    assert forked(lambda: prepare(case, first)) == 0
    whole = place / "whole"
    shutil.copytree(first, whole)
    writes, _ = attempt(whole)
    expected, files = outcome(whole), tidied(whole)
    wrong = []
    for point, write in enumerate(writes):
        again = place / "again"
        shutil.rmtree(again, ignore_errors=True)
        shutil.copytree(first, again)
        killed = [attempt(again, point)[1] for _ in range(kills)]
        attempt(again)
        found = outcome(again)
        unlike = sorted(key for key in expected.keys() | found.keys() if not _same(expected.get(key), found.get(key)))
        if not killed[0]:
            unlike.append("nothing was killed")
        if tidied(again) != files:
            unlike.append("files with rows are left")
        if unlike:
            wrong.append(f"killed before write {point} ({write}): {', '.join(unlike)}")
    return {"writes": writes, "wrong": wrong}


if __name__ == "__main__":
    tasks.import_libraries()
    _, folder, times, *names = sys.argv
    print(json.dumps({name: tried(name, Path(folder) / name, int(times)) for name in names}))
