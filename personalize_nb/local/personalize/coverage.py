"""Which operations of the installed botocore's models are answered, as the table in the service's README.

python -m personalize_nb.local.coverage          prints it
python -m personalize_nb.local.coverage PAGE.md  writes it between the markers of a page
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from personalize_nb.contract.limits import service_model
from personalize_nb.local.personalize.operations.all_operations import OPERATIONS, RECORDED
from personalize_nb.local.personalize.rest_protocol import SERVICES
from personalize_nb.local.personalize.serving.all_operations import SERVED

START, END = "<!-- operations -->", "<!-- /operations -->"
REAL, RECORDED_ONLY, UNSUPPORTED = "real", "recorded only", "unsupported"
CONTROL = "personalize"


def operations() -> Iterator[tuple[str, str, str]]:
    """Yield service, operation and how far it is answered, in the order of the models."""
    for service in (CONTROL, *SERVICES):
        answered = OPERATIONS if service == CONTROL else SERVED
        for name in service_model(service).operation_names:
            state = UNSUPPORTED if name not in answered else RECORDED_ONLY if name in RECORDED else REAL
            yield service, name, state


def table() -> str:
    """Return the table as Markdown: one row for each service and state, and the count of each."""
    found: dict[tuple[str, str], list[str]] = {}
    for service, name, state in operations():
        found.setdefault((service, state), []).append(name)
    lines = ["| service | state | operations |", "|---|---|---|"]
    order = (REAL, RECORDED_ONLY, UNSUPPORTED)
    for (service, state), names in sorted(found.items(), key=lambda entry: order.index(entry[0][1])):
        lines.append(f"| `{service}` | {state} ({len(names)}) | {', '.join(names)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """Return a document with the table between its markers.

    Raises
    ------
    ValueError
        The document has no markers.
    """
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise ValueError("the document has no markers")
    return f"{head}{START}\n{table()}\n{END}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or write it into the documents named; the exit code is 0, or 1 with one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        print(table())
    for name in arguments:
        path = Path(name)
        try:
            path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
        except (OSError, ValueError) as error:
            print(f"{name}: {error}; name a document that holds {START} and {END}", file=sys.stderr)
            return 1
    return 0
