"""Addresses of the AWS console: the page of a job, and a folder in S3.

Amazon documents no addresses of its pages; these are built as the console shows them for campaigns and solutions.
They name account and bucket, so `redact` masks them in a notebook that is shared.
"""

from __future__ import annotations

from urllib.parse import quote

from personalize_nb import errors
from personalize_nb.contract.partitions import partition_of
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.job import BatchInferenceJob
from personalize_nb.jobs.run import Run
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.session import s3

# Partitions that are not named here have no console that is open to everybody.
_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def links(job: BatchJob | Run) -> dict[str, str]:
    """Return what a receipt links to, by what the links say; nothing for the embedded service, which has no console.

    Parameters
    ----------
    job
        The job or run; of a run of several questions the first one's output.
    """
    session = job.session
    host = _HOSTS.get(partition_of(session.region))
    if session.is_local or host is None:
        return {}
    base = f"https://{session.region}.{host}"
    request = next(job.asked())[0] if isinstance(job, Run) else job.request
    found = {}
    try:
        group = find_solution_version(request.solution_version_arn, session).dataset_group_arn
    except errors.PersonalizeError:
        group = ""  # deleted, or not to be looked at
    if group and not isinstance(job, Run):
        found["Job in the AWS console"] = _page(base, session.region, group, job)
    elif group:
        found["Dataset group in the AWS console"] = f"{_of_group(base, session.region, group)}/setup"
    bucket, folder = s3.split(request.output_path)
    folder = folder if not folder or folder.endswith("/") else f"{folder}/"
    prefix = f"&prefix={quote(folder, safe='/')}" if folder else ""
    found["Output in S3"] = f"{base}/s3/buckets/{quote(bucket)}?region={session.region}{prefix}"
    return found


def _page(base: str, region: str, group: str, job: BatchJob) -> str:
    kind = "batchInferenceJob" if isinstance(job, BatchInferenceJob) else "batchSegmentJob"
    return f"{_of_group(base, region, group)}/{kind}s/{kind}Detail/{job.arn.replace('/', '$')}"


def _of_group(base: str, region: str, group: str) -> str:
    return f"{base}/personalize/home?region={region}#{group.replace('/', '$')}"
