"""What each kind of background work does: one function per kind, each ending in files that the next one reads.

A task reads its resource as Describe shows it. It may be killed at any moment and is then run again from its
start, so it replaces its files as a whole. The heavy libraries are imported by the tasks that use them: the server
process, which settles trivial resources, should start at once. Local service, over floor 0.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from personalize_nb import limits
from personalize_nb.local import layout
from personalize_nb.local.faults import ApiFault, WorkFault
from personalize_nb.local.performing import Context, Task, check_wanted
from personalize_nb.local.store import Resource
from personalize_nb.local.tables import Schema, TrainingData

if TYPE_CHECKING:
    from personalize_nb.local.filters import BoundFilter
    from personalize_nb.local.recipes.base import Model
    from personalize_nb.local.themes import ThemeMaker

SEED = 20_190_610


def import_libraries() -> None:
    """Import what the heavy tasks use, so that an idle worker begins its first work at once."""
    for name in ("batch", "datasets", "filters", "metrics", "recipes", "themes"):
        importlib.import_module(f"personalize_nb.local.{name}")


def settle(context: Context, resource: Resource) -> None:
    """Let a resource reach its next status of rest, for which nothing is left to do."""


def import_dataset(context: Context, resource: Resource) -> None:
    """Read the CSV files of a dataset import job into its dataset."""
    from personalize_nb.local import datasets

    body = resource.body
    schema = Schema.from_avro(body["_type"], json.loads(body["_schema"]))
    files = list(_csv_files(context, body["dataSource"]["dataLocation"]))
    datasets.import_files(context.root, body["_group"], schema, files, body["importMode"])


def train_solution_version(context: Context, resource: Resource) -> dict[str, Any]:
    """Train the model of a solution version and measure it on held-out users.

    trainingMode UPDATE trains anew as well: here that costs seconds, and the result knows all that it would.
    """
    from personalize_nb.local import metrics, recipes

    started = context.clock()
    body = resource.body
    config = body.get("solutionConfig", {})
    data = _load(context, body, config.get("trainingDataConfig", {}))
    threshold = config.get("eventValueThreshold")
    arguments = {
        "hyperparameters": body["_hyperparameters"],
        "event_type": body.get("eventType"),
        "event_value_threshold": None if threshold is None else float(threshold),
        "events_config": config.get("eventsConfig"),
        "seed": SEED,
    }
    # what an earlier, killed attempt left is replaced as a whole
    layout.discard_model(context.root, resource.arn)
    model = recipes.train(body["_recipe"], data, **arguments, progress=_progress(context, resource))
    check_wanted(context.store, resource.arn)
    model.save(layout.model_path(context.root, resource.arn))
    measured = metrics.hold_out(body["_recipe"], data, **arguments)
    hours = math.ceil((context.clock() - started) / 3.6) / 1000
    return {"_metrics": measured, "trainingHours": hours}


def run_batch_inference_job(context: Context, resource: Resource) -> None:
    """Answer every line of a batch inference job's input."""
    from personalize_nb.local import batch, recipes

    body = resource.body
    model = recipes.load(layout.model_path(context.root, body["solutionVersionArn"]))
    config = body.get("batchInferenceJobConfig", {})
    exploration = config.get("itemExplorationConfig", {})
    spec = batch.BatchSpec(
        job_name=body["jobName"],
        input_path=body["jobInput"]["s3DataSource"]["path"],
        output_path=body["jobOutput"]["s3DataDestination"]["path"],
        num_results=body["_numResults"],
        exploration_weight=_number(exploration.get("explorationWeight")),
        exploration_cut_off_days=_number(exploration.get("explorationItemAgeCutOff")),
        ranking_influence=config.get("rankingInfluence"),
        mode=body["_mode"],
    )
    bound_filter = _bound_filter(context, body, model)
    theme_maker = _theme_maker(context, body)
    # clients pick the outputs whose date, in whole seconds, is later than the job's
    context.sleep(max(0.0, math.floor(resource.created) + 1 - context.clock()))
    batch.run(
        spec,
        objects=context.objects,
        model=model,
        facts=limits.RECIPES[body["_recipe"]],
        bound_filter=bound_filter,
        theme_maker=theme_maker,
        progress=_progress(context, resource),
    )


LIGHT: dict[str, Task] = {"settle": settle, "update": settle, "stop": settle, "start": settle}
HEAVY: dict[str, Task] = {
    "import": import_dataset,
    "train": train_solution_version,
    "batch": run_batch_inference_job,
}


def _progress(context: Context, resource: Resource) -> Callable[[int, int], None]:
    def note(done: int, total: int) -> None:
        check_wanted(context.store, resource.arn)
        context.store.progress(resource.arn, done, total)

    return note


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _csv_files(context: Context, location: str) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    """Find the file at a location, or the files of the folder that it names."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        try:
            keys = [context.objects.head(bucket, key).key]
        except ApiFault:
            folder = key if not key or key.endswith("/") else f"{key}/"
            keys = [found.key for found in context.objects.list(bucket, folder) if not found.key.endswith("/")]
    except ApiFault as fault:
        raise WorkFault(f"Invalid Data location. {location}: {fault.message}") from fault
    if not keys:
        raise WorkFault(f"Invalid Data location. There is no object at {location} and none in that folder.")
    for found in keys:
        yield found, partial(context.objects.open, bucket, found)


def _load(context: Context, body: Mapping[str, Any], config: Mapping[str, Any]) -> TrainingData:
    """Load the datasets of a solution version, without the columns that its solution leaves out."""
    from personalize_nb.local import datasets

    schemas = {kind: Schema.from_avro(kind, json.loads(text)) for kind, text in body["_schemas"].items()}
    return datasets.load(
        context.root, body["_group"], {kind: _kept(schema, config) for kind, schema in schemas.items()}
    )


_NEEDED = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP"})


def _kept(schema: Schema, config: Mapping[str, Any]) -> Schema:
    def named(member: str, default: tuple[str, ...]) -> Iterable[str]:
        by_type = {dataset_type.upper(): columns for dataset_type, columns in config.get(member, {}).items()}
        return by_type.get(schema.type, default)

    excluded, included = named("excludedDatasetColumns", ()), named("includedDatasetColumns", schema.names)
    fields = tuple(
        column
        for column in schema.fields
        if column.name in _NEEDED or (column.name in included and column.name not in excluded)
    )
    return dataclasses.replace(schema, fields=fields)


def _bound_filter(context: Context, body: Mapping[str, Any], model: Model) -> BoundFilter | None:
    if "_filterExpression" not in body:
        return None
    from personalize_nb.local import filters

    return filters.bind(filters.parse(body["_filterExpression"]), _load(context, body, {}), model.item_ids)


def _theme_maker(context: Context, body: Mapping[str, Any]) -> ThemeMaker | None:
    if body["_mode"] != "THEME_GENERATION":
        return None
    from personalize_nb.local.themes import ThemeMaker

    item_name = body["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
    return ThemeMaker.build(_load(context, body, {}), item_name, context.root / "cache")
