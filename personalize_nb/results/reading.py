"""`pnb.read_results`: what any job wrote, from S3, from disk, or from files that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.results import output_files
from personalize_nb.results.open_files import OpenFiles
from personalize_nb.results.results import Results
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.results.open_files import Files
    from personalize_nb.session.session import Session


@public
def read_results(output: Files, source: Files | None = None, session: Session | None = None) -> Results:
    """Return the results of any batch job, ours or not, from where it wrote or from downloaded files.

    Files may be compressed (gzip, bzip2, xz, zstd, lz4). One that is named is read whatever its name is; of folders the
    files that end in `.out`, also compressed.

    Parameters
    ----------
    output
        `s3://bucket/folder/`, an `.out` object, a file or folder on disk, a pattern like `out/*.out`, an open file or
        buffer of text or bytes (read at once, from where it stands), or a list of these.
    source
        The job's input, to get its order and the lines without an answer; named like the output.
    session
        Reads `s3://` addresses; by default the session of `pnb.connect()`.

    Returns
    -------
    Results
        Reads rows when they are asked for.

    Raises
    ------
    InputError
        What is named is no address, path, open file or list of them. Files are looked for when they are read.

    References
    ----------
    The output of CreateBatchInferenceJob and CreateBatchSegmentJob: `.out` files of JSON lines.

    Examples
    --------
    >>> from pathlib import Path
    >>> import personalize_nb as pnb
    >>> line = '{"input":{"userId":"u"},"output":{"recommendedItems":["a","b"],"scores":[0.6,0.4]},"error":null}'
    >>> _ = Path("in.jsonl.out").write_text(line)
    >>> pnb.read_results("in.jsonl.out").recommendations()
      user_id  rank item_id  score
    0       u     1       a    0.6
    1       u     2       b    0.4
    """
    opened = OpenFiles()
    output = opened.placed(output, "output")
    source = None if source is None else opened.placed(source, "source")
    output = output if isinstance(output, str) else output_files.addresses(output, "output")
    source = source if source is None or isinstance(source, str) else output_files.addresses(source, "source")
    named = output_files.addresses(output, "output")
    named += [] if source is None else output_files.addresses(source, "source")
    found = Results(output, source, current(session) if session or any(map(s3.is_s3, named)) else None)
    opened.owned(found._rows)
    return found
