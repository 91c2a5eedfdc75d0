"""What is a service's folder, and what of it a reset removes: never anything else."""

from __future__ import annotations

import kept_state as kept

from personalize_nb import local
from personalize_nb.local.state import layout


def test_a_reset_leaves_nothing_but_what_is_not_the_services(folder):
    for name in ("scratch/x", "cache/x", "service.log", "service.log.1", "state.sqlite-wal", f"{layout.LOST}/x"):
        kept.written(folder / name)
    mine = [kept.written(folder / name) for name in ("notes.txt", "models-of-mine/x", "state.sqlite.txt")]
    assert local.reset(folder) == sorted(path if path.parent == folder else path.parent for path in mine)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(mine)
