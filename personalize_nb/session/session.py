"""A session says which world the toolkit works in: AWS or the embedded service of this machine.

It holds boto3 clients, a bucket, a prefix and a role, and that is the whole difference between the two worlds: code
above never asks where it runs.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from personalize_nb import errors
from personalize_nb.contract import releases
from personalize_nb.session import aws_settings, call_log, clients, folders
from personalize_nb.session.client_errors import translated

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from types_boto3_iam.client import IAMClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_personalize.client import PersonalizeClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sts.client import STSClient

    from personalize_nb.local import ServiceInfo

log = logging.getLogger(__name__)

BACKEND, FOLDER = "PERSONALIZE_NB_BACKEND", "PERSONALIZE_NB_PATH"
BUCKET, ROLE = "PERSONALIZE_NB_BUCKET", "PERSONALIZE_NB_ROLE_ARN"
DEFAULT_PREFIX = "personalize_nb"


class Session:
    """Where the toolkit works. Make one with `Session.aws(...)`, `Session.local(...)` or `connect()`.

    What a session does can be followed through the logger `personalize_nb`, which is quiet until it is asked:
    `logging.basicConfig(); logging.getLogger("personalize_nb").setLevel("INFO")` tells what is connected, made, deleted
    and uploaded and how the status of work changes; `DEBUG` adds every call with its duration and AWS's request id.
    Records name resources and addresses in S3, never credentials or ids of users.

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
        restart: Callable[[], ServiceInfo] | None = None,
    ):
        self.region = region
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.role_arn = role_arn
        self._boto3 = boto3_session
        self._restart = restart
        self._service: ServiceInfo | None = None
        self._clients: dict[str, BaseClient] = {}
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

        with aws_settings.judged("a session on AWS", profile, region):
            session = boto3_session or boto3.Session(profile_name=profile, region_name=region)
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
        region: str | None = None,
        account: str | None = None,
        idle_seconds: float = 3600,
        timeout: float = 60,
        themes: str | Mapping[str, Any] | None = None,
        durable: bool | None = None,
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
        region, account, idle_seconds, timeout
            As for `personalize_nb.local.start`, which starts it.
        themes
            What writes themes: `{"generator": "openai", "model": "llama3.2"}`.
        durable
            Whether what the service acknowledges outlives a power cut; see `personalize_nb.local.start`.
        """
        folder = folders.read(path or os.environ.get(FOLDER) or default_folder())

        def restart() -> ServiceInfo:
            from personalize_nb import local  # the client side knows the service only by starting it

            return local.start(
                folder,
                region=region,
                account=account,
                idle_seconds=idle_seconds,
                timeout=timeout,
                themes=themes,
                durable=durable,
            )

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
    def personalize(self) -> PersonalizeClient:
        """The boto3 client for Amazon Personalize."""
        return self.client("personalize")

    @property
    def s3(self) -> S3Client:
        """The boto3 client for Amazon S3."""
        return self.client("s3")

    @property
    def iam(self) -> IAMClient:
        """The boto3 client for AWS IAM."""
        return self.client("iam")

    @property
    def sts(self) -> STSClient:
        """The boto3 client for AWS STS."""
        return self.client("sts")

    @overload
    def client(self, name: Literal["personalize"]) -> PersonalizeClient: ...
    @overload
    def client(self, name: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, name: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, name: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, name: Literal["kms"]) -> KMSClient: ...
    @overload
    def client(self, name: str) -> BaseClient: ...

    def client(self, name: str) -> BaseClient:
        """Return the boto3 client of a service; a local service that ended in the meantime is started again."""
        with self._lock:
            if self._restart is not None and self._service is not None and not clients.answers(self._service):
                clients.check_there(self._service)
                log.info("the local service has ended and is started again")
                self._service = self._restart()
                self._clients.clear()
            if name not in self._clients:
                client = self._clients[name] = self._new_client(name)
                call_log.record(client)
                log.debug("client of %s at %s", name, client.meta.endpoint_url)
            return self._clients[name]

    def _new_client(self, name: str) -> BaseClient:
        if self._service is not None:
            return clients.on_service(self._service, name)
        if self._boto3 is not None:
            return clients.on_aws(self._boto3, name, self.region)
        raise TypeError("a session without a boto3.Session comes from Session.local(...)")

    @cached_property
    def account(self) -> str:
        """The account number, asked of STS once."""
        if self._service is not None:
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
        named = call_log.operation_name(operation)
        if newer := list(releases.too_new(named, parameters)):
            raise errors.ServiceError(f"{named}: {' '.join(newer)}", "ParamValidationError")
        with translated(named):
            answer: dict[str, Any] = getattr(self.personalize, operation)(**parameters)
        call_log.record_change(operation, parameters, answer)
        return answer

    def pages(self, operation: str, member: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the entries of a List operation over all pages."""
        with translated(call_log.operation_name(operation)):
            client: BaseClient = self.personalize  # whose paginators are not told apart by their names
            for page in client.get_paginator(operation).paginate(**parameters):
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
        if self._service is None:
            return False
        from personalize_nb import local

        return local.stop(self._service.path)

    def __repr__(self) -> str:
        where = f"aws {self.region}" if self._service is None else f"local {str(self._service.path)!r}"
        missing = [name for name in ("bucket", "role_arn") if not getattr(self, name)]
        step = (
            f"without {' and '.join(missing)}; pass them to Session.aws()"
            if missing
            else "pnb.train() or pnb.recommend()"
        )
        return f"<Session {where}: {step}>"


def default_folder() -> Path:
    """Return the folder of the embedded service when none is named."""
    import platformdirs

    return Path(platformdirs.user_data_path("personalize_nb", appauthor=False)) / "local"
