"""The licences of all that is installed with the package, and which of them are fine with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Their terms: keep the notice. Nothing is asked of what uses them. MPL asks for the sources of its own files only.
FINE = {
    "0BSD": r"0BSD",
    "Apache-2.0": r"Apache([ -]2(\.0)?| (Software )?License)?(,? Version 2(\.0)?| 2\.0)?( WITH LLVM-exception)?",
    "BSD": r"((new|modified|revised|[23]-clause) )?BSD([ -][23][ -]clause)?( license)?",
    "CC0-1.0": r"CC0-1\.0",
    "ISC": r"ISC( License)?( \(ISCL\))?",
    "MIT": r"(The )?MIT(-0)?( License)?",
    "MIT-CMU": r"HPND|MIT-CMU",
    "MPL-2.0": r"MPL[ -]?2(\.0)?|Mozilla Public License 2\.0 \(MPL 2\.0\)",
    "PSF": r"PSF(-2\.0)?|Python(-2\.0)?( Software Foundation License)?|CNRI-Python",
    "Unlicense": r"The Unlicense( \(Unlicense\))?|Unlicense",
    "Zlib": r"Zlib",
}
_OSI = "License :: OSI Approved :: "


class Licence(NamedTuple):
    """What one distribution says of its licence, and which of those that are fine it is; empty where none is."""

    name: str
    version: str
    said: str
    fine: str


def dependencies(name: str, extras: Iterable[str] = ()) -> list[str]:
    """Return what is installed with a distribution, and with that, by name.

    Parameters
    ----------
    name
        The distribution.
    extras
        Extras that are asked for with it.
    """
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = [(canonicalize_name(name), frozenset(extras))]
    while queue:
        one, wanted = queue.pop()
        if (one, wanted) in seen:
            continue
        seen.add((one, wanted))
        for text in metadata.requires(one) or []:
            need = Requirement(text)
            worlds: list[dict[str, str]] = [{**default_environment(), "extra": extra} for extra in ("", *wanted)]
            if need.marker is None or any(need.marker.evaluate(world) for world in worlds):
                queue.append((canonicalize_name(need.name), frozenset(need.extras)))
    return sorted({one for one, _ in seen} - {canonicalize_name(name)})


def said(fields: metadata.PackageMetadata) -> str:
    """Return what a distribution says of its licence: the expression, else what it is classified as, else the field."""
    if expression := fields.get("License-Expression"):
        return str(expression)
    classified = [one.rpartition(" :: ")[2] for one in fields.get_all("Classifier") or [] if one.startswith(_OSI)]
    if classified:
        return " AND ".join(classified)
    return str(fields.get("License") or "").strip().partition("\n")[0]


def fine(text: str) -> str:
    """Return which of the fine licences an expression comes to; empty where any part of it is none.

    Parameters
    ----------
    text
        As `said` returns it; of parts joined by OR one is enough.
    """
    found = []
    for part in re.split(r" AND |\s*;\s*", text):
        choices = re.sub(r"^\((.*)\)$", r"\1", part.strip()).split(" OR ")
        names = [name for choice in choices for name, form in FINE.items() if re.fullmatch(form, choice, re.IGNORECASE)]
        if not names:
            return ""
        found.append(names[0])
    return ", ".join(dict.fromkeys(found))


def licences(names: Iterable[str]) -> list[Licence]:
    """Return the licence of each distribution."""
    rows = []
    for name in names:
        fields = metadata.metadata(name)
        text = said(fields)
        rows.append(Licence(name, fields["Version"], text, fine(text)))
    return rows


def table(rows: Iterable[Licence]) -> str:
    """Return licences as a table of text."""
    lines = [("package", "version", "licence"), *((one.name, one.version, one.fine or f"? {one.said}") for one in rows)]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    return "\n".join(f"{name:{widths[0]}}  {version:{widths[1]}}  {text}" for name, version, text in lines)


if __name__ == "__main__":
    print(table(licences(dependencies("personalize-nb"))))
