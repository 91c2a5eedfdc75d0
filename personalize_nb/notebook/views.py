"""Reports to read: one user's card, themes with their items, a job at a glance.

Every view is data first (a frame the caller has) and a `View` second: plain tables that stay readable when a
shared notebook is sanitised, and text with the same content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import is_data
from personalize_nb.jobs.runs import attach
from personalize_nb.notebook.charts import View, text_bar
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.redact import redact

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.jobs.job import AnyJob
    from personalize_nb.jobs.run import Run
    from personalize_nb.session.session import Session

_OF_USERS = "job.recommendations() of a job about users gives such a frame"


@public
def show_user(
    user_id: str | int | Data | None,
    recommendations: Data | None = None,
    interactions: Data | None = None,
    items: Data | None = None,
    title: str = "title",
    most: int = 10,
) -> View:
    """Show one user's latest history beside what is recommended, with titles.

    Parameters
    ----------
    user_id
        The user; 1349 and `"1349"` are the same one. None, or left out (`show_user(recommendations, ...)`), for the
        first one of the recommendations; a note names others.
    recommendations
        A frame with `user_id`, `rank`, `item_id` and, if the recipe gives them, `score`.
    interactions
        History with `user_id`, `item_id` and, to put the latest first, `timestamp`.
    items
        Catalogue with `item_id` and the column named by `title`.
    most
        Rows to show of each, 1 or more.

    Raises
    ------
    NotFoundError
        The recommendations hold nothing for this user.
    InputError
        A frame has not the columns, or ids that are none.
    """
    _at_least_one(most)
    if is_data(user_id):  # no user is named: the frames stand one place further left
        if recommendations is not None:
            interactions, items = recommendations, interactions if items is None else items
        user_id, recommendations = None, user_id
    lists = frames.plain(recommendations, "recommendations", c.USER_ID, c.RANK, c.ITEM_ID, hint=_OF_USERS)
    user, note = _first_user(lists) if user_id is None else (frames.identifier(user_id, "user_id"), "")
    mine = lists[lists[c.USER_ID] == user].nsmallest(most, c.RANK)
    if mine.empty:
        users = lists[c.USER_ID].unique()
        others = f" and {counted(len(users) - 3, 'other')}" if len(users) > 3 else ""
        raise NotFoundError(f"no recommendations for user {user!r}; the frame has {users[:3].tolist()}{others}")
    names = _names(items, title)
    past: list[str] = []
    if interactions is not None:
        interactions = frames.plain(interactions, "interactions", c.USER_ID, c.ITEM_ID)
        seen = interactions[interactions[c.USER_ID] == user]
        if frames.TIMESTAMP in seen.columns:
            seen = seen.sort_values(frames.TIMESTAMP, ascending=False)
        past = [names.get(item, item) for item in seen[c.ITEM_ID].drop_duplicates().head(most)]
    scores = mine[c.SCORE] if c.SCORE in mine.columns else mine[c.RANK] * float("nan")
    top = scores.max()
    rows, text = [], []
    for place in range(max(len(mine), len(past))):
        before = past[place] if place < len(past) else ""
        rank, name, score = "", "", float("nan")
        if place < len(mine):
            row = mine.iloc[place]
            rank, name, score = row[c.RANK], names.get(row[c.ITEM_ID], row[c.ITEM_ID]), scores.iloc[place]
        scored = score == score
        rows.append((before, rank, name, f"{score:.4g}" if scored else "", html.bar(score / top) if scored else ""))
        text.append(f"{before[:38]:<38} | {rank!s:>3} {name[:44]:<44} {f'{score:.4g}' if scored else ''}")
    heading = f"User {user}"
    return View(
        html.lines(
            html.Markup("<b>{}</b>").format(heading),
            html.table(rows, ("latest history", "rank", "recommended", "score", ""), numeric=(1, 3)),
            note,
        ),
        "\n".join([heading, f"{'latest history':<38} | {'':>3} recommended", *text, *filter(None, [note])]),
    )


def _first_user(recommendations: pd.DataFrame) -> tuple[str, str]:
    """Return the user that the frame begins with, and a note that names the next ones."""
    users = recommendations[c.USER_ID].unique().tolist()
    if not users:
        raise InputError("'recommendations' is empty, so there is no user to show; job.errors() tells of failed lines")
    named = ", ".join(map(repr, users[1:4]))
    more = f" and {counted(len(users) - 4, 'other')}" if len(users) > 4 else ""
    return users[
        0
    ], f"The first of {len(users):,} users. Name another as show_user(user, ...): {named}{more}." if named else ""


@public
def show_themes(
    themes: Data,
    items: Data | None = None,
    title: str = "title",
    threshold: float = limits.THEME_RELEVANCE_THRESHOLD,
    minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    most: int = 10,
) -> View:
    """Show themes with their items, in AWS's way: items of at least `threshold`, themes of at least `minimum_items`.

    Parameters
    ----------
    themes
        A frame with `item_id`, `theme`, `recommended_item_id` and `relevance`, as `job.themes()` gives it; that
        leaves out by itself what is below its own `threshold` and `minimum_items`. Columns between `item_id` and
        `theme` are filter values, and an item has a theme for each of them.
    items
        Catalogue with `item_id` and the column named by `title`; by default the titles that `job.themes(items=...)`
        put in the frame, and ids where it has none.
    threshold
        Least relevance of an item to be shown; AWS advises 0.1.
    minimum_items
        Least number of such items for a theme to be shown; AWS's sample uses 3.
    most
        Themes to show, 1 or more; the note below says how many there are.
    """
    _at_least_one(most)
    needed = (c.ITEM_ID, c.THEME, c.RECOMMENDED_ITEM_ID, c.RELEVANCE)
    themes = frames.plain(themes, "themes", *needed, hint="job.themes() of a theme job gives such a frame")
    names = _own_names(themes, title) if items is None else _names(items, title)
    values = frames.filter_columns(themes)
    keys = [c.ITEM_ID, c.THEME, *values]
    kept = themes[(themes[c.RELEVANCE] >= threshold) & themes[c.THEME].notna()]
    groups = [group for _, group in kept.groupby(keys, sort=False, dropna=False) if len(group) >= minimum_items]
    parts, text = [], []
    for group in groups[:most]:
        seed, theme = group[c.ITEM_ID].iloc[0], group[c.THEME].iloc[0].rstrip(".")
        pairs = [
            (names.get(item, item), float(relevance))
            for item, relevance in zip(group[c.RECOMMENDED_ITEM_ID], group[c.RELEVANCE], strict=True)
        ]
        given = [f"{name} {group[name].iloc[0]}" for name in values if pd.notna(group[name].iloc[0])]
        origin = ", ".join([str(names.get(seed, seed)), *given])
        heading = f"{theme} (from {origin})"
        rows = [(name, f"{relevance:.2f}", html.bar(relevance / 0.6)) for name, relevance in pairs]
        parts.append(
            html.lines(
                html.Markup("<b>{}</b> (from {})").format(theme, origin),
                html.table(rows, ("item", "relevance", ""), numeric=(1,)),
            )
        )
        text.append("\n".join([heading] + [f"  {text_bar(r / 0.6, 10)} {r:.2f} {name}" for name, r in pairs]))
    whole = len(themes[keys].drop_duplicates())
    note = _told(min(most, len(groups)), len(groups), whole, threshold, minimum_items)
    return View(html.lines(*parts, note), "\n".join([*text, note]))


def _told(shown: int, fit: int, whole: int, threshold: float, minimum_items: int) -> str:
    """Say how many of a frame's themes are shown, and why not the others, where there are others."""
    note = f"{shown} of the {whole} themes in this frame shown" if whole != 1 else f"{shown} of 1 theme shown"
    if shown < fit:
        note += f"; most={fit} shows {fit}"
    if fit < whole:
        have = verb(whole - fit, "has", "have")
        note += f"; {whole - fit} {have} fewer than {minimum_items} items of relevance {threshold} or more"
    return note


@public
def show_job(job: AnyJob | Run | str, session: Session | None = None) -> View:
    """Show a job's parameters and state, account masked.

    Parameters
    ----------
    job
        A job or run, its name or its ARN.
    session
        Where to look for a name; by default the session of `pnb.connect()`.
    """
    found = attach(job, session) if isinstance(job, str) else job
    rows = [(name, redact(str(value))) for name, value in _facts(found.describe()).items()]
    width = max(len(name) for name, _ in rows)
    return View(html.table(rows), "\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def _facts(description: dict[str, Any]) -> dict[str, Any]:
    """Return the members worth a reader's time, nested ones flattened to dotted names."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else name, inner)
        elif prefix != "ResponseMetadata":
            flat[prefix] = f"{value:%Y-%m-%d %H:%M:%S %Z}" if hasattr(value, "strftime") else value

    walk("", {name: value for name, value in description.items() if name != "ResponseMetadata"})
    return flat


def _names(items: Data | None, title: str) -> dict[str, str]:
    if items is None:
        return {}
    frame = frames.table(items, "'items' must be a DataFrame")
    if title not in frame.columns:
        raise InputError(f"the items frame has no column {title!r}; name one of {list(frame.columns)} with title=")
    return _titled(frames.plain(frame, "items", c.ITEM_ID), c.ITEM_ID, title)


def _own_names(themes: pd.DataFrame, title: str) -> dict[str, str]:
    """Return the names that a themes frame brings: a column for the items, one with `item_` before it for the seeds."""
    for name in (title, *c.NAME_COLUMNS):
        if name in themes.columns and f"item_{name}" in themes.columns:
            return _titled(themes, c.ITEM_ID, f"item_{name}") | _titled(themes, c.RECOMMENDED_ITEM_ID, name)
    return {}


def _titled(frame: pd.DataFrame, ids: str, title: str) -> dict[str, str]:
    """Names by id; an item without one is left out, so that its id is shown."""
    named = frame[[ids, title]].dropna().drop_duplicates(ids)
    return dict(zip(named[ids], named[title].astype(str), strict=True))


def _at_least_one(most: int) -> None:
    if not isinstance(most, int) or most < 1:
        raise InputError(f"'most' must be a whole number from 1, got {most!r}")
