"""Which session is the current one: what `connect` chose, or what the environment says at the first use."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.session.session import BACKEND, Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import boto3

log = logging.getLogger(__name__)

_current: Session | None = None


@public
def connect(
    session: Session | boto3.Session | None = None,
    *,
    region: str | None = None,
    profile: str | None = None,
    bucket: str | None = None,
    prefix: str | None = None,
    role_arn: str | None = None,
    boto3_session: boto3.Session | None = None,
    path: str | os.PathLike[str] | None = None,
    account: str | None = None,
    idle_seconds: float | None = None,
    timeout: float | None = None,
    themes: str | Mapping[str, Any] | None = None,
    durable: bool | None = None,
    scheduler: str | None = None,
) -> Session:
    """Choose the session that every later call uses, and return it.

    Parameters
    ----------
    session
        A `Session`, a `boto3.Session` (work on AWS with it), or None for the session connected already, which on AWS
        gets new clients with the credentials that their source has now. When there is none, or options are given, the
        environment chooses a new one:
        `PERSONALIZE_NB_BACKEND` is `local` (the default) or `aws`; `PERSONALIZE_NB_PATH`, `PERSONALIZE_NB_BUCKET` and
        `PERSONALIZE_NB_ROLE_ARN` fill in the rest.
    region, bucket, prefix, role_arn
        Options of a new session, in either world.
    profile, boto3_session
        For `Session.aws` alone.
    path, account, idle_seconds, timeout, themes, durable, scheduler
        For `Session.local` alone.

    Returns
    -------
    Session
        The session that is connected now.

    Raises
    ------
    ArgumentError
        A session is given together with options of a new one, or options are of the other world.
    InputError
        `PERSONALIZE_NB_BACKEND` is neither `local` nor `aws`.
    LocalServiceError
        The embedded service does not start.

    References
    ----------
    On AWS a `boto3.Session`, whose credentials, region and profiles are found as boto3 finds them.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.connect()
    <Session local us-east-1: pnb.train() or pnb.recommend()>
    """
    global _current
    given = {name: value for name, value in locals().items() if name != "session"}
    options = {name: value for name, value in given.items() if value is not None}
    if session is None and not options and _current is not None:
        _current.renew()
        return _current  # a bare connect() in a later cell must not leave the world the user chose
    _current = _chosen(session, options)
    service = _current._service
    log.info("connected to %s, region %s", "AWS" if service is None else service.url, _current.region)
    return _current


def current(session: Session | boto3.Session | None = None) -> Session:
    """Return the session given, else the one of the last `connect()`, else connect now."""
    if session is not None:
        return _chosen(session, {})
    return _current or connect()


def connected() -> Session | None:
    """Return the session of the last `connect()`, or None before the first."""
    return _current


def _chosen(session: Session | boto3.Session | None, options: dict[str, Any]) -> Session:
    if isinstance(session, Session):
        if options:
            raise errors.ArgumentError(f"options {sorted(options)} belong to a new session; one was passed in already")
        return session
    if session is not None:
        if not (callable(getattr(session, "client", None)) and hasattr(session, "region_name")):
            raise errors.ArgumentError(
                f"'session' must be a Session, a boto3.Session or None, got {type(session).__name__}"
            )
        options = {"boto3_session": session, **options}
        _check_options(Session.aws, options)
        return Session.aws(**options)
    backend = os.environ.get(BACKEND, "local").strip().lower() or "local"
    if backend not in ("local", "aws"):
        raise errors.InputError(
            f"the variable {BACKEND} of the environment must be 'local' or 'aws', got {backend!r}. Correct it or take "
            "it away, or pass a session: pnb.connect(pnb.Session.local())."
        )
    make = Session.local if backend == "local" else Session.aws
    _check_options(make, options)
    return make(**options)


def _check_options(make: Callable[..., Session], options: dict[str, Any]) -> None:
    legal = list(inspect.signature(make).parameters)
    if unknown := sorted(set(options) - set(legal)):
        raise errors.ArgumentError(
            f"{make.__qualname__} has no option {unknown[0]!r}{errors.meant(unknown[0], legal)}; "
            f"legal are {', '.join(legal)}"
        )
