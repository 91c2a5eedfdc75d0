"""What a job wrote, as frames: recommendations, themes, segments, errors, in input order, with titles on request."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from personalize_nb.results import failed_lines
from personalize_nb.results.forms import PANDAS
from personalize_nb.results.results_as import ResultsAs
from personalize_nb.results.rows import Rows
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.results.output_files import Places


@public
class Results(ResultsAs[pd.DataFrame]):
    r"""The rows a job wrote, as pandas frames; `arrow()` and `polars()` give the same as theirs.

    Parameters
    ----------
    output
        The job's output: a folder, a file, a pattern like `out/*.out` or a list of these, in S3 or on disk.
    source
        The job's input, which gives the order and says which `.out` objects of a shared folder are the job's; without
        it all rows come, in the order of the output.
    session
        Reads `s3://` addresses.
    input_keys
        Asked which keys the job's recipe reads, for the columns of a job all of whose lines failed.
    superseded
        What addresses of output begin with whose failed lines were asked again: the rest of the output answers these.
    reasons
        Why there is no row, by the name of the input file; under an empty name for all others.

    References
    ----------
    The output of CreateBatchInferenceJob and CreateBatchSegmentJob, as Amazon Personalize's developer guide shows it.

    Examples
    --------
    >>> from pathlib import Path
    >>> import personalize_nb as pnb
    >>> lines = [
    ...     '{"input":{"userId":"u"},"output":{"recommendedItems":["a","b"],"scores":[0.6,0.4]},"error":null}',
    ...     '{"input":{"userId":"v"},"output":null,"error":"User id is unknown."}',
    ... ]
    >>> _ = Path("in.jsonl.out").write_text("\n".join(lines))
    >>> results = pnb.read_results("in.jsonl.out")
    >>> results.recommendations(items={"a": "An Ant", "b": "A Bee"})
      user_id  rank item_id  score   title
    0       u     1       a    0.6  An Ant
    1       u     2       b    0.4   A Bee
    >>> results.errors()[["user_id", "error"]]
      user_id                error
    0       v  User id is unknown.
    >>> results.answered, results.failed, results.empty, results.has_themes, results.has_segments, results.session
    (1, 1, 0, False, False, None)
    >>> len(results.only(ids=["u"]).recommendations()), [len(frame) for frame in results.blocks(rows=1)]
    (2, [2, 0])
    >>> results.arrow().recommendations().num_rows, results.polars().recommendations().height
    (2, 2)
    >>> results.to_parquet("results.parquet")
    'results.parquet'

    With the input, those that failed can be sent again:

    >>> _ = Path("in.jsonl").write_text('{"userId":"u"}\n{"userId":"v"}\n')
    >>> list(pnb.read_results("in.jsonl.out", "in.jsonl").failed_lines())
    [('in.jsonl', b'{"userId":"v"}\n')]

    Where the output is of another kind, that is told:

    >>> results.themes()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: ...
    >>> results.segments()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: ...
    """

    def __init__(
        self,
        output: Places,
        source: Places | None = None,
        session: Session | None = None,
        *,
        input_keys: Callable[[], Sequence[str]] = tuple,
        superseded: Sequence[str] = (),
        reasons: Mapping[str, str] | None = None,
    ):
        self.output = output
        self.source = source
        rows = Rows(output, source, session, input_keys, tuple(superseded), reasons or {})
        super().__init__(rows, PANDAS)

    def failed_lines(self, without: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
        """Yield the lines of the input that failed or have no row, as they are, each with the name of its file.

        Parameters
        ----------
        without
            Names of input files to leave out.

        Yields
        ------
        tuple of str and bytes
            The name of the file, and the line; none where the input is not known.
        """
        return failed_lines.read(self._rows, without)
