"""The call that makes a session again in a kernel that knows nothing; it tells no secret and no account.

A shared notebook masks buckets and roles, so the call names neither: they come from the environment there, or from what
is attached to. Nor does it name credentials: they are found there, as boto3 finds them.
"""

from __future__ import annotations

import os
from pathlib import Path

from personalize_nb.session import folders
from personalize_nb.session.session import DEFAULT_PREFIX, FOLDER, Session


def call(session: Session) -> str:
    """Return the call that connects another kernel to where a session works.

    Parameters
    ----------
    session
        The session.
    """
    source, service = session._source, session._service
    given: list[str] = []
    if service is not None:
        named = os.environ.get(FOLDER)
        if service.path not in (named and folders.read(named), folders.read(folders.default_folder())):
            given = [repr(_from_home(Path(service.path)))]
    elif source is not None:
        profile = source.origin().profile
        given = [repr(session.region), *([f"profile={profile!r}"] if profile else [])]
    if session.prefix != DEFAULT_PREFIX:
        given.append(f"prefix={session.prefix!r}")
    world = "aws" if service is None else "local"
    return f"pnb.connect(pnb.Session.{world}({', '.join(given)}))"


def _from_home(folder: Path) -> str:
    """Return a path as it is told elsewhere: the name of who works here is masked."""
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
