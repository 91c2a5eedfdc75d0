"""Errors of boto3 become the toolkit's, here and nowhere else; the original stays as `__cause__`.

What each comes from and what to do about it stands in a table (`explanations`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from personalize_nb import errors
from personalize_nb.session import aws_settings, explanations
from personalize_nb.session.credentials import Origin, origin_of

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

GARBLED = "GarbledAnswer"


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn what boto3 raises into the toolkit's errors; the original stays as `__cause__`.

    Parameters
    ----------
    action
        What was attempted, named as AWS names it.
    """
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise with_call(_of_answer(error, action), error, action) from error
    except botocore.exceptions.BotoCoreError as error:
        raise with_call(_without_answer(error, action), error, action) from error
    except OSError as error:
        # names of files stand in settings only: what is uploaded and written is open by now
        if not isinstance(error.filename, str):
            raise
        raise _of_file(error, action) from error
    except errors.PersonalizeError:
        raise
    except Exception as error:
        # what cannot be parsed ends in exceptions of every kind: there is no telling from a mistake but by the place
        if not _in_parser(error):
            raise
        raise garbled(action, f"{type(error).__name__}: {error}").of_call(action, "") from error


def with_call(
    error: errors.PersonalizeError, cause: ClientError | BotoCoreError, action: str
) -> errors.PersonalizeError:
    """Tell an error which call it comes from, and AWS's ids of that call where there was an answer."""
    # a waiter that gives up has the answer to its last look
    answer = getattr(cause, "response", None) or getattr(cause, "last_response", None) or {}
    metadata = answer.get("ResponseMetadata", {})
    ids = metadata.get("RequestId", ""), metadata.get("HostId", "")
    return error.of_call(action, *ids, tries=1 + int(metadata.get("RetryAttempts", 0)))


def garbled(action: str, detail: str) -> errors.PersonalizeError:
    """Return the error of an answer that says it went well, and lacks what it should hold."""
    return _made(f"{action}: the answer cannot be read: {detail}", [GARBLED], "", {})


def _of_answer(error: ClientError, action: str) -> errors.PersonalizeError:
    answer = error.response.get("Error", {})
    metadata: Any = error.response.get("ResponseMetadata", {})
    code = str(answer.get("Code", ""))
    text = str(answer.get("Message", "")).strip() or str(error)
    call = str(getattr(error, "operation_name", "") or "")
    # on the way to the call that was meant, credentials may be asked for by calls of their own
    by_way = f"{call}: " if call in explanations.ON_THE_WAY else ""
    status = int(metadata.get("HTTPStatusCode") or 0)
    names = [code, "5xx"] if status >= 500 or re.fullmatch(r"5\d\d", code) else [code]
    lacked = re.search(r"not authorized to perform:? ([\w-]+:\w+)", text)
    right = lacked[1] if lacked else f"the right to {call or action}"
    values = {"skew": _skew(metadata), "action": right, **_values(origin_of(error))}
    return _made(f"{action}: {by_way}{text} [{code}]", names, call, values, text)


def _made(
    message: str,
    names: Sequence[str],
    call: str,
    values: dict[str, str],
    text: str = "",
) -> errors.PersonalizeError:
    """Return the error that the table has for these names; its message with what to do, the values filled in."""
    row = explanations.of_call(names, text, call)
    if row is not None:
        step = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], ""), f"{row.cause} {row.step}")
        message = explanations.sentences(message, step)
    made: errors.PersonalizeError = (row.becomes if row else errors.ServiceError)(message)
    made.code = names[0]
    made.transient = row is not None and row.passes
    # new ones may be there at the next try
    made.transient = made.transient or isinstance(made, errors.CredentialsError)
    return made


def _without_answer(error: BotoCoreError, action: str) -> errors.PersonalizeError:
    import botocore.exceptions

    values = _values(origin_of(error))
    if isinstance(error, (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError)):
        message = f"{action}: no AWS credentials were found: {str(error).rstrip('.')}."
    elif "Invalid header value" in str(error):  # which shows the secret
        made = errors.CredentialsError(
            f"{action}: a key or token of the AWS credentials holds a line break or another character that cannot be "
            f"sent{_broken_variables()}. Set it again without it, then make a new session with pnb.connect()."
        )
        made.code = type(error).__name__
        return made
    else:
        message = f"{action}: {str(error).strip().rstrip('.')}."
    names = [one.__name__ for one in type(error).__mro__]
    region, regions = _without_personalize(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    if region:
        values |= {"region": region, "regions": ", ".join(regions)}
        names.append("NoSuchRegion")
    return _made(message, names, "", values, str(error))


_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SENT = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
_HOST = re.compile(r"personalize(?:-runtime|-events)?(?:-fips)?\.([a-z]{2}[a-z-]*-\d)\.(?:amazonaws|api\.aws)")


def _values(origin: Origin) -> dict[str, str]:
    """Return what the table's sentences leave open: what is so on this machine and with these credentials."""
    proxies = [one for one in _PROXIES if os.environ.get(one)]
    return {
        "sso_login": f"`aws sso login{origin.option}`",
        "aws_login": f"`aws login{origin.option}`",
        "renewal": origin.renewal,
        "proxies": f"the proxy in {', '.join(proxies)}" if proxies else "the proxy (HTTPS_PROXY, which is not set)",
        "files": aws_settings.files(),
    }


def _skew(metadata: dict[str, Any]) -> str:
    """Return by how much the clock of this machine differs from the one that answered, where that can be told."""
    with suppress(TypeError, ValueError, KeyError):
        theirs = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        minutes = (datetime.now(UTC) - theirs).total_seconds() / 60
        if abs(minutes) >= 1:
            return f" (it is {abs(minutes):.0f} minutes {'ahead' if minutes > 0 else 'behind'})"
    return ""


def _without_personalize(address: str) -> tuple[str, Sequence[str]]:
    """Return the region of an address where Amazon Personalize is not, and where it is; nothing for other addresses."""
    found = _HOST.match(urlsplit(address).hostname or "")
    if found is None:
        return "", ()
    core = aws_settings.session_without_settings()  # what is wrong with the user's is told elsewhere
    partitions = core.get_available_partitions()
    regions = [one for name in partitions for one in core.get_available_regions("personalize", name)]
    return ("", ()) if found[1] in regions else (found[1], regions)


def _in_parser(error: BaseException) -> bool:
    """Tell an exception that comes out of botocore's parsers."""
    import botocore.parsers

    if isinstance(error, botocore.parsers.ResponseParserError):
        return True
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == botocore.parsers.__name__:
            return True
        trace = trace.tb_next
    return False


def _of_file(error: OSError, action: str) -> errors.AccessError:
    variable = next((name for name in sorted(os.environ) if os.environ[name] == error.filename), "")
    named = f"the variable {variable} of the environment" if variable else "an AWS setting"
    return errors.AccessError(
        f"{action}: the file {error.filename!r}, which {named} names, cannot be used: {error.strerror}. Correct the "
        "setting or take it away, then make a new session with pnb.connect(); or work offline with "
        "pnb.connect(pnb.Session.local())."
    ).of_call(action, "", "")


def _broken_variables() -> str:
    broken = [name for name in _SENT if not os.environ.get(name, "").isprintable()]
    return f" ({', '.join(broken)})" if broken else ""
