"""Everything that could make a job fail, found before it is started: `pnb.preflight(...)`.

It reads what the session may read, from Personalize, IAM, S3, KMS and Service Quotas, and the beginning of input that
lies in S3, and judges it as AWS would. What may not be read is said to be unchecked and is not raised;
credentials that are refused are, for they make every answer worthless. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.access import caller_checks, input_checks, refusals, request_checks
from personalize_nb.access.checks import LEVELS, Inspection
from personalize_nb.access.permission_checks import PermissionChecks
from personalize_nb.access.report import MODEL, UNCHECKED, Check, Report
from personalize_nb.access.subject import Subject, from_data, from_request
from personalize_nb.errors import Problem
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.text.elements import is_list
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import boto3

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data


@public
@with_parameters(JobParameters, checked=False)  # from_data does it, which knows the kind
def preflight(
    request: AnyRequest | Mapping[str, Any] | Data | Batch,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str] | None = None,
    session: Session | boto3.Session | None = None,
    **parameters: Unpack[JobParameters],
) -> Report:
    """Check a job and the world around it, all at once; nothing is uploaded or started.

    Parameters
    ----------
    request
        What `pnb.recommend` or `pnb.segments` takes, with the model beside it; or a `JobRequest` or `SegmentRequest`;
        or the arguments of boto3's `create_batch_inference_job` or `create_batch_segment_job`.
    solution_version
        The model, where `request` is data, or a list of models: as for `pnb.recommend`. Each is judged with each
        filter, and what is found of one of them only says of which. A session may stand here where there is no model.
    session
        Where the job would run; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `pnb.recommend` or `pnb.segments`, where `request` is data: `num_results`, `filter`, `mode`, ...

    Returns
    -------
    Report
        A DataFrame with a row per check, the worst first: `check`, `level` (`error`, `warning`, `could not be
        checked`, `ok`), `found`, `to_do`, and `policy`, the document to paste where one is missing.
        Its `repair()` shows the changes of policies that would mend it.

    Raises
    ------
    RequestError
        `request` is neither of these, or has keys that the API does not know.
    NotFoundError
        There is no such solution version.
    CredentialsError
        The credentials are refused, as ones that have expired are: then nothing can be judged.

    References
    ----------
    What CreateBatchInferenceJob and CreateBatchSegmentJob refuse, and what makes their jobs end in `CREATE FAILED`;
    rights by IAM's SimulatePrincipalPolicy, where that may be asked.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.preflight(["r01349", "r00469"], "books", num_results=10)[["check", "level"]]
                  check level
    0  solution version    ok
    1           request    ok
    2          job name    ok
    3             quota    ok
    4            caller    ok
    5       permissions    ok
    """
    models: Any = solution_version
    if is_list(models):
        models = solution_version = list(models)
    elif session is None and not isinstance(models, SolutionVersion | str | None):
        solution_version, session = None, models
    theirs = (getattr(model, "session", None) for model in (models if isinstance(models, list) else [solution_version]))
    session = current(session or next((one for one in theirs if one is not None), None))
    if solution_version is not None:
        subjects = from_data(request, solution_version, session, parameters)
    elif parameters:
        raise errors.ArgumentError(f"{sorted(parameters)} go with ids and their model: pnb.preflight(ids, model, ...)")
    else:
        subjects = [from_request(request, session)]
    return _report(subjects, session)


def of_request(
    request: AnyRequest | None, session: Session, *, uploads: bool, judged: Sequence[Problem] | None = None
) -> Report:
    """Check a request whose input lies in S3, or, where `uploads` says so, is stored there only when the job starts.

    Parameters
    ----------
    request
        The request; None where what is wanted amounts to none, so that only the problems are told.
    session
        Where the job would run.
    uploads
        Whether the input is still to be stored.
    judged
        Every problem with the request, where it is judged already: a form knows more than its request tells.
    """
    if request is None:
        return Report.of(request_checks.told(judged or ()))
    return _report(
        [Subject(request, uploads=uploads, problems=tuple(judged or ()), judged=judged is not None)], session
    )


def _report(subjects: Sequence[Subject], session: Session) -> Report:
    found: dict[tuple[str, ...], tuple[Check, list[str]]] = {}
    reader = Inspection(subjects[0], session).reader  # what all need is read once
    for subject in subjects:
        inspection = Inspection(subject, session)
        inspection.reader = reader
        for check in _checked(inspection):
            told = (check.check, check.level, check.found, check.to_do, check.policy)
            found.setdefault(told, (check, []))[1].append(subject.label)
    checks = [_told(check, list(dict.fromkeys(labels)), len(subjects)) for check, labels in found.values()]
    checks.sort(key=lambda check: LEVELS.index(check.level))
    return Report.of(checks)


def _told(check: Check, labels: Sequence[str], of: int) -> Check:
    """Return a check that says of which of several jobs it is, where it is not of all."""
    return check if len(labels) == of else replace(check, found=f"{'; '.join(labels)}: {check.found}")


def _permissions(job: Inspection) -> Iterator[Check]:
    return PermissionChecks(job).run()


# in the order in which they are made: later ones know what earlier ones have read; each with its check's name, by which
# it is also called where it cannot be read
_PARTS = (
    (MODEL, request_checks.model),
    ("region", request_checks.places),
    ("filter", request_checks.filter_found),
    ("history", request_checks.history),
    ("input", input_checks.stored_input),
    ("request", request_checks.rules),
    ("themes", request_checks.themes),
    ("job name", request_checks.name),
    ("quota", request_checks.quota),
    ("auto training", request_checks.standing_costs),
    ("caller", caller_checks.caller),
    ("permissions", _permissions),
)


def _checked(job: Inspection) -> Iterator[Check]:
    """Every check; a part that cannot be read does not keep the others from being told."""
    for name, part in _PARTS:
        try:
            yield from part(job)
        except errors.CredentialsError:
            raise  # then nothing can be asked, and what would be told is no judgement
        except errors.PersonalizeError as error:
            job.refused.add(refusals.right(error))
            yield Check(name, UNCHECKED, refusals.told([error]))
