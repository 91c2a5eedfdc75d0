"""A session says which world the toolkit works in: AWS or the embedded service of this machine.

It holds boto3 clients, a bucket, a prefix and a role, and that is the whole difference between the two worlds: code
above never asks where it runs.
"""

from __future__ import annotations

import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from personalize_nb import errors
from personalize_nb.session.client_errors import translated

if TYPE_CHECKING:
    import boto3

BACKEND, FOLDER = "PERSONALIZE_NB_BACKEND", "PERSONALIZE_NB_PATH"
BUCKET, ROLE = "PERSONALIZE_NB_BUCKET", "PERSONALIZE_NB_ROLE_ARN"
DEFAULT_PREFIX = "personalize_nb"


class Session:
    """Where the toolkit works. Make one with `Session.aws(...)`, `Session.local(...)` or `connect()`.

    Parameters
    ----------
    boto3_session
        Makes the clients; None for a local session, which makes its own.
    region
        The region of every client.
    bucket
        The bucket for job input, job output and training data, without `s3://`.
    prefix
        The folder inside the bucket below which everything of the toolkit lies.
    role_arn
        The service role that Amazon Personalize assumes to read and write the bucket.
    restart
        For a local session: returns the description of the running service, started when it is not.
    """

    def __init__(
        self,
        boto3_session: boto3.Session | None,
        *,
        region: str,
        bucket: str | None = None,
        prefix: str = DEFAULT_PREFIX,
        role_arn: str | None = None,
        restart: Callable[[], Any] | None = None,
    ):
        self.region = region
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.role_arn = role_arn
        self._boto3 = boto3_session
        self._restart = restart
        self._service: Any = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()

    @classmethod
    def aws(
        cls,
        region: str | None = None,
        profile: str | None = None,
        bucket: str | None = None,
        prefix: str = DEFAULT_PREFIX,
        role_arn: str | None = None,
        boto3_session: boto3.Session | None = None,
    ) -> Session:
        """Return a session on AWS.

        Nothing is sent. Credentials come from where boto3 finds them; `AWS_ENDPOINT_URL` is respected.

        Parameters
        ----------
        region
            For example `eu-west-1`; by default the one boto3 is configured with.
        profile
            A profile of the AWS configuration files.
        bucket
            Bucket for input, output and training data, in the same region; by default `PERSONALIZE_NB_BUCKET`.
        prefix
            Folder in the bucket.
        role_arn
            Service role for Amazon Personalize; by default `PERSONALIZE_NB_ROLE_ARN`.
        boto3_session
            An existing session to use instead of `profile`.
        """
        import boto3  # 0.1 s, not needed to import the package
        import botocore.exceptions

        try:
            session = boto3_session or boto3.Session(profile_name=profile, region_name=region)
        except botocore.exceptions.ProfileNotFound as error:
            raise errors.AccessError(
                f"{error}. Legal profiles are in ~/.aws/config; or leave out 'profile'."
            ) from error
        chosen = region or session.region_name
        if not chosen:
            raise errors.AccessError(
                "No AWS region: pass Session.aws(region='us-east-1', ...) or set AWS_DEFAULT_REGION."
            )
        bucket = (bucket or os.environ.get(BUCKET) or "").removeprefix("s3://").rstrip("/") or None
        return cls(
            session, region=chosen, bucket=bucket, prefix=prefix, role_arn=role_arn or os.environ.get(ROLE) or None
        )

    @classmethod
    def local(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        bucket: str | None = None,
        prefix: str = DEFAULT_PREFIX,
        role_arn: str | None = None,
        **options: Any,
    ) -> Session:
        """Return a session on the embedded service, which is started, or found when it already runs.

        Parameters
        ----------
        path
            The folder that keeps everything; by default `PERSONALIZE_NB_PATH`, else the user's data folder.
        bucket, role_arn
            Instead of the ones the service makes.
        prefix
            Folder in the bucket.
        **options
            For `personalize_nb.local.start`: `region`, `account`, `idle_seconds`, `timeout`, and `themes`, what writes
            themes: `{"generator": "openai", "model": "llama3.2"}`.
        """
        _check_options(options)
        folder = Path(path or os.environ.get(FOLDER) or default_folder()).expanduser().resolve()

        def restart() -> Any:
            from personalize_nb import local  # the client side knows the service only by starting it

            return local.start(folder, **options)

        service = restart()
        session = cls(
            None,
            region=service.region,
            bucket=bucket or service.bucket,
            prefix=prefix,
            role_arn=role_arn or service.role_arn,
            restart=restart,
        )
        session._service = service
        return session

    @property
    def is_local(self) -> bool:
        """Whether the embedded service answers."""
        return self._restart is not None

    @property
    def personalize(self) -> Any:
        """The boto3 client for Amazon Personalize."""
        return self.client("personalize")

    @property
    def s3(self) -> Any:
        """The boto3 client for Amazon S3."""
        return self.client("s3")

    @property
    def iam(self) -> Any:
        """The boto3 client for AWS IAM."""
        return self.client("iam")

    @property
    def sts(self) -> Any:
        """The boto3 client for AWS STS."""
        return self.client("sts")

    def client(self, name: str) -> Any:
        """Return the boto3 client of a service; a local service that ended in the meantime is started again."""
        with self._lock:
            if self.is_local and not _answers(self._service.url):
                self._service = self._restart()
                self._clients.clear()
            if name not in self._clients:
                self._clients[name] = self._new_client(name)
            return self._clients[name]

    def _new_client(self, name: str) -> Any:
        from botocore.config import Config

        if not self.is_local:
            return self._boto3.client(name, region_name=self.region, config=Config(user_agent_extra="personalize_nb"))
        # The user's own AWS settings (profiles, proxies, endpoints, FIPS) must not reach a loopback service.
        config = Config(
            proxies={},
            signature_version="s3v4" if name == "s3" else None,
            s3={"payload_signing_enabled": False, "addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            use_fips_endpoint=False,
            use_dualstack_endpoint=False,
            user_agent_extra="personalize_nb",
        )
        return _bare_boto3(self._service).client(name, endpoint_url=self._service.url, config=config)

    @cached_property
    def account(self) -> str:
        """The account number, asked of STS once."""
        if self.is_local:
            return self._service.account
        with translated("GetCallerIdentity"):
            return self.sts.get_caller_identity()["Account"]

    @cached_property
    def partition(self) -> str:
        """`aws`, or another partition for the regions outside it."""
        return "aws" if self._boto3 is None else self._boto3.get_partition_for_region(self.region)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a Personalize resource by its kind (`solution`, `filter`, ...) and name."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{kind}/{name}"

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of Personalize, for example `call("describe_filter", filterArn=...)`."""
        with translated(_camel(operation)):
            return getattr(self.personalize, operation)(**parameters)

    def pages(self, operation: str, member: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the entries of a List operation over all pages."""
        with translated(_camel(operation)):
            for page in self.personalize.get_paginator(operation).paginate(**parameters):
                yield from page[member]

    def location(self, *parts: str) -> str:
        """Return an `s3://` address below the session's prefix; without a bucket, say how to name one."""
        if not self.bucket:
            raise errors.NotFoundError(
                f"This session has no bucket: pass Session.aws(bucket='...') or set {BUCKET}; the bucket must be in "
                f"{self.region} and its policy must let personalize.amazonaws.com read and write."
            )
        return "s3://" + "/".join(part for part in (self.bucket, self.prefix, *parts) if part)

    def role(self) -> str:
        """Return the service role's ARN; without one, say how to name it."""
        if not self.role_arn:
            raise errors.NotFoundError(
                f"This session has no service role: pass Session.aws(role_arn='arn:aws:iam::...:role/...') or set "
                f"{ROLE}; the role must trust personalize.amazonaws.com and may read and write the bucket."
            )
        return self.role_arn

    def stop(self) -> bool:
        """Stop the embedded service (it keeps everything on disk); on AWS there is nothing to stop."""
        if not self.is_local:
            return False
        from personalize_nb import local

        return local.stop(self._service.path)

    def __repr__(self) -> str:
        where = f"local {str(self._service.path)!r}" if self.is_local else f"aws {self.region}"
        missing = [name for name in ("bucket", "role_arn") if not getattr(self, name)]
        step = (
            f"without {' and '.join(missing)}; pass them to Session.aws()"
            if missing
            else "pnb.train() or pnb.recommend()"
        )
        return f"<Session {where}: {step}>"


_current: Session | None = None


def connect(session: Session | boto3.Session | None = None, **options: Any) -> Session:
    """Choose the session that every later call uses, and return it.

    Parameters
    ----------
    session
        A `Session`, a `boto3.Session` (work on AWS with it), or None for the session connected already. When there is
        none, or options are given, the environment chooses a new one:
        `PERSONALIZE_NB_BACKEND` is `local` (the default) or `aws`; `PERSONALIZE_NB_PATH`, `PERSONALIZE_NB_BUCKET` and
        `PERSONALIZE_NB_ROLE_ARN` fill in the rest.
    **options
        For `Session.local` or `Session.aws`, whichever is chosen.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.connect()  # doctest: +SKIP
    <Session local '.../personalize_nb/local': pnb.train() or pnb.recommend()>
    """
    global _current
    if session is None and not options and _current is not None:
        return _current  # a bare connect() in a later cell must not leave the world the user chose
    _current = _chosen(session, options)
    return _current


def current(session: Session | boto3.Session | None = None) -> Session:
    """Return the session given, else the one of the last `connect()`, else connect now."""
    if session is not None:
        return _chosen(session, {})
    return _current or connect()


def _chosen(session: Session | boto3.Session | None, options: dict[str, Any]) -> Session:
    if isinstance(session, Session):
        if options:
            raise TypeError(f"options {sorted(options)} belong to a new session; one was passed in already")
        return session
    if session is not None:
        if not (callable(getattr(session, "client", None)) and hasattr(session, "region_name")):
            raise TypeError(f"'session' must be a Session, a boto3.Session or None, got {type(session).__name__}")
        return Session.aws(boto3_session=session, **options)
    backend = os.environ.get(BACKEND, "local").strip().lower() or "local"
    if backend not in ("local", "aws"):
        raise ValueError(f"{BACKEND} must be 'local' or 'aws', got {backend!r}")
    return Session.local(**options) if backend == "local" else Session.aws(**options)


def _check_options(options: dict[str, Any]) -> None:
    from personalize_nb import local  # the client side knows the service only by starting it

    legal = [name for name in inspect.signature(local.start).parameters if name != "path"]
    if unknown := sorted(set(options) - set(legal)):
        legal = ["path", "bucket", "prefix", "role_arn", *legal]
        raise TypeError(f"Session.local has no option {unknown[0]!r}; legal are {', '.join(legal)}")


def default_folder() -> Path:
    """Return the folder of the embedded service when none is named."""
    import platformdirs

    return Path(platformdirs.user_data_path("personalize_nb", appauthor=False)) / "local"


def _answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port), timeout=2):
            return True
    except OSError:
        return False


def _bare_boto3(service: Any) -> boto3.Session:
    import boto3
    import botocore.session

    nothing = (None, [], os.devnull, None)
    core = botocore.session.Session(
        {"profile": (None, [], None, None), "config_file": nothing, "credentials_file": nothing}
    )
    return boto3.Session(
        aws_access_key_id=service.access_key,
        aws_secret_access_key=service.secret_key,
        region_name=service.region,
        botocore_session=core,
    )


def _camel(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))
