"""The IPython of a notebook within the tests' process: without a history on disk, and gone when it is done with."""

import atexit
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@contextmanager
def running(**names):
    """Yield the shell, which has the names that are given; nobody else finds one afterwards."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(colors="nocolor", config=config)
    atexit.unregister(shell.atexit_operations)
    shell.user_ns.update(names)
    try:
        yield shell
    finally:
        InteractiveShell.clear_instance()
