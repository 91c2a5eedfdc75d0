"""The rights that a caller needs, one by one: of a job from its start to its results, and of a training."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from personalize_nb.access.caller import Right
from personalize_nb.access.checks import Inspection
from personalize_nb.contract.policies import templates
from personalize_nb.contract.policies.uses import Use
from personalize_nb.errors import WARNING
from personalize_nb.session import s3
from personalize_nb.session.session import Session

# what a training makes, by the words of operations and of ARNs
_MADE = (
    ("DatasetGroup", "dataset-group/{name}"),
    ("Schema", "schema/{name}-interactions"),
    ("Dataset", "dataset/{name}/INTERACTIONS"),
    ("DatasetImportJob", "dataset-import-job/{name}-interactions"),
    ("Solution", "solution/{name}"),
    ("SolutionVersion", "solution/{name}"),
)


def of_job(job: Inspection) -> Iterator[Right]:
    """Return what the job takes from its start to its results, the best of it first."""
    request, session = job.request, job.session
    kind = request.job_kind
    arn = session.arn(kind.resource, request.job_name)
    yield Right(f"personalize:Create{kind.operations}", arn, "start the job")
    yield Right(f"personalize:Describe{kind.operations}", arn, "wait for it")
    yield Right("personalize:DescribeSolutionVersion", request.solution_version_arn or "*", "look at the model")
    if request.filter_arn:
        yield Right("personalize:DescribeFilter", request.filter_arn, "look at the filter")
    if request.tags:
        yield Right("personalize:TagResource", arn, "tag it")
    if request.role_arn:
        yield _passing(request.role_arn)
    for use in job.uses:
        yield from _rights_in_s3(job, use)
    yield Right(f"personalize:List{kind.operations}s", "*", "list jobs", WARNING)
    for use in job.uses:
        bucket = f"arn:{session.partition}:s3:::{use.bucket}"
        facts = {"s3:prefix": (use.key,)}
        what = "find the results by listing" if use.writes else "look at the input"
        yield Right("s3:ListBucket", bucket, what, WARNING, facts, job.reader.bucket(use.bucket or "").policy)


def _rights_in_s3(job: Inspection, use: Use) -> Iterator[Right]:
    bucket = job.reader.bucket(use.bucket or "")
    if bucket.missing:
        return
    uploads = job.subject.uploads and not use.writes
    name = (job.uses[0].key.rpartition("/")[2] or "input") if job.uses else "input"
    key = f"{use.key.rstrip('/')}/{name}.out".lstrip("/") if use.writes else use.key or "*"
    resource = f"arn:{job.session.partition}:s3:::{use.bucket}/{key}"
    if uploads:
        yield Right("s3:PutObject", resource, "store the input", policy=bucket.policy)
        yield Right("s3:DeleteObject", resource, "clean up after a refused job", WARNING, policy=bucket.policy)
    if key.endswith("/"):
        resource += "*"
    what = "read the results" if use.writes else "put the results in the input's order"
    yield Right("s3:GetObject", resource, what, policy=bucket.policy)
    for name in job.reader.keys(use):
        kms = job.reader.key(name)
        if kms.customer:
            facts = {"kms:ViaService": (f"s3.{job.session.region}.amazonaws.com",)}
            for action in ("kms:GenerateDataKey", "kms:Decrypt") if uploads else ("kms:Decrypt",):
                yield Right(action, kms.arn, what, facts=facts, policy=kms.policy, is_key=True)


def of_training(session: Session, name: str, role_arn: str, tags: Collection[str] = ()) -> Iterator[Right]:
    """Return what a training takes, whose resources' names begin with one name."""
    for kind, place in _MADE:
        arn = session.arn(*place.format(name=f"{name}-000000").split("/", 1))
        what = kind[0].lower() + "".join(f" {one.lower()}" if one.isupper() else one for one in kind[1:])
        yield Right(f"personalize:Create{kind}", arn, f"make the {what}")
        yield Right(f"personalize:Describe{kind}", arn, f"wait for the {what}")
        if tags and kind in ("DatasetGroup", "Solution", "SolutionVersion"):
            yield Right("personalize:TagResource", arn, f"tag the {what}")
    for kind in ("DatasetImportJobs", "SolutionVersions"):
        yield Right(f"personalize:List{kind}", "*", "find what is there already")
    yield Right("personalize:ListDatasetGroups", "*", "find what is there already", WARNING)
    yield _passing(role_arn)
    bucket, key = s3.split(session.location("data", f"{name}-000000.csv"))
    resource = f"arn:{session.partition}:s3:::{bucket}/{key}"
    yield Right("s3:PutObject", resource, "store the data")
    yield Right("s3:DeleteObject", resource, "clean up after the import", WARNING)


def _passing(role_arn: str) -> Right:
    facts = {"iam:PassedToService": (templates.SERVICE,)}
    return Right("iam:PassRole", role_arn, "give Personalize the role", facts=facts)
