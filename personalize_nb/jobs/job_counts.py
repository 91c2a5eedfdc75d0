"""How many jobs input takes, before any of it is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from personalize_nb.jobs import parts
from personalize_nb.jobs.parts import InputLimits
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch
    from personalize_nb.jobs.stored_amounts import Amount

_COUNTED = 64 << 20  # bytes; of more, whose parts are long, the size tells


def of_records(records: int, mode: str, limit: InputLimits) -> int:
    """Return how many jobs so many lines take."""
    return max(1, -(-records // limit.records(mode)))


def of_batch(batch: Batch, mode: str, limit: InputLimits) -> int:
    """Return how many jobs a batch takes."""
    by_lines = of_records(len(batch), mode, limit)
    if parts.longest(batch) <= limit.max_bytes:
        return by_lines
    return _by_bytes(lambda: parts.batch_blocks(batch), parts.longest(batch), by_lines, mode, limit)


def of_stored(session: Session, address: str, counted: Amount, mode: str, limit: InputLimits) -> int:
    """Return how many jobs input in S3 takes, of which so much was counted; files that one job takes stay one job."""
    files = parts.files_over(session, address, mode, limit)
    if not files:
        return 1
    by_lines, size = of_records(counted.records, mode, limit), sum(one.size for one in files)
    return _by_bytes(lambda: parts.stored_blocks(session, files), size, by_lines, mode, limit)


def _by_bytes(
    blocks: Callable[[], Iterable[bytes | memoryview]], most: int, by_lines: int, mode: str, limit: InputLimits
) -> int:
    if most <= _COUNTED:
        return max(1, sum(1 for _ in parts.cut(blocks(), mode, limit)))
    size = sum(len(one) for one in blocks())
    return max(by_lines, -(-size // limit.max_bytes))
