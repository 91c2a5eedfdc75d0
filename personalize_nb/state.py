"""`personalize-nb state`: what the embedded service has on disk, checked, repaired, kept, restored or removed.

The exit code is 0 when all is well, 1 when something is damaged or lost, 2 when a command cannot be done as it is
given.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from personalize_nb import local
from personalize_nb.errors import LocalServiceError

FINE, DAMAGED, USAGE = 0, 1, 2


def _check(options: argparse.Namespace) -> int:
    found = local.check(options.path)
    for damage in found:
        print(damage)
    damaged = [damage for damage in found if not damage.harmless]
    if not damaged:
        print(f"{options.path}: nothing is damaged")
        return FINE
    print(
        f"{options.path}: {_many(len(damaged), 'file')} to look after; "
        f"`personalize-nb state repair {options.path}` makes a copy that opens and says what is lost in it"
    )
    return DAMAGED


def _repair(options: argparse.Namespace) -> int:
    mended = local.repair(options.path, options.into)
    for damage in mended.lost:
        print(damage)
    print(f"{mended.path} is a copy that opens; {options.path} is as it was")
    if not mended.lost:
        print("nothing is lost in it")
    return DAMAGED if mended.lost else FINE


def _snapshot(options: argparse.Namespace) -> int:
    made = local.snapshot(options.path, options.file)
    print(f"{made} keeps {options.path} as it was when the command began ({made.stat().st_size:,} bytes)")
    return FINE


def _restore(options: argparse.Namespace) -> int:
    made = local.restore(options.file, options.path)
    print(f"{made} is as it was when {options.file} was made; start it: personalize-nb local --path {options.path}")
    return FINE


def _reset(options: argparse.Namespace) -> int:
    if not options.yes and not _agreed(options.path):
        print(f"nothing is removed: give --yes, or type the path {options.path}", file=sys.stderr)
        return USAGE
    left = local.reset(options.path)
    print(f"{options.path} is empty of everything that its service kept")
    for path in left:
        print(f"{path} is not the service's and stays")
    return FINE


def _agreed(path: Path) -> bool:
    print(f"This removes all objects, datasets, models and jobs in {path}, for ever. Type its path to go on:")
    try:
        typed = input("> ").strip()
    except EOFError:
        return False
    return bool(typed) and os.path.realpath(Path(typed).expanduser()) == os.path.realpath(path.expanduser())


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="What the embedded service has on disk.",
        epilog="Exit codes: 0 all is well, 1 something is damaged or lost, 2 it cannot be done as it is given.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, do: Callable[[argparse.Namespace], int], told: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")
        added.set_defaults(do=do)
        return added

    folder = "the folder of the service"
    check = action("check", _check, "name every damaged file, with its cause and repair; the service may run")
    check.add_argument("path", type=Path, metavar="PATH", help=folder)
    repair = action("repair", _repair, "make a copy that opens, and say what is lost; the original stays as it is")
    repair.add_argument("path", type=Path, metavar="PATH", help=f"{folder}, which must be stopped")
    repair.add_argument("--into", type=Path, metavar="COPY", help="empty or new; default: PATH.repaired")
    snapshot = action("snapshot", _snapshot, "keep the state of one moment in a file; the service may run")
    snapshot.add_argument("path", type=Path, metavar="PATH", help=folder)
    snapshot.add_argument("file", type=Path, metavar="FILE", help="the file to make; none is written over")
    restore = action("restore", _restore, "make a service's folder of a snapshot")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `snapshot` made")
    restore.add_argument("path", type=Path, metavar="PATH", help="the folder to make, empty or new")
    reset = action("reset", _reset, "stop the service and remove everything that it keeps")
    reset.add_argument("path", type=Path, metavar="PATH", help=folder)
    reset.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def main(arguments: Sequence[str], program: str = "personalize-nb state") -> int:
    """Do what the command line says; answer its exit code, with a line on stderr where it cannot be done."""
    options = _parser(program).parse_args(arguments)
    try:
        code: int = options.do(options)
        return code
    except (LocalServiceError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return DAMAGED if hasattr(error, "damage") else USAGE
