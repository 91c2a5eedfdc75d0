"""S3 locations in requests: their syntax, and whether the object store has what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.local.personalize.operations.control import invalid

if TYPE_CHECKING:
    from personalize_nb.local.personalize.operations.control import Control

INVALID_DATA = "Invalid Data location."
INVALID_INPUT = "Invalid S3 input path"
INVALID_OUTPUT = "Invalid S3 output path"


def split(location: str, refusal: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` location.

    Parameters
    ----------
    location
        The location as requested.
    refusal
        AWS's words for a location that is wrong, which begin the message.

    Raises
    ------
    ApiError
        `InvalidInputException`.
    """
    scheme, _, rest = location.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise _wrong(refusal, f"{location!r} is not of the form s3://bucket/key.")
    return bucket, key


def check_readable(control: Control, location: str, refusal: str) -> None:
    """Refuse a location under which there is nothing to read."""
    bucket, key = split(location, refusal)
    _check_bucket(control, bucket, refusal)
    if next(iter(control.objects.list(bucket, prefix=key)), None) is None:
        raise _wrong(refusal, f"Bucket {bucket!r} holds no object whose key begins with {key!r}.")


def check_writable(control: Control, location: str, refusal: str) -> None:
    """Refuse a location whose bucket does not exist."""
    bucket, _ = split(location, refusal)
    _check_bucket(control, bucket, refusal)


def _check_bucket(control: Control, bucket: str, refusal: str) -> None:
    if not control.objects.has_bucket(bucket):
        raise _wrong(refusal, f"There is no bucket {bucket!r}; create it with S3's CreateBucket first.")


def _wrong(refusal: str, detail: str) -> Exception:
    return invalid(f"{refusal.removesuffix('.')}. {detail}")
