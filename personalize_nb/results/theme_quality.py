"""How good themes are, whoever made them: would a shop publish them, do they fit, from the frame and the catalogue.

The measures are counts over texts, with no model behind them, so that themes of AWS and of the embedded service can
be judged by the same yardstick. Words are compared without case and plural. `theme_checks` are the faults of titles,
`theme_ground` is the catalogue that they are judged by, `theme_words` knows words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.results.theme_checks import CHECKS, JudgedTitle, doubled, judge, key, unquoted
from personalize_nb.results.theme_ground import ThemeGround
from personalize_nb.results.theme_words import lemma
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from personalize_nb.inputs.forms import Data

MAX_WORDS, MAX_CHARACTERS = 8, 60
_FACE = "<ThemeQuality: .themes has a row per theme, .checks what is wrong with each, .summary these figures>"
SAME_GROUP = 0.5  # groups that share this part of their items may share a theme

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_MARKS = re.compile(r"[<>{}\[\]|\\`*_#@$%^~=;\"“”\x00-\x1f]|https?:|www\.|[!?,:;]$|\b[a-z0-9-]{2,}\.(com|net|org|io)\b")
_FUNCTION = (
    "a an and are as at be best by every for from great has have in into is it its more most my new of on or our out "
    "over the their these this those to up us very what when who with you your all"
)
_MEDIA = "book film item movie novel pick product series show song story tale title"
_DANGLING = "a an and at by for from in into of on or the to with your"
_FUNCTION_WORDS, _MEDIA_WORDS, _DANGLING_WORDS = (frozenset(text.split()) for text in (_FUNCTION, _MEDIA, _DANGLING))


@public
@dataclass(frozen=True, repr=False)
class ThemeQuality:
    """What was measured: a row per theme, and the means over all of them.

    Parameters
    ----------
    themes
        Columns `item_id`, those of filter values, `theme`, `items`, `words`, `form` (what is wrong with it; empty when
        nothing is), `duplicates` (other groups, of different items, with a theme that says the same), `coverage` (mean
        share of the group's items that use a content word of the theme), `base` (the same over the whole catalogue),
        `lift` (how many times more), `mean_relevance` and `relevant` (share of items at or above the threshold), both
        of the items that have a score, `coherence` (mean likeness of the group's items; about 0 of items drawn at
        random, 1 of equal ones) and `publishable` (no check found anything).
    summary
        The figures over all themes; shares are between 0 and 1.
    notes
        What a reader of the figures should know.
    checks
        A row per theme again, with what each check found, empty where it found nothing: `form`, `codes` (sizes, flags,
        stock codes), `missing` (words for no value), `head` (no noun for many things, or not what the items are),
        `breadth` (two kinds, or a wider one than the items share),
        `subject` (what follows "about" or "with" is no noun, or not what the items share), `period`, `language` (two
        in a title), `names` (without capitals), `fans` (the items are not like the one that is named), `doubled`
        (another group says the same), and `why`: all of it.

    References
    ----------
    See `theme_quality`.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> themes = pd.DataFrame({"item_id": ["a"], "theme": "Voyages", "recommended_item_id": "b", "relevance": 0.4})
    >>> books = pd.DataFrame({"item_id": ["b", "c"], "title": ["A voyage", "Roses"]})
    >>> pnb.theme_quality(themes, books).summary[["themes", "mean_coverage", "relevant_share"]].tolist()
    [1.0, 1.0, 1.0]
    """

    themes: pd.DataFrame
    summary: pd.Series
    notes: tuple[str, ...] = field(default=())
    checks: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        lines = [f"{str(name).replace('_', ' '):<22} {value:.3g}" for name, value in self.summary.items()]
        return "\n".join([*lines, *self.notes, _FACE])


@public
def theme_quality(
    frame: Data,
    items: Data,
    *,
    text: Sequence[str] | None = None,
    threshold: float = limits.THEME_RELEVANCE_THRESHOLD,
) -> ThemeQuality:
    """Measure the themes of a job or run.

    Parameters
    ----------
    frame
        `job.themes(threshold=None, minimum_items=0)`: with all items, because the defaults leave out those that do
        not fit.
    items
        The catalogue: `item_id` and columns of text.
    text
        Which columns of `items` to read; by default all that hold text.
    threshold
        Least relevance of an item that counts as relevant; AWS advises 0.1.

    Returns
    -------
    ThemeQuality
        `.themes` has a row for each theme, `.summary` the means.

    Raises
    ------
    InputError
        A column is missing, or a relevance is no number.

    References
    ----------
    "Batch recommendations with themes from Content Generator" of Amazon Personalize's developer guide advises the
    threshold; the other figures are ours.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> themes = pd.DataFrame({"item_id": "a", "theme": "Sea voyages", "recommended_item_id": ["b", "c"],
    ...                        "relevance": [0.4, 0.05]})
    >>> books = pd.DataFrame({"item_id": ["b", "c", "d"], "title": ["A voyage", "The sea", "Roses"]})
    >>> quality = pnb.theme_quality(themes, books)
    >>> quality.themes.loc[0, ["coverage", "relevant"]].tolist()
    [0.5, 0.5]

    What is wrong with a title stands in words:

    >>> pnb.theme_quality(themes.assign(theme="Unknown xs picks"), books).checks.loc[0, "why"]
    "'xs' is a code; 'Unknown' stands for no value; it names no kind of thing"
    """
    needed = (c.ITEM_ID, c.THEME, c.RECOMMENDED_ITEM_ID, c.RELEVANCE)
    frame = frames.plain(frame, "frame", *needed, hint="job.themes(threshold=None, minimum_items=0) gives them")
    frame = frame.assign(**{c.THEME: _themes(frame[c.THEME]), c.RELEVANCE: _scores(frame[c.RELEVANCE])})
    catalogue, columns = _catalogue(items, text)
    cells = (catalogue[name].astype(object).fillna("").astype(str) for name in columns)
    texts = pd.Series(map(" ".join, zip(*cells, strict=True)), index=catalogue.index, dtype=object)
    keys = [c.ITEM_ID, *frames.filter_columns(frame)]
    named = frame[frame[c.THEME].notna()]
    groups = [
        (asked, str(theme), group[c.RECOMMENDED_ITEM_ID].tolist(), group[c.RELEVANCE].to_numpy(float))
        for (*asked, theme), group in named.groupby([*keys, c.THEME], sort=False, dropna=False)
    ]
    ground = ThemeGround(catalogue, columns, {item for _, _, members, _ in groups for item in members})
    used = _Uses(texts, {word for _, theme, _, _ in groups for word in _content(theme)})
    repeated = _duplicates([(theme, frozenset(members)) for _, theme, members, _ in groups])
    rows, judged = [], []
    for (asked, theme, members, relevance), duplicates in zip(groups, repeated, strict=True):
        coverage, base = used.coverage(theme, members)
        lift = coverage / base if base else float("nan")
        scored = relevance[~np.isnan(relevance)]
        mean, share = (scored.mean(), (scored >= threshold).mean()) if len(scored) else (np.nan, np.nan)
        found = "; ".join(_form(theme))
        known = tuple(ground.rows[item] for item in members if item in ground.rows)
        title = JudgedTitle(theme, ground.rows.get(asked[0], -1), known, ground)
        checks = {"form": found} | judge(title) | {"doubled": doubled(duplicates)}
        why = "; ".join(told for told in checks.values() if told)
        judged.append((*asked, theme, *checks.values(), why))
        counts = (len(members), len(theme.split()), found, duplicates, coverage, base, lift, mean, share)
        rows.append((*asked, theme, *counts, ground.likeness(known), not why))
    names = [*keys, c.THEME, "items", "words", "form", "duplicates", "coverage", "base", "lift"]
    measured = pd.DataFrame(rows, columns=[*names, "mean_relevance", "relevant", "coherence", "publishable"])
    checked = pd.DataFrame(judged, columns=[*keys, c.THEME, "form", *CHECKS, "doubled", "why"])
    return ThemeQuality(measured, _summary(measured, checked), tuple(_notes(frame, texts, threshold)), checked)


def _summary(measured: pd.DataFrame, checked: pd.DataFrame) -> pd.Series:
    return pd.Series(
        {
            "themes": float(len(measured)),
            "publishable_share": measured["publishable"].astype(float).mean(),
            "distinct": float(measured[c.THEME].str.casefold().nunique()),
            "duplicate_share": (measured["duplicates"] > 0).mean(),
            "good_form_share": (measured["form"] == "").mean(),
            "mean_words": measured["words"].mean(),
            "mean_coverage": measured["coverage"].mean(),
            "median_lift": measured["lift"].dropna().median(),
            "mean_relevance": measured["mean_relevance"].mean(),
            "relevant_share": measured["relevant"].mean(),
            "mean_coherence": measured["coherence"].mean(),
            **{f"{name}_share": (checked[name] != "").mean() for name in CHECKS},
        }
    )


def _notes(frame: pd.DataFrame, texts: pd.Series, threshold: float) -> Iterable[str]:
    if len(frame) and (frame[c.RELEVANCE] >= threshold).all():
        yield (
            f"Every item has a relevance of {threshold} or more: the frame may be cut already; measure "
            "job.themes(threshold=None, minimum_items=0)."
        )
    nameless = frame.loc[frame[c.THEME].isna(), c.ITEM_ID].nunique()
    if nameless:
        items, have = counted(nameless, "input item"), verb(nameless, "has", "have")
        yield f"{items} {have} no theme and {_count(nameless)} nowhere."
    unscored = int(frame[c.RELEVANCE].isna().sum())
    if unscored:
        items, have = counted(unscored, "recommended item"), verb(unscored, "has", "have")
        yield f"{items} {have} no relevance and {_count(unscored)} in coverage only."
    unknown = frame.loc[~frame[c.RECOMMENDED_ITEM_ID].isin(texts.index), c.RECOMMENDED_ITEM_ID].nunique()
    if unknown:
        items, are = counted(unknown, "recommended item"), verb(unknown, "is", "are")
        yield f"{items} {are} not in the items frame and {_count(unknown)} as using no word."


def _count(number: int) -> str:
    return verb(number, "counts", "count")


def _themes(written: pd.Series) -> pd.Series:
    """Return themes with single spaces and without the full stop that AWS sometimes writes; missing where empty."""
    plain = written.astype(object).where(written.notna(), "").astype(str)
    plain = plain.str.split().str.join(" ").str.rstrip(".").str.rstrip()
    return plain.where(plain != "", None)


def _scores(given: pd.Series) -> pd.Series:
    """Return relevances as numbers, NaN where there is none."""
    numbers = pd.to_numeric(given, errors="coerce").astype(float)
    text = given.astype(object).where(given.notna(), "").astype(str).str.strip()
    wrong = given[numbers.isna() & (text != "") & (text.str.lower() != "nan")]
    if len(wrong):
        raise InputError(
            f"column 'relevance' must hold numbers, got {wrong.iloc[0]!r} in {len(wrong):,} of {len(given):,} rows; "
            "job.themes(threshold=None, minimum_items=0) gives them"
        )
    return numbers


def _catalogue(items: Data, text: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """Return the items by id, and the columns of text to read."""
    named = frames.plain(items, "items", c.ITEM_ID)
    missing = [name for name in text or () if name not in named.columns]
    if missing:
        raise InputError(f"the items frame has no column {missing}; it has {list(named.columns)}")
    chosen = list(text or [name for name in named.columns if name != c.ITEM_ID and _is_text(named[name])])
    if not chosen:
        raise InputError(f"the items frame has no column of text among {list(named.columns)}; name some with text=")
    return named.drop_duplicates(c.ITEM_ID).set_index(c.ITEM_ID), chosen


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)


class _Uses:
    """Which items of the catalogue use which words of the themes."""

    def __init__(self, texts: pd.Series, words: set[str]):
        self._rows = {item: row for row, item in enumerate(texts.index)}
        self._items: dict[str, set[int]] = {word: set() for word in words}
        for row, text in enumerate(texts):
            for word in words.intersection(_lemmas(text)):
                self._items[word].add(row)

    def coverage(self, theme: str, members: Sequence[str]) -> tuple[float, float]:
        """Return the mean share of a group's items that use a content word, and that of all items."""
        words = _content(theme)
        rows = [self._rows.get(item, -1) for item in members]
        if not words or not rows:
            return 0.0, 0.0
        own = [sum(row in self._items[word] for row in rows) / len(rows) for word in words]
        everywhere = [len(self._items[word]) / max(1, len(self._rows)) for word in words]
        return float(np.mean(own)), float(np.mean(everywhere))


def _duplicates(groups: Sequence[tuple[str, frozenset[str]]]) -> list[int]:
    """Count for each group the others whose theme says the same although their items are different ones."""
    bearers: dict[tuple[str, ...], list[frozenset[str]]] = {}
    for theme, members in groups:
        bearers.setdefault(key(theme), []).append(members)
    return [
        sum(
            len(members & other) < SAME_GROUP * max(1, len(members | other))
            for other in bearers[key(theme)]
            if other is not members
        )
        for theme, members in groups
    ]


def _form(theme: str) -> list[str]:
    """Return what is wrong with the form of a theme."""
    text, words = theme, theme.split()
    found = []
    if len(words) > MAX_WORDS:
        found.append(f"has {len(words)} words, good are up to {MAX_WORDS}")
    if len(text) > MAX_CHARACTERS:
        found.append(f"has {len(text)} characters, good are up to {MAX_CHARACTERS}")
    if words and not words[0][0].isupper() and not words[0][0].isdigit():
        found.append("begins with a small letter")
    if words and words[-1].lower() in _DANGLING_WORDS:
        found.append(f"ends with {words[-1]!r}")
    if _MARKS.search(text):
        found.append("has marks that do not belong in a title")
    said = [word for word in _lemmas(unquoted(text)) if word not in _FUNCTION_WORDS]
    if len(set(said)) < len(said):
        found.append("repeats a word")
    return found


def _content(theme: str) -> list[str]:
    """Return the words of a theme that say something of the items, each once."""
    said = [word for word in _lemmas(theme) if word not in _FUNCTION_WORDS and not word.isdigit()]
    return list(dict.fromkeys([word for word in said if word not in _MEDIA_WORDS] or said))


def _lemmas(text: str) -> list[str]:
    return [lemma(match.group()) for match in _WORD.finditer(text)]
