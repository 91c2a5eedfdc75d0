"""Frames of any spelling as this package reads them: our column names, ids as strings.

Results carry ids as strings, whatever the user's own frames hold. Whoever compares the two takes both through here,
or 1349 and "1349" are two users and every count is silently wrong.
"""

from __future__ import annotations

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.forms import Data, given
from personalize_nb.inputs.given import TEXT, TYPED, Given
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.text.values import shown

TIMESTAMP = "timestamp"
_IDS = (c.USER_ID, c.ITEM_ID, c.RECOMMENDED_ITEM_ID)
_LIKE = {c.RECOMMENDED_ITEM_ID.replace("_", ""): c.RECOMMENDED_ITEM_ID, TIMESTAMP: TIMESTAMP}


def table(data: Data | Given | None, wanted: str, hint: str = "") -> pd.DataFrame:
    """Return data of any form that has columns as a frame, with the names it came with.

    Parameters
    ----------
    data
        See `forms.FORMS`.
    wanted
        The beginning of messages: what the data must be.
    hint
        Where such a frame comes from, for messages.

    Raises
    ------
    InputError
        It is of no form that is known, or ids without columns.
    """
    told = f"; {hint}" if hint else ""
    if data is None:
        raise InputError(f"{wanted}, got {_told(data)}{told}")
    try:
        read = given(data, wanted)
    except InputError as error:
        if isinstance(data, str):  # perhaps it was not meant as a path
            raise InputError(f"{wanted}, or a file. {error}", error.findings) from error
        raise
    if not isinstance(read.values, pd.DataFrame):
        raise InputError(f"{wanted}, or anything else with columns, got {type(data).__name__} of values{told}")
    return read.values if read.origin == TYPED else _with_types(read.values, read.origin)


def plain(frame: Data | None, noun: str, *needed: str, hint: str = "") -> pd.DataFrame:
    """Return a frame with our spelling of its columns, and with those ids as strings that are needed.

    Parameters
    ----------
    frame
        The user's frame, or what stands in its place; it is not changed.
    noun
        What it is called in messages: the argument's name.
    *needed
        Columns it must have.
    hint
        Where such a frame comes from, for messages.

    Raises
    ------
    InputError
        It is no frame, lacks a column, has one twice, or holds ids that are none.

    Examples
    --------
    >>> plain(pd.DataFrame({"userId": [7]}), "truth", "user_id")["user_id"].tolist()
    ['7']
    """
    told = f"; {hint}" if hint else ""
    frame = table(frame, f"{noun!r} must be a DataFrame", hint)
    named = frame.rename(columns=_name)
    if c.RANK in needed and c.RANK not in named.columns:  # only where one is looked for: items may have a rank too
        named = named.rename(columns=lambda name: c.RANK if str(name).lower() == c.RANK else name)
    missing = [name for name in needed if name not in named.columns]
    if missing:
        raise InputError(f"{noun!r} has no column {missing}; it has {list(frame.columns)}{told}")
    twice = [name for name in needed if (named.columns == name).sum() > 1]
    if twice:
        raise InputError(f"{noun!r} has several columns for {twice}: {list(frame.columns)}; keep one of each")
    findings = Findings()
    ids = {
        name: to_strings(named[name], name, findings).to_pandas().set_axis(named.index)
        for name in needed
        if name in _IDS
    }
    findings.raise_errors(len(named), noun)
    return named.assign(**{name: texts.astype("str") for name, texts in ids.items()})


def filter_columns(themes: pd.DataFrame) -> list[str]:
    """Return the columns of filter values of a frame of themes: those between `item_id` and `theme`.

    The same item may have been asked for several values, and its themes differ by these columns alone.

    Examples
    --------
    >>> filter_columns(pd.DataFrame(columns=["item_id", "YEAR", "theme", "rank", "recommended_item_id"]))
    ['YEAR']
    """
    names = themes.columns.tolist()
    between = names[names.index(c.ITEM_ID) + 1 : names.index(c.THEME)]
    return [name for name in between if name not in (c.RANK, c.RECOMMENDED_ITEM_ID, c.RELEVANCE)]


def catalogue(items: Data, noun: str) -> set[str]:
    """Return the distinct item ids of a frame with `item_id`, or of the ids themselves."""
    read = given(items, f"{noun!r} must be a DataFrame with 'item_id' or a list of ids")
    if not isinstance(read.values, pd.DataFrame):
        read = Given(pd.DataFrame({c.ITEM_ID: pd.Series(read.values).array}))
    return set(plain(read, noun, c.ITEM_ID)[c.ITEM_ID].unique())


def identifier(value: object, name: str) -> str:
    """Return one id as results spell it; `name` is the argument's name in messages."""
    findings = Findings()
    text: str | None = to_strings(pd.Series([value], dtype=object), name, findings)[0].as_py()
    if text is None:
        problem = findings.frame()["problem"].iloc[0]
        raise InputError(f"{name!r} must be text or a whole number, got {_told(value)}: {problem}")
    return text


def _name(name: object) -> str:
    known = c.canonical(name)
    return _LIKE.get(known.replace("_", "").lower(), known)


def _told(value: object) -> str:
    return f"{type(value).__name__} {shown(value)}"


def _with_types(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return a file's frame with numbers where a column holds nothing else; ids stay as they are."""
    ids = [_name(name) in (*_IDS, c.ITEM_LIST) for name in frame.columns]
    read_as = _numbers if origin == TEXT else pd.Series.infer_objects
    columns = [frame.iloc[:, place] if ids[place] else read_as(frame.iloc[:, place]) for place in range(len(ids))]
    return pd.concat(columns, axis=1) if columns else frame


def _numbers(texts: pd.Series) -> pd.Series:
    """Return texts as numbers if all are, and none would lose a zero before or a digit behind it."""
    known = texts.dropna()
    if len(known) and known.str.fullmatch(r"-?(0|[1-9]\d{0,17})").all():
        return pd.to_numeric(texts.astype(object).where(texts.notna(), None)).astype("Int64")
    if len(known) and known.str.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d{1,17})?([eE][-+]?\d{1,3})?").all():
        return texts.astype("float64")
    return texts
