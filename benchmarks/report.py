"""The README's section on benchmarks, written from the files of results and from nothing else."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import MEANS, RATIOS, RESULTS, load, render

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- benchmarks: written by `python -m benchmarks` -->", "<!-- /benchmarks -->"


def section(folder: Path = RESULTS) -> str:
    """All results as Markdown: for each bench a line that unfolds to its table, so that the README stays readable."""
    parts = []
    for path in sorted(folder.glob("*.json")):
        facts, found = load(path)
        layout = facts.get("layout", RATIOS)
        values = "means and standard errors" if layout == MEANS else "medians"
        how = f"{values} of {facts['rounds']} rounds, {facts['machine']}, {facts['date']}"
        head = f"<summary><b>{facts['title']}</b> ({how})</summary>"
        parts.append(f"<details>\n{head}\n\n{render(layout, found)}\n\n</details>")
    return "\n\n".join(parts)


def fill(text: str, body: str) -> str:
    """Put the section between its markers.

    Raises
    ------
    ValueError
        The text has no such markers.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n{body}\n{end}{after}"


def write(readme: Path = README) -> None:
    """Bring the README up to date."""
    readme.write_text(fill(readme.read_text(), section()))
