"""Data that was read once: a frame, or ids without a column, and what is to be told about the reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError

TEXT, JSON, TYPED = "text", "JSON", "typed"


@dataclass(frozen=True)
class Given:
    """Data of any accepted form after it was read.

    Parameters
    ----------
    values
        A frame with the names it came with; a series or an index where it was ids without a column.
    origin
        `TEXT` where everything is text because a text file holds nothing else, `JSON` where a key that a record lacks
        is a missing value, else `TYPED`.
    notes
        Sentences about what was decided in reading.
    """

    values: pd.DataFrame | pd.Series | pd.Index
    origin: str = TYPED
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the columns; none where it is ids without a column."""
        return [str(name) for name in self.values.columns] if isinstance(self.values, pd.DataFrame) else []


def joined(parts: Sequence[Given], names: Sequence[str]) -> Given:
    """Return parts that follow each other as one.

    Parameters
    ----------
    parts
        At least one.
    names
        What each is called in messages.

    Raises
    ------
    InputError
        The columns of two parts differ, or one has numbers where another has text.
    """
    if len(parts) == 1:
        return parts[0]
    notes = tuple(note for part in parts for note in part.notes)
    origin = parts[0].origin if len({part.origin for part in parts}) == 1 else TYPED
    frames = [_framed(part.values) for part in parts]
    first = list(frames[0].columns)
    if origin == JSON:  # a record may lack a key, so all the records of a file may
        first = list(dict.fromkeys(name for frame in frames for name in frame.columns))
        frames = [frame.reindex(columns=first) for frame in frames]
    for name, frame in zip(names, frames, strict=True):
        if sorted(map(str, frame.columns)) != sorted(map(str, first)) or not frame.columns.is_unique:
            raise InputError(
                f"Parts that are read as one must have the same columns, each once: {names[0]} has {_said(first)}, "
                f"{name} has {_said(list(frame.columns))} (parts are counted from 0). Rename them."
            )
    whole = pd.DataFrame({name: _column(name, [frame[name] for frame in frames], names) for name in first})
    if list(whole.columns) == [_BARE]:
        return Given(whole[_BARE].rename(None), origin, notes)
    return Given(whole, origin, notes)


_BARE = "ids without a column"


def _said(columns: Sequence[object]) -> str:
    return _BARE if columns == [_BARE] else str(list(columns))


def _framed(values: pd.DataFrame | pd.Series | pd.Index) -> pd.DataFrame:
    """Return a part as a frame whose names, and levels of the index that are columns, are in our spelling."""
    if not isinstance(values, pd.DataFrame):
        name = c.canonical(values.name)
        name = name if name in c.JSON_NAMES else _BARE  # a name of other ids is found by who knows which are wanted
        return pd.DataFrame({name: pd.Series(values).array})
    levels = [number for number, name in enumerate(values.index.names) if name is not None]
    return (values.reset_index(level=levels) if levels else values).rename(columns=c.canonical)


def _column(name: object, parts: list[pd.Series], names: Sequence[str]) -> pd.Series:
    if len({part.dtype for part in parts}) == 1:
        return pd.concat(parts, ignore_index=True)
    kinds = [_kind(part) for part in parts]
    if name in (*c.JSON_NAMES, _BARE) and {"numbers", "text"} <= set(kinds):
        numbers, text = names[kinds.index("numbers")], names[kinds.index("text")]
        raise InputError(
            f"{name} is numbers in {numbers} and text in {text}: read as numbers, an id loses its zeros in front. Read "
            f"all of it as text, for example with dtype=str."
        )
    # as objects, because pandas would make whole numbers beside missing ones floats
    return pd.concat([part.astype(object) for part in parts], ignore_index=True)


def _kind(part: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(part.dtype):
        return "numbers"
    return "text" if pd.api.types.is_string_dtype(part.dtype) and part.notna().any() else ""
