"""A stream stored as an object in S3: in one request, or in parts of which several are under way at a time.

boto3's own transfers hand a part to the connection in pieces of 16 kB, each of which waits for the interpreter; a part
that is bytes is sent in one call, beside the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from personalize_nb.session.ahead import in_order

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PART = 16 << 20
AT_ONCE = 4
_MOST_PARTS = 10_000


def store(
    client: S3Client,
    source: IO[bytes],
    size: int,
    bucket: str,
    key: str,
    more: Mapping[str, Any],
    told: Callable[[int], None] = lambda count: None,
) -> None:
    """Store what a stream holds; boto3's errors come as they are.

    Parameters
    ----------
    client
        Who sends.
    source
        From where it stands.
    size
        How many bytes it has from there.
    bucket, key
        The object.
    more
        Arguments of the request that makes the object.
    told
        Called with the bytes of each part that has gone; where one request is enough, nothing is told.
    """
    if size <= PART:
        client.put_object(Bucket=bucket, Key=key, Body=source.read(), **more)
        return
    upload = client.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]
    completed: Any = client.meta.service_model.shape_for("CompletedPart")
    members = completed.members

    def send(numbered: tuple[int, bytes]) -> tuple[dict[str, Any], int]:
        number, body = numbered
        answer: Mapping[str, Any] = client.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
        )
        # checksums too
        part = {name: answer[name] for name in members if name in answer} | {"PartNumber": number}
        return part, len(body)

    try:
        parts: Any = []
        for part, count in in_order(send, enumerate(_parts(source, size), 1), AT_ONCE):
            parts.append(part)
            told(count)
        client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    except BaseException:  # also where the user interrupts: parts that nobody completes are billed until they are gone
        with contextlib.suppress(Exception):  # why it failed is what the user has to learn
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def _parts(source: IO[bytes], size: int) -> Iterator[bytes]:
    length = max(PART, -(-size // _MOST_PARTS))
    while block := source.read(length):
        yield block
