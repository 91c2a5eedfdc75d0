"""Write the table of AWS's errors into the README of `session/`: `PYTHONPATH=. python tests/support/error_page.py`."""

from pathlib import Path

import personalize_nb
from personalize_nb.session import explanations

PAGE = Path(personalize_nb.__file__).parent / "session" / "README.md"
HEAD = "| code, exception or words |"


def written(page):
    """Return the page with the table as it is now."""
    return page[: page.index(HEAD)] + "\n".join(explanations.page()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
