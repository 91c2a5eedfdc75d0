"""Lists from whatever has them: a job, a run, results, or a frame; of several questions each with its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.results.results_as import ResultsAs
from personalize_nb.results.side_by_side import SideBySideAs

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_JOB_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,62}")  # a file's name has an ending

AnyResults: TypeAlias = "ResultsAs[Any] | SideBySideAs[Any]"


@runtime_checkable
class HasResults(Protocol):
    """A job or run that has ended."""

    def results(self) -> AnyResults:
        """Return what it wrote."""


Lists: TypeAlias = "Data | HasResults | AnyResults"


def results_of(source: Lists) -> AnyResults | None:
    """Return the results of a job, run or results; None where it is data."""
    if isinstance(source, ResultsAs | SideBySideAs):
        return source
    # a frame may have a column of that name
    if not isinstance(source, pd.DataFrame) and isinstance(source, HasResults):
        return source.results()
    return None


def recommendations_of(source: Lists) -> Data:
    """Return the recommendations of a job, run or results; data as they are."""
    results = results_of(source)
    found: Data = _data(source) if results is None else results.recommendations()
    return found


def any_lists_of(source: Lists, noun: str) -> pd.DataFrame:
    """Return lists of any kind as a frame: themes with all their items, segments, or recommendations."""
    results = results_of(source)
    if results is None:
        return frames.plain(_data(source), noun, c.RANK, hint="job.recommendations() gives such a frame")
    if results.has_themes:
        found = results.themes(threshold=None, minimum_items=0)
    elif results.has_segments:
        found = results.segments()
    else:
        found = results.recommendations()
    return frames.plain(found, noun, c.RANK)


def questions_of(source: Lists) -> list[tuple[str, AnyResults]]:
    """Return the results of a run of several models or filters, each with what tells it from the others."""
    results = results_of(source)
    return [*results.each()] if isinstance(results, SideBySideAs) else []


def _data(source: Any) -> Any:
    """Return data; refuse what is the name of a job rather than of a file."""
    if isinstance(source, str) and _JOB_NAME.fullmatch(source) and not Path(source).exists():
        raise InputError(
            f"Lists are of a job, its results, a frame or a file; {source!r} is none. If it is the name of a job, "
            f"pnb.attach({source!r}) is that job."
        )
    return source
