"""Reports to read: one user's card, themes with their items, a job at a glance.

Every view is data first (a frame the caller has) and a `View` second: plain tables that stay readable when a
shared notebook is sanitised, and text with the same content. Floor 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb import columns as c
from personalize_nb import limits, markup
from personalize_nb.charts import View, text_bar
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.redact import redact

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.jobs import BatchInferenceJob


def show_user(
    user_id: str,
    recommendations: pd.DataFrame,
    interactions: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    title: str = "title",
    most: int = 10,
) -> View:
    """Show one user's latest history beside what is recommended, with titles.

    Parameters
    ----------
    user_id
        The user, as in the frames.
    recommendations
        A frame with `user_id`, `rank`, `item_id` and, if the recipe gives them, `score`.
    interactions
        History with `user_id`, `item_id` and, to put the latest first, `timestamp`.
    items
        Catalogue with `item_id` and the column named by `title`.
    most
        Rows to show of each.

    Raises
    ------
    NotFoundError
        The recommendations hold nothing for this user.
    """
    mine = recommendations[recommendations[c.USER_ID] == user_id].nsmallest(most, c.RANK)
    if mine.empty:
        known = recommendations[c.USER_ID].unique()[:3].tolist()
        raise NotFoundError(f"no recommendations for user {user_id!r}; the frame has {known} and others")
    names = _names(items, title)
    past: list[str] = []
    if interactions is not None:
        seen = interactions[interactions[c.USER_ID] == user_id]
        if "timestamp" in seen.columns:
            seen = seen.sort_values("timestamp", ascending=False)
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
        rows.append((before, rank, name, f"{score:.4g}" if scored else "", markup.bar(score / top) if scored else ""))
        text.append(f"{before[:38]:<38} | {rank!s:>3} {name[:44]:<44} {f'{score:.4g}' if scored else ''}")
    heading = f"User {user_id}"
    return View(
        markup.lines(
            markup.Markup("<b>{}</b>").format(heading),
            markup.table(rows, ("latest history", "rank", "recommended", "score", ""), numeric=(1, 3)),
        ),
        "\n".join([heading, f"{'latest history':<38} | {'':>3} recommended", *text]),
    )


def show_themes(
    themes: pd.DataFrame,
    items: pd.DataFrame | None = None,
    title: str = "title",
    threshold: float = limits.THEME_RELEVANCE_THRESHOLD,
    minimum_items: int = 3,
    most: int = 10,
) -> View:
    """Show themes with their items, in AWS's way: items of at least `threshold`, themes of at least `minimum_items`.

    Parameters
    ----------
    themes
        A frame with `item_id`, `theme`, `recommended_item_id` and `relevance`, as `job.themes()` gives it; that
        leaves out by itself what is below its own `threshold` and `minimum_items`.
    items
        Catalogue with `item_id` and the column named by `title`.
    threshold
        Least relevance of an item to be shown; AWS advises 0.1.
    minimum_items
        Least number of such items for a theme to be shown; AWS's sample uses 3.
    most
        Themes to show; the note below says how many there are.
    """
    missing = [name for name in (c.ITEM_ID, c.THEME, c.RECOMMENDED_ITEM_ID, c.RELEVANCE) if name not in themes.columns]
    if missing:
        raise InputError(f"the frame has no column {missing}; job.themes() of a theme job gives them")
    names = _names(items, title)
    kept = themes[themes[c.RELEVANCE] >= threshold]
    groups = [group for _, group in kept.groupby(c.ITEM_ID, sort=False) if len(group) >= minimum_items]
    parts, text = [], []
    for group in groups[:most]:
        seed, theme = group[c.ITEM_ID].iloc[0], group[c.THEME].iloc[0].rstrip(".")
        pairs = [
            (names.get(item, item), float(relevance))
            for item, relevance in zip(group[c.RECOMMENDED_ITEM_ID], group[c.RELEVANCE], strict=True)
        ]
        heading = f"{theme} (from {names.get(seed, seed)})"
        rows = [(name, f"{relevance:.2f}", markup.bar(relevance / 0.6)) for name, relevance in pairs]
        parts.append(
            markup.lines(
                markup.Markup("<b>{}</b> (from {})").format(theme, names.get(seed, seed)),
                markup.table(rows, ("item", "relevance", ""), numeric=(1,)),
            )
        )
        text.append("\n".join([heading] + [f"  {text_bar(r / 0.6, 10)} {r:.2f} {name}" for name, r in pairs]))
    note = _told(min(most, len(groups)), len(groups), themes[c.ITEM_ID].nunique(), threshold, minimum_items)
    return View(markup.lines(*parts, note), "\n".join([*text, note]))


def _told(shown: int, fit: int, whole: int, threshold: float, minimum_items: int) -> str:
    """Say how many of a frame's themes are shown, and why not the others, where there are others."""
    note = f"{shown} of the {whole} themes in this frame shown" if whole != 1 else f"{shown} of 1 theme shown"
    if shown < fit:
        note += f"; most={fit} shows {fit}"
    if fit < whole:
        have = "has" if whole - fit == 1 else "have"
        note += f"; {whole - fit} {have} fewer than {minimum_items} items of relevance {threshold} or more"
    return note


def show_job(job: BatchInferenceJob) -> View:
    """Show a job's parameters and state, account masked."""
    rows = [(name, redact(str(value))) for name, value in _facts(job.describe()).items()]
    width = max(len(name) for name, _ in rows)
    return View(markup.table(rows), "\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def _facts(description: dict[str, Any]) -> dict[str, Any]:
    """The members worth a reader's time, nested ones flattened to dotted names."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else name, inner)
        elif prefix != "ResponseMetadata":
            flat[prefix] = f"{value:%Y-%m-%d %H:%M:%S %Z}" if hasattr(value, "strftime") else value

    walk("", {name: value for name, value in description.items() if name != "ResponseMetadata"})
    return flat


def _names(items: pd.DataFrame | None, title: str) -> dict[str, str]:
    if items is None:
        return {}
    if title not in items.columns:
        raise InputError(f"the items frame has no column {title!r}; name one of {list(items.columns)} with title=")
    return dict(zip(items[c.ITEM_ID].astype(str), items[title].astype(str), strict=True))
