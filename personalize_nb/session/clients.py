"""boto3 clients of the two worlds, and nothing else: what is sent through them is the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from personalize_nb import errors
from personalize_nb.session import aws_settings

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.model import OperationModel

    from personalize_nb.local import ServiceInfo

_AGENT = "personalize_nb"
_CHECKSUMS = ("request_checksum_calculation", "response_checksum_validation")


def on_aws(boto3_session: boto3.Session, name: str, region: str) -> BaseClient:
    """Return a client of AWS, configured as the user's own are."""
    from botocore.config import Config

    with _known(name), aws_settings.judged(f"a client of {name}", boto3_session.profile_name, region, service=name):
        client: BaseClient = boto3_session.client(name, region_name=region, config=Config(user_agent_extra=_AGENT))
    return client


@contextmanager
def _known(name: str) -> Iterator[None]:
    """Refuse a service that boto3 does not know; botocore says which it knows."""
    import botocore.exceptions

    legal = "pass one such as 'personalize', 's3' or 'iam': boto3.Session().get_available_services() has all."
    if not isinstance(name, str):
        raise errors.ArgumentError(f"boto3 has no service {errors.received(name)}; {legal}")
    try:
        yield
    except botocore.exceptions.UnknownServiceError as error:
        near = errors.meant(name, str(error.kwargs["known_service_names"]).split(", "))
        raise errors.ArgumentError(f"boto3 has no service {name!r}{near}; {legal}") from error


def on_service(service: ServiceInfo, name: str) -> BaseClient:
    """Return a client of the embedded service."""
    import boto3
    from botocore.config import Config

    # older releases have no such options, and do what these ask for
    checksums: dict[str, Any] = {option: "when_required" for option in _CHECKSUMS if option in Config.OPTION_DEFAULTS}
    config = Config(
        proxies={},
        signature_version="s3v4" if name == "s3" else None,
        s3={"payload_signing_enabled": False, "addressing_style": "path"},
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
        user_agent_extra=_AGENT,
        **checksums,
    )
    bare = boto3.Session(
        aws_access_key_id=service.access_key,
        aws_secret_access_key=service.secret_key,
        region_name=service.region,
        botocore_session=aws_settings.session_without_settings(),
    )
    with _known(name):
        client: BaseClient = bare.client(name, endpoint_url=service.url, config=config)
    return client


def never_twice(client: BaseClient) -> None:
    """Keep botocore from trying a call again that has no name by which AWS would know the second one.

    A training whose answer was lost may be under way, and a second one is billed as well.
    """
    import botocore.exceptions

    def lost(
        response: tuple[Any, Any] | None,
        caught_exception: Exception | None,
        operation: OperationModel,
        **_: object,
    ) -> None:
        if caught_exception is not None:
            raise caught_exception
        if response is not None and response[0].status_code >= 500:
            raise botocore.exceptions.ClientError(response[1], operation.name)

    client.meta.events.register_first("needs-retry.personalize.CreateSolutionVersion", lost)


def check_there(service: ServiceInfo) -> None:
    """Refuse to start the embedded service of a folder again that is gone."""
    from personalize_nb import local

    local.check_there(service)


def answers(service: ServiceInfo) -> bool:
    """Tell whether the embedded service still serves its folder and listens; another may have its address by now."""
    from personalize_nb import local

    if not local.serves(service):
        return False
    address = urlsplit(service.url)
    try:
        with socket.create_connection((address.hostname, address.port), timeout=2):
            return True
    except OSError:
        return False
