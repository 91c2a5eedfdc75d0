"""What two READMEs tell of the benches, written from the files of results and from nothing else.

`benchmarks/README.md` has every table, the README of the repository eight ratios.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import MEANS, OURS, RATIOS, RESULTS, Row, load, render

TABLES = Path(__file__).parent / "README.md"
README = TABLES.parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: written by `python -m benchmarks` -->", "<!-- /benchmarks -->"


class Headline(NamedTuple):
    """A ratio that the first page tells: a row of a bench and one peer, in words."""

    bench: str
    task: str
    figure: str
    peer: str
    words: str


# Two of the eight are against us: readers should know what falls short before they find out.
HEADLINES = (
    Headline(
        "quality",
        "aws-user-personalization: Amazon's hold-out",
        "NDCG@25",
        "AWS, published 2020",
        "NDCG@25 of User-Personalization on MovieLens, beside the figure that AWS published",
    ),
    Headline(
        "quality",
        "aws-user-personalization: Amazon's hold-out",
        "NDCG@25",
        "implicit ALS",
        "the same, beside implicit's ALS, tuned",
    ),
    Headline(
        "quality",
        "aws-similar-items, aws-sims: what follows the last item given",
        "NDCG@25",
        "AWS SIMS, published 2020, of a query that it does not name",
        "NDCG@25 of Similar-Items, beside AWS's figure for SIMS",
    ),
    Headline(
        "learning",
        "10,000,000 events of 50,000 items learnt",
        "s",
        "implicit ALS",
        "learning 10 million events, beside implicit's ALS",
    ),
    Headline(
        "learning",
        "1,000,000 events of 50,000 items learnt",
        "s",
        "implicit ALS",
        "learning 1 million events, beside implicit's ALS",
    ),
    Headline(
        "filters",
        "category, price, not met",
        "users/s",
        "a mask per user",
        "a filter of three conditions for a million users, beside a mask per user",
    ),
    Headline(
        "objects",
        "one object of 1,000 MB down",
        "MB/s",
        "moto",
        "an object of 1 GB down through boto3, beside moto's server",
    ),
    Headline(
        "inference",
        "10,000,000 users, best 25 of 50,000 items not met",
        "users/s",
        "implicit ALS",
        "a local job of 10 million users, beside implicit's ALS, which ranks only",
    ),
)


def tables(folder: Path = RESULTS) -> str:
    """All results as Markdown: for each bench a line that unfolds to its table, so that the page stays readable."""
    parts = []
    for path in sorted(folder.glob("*.json")):
        facts, found = load(path)
        layout = facts.get("layout", RATIOS)
        values = "means and standard errors" if layout == MEANS else "medians"
        mode = f"{facts['mode']}, " if "mode" in facts else ""
        how = f"{values} of {facts['rounds']} rounds, {mode}{facts['machine']}, {facts['date']}"
        head = f"<summary><b>{facts['title']}</b> ({how})</summary>"
        parts.append(f"<details>\n{head}\n\n{render(layout, found)}\n\n</details>")
    return "\n\n".join(parts)


def ratios(folder: Path = RESULTS) -> str:
    """The headlines as Markdown; above 1x is for us."""
    lines = ["| what | better by |", "|---|---:|"]
    for headline in HEADLINES:
        facts, found = load(folder / f"{headline.bench}.json")
        row = next(row for row in found if (row.task, row.figure) == (headline.task, headline.figure))
        lines.append(f"| {headline.words} | {_ratio(row, headline.peer, facts.get('layout', RATIOS)):.3g}x |")
    return "\n".join(lines)


def _ratio(row: Row, peer: str, layout: str) -> float:
    """Compare what the bench's own table shows: means over folds, or medians of rounds."""
    if layout == RATIOS:
        return row.ratio(peer)
    means = {name: (statistics.fmean(values),) for name, values in row.samples.items() if name in (OURS, peer)}
    return Row(row.task, row.figure, row.more_is_better, means).ratio(peer)


def fill(text: str, body: str) -> str:
    """Put a body between a text's markers.

    Raises
    ------
    ValueError
        The text has no such markers.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n{body}\n{end}{after}"


def pages() -> dict[Path, str]:
    """Both READMEs as the results say that they should read."""
    bodies = {TABLES: tables(), README: ratios()}
    return {path: fill(path.read_text(encoding="utf-8"), body) for path, body in bodies.items()}


def write() -> None:
    """Bring both READMEs up to date."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
