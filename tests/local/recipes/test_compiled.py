"""Kernels are kept on disk, in a way that processes which compile at the same moment cannot mix up."""

from __future__ import annotations

import importlib.util

import filelock
import pytest
from numba.core.caching import FunctionCache

from personalize_nb.local.recipes.compiled import compiled


@pytest.fixture
def kernel(tmp_path):
    """Give a kernel that was never compiled, new each time it is called, as in another process."""
    path = tmp_path / "own_kernel.py"
    path.write_text("def double(number):\n    return number + number\n")

    def load():
        spec = importlib.util.spec_from_file_location("own_kernel", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return compiled(module.double)

    return load


def test_a_kernel_is_compiled_once_for_each_signature(kernel):
    first, second = kernel(), kernel()
    assert (first(2), first(2.5)) == (4, 5.0)
    assert (second(2), second(2.5)) == (4, 5.0)
    assert first.stats.cache_misses.total() == second.stats.cache_hits.total() == 2
    assert not second.stats.cache_misses


def test_one_process_at_a_time_writes_what_it_has_compiled(kernel, monkeypatch):
    saved, written = [], FunctionCache.save_overload

    def save(self, sig, data):
        with pytest.raises(filelock.Timeout), filelock.FileLock(self.lock, timeout=0):
            pytest.fail("another process could write at the same time")
        saved.append(sig)
        written(self, sig, data)

    monkeypatch.setattr(FunctionCache, "save_overload", save)
    assert kernel()(2) == 4
    assert len(saved) == 1
