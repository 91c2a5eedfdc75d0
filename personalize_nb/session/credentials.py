"""Where credentials of AWS come from: asked again when the ones in hand are refused, and told in errors.

boto3 keeps what it found once. A login that ended and was begun anew, variables that were set again and a file that
another program writes are seen only by who asks the providers again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.credentials import Credentials

log = logging.getLogger(__name__)

_MARK = "personalize_nb_origin"
_EXPLICIT = "explicit"


@dataclass(frozen=True)
class Origin:
    """What gave the credentials of a call.

    Parameters
    ----------
    profile
        The profile that was asked for, empty for the default.
    method
        botocore's name of the provider: `env`, `sso`, `assume-role`, ...
    """

    profile: str = ""
    method: str = ""

    @property
    def option(self) -> str:
        """The option of the AWS CLI that names the profile, with a space before it; empty where it needs none."""
        return f" --profile {self.profile}" if self.profile else ""

    @property
    def renewal(self) -> str:
        """What renews such credentials."""
        of_profile = f" of profile {self.profile}" if self.profile else ""
        said = {
            "env": "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment again",
            "shared-credentials-file": f"write new keys{of_profile} into the credentials file",
            "config-file": f"write new keys{of_profile} into the configuration file",
            "sso": f"log in again with `aws sso login{self.option}`",
            "login": f"log in again with `aws login{self.option}`",
            "custom-process": f"look at the program that credential_process{of_profile} names",
            _EXPLICIT: "make a boto3.Session with new keys and give it to pnb.connect(...), with bucket and role_arn",
        }
        if self.method in said:
            return said[self.method]
        if self.method.startswith("assume-role"):
            return f"renew those that the role{of_profile} is assumed with"
        return f"log in again (`aws sso login{self.option}`), or set new keys where the old ones stand"


class CredentialSource:
    """What a session's credentials come from.

    Parameters
    ----------
    boto3_session
        Makes the clients.
    again
        Makes another one of the same source, where the toolkit has made this one; the user's own is kept.
    """

    def __init__(self, boto3_session: boto3.Session, again: Callable[[], boto3.Session] | None = None):
        self.boto3_session = boto3_session
        self._again = again
        self._known: tuple[Any, ...] | None = None

    def origin(self) -> Origin:
        """Return what gave the credentials, without asking for any."""
        profile = self.boto3_session.profile_name
        found = self._core()._credentials
        return Origin("" if profile == "default" else profile, found.method or "" if found else "")

    def ask_again(self) -> bool:
        """Ask the source again, and tell whether it has credentials that are not the ones in hand."""
        before = _keys(lambda: self.boto3_session.get_credentials())
        if self._known is not None and before not in (None, self._known):
            self._known = before  # they have renewed themselves
            return True
        now = self._asked(before)
        self._known = now or before
        return now is not None and now != before

    def _asked(self, before: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if self._again is not None:
            try:
                renewed = self._again()
            except Exception as error:  # settings may be half written: what was there goes on
                log.info("the AWS settings cannot be read again: %s", error)
                return None
            now = _keys(renewed.get_credentials)
            if now not in (None, before):
                self.boto3_session = renewed
            return now
        core = self._core()
        held = core._credentials
        if held is not None and held.method == _EXPLICIT:
            return None
        loaded: list[Credentials] = []

        def load() -> Credentials | None:
            found = core.get_component("credential_provider").load_credentials()
            loaded.append(found)
            # the caller's identity must not change: another provider may know another account
            return found if held is None or (found is not None and found.method == held.method) else None

        now = _keys(load)
        if now not in (None, before):
            core._credentials = loaded[0]
        return now

    def _core(self) -> Any:
        # boto3 keeps botocore's session, and botocore the credentials it found, without a public way to either
        return self.boto3_session._session


def _keys(find: Callable[[], Credentials | None]) -> tuple[Any, ...] | None:
    """Return the keys that credentials consist of now, or None where there are none to be had."""
    try:
        found = find()
        return None if found is None else tuple(found.get_frozen_credentials())
    except Exception as error:  # a provider runs programs and calls services: whatever it ends in, there are no keys
        log.info("the source of the AWS credentials has none: %s", type(error).__name__)
        return None


def record(client: BaseClient, source: CredentialSource) -> None:
    """Mark what the calls of a client end in with what gave the credentials, for `origin_of`."""

    def unanswered(exception: Exception, **_: object) -> None:
        mark(exception, source.origin())

    def answered(parsed: dict[str, Any], **_: object) -> None:
        metadata = parsed.get("ResponseMetadata", {})
        if metadata.get("HTTPStatusCode", 0) >= 300:
            metadata[_MARK] = source.origin()

    client.meta.events.register("after-call-error", unanswered)
    client.meta.events.register("after-call", answered)


def mark(error: Exception, origin: Origin) -> None:
    """Keep with an exception of boto3 what gave the credentials of its call."""
    if not hasattr(error, _MARK):
        setattr(error, _MARK, origin)


def origin_of(error: Exception) -> Origin:
    """Return what gave the credentials of the call that ended in an exception of boto3."""
    response: Any = getattr(error, "response", None) or {}
    found = response.get("ResponseMetadata", {}).get(_MARK) or getattr(error, _MARK, None)
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""
    return found if isinstance(found, Origin) else Origin(profile)
