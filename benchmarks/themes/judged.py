"""How far the check of titles agrees with a reader: titles of ours with a verdict each, in `judged.tsv`.

A verdict answers "would I publish it over this group?": apt, odd (true, but no shop would write so) or wrong. The
titles are those of the generator as it was before and during its rebuilding, later and last. The check was written with
one half of the first two before the eyes, drawn by a hash, and its thresholds chosen on it; the other half was counted
only. The later titles were judged when that was done, and half of them led to repairs of the check; the last ones were
judged, and counted once, after these. `python -m benchmarks.themes.judged` prints the
agreement on each, and with `--all` every title of the first half on which reader and check differ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import personalize_nb as pnb
from benchmarks.themes import catalogues

FILE = Path(__file__).with_name("judged.tsv")
APT, ODD, WRONG = "apt", "odd", "wrong"
FIRST, LATER, LAST = ("before", "during"), "later", "last"


@dataclass(frozen=True)
class JudgedLine:
    """One title, the group it was written for, and what a reader thought of it."""

    catalogue: str
    maker: str  # of which state of the generator: before, during, later or last
    seed: str
    title: str
    verdict: str
    why: str
    items: tuple[str, ...]

    @property
    def chosen_on(self) -> bool:
        """Whether thresholds were chosen on it."""
        return (
            self.maker in FIRST
            and hashlib.sha256(f"{self.catalogue}/{self.seed}/{self.title}".encode()).digest()[0] % 2 == 0
        )


def read(path: Path = FILE) -> list[JudgedLine]:
    """Read the judged titles."""
    with path.open(newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [JudgedLine(**{**row, "items": tuple(row["items"].split())}) for row in rows]


def frame(lines: Sequence[JudgedLine]) -> pd.DataFrame:
    """Return the titles as a job's themes: a row for each item, all as relevant."""
    rows = [(line.seed, line.title, item, 0.2) for line in lines for item in line.items]
    return pd.DataFrame(rows, columns=["item_id", "theme", "recommended_item_id", "relevance"])


def reasons(lines: Sequence[JudgedLine]) -> dict[JudgedLine, str]:
    """Return what the check says of each title whose catalogue is here; empty where it would publish it.

    That a title stands over another group too is a fault of the run, which is not what the reader judged.
    """
    found: dict[JudgedLine, str] = {}
    held: dict[tuple[str, str], list[JudgedLine]] = defaultdict(list)
    for line in lines:
        held[line.catalogue, line.maker].append(line)
    for catalogue in catalogues.found():
        items = catalogue.items.rename(columns=str.lower)
        for (name, _), of_run in held.items():
            if name == catalogue.name:
                checks = pnb.theme_quality(frame(of_run), items).checks
                told = checks.set_index(["item_id", "theme"]).drop(columns=["doubled", "why"]).agg("; ".join, axis=1)
                found |= {line: told[line.seed, line.title.rstrip(".")].strip("; ") for line in of_run}
    return found


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Mapping[str, float]:
    """Compare what a reader refuses with what the check refuses: precision, recall, share agreed, Cohen's kappa."""
    both = sum(reader and check for reader, check in pairs)
    reader, check, count = sum(a for a, _ in pairs), sum(b for _, b in pairs), max(1, len(pairs))
    agreed = sum(a == b for a, b in pairs) / count
    chance = (reader * check + (count - reader) * (count - check)) / count**2
    return {
        "titles": len(pairs),
        "refused by the reader": reader,
        "refused by the check": check,
        "precision": both / max(1, check),
        "recall": both / max(1, reader),
        "agreed": agreed,
        "kappa": (agreed - chance) / (1 - chance) if chance < 1 else 1.0,
    }


def compared(found: Mapping[JudgedLine, str]) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yield the agreement on the half that thresholds were chosen on, on the other half, and on those after them."""
    parts = {
        "half that thresholds were chosen on": [line for line in found if line.chosen_on],
        "other half": [line for line in found if line.maker in FIRST and not line.chosen_on],
        "later titles": [line for line in found if line.maker == LATER],
        "last titles": [line for line in found if line.maker == LAST],
        "wrong titles against apt ones, all": [line for line in found if line.verdict != ODD],
    }
    for name, part in parts.items():
        yield name, agreement([(line.verdict != APT, bool(found[line])) for line in part])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.themes.judged", description=__doc__)
    parser.add_argument("--all", action="store_true", help="print titles on which reader and check differ")
    options = parser.parse_args()
    found = reasons(read())
    for name, figures in compared(found):
        print(f"{name}: " + ", ".join(f"{figure} {value:.3g}" for figure, value in figures.items()))
    if options.all:
        for line, why in found.items():
            if line.chosen_on and (line.verdict != APT) != bool(why):
                print(f"{line.catalogue}: {line.title}: {line.verdict} {line.why} | {why}")


if __name__ == "__main__":
    main()
