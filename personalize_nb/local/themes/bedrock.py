"""Themes by a model on Amazon Bedrock, through the Converse API.

It never uses the environment variables of the AWS clients: in the process of a local service they belong to that
service. Credentials are options, or come from the profile, the container or the instance; the endpoint is the real
one of the region unless an option names another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from personalize_nb.local.themes import options
from personalize_nb.local.themes.language import LanguageThemes, WriterError
from personalize_nb.local.themes.prompting import Prompt

NAME = "bedrock"
# refusals that the next question would meet as well
LASTING = frozenset({
    "AccessDeniedException", "ValidationException", "ResourceNotFoundException", "UnrecognizedClientException",
    "ExpiredTokenException", "InvalidSignatureException", "NoCredentialsError", "PartialCredentialsError",
    "TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "ProfileNotFound",
})  # fmt: skip


@dataclass(frozen=True)
class BedrockOptions:
    """What the generator `bedrock` takes.

    Parameters
    ----------
    model
        A model id, or the id or ARN of an inference profile.
    region
        Where Bedrock is asked.
    profile
        A profile of the AWS configuration files.
    access_key, secret_key, session_token
        Credentials in place of a profile, for a server of one's own: those of AWS are refused, since options are kept.
    endpoint_url
        In place of the region's own endpoint: a VPC endpoint, or a server for tests.
    timeout, attempts
        Seconds for one call, and calls for one question: throttled ones are repeated more and more slowly.
    max_tokens
        Length of an answer. Always sent: without it Bedrock reserves the model's maximum and throttles early.
    concurrency
        Questions under way at once.
    """

    model: str
    region: str = "us-east-1"
    profile: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    endpoint_url: str = ""
    timeout: float = 60
    attempts: int = 5
    max_tokens: int = 150
    concurrency: int = 4

    def __post_init__(self) -> None:
        options.positive(
            timeout=self.timeout, attempts=self.attempts, max_tokens=self.max_tokens, concurrency=self.concurrency
        )
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("the options 'access_key' and 'secret_key' belong together; give both or none")
        if self.access_key.startswith(("AKIA", "ASIA")):
            raise ValueError(
                f"the option 'access_key' is a key of AWS ({self.access_key[:4]}...), which would be kept in the "
                "service's folder; write it into a profile (aws configure --profile NAME) and give profile=NAME"
            )
        if self.endpoint_url and not self.endpoint_url.startswith(("http://", "https://")):
            raise ValueError(
                f"the option 'endpoint_url' must begin with https:// or http://, got {self.endpoint_url!r}"
            )


def make(given: Mapping[str, Any], cache: Path) -> LanguageThemes:
    """Return the generator `bedrock`; see `BedrockOptions`."""
    chosen = options.read(BedrockOptions, given, NAME)
    return LanguageThemes(BedrockWriter(chosen), cache, chosen.concurrency)


class Converses(Protocol):
    """The operation of a client that is used here."""

    def converse(self, **members: Any) -> dict[str, Any]: ...


class BedrockWriter:
    """A model on Amazon Bedrock."""

    def __init__(self, chosen: BedrockOptions):
        self._options = chosen
        self._client: Converses | None = None
        self.name = f"{NAME}:{chosen.model}"
        self.identity = f"{NAME} {chosen.region} {chosen.endpoint_url} {chosen.model} {chosen.max_tokens}"

    def connect(self) -> None:
        """Make the client; nothing is sent yet."""
        import botocore.exceptions

        try:
            self._client = self._client or _client(self._options)
        except botocore.exceptions.BotoCoreError as error:
            raise WriterError(f"Amazon Bedrock cannot be used: {error}", lasting=True) from error

    def write(self, asked: Prompt) -> str:
        """Ask through Converse."""
        import botocore.exceptions

        assert self._client is not None, "connect comes first"
        try:
            answer = self._client.converse(
                modelId=self._options.model,
                system=[{"text": asked.instructions}],
                messages=[{"role": "user", "content": [{"text": asked.data}]}],
                inferenceConfig={"maxTokens": self._options.max_tokens, "temperature": 0},
            )
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            raise WriterError(f"Amazon Bedrock refused: {error}", code in LASTING) from error
        except botocore.exceptions.BotoCoreError as error:
            name = type(error).__name__
            raise WriterError(f"Amazon Bedrock did not answer: {name}: {error}", name in LASTING) from error
        if answer.get("stopReason") in ("guardrail_intervened", "content_filtered"):
            raise WriterError(f"Amazon Bedrock held the answer back: {answer['stopReason']}")
        content = answer.get("output", {}).get("message", {}).get("content") or []
        return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))


def _client(chosen: BedrockOptions) -> Converses:
    """Return a client of its own session, to which the environment's keys and endpoints mean nothing."""
    import boto3
    import botocore.session
    from botocore.config import Config

    core = botocore.session.Session(profile=chosen.profile or None)
    core.get_component("credential_provider").remove("env")
    config = Config(
        region_name=chosen.region,
        connect_timeout=min(chosen.timeout, 10),
        read_timeout=chosen.timeout,
        retries={"mode": "adaptive", "total_max_attempts": chosen.attempts},
        max_pool_connections=chosen.concurrency,
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs do not know it
        user_agent_extra="personalize_nb",
    )
    session = boto3.Session(botocore_session=core, region_name=chosen.region)
    client: Converses = session.client(
        "bedrock-runtime",
        endpoint_url=chosen.endpoint_url or None,
        config=config,
        aws_access_key_id=chosen.access_key or None,
        aws_secret_access_key=chosen.secret_key or None,
        aws_session_token=chosen.session_token or None,
    )
    return client
