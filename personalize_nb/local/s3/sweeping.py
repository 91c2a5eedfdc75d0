"""What killed processes left of bodies, for the start of a service.

A process that is killed between the commit and the removal of a replaced body, or the other way round, leaves a body
that no row names. It is moved aside and never removed: should the rows be the ones that are wrong, the right ones
find it again.
"""

from __future__ import annotations

from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state.layout import tell_aside


def sweep(store: ObjectStore) -> int:
    """Remove what was never finished, set aside bodies without a row, and return how many there were of both."""
    aside, dropped = 0, store.bodies.drop_abandoned()
    for shard in store.bodies.shards():
        # publishing takes the same lock, so no body is seen without its row while it gets one
        with store.database.writing() as db:
            for path in shard.iterdir():
                used = db.execute(
                    "SELECT 1 FROM objects WHERE body = ? UNION ALL SELECT 1 FROM parts WHERE body = ? LIMIT 1",
                    (path.name, path.name),
                ).fetchone()
                if not used:
                    store.bodies.set_aside(path)
                    aside += 1
    tell_aside(store.root, aside)
    return aside + dropped
