"""What preflight says of calls that it was refused: the rights that they take, without the remedies of a job's refusal.

A refusal's own message recommends what to do about a job, preflight among it; here it is only why nothing was judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from personalize_nb import errors

# the calls whose rights policies name in another way than `personalize:` and the call
_OF_SERVICES = {
    "iam": (
        "GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies GetPolicy GetPolicyVersion "
        "SimulatePrincipalPolicy"
    ),
    "kms": "DescribeKey GetKeyPolicy ListGrants",
    "s3": "GetObject GetBucketLocation GetBucketPolicy",
    "servicequotas": "ListServiceQuotas",
    "sts": "GetCallerIdentity",
}
_RIGHTS = {call: f"{service}:{call}" for service, calls in _OF_SERVICES.items() for call in calls.split()} | {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
}
# of HEAD, whose answers have no body, the status is the code
_DENIED = ("AccessDenied", "AccessDeniedException", "403", "Forbidden", "KMS.AccessDeniedException")


def right(error: errors.PersonalizeError) -> str:
    """Return the right that a call was refused for, named as policies name it; nothing for another error."""
    if error.code not in _DENIED or not error.operation:
        return ""
    return _RIGHTS.get(error.operation, f"personalize:{error.operation}")


def told(reasons: Sequence[errors.PersonalizeError]) -> str:
    """Say why nothing could be read: by the rights that are missing, and by what else went wrong."""
    rights = list(dict.fromkeys(filter(None, map(right, reasons))))
    others = dict.fromkeys(str(one) for one in reasons if not right(one))
    shown = " and ".join(filter(None, (", ".join(rights[:-1]), rights[-1]))) if rights else ""
    denied = [f"{shown} {'are' if len(rights) > 1 else 'is'} not allowed to you."] if rights else []
    return " ".join([*denied, *others])
