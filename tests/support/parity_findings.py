"""What was found about the questions that AWS's documentation leaves open, as a table to be read."""

from __future__ import annotations

from personalize_nb.text.redact import redact


class Findings:
    """Questions with what was seen, in the order in which they were asked."""

    def __init__(self):
        self.rows = []

    def note(self, question, seen):
        """Enter what was seen, as a short text."""
        text = " ".join(str(seen).split()).replace("|", "\\|")
        self.rows.append((question, text if len(text) <= 300 else f"{text[:297]}..."))

    def text(self):
        """Return the table, without what is nobody else's business."""
        return redact(
            "\n".join(["| question | seen |", "|---|---|", *(f"| {one} | {seen} |" for one, seen in self.rows)])
        )
