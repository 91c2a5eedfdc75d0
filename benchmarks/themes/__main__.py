"""`python -m benchmarks.themes [NAME ...]`: titles and figures of the catalogues whose names contain one of the texts.

For somebody who changes the generator: one draw, no peers, and the titles on the screen; nothing is kept but the file
of titles under `build/themes`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.themes import JOB, catalogues, measures, published, titles
from benchmarks.themes.baselines import BASELINES
from personalize_nb.local.themes.maker import ThemeMaker

TRIES = 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.themes", description=__doc__)
    parser.add_argument("names", nargs="*", default=[""], metavar="NAME", help="parts of names; all when none is given")
    parser.add_argument("--titles", type=int, default=titles.TITLES, help=f"how many (default {titles.TITLES})")
    parser.add_argument("--groups", type=int, default=200, help="measure so many groups (default 200; 0: none)")
    parser.add_argument("--seed", type=int, default=titles.SEED, help=f"of the draw (default {titles.SEED})")
    parser.add_argument("--list", action="store_true", help="name the catalogues that are found, and stop")
    options = parser.parse_args()
    seen: set[str] = set()
    for wanted in options.names:
        for catalogue in catalogues.found(wanted):
            if catalogue.name in seen:
                continue
            seen.add(catalogue.name)
            if options.list:
                columns = ", ".join(catalogue.categories) or "no categories"
                print(f"{catalogue.name}: {len(catalogue.items)} items, {columns}")
            else:
                _show(catalogue, options.titles, options.groups, options.seed)


def _show(catalogue: catalogues.MeasuredCatalogue, count: int, groups: int, seed: int) -> None:
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        maker = ThemeMaker.build(catalogue.data, "TITLE", Path(folder))
    built = time.process_time() - started
    path = titles.write(catalogue, maker, count, seed)
    print(path.read_text())
    print(f"({path}; index {built:.1f} s of CPU)")
    if not groups:
        return
    text_measures = measures.TextMeasures(catalogue.read)
    for name, draw in catalogue.draws.items():
        drawn = draw(min(groups, len(catalogue.read) // 2), seed)
        started, themed = time.process_time(), []
        for start in range(0, len(drawn.seeds), JOB):
            themed.extend(maker.make(drawn.seeds[start : start + JOB], drawn.groups[start : start + JOB]))
        seconds = time.process_time() - started
        figures = text_measures.figures(drawn, [one.theme for one in themed], seed)
        figures |= text_measures.planted(maker, drawn, TRIES, seed)
        plain, _ = BASELINES["categories"](maker, drawn)
        bare = text_measures.figures(drawn, plain, seed)
        for hard in (measures.IN_HARD, measures.NEW_HARD):
            figures[f"{hard.removesuffix(', %')}, above bare categories"] = figures[hard] - bare[hard]
        checks = published.checked(catalogue, drawn, [one.theme for one in themed])
        figures |= published.shares(checks)
        figures[measures.FALLBACK] = 100 * sum(one.fallback is not None for one in themed) / len(themed)
        figures[measures.SPEED] = len(themed) / seconds
        print(f"\n{name}, {len(themed)} groups:")
        print("\n".join(f"  {figure:<52} {value:.3g}" for figure, value in figures.items()))
        refused = checks[checks["why"] != ""].drop_duplicates("theme")
        print(f"\nrefused by the check, {len(refused)} texts:")
        print("\n".join(f"  {theme}: {why}" for theme, why in zip(refused["theme"], refused["why"], strict=True)))


if __name__ == "__main__":
    main()
