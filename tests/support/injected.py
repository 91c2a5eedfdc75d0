"""Answers put in place of a service's own, by botocore's hooks: what a caller meets who may less, or has more."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

# the calls for which AWS asks a right, where they are not called as it is
CALLS = {
    "s3:ListBucket": ("ListObjectsV2", "HeadBucket"),
    "s3:GetObject": ("GetObject", "HeadObject"),
    "s3:PutObject": ("PutObject", "CreateMultipartUpload"),
    "iam:Get*": ("GetRole", "GetRolePolicy", "GetPolicy", "GetPolicyVersion"),
}


class Answered:
    """What botocore looks at of an answer's head."""

    def __init__(self, status):
        self.status_code, self.headers, self.raw = status, {}, None


@contextmanager
def answering(client, operation, answer):
    """Answer an operation of a client in place of its service: with members, or with a refusal by its code."""

    def before_call(model, **_):
        if isinstance(answer, str):
            denied = "Denied" in answer
            text = f"not authorized to perform {model.name}" if denied else f"{model.name} is refused"
            error = {"Code": answer, "Message": text}
            return Answered(403), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return Answered(200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    event = f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register_first(event, before_call)
    try:
        yield
    finally:
        client.meta.events.unregister(event, before_call)


@contextmanager
def refused(session, *rights):
    """Refuse a session what rights allow, named as policies name them."""
    with ExitStack() as stack:
        for right in rights:
            service, _, name = right.partition(":")
            code = "AccessDeniedException" if service == "personalize" else "AccessDenied"
            for operation in CALLS.get(right, (name,)):
                stack.enter_context(answering(session.client(service), operation, code))
        yield
