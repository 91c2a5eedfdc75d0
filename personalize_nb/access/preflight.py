"""Everything that could make a job fail, found before it is started: `pnb.preflight(...)`.

It reads what the session may read, from Personalize, IAM, S3, KMS and Service Quotas, and the beginning of input that
lies in S3, and judges it as AWS would. What may not be read is said to be unchecked; nothing of it is raised and
nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.access import caller_checks, input_checks, request_checks
from personalize_nb.access.account_reader import Bucket
from personalize_nb.access.checks import LEVELS, Inspection
from personalize_nb.access.report import OK, UNCHECKED, Check, Report
from personalize_nb.access.subject import Subject, from_data, from_request
from personalize_nb.contract.parameters import kms_keys
from personalize_nb.contract.policies import needs, templates
from personalize_nb.contract.policies.needs import Caller, MissingPermission
from personalize_nb.contract.policies.uses import Use, uses_of
from personalize_nb.errors import ERROR
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.request import JobRequest
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import boto3

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data


@with_parameters(JobParameters)
def preflight(
    request: JobRequest | Mapping[str, Any] | Data | Batch,
    solution_version: SolutionVersion | str | None = None,
    session: Session | boto3.Session | None = None,
    **parameters: Unpack[JobParameters],
) -> Report:
    """Check a job and the world around it, all at once; nothing is uploaded or started.

    Parameters
    ----------
    request
        What `pnb.recommend` takes, with the model beside it; or a `JobRequest`; or the arguments of boto3's
        `create_batch_inference_job`.
    solution_version
        The model, where `request` is data: as for `pnb.recommend`. A session may stand here where there is none.
    session
        Where the job would run; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `pnb.recommend`, where `request` is data: `num_results`, `filter`, `mode`, ...

    Returns
    -------
    Report
        A DataFrame with a row per check, the worst first: `check`, `level` (`error`, `warning`, `could not be
        checked`, `ok`), `found`, `to_do`, and `policy`, the document to paste where one is missing.

    Raises
    ------
    RequestError
        `request` is neither of these, or has keys that the API does not know.
    NotFoundError
        There is no such solution version.

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
    if session is None and not isinstance(solution_version, (SolutionVersion, str, type(None))):
        solution_version, session = None, solution_version
    session = current(session or getattr(solution_version, "session", None))
    if solution_version is not None:
        subject = from_data(request, solution_version, session, parameters)
    elif parameters:
        raise TypeError(f"{sorted(parameters)} go with ids and their model: pnb.preflight(ids, model, ...)")
    else:
        subject = from_request(request)
    return _report(subject, session)


def of_request(request: JobRequest, session: Session, *, uploads: bool) -> Report:
    """Check a request whose input lies in S3, or, where `uploads` says so, is stored there only when the job starts."""
    return _report(Subject(request, uploads=uploads), session)


def _report(subject: Subject, session: Session) -> Report:
    checks = list(_checked(Inspection(subject, session)))
    checks.sort(key=lambda check: LEVELS.index(check.level))
    return Report.of(checks)


# in the order in which they are made: later ones know what earlier ones have read
_PARTS = (
    request_checks.model,
    request_checks.places,
    request_checks.rules,
    request_checks.themes,
    request_checks.name,
    request_checks.quota,
    request_checks.filter_found,
    request_checks.history,
    input_checks.stored_input,
    request_checks.standing_costs,
    caller_checks.caller,
)


def _checked(job: Inspection) -> Iterator[Check]:
    """Every check; a part that cannot be read does not keep the others from being told."""
    for part in (*_PARTS, _permissions):
        try:
            yield from part(job)
        except errors.PersonalizeError as error:
            yield Check(part.__name__.strip("_").replace("_", " "), UNCHECKED, str(error))


class _Permissions:
    """Whether the service role, the buckets and the keys let Personalize do what the job asks."""

    def __init__(self, job: Inspection):
        self.subject, self.session, self.request, self.reader = job.subject, job.session, job.request, job.reader

    def _permissions(self) -> Iterator[Check]:
        uses = self._uses
        if not uses or not self.request.role_arn:
            return
        yield from self._existence(uses)
        role = self.reader.role(self.request.role_arn)
        for unread in self.reader.unread:
            yield Check("permissions", UNCHECKED, unread)
        self.reader.unread.clear()
        if role.missing:
            found = f"The role {self.request.role_arn} does not exist."
            yield Check("role", ERROR, found, self._create_role(), self._role_policy())
            return
        caller = Caller(
            self.request.role_arn,
            role.policies,
            tuple(role.unknown),
            self.session.account,
            self.session.region,
            self.session.arn("batch-inference-job", self.request.job_name),
        )
        missing: list[MissingPermission] = (
            [] if role.trust is None else list(needs.missing_for_trust(caller, role.trust))
        )
        for use in uses:
            missing += self._missing(caller, use)
        for unread in self.reader.unread:
            yield Check("permissions", UNCHECKED, unread)
        grouped: dict[tuple[str, str], list[str]] = {}
        for permission in missing:
            grouped.setdefault((permission.kind, permission.subject), []).append(permission.text)
        for (kind, subject), texts in grouped.items():
            to_do, policy = self._repair(kind, subject)
            yield Check(kind or "bucket", ERROR, " ".join(dict.fromkeys(texts)), to_do, policy)
        if not missing and not self.reader.unread:
            yield Check("permissions", OK, f"Role {caller.role_name}, buckets and keys allow what the job does.")

    def _existence(self, uses: list[Use]) -> Iterator[Check]:
        for use in uses:
            bucket = self._bucket(use)
            if bucket.missing:
                to_do = f"Create the bucket in {self.session.region}, then pnb.allow_personalize({use.bucket!r})."
                yield Check("bucket", ERROR, f"There is no bucket {use.bucket!r}.", to_do)
            elif bucket.region is not None:
                elsewhere = needs.wrong_region(use, bucket.region, self.session.region)
                if elsewhere is not None:
                    yield Check("region", ERROR, elsewhere.text, f"Use a bucket in {self.session.region}.")

    def _missing(self, caller: Caller, use: Use) -> Iterator[MissingPermission]:
        bucket = self._bucket(use)
        if bucket.missing:
            return
        objects = self.reader.objects(use) or [use.key]
        yield from needs.missing_for_bucket(caller, use, objects, bucket.policy, judge_policy=bucket.readable)
        for name in self.reader.keys(use):
            key = self.reader.key(name)
            if key.problem:
                yield MissingPermission(key.problem, needs.KEY_POLICY, name)
            elif key.customer:
                yield from needs.missing_for_key(caller, use, key.arn, key.policy, key.granted(caller.role_arn))

    def _repair(self, kind: str, subject: str) -> tuple[str, str]:
        """Return the call that mends it, and the document to paste instead."""
        partition, session = self.session.partition, self.session
        if kind == needs.BUCKET_POLICY:
            statement = templates.bucket_statement(subject, partition)
            policy = templates.with_statement(self.reader.bucket(subject).document, statement)
            return f"pnb.allow_personalize({subject!r}), or paste the policy in the S3 console", templates.text(policy)
        if kind == needs.KEY_POLICY:
            statement = templates.document(templates.key_statement(self.request.role_arn))
            return f"{self._create_role()}, or add the statement to the key's policy", templates.text(statement)
        if kind == needs.TRUST:
            trust = templates.document(templates.trust_statement(session.account, session.region, partition))
            return f"{self._create_role()}, or paste the trust policy in the IAM console", templates.text(trust)
        if kind == needs.ROLE_POLICY:
            return f"{self._create_role()}, or paste the policy in the IAM console", self._role_policy()
        return "", ""

    def _role_policy(self) -> str:
        keys = [self.reader.key(name).arn for use in self._uses for name in self.reader.keys(use)]
        statements = templates.role_statements(self._buckets, dict.fromkeys(keys), self.session.partition)
        return templates.text(templates.document(*statements))

    def _create_role(self) -> str:
        names = dict.fromkeys(getattr(self.request, row.attribute) for row in kms_keys())
        keys = [name for name in names if name]
        more = f", kms_keys={keys!r}" if keys else ""
        return f"pnb.create_role({self.request.role_arn.rsplit('/', 1)[-1]!r}, {self._buckets!r}{more})"

    def _bucket(self, use: Use) -> Bucket:
        return self.reader.bucket(use.bucket or "")

    @property
    def _buckets(self) -> list[str]:
        return list(dict.fromkeys(use.bucket for use in self._uses if use.bucket))

    @property
    def _uses(self) -> list[Use]:
        return [use for use in uses_of(self.request.to_api()) if use.bucket]


def _permissions(job: Inspection) -> Iterator[Check]:
    yield from _Permissions(job)._permissions()
