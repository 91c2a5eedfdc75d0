"""The folder of the embedded service, read from what is given for it."""

from __future__ import annotations

import os
from pathlib import Path

from personalize_nb import errors


def read(path: str | os.PathLike[str]) -> Path:
    """Return a folder's path without aliases; InputError for what can be none."""
    try:
        return Path(path).expanduser().resolve()
    # no path of any system, the home of nobody, links in a circle
    except (ValueError, RuntimeError, OSError) as error:
        raise errors.InputError(
            f"'path' must be the path of a folder, got {os.fspath(path)!r} ({error}). Name another, or leave it out "
            "for the user's data folder."
        ) from error


def default_folder() -> Path:
    """Return the folder of the embedded service when none is named."""
    import platformdirs

    return Path(platformdirs.user_data_path("personalize_nb", appauthor=False)) / "local"
