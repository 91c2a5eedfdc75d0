"""Errors of boto3 become the toolkit's, here and nowhere else; the original stays as `__cause__`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from personalize_nb import errors


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
        raise _from_client_error(error, action) from error
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
        raise errors.AccessError(
            f"{action}: no AWS credentials were found. Configure a profile, set AWS_ACCESS_KEY_ID, or work offline "
            "with pnb.connect(pnb.Session.local())."
        ) from error
    except botocore.exceptions.BotoCoreError as error:
        raise errors.ServiceError(f"{action}: {error}", code=type(error).__name__, operation=action) from error


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


def _from_client_error(error: Any, action: str) -> errors.PersonalizeError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", "")).strip() or str(error)
    told = f"{action}: {text} [{code}]"
    if code in _NOT_FOUND:
        return errors.NotFoundError(told)
    if code in _TAKEN:
        return errors.AlreadyExistsError(told)
    if code in _QUOTA:
        stays = "delete some" in text  # a quota of things that stay, not of work under way
        wait = "" if stays else " Wait until other work has ended (pnb.list_jobs()), then try again."
        return errors.QuotaError(f"{told}{wait}")
    if code in _CREDENTIALS:
        return errors.AccessError(f"{told} Renew your AWS credentials, then make a new session with pnb.connect().")
    if code in _ACCESS or "nsufficient privileges" in text or "not authorized" in text:
        return errors.AccessError(f"{told} {_PERMISSIONS}")
    if code == "ResourceInUseException":
        told += " Wait until it is ACTIVE, for example solution_version.wait(), then try again."
    return errors.ServiceError(told, code=code, operation=action)
