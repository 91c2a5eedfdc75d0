"""Themes written by a language model, whichever it is: asked once per group, some at a time, answers kept on disk.

The model is behind a `Writer`. A group whose question fails gets no draft, and the maker falls back to the default
generator; after some failures in a row the model is not asked any more in this job.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from personalize_nb.local.themes.answers import Answers
from personalize_nb.local.themes.generators import Draft, Proposal, ThemeRequest
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.prompting import Prompt, question, texts
from personalize_nb.local.themes.rules import one_line
from personalize_nb.local.themes.validator import Validator

MAX_FAILURES = 3  # in a row

log = logging.getLogger(__name__)


class WriterError(Exception):
    """A question that got no answer. `lasting` says that the next one will get none either."""

    def __init__(self, reason: str, lasting: bool = False):
        super().__init__(reason)
        self.reason, self.lasting = reason, lasting


class Writer(Protocol):
    """A language model. `identity` is everything besides the question that its answer depends on."""

    name: str
    identity: str

    def connect(self) -> None:
        """Get ready; called once, before the first question."""

    def write(self, asked: Prompt) -> str:
        """Return the answer to one question, or raise `WriterError`; called from several threads."""


class LanguageThemes:
    """A generator of themes that asks a language model.

    Parameters
    ----------
    writer
        The model.
    cache
        The folder for answers.
    concurrency
        Questions under way at once.
    """

    deterministic, needs_network = False, True

    def __init__(self, writer: Writer, cache: Path, concurrency: int):
        self.name = writer.name
        self._writer, self._cache, self._concurrency = writer, cache, concurrency
        self._index: Index | None = None
        self._validator: Validator | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def prepare(self, index: Index) -> None:
        """Take the catalogue."""
        self._index, self._validator = index, Validator(index)

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield a proposal per group; groups that were asked for before are answered from disk."""
        assert self._index is not None, "prepare comes first"
        asked = [question(request, self._index.catalogue) for request in requests]
        keys = [one.key(self._writer.identity) for one in asked]
        answers = Answers(self._cache)
        try:
            known: dict[str, str | WriterError] = dict(answers.find(keys))
            wanted = {key: one for key, one in zip(keys, asked, strict=True) if key not in known}
            known |= self._ask(wanted, answers)
        finally:
            answers.close()
        for request, key in zip(requests, keys, strict=True):
            yield self._proposal(request, known[key])

    def _ask(self, wanted: dict[str, Prompt], answers: Answers) -> dict[str, str | WriterError]:
        if not wanted:
            return {}
        log.info("asking %s for %d themes", self.name, len(wanted))
        self._failures = 0
        try:
            self._writer.connect()
        except WriterError as error:
            return dict.fromkeys(wanted, error)
        pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="themes")
        try:
            futures: dict[str, Future[str | WriterError]] = {
                key: pool.submit(self._answer, key, one, answers) for key, one in wanted.items()
            }
            return {key: future.result() for key, future in futures.items()}
        finally:
            pool.shutdown(cancel_futures=True)

    def _answer(self, key: str, asked: Prompt, answers: Answers) -> str | WriterError:
        with self._lock:
            if self._failures >= MAX_FAILURES:
                return WriterError(f"{self.name} was not asked any more after {self._failures} failures")
        try:
            answer = self._writer.write(asked)
        except WriterError as error:
            log.warning("%s gave no theme: %s", self.name, error.reason)
            with self._lock:
                self._failures = MAX_FAILURES if error.lasting else self._failures + 1
            return error
        with self._lock:
            self._failures = 0
        answers.keep(key, answer)
        return answer

    def _proposal(self, request: ThemeRequest, answer: str | WriterError) -> Proposal:
        if isinstance(answer, WriterError):
            return Proposal((), 0.0, problem=answer.reason)
        assert self._validator is not None, "prepare comes first"
        drafts = [one_line(text) for text in texts(answer)]
        fit = [text for text in drafts if not self._validator.problems(text, request.items)]
        if not fit:  # the maker finds the same problems, and records them
            return Proposal(
                tuple(Draft(text) for text in drafts),
                0.0,
                problem="" if drafts else f"{self.name} gave an empty answer",
            )
        # a model does not say how sure it is: the share of the items that bear its words out stands for it
        share, evidence = self._validator.evidence(fit[0], request.items)
        return Proposal(tuple(Draft(text) for text in fit), round(share, 4), evidence)
