"""A session in another process: the facts of it that can be sent there, and the session that is made of them.

Credentials of the embedded service lie in its folder, where the other process reads them. On AWS it finds credentials
of its own, as boto3 does there, unless the caller chooses to send the ones in hand: those are in no text of the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from personalize_nb import errors
from personalize_nb.session.session import Session

WORKERS, CALLER = "workers", "caller"


@dataclass(frozen=True)
class PortableSession:
    """What a session is made of again.

    Parameters
    ----------
    region, bucket, prefix, role_arn
        As of the session.
    path
        The folder of the embedded service; None on AWS.
    keys
        Access key, secret key and session token, where they are sent; none for those that the other process finds.
    """

    region: str
    bucket: str | None
    prefix: str
    role_arn: str | None
    path: str | None = None
    keys: tuple[str, str, str | None] | None = field(default=None, repr=False)

    def __dask_tokenize__(self) -> object:
        # what names of tasks are made of: no secret, not even its hash
        return type(self).__name__, self.region, self.bucket, self.prefix, self.role_arn, self.path

    def session(self) -> Session:
        """Return the session, one for all who ask in this process."""
        return _made(self)


@lru_cache(maxsize=4)
def _made(facts: PortableSession) -> Session:
    options: dict[str, Any] = {"bucket": facts.bucket, "prefix": facts.prefix, "role_arn": facts.role_arn}
    if facts.path is not None:
        return Session.local(facts.path, **options)
    if facts.keys is None:
        return Session.aws(facts.region, **options)
    import boto3

    access, secret, token = facts.keys
    held = boto3.Session(access, secret, token, region_name=facts.region)
    return Session.aws(facts.region, boto3_session=held, **options)


def portable(session: Session, credentials: str = WORKERS) -> PortableSession:
    """Return what another process makes a session of that works where this one does.

    Parameters
    ----------
    session
        The session.
    credentials
        `workers`: the other process finds its own, as boto3 does there; `caller`: those that the session has now are
        sent along, and end when they do.

    Raises
    ------
    InputError
        `credentials` is neither.
    CredentialsError
        The caller's are to be sent and there are none.
    """
    if credentials not in (WORKERS, CALLER):
        raise errors.InputError(
            f"'credentials' must be {WORKERS!r} (each worker finds its own) or {CALLER!r} (yours are sent to the "
            f"workers), got {credentials!r}."
        )
    facts = session.region, session.bucket, session.prefix, session.role_arn
    if session._service is not None:
        return PortableSession(*facts, path=str(session._service.path))
    if credentials == WORKERS or session._source is None:
        return PortableSession(*facts)
    found = session._source.boto3_session.get_credentials()
    keys = None if found is None else found.get_frozen_credentials()
    if keys is None or keys.access_key is None or keys.secret_key is None:
        raise errors.CredentialsError(
            f"There are no AWS credentials to send to the workers (credentials={CALLER!r}). Log in, or let the workers "
            f"find theirs: credentials={WORKERS!r}."
        )
    return PortableSession(*facts, keys=(keys.access_key, keys.secret_key, keys.token))
