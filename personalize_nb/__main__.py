"""`personalize-nb`: the toolkit from a shell.

`demo` runs the quickstart on this machine, `local` serves, `state` looks after what that keeps, `run`
executes notebooks, `receipts` brings what they say of jobs up to date, `redact` masks them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from personalize_nb import __version__
from personalize_nb.errors import NotFoundError, PersonalizeError

QUICKSTART, SHARE = "01_quickstart.ipynb", Path("share", "personalize_nb")
# A folder of its own: a notebook that the user has saved here is never written over.
DEMO = Path("personalize-nb-demo")


def quickstart() -> Path:
    """Find the quickstart: in the checkout that runs, else where the wheel has installed it.

    Raises
    ------
    NotFoundError
        The package was copied by hand, without the notebook that belongs to it.
    """
    beside = Path(__file__).resolve().parents[1]
    installed = [Path(str(file.locate())) for file in metadata.files("personalize-nb") or () if file.name == QUICKSTART]
    # `pip install --target` notes another place than the one it copies to
    for path in (beside / "notebooks" / QUICKSTART, beside / SHARE / QUICKSTART, *installed):
        if path.exists():
            return path.resolve()
    raise NotFoundError(
        f"{QUICKSTART} is not where the package is installed; install it with pip, not by copying its folder."
    )


def _demo(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.notebook import headless
    from personalize_nb.session import folders, session

    parser = argparse.ArgumentParser(prog=program, description=COMMANDS["demo"][1])
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=DEMO, help=f"where the executed notebook goes (default: {DEMO})"
    )
    parser.add_argument(
        "--local", type=Path, metavar="DIR", help="the service's folder (default: the one that pnb.connect() uses)"
    )
    options = parser.parse_args(arguments)
    service = options.local or os.environ.get(session.FOLDER) or folders.default_folder()
    return headless.main([str(quickstart()), "--output", str(options.output), "--local", str(service)], program)


def _local(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.local.__main__ import main

    return main(arguments, program)


def _run(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.notebook.headless import main

    return main(arguments, program)


_FILTER = """Masked is what something says to be an account, role, user, bucket, key or secret: an ARN, an address,
a name and its value, the header of a column, a sentence, the cell that asked for it; and the same elsewhere.
What cannot be told from harmless text stays: a bucket or role that is a plain word (films, Admin) is masked only where
it is named as one, values such as 18-29 or high-value never, nor bucket, my-bucket and other placeholders.
Code stays code: names of Python are not masked, only strings, comments, magics and numbers; an account that is a number
becomes 111122223333. What stands in bare code (an account as '2718' '28182845') is left.
Amazon's documented examples (123456789012, 111122223333, keys that end in EXAMPLE) pass --check: they are nobody's.
Without it they are masked like others, because the service of this machine has such an account.

as a filter of git, which commits notebooks masked and leaves yours as they are:
  git config filter.personalize-nb.clean "personalize-nb redact -"
  git config filter.personalize-nb.required true
  echo "*.ipynb filter=personalize-nb" >> .gitattributes

as a hook of pre-commit: personalize-nb-redact masks, personalize-nb-redact-check refuses (.pre-commit-hooks.yaml)"""


def _redact(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.text.redact import leaks_in, leaks_of, redact_notebook, redacted

    parser = argparse.ArgumentParser(
        prog=program,
        description=COMMANDS["redact"][1],
        epilog=_FILTER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "notebook",
        nargs="+",
        type=Path,
        help="saved notebooks; - masks standard input to standard output, or checks it",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing: name the cells, and answer 1 if there are any"
    )
    options = parser.parse_args(arguments)
    dirty = 0
    for notebook in options.notebook:
        named = str(notebook)
        if named == "-":  # a filter of git: bytes as they are, whatever the locale
            text, named = sys.stdin.buffer.read().decode("utf-8", "strict"), "standard input"
            places = leaks_in(text) if options.check else []
            sys.stdout.buffer.write(b"" if options.check else redacted(text).encode())
        elif notebook.is_file() and not notebook.stat().st_size:  # made by `touch`: it tells nothing
            continue
        elif options.check:
            places = leaks_of(notebook)
        else:
            redact_notebook(notebook)
            places = []
        dirty += bool(places)
        for place in places:
            print(f"{named}: {place.where}: {', '.join(place.kinds)}")
    if dirty:
        print(f"{program}: `{program} NOTEBOOK` masks them in place", file=sys.stderr)
    return int(dirty > 0)


def _receipts(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.notebook.saved_receipts import refresh_receipts

    parser = argparse.ArgumentParser(prog=program, description=COMMANDS["receipts"][1])
    parser.add_argument("notebook", nargs="+", type=Path)
    for notebook in parser.parse_args(arguments).notebook:
        print(f"{notebook}: {', '.join(refresh_receipts(notebook)) or 'no receipt was rewritten'}")
    return 0


def _state(program: str, arguments: Sequence[str]) -> int:
    from personalize_nb.state import main

    return main(arguments, program)


COMMANDS: dict[str, tuple[Callable[[str, Sequence[str]], int], str]] = {
    "demo": (_demo, "run the quickstart on the embedded service of this machine and save it with its results"),
    "local": (_local, "start the embedded service in the foreground, or end one that runs"),
    "state": (_state, "check, repair, keep, restore or remove what the embedded service has on disk"),
    "run": (_run, "execute notebooks without a browser and save them masked"),
    "receipts": (_receipts, "rewrite the receipts of saved notebooks to how their jobs stand now, in place"),
    "redact": (_redact, "mask accounts, roles, buckets, keys and tokens in saved notebooks, in place, or tell where"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; answer its exit code, or 1 with a line on stderr that says why."""
    lines = "\n".join(f"  {name:10}{told}" for name, (_, told) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="personalize-nb",
        description="Amazon Personalize batch inference, on AWS or on the embedded service of this machine.",
        epilog=f"commands:\n{lines}\n\n`personalize-nb COMMAND --help` lists what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the command takes")
    options = parser.parse_args(arguments)
    command, _ = COMMANDS[options.command]
    try:
        return command(f"{parser.prog} {options.command}", options.arguments)
    except KeyboardInterrupt:
        print(f"{parser.prog} {options.command}: interrupted", file=sys.stderr)
        return 130
    except (PersonalizeError, OSError, UnicodeDecodeError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
