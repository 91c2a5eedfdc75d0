"""Work that is paid for once: a job or run of the same input, model and parameters is found again by a fingerprint.

    reuse/<fingerprint>.json  the names of the jobs and runs that were asked it, the last one first

Who shares the bucket and the prefix shares what is found. A fingerprint holds what decides the answer: the model, the
filter with its expression, all parameters, and every line of the input; not the names, the role and the tags.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from personalize_nb import errors
from personalize_nb.contract import limits, recipes
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.jobs import beginning, manifests, parts
from personalize_nb.jobs.job import AnyJob, job_of
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import AnyRequest, JobRequest
from personalize_nb.jobs.rules import errors_of, problems
from personalize_nb.jobs.run import Run
from personalize_nb.session import s3, waiting
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.resources.filters import Filter

log = logging.getLogger(__name__)

Started = TypeVar("Started", bound="AnyJob | Run")

_MOST_NAMES = 5
_NOT_ASKED = ("jobName", "roleArn", "tags", "jobInput", "jobOutput")


def fingerprint(questions: Sequence[JobQuestion], filters: Sequence[Filter | None], session: Session) -> str | None:
    """Return what is equal where the same is asked again; None where the input may not be looked at.

    Parameters
    ----------
    questions
        What is asked, in order.
    filters
        The filter of each: its name may have been given to another expression since.
    session
        Looks at input in S3.
    """
    told: list[Any] = []
    inputs: dict[int | str, str] = {}
    for question, chosen in zip(questions, filters, strict=True):
        request = question.request
        source: int | str = request.input_path if question.batch is None else id(question.batch)
        if source not in inputs:
            try:
                inputs[source] = _input(question, session)
            except errors.PersonalizeError as error:
                log.info("whether the same was asked before cannot be told: %s", error)
                return None
        told.append(
            [*told_of(request, chosen, inputs[source], session, question.context.recipe), sorted(question.labels)]
        )
    return mark_of(told)


def told_of(request: AnyRequest, chosen: Filter | None, source: str, session: Session, recipe: str | None) -> list[Any]:
    """Return what tells one question from others.

    Parameters
    ----------
    request
        The request.
    chosen
        Its filter.
    source
        What tells its input from others.
    session
        Where it is asked.
    recipe
        The recipe of its model, which has defaults.
    """
    asked = _without_defaults(request, recipe).to_api()
    asked = {name: value for name, value in asked.items() if name not in _NOT_ASKED}
    own = request.output_path == beginning.own_output(request.job_name, session)
    keys = request.input_kms_key_arn, request.output_kms_key_arn
    return [asked, chosen.expression if chosen else None, None if own else request.output_path, keys, source]


def mark_of(told: Sequence[Any]) -> str:
    """Return the fingerprint of what is told of questions."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _without_defaults(request: AnyRequest, recipe: str | None) -> AnyRequest:
    """Return a request that leaves out what the service takes by itself: said or not, it is asked the same."""
    facts = recipes.recipe_of(recipe) if recipe else None
    defaults: dict[str, float] = {}
    if facts is not None and not facts.ranks_lists:  # a ranking gives the whole list by itself
        defaults["num_results"] = limits.DEFAULT_NUM_RESULTS
    if isinstance(request, JobRequest):
        defaults["exploration_weight"] = limits.DEFAULT_EXPLORATION_WEIGHT
        defaults["exploration_item_age_cut_off"] = limits.DEFAULT_EXPLORATION_ITEM_AGE_CUT_OFF
    return request.replace(**{name: None for name, value in defaults.items() if getattr(request, name) == value})


def _input(question: JobQuestion, session: Session) -> str:
    """Return what tells an input from others: every line of a batch; of files in S3 size and time."""
    from personalize_nb.results.output_files import input_files

    digest = hashlib.sha256()
    if question.batch is not None:
        for block in parts.batch_blocks(question.batch):
            digest.update(block)
    else:
        for file in input_files(session, question.request.input_path):
            digest.update(f"{file.address}\n{file.size}\n{file.modified}\n".encode())
    return digest.hexdigest()


def once(
    questions: Sequence[JobQuestion],
    filters: Sequence[Filter | None],
    session: Session,
    *,
    name: str,
    wanted: bool,
    start: Callable[[], Started],
) -> Started:
    """Start what is asked and note its fingerprint; return what has it already, where that is wanted.

    It is noted before anything is started, so that an attempt that was interrupted is found as well; a name with
    nothing behind it is as good as none.

    Parameters
    ----------
    questions, filters, session
        As for `fingerprint`.
    name
        What the job or run will be called.
    wanted
        Whether a job or run that was asked the same will do.
    start
        Starts it.
    """
    if any(_is_refused(one) for one in questions):
        return start()  # which says why; nothing is asked or written before, and nothing has a fingerprint
    mark = fingerprint(questions, filters, session)
    before = noted(mark, session)
    if wanted and (known := found(mark, before, questions[0].request.job_kind, session)) is not None:
        return cast(Started, known)
    remember(mark, [name, *before], session)
    try:
        return start()
    except errors.PersonalizeError as error:
        if not waiting.passing(error):  # of what was refused nothing stays behind
            remember(mark, before, session)
        raise


def _is_refused(question: JobQuestion) -> bool:
    """Tell whether a request breaks rules, however its input is cut."""
    context = replace(question.context, records=None, per_file=None)
    return bool(errors_of(problems(question.request, context)))


def noted(mark: str | None, session: Session) -> list[str]:
    """Return the names that a fingerprint was given, the last one first."""
    if mark is None or not session.bucket:
        return []
    try:
        values = json.loads(b"".join(s3.line_blocks(session, _address(mark, session))))
        return [str(one) for one in values.get("names", [values["name"]])]
    except (errors.NotFoundError, errors.AccessError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.info("nothing that can be used again: %s", error)
        return []


def remember(mark: str | None, names: Sequence[str], session: Session) -> None:
    """Note which jobs or runs have a fingerprint; where that cannot be written, the job is as good without."""
    if mark is None or not session.bucket:
        return
    where = _address(mark, session)
    try:
        if names:
            told = {"name": names[0], "names": names[:_MOST_NAMES]}
            s3.upload(session, io.BytesIO(json.dumps(told).encode()), where)
        else:
            s3.delete(session, [where])
    except errors.PersonalizeError as error:
        log.info("what was asked is not found by reuse=True, because it could not be noted: %s", error)


def found(mark: str | None, names: Sequence[str], kind: JobKind, session: Session) -> AnyJob | Run | None:
    """Return the job or run with a fingerprint, and say so; None where there is none that is of use."""
    if mark is None:
        choose().say("whether the same was asked before cannot be told, as the input may not be looked at")
        return None
    return next((known for name in names if (known := _of_use(name, kind, session)) is not None), None)


def _of_use(name: str, kind: JobKind, session: Session) -> AnyJob | Run | None:
    try:
        known = _named(name, kind, session)
        described = known.describe()
    except (errors.NotFoundError, errors.AccessError, errors.InputError) as error:
        log.info("%r cannot be used again: %s", name, error)
        return None
    status = described["status"]
    done = described["done"] if isinstance(known, Run) else int(status == limits.ACTIVE)
    if status in limits.TERMINAL and not done:
        return None
    if gone := _gone(known):
        choose().say(f"the same was asked in {name!r}, whose output is gone ({gone}): it is asked again")
        return None
    failed = ", .retry() starts what failed in it again" if isinstance(known, Run) and described["failed"] else ""
    choose().say(f"{name!r} has the same input, model and parameters and is used again; it is {status}{failed}")
    return known


def _named(name: str, kind: JobKind, session: Session) -> AnyJob | Run:
    """Return the run of a name, or the job of a kind, which may share its name with one of the other kind."""
    manifest = None
    with suppress(errors.AccessError):  # who may not list a bucket is refused what is not there
        manifest = manifests.find(session, name)
    return job_of(session.arn(kind.resource, name), session) if manifest is None else Run(manifest, session)


def _gone(known: AnyJob | Run) -> str:
    """Return where output of jobs that are done is gone, nothing where all is there."""
    if isinstance(known, Run):
        places = [(one.request.output_path, part.output_path) for one in known.outputs() for part in one.done]
    else:
        output = known.request.output_path
        places = [(output, output)] if known.status == limits.ACTIVE else []
    there: dict[str, list[str]] = {}
    for group, own in places:
        folder = group if own.startswith(group) else own
        try:
            if folder not in there:  # one look for all jobs whose folders lie in it
                there[folder] = [one.address for one in s3.stored(known.session, folder) if ".out" in one.name]
        except errors.AccessError:
            return ""  # who may not look cannot say that it is gone
        if not any(one.startswith(own) for one in there[folder]):
            return own
    return ""


def _address(mark: str, session: Session) -> str:
    return session.location("reuse", f"{mark}.json")
