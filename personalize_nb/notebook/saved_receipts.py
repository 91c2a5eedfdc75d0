"""Receipts in a saved notebook, rewritten to their outcome, which no kernel does that comes later."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from personalize_nb import errors
from personalize_nb.jobs.runs import attach
from personalize_nb.notebook.receipts import NAME, Receipt, joined
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public
from personalize_nb.text.redact import redact_notebook
from personalize_nb.text.saved_notebooks import read_notebook, write_notebook

_NAMED = re.compile(rf'<div class="pnb-receipt" {NAME}="([^"]+)"')


@public
def refresh_receipts(path: str | Path, session: Session | None = None) -> list[str]:
    """Rewrite all receipts of a saved notebook to how their jobs stand now, and mask it; no cell is run.

    `pnb.watch(name)` in a notebook that is opened again rewrites the output of its own cell, and no earlier one:
    Jupyter does not save which output is which. Close the notebook before, or reload it afterwards.

    Parameters
    ----------
    path
        The `.ipynb` file, nbformat 4.
    session
        Where the jobs are; by default that of `pnb.connect()`.

    Returns
    -------
    list of str
        The names of the jobs and runs whose receipts were rewritten. Of those that are not to be found the receipts
        stay as they are.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The file is no notebook of nbformat 4, or cannot be read.

    References
    ----------
    Amazon Personalize: DescribeBatchInferenceJob, DescribeBatchSegmentJob; Jupyter's notebook format 4.

    Examples
    --------
    >>> from pathlib import Path
    >>> import personalize_nb as pnb
    >>> _ = Path("films.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    >>> pnb.refresh_receipts("films.ipynb", pnb.connect())  # it has none
    []
    """
    file, session = Path(path).resolve(), current(session)
    notebook = read_notebook(file)
    bundles: dict[str, dict[str, str] | None] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            names = _names(output.get("data", {}))
            for name in names:
                if name not in bundles:
                    bundles[name] = _now(name, session)
            found = [bundle for bundle in map(bundles.get, names) if bundle is not None]
            if names and len(found) == len(names):
                output["data"] |= joined(found)
    rewritten = [name for name, bundle in bundles.items() if bundle is not None]
    if rewritten:
        write_notebook(file, notebook)
        redact_notebook(file)
    return rewritten


def _names(data: dict[str, Any]) -> list[str]:
    text = data.get("text/html", "")
    return [html.unescape(one) for one in _NAMED.findall(text if isinstance(text, str) else "".join(text))]


def _now(name: str, session: Session) -> dict[str, str] | None:
    try:
        return Receipt(attach(name, session)).bundle()
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        choose().say(f"the receipt of {name!r} stays as it is: {error}")
        return None
