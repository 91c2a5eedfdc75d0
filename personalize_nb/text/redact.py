"""Mask what a shared notebook should not tell: accounts, roles, buckets, keys, tokens, home folders, request ids.

`redact` works on text, `redact_notebook` on a saved notebook, `leaks_of` only tells where a notebook would be masked.
What is recognised anywhere in a text or notebook by what stands around it is masked wherever else it stands there.
All are idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from personalize_nb.text import saved_notebooks
from personalize_nb.text.leaks import MASK
from personalize_nb.text.masking import Masker
from personalize_nb.text.public import public
from personalize_nb.text.saved_notebooks import LeakyPlace

__all__ = ["MASK", "leaks_in", "leaks_of", "redact", "redact_notebook", "redacted"]


def redact(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with accounts, roles, buckets, keys, tokens, home folders and request ids masked.

    Parameters
    ----------
    text
        Any text.
    known
        Accounts, buckets and roles to be masked wherever they stand, also where nothing in the text says what they are.

    Examples
    --------
    >>> redact("arn:aws:personalize:eu-west-1:123456789012:solution/films in s3://films-raw/in.json")
    'arn:aws:personalize:eu-west-1:************:solution/films in s3://************/in.json'
    >>> redact("films-raw has the films of 123456789012", known=["films-raw", "123456789012"])
    '************ has the films of ************'
    """
    masker = Masker(known)
    while True:
        masker.forget()
        masker.learn(text)
        masked = masker.masked(text)
        if masked == text:
            return masked
        text = masked  # what is masked may complete a pattern


@public
def redact_notebook(path: str | Path, known: Iterable[str] = ()) -> None:
    """Mask a saved notebook in place and drop what goes stale in it: widget state, widget views, run times.

    An account, bucket, role or secret that is recognised anywhere (in a source, an output, Markdown, metadata) is
    masked everywhere in the notebook. A name that is also a plain word (a bucket `films`) is masked only where
    something says what it is. A widget's view is dropped where the output has another form to show, so that readers
    see that form and not an error about a missing model. Code cells are masked in strings, comments, magics and numbers
    only, so they run as before; an account that is a number becomes `111122223333`. Tags and parameters of papermill
    stay; pictures other than SVG are left as they are. A notebook with nothing to mask is not written.

    Parameters
    ----------
    path
        The `.ipynb` file, nbformat 4.
    known
        Accounts, buckets and roles to be masked although nothing in the notebook says what they are.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The file is no notebook of nbformat 4, or cannot be read.

    References
    ----------
    Jupyter's notebook format 4; AWS's forms of ARNs, access keys and addresses of S3.

    Examples
    --------
    >>> from pathlib import Path
    >>> cell = '{"cell_type": "markdown", "metadata": {}, "source": "in s3://films-raw/x"}'
    >>> _ = Path("films.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [%s]}' % cell)
    >>> redact_notebook("films.ipynb")
    >>> "s3://************/x" in Path("films.ipynb").read_text()
    True
    """
    file = Path(path).resolve()  # a link stays a link
    notebook = saved_notebooks.read_notebook(file)
    if saved_notebooks.mask(notebook, known):
        saved_notebooks.write_notebook(file, notebook)


def leaks_of(path: str | Path, known: Iterable[str] = ()) -> list[LeakyPlace]:
    """Return the places of a saved notebook that `redact_notebook` would mask, and the kinds of things, never them.

    Amazon's documented examples, such as `111122223333` and keys that end in EXAMPLE, are nobody's and not returned.

    Parameters
    ----------
    path, known
        As for `redact_notebook`, whose errors it raises too.

    Examples
    --------
    >>> from pathlib import Path
    >>> cell = '{"cell_type": "markdown", "metadata": {}, "source": "in s3://films-raw/x"}'
    >>> _ = Path("films.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [%s]}' % cell)
    >>> leaks_of("films.ipynb")
    [LeakyPlace(where='cell 1', kinds=('bucket',))]
    """
    return saved_notebooks.mask(saved_notebooks.read_notebook(Path(path)), known, documented=False)


def leaks_in(text: str, named: str = "standard input") -> list[LeakyPlace]:
    """Return the places of the text of a saved notebook that `redacted` would mask, as `leaks_of` does of a file.

    Parameters
    ----------
    text
        What stands in the file.
    named
        What errors call it.
    """
    return saved_notebooks.mask(saved_notebooks.notebook_of(text, named), documented=False) if text.strip() else []


def redacted(text: str, named: str = "standard input", known: Iterable[str] = ()) -> str:
    """Return the text of a saved notebook, masked: what a filter of git does with it.

    Parameters
    ----------
    text
        What stands in the file.
    named
        What errors call it.
    known
        As for `redact_notebook`.
    """
    if not text.strip():  # a file that Jupyter has not filled yet
        return text
    notebook = saved_notebooks.notebook_of(text, named)
    return saved_notebooks.text_of(notebook) if saved_notebooks.mask(notebook, known) else text
