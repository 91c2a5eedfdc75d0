"""What every bench shares: interleaved rounds, medians, ratios, a table and a file of results.

Contenders take turns, and each round begins with another one, so that a machine that slows down slows all of them.
The ratio of two medians of one run says something; a figure alone depends on the machine.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
OURS = "personalize_nb"
# Layouts of results: medians with ratios, or means with standard errors over folds.
RATIOS, MEANS = "ratios", "means"

Figures = Mapping[str, float]
Samples = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Row:
    """One figure of all contenders.

    Attributes
    ----------
    task
        What was done, for example `1 GB up`.
    figure
        What was measured, with its unit: `MB/s`.
    more_is_better
        Whether the larger value wins.
    samples
        The values of every round by contender; ours is `personalize_nb`.
    """

    task: str
    figure: str
    more_is_better: bool
    samples: Mapping[str, Sequence[float]] = field(repr=False)

    def median(self, contender: str) -> float:
        return statistics.median(self.samples[contender])

    def ratio(self, peer: str) -> float:
        """How many times better than `peer` we are: above 1 is for us, whichever way the figure counts."""
        ours, theirs = self.median(OURS), self.median(peer)
        better, worse = (ours, theirs) if self.more_is_better else (theirs, ours)
        return better / worse if worse else float("inf")


def interleave(contenders: Mapping[str, Callable[[], Figures]], rounds: int) -> Samples:
    """Let each contender run once a round, the first one changing, and collect its figures."""
    names = list(contenders)
    samples: Samples = {name: {} for name in names}
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            for figure, value in contenders[name]().items():
                samples[name].setdefault(figure, []).append(value)
    return samples


def rows(task: str, samples: Samples, more_is_better: Iterable[str] = ()) -> list[Row]:
    """One row for each figure of a task; those named in `more_is_better` win when large."""
    wins = set(more_is_better)
    figures = next(iter(samples.values()))
    return [
        Row(task, figure, figure in wins, {name: tuple(found[figure]) for name, found in samples.items()})
        for figure in figures
    ]


def table(found: Sequence[Row]) -> str:
    """The medians and ratios as a Markdown table."""
    peers = list(dict.fromkeys(name for row in found for name in row.samples if name != OURS))
    head = ["", "", OURS, *(column for peer in peers for column in (peer, f"better than {peer}"))]
    lines = [head, ["---", "---", *["---:"] * (len(head) - 2)]]
    task = None
    for row in found:
        cells = [row.task if row.task != task else "", row.figure, _short(row.median(OURS))]
        for peer in peers:
            known = peer in row.samples
            cells += [_short(row.median(peer)), _times(row.ratio(peer))] if known else ["", ""]
        lines.append(cells)
        task = row.task
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def means(found: Sequence[Row]) -> str:
    """A Markdown table for each task with a line per contender: the mean of each figure and its standard error."""
    tables = []
    for task in dict.fromkeys(row.task for row in found):
        of_task = [row for row in found if row.task == task]
        lines = [[task, *(row.figure for row in of_task)], ["---", *["---:"] * len(of_task)]]
        for name in dict.fromkeys(name for row in of_task for name in row.samples):
            lines.append([name, *(_mean(row.samples.get(name, ())) for row in of_task)])
        tables.append("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
    return "\n\n".join(tables)


def render(layout: str, found: Sequence[Row]) -> str:
    """The results as Markdown, in the layout that a bench has chosen."""
    return means(found) if layout == MEANS else table(found)


def save(
    name: str, title: str, found: Sequence[Row], folder: Path = RESULTS, layout: str = RATIOS, mode: str | None = None
) -> Path:
    """Write a bench's rows, with every round's value and the kind of machine, to `results/<name>.json`.

    `mode` is said beside the machine: what was chosen of the contenders' settings.
    """
    document = {
        "title": title,
        "layout": layout,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        **({"mode": mode} if mode else {}),
        "rounds": len(next(iter(found[0].samples.values()))),
        "rows": [asdict(row) for row in found],
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def load(path: Path) -> tuple[dict[str, str], list[Row]]:
    """Read what `save` wrote: the facts about the run, and its rows."""
    document = json.loads(path.read_text())
    return document, [Row(**row) for row in document.pop("rows")]


def _short(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.4f}"


def _times(ratio: float) -> str:
    """How many times better; against nothing, or from nothing, there is no such number."""
    return f"{_short(ratio)}x" if 0 < ratio < math.inf else ""


def _mean(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = f"{statistics.fmean(values):.4f}"
    return f"{mean} ± {statistics.stdev(values) / len(values) ** 0.5:.4f}" if len(values) > 1 else mean
