"""What goes over the endpoint: requests and responses, and what a service is to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import Body

# How a request looks from outside tells its wire protocol, before anything says which service is meant.
Wire = Literal["json", "query", "s3"]


class Headers(Mapping[str, str]):
    """Headers of a request, found by name in any case; a repeated header's values are joined by commas."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()):
        self._values: dict[str, str] = {}
        for name, value in items:
            before = self._values.get(name.lower())
            self._values[name.lower()] = value if before is None else f"{before},{value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass
class Request:
    """An authenticated request. `path` is still percent-encoded; `query` is decoded; `body` is read once."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Body
    service: str
    region: str
    access_key: str
    host: str


@dataclass
class FileBody:
    """A stretch of an open file as the body of an answer; the endpoint closes the file."""

    file: BinaryIO
    offset: int
    length: int


@dataclass
class Response:
    """An answer. An iterable body of unknown length is sent in chunks."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | FileBody | Iterable[bytes] = b""


@dataclass(frozen=True)
class Handler:
    """One service behind the endpoint.

    Parameters
    ----------
    answer
        Does what a request asks; an `ApiError` is put into words by `refuse`.
    refuse
        How the service says no.
    wire
        How requests of the service look; unsigned ones are refused as the first service of that protocol does.
    any_region
        Whether requests may be signed for another region than the endpoint's.
    """

    answer: Callable[[Request], Response]
    refuse: Callable[[ApiError], Response]
    wire: Wire = "json"
    any_region: bool = False
