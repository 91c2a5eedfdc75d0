"""The side file of a theme job: for each line who wrote its theme, how sure, on what grounds, and why not another.

`<name>.themes.json` lies beside `<name>.out`. AWS writes no such file; readers of output take objects that end in
`.out`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personalize_nb.local.themes.maker import Themed

SUFFIX = ".themes.json"


def note(line: int, item_id: str, themed: Themed) -> dict[str, Any]:
    """Return what is kept of one theme.

    Parameters
    ----------
    line
        Its row in the `.out` object, from 1.
    item_id
        The item it was made for.
    themed
        The theme; `fallback` is the kind of theme that speaks of no common thread, `replaced` the reason why the text
        of the chosen generator was not used.
    """
    return {
        "line": line,
        "itemId": item_id,
        "theme": themed.theme,
        "generator": themed.generator,
        "confidence": themed.confidence,
        "fallback": themed.fallback,
        "replaced": themed.replaced,
        "evidence": [dataclasses.asdict(one) for one in themed.evidence],
    }


def encoded(job_name: str, key: str, notes: Sequence[dict[str, Any]]) -> bytes:
    """Return the text of a side file: one theme a line, so that people can read it too."""
    rows = ",\n".join(json.dumps(one, ensure_ascii=False) for one in notes)
    head = f'{{"job": {json.dumps(job_name)}, "input": {json.dumps(key, ensure_ascii=False)}'
    return f'{head}, "themes": [\n{rows}\n]}}\n'.encode()
