"""Themes by any server that speaks OpenAI's chat completions: Ollama, the server of llama.cpp, vLLM and others.

Servers on this machine only, unless an option allows others, because texts of the catalogue are sent to them. No
redirect is followed, no proxy is used, and an answer may be neither slow without end nor large without end.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from personalize_nb.local.themes import options
from personalize_nb.local.themes.language import LanguageThemes, WriterError
from personalize_nb.local.themes.prompting import SCHEMA, Prompt

NAME = "openai"
MAX_BYTES = 1 << 20
PASSING = frozenset({408, 429, 500, 502, 503, 504})
SEED = 20_190_610


@dataclass(frozen=True)
class CompatibleOptions:
    """What the generator `openai` takes.

    Parameters
    ----------
    model
        The model's name on the server, such as `llama3.2`.
    base_url
        The address up to `/chat/completions`; Ollama's by default.
    api_key
        Sent as a bearer token; to other machines over HTTPS only.
    allow_remote
        Whether the server may be another machine.
    timeout, attempts
        Seconds for one whole call, and calls for one question.
    max_tokens
        Length of an answer.
    concurrency
        Questions under way at once.
    """

    model: str
    base_url: str = "http://127.0.0.1:11434/v1"
    api_key: str = field(default="", repr=False)
    allow_remote: bool = False
    timeout: float = 60
    attempts: int = 3
    max_tokens: int = 150
    concurrency: int = 2

    def __post_init__(self) -> None:
        options.positive(
            timeout=self.timeout, attempts=self.attempts, max_tokens=self.max_tokens, concurrency=self.concurrency
        )
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"the option 'base_url' must look like http://127.0.0.1:11434/v1, got {self.base_url!r}")
        if not _loopback(address.hostname):
            if not self.allow_remote:
                raise ValueError(
                    f"the option 'base_url' names another machine, {address.hostname!r}, to which item texts would be "
                    "sent; set 'allow_remote' to true if they may be"
                )
            if self.api_key and address.scheme != "https":
                raise ValueError("the option 'api_key' is sent to other machines over https:// only")


def make(given: Mapping[str, Any], cache: Path) -> LanguageThemes:
    """Return the generator `openai`; see `CompatibleOptions`."""
    chosen = options.read(CompatibleOptions, given, NAME)
    return LanguageThemes(CompatibleWriter(chosen), cache, chosen.concurrency)


class CompatibleWriter:
    """A model behind a chat-completions endpoint."""

    def __init__(self, chosen: CompatibleOptions, clock: Callable[[], float] = time.monotonic):
        self._options, self._clock = chosen, clock
        self._pool: urllib3.PoolManager | None = None
        self._constrained = True
        self.name = f"{NAME}:{chosen.model}"
        self.identity = f"{NAME} {chosen.base_url} {chosen.model} {chosen.max_tokens}"

    def connect(self) -> None:
        """Make the connection pool; nothing is sent yet."""
        retries = urllib3.Retry(
            total=self._options.attempts - 1,
            redirect=False,
            status_forcelist=PASSING,
            allowed_methods={"POST"},
            backoff_factor=0.5,
            backoff_max=5,
            raise_on_status=False,
            respect_retry_after_header=False,  # a server must not decide how long a job sleeps
        )
        timeout = urllib3.Timeout(connect=min(self._options.timeout, 5), read=self._options.timeout)
        self._pool = self._pool or urllib3.PoolManager(
            maxsize=self._options.concurrency, retries=retries, timeout=timeout
        )

    def write(self, asked: Prompt) -> str:
        """Ask through chat completions; a server that does not know JSON schemas is asked without one."""
        status, body = self._post(asked)
        if status in (400, 422) and self._constrained:
            self._constrained = False
            status, body = self._post(asked)
        if status != 200:
            text = body[:200].decode(errors="replace")
            raise WriterError(f"{self._options.base_url} answered {status}: {text}", lasting=400 <= status < 500)
        try:
            content = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise WriterError(f"{self._options.base_url} gave no chat completion: {body[:80]!r}") from error
        if not isinstance(content, str):
            raise WriterError(f"{self._options.base_url} gave no text: {str(content)[:80]}")
        return content

    def _post(self, asked: Prompt) -> tuple[int, bytes]:
        body: dict[str, Any] = {
            "model": self._options.model,
            "messages": [
                {"role": "system", "content": asked.instructions},
                {"role": "user", "content": asked.data},
            ],
            "temperature": 0,
            "seed": SEED,
            "max_tokens": self._options.max_tokens,
            "stream": False,
        }
        if self._constrained:
            schema = {"name": "themes", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        headers = {"Content-Type": "application/json", "User-Agent": "personalize_nb"}
        if self._options.api_key:
            headers["Authorization"] = f"Bearer {self._options.api_key}"
        assert self._pool is not None, "connect comes first"
        try:
            response = self._pool.request(
                "POST",
                f"{self._options.base_url.rstrip('/')}/chat/completions",
                body=json.dumps(body).encode(),
                headers=headers,
                preload_content=False,
                redirect=False,
            )
            try:
                return response.status, self._read(response, self._clock() + self._options.timeout)
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise WriterError(f"{self._options.base_url} did not answer: {type(error).__name__}: {error}") from error

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """Read a body as it comes, up to a size and a time: a server may send a byte now and then for ever."""
        parts, size = [], 0
        while part := response.read1(65536):
            parts.append(part)
            size += len(part)
            if size > MAX_BYTES:
                raise WriterError(f"{self._options.base_url} sent more than {MAX_BYTES} bytes")
            if self._clock() > deadline:
                raise WriterError(f"{self._options.base_url} was not done after {self._options.timeout:g} s")
        return b"".join(parts)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
