"""The steps from frames to a solution version; each finds what is there or makes it, so that calls can be repeated.

What a failed call leaves is decided here: a dataset group that it made and into which nothing was imported is deleted
again; with imported data, which at AWS took minutes and money, it stays and the error says so, because the next call
uses it.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.resources import dataset_groups, known_values
from personalize_nb.resources.solutions import SolutionVersion, from_description
from personalize_nb.session import creating, s3, waiting
from personalize_nb.session.progress import Progress
from personalize_nb.session.session import Session
from personalize_nb.training import schemas
from personalize_nb.training.existing import ExistingGroup, schemas_of
from personalize_nb.training.patient_calls import AGAIN, PatientCalls
from personalize_nb.training.plan import TrainingPlan
from personalize_nb.training.schemas import Dataset

_LIVE = (limits.ACTIVE, limits.PENDING, limits.IN_PROGRESS)
_TIDYING_SECONDS = 120.0
_LONGEST_GROUP = 36  # leaves room for what is added within 63 characters
_HASH = r"-[0-9a-f]{6}"


@dataclass(frozen=True)
class Import:
    """An import job that was found or begun; of a new one, the values of its columns of categories."""

    arn: str
    what: str
    known: Mapping[str, Any] | None
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Steps(PatientCalls):
    """The steps from dataset group to solution version.

    Parameters
    ----------
    session
        Where they are made.
    base
        Begins every name.
    role_arn
        The role that imports.
    tags
        Of the dataset group, the solution and its version.
    progress
        Told each step.
    timeout
        Seconds for all steps together.
    """

    def __init__(
        self,
        session: Session,
        base: str,
        role_arn: str,
        tags: Mapping[str, str],
        progress: Progress,
        timeout: float | None,
    ):
        super().__init__(session, progress, timeout)
        self._base = base
        self._role_arn = role_arn
        self._tags = {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]} if tags else {}
        self._made: str | None = None  # the dataset group, when this call made it
        self._domain: dict[str, str] = {}
        self._imports = False  # whether this call began to import

    @contextmanager
    def accounted(self) -> Iterator[None]:
        """Add to an error of the steps inside what they leave, after removing what is of no use."""
        try:
            yield
        except errors.WaitTimeoutError:
            raise  # says already that all goes on
        except errors.PersonalizeError as error:
            if waiting.passing(error) or isinstance(error, errors.LocalServiceError):
                error.add("Nothing is lost: the same pnb.train(...) goes on where this one stopped.")
            elif self._made is not None:
                error.add(self._left(self._made))
            raise

    def _left(self, group: str) -> str:
        stays = (
            f"Dataset group {group!r}, which this call made, stays: the next pnb.train(...) of such frames uses it and "
            f"what was imported; pnb.delete_dataset_group({group!r}) deletes it."
        )
        if self._imports:
            return stays
        try:
            dataset_groups.delete_dataset_group(group, timeout=_TIDYING_SECONDS, progress=False, session=self._session)
        except errors.PersonalizeError:
            return stays  # in use by another kernel, or not ours to delete: the first error is the one to tell
        return f"Nothing was imported, and dataset group {group!r}, which this call made, is deleted again."

    def group(self, datasets: list[Dataset]) -> str:
        """Return the name of the dataset group for data of this structure."""
        name = f"{self._base}-{_hash(*(json.dumps(one.schema, sort_keys=True) for one in datasets))}"
        arn = self._session.arn("dataset-group", name)
        describe = partial(self._describe, "describe_dataset_group", datasetGroupArn=arn)
        found = self._found(describe)
        if found is not None and found["status"] == limits.FAILED:
            self._check_own(arn)
            self._session.call("delete_dataset_group", datasetGroupArn=arn)
            found = None
        if found is None:
            self._tell_others(name, datasets)
            try:
                self._made = name if self._create("create_dataset_group", describe, name=name, **self._tags) else None
            except errors.QuotaError as error:
                if waiting.passing(error):
                    raise  # too many calls, not too many groups
                names = self._session.names("list_dataset_groups", "datasetGroups")
                there = f" There are {', '.join(map(repr, names))};" if names else ""
                full = errors.QuotaError(
                    f"{error}{there} pnb.delete_dataset_group(name) deletes one with everything trained on it."
                )
                full.code, full.transient = error.code, False
                raise full from error
        self._active(describe, f"dataset group {name!r}", arn, found)
        return name

    def existing(self, group: ExistingGroup) -> str:
        """Return the name of a dataset group that is there, when it can be trained in."""
        arn = self._session.arn("dataset-group", group.name)
        describe = partial(self._describe, "describe_dataset_group", datasetGroupArn=arn)
        self._active(describe, f"dataset group {group.name!r}", arn, None)
        self._domain = {"domain": group.domain} if group.domain else {}
        return group.name

    def last_import(self, group: str) -> Any:
        """Return when the data of a group was last imported; long ago where it never was."""
        arn = self._session.arn("dataset-group", group)
        ended = [
            job["lastUpdatedDateTime"]
            for entry in self._pages("list_datasets", "datasets", datasetGroupArn=arn)
            for job in self._pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=entry["datasetArn"])
            if job["status"] == limits.ACTIVE
        ]
        return max(ended, default=datetime.min.replace(tzinfo=UTC))

    def _tell_others(self, name: str, datasets: list[Dataset]) -> None:
        """Say when data of another structure makes a new dataset group: at AWS five may be active."""
        try:
            groups = list(self._pages("list_dataset_groups", "datasetGroups"))
        except errors.AccessError:
            return  # who may not list them can train all the same
        others = [one for one in groups if re.fullmatch(re.escape(self._base) + _HASH, one["name"])]
        if not others:
            return
        newest = max(others, key=lambda one: one["creationDateTime"])
        try:
            there = schemas_of(self._session.call, self._pages, newest["datasetGroupArn"])
            changed = _differences(there, datasets)
        except errors.PersonalizeError:
            changed = "its schemas cannot be read"
        more = f" (and {len(others) - 1} more of that name)" if len(others) > 1 else ""
        self._progress.say(
            f"new dataset group {name!r}, because the data has not the structure of {newest['name']!r}{more}: "
            f"{changed}. pnb.delete_dataset_group({newest['name']!r}) deletes the old one with everything trained on it"
        )

    def datasets(self, group: str, datasets: list[Dataset]) -> None:
        """Make the datasets that are not there, and wait for all of them."""
        looked: list[tuple[str, str, dict[str, Any] | None]] = []
        for dataset in datasets:
            arn = self._session.arn("dataset", f"{group}/{dataset.type}")
            known = self._found(partial(self._dataset, arn))
            if known is None:
                self._create(
                    "create_dataset",
                    partial(self._dataset, arn),
                    name=_named(group, dataset.type.lower()),
                    schemaArn=self._schema(group, dataset),
                    datasetGroupArn=self._session.arn("dataset-group", group),
                    datasetType=dataset.type,
                )
            looked.append((dataset.type.lower(), arn, known))
        for kind, arn, known in looked:
            self._active(partial(self._dataset, arn), f"dataset {kind}", arn, known)

    def begin_import(self, group: str, dataset: Dataset) -> Import:
        """Import a dataset, unless what it holds or is importing now has the same content."""
        kind, rows = dataset.type.lower(), f"{dataset.table.num_rows:,} {dataset.type.lower()}"
        arn = self._session.arn("dataset", f"{group}/{dataset.type}")
        with tempfile.TemporaryFile() as file:
            content = _named(group, f"{kind}-{dataset.write_csv(file)[:8]}")
            jobs = self._pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=arn)
            live = [job for job in jobs if job["status"] in _LIVE]
            latest = max(live, key=lambda job: job["creationDateTime"], default=None)
            if latest is not None and re.fullmatch(rf"{re.escape(content)}(-\d+)?", latest["jobName"]):
                if latest["status"] == limits.ACTIVE:
                    self._progress.say(f"{rows} are imported already and are used")
                return Import(latest["datasetImportJobArn"], f"import of {rows}", latest)
            self._progress.say(f"importing {rows}: {dataset.described()}")
            made = self._import(arn, content, {job["jobName"] for job in jobs}, file)
            self._imports = True
            return Import(made, f"import of {rows}", None, dataset.categories())

    def end_import(self, begun: Import) -> Any:
        """Wait for an import and return when it ended; its file goes, whoever uploaded it: the service has a copy."""
        try:
            ended = self._active(partial(self._import_job, begun.arn), begun.what, begun.arn, begun.known)
        except errors.FailedError:
            self._discard(begun.arn)
            raise
        self._discard(begun.arn)
        known_values.store(self._session, begun.arn, begun.categories)
        return ended["lastUpdatedDateTime"]

    def _import_job(self, arn: str) -> dict[str, Any]:
        return self._describe("describe_dataset_import_job", datasetImportJobArn=arn)

    def _source(self, arn: str) -> str | None:
        """Return the file that an import job reads, or None when there is no telling."""
        try:
            return str(self._import_job(arn)["dataSource"]["dataLocation"])
        except errors.PersonalizeError:
            return None

    def _discard(self, arn: str) -> None:
        address = self._source(arn)
        if address is not None and address.startswith(self._session.location("data") + "/"):
            s3.delete(self._session, [address])

    def _dataset(self, arn: str) -> dict[str, Any]:
        return self._describe("describe_dataset", datasetArn=arn)

    def _schema(self, group: str, dataset: Dataset) -> str:
        name = _named(group, dataset.type.lower())
        arn = self._session.arn("schema", name)
        describe = partial(self._describe, "describe_schema", schemaArn=arn)
        if self._found(describe) is None:
            self._create("create_schema", describe, name=name, schema=schemas.avro(dataset), **self._domain)
        return arn

    def _import(self, dataset_arn: str, content: str, taken: Collection[str], file: IO[bytes]) -> str:
        names = [content, *(f"{content}-{number}" for number in range(2, len(taken) + 2))]
        name = next(one for one in names if one not in taken)
        # a token, so that two kernels that train on the same frames never delete each other's file
        address = self._session.location("data", f"{name}-{secrets.token_hex(4)}.csv")
        file.seek(0)
        s3.upload(self._session, file, address)
        arn = self._session.arn("dataset-import-job", name)
        asked: dict[str, Any] = {
            "jobName": name,
            "datasetArn": dataset_arn,
            "dataSource": {"dataLocation": address},
            "roleArn": self._role_arn,
            "importMode": "FULL",
        }
        try:
            creating.made(
                lambda: str(self._session.call("create_dataset_import_job", **asked)["datasetImportJobArn"]),
                lambda: self._seen(lambda: self._own_import(arn, address)),
                f"starting import {name!r}",
                again=AGAIN,
            )
        except errors.PersonalizeError as error:
            if self._source(arn) == address:
                return arn  # only the answer was lost
            with suppress(errors.PersonalizeError):  # the first error is the one to tell
                s3.delete(self._session, [address])  # nothing half done stays behind
            if not isinstance(error, errors.AlreadyExistsError):
                raise
        return arn  # ours, or that of another kernel which imports the same content

    def _own_import(self, arn: str, address: str) -> str:
        """Return an import job that reads a file of ours; another one has taken the name."""
        if self._import_job(arn)["dataSource"]["dataLocation"] != address:
            raise errors.AlreadyExistsError(f"Import {arn.rsplit('/', 1)[-1]!r} is another call's.")
        return arn

    def solution(self, group: str, planned: TrainingPlan) -> str:
        """Return the ARN of the solution with this configuration."""
        recipe, event_type, config = planned.recipe, planned.event_type, planned.config
        searched = ["performHPO"] if planned.performs_hpo else []  # another solution than one without the search
        settings = json.dumps([group, event_type, config, *searched], sort_keys=True, default=str)
        name = f"{self._base}-{recipe.removeprefix('aws-')}-{_hash(settings)}"
        arn = self._session.arn("solution", name)
        describe = partial(self._describe, "describe_solution", solutionArn=arn)
        found = self._found(describe)
        if found is not None and found["status"] == limits.FAILED:
            self._check_own(arn)
            self._session.call("delete_solution", solutionArn=arn)
            found = None
        if found is None:
            self._create(
                "create_solution",
                describe,
                name=name,
                recipeArn=f"arn:{self._session.partition}:personalize:::recipe/{recipe}",
                datasetGroupArn=self._session.arn("dataset-group", group),
                # on by default at AWS: it would train, and bill, every week
                performAutoTraining=False,
                **({"performHPO": True} if planned.performs_hpo else {}),
                **({"eventType": event_type} if event_type else {}),
                **({"solutionConfig": dict(config)} if config else {}),
                **self._tags,
            )
        self._active(describe, f"solution {name!r}", arn, found)
        return arn

    def version(self, solution_arn: str, imported: Any) -> SolutionVersion:
        """Return the solution's newest version if it was begun after the last import, else begin one."""
        versions = self._pages("list_solution_versions", "solutionVersions", solutionArn=solution_arn)
        fresh = [one for one in versions if one["status"] in _LIVE and one["creationDateTime"] >= imported]
        if fresh:
            newest = max(fresh, key=lambda one: one["creationDateTime"])
            arn = newest["solutionVersionArn"]
            if newest["status"] == limits.ACTIVE:
                self._progress.say(
                    f"solution {solution_arn.rsplit('/', 1)[-1]!r} is trained on this data already and is used"
                )
        else:
            arn = self._begin_version(solution_arn, {one["solutionVersionArn"] for one in versions})
        described = waiting.until_answered(
            lambda: self._session.call("describe_solution_version", solutionVersionArn=arn)["solutionVersion"],
            f"solution version {arn.split(':solution/')[-1]!r}",
            again=AGAIN,
            absent_passes=True,
        )
        return from_description(described, self._session)

    def _begin_version(self, solution_arn: str, there: Collection[str]) -> str:
        """Begin a training; one that a lost answer left is the version that was not there before."""

        def find() -> str | None:
            versions = self._pages("list_solution_versions", "solutionVersions", solutionArn=solution_arn)
            new = [one for one in versions if one["solutionVersionArn"] not in there and one["status"] in _LIVE]
            newest = max(new, key=lambda one: one["creationDateTime"], default=None)
            return None if newest is None else str(newest["solutionVersionArn"])

        def create() -> str:
            answer = self._session.call("create_solution_version", solutionArn=solution_arn, **self._tags)
            return str(answer["solutionVersionArn"])

        what = f"starting the training of {solution_arn.rsplit('/', 1)[-1]!r}"
        return creating.made(create, find, what, again=AGAIN, looks=3)  # it has no name: a second one would be billed

    def waited(self, version: SolutionVersion) -> SolutionVersion:
        """Wait for the training."""
        described = waiting.until_answered(version.describe, f"training of {version.name!r}", again=AGAIN)
        self._active(version.describe, f"training of {version.name!r}", version.arn, described)
        return version


def _named(group: str, rest: str) -> str:
    """Return a name that begins with a group's; of a long one, which others may have given, with its beginning."""
    begin = group if len(group) <= _LONGEST_GROUP else f"{group[: _LONGEST_GROUP - 7]}-{_hash(group)}"
    return f"{begin}-{rest}"


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:6]


def _differences(old: Mapping[str, Mapping[str, Any]], new: Sequence[Dataset]) -> str:
    """Return in words what the new data has that the old structure has not, and the other way round."""
    changes = [", ".join(_changes(old.get(dataset.type), dataset)) for dataset in new]
    changes += [f"no {kind.lower()}" for kind in old if kind not in [dataset.type for dataset in new]]
    return "; ".join(text for text in changes if text) or "no column differs by name or role"


def _changes(old: Mapping[str, Any] | None, new: Dataset) -> Iterator[str]:
    kind = new.type.lower()
    if old is None:
        yield f"{kind} are new"
        return
    before = {field["name"]: _shown(field) for field in old["fields"]}
    after = {field["name"]: _shown(field) for field in new.schema["fields"]}
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in before:
            yield f"{kind} have a new column {name} ({after[name]})"
        elif name not in after:
            yield f"{kind} have no column {name}"
        elif before[name] != after[name]:
            yield f"{name} of the {kind} is {after[name]}, was {before[name]}"


def _shown(field: Mapping[str, Any]) -> str:
    return schemas.role(field) + (" or missing" if "null" in field["type"] else "")
