"""Run notebooks without a browser, print what they show, and save them executed and masked.

    python -m personalize_nb.headless notebooks/01_quickstart.ipynb --output build --local build/service

The notebook is the same one that JupyterLab opens; only the environment chooses the world it talks to.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.notebook.parameters import parsed, put
from personalize_nb.notebook.streamed import ShownText, StreamingClient
from personalize_nb.text.redact import redact, redacted

# Run in the kernel before the first cell and never saved: a page is wider than the 80 characters that pandas folds at.
_SETUP = "__import__('pandas').set_option('display.width', 200)"


def execute(
    notebook: str | Path,
    output: str | Path,
    show: Callable[[str], None] | None = None,
    cell_timeout: float = 1800,
    parameters: Mapping[str, Any] | None = None,
    log: Callable[[str], None] | None = None,
) -> Path:
    """Execute a notebook in its own folder and save the result, masked and without widget state.

    Parameters
    ----------
    notebook
        The `.ipynb` file to run; it is not changed.
    output
        Where the executed notebook goes. It is written also when a cell fails, with the error in it.
    show
        Is called with each Markdown cell, each output as text, and the lines that a cell prints, while it runs. What
        a cell prints that connects comes when it has ended: then it is known which names are to be masked.
    cell_timeout
        Seconds a single cell may take.
    parameters
        Values for the names that the cell tagged `parameters` sets; a cell behind it sets them, as papermill does.
    log
        Is called with a line for each cell that has run or failed.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised; the saved notebook shows where.
    nbclient.exceptions.CellTimeoutError, nbclient.exceptions.DeadKernelError
        A cell took longer than `cell_timeout`; the kernel died.
    InterruptedError
        The process was told to end (SIGTERM, SIGINT); what has run is saved.
    NotFoundError, InputError
        There is no such file; the file is no notebook, or has no such parameters.

    Examples
    --------
    >>> import nbformat
    >>> cells = [nbformat.v4.new_markdown_cell("# Sums"), nbformat.v4.new_code_cell("6 * 7")]
    >>> nbformat.write(nbformat.v4.new_notebook(cells=cells), "sums.ipynb")
    >>> saved = execute("sums.ipynb", "build/sums.ipynb", show=print)
    # Sums
    42
    """
    source, target = Path(notebook), Path(output)
    document = _read(source)
    put(document, parameters or {})
    client = StreamingClient(
        document,
        timeout=int(cell_timeout),
        store_widget_state=False,
        extra_arguments=[
            "--log-level=CRITICAL",  # what it says of local sockets, or of being ended, is no news of the run
            f"--IPKernelApp.exec_lines={_SETUP}",
        ],
        resources={"metadata": {"path": str(source.parent)}},
    )
    told, note = ShownText(show or _ignore), log or _ignore
    watched = _Watched(client, len(document.cells))

    async def finished(cell: Any, cell_index: int, execute_reply: Any) -> None:
        told.known.update(await client.connected())
        told.end(cell)
        failed = execute_reply["content"]["status"] == "error"
        note(watched.line("was stopped" if client.told else "failed" if failed else "ran"))

    def started(cell: Any, cell_index: int) -> None:
        watched.begin(cell_index)
        told.begin(cell)

    client.came, client.changed = told.add, told.change
    client.on_cell_start = started
    client.on_cell_executed = finished
    try:
        client.execute()
        watched.go_on()
    except InterruptedError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        if client.told:  # nbclient takes it for a cell that failed, or for a kernel that died
            raise watched.interrupted() from error
        if isinstance(error, CellExecutionError):
            error.evalue = redact(error.evalue, told.known)  # for whoever prints it
        else:
            note(watched.line("failed"))
        error.add_note(watched.cell)
        raise
    finally:
        target.parent.mkdir(parents=True, exist_ok=True)
        # masked before it is on disk: whoever ends the process now leaves nothing that is not
        target.write_text(redacted(nbformat.writes(document), known=told.known), encoding="utf-8")
    return target


def _ignore(_text: str) -> None:
    return None


class _Watched:
    """Where a run is, and whether it goes on."""

    def __init__(self, client: StreamingClient, cells: int):
        self.cells = cells
        self.cell = "the kernel's start"
        self._client = client
        self._began = time.monotonic()

    def begin(self, index: int) -> None:
        """Note that a cell begins, unless the process was told to end in the one before."""
        self.go_on()
        self.cell, self._began = f"cell {index + 1}", time.monotonic()

    def line(self, what: str) -> str:
        """Return what happened to the cell as a line of a log."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{now} {self.cell} of {self.cells} {what} in {time.monotonic() - self._began:.1f} s"

    def go_on(self) -> None:
        """Raise the error that ends the run where the process was told to end."""
        if self._client.told:
            raise self.interrupted()

    def interrupted(self) -> InterruptedError:
        """Return the error that says which signal has ended the run."""
        name = signal.Signals(self._client.told).name
        return InterruptedError(self._client.told, f"{name} stopped the run in {self.cell}; what had run is saved")


def _read(source: Path) -> Any:
    try:
        document = nbformat.read(source, as_version=4)
        nbformat.validate(document)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no notebook {str(source)!r}; give the path of a saved .ipynb file, "
            f"seen from {str(Path.cwd())!r}."
        ) from error
    except OSError as error:
        raise InputError(f"{str(source)!r} cannot be read: {error.strerror}; give a saved .ipynb file.") from error
    except (ValueError, AttributeError, KeyError, nbformat.ValidationError) as error:
        told = str(error).partition("\n")[0][:200]
        raise InputError(f"{source} is no notebook of nbformat 4: {told}") from error
    return document


_FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError, NoSuchKernel, InputError, NotFoundError, OSError)


def _told(error: BaseException, notebook: Path, target: Path) -> str:
    """Say in one line why a notebook did not run."""
    cell = " ".join(getattr(error, "__notes__", ())) or "a cell"
    if isinstance(error, InterruptedError):
        return f"{notebook}: {error.strerror} as {target}"
    if isinstance(error, CellExecutionError):
        return f"{notebook}: {cell} raised {error.ename}: {' '.join(error.evalue.split())[:500]}; see {target}"
    if isinstance(error, CellTimeoutError):
        return f"{notebook}: {cell} ran longer than its time limit; see {target}"
    if isinstance(error, DeadKernelError):
        return f"{notebook}: the kernel died in {cell}; see {target}"
    if isinstance(error, NoSuchKernel):
        return f"{notebook}: there is no kernel {error.name!r} here; `jupyter kernelspec list` lists those there are"
    return " ".join(str(error).split())


class _Page:
    """What a run shows, as a page: blocks stand apart, single lines of a cell below each other."""

    def __init__(self) -> None:
        self._apart: bool | None = None

    def __call__(self, text: str) -> None:
        block = "\n" in text or text.startswith("#")
        print(f"\n{text}" if self._apart or (block and self._apart is not None) else text, flush=True)
        self._apart = block


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run the notebooks named on the command line; answer 0, or another code with a line that says why.

    1: a cell raised, took too long or killed its kernel, or there is no such notebook; 2: the command line is wrong;
    128 and the number of a signal: the process was told to end, 143 by SIGTERM.
    """
    prefix = f"{program}: " if program else ""
    parser = argparse.ArgumentParser(
        prog=program or "python -m personalize_nb.headless", description=__doc__.splitlines()[0]
    )
    parser.add_argument("notebook", nargs="+", type=Path)
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where the executed notebooks go (default: in place)"
    )
    parser.add_argument(
        "--local",
        type=Path,
        metavar="DIR",
        help="run on the embedded service in this folder, then stop it unless it was running before",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a name of the cell tagged 'parameters', to a value of the kind that it has there; elsewhere numbers, "
        "true, false and null are read as such",
    )
    parser.add_argument(
        "-r", "--raw-parameter", action="append", default=[], metavar="NAME=TEXT", help="the same; the value is text"
    )
    parser.add_argument(
        "--cell-timeout", type=float, default=1800, metavar="SECONDS", help="what a cell may take (default: 1800)"
    )
    parser.add_argument(
        "--log", action="store_true", help="write a line for each cell to stderr, with time and seconds"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="do not print what the cells show, which else comes while they run"
    )
    options = parser.parse_args(arguments)
    ours = False
    if options.local:
        from personalize_nb import local  # loaded only by a run that uses the service

        ours = local.attach(options.local) is None  # else somebody's JupyterLab may be working with it
        os.environ["PERSONALIZE_NB_BACKEND"] = "local"
        os.environ["PERSONALIZE_NB_PATH"] = str(options.local.resolve())
    began = time.monotonic()
    notebook = target = Path()
    try:
        values = parsed(options.parameter, options.raw_parameter)
        if options.output:  # a folder that cannot be made is told of before anything runs
            options.output.mkdir(parents=True, exist_ok=True)
        for notebook in options.notebook:
            target = options.output / notebook.name if options.output else notebook
            execute(
                notebook,
                target,
                None if options.quiet else _Page(),
                options.cell_timeout,
                values,
                (lambda line: print(line, file=sys.stderr, flush=True)) if options.log else None,
            )
            print(f"{notebook} ran in {time.monotonic() - began:.0f} s and is saved, masked, as {target}")
            if options.output:
                print(f"To look at it: jupyter lab {target}")
    except KeyboardInterrupt:  # before the kernel's start, or after its end
        print(f"{prefix}{notebook}: interrupted; no cell was running", file=sys.stderr)
        return 128 + signal.SIGINT
    except _FAILURES as error:
        print(redact(f"{prefix}{_told(error, notebook, target)}"), file=sys.stderr)
        return 128 + error.errno if isinstance(error, InterruptedError) and error.errno else 1
    finally:
        if ours:
            local.stop(options.local)
    return 0
