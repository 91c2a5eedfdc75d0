"""The input of one job in S3: a file, or a folder of files where a file takes no more records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from personalize_nb import errors
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.session import s3
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch


class StoredInput(NamedTuple):
    """What a job reads: the path that its request names, and the addresses of all files there."""

    path: str
    files: list[str]


def upload(
    request: AnyRequest, batch: Batch, context: RequestContext, session: Session, most_bytes: int
) -> StoredInput:
    """Store a job's input.

    Parameters
    ----------
    request
        The request; its input path is the address of the one file, or gives the folder its name.
    batch
        The input.
    context
        What is known of the input; `per_file` says how many records a file may have.
    session
        Where to work.
    most_bytes
        What a job takes of input.
    """
    size = context.per_file or len(batch)
    if len(batch) <= size:
        batch.upload(session, request.input_path, request.input_kms_key_arn, most_bytes)
        return StoredInput(request.input_path, [request.input_path])
    folder = f"{request.input_path.removesuffix('.jsonl')}/"
    files: list[str] = []
    try:
        for number, begin in enumerate(range(0, len(batch), size), 1):
            part = replace(batch, table=batch.table.slice(begin, size))
            files.append(f"{folder}{number:04d}.jsonl")  # before it is there: what is half done is removed as well
            part.upload(session, files[-1], request.input_kms_key_arn)
    except errors.PersonalizeError:
        s3.delete(session, files)
        raise
    return StoredInput(folder, files)
