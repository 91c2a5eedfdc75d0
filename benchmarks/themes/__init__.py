"""Themes of the default generator beside three plainer ways to name a group, on books, films and shops.

Every round takes other groups (another seed), so the rounds show how far the figures hang on the draw. Bars are those
of the project's notes on themes; no language model judges anything. `catalogues` says where films and shops are found;
without them only the books are measured. Sixty titles of each catalogue are written to `build/themes` for a reader's
eye. `python -m benchmarks.themes luma` prints titles and figures of one catalogue within seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.harness import OURS, Row
from benchmarks.themes import catalogues, measures, published, steadiness, titles
from benchmarks.themes.baselines import BASELINES
from benchmarks.themes.groups import Draw
from personalize_nb.local.themes.maker import Themed, ThemeMaker

TITLE = "Themes beside plainer names for the same groups"
SEEDS = (7, 23, 41, 53, 97)
GROUPS, JOB = 300, 100
TRIES = 120  # groups into which strangers are planted
LESS_IS_BETTER = {
    measures.DUPLICATES, measures.FALLBACK, published.CODES, published.DOUBLES, published.MIXED, published.NO_KIND,
}  # fmt: skip
# of every catalogue
ALL_BARS = {
    published.CODES: 2, published.NO_KIND: 5, published.DOUBLES: 5, published.MIXED: 0, measures.SPEED: 800,
    measures.AUC: 0.90,
}  # fmt: skip
# What each set must reach; a figure without a bar is shown for what it is.
BARS = {
    "films, half co-occurrence, half text": {
        measures.IN_RANDOM: 75, measures.IN_HARD: 55, measures.NEW_RANDOM: 45, measures.NEW_HARD: 20,
        measures.DUPLICATES: 3, measures.COVERAGE: 45, measures.LIFT: 3.5, measures.FORM: 95, measures.AUC: 0.90,
        measures.OFF_THEME: 94, measures.FALLBACK: 20, measures.SPEED: 800,
    },
    "films, co-occurrence alone": {measures.DUPLICATES: 3, measures.FORM: 95, measures.AUC: 0.80},
    "books, by text": {
        measures.IN_RANDOM: 82, measures.IN_HARD: 62, measures.NEW_RANDOM: 58, measures.NEW_HARD: 32,
        measures.DUPLICATES: 3, measures.FORM: 95, measures.AUC: 0.90, measures.OFF_THEME: 94, measures.FALLBACK: 5,
        measures.SPEED: 800,
    },
    "books, co-occurrence alone": {measures.DUPLICATES: 3, measures.FORM: 95, measures.AUC: 0.80},
}  # fmt: skip


def run(rounds: int, scale: float) -> list[Row]:
    """Measure every set of groups that the machine has data for."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for catalogue in catalogues.found():
            started = time.process_time()
            maker = ThemeMaker.build(catalogue.data, "TITLE", Path(folder))
            built = (time.process_time() - started) / len(maker.index.catalogue.items) * 1000
            text_measures = measures.TextMeasures(catalogue.read)
            titles.write(catalogue, maker)
            for name, draw in catalogue.draws.items():
                print(f"{name} ...", file=sys.stderr, flush=True)
                count = min(max(20, int(GROUPS * scale)), len(catalogue.read) // 2)
                found.extend(_measured(name, catalogue, text_measures, maker, draw, SEEDS[:rounds], count))
            found.append(Row(f"{catalogue.name}, build", "s per 1,000 items (bar 3)", False, {OURS: (built,)}))
    same = float(steadiness.is_steady())
    found.append(Row("books", "same bytes over hash seeds, threads, item order (1: yes)", True, {OURS: (same,)}))
    return found


def _measured(
    name: str,
    catalogue: catalogues.MeasuredCatalogue,
    text_measures: measures.TextMeasures,
    maker: ThemeMaker,
    draw: Callable[[int, int], Draw],
    seeds: Sequence[int],
    count: int,
) -> Iterator[Row]:
    """Yield the rows of one set: each figure of all contenders, one value a seed."""
    contenders = {OURS: _ours, **BASELINES}
    samples: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        drawn = draw(count, seed)
        for contender, write in contenders.items():
            started = time.process_time()
            texts, extra = write(maker, drawn)
            seconds = time.process_time() - started
            figures = {**text_measures.figures(drawn, texts, seed), measures.SPEED: len(texts) / seconds, **extra}
            if contender == OURS:
                figures |= text_measures.planted(maker, drawn, TRIES, seed)
                figures |= published.shares(published.checked(catalogue, drawn, texts))
            for figure, value in figures.items():
                samples.setdefault(figure, {}).setdefault(contender, []).append(value)
    for figure, values in samples.items():
        bar = (ALL_BARS | BARS.get(name, {})).get(figure)
        label = figure if bar is None else f"{figure} (bar {bar:g})"
        yield Row(name, label, figure not in LESS_IS_BETTER, {who: tuple(held) for who, held in values.items()})


def _ours(maker: ThemeMaker, draw: Draw) -> tuple[list[str], dict[str, float]]:
    """Write the themes in jobs of a hundred inputs, as the service does."""
    themed: list[Themed] = []
    for start in range(0, len(draw.seeds), JOB):
        themed.extend(maker.make(draw.seeds[start : start + JOB], draw.groups[start : start + JOB]))
    fallen = sum(one.fallback is not None for one in themed)
    return [one.theme for one in themed], {measures.FALLBACK: 100 * fallen / max(len(themed), 1)}
