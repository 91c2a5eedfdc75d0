"""What the kernel of a headless run is asked after each cell: which names of its session are not for readers."""

from __future__ import annotations

from personalize_nb.session.connection import connected


def names() -> list[str]:
    """Return account, bucket and role that this kernel is connected to, as far as they are known without asking AWS."""
    session = connected()
    if session is None:
        return []
    role = session.role_arn or ""
    # on AWS the account is a property that is remembered once it was asked for
    account = session.account if session.is_local else vars(session).get("account")
    return [str(name) for name in (account, session.bucket, role.rsplit("/", 1)[-1], *role.split(":")[4:5]) if name]
