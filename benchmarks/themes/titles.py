"""Titles to read: sixty of a catalogue as a run of one job writes them, each with its group before the reader."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.themes.catalogues import MeasuredCatalogue
from benchmarks.themes.groups import Draw
from personalize_nb.local.themes.maker import Themed, ThemeMaker

BUILD = Path(__file__).parents[2] / "build" / "themes"
TITLES, SEED = 60, 11
SHOWN_VALUES, SHOWN_TITLES, WIDTH = 6, 12, 48


def write(catalogue: MeasuredCatalogue, maker: ThemeMaker, count: int = TITLES, seed: int = SEED) -> Path:
    """Write titles of the catalogue's first set of groups to `build/themes`: to read, and as lines of JSON."""
    draw = next(iter(catalogue.draws.values()))(min(count, len(catalogue.read) // 2), seed)
    themed = maker.make(draw.seeds, draw.groups)
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{catalogue.name.replace(' ', '_')}.md"
    path.write_text("\n".join([f"# {catalogue.name}", *_lines(catalogue, draw, themed)]) + "\n")
    with path.with_suffix(".jsonl").open("w") as lines:
        for item, one, group in zip(draw.seeds, themed, draw.groups, strict=True):
            line = {"catalogue": catalogue.name, "seed": item, "title": one.theme, "items": group}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def _lines(catalogue: MeasuredCatalogue, draw: Draw, themed: list[Themed]) -> Iterator[str]:
    items = {item.id: item for item in catalogue.read}
    for place, (seed, one, group) in enumerate(zip(draw.seeds, themed, draw.groups, strict=True), 1):
        names = Counter(" ".join(items[item].name.split())[:WIDTH] for item in group)
        values = Counter(value for item in group for value in set(items[item].categories))
        shared = [f"{value} {count}" for value, count in values.most_common(SHOWN_VALUES)]
        shown = [f"{name} x{count}" if count > 1 else name for name, count in names.most_common(SHOWN_TITLES)]
        fallback = f" [{one.fallback}]" if one.fallback else ""
        yield f"\n## {place}. {one.theme}{fallback}"
        yield f"seed: {items[seed].name} <{', '.join(items[seed].categories)}>"
        yield f"shared: {', '.join(shared)}"
        yield f"group: {' | '.join(shown)}{f' + {len(names) - len(shown)}' if len(names) > len(shown) else ''}"
