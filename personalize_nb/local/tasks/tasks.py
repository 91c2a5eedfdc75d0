"""What each kind of background work does: one function per kind, each ending in files that the next one reads.

A task reads its resource as Describe shows it. It may be killed at any moment and is then run again from its
start, so it replaces its files as a whole, and what it makes of rows that are there counts with its last status. The
heavy libraries are imported by the tasks that use them: the server process, which settles trivial resources, should
start at once.
"""

from __future__ import annotations

import importlib
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize_nb.contract import limits
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data import events
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.personalize import updates
from personalize_nb.local.state import layout
from personalize_nb.local.state.facts import Changes, ModelFacts, TrialFacts
from personalize_nb.local.state.resources import AnyResource
from personalize_nb.local.state.versions import Replacement
from personalize_nb.local.tasks import cluster_address, theme_settings
from personalize_nb.local.tasks.run import Task, WorkContext
from personalize_nb.local.tasks.task_data import (
    bound_filter,
    bound_user_filter,
    csv_files,
    load,
    number,
    outlive_second,
    prepare_themes,
    progress,
    schemas_of,
    theme_maker,
)

if TYPE_CHECKING:
    from types_boto3_personalize.type_defs import HPOConfigOutputTypeDef, TrainingDataConfigOutputTypeDef

    from personalize_nb.local.state.resources import (
        DeletionResource,
        ExportResource,
        ImportResource,
        InferenceResource,
        RecommenderResource,
        SegmentResource,
        VersionResource,
    )

SEED = 20_190_610
_HEAVY_MODULES = (
    "data.datasets",
    "data.training_limits",
    "filters.bound",
    "recipes.families",
    "themes.maker",
    "tasks.batch",
    "tasks.hold_out",
    "tasks.segments",
    "tasks.tuning",
)


def import_libraries() -> None:
    """Import what the heavy tasks use, so that an idle worker begins its first work at once."""
    for name in _HEAVY_MODULES:
        importlib.import_module(f"personalize_nb.local.{name}")


def settle(context: WorkContext, resource: AnyResource) -> None:
    """Let a resource reach its next status of rest, for which nothing is left to do."""


def import_dataset(context: WorkContext, resource: ImportResource) -> Changes:
    """Read the CSV files of a dataset import job; its dataset has the rows when the job is ACTIVE."""
    from personalize_nb.local.data import datasets

    body, facts = resource.body, resource.facts
    schema = Schema.from_avro(facts.type, json.loads(facts.schema))
    most = limits.MAX_IMPORT_BYTES[body["importMode"]]

    def told(done: int, total: int) -> None:
        context.store.progress(resource.arn, done, total)

    files = list(csv_files(context, body["dataSource"]["dataLocation"], most, told))
    kinds = context.quotas["event_types_and_columns"] - len(schema.metadata)
    read: list[Replacement] = []
    datasets.import_files(
        context.root, facts.group, schema, files, body["importMode"], kinds, resource.label, keep=read.append
    )
    outlive_second(context, resource)
    return Changes(data=tuple(read))


def train_solution_version(context: WorkContext, resource: VersionResource) -> Changes:
    """Train the model of a solution version and measure it on held-out users.

    trainingMode UPDATE trains anew as well: here that costs seconds, and the result knows all that it would.
    """
    body = resource.body
    config = body.get("solutionConfig", {})
    return _train(
        context,
        resource.facts,
        config.get("trainingDataConfig", {}),
        layout.model_path(context.root, resource.arn),
        progress(context, resource),
        search=config.get("hpoConfig", {}) if body.get("performHPO") else None,
        hyperparameters=resource.facts.hyperparameters,
        event_type=body.get("eventType"),
        event_value_threshold=number(config.get("eventValueThreshold")),
        events_config=config.get("eventsConfig"),
        objective=config.get("optimizationObjective"),
    )


def train_recommender(context: WorkContext, resource: RecommenderResource) -> Changes:
    """Train the model of a recommender, for the first time or for its update under way."""
    facts, config = resource.facts, resource.body["recommenderConfig"]
    planned = updates.planned(resource)
    if planned is not None:
        if facts.former is not None:
            layout.discard_model(context.root, facts.former)
        facts, config = facts.changed(planned.facts), planned.body["recommenderConfig"]
    exploration = config.get("itemExplorationConfig", {})
    names = {"explorationWeight": "exploration_weight", "explorationItemAgeCutOff": "exploration_item_age_cut_off"}
    return _train(
        context,
        facts,
        config.get("trainingDataConfig", {}),
        layout.model_path(context.root, facts.model),
        # an update does not change the status, by which others tell that a training is wanted
        progress(context, resource) if planned is None else None,
        hyperparameters={names[key]: text for key, text in exploration.items()},
        event_type=facts.event_type,
    )


def _train(
    context: WorkContext,
    facts: ModelFacts,
    columns: TrainingDataConfigOutputTypeDef,
    folder: Path,
    report: Callable[[int, int], None] | None,
    search: HPOConfigOutputTypeDef | None = None,
    **arguments: Any,
) -> Changes:
    """Train, keep and measure a model, with a `search` for hyperparameters; return what its resource gets to know."""
    from personalize_nb.local.data.training_limits import considered
    from personalize_nb.local.recipes import families
    from personalize_nb.local.tasks import hold_out

    started = context.clock()
    recipe = facts.recipe
    with events.opened(context.root) as rows:
        streamed_to = rows.newest(facts.group)[0]
    data = load(context, facts, columns, full_only=RECIPES[recipe].segments)
    data = considered(data, recipe, context.quotas)
    # what an earlier, killed attempt left is replaced as a whole
    shutil.rmtree(folder, ignore_errors=True)
    found = Changes()
    if search is not None:
        arguments, found = _tuned(recipe, search, data, arguments, report)
    model = families.train(recipe, data, **arguments, seed=SEED, progress=report)
    if report is not None:
        report(1, 1)
    model.save(folder)
    if RECIPES[recipe].themes:
        prepare_themes(context, facts)
    measured = hold_out.hold_out(recipe, data, **arguments, seed=SEED)
    # the clock may have been set back meanwhile
    hours = max(1, math.ceil((context.clock() - started) / 3.6)) / 1000
    return Changes({"trainingHours": hours}, {"metrics": measured, "streamed_to": streamed_to}) | found


def _tuned(
    recipe: str,
    config: HPOConfigOutputTypeDef,
    data: TrainingData,
    arguments: dict[str, Any],
    report: Callable[[int, int], None] | None,
) -> tuple[dict[str, Any], Changes]:
    """Search the solution's ranges; return the training's arguments with the best values, and what to say of it."""
    from personalize_nb.local.tasks import tuning

    trials = tuning.optimize(
        recipe, data, config, **arguments, seed=SEED, progress=report or (lambda done, total: None)
    )
    best = tuning.texts(trials[0].values)
    tried = [
        TrialFacts(hyperParameters=tuning.texts(trial.values), normalized_discounted_cumulative_gain_at_25=trial.score)
        for trial in trials
    ]
    found = Changes({"tunedHPOParams": {"algorithmHyperParameters": best}}, {"trials": tried})
    return arguments | {"hyperparameters": arguments["hyperparameters"] | best}, found


def export_dataset(context: WorkContext, resource: ExportResource) -> None:
    """Write the rows of a dataset to S3 as one CSV file, named after the job."""
    from personalize_nb.local.data import export

    body, facts = resource.body, resource.facts
    schema = Schema.from_avro(facts.type, json.loads(facts.schema))
    table = export.exported_rows(context.root, facts.group, schema, body["ingestionMode"])
    outlive_second(context, resource)
    bucket, _, folder = body["jobOutput"]["s3DataDestination"]["path"].removeprefix("s3://").partition("/")
    folder = folder if not folder or folder.endswith("/") else f"{folder}/"
    with context.objects.writer(bucket, f"{folder}{body['jobName']}.csv", "text/csv") as out:
        for block in export.csv_blocks(table):
            out.write(block)


def delete_users(context: WorkContext, resource: DeletionResource) -> Changes:
    """Remove the rows of the users that the CSV files of a data deletion job name."""
    import pyarrow as pa

    from personalize_nb.local.data import datasets
    from personalize_nb.local.data.csv_files import read_csv_files

    body = resource.body
    named = Schema("USERS", (Field("USER_ID", "string"),))
    users = set()
    for batch in read_csv_files(csv_files(context, body["dataSource"]["dataLocation"]), named):
        users.update(batch.column("USER_ID").to_pylist())
    wanted = pa.array(sorted(users), pa.string())
    schemas = schemas_of(resource.facts)
    deleted, replaced = datasets.delete_users(context.root, resource.facts.group, schemas, wanted, resource.label)
    outlive_second(context, resource)
    return Changes({"numDeleted": deleted}, data=tuple(replaced))


def run_batch_inference_job(context: WorkContext, resource: InferenceResource) -> None:
    """Answer every line of a batch inference job's input."""
    from personalize_nb.local.recipes import families
    from personalize_nb.local.tasks import batch, spread

    body, facts = resource.body, resource.facts
    recipe = RECIPES[facts.recipe]
    model = families.load(layout.model_path(context.root, body["solutionVersionArn"]))
    if recipe.sees_events:
        with events.opened(context.root) as rows:
            model.remember(rows.recent(facts.group, facts.streamed_to))
    settings = theme_settings.kept(context.root)
    config = body.get("batchInferenceJobConfig", {})
    exploration = config.get("itemExplorationConfig", {})
    spec = batch.BatchSpec(
        job_name=body["jobName"],
        input_path=body["jobInput"]["s3DataSource"]["path"],
        output_path=body["jobOutput"]["s3DataDestination"]["path"],
        num_results=facts.num_results,
        exploration_weight=number(exploration.get("explorationWeight")),
        exploration_cut_off_days=number(exploration.get("explorationItemAgeCutOff")),
        ranking_influence={str(kind): weight for kind, weight in config.get("rankingInfluence", {}).items()},
        mode=facts.mode,
        theme_items_per_file=settings.items_per_file,
    )
    outlive_second(context, resource)
    with spread.connected(cluster_address.kept(context.root), context) as cluster:
        batch.run(
            spec,
            objects=context.objects,
            model=model,
            facts=recipe,
            bound_filter=bound_filter(context, resource, model),
            theme_maker=theme_maker(context, resource, settings),
            progress=progress(context, resource),
            spread=cluster,
        )


def run_batch_segment_job(context: WorkContext, resource: SegmentResource) -> None:
    """Answer every line of a batch segment job's input with users."""
    from personalize_nb.local.recipes import families
    from personalize_nb.local.recipes.segmentation import UserSegments
    from personalize_nb.local.tasks import segments

    body = resource.body
    model = families.load(layout.model_path(context.root, body["solutionVersionArn"]))
    assert isinstance(model, UserSegments), f"a batch segment job asks a model of type {model.kind}"
    data = load(context, resource.facts, {}, full_only=True)
    spec = segments.SegmentSpec(
        input_path=body["jobInput"]["s3DataSource"]["path"],
        output_path=body["jobOutput"]["s3DataDestination"]["path"],
        key=RECIPES[resource.facts.recipe].input_keys[0],
        num_results=resource.facts.num_results,
    )
    outlive_second(context, resource)
    segments.run(
        spec,
        objects=context.objects,
        model=model,
        data=data,
        bound_filter=bound_user_filter(context, resource, model),
        progress=progress(context, resource),
    )


LIGHT: dict[str, Task] = {"settle": settle, "update": settle, "stop": settle, "start": settle}
HEAVY: dict[str, Task] = {
    "import": import_dataset,
    "export": export_dataset,
    "delete": delete_users,
    "train": train_solution_version,
    "recommender": train_recommender,
    "retrain": train_recommender,
    "batch": run_batch_inference_job,
    "segment": run_batch_segment_job,
}
