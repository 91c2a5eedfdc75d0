"""What lies in S3, level by level, as somebody looks through it: buckets, then folders and files below a prefix."""

from __future__ import annotations

from dataclasses import dataclass

from personalize_nb import errors
from personalize_nb.session.s3 import Stored, is_s3, split
from personalize_nb.session.session import Session

_MOST = 200  # of a level; who looks for more types how it begins


@dataclass(frozen=True)
class Level:
    """One level.

    Parameters
    ----------
    address
        The `s3://` address below which it lies; `s3://` for the buckets.
    folders
        Addresses that end with a slash.
    files
        Objects.
    complete
        Whether these are all.
    """

    address: str
    folders: tuple[str, ...] = ()
    files: tuple[Stored, ...] = ()
    complete: bool = True


def level(session: Session, address: str) -> Level:
    """Return what lies below an address that begins so, in one call.

    Parameters
    ----------
    session
        Looks.
    address
        `s3://` for the buckets, which are those that the session may list, else its own; else a bucket with the
        beginning of a key.
    """
    if not is_s3(address) or address == "s3://":
        return Level("s3://", tuple(f"s3://{name}/" for name in _buckets(session)))
    bucket, prefix = split(address)

    def ask() -> Level:
        answer = session.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=_MOST)
        return Level(
            address,
            tuple(f"s3://{bucket}/{one['Prefix']}" for one in answer.get("CommonPrefixes", ())),
            tuple(
                Stored(f"s3://{bucket}/{one['Key']}", one["Size"], one["LastModified"])
                for one in answer.get("Contents", ())
                if not one["Key"].endswith("/")  # what consoles store to show a folder
            ),
            not answer.get("IsTruncated"),
        )

    return session.answer("ListObjectsV2", ask)


def _buckets(session: Session) -> list[str]:
    try:
        answer = session.answer("ListBuckets", session.s3.list_buckets)
    except errors.AccessError:
        return [session.bucket] if session.bucket else []
    return [one["Name"] for one in answer["Buckets"]]


def parent(address: str) -> str:
    """Return the address one level up.

    Examples
    --------
    >>> parent("s3://films/in/users.jsonl"), parent("s3://films/in/"), parent("s3://films/")
    ('s3://films/in/', 's3://films/', 's3://')
    """
    above = address.removeprefix("s3://").rstrip("/").rpartition("/")[0]
    return f"s3://{above}/" if above else "s3://"


def is_missing(session: Session, bucket: str) -> bool:
    """Tell whether there is no such bucket; one that may not be looked at may be there."""
    try:
        session.answer("HeadBucket", lambda: session.s3.head_bucket(Bucket=bucket))
    except errors.NotFoundError:
        return True
    except errors.PersonalizeError as error:
        return getattr(error, "code", "") in ("404", "NoSuchBucket")
    return False
