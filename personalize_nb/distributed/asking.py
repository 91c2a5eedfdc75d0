"""`recommend` for a Dask DataFrame: its partitions become part files of one run.

All partitions are checked first, and what they have in common is looked for; only what is right as a whole is stored,
and only what is stored as a whole is started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack, cast

from personalize_nb import errors
from personalize_nb.contract import limits, recipes
from personalize_nb.contract.job_kinds import INFERENCE
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION
from personalize_nb.distributed import repeats, storing
from personalize_nb.distributed.checking import Checked, CheckedWhole, PartitionQuestion, check
from personalize_nb.distributed.output import DistributedRun
from personalize_nb.distributed.storing import PartFile
from personalize_nb.distributed.tasks import NamedTasks, partitions
from personalize_nb.jobs import costs, manifests, reuse, runs, side_by_side
from personalize_nb.jobs.arguments import JobParameters, names_of, with_parameters
from personalize_nb.jobs.beginning import own_output
from personalize_nb.jobs.job import new_job_name
from personalize_nb.jobs.manifests import Manifest, RunGroup, RunPart
from personalize_nb.jobs.parts import InputLimits, limits_in
from personalize_nb.jobs.questions import judge
from personalize_nb.jobs.recommend import check_mode, request_context, request_for, with_item_name
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.rules import RequestContext, errors_of, problems
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.stored_amounts import Amount
from personalize_nb.resources.estimate import refuse, total
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import s3, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.portable import WORKERS, PortableSession, portable
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import numpy as np
    from dask.delayed import Delayed


@public
@with_parameters(JobParameters)
def recommend(
    data: Any,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str],
    *,
    session: Session | None = None,
    credentials: str = WORKERS,
    **parameters: Unpack[JobParameters],
) -> DistributedRun:
    """Start a run for the ids in a Dask DataFrame and return it; nothing is waited for but the input.

    The workers check their partitions by the rules of `pnb.recommend` and write them to S3, a part file or more each;
    as many files as quotas allow are one job. What is found is gathered with rows counted through the whole frame, also
    records that several partitions have. Where a row cannot be used, nothing is stored and nothing started.

    Parameters
    ----------
    data
        A Dask DataFrame, Series or Bag of what the recipe takes; see `pnb.recommend`.
    solution_version
        As for `pnb.recommend`: one, or several side by side.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.
    credentials
        `workers`: workers find credentials of AWS as boto3 does where they run; `caller`: those of the session are sent
        to them, and the work ends when these do. Workers of a local service read its folder.
    **parameters
        As for `pnb.recommend`. Values of a filter that differ by record are columns of the frame.

    Returns
    -------
    DistributedRun
        `.wait().recommendations()` is a Dask DataFrame.

    Raises
    ------
    InputError
        Rows of the data cannot be used; nothing was stored.
    RequestError
        The request breaks rules; `.problems` lists all of them.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob, a call for each job; Dask's DataFrames and clusters.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> readers = dd.from_pandas(pd.DataFrame({"user_id": ["r01349", "r00469"]}), npartitions=2)
    >>> run = pnb.distributed.recommend(readers, "books", num_results=2).wait(progress=False)
    >>> len(run.recommendations().compute())
    4
    """
    pieces = partitions(data)
    given: JobParameters = {"mode": BATCH_INFERENCE, **parameters}
    models, several_models = side_by_side.listed(solution_version, "solution_version")
    chosen, several_filters = side_by_side.listed(given.get("filter"), "filter")
    theirs = (getattr(model, "session", None) for model in models)
    session = current(session or next((one for one in theirs if one is not None), None))
    limit, at_once = limits_in(given), given.get("at_once", limits.MAX_JOBS_IN_PROGRESS)
    runs.check_at_once(at_once)
    where = portable(session, credentials)
    versions = [find_solution_version(one, session) for one in models]
    for version in versions:
        check_mode(given["mode"], version)
    filters = [None if one is None else find_filter(one, session) for one in chosen]
    labels = side_by_side.labels(versions, filters)
    shown = [name for name, is_shown in zip(labels[0], (several_models, several_filters), strict=True) if is_shown]
    name = given.get("job_name") or new_job_name(versions[0].name)
    given = {**given, "job_name": name}
    asked: list[_Asked] = []
    for version in versions:
        for one in filters:
            values = side_by_side.values_of(given.get("filter_values"), one, filters)
            _refuse_rows(values)
            label = {shown_name: labels[len(asked)][shown_name] for shown_name in shown}
            asked.append(_asked(version, one, values, given, limit, where, session, label))
    _refuse(asked)
    runs.check_free(name, session)
    inputs = _inputs(asked, pieces)
    judge([(one.request, one.known()) for one in asked])
    _check_cost(asked, session, given.get("max_cost"))
    told = [
        reuse.told_of(one.request, one.question.chosen, inputs[one.input_key].digest, session, one.context.recipe)
        for one in asked
    ]
    mark = reuse.mark_of([[*own, sorted(one.labels)] for own, one in zip(told, asked, strict=True)])
    before = reuse.noted(mark, session)
    kind = asked[0].request.job_kind
    if given.get("reuse") and (known := reuse.found(mark, before, kind, session)) is not None:
        found = known if isinstance(known, Run) else runs.attach(known.name, session)
        if isinstance(found, Run):
            return DistributedRun(found, where)
    for note in dict.fromkeys(note for one in inputs.values() for note in one.notes):
        choose().say(note)
    reuse.remember(mark, [name, *before], session)  # before it begins, so that an interrupted one is found
    manifest, stored = _stored(name, asked, inputs, session, int(at_once))
    try:
        manifest.save(session)
        run = runs.begun(manifest, session)
    except errors.PersonalizeError as error:
        if not waiting.passing(error):
            s3.delete(session, stored)
            reuse.remember(mark, before, session)
        raise
    return DistributedRun(run, where)


@dataclass
class _Asked:
    """One model with one filter: what every job of it is asked, and what every partition is to become."""

    request: JobRequest
    context: RequestContext
    question: PartitionQuestion
    labels: Mapping[str, str | None]
    required: tuple[str, ...]
    whole: CheckedWhole | None = None
    removed: int = 0

    @property
    def input_key(self) -> str:
        """What is equal where the input is the same: the model is asked for its kind, the filter for its values."""
        chosen, question = self.question.chosen, self.question
        facts = recipes.recipe_of(question.version[1])
        own = (chosen.placeholders, chosen.numbers) if chosen is not None else ()
        return repr((facts.input_keys if facts else None, own, question.values, self.request.input_kms_key_arn))

    def known(self) -> RequestContext:
        """Return what is known of the world around, once the input is checked."""
        if self.whole is None:
            return self.context
        records = self.whole.records - self.removed
        context = replace(self.context, kind=self.whole.kind, records=records)
        return replace(context, missing_values=self.whole.missing, required_values=self.required)


def _asked(
    version: SolutionVersion,
    chosen: Filter | None,
    values: Any,
    given: JobParameters,
    limit: InputLimits,
    where: PortableSession,
    session: Session,
    labels: Mapping[str, str | None],
) -> _Asked:
    own = with_item_name(version, given)
    folder = f"{session.location(manifests.FOLDER, own['job_name'] or '', 'input')}/"
    request = request_for(version, folder, chosen, session, own, JobRequest)
    most = limit.records(own["mode"])
    context = replace(request_context(version, None, chosen), names=names_of(INFERENCE), most_per_file=most)
    # a folder whose files each keep to the limit; with themes each job keeps to it
    context = replace(context, per_file=most)
    told = version.arn, version.recipe, version.dataset_group_arn
    question = PartitionQuestion(where, told, chosen, values, own["mode"], limit)
    return _Asked(request, context, question, labels, chosen.required if chosen is not None else ())


def _refuse(asked: Sequence[_Asked]) -> None:
    """Refuse what breaks rules whatever the input is, before any of it is read."""
    found = [problem for one in asked for problem in problems(one.request, one.context)]
    if broken := errors_of(list(dict.fromkeys(found))):
        raise errors.RequestError(broken)


def _refuse_rows(values: Any) -> None:
    """Refuse values of a filter for each row that come beside the frame: nothing tells which partition they are of."""
    if not isinstance(values, Mapping):
        return
    apart = [name for name, value in values.items() if hasattr(value, "dtype") or hasattr(value, "__arrow_c_stream__")]
    if apart:
        raise errors.InputError(
            f"'filter_values' of a Dask DataFrame are the same for all records, or names of its columns; {apart} "
            f"{'have' if len(apart) > 1 else 'has'} a value for each row. Add them to the frame: "
            f"frame.assign({apart[0]}=...), filter_values={apart}."
        )


def _check_cost(asked: Sequence[_Asked], session: Session, most: float | None) -> None:
    if most is None:
        return
    estimates = []
    for one in asked:
        whole = cast(CheckedWhole, one.whole)
        amount = Amount(whole.records - one.removed, whole.listed)
        request = one.request
        estimates.append(
            costs.of_amount(amount, request.mode, request.num_results, one.question.version[1], session.rates)
        )
    refuse(total(estimates), most)


@dataclass(frozen=True)
class _Input:
    """Checked partitions, whose records stay with the workers."""

    question: PartitionQuestion
    made: NamedTasks
    checked: Sequence[Delayed]
    whole: CheckedWhole
    again: Mapping[int, np.ndarray]
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What tells the input from others."""
        return "\n".join(one.digest for one in self.whole.each)


def _inputs(asked: Sequence[_Asked], pieces: Sequence[Delayed]) -> dict[str, _Input]:
    """Check the partitions for each question that needs others, and return what was found right."""
    found: dict[str, _Input] = {}
    for one in asked:
        key = one.input_key
        if key not in found:
            found[key] = _checked(one.question, pieces)
        own = found[key]
        one.whole, one.removed = own.whole, sum(map(len, own.again.values()))
    return found


def _checked(question: PartitionQuestion, pieces: Sequence[Delayed]) -> _Input:
    made = NamedTasks()
    checked = made.kept(
        [made.task("check-partition", number, check, piece, question) for number, piece in enumerate(pieces)]
    )
    told = made.answers([made.task("tell-partition", number, Checked.told, one) for number, one in enumerate(checked)])
    whole = CheckedWhole(told)
    right = not any(one.fault or one.findings.have_errors for one in told)
    again = _again(made, checked) if right else {}
    findings = dict(
        zip(
            again,
            made.answers(
                [made.task("tell-repeats", number, repeats.told, checked[number], again[number]) for number in again]
            ),
            strict=True,
        )
    )
    gathered = whole.judged(findings)
    notes = [note for one in told for note in one.notes]
    return _Input(question, made, checked, whole, again, (*dict.fromkeys(notes), *gathered.sentences(whole.rows)))


def _again(made: NamedTasks, checked: Sequence[Delayed]) -> dict[int, np.ndarray]:
    """Return for each partition the records that an earlier one has as well."""
    if len(checked) < 2:
        return {}
    count = repeats.heaps(len(checked))
    dealt = [made.task("deal-keys", number, repeats.dealt, one, count) for number, one in enumerate(checked)]
    found = []
    for heap in range(count):
        own = [
            made.task("take-keys", heap * len(checked) + number, list.__getitem__, one, heap)
            for number, one in enumerate(dealt)
        ]
        found.append(made.task("find-repeats", heap, repeats.looked_through, own))
    return repeats.together(made.answers(found))


def _stored(
    name: str, asked: Sequence[_Asked], inputs: Mapping[str, _Input], session: Session, at_once: int
) -> tuple[Manifest, list[str]]:
    """Let the workers write all part files; return the run they belong to, and the files."""
    base = session.location(manifests.FOLDER, name)
    places: dict[str, tuple[str, list[tuple[int, int]], int]] = {}
    stored: list[str] = []
    try:
        for number, (key, one) in enumerate(inputs.items(), 1):
            folder = f"{base}/input/" + (f"{number}/" if len(inputs) > 1 else "")
            kms = next(other.request.input_kms_key_arn for other in asked if other.input_key == key)
            alone = one.question.mode == THEME_GENERATION
            files = storing.grouped(one.whole.each, one.question.mode, one.question.limit, alone=alone)
            files = storing.placed(files, folder)
            stored += [file.address for file in files]
            jobs = files[-1].job + 1
            places[key] = folder, list(_written(one, files, kms).items()), jobs
    except errors.PersonalizeError:
        s3.delete(session, stored)
        raise
    said = sum(records for _, jobs, _ in places.values() for _, records in jobs)
    choose().say(f"{counted(said, 'record')} in {counted(len(stored), 'part file')} below {base}/input/")
    groups: list[RunGroup] = []
    parts: list[RunPart] = []
    names = manifests.new_job_names(name, sum(len(places[one.input_key][1]) for one in asked))
    for group, own in enumerate(asked):
        folder, jobs_of, count = places[own.input_key]
        output = own.request.output_path
        output = f"{base}/output/" if output == own_output(name, session) else f"{output.rstrip('/')}/{name}/output/"
        output += f"{group + 1}/" if len(asked) > 1 else ""
        groups.append(RunGroup(own.request.replace(input_path=folder, output_path=output), own.labels))
        for job, records in jobs_of:
            paths = storing.job_folder(folder, job, count), storing.job_folder(output, job, count)
            parts.append(RunPart(names[len(parts)], *paths, records, group))
    return Manifest(name, tuple(groups), tuple(parts), at_once, runs.now()), stored


def _written(one: _Input, files: Sequence[PartFile], kms_key_arn: str | None) -> dict[int, int]:
    """Let the workers write the files of an input; return the records of each job that has any."""
    own: dict[int, list[PartFile]] = {}
    for file in files:
        own.setdefault(file.partition, []).append(file)
    counts = one.made.answers(
        [
            one.made.task(
                *("store-partition", number, storing.store),
                *(one.checked[number], theirs, one.again.get(number), one.question, kms_key_arn),
            )
            for number, theirs in own.items()
        ]
    )
    found: dict[int, int] = {}
    for theirs, records in zip(own.values(), counts, strict=True):
        for file, lines in zip(theirs, records, strict=True):
            found[file.job] = found.get(file.job, 0) + lines
    return {job: records for job, records in found.items() if records}
