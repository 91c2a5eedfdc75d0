"""What tasks have in common: the data of a dataset group as they need it, files in S3, progress, time."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.local.data.schema import Schema, TrainingData
from personalize_nb.local.errors import ApiError, WorkError
from personalize_nb.local.state.facts import DataFacts
from personalize_nb.local.state.kinds import DATASET
from personalize_nb.local.state.resources import AnyResource, JobResource
from personalize_nb.local.tasks import input_files, theme_settings
from personalize_nb.local.tasks.run import WorkContext, check_wanted

if TYPE_CHECKING:
    from types_boto3_personalize.type_defs import TrainingDataConfigOutputTypeDef

    from personalize_nb.local.filters.bound import BoundFilter
    from personalize_nb.local.filters.expression import Expression
    from personalize_nb.local.recipes.base import Model
    from personalize_nb.local.state.resources import InferenceResource
    from personalize_nb.local.tasks.theme_settings import ThemeSettings
    from personalize_nb.local.themes.generators import ThemeGenerator
    from personalize_nb.local.themes.maker import ThemeMaker


log = logging.getLogger(__name__)


def progress(context: WorkContext, resource: AnyResource) -> Callable[[int, int], None]:
    """Return what a long task calls with (done, total): it notes both, and raises when nobody waits any more."""

    def note(done: int, total: int) -> None:
        check_wanted(context.store, resource.arn)
        context.store.progress(resource.arn, done, total)

    return note


def number(text: str | None) -> float | None:
    """Return a number that the API carries as a string."""
    return None if text is None else float(text)


def csv_files(
    context: WorkContext, location: str, most: int | None = None, told: Callable[[int, int], None] | None = None
) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    """Find the file at a location, or the files of the folder that it names.

    Parameters
    ----------
    context
        Where they are.
    location
        Their address.
    most
        The bytes they may have together.
    told
        Called while they are read with the bytes read, and those of all.
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        named = input_files.at(context.objects, bucket, key, folder=True)
    except ApiError as error:
        raise WorkError(f"Invalid Data location. {location}: {error.message}") from error
    if not named.sizes:
        raise WorkError(
            f"Invalid Data location. There is no object at {location} and none in that folder{named.beside}."
        )
    size = sum(named.sizes.values())
    if most is not None and size > most:
        raise WorkError(f"The files at {location} have {size} bytes; an import job of this mode can have {most}.")
    before = 0
    for file, length in named.sizes.items():
        opened = partial(context.objects.open, bucket, file)
        yield file, opened if told is None else partial(_followed, opened, partial(_shifted, told, before, size))
        before += length


def _shifted(told: Callable[[int, int], None], before: int, size: int, at: int) -> None:
    told(before + at, size)


def _followed(opened: Callable[[], BinaryIO], told: Callable[[int], None]) -> BinaryIO:
    return cast(BinaryIO, _Followed(opened(), told))


class _Followed:
    """A file that tells after each read how far it was read; what reads CSV reads large blocks."""

    def __init__(self, file: BinaryIO, told: Callable[[int], None]):
        self._file, self._told = file, told

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._told(self._file.tell())
        return block

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _Followed:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def outlive_second(context: WorkContext, resource: AnyResource) -> None:
    """Wait for the second after the resource's: no job ends, or writes, in the second of its creation.

    Clients pick outputs whose date, in whole seconds, is later. Never longer than that second: the clock may have been
    set back since.
    """
    context.sleep(min(1.0, max(0.0, math.floor(resource.created) + 1 - context.clock())))


def schemas_of(facts: DataFacts) -> dict[str, Schema]:
    """Return the schemas that a resource keeps, by dataset type."""
    return {kind: Schema.from_avro(kind, json.loads(text)) for kind, text in facts.schemas.items()}


def load(
    context: WorkContext, facts: DataFacts, config: TrainingDataConfigOutputTypeDef, full_only: bool = False
) -> TrainingData:
    """Load the datasets of a solution version, without the columns that its solution leaves out.

    Segments are made of the rows of FULL imports only.
    """
    from personalize_nb.local.data import datasets

    schemas = schemas_of(facts)
    kept = {kind: _kept(schema, config) for kind, schema in schemas.items()}
    return datasets.load(
        context.root, facts.group, schemas, kept=kept, with_streamed=not full_only, with_incremental=not full_only
    )


_NEEDED = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP"})


def _kept(schema: Schema, config: TrainingDataConfigOutputTypeDef) -> Schema:
    def named(chosen: Mapping[str, list[str]], default: tuple[str, ...]) -> Iterable[str]:
        by_type = {dataset_type.upper(): columns for dataset_type, columns in chosen.items()}
        return by_type.get(schema.type, default)

    excluded = named(config.get("excludedDatasetColumns", {}), ())
    included = named(config.get("includedDatasetColumns", {}), schema.names)
    fields = tuple(
        column
        for column in schema.fields
        if column.name in _NEEDED or (column.name in included and column.name not in excluded)
    )
    return dataclasses.replace(schema, fields=fields)


def bound_filter(context: WorkContext, resource: JobResource, model: Model) -> BoundFilter | None:
    """Return the job's filter on items, bound to the model's catalogue; None when it has none."""
    expression = _expression(context, resource)
    if expression is None:
        return None
    from personalize_nb.local.filters import binding

    return binding.bind(expression, load(context, resource.facts, {}), model.item_ids)


def bound_user_filter(context: WorkContext, resource: JobResource, model: Model) -> BoundFilter | None:
    """Return the segment job's filter, bound to the users the model knows; None when it has none.

    Unlike the segments, filters see all rows.
    """
    expression = _expression(context, resource)
    if expression is None:
        return None
    from personalize_nb.local.filters import binding

    return binding.bind_users(expression, load(context, resource.facts, {}), model.user_ids)


def _expression(context: WorkContext, resource: JobResource) -> Expression | None:
    """Return the job's filter, parsed; a dataset it needs may have been deleted since the training."""
    text = resource.facts.filter_expression
    if text is None:
        return None
    from personalize_nb.local.filters import binding

    expression = binding.parse(text)
    datasets = context.store.list(DATASET, group_arn=resource.group_arn)
    problem = expression.unmet({dataset.body["datasetType"] for dataset in datasets})
    if problem is not None:
        raise WorkError(problem)
    return expression


def theme_maker(context: WorkContext, resource: InferenceResource, settings: ThemeSettings) -> ThemeMaker | None:
    """Return what writes themes, for a job that asks for them."""
    if resource.facts.mode != THEME_GENERATION:
        return None
    from personalize_nb.local.themes.maker import ThemeMaker

    item_name = resource.body["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
    cache = context.root / "cache"
    return ThemeMaker.build(load(context, resource.facts, {}), item_name, cache, generator=_generator(settings, cache))


def prepare_themes(context: WorkContext, facts: DataFacts) -> None:
    """Read the texts of the items as the theme jobs of a version will want them, so that the first need not."""
    from personalize_nb.local.themes import maker

    try:
        maker.prepare(load(context, facts, {}), context.root / "cache")
    except Exception:
        # a model can do without: texts that cannot be read are the affair of the job that asks for themes
        log.warning("the items of a solution version cannot be prepared for themes", exc_info=True)


def _generator(settings: ThemeSettings, cache: Path) -> ThemeGenerator | None:
    """Return the generator that the service is told to use; None is the default."""
    if settings.generator == theme_settings.DEFAULT:
        return None
    from personalize_nb.local.themes import plugins

    try:
        return plugins.make(settings.generator, settings.options, cache)
    except Exception as error:
        # its package may have changed since the settings were checked
        return plugins.Absent(settings.generator, f"{settings.generator} cannot be used: {error}")
