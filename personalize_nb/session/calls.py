"""Calls of AWS through boto3's clients, which are made when they are needed and made again when that helps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from personalize_nb import errors
from personalize_nb.contract import releases
from personalize_nb.session import answers, call_log, clients, credentials, owners
from personalize_nb.session.client_errors import garbled, translated
from personalize_nb.session.credentials import CredentialSource
from personalize_nb.text.public import going_on

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_iam.client import IAMClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_personalize.client import PersonalizeClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sts.client import STSClient

    from personalize_nb.local import ServiceInfo

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Calls:
    """The clients of a session and what is called through them.

    Parameters
    ----------
    source
        Where credentials of AWS come from; None for the embedded service.
    region
        The region of every client.
    restart
        For the embedded service: returns its description, started when it does not run.

    References
    ----------
    boto3's clients, and the operations of Amazon Personalize by the names of boto3's methods.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> session = pnb.connect()

    >>> [group["name"] for group in session.personalize.list_dataset_groups()["datasetGroups"]]
    [...'books-...'...]
    >>> session.call("describe_filter", filterArn=session.arn("filter", "unread"))["filter"]["status"]
    'ACTIVE'
    >>> [one["name"] for one in session.pages("list_filters", "Filters")] == session.names("list_filters", "Filters")
    True
    >>> session.answer("ListBuckets", lambda: session.s3.list_buckets())["Buckets"][0]["Name"]
    'personalize-nb-...'
    >>> session.client("sts").meta.region_name == session.sts.meta.region_name == session.iam.meta.region_name
    True
    >>> session.renew()
    """

    def __init__(self, source: CredentialSource | None, region: str, restart: Callable[[], ServiceInfo] | None):
        self.region = region
        self._source, self._restart = source, restart
        self._renewals = 0
        self._tags = True  # until tags are refused
        self._service: ServiceInfo | None = None
        self._clients: dict[str, BaseClient] = {}
        self._lock = threading.RLock()

    @property
    def owner(self) -> str:
        """Whose is what this makes; empty where nobody knows."""
        return ""

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
        """Return the boto3 client of a service; a local service that ended in the meantime is started again.

        Parameters
        ----------
        name
            As boto3 names it: `personalize`, `s3`, `iam`, `sts`, `kms`, `service-quotas`.

        Returns
        -------
        botocore.client.BaseClient
            The same one each time, until credentials are renewed.
        """
        with self._lock:
            if self._restart is not None and self._service is not None and not clients.answers(self._service):
                clients.check_there(self._service)
                log.info("the local service has ended and is started again")
                self._service = self._restart()
                self._clients.clear()
            if not isinstance(name, str) or name not in self._clients:
                client = self._clients[name] = self._new_client(name)
                call_log.record(client)
                if name == "personalize":
                    clients.never_twice(client)
                log.debug("client of %s at %s", name, client.meta.endpoint_url)
            return self._clients[name]

    def _new_client(self, name: str) -> BaseClient:
        if self._service is not None:
            return clients.on_service(self._service, name)
        if self._source is not None:
            boto3_session, region = self._source.boto3_session, self.region
            client = self._attempted(f"a client of {name}", lambda: clients.on_aws(boto3_session, name, region))
            credentials.record(client, self._source)
            return client
        raise TypeError("a session without a boto3.Session comes from Session.local(...)")

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of Personalize; what fails is told with its cause and next step.

        Parameters
        ----------
        operation
            The name of boto3's method: `describe_filter`.
        **parameters
            What the operation takes, `filterArn=...`, as in Amazon Personalize's API reference.

        Returns
        -------
        dict
            The answer, without boto3's `ResponseMetadata`.

        Raises
        ------
        NotFoundError, AlreadyExistsError, QuotaError, AccessError, CredentialsError, ServiceError
            The service refuses; boto3's own error is the `__cause__`, AWS's request id in `.request_id`.
        ArgumentError
            boto3 has no such operation, or it takes no such parameter.
        """
        named = call_log.operation_name(operation)
        if newer := list(releases.too_new(named, parameters)):
            raise errors.ServiceError(f"{named}: {' '.join(newer)}", "ParamValidationError")

        def ask(asked: Mapping[str, Any]) -> dict[str, Any]:
            def sent() -> dict[str, Any]:
                client = self.personalize
                if operation not in (known := client.meta.method_to_api_mapping):
                    raise errors.ArgumentError(
                        f"Amazon Personalize has no operation {operation!r}{errors.meant(operation, known)}; "
                        "session.personalize.meta.method_to_api_mapping has all that this botocore knows."
                    )
                answer: dict[str, Any] = getattr(client, operation)(**asked)
                return answers.checked(client, operation, answer)

            return self.answer(named, sent)

        begins = operation.startswith("create_")
        with going_on(*call_log.begun(operation, parameters)) if begins else nullcontext():
            if self._tags and begins and owners.taggable(named):
                answer, self._tags = owners.create(parameters, self.owner, ask)
            else:
                answer = ask(parameters)
        call_log.record_change(operation, parameters, answer)
        return answer

    def pages(self, operation: str, member: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the entries of a List operation over all pages.

        Parameters
        ----------
        operation
            The name of boto3's method: `list_filters`.
        member
            The member of its answer that holds the entries: `Filters`.
        **parameters
            What the operation takes.

        Yields
        ------
        dict
            An entry; the next page is asked when it is needed.

        Raises
        ------
        AccessError, CredentialsError, ServiceError
            As for `call`.
        """
        # boto3's paginators cannot go on after a page that failed, and credentials may end between two of them
        token = ""
        while True:
            answer = self.call(operation, **parameters, **({"nextToken": token} if token else {}))
            if not isinstance(member, str) or member not in answer:
                lists = [one for one, value in answer.items() if isinstance(value, list)]
                near = errors.meant(member, lists) if isinstance(member, str) else ""
                told = (
                    f"{call_log.operation_name(operation)} answers no {errors.received(member)}{near}; it has {lists}."
                )
                raise errors.ArgumentError(told)
            yield from answer[member]
            before, token = token, answer.get("nextToken") or ""
            if not token:
                return
            if token == before:
                raise garbled(call_log.operation_name(operation), "the same page came twice.")

    def answer(self, action: str, call: Callable[[], Answer]) -> Answer:
        """Return what a call of boto3 answers; with new credentials where the ones in hand are refused and there are.

        Parameters
        ----------
        action
            What is attempted, named as AWS names it.
        call
            Takes its client from this session each time.

        Returns
        -------
        Answer
            What `call` returned.

        Raises
        ------
        NotFoundError, AlreadyExistsError, QuotaError, AccessError, CredentialsError, ServiceError
            The service refuses; see `call`.
        """
        renewals = self._renewals
        try:
            return self._attempted(action, call)
        except errors.CredentialsError:
            if not self._renewed(renewals):
                raise
        return self._attempted(action, call)

    def _attempted(self, action: str, call: Callable[[], Answer]) -> Answer:
        with translated(action):
            try:
                return call()
            except Exception as error:
                if self._source is not None:
                    credentials.mark(error, self._source.origin())
                raise

    def _renewed(self, renewals: int) -> bool:
        """Ask the source of the credentials again, unless another thread has; tell whether there are new ones."""
        if self._source is None:
            return False
        with self._lock:
            if self._renewals == renewals:
                if not self._source.ask_again():
                    return False
                log.info("the AWS credentials have ended, their source has new ones: work goes on")
                self._begin_anew()
            return True

    def renew(self) -> None:
        """Make new clients, with the credentials that their source has now; bucket, prefix and role stay.

        `pnb.connect()` calls it. A call that is refused for its credentials asks the source by itself.
        """
        if self._source is not None:
            with self._lock:
                self._source.ask_again()
                self._begin_anew()

    def _begin_anew(self) -> None:
        self._renewals += 1
        self._clients.clear()
        for one in ("account", "owner"):  # a renewal may be a change to another account
            self.__dict__.pop(one, None)
        self._tags = True

    def names(self, operation: str, member: str, key: str = "name") -> list[str]:
        """Return the names in a List operation's answer, for a message; none where they may not be listed.

        What a message is about must not be hidden by the failure of what it adds.

        Parameters
        ----------
        operation
            The name of boto3's method: `list_filters`.
        member
            The member of its answer that holds the entries.
        key
            The member of an entry that is returned.

        Returns
        -------
        list of str
            Names, in the order of the answer.
        """
        try:
            return [entry[key] for entry in self.pages(operation, member)]
        except errors.PersonalizeError as error:
            log.info("%s cannot be listed: %s", member, error)
            return []
