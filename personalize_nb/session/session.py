"""A session says which world the toolkit works in: AWS or the embedded service of this machine.

It holds boto3 clients, a bucket, a prefix and a role, and that is the whole difference between the two worlds: code
above never asks where it runs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract.partitions import partition_of
from personalize_nb.session import aws_settings, folders, owners
from personalize_nb.session import rates as price_table
from personalize_nb.session.calls import Calls
from personalize_nb.session.credentials import CredentialSource
from personalize_nb.session.rates import Rates
from personalize_nb.session.waiting import POLITE, QUICK
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from pathlib import Path

    import boto3
    import pandas as pd

    from personalize_nb.local import ServiceInfo

log = logging.getLogger(__name__)

BACKEND, FOLDER = "PERSONALIZE_NB_BACKEND", "PERSONALIZE_NB_PATH"
BUCKET, ROLE = "PERSONALIZE_NB_BUCKET", "PERSONALIZE_NB_ROLE_ARN"
DEFAULT_PREFIX = "personalize_nb"


@public
class Session(Calls):
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
    again
        For a session whose `boto3_session` the toolkit has made: makes another one of the same source, which finds
        credentials that were renewed.

    References
    ----------
    A `boto3.Session` with the region, bucket and service role that every request to Amazon Personalize wants.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> session = pnb.connect()
    >>> session.is_local, session.region, session.account, session.partition
    (True, 'us-east-1', '123456789012', 'aws')
    >>> session.location("jobs", "weekly")
    's3://personalize-nb-.../personalize_nb/jobs/weekly'
    >>> session.role(), session.arn("filter", "unread")
    ('arn:aws:iam::123456789012:role/...', 'arn:aws:personalize:us-east-1:123456789012:filter/unread')

    >>> session.owner_of(session.arn("filter", "unread")) == session.owner, session.rates
    (True, None)

    Other sessions; nothing is sent for one on AWS, and a service that runs is found:

    >>> aws = pnb.Session.aws("eu-west-1", bucket="films")
    >>> aws.location("jobs"), aws.stop()
    ('s3://films/personalize_nb/jobs', False)
    >>> pnb.Session.local().location() == session.location()
    True
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
        again: Callable[[], boto3.Session] | None = None,
    ):
        source = None if boto3_session is None else CredentialSource(boto3_session, again)
        super().__init__(source, region, restart)
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.role_arn = role_arn
        self._owners: dict[str, str] = {}  # by ARN
        self._rates: tuple[Rates | None, ...] = ()  # empty until they are asked for
        # the shortest pause between two looks: AWS counts the calls of an account
        self.pace = POLITE if restart is None else QUICK

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
        profile, boto3_session
            A profile of the AWS configuration files, or an existing session.
        bucket
            Bucket for input, output and training data, in the same region; by default `PERSONALIZE_NB_BUCKET`.
        prefix
            Folder in the bucket.
        role_arn
            Service role for Amazon Personalize; by default `PERSONALIZE_NB_ROLE_ARN`.

        Returns
        -------
        Session
            For `pnb.connect(...)`, or for `session=` of a call.

        Raises
        ------
        AccessError
            No region is known, or the AWS configuration cannot be used; the message says which setting.
        """
        import boto3  # 0.1 s, not needed to import the package

        def make() -> boto3.Session:
            return boto3.Session(profile_name=profile, region_name=region)

        with aws_settings.judged("a session on AWS", profile, region):
            session = boto3_session or make()
            chosen = region or session.region_name
        if not chosen:
            raise errors.AccessError(
                "No AWS region: pass Session.aws(region='us-east-1', ...) or set AWS_DEFAULT_REGION."
            )
        bucket = (bucket or os.environ.get(BUCKET) or "").removeprefix("s3://").rstrip("/") or None
        return cls(
            session,
            region=chosen,
            bucket=bucket,
            prefix=prefix,
            role_arn=role_arn or os.environ.get(ROLE) or None,
            again=None if boto3_session else make,
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
        scheduler: str | None = None,
    ) -> Session:
        """Return a session on the embedded service, which is started, or found when it already runs.

        Parameters
        ----------
        path
            The folder that keeps everything; by default `PERSONALIZE_NB_PATH`, else the user's data folder.
        bucket, prefix, role_arn
            Instead of the ones the service makes.
        region, account, idle_seconds, timeout
            As for `personalize_nb.local.start`, which starts it.
        themes
            What writes themes: `{"generator": "openai", "model": "llama3.2"}`.
        durable
            Whether what the service acknowledges outlives a power cut; see `personalize_nb.local.start`.
        scheduler
            The Dask scheduler whose workers answer batch inference jobs: `tcp://10.0.0.1:8786`; empty for none.

        Returns
        -------
        Session
            With the bucket and the role that the service makes, unless others are named.

        Raises
        ------
        LocalServiceError
            The service does not start, or the folder belongs to one with another region or account.
        """
        folder = folders.read(path or os.environ.get(FOLDER) or folders.default_folder())

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
                scheduler=scheduler,
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

    @cached_property
    def account(self) -> str:
        """The account number, asked of STS once; where STS may not be asked, that of what the session can see."""
        if self._service is not None:
            return self._service.account
        try:
            account: str = self.answer("GetCallerIdentity", lambda: self.sts.get_caller_identity()["Account"])
            return account
        except errors.PersonalizeError:
            seen = self._seen_account()
            if not seen:
                raise
            log.warning("who calls may not be asked; the account %s is that of the role or of what is there", seen)
            return seen

    @cached_property
    def owner(self) -> str:
        """Who works here: `PERSONALIZE_NB_OWNER`, or the hub's user, or the caller as STS knows them; else empty.

        What is made has it as its tag `personalize_nb:owner`, where tags are allowed.
        """
        return owners.owner_of(self)

    def owner_of(self, arn: str) -> str:
        """Return who made a resource, as its tag tells, which is read once (ListTagsForResource).

        Parameters
        ----------
        arn
            The resource's ARN.

        Returns
        -------
        str
            What its tag `personalize_nb:owner` says; empty where it has none, or it may not be read.
        """
        if arn not in self._owners:
            self._owners[arn] = owners.tags_of(self, arn).get(owners.OWNER, "")
        return self._owners[arn]

    def _seen_account(self) -> str:
        """Return the account of the role, which must be the caller's own to be passed, or of a dataset group."""
        groups = () if self.role_arn else self.names("list_dataset_groups", "datasetGroups", "datasetGroupArn")
        parts = (self.role_arn or next(iter(groups), "")).split(":")
        return parts[4] if len(parts) > 5 else ""

    @property
    def rates(self) -> Rates | None:
        """The table of prices that costs are told by; from `PERSONALIZE_NB_RATES`, a CSV file, until one is set.

        `session.rates = ...` takes whatever makes a `pnb.Rates`, and None for no prices.
        """
        if not self._rates:
            self._rates = (Rates.of(os.environ.get(price_table.VARIABLE) or None),)
        return self._rates[0]

    @rates.setter
    def rates(self, table: Rates | pd.DataFrame | Iterable[Mapping[str, Any]] | str | Path | None) -> None:
        self._rates = (Rates.of(table),)

    @cached_property
    def partition(self) -> str:
        """`aws`, or another partition for the regions outside it."""
        return partition_of(self.region)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a Personalize resource by its kind and name; nobody is asked.

        Parameters
        ----------
        kind
            As ARNs say it: `solution`, `filter`, `dataset-group`, `batch-inference-job`, ...
        name
            The resource's name.

        Returns
        -------
        str
            The ARN in the session's partition, region and account.
        """
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{kind}/{name}"

    def location(self, *parts: str) -> str:
        """Return an `s3://` address below the session's prefix.

        Parameters
        ----------
        *parts
            Folders and file below it.

        Returns
        -------
        str
            The address.

        Raises
        ------
        NotFoundError
            The session has no bucket; the message says how to name one.
        """
        if not self.bucket:
            raise errors.NotFoundError(
                f"This session has no bucket: pass Session.aws(bucket='...') or set {BUCKET}; the bucket must be in "
                f"{self.region} and its policy must let personalize.amazonaws.com read and write."
            )
        return "s3://" + "/".join(part for part in (self.bucket, self.prefix, *parts) if part)

    def role(self) -> str:
        """Return the service role's ARN, which Amazon Personalize assumes.

        Returns
        -------
        str
            The ARN.

        Raises
        ------
        NotFoundError
            The session has none; the message says how to name one.
        """
        if not self.role_arn:
            raise errors.NotFoundError(
                "This session has no service role: pass "
                f"Session.aws(role_arn='arn:{self.partition}:iam::...:role/...') or set {ROLE}; the role must trust "
                "personalize.amazonaws.com and may read and write the bucket."
            )
        return self.role_arn

    def stop(self) -> bool:
        """Stop the embedded service (it keeps everything on disk); on AWS there is nothing to stop.

        Returns
        -------
        bool
            Whether a service was stopped.
        """
        if self._service is None:
            return False
        from personalize_nb import local

        return local.stop(self._service.path)

    def __repr__(self) -> str:
        where = f"{'aws' if self._service is None else 'local'} {self.region}"  # the folder may have the user's name
        missing = [name for name in ("bucket", "role_arn") if not getattr(self, name)]
        step = (
            f"without {' and '.join(missing)}; pass them to Session.aws()"
            if missing
            else "pnb.train() or pnb.recommend()"
        )
        return f"<Session {where}: {step}>"
