"""`python -m personalize_nb.local`: the embedded service in the foreground, or ending one that runs.

Prints the environment variables with which any AWS client can use it. Keys come from AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY when both are set; otherwise the folder's own are kept or new ones made. Keys of real AWS
accounts (AKIA..., ASIA...) are accepted as well, but neither kept nor printed.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local import REFUSAL, check_identity, stop
from personalize_nb.local.state import durability, layout, platform
from personalize_nb.local.tasks import cluster_address, theme_settings


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run the command line; the exit code is 0, or 1 with one line on stderr."""
    options = _parser(program).parse_args(arguments)
    try:
        if options.stop:
            print("stopped" if stop(options.path) else f"no local service is running in {options.path}")
            return 0
        check_identity(options.region, options.account)
        return _serve(options)
    except LocalServiceError as error:
        told = " ".join(str(error).split("\n"))
        print(f"{program}: {told}" if program else f"{REFUSAL}{told}", file=sys.stderr)
        return 1


def _parser(program: str | None) -> argparse.ArgumentParser:
    what = __doc__.split("\n\n")[0]
    if program:
        what = what.replace("python -m personalize_nb.local", program)
    parser = argparse.ArgumentParser(prog=program or "python -m personalize_nb.local", description=what)
    parser.add_argument("--path", required=True, type=Path, help="the folder that holds everything the service keeps")
    parser.add_argument(
        "--port", type=_whole(0, 65535), default=0, help="on 127.0.0.1; default: the last one used, or a free one"
    )
    parser.add_argument("--region", help="default: the folder's own, or us-east-1")
    parser.add_argument("--account", help="12 digits; default: the folder's own, or 123456789012")
    parser.add_argument(
        "--idle-seconds", type=float, default=0, help="end after this time without requests and work; 0: never"
    )
    parser.add_argument(
        "--workers", type=_whole(1, 64), help="processes that import, train and run jobs; default: 1 or 2"
    )
    parser.add_argument(
        "--durable",
        action=argparse.BooleanOptionalAction,
        help=f"what is acknowledged outlives a power cut; default: {durability.VARIABLE}, else not",
    )
    parser.add_argument("--stop", action="store_true", help="end the service that runs in this folder")
    # how `personalize_nb.local.start` starts it: in the background, where it can with a word on a pipe when it is ready
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    return parser


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds from the command line."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return read


def _serve(options: argparse.Namespace) -> int:
    detached = options.ready_fd is not None
    if detached:
        platform.detach(options.ready_fd)
    platform.keep_files_private()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")

    durability.choose(options.durable if options.durable is not None else durability.is_durable())

    # after the fork: the first half should not pay for these imports
    from personalize_nb.local.process.service import Service

    themes = theme_settings.from_environment(os.environ)
    if themes and not detached:  # `start` has done it before it began this process
        theme_settings.keep(layout.claim_folder(options.path), theme_settings.parse(themes))
    scheduler = cluster_address.asked(os.environ)
    if scheduler is not None and not detached:
        cluster_address.keep(layout.claim_folder(options.path), scheduler)
    access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    root = layout.claim_folder(options.path)
    try:
        service = Service(
            root,
            port=options.port,
            region=options.region,
            account=options.account,
            keys=(access_key, secret_key) if access_key and secret_key else None,
            idle_seconds=options.idle_seconds,
            workers=options.workers,
        )
    except OSError as error:
        raise layout.unusable(root, error) from error

    def announce() -> None:
        if detached:
            platform.say_ready(options.ready_fd)
            return
        for name, value in service.info.environment().items():
            print(f"export {name}={shlex.quote(value)}")
        if access_key and secret_key and access_key != service.info.access_key:
            print("# these keys are the folder's own; those of AWS in your environment are accepted, and kept nowhere")
        print(f"# account {service.info.account}, bucket {service.info.bucket}, role {service.info.role_arn}")
        print(f"# state in {service.info.path}; Ctrl-C ends the service, everything is kept", flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        service.run(announce)
    return 0


if __name__ == "__main__":
    sys.exit(main())
