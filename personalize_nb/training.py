"""`train`: frames to an ACTIVE solution version in one call, through the API only, the same on AWS. Floor 2.

Every resource has a name made from the given one and from what it holds, so a call can be repeated: what exists and
is identical is used and said so, what is under way is waited for, what is new is made. Data of the same structure
goes into the same dataset group; new data is a new import and a new solution version there.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from personalize_nb import errors, limits, schemas, storage, waiting
from personalize_nb.progress import Progress, choose
from personalize_nb.schemas import INTERACTIONS, ITEMS, USERS, Dataset
from personalize_nb.session import Session, current
from personalize_nb.solutions import SolutionVersion, from_description

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_NAME = 24  # leaves room for what is added to it within 63 characters
_LIVE = (limits.ACTIVE, limits.PENDING, limits.IN_PROGRESS)


def train(
    interactions: pd.DataFrame,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    *,
    name: str = "personalize-nb",
    recipe: str = "aws-user-personalization",
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    role_arn: str | None = None,
    wait: bool = True,
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    session: Session | None = None,
) -> SolutionVersion:
    """Import frames, train a recipe on them and return the solution version.

    Repeating the call costs nothing when nothing has changed, and goes on where an interrupted one stopped.

    Parameters
    ----------
    interactions
        Columns `user_id`, `item_id`, `timestamp` (datetimes or epoch seconds), and if there are any `event_type`,
        `event_value`, `impression` and up to 5 more.
    items
        `item_id` and metadata; a title column stays plain text, one column of descriptions is textual.
    users
        `user_id` and metadata.
    name
        Begins the names of all resources.
    recipe
        A recipe's name, for example `aws-similar-items`.
    textual
        The items' column of descriptions; None finds it, False uses none.
    categorical
        Columns that are categories, of any frame, beside those that are found: text with `|` or that repeats.
    event_type
        Train on these interactions only.
    hyperparameters
        `algorithmHyperParameters` of the recipe; values may be numbers.
    solution_config
        Anything else of the API's `solutionConfig`, in its spelling.
    tags
        Tags of the dataset group, solution and solution version.
    role_arn
        Instead of the session's role.
    wait
        False returns while the training runs; `.wait()` waits for it.
    timeout
        Seconds for all of it; what was begun goes on and the next call takes it up.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the session of `pnb.connect()`.

    Raises
    ------
    InputError
        The frames cannot be used; nothing was sent.
    FailedError
        The service failed at a step; `.reason` is its text.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> pnb.train(books.interactions, books.items, name="books")  # doctest: +SKIP
    <SolutionVersion books-user-personalization-5f0c2a of aws-user-personalization: pnb.recommend(ids, this) ...>
    """
    recipe = recipe.rsplit("/", 1)[-1]
    if recipe not in limits.RECIPES:
        raise errors.InputError(f"There is no recipe {recipe!r}; there are {', '.join(sorted(limits.RECIPES))}.")
    if not limits.RECIPES[recipe].batch and limits.RECIPES[recipe].type != "USER_SEGMENTATION":
        legal = ", ".join(name for name, facts in sorted(limits.RECIPES.items()) if facts.batch)
        raise errors.InputError(f"No batch job takes a solution version of {recipe}; train one of {legal}.")
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:_LONGEST_NAME].strip("-_")
    if not base:
        raise errors.InputError(f"'name' needs letters or digits, got {name!r}.")
    datasets = _datasets(interactions, items, users, textual, categorical)
    schemas.check_enough(datasets[0], event_type)
    session = current(session)
    chain = _Chain(session, base, role_arn or session.role(), tags or {}, choose(progress), timeout)
    session.location("data")  # a session without a bucket says so before anything is made
    config = dict(solution_config or {})
    if hyperparameters:
        _check_hyperparameters(session, recipe, hyperparameters)
        config["algorithmHyperParameters"] = {key: _text(value) for key, value in hyperparameters.items()}
    group = chain.group([json.dumps(one.schema, sort_keys=True) for one in datasets])
    chain.datasets(group, datasets)
    begun = [chain.begin_import(group, one) for one in datasets]  # side by side at AWS, where each takes minutes
    imported = max(chain.end_import(one) for one in begun)
    version = chain.version(chain.solution(group, recipe, event_type, config), imported)
    return chain.waited(version) if wait else version


def _check_hyperparameters(session: Session, recipe: str, given: Mapping[str, Any]) -> None:
    """Refuse names the recipe's algorithm does not have before anything is made; the service judges the values."""
    arn = f"arn:{session.partition}:personalize:::recipe/{recipe}"
    algorithm = session.call("describe_recipe", recipeArn=arn)["recipe"].get("algorithmArn")
    described = session.call("describe_algorithm", algorithmArn=algorithm)["algorithm"] if algorithm else {}
    known = sorted(described.get("defaultHyperParameters", {}))
    unknown = sorted(set(given) - set(known))
    if known and unknown:
        raise errors.InputError(f"{recipe} has no hyperparameter {unknown}; it has {known}.")


def _datasets(
    interactions: pd.DataFrame,
    items: pd.DataFrame | None,
    users: pd.DataFrame | None,
    textual: str | bool | None,
    categorical: Collection[str],
) -> list[Dataset]:
    given = [(INTERACTIONS, interactions), (ITEMS, items), (USERS, users)]
    frames = [(kind, frame) for kind, frame in given if frame is not None]
    own = {kind: {schemas.amazon_name(one) for one in getattr(frame, "columns", ())} for kind, frame in frames}
    absent = [one for one in categorical if not any(schemas.amazon_name(one) in names for names in own.values())]
    if absent:
        raise errors.InputError(f"'categorical' names {absent}, which no frame has.")
    return [
        schemas.prepare(
            kind,
            frame,
            textual=textual,
            categorical=[one for one in categorical if schemas.amazon_name(one) in own[kind]],
        )
        for kind, frame in frames
    ]


@dataclass(frozen=True)
class _Import:
    """An import job that was found or begun; `uploaded` is its file when we put one there."""

    arn: str
    what: str
    uploaded: str | None
    known: Mapping[str, Any] | None


class _Chain:
    """The steps from dataset group to solution version; each finds what is there or makes it."""

    def __init__(
        self,
        session: Session,
        base: str,
        role_arn: str,
        tags: Mapping[str, str],
        progress: Progress,
        timeout: float | None,
    ):
        self._session = session
        self._base = base
        self._role_arn = role_arn
        self._tags = {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]} if tags else {}
        self._progress = progress
        self._until = None if timeout is None else time.monotonic() + timeout

    def group(self, structure: list[str]) -> str:
        """Return the name of the dataset group for data of this structure."""
        name = f"{self._base}-{_hash(*structure)}"
        arn = self._session.arn("dataset-group", name)
        call = self._session.call
        found = self._found(lambda: call("describe_dataset_group", datasetGroupArn=arn)["datasetGroup"])
        if found is not None and found["status"] == limits.FAILED:
            call("delete_dataset_group", datasetGroupArn=arn)
            found = None
        if found is None:
            try:
                self._create("create_dataset_group", name=name, **self._tags)
            except errors.QuotaError as error:
                names = [entry["name"] for entry in self._session.pages("list_dataset_groups", "datasetGroups")]
                raise errors.QuotaError(
                    f"{error} There are {', '.join(map(repr, names))}; pnb.delete_dataset_group(name) deletes one with "
                    "everything trained on it."
                ) from error
        self._active(
            lambda: call("describe_dataset_group", datasetGroupArn=arn)["datasetGroup"],
            f"dataset group {name!r}",
            arn,
            found,
        )
        return name

    def datasets(self, group: str, datasets: list[Dataset]) -> None:
        """Make the datasets that are not there, and wait for all of them."""
        looked: list[tuple[str, str, dict[str, Any] | None]] = []
        for one in datasets:
            arn = self._session.arn("dataset", f"{group}/{one.type}")
            found = self._found(lambda arn=arn: self._dataset(arn))
            if found is None:
                self._create(
                    "create_dataset",
                    name=f"{group}-{one.type.lower()}",
                    schemaArn=self._schema(group, one),
                    datasetGroupArn=self._session.arn("dataset-group", group),
                    datasetType=one.type,
                )
            looked.append((one.type.lower(), arn, found))
        for kind, arn, found in looked:
            self._active(lambda arn=arn: self._dataset(arn), f"dataset {kind}", arn, found)

    def begin_import(self, group: str, dataset: Dataset) -> _Import:
        """Import a dataset, unless what it holds or is importing now has the same content."""
        kind, rows = dataset.type.lower(), f"{dataset.table.num_rows:,} {dataset.type.lower()}"
        arn = self._session.arn("dataset", f"{group}/{dataset.type}")
        with tempfile.TemporaryFile() as file:
            content = f"{group}-{kind}-{dataset.write_csv(file)[:8]}"
            jobs = list(self._session.pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=arn))
            live = [job for job in jobs if job["status"] in _LIVE]
            latest = max(live, key=lambda job: job["creationDateTime"], default=None)
            if latest is not None and re.fullmatch(rf"{re.escape(content)}(-\d+)?", latest["jobName"]):
                if latest["status"] == limits.ACTIVE:
                    self._progress.say(f"{rows} are imported already and are used")
                return _Import(latest["datasetImportJobArn"], f"import of {rows}", None, latest)
            self._progress.say(f"importing {rows}: {dataset.described()}")
            job_arn, address = self._import(arn, content, {job["jobName"] for job in jobs}, file)
            return _Import(job_arn, f"import of {rows}", address, None)

    def end_import(self, begun: _Import) -> Any:
        """Wait for an import and return when it ended; the uploaded file goes, the service has its own copy."""
        describe = self._session.call
        ended = self._active(
            lambda: describe("describe_dataset_import_job", datasetImportJobArn=begun.arn)["datasetImportJob"],
            begun.what,
            begun.arn,
            begun.known,
        )
        if begun.uploaded:
            storage.delete(self._session, [begun.uploaded])
        return ended["lastUpdatedDateTime"]

    def _dataset(self, arn: str) -> dict[str, Any]:
        return self._session.call("describe_dataset", datasetArn=arn)["dataset"]

    def _schema(self, group: str, dataset: Dataset) -> str:
        name = f"{group}-{dataset.type.lower()}"
        arn = self._session.arn("schema", name)
        found = self._found(lambda: self._session.call("describe_schema", schemaArn=arn)["schema"])
        if found is None:
            self._create("create_schema", name=name, schema=schemas.avro(dataset))
        return arn

    def _import(self, dataset_arn: str, content: str, taken: Collection[str], file: IO[bytes]) -> tuple[str, str]:
        names = [content, *(f"{content}-{number}" for number in range(2, len(taken) + 2))]
        name = next(one for one in names if one not in taken)
        # a token, so that two kernels that train on the same frames never delete each other's file
        address = self._session.location("data", f"{name}-{secrets.token_hex(4)}.csv")
        file.seek(0)
        storage.upload(self._session, file, address)
        try:
            answer = self._session.call(
                "create_dataset_import_job",
                jobName=name,
                datasetArn=dataset_arn,
                dataSource={"dataLocation": address},
                roleArn=self._role_arn,
                importMode="FULL",
            )
        except errors.AlreadyExistsError:
            storage.delete(self._session, [address])
            return self._session.arn("dataset-import-job", name), ""  # another kernel imports the same content
        except errors.PersonalizeError:
            storage.delete(self._session, [address])  # nothing half done stays behind
            raise
        return answer["datasetImportJobArn"], address

    def solution(self, group: str, recipe: str, event_type: str | None, config: Mapping[str, Any]) -> str:
        """Return the ARN of the solution with this configuration."""
        settings = json.dumps([group, event_type, config], sort_keys=True, default=str)
        name = f"{self._base}-{recipe.removeprefix('aws-')}-{_hash(settings)}"
        arn = self._session.arn("solution", name)
        call = self._session.call
        found = self._found(lambda: call("describe_solution", solutionArn=arn)["solution"])
        if found is not None and found["status"] == limits.FAILED:
            call("delete_solution", solutionArn=arn)
            found = None
        if found is None:
            self._create(
                "create_solution",
                name=name,
                recipeArn=f"arn:{self._session.partition}:personalize:::recipe/{recipe}",
                datasetGroupArn=self._session.arn("dataset-group", group),
                # on by default at AWS: it would train, and bill, every week
                performAutoTraining=False,
                **({"eventType": event_type} if event_type else {}),
                **({"solutionConfig": dict(config)} if config else {}),
                **self._tags,
            )
        self._active(lambda: call("describe_solution", solutionArn=arn)["solution"], f"solution {name!r}", arn, found)
        return arn

    def version(self, solution_arn: str, imported: Any) -> SolutionVersion:
        """Return the solution's newest version if it was begun after the last import, else begin one."""
        versions = self._session.pages("list_solution_versions", "solutionVersions", solutionArn=solution_arn)
        fresh = [one for one in versions if one["status"] in _LIVE and one["creationDateTime"] >= imported]
        if fresh:
            newest = max(fresh, key=lambda one: one["creationDateTime"])
            arn = newest["solutionVersionArn"]
            if newest["status"] == limits.ACTIVE:
                self._progress.say(
                    f"solution {solution_arn.rsplit('/', 1)[-1]!r} is trained on this data already and is used"
                )
        else:
            arn = self._session.call("create_solution_version", solutionArn=solution_arn, **self._tags)[
                "solutionVersionArn"
            ]
        described = self._session.call("describe_solution_version", solutionVersionArn=arn)["solutionVersion"]
        return from_description(described, self._session)

    def waited(self, version: SolutionVersion) -> SolutionVersion:
        """Wait for the training."""
        described = version.describe()
        self._active(version.describe, f"training of {version.name!r}", version.arn, described)
        return version

    def _create(self, operation: str, **parameters: Any) -> None:
        try:
            self._session.call(operation, **parameters)
        except errors.AlreadyExistsError:  # another kernel made the same call a moment ago
            self._progress.say(f"{parameters['name']!r} was made by another call just now and is used")

    def _found(self, describe: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return describe()
        except errors.NotFoundError:
            return None

    def _active(
        self,
        describe: Callable[[], Mapping[str, Any]],
        what: str,
        arn: str,
        known: Mapping[str, Any] | None,
    ) -> Mapping[str, Any]:
        """Wait until a resource is ACTIVE; one that was found ACTIVE needs no word."""
        if known is not None and known["status"] == limits.ACTIVE:
            return known
        return waiting.until_active(
            describe,
            what,
            arn,
            again="the same pnb.train(...)",
            timeout=None if self._until is None else max(self._until - time.monotonic(), 0.0),
            progress=self._progress,
        )


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:6]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
