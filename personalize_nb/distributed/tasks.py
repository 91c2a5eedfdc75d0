"""What the rest of the room needs of Dask: its library, where it is installed, and tasks with names that say something.

Dask's dashboard groups tasks by the beginnings of their names. Nothing of a session, a model or a user is in a name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from personalize_nb import errors

if TYPE_CHECKING:
    from dask.delayed import Delayed


@contextmanager
def needed() -> Iterator[None]:
    """Say what to install where Dask is not.

    Raises
    ------
    ImportError
        It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"pnb.distributed needs Dask, which is not installed ({error}): pip install 'personalize-nb[distributed]'"
        ) from error


class NamedTasks:
    """Tasks of one piece of work: `check-partition-<token>-00007`."""

    def __init__(self) -> None:
        with needed():
            import dask
        self._dask = dask
        self._token = secrets.token_hex(8)

    def task(self, name: str, number: int, function: Callable[..., Any], *arguments: Any) -> Delayed:
        """Return a task that calls a function.

        Parameters
        ----------
        name
            What it does, in letters and hyphens.
        number
            Which of its kind it is.
        function, arguments
            What is called; tasks among the arguments are done before.
        """
        called = self._dask.delayed(function, pure=False)
        made: Delayed = called(*arguments, dask_key_name=f"{name}-{self._token}-{number:06d}")
        return made

    def kept(self, made: Sequence[Delayed]) -> list[Delayed]:
        """Return the same tasks with answers that stay where they are made; what is lost there is made again."""
        return list(self._dask.persist(*made))

    def answers(self, made: Sequence[Delayed]) -> list[Any]:
        """Return what tasks answer, here."""
        return list(self._dask.compute(*made))


def partitions(frame: Any) -> list[Delayed]:
    """Return the partitions of a frame of Dask, a series, an index or a bag, as tasks.

    Raises
    ------
    InputError
        It is none.
    """
    if not (hasattr(frame, "to_delayed") and hasattr(frame, "npartitions")):
        raise errors.InputError(
            f"pnb.distributed takes a Dask DataFrame, Series or Bag, got {type(frame).__name__}. Read it by "
            "dask.dataframe.read_parquet(...), make one by dask.dataframe.from_pandas(frame, npartitions=8), or call "
            "pnb.recommend, which takes all else."
        )
    return list(frame.to_delayed())
