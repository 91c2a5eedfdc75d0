"""Whether themes are the same bytes whatever the hash seed, the number of threads and the order of the items."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.themes import catalogues
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.themes.maker import ThemeMaker

VARIANTS = (("1", "1", "0"), ("2", "2", "1"))  # hash seed, threads, seed of the order
COUNT = 60


def is_steady() -> bool:
    """Write the themes of the books in processes that differ, and compare their digests."""
    digests = set()
    for hash_seed, threads, order in VARIANTS:
        setting = {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-m", "benchmarks.themes.steadiness", order]
        done = subprocess.run(command, env=os.environ | setting, check=True, capture_output=True, text=True)
        digests.add(done.stdout.strip())
    return len(digests) == 1


def digest(order: int) -> str:
    """Return the SHA-256 of themes and scores, with the items in some order."""
    (books,) = catalogues.found("books")
    rows = list(range(books.data.items.num_rows))
    random.Random(order).shuffle(rows)
    data = TrainingData(None, books.data.items.take(rows), None, books.data.schemas)
    with tempfile.TemporaryDirectory() as folder:
        maker = ThemeMaker.build(data, "TITLE", Path(folder))
    *_, draw = books.draws.values()
    drawn = draw(COUNT, 7)
    return hashlib.sha256(repr(maker.make(drawn.seeds, drawn.groups)).encode()).hexdigest()


if __name__ == "__main__":
    print(digest(int(sys.argv[1])))
