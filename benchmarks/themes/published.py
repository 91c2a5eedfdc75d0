"""What share of a run's themes a shop would publish, by the check of `pnb.theme_quality`, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

import personalize_nb as pnb
from benchmarks.themes.catalogues import MeasuredCatalogue
from benchmarks.themes.groups import Draw

PUBLISHABLE, CODES, NO_KIND = "publishable but for doubles, %", "codes, %", "no kind of thing, %"
DOUBLES, MIXED = "doubles in a run, %", "two languages, %"
RUN = 100  # input items, as many as a job may have
COLUMNS = {CODES: "codes", DOUBLES: "doubled", MIXED: "language"}


def checked(catalogue: MeasuredCatalogue, draw: Draw, texts: Sequence[str]) -> pd.DataFrame:
    """Return a row per theme of a run with what each check found."""
    run = list(zip(draw.seeds, texts, draw.groups, strict=True))[:RUN]
    rows = [(seed, text, item, 0.2) for seed, text, group in run for item in group]
    themes = pd.DataFrame(rows, columns=["item_id", "theme", "recommended_item_id", "relevance"])
    return pnb.theme_quality(themes, catalogue.items.rename(columns=str.lower)).checks


def shares(checks: pd.DataFrame) -> dict[str, float]:
    """Return the share of themes with no fault of their own, and those of the faults that have a bar."""
    found = {PUBLISHABLE: 100 * float((checks["why"] == checks["doubled"]).mean())}
    found |= {name: 100 * float((checks[column] != "").mean()) for name, column in COLUMNS.items()}
    found[NO_KIND] = 100 * float(checks["head"].str.contains("no kind of thing").mean())
    return found
