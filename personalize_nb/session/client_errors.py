"""Errors of boto3 become the toolkit's, here and nowhere else; the original stays as `__cause__`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from personalize_nb import errors

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


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


def with_call(
    error: errors.PersonalizeError, cause: ClientError | BotoCoreError, action: str
) -> errors.PersonalizeError:
    """Tell an error which call it comes from, and AWS's ids of that call where there was an answer."""
    # a waiter that gives up has the answer to its last look
    answer = getattr(cause, "response", None) or getattr(cause, "last_response", None) or {}
    metadata = answer.get("ResponseMetadata", {})
    return error.of_call(action, metadata.get("RequestId", ""), metadata.get("HostId", ""))


_NOT_FOUND = frozenset({"ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404", "NoSuchEntity"})
_TAKEN = frozenset({"ResourceAlreadyExistsException", "BucketAlreadyExists", "EntityAlreadyExists"})
_QUOTA = frozenset(
    {"LimitExceededException", "ThrottlingException", "Throttling", "SlowDown", "TooManyRequestsException"}
)
_ACCESS = frozenset({"AccessDenied", "AccessDeniedException", "403"})
_CREDENTIALS = frozenset({
    "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException",
    "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSignatureException",
})  # fmt: skip
_PERMISSIONS = (
    "Check that the service role trusts personalize.amazonaws.com, that its policy and the bucket's policy allow "
    "s3:GetObject, s3:PutObject and s3:ListBucket, and that you may pass the role (iam:PassRole)."
)


def _of_answer(error: ClientError, action: str) -> errors.PersonalizeError:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", ""))
    text = str(answer.get("Message", "")).strip() or str(error)
    message = f"{action}: {text} [{code}]"
    if code in _NOT_FOUND:
        return errors.NotFoundError(message)
    if code in _TAKEN:
        return errors.AlreadyExistsError(message)
    if code in _QUOTA:
        stays = "delete some" in text  # a quota of things that stay, not of work under way
        wait = "" if stays else " Wait until other work has ended (pnb.list_jobs()), then try again."
        return errors.QuotaError(f"{message}{wait}")
    if code in _CREDENTIALS:
        return errors.AccessError(f"{message} Renew your AWS credentials, then make a new session with pnb.connect().")
    if code in _ACCESS or "nsufficient privileges" in text or "not authorized" in text:
        return errors.AccessError(f"{message} {_PERMISSIONS}")
    if code == "ResourceInUseException":
        message += " Wait until it is ACTIVE, for example solution_version.wait(), then try again."
    return errors.ServiceError(message, code)


def _without_answer(error: BotoCoreError, action: str) -> errors.PersonalizeError:
    import botocore.exceptions

    if isinstance(error, (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError)):
        return errors.AccessError(
            f"{action}: no AWS credentials were found. Configure a profile, set AWS_ACCESS_KEY_ID, or work offline "
            "with pnb.connect(pnb.Session.local())."
        )
    if "Invalid header value" in str(error):  # which shows the secret
        return errors.AccessError(
            f"{action}: a key or token of the AWS credentials holds a line break or another character that cannot be "
            f"sent{_broken_variables()}. Set it again without it, then make a new session with pnb.connect()."
        )
    message = f"{action}: {str(error).rstrip('.')}."
    if isinstance(error, _sso_errors()):
        return errors.AccessError(f"{message} Log in with `aws sso login`, {_AGAIN}.")
    if isinstance(error, _credential_errors()):
        return errors.AccessError(
            f"{message} Look at where your credentials come from (`aws configure list`), {_AGAIN}."
        )
    proxies = [one for one in _PROXIES if os.environ.get(one)]
    if isinstance(error, (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)) and proxies:
        message += f" Look at the proxy in {', '.join(proxies)}, {_AGAIN}."
    return errors.ServiceError(message, type(error).__name__)


_AGAIN = "then make a new session with pnb.connect(); or work offline with pnb.connect(pnb.Session.local())"
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SENT = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def _of_file(error: OSError, action: str) -> errors.AccessError:
    variable = next((name for name in sorted(os.environ) if os.environ[name] == error.filename), "")
    named = f"the variable {variable} of the environment" if variable else "an AWS setting"
    return errors.AccessError(
        f"{action}: the file {error.filename!r}, which {named} names, cannot be used: {error.strerror}. Correct the "
        f"setting or take it away, {_AGAIN}."
    ).of_call(action, "", "")


def _broken_variables() -> str:
    broken = [name for name in _SENT if not os.environ.get(name, "").isprintable()]
    return f" ({', '.join(broken)})" if broken else ""


def _sso_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.UnauthorizedSSOTokenError


def _credential_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (
        exceptions.CredentialRetrievalError,
        exceptions.MetadataRetrievalError,
        exceptions.RefreshWithMFAUnsupportedError,
        exceptions.UnknownCredentialError,
        exceptions.InvalidConfigError,
    )
