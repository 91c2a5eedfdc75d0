"""The S3 service: requests in, the operation of that name, answers out."""

from __future__ import annotations

from collections.abc import Callable

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.forms import FormBody
from personalize_nb.local.http.messages import Handler, Request, Response
from personalize_nb.local.s3.bucket_operations import BUCKET_OPERATIONS
from personalize_nb.local.s3.configurations import CONFIGURATION_OPERATIONS
from personalize_nb.local.s3.context import S3
from personalize_nb.local.s3.multipart import Uploads
from personalize_nb.local.s3.object_operations import OBJECT_OPERATIONS
from personalize_nb.local.s3.posting import post_object
from personalize_nb.local.s3.protocol import Reply, address_of, read_call, refusal, request_ids, write_reply
from personalize_nb.local.s3.refusals import check_call
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.upload_operations import UPLOAD_OPERATIONS

OPERATIONS = BUCKET_OPERATIONS | CONFIGURATION_OPERATIONS | OBJECT_OPERATIONS | UPLOAD_OPERATIONS


def s3_handler(
    store: ObjectStore, region: str, account: str, has_identity: Callable[[str], bool] = lambda arn: True
) -> Handler:
    """Return what the endpoint calls for requests signed for `s3`.

    Parameters
    ----------
    store
        Where the buckets are.
    region
        The region of buckets that are created without one.
    account
        The owner of everything.
    has_identity
        Tells whether the account has the role, user or session of an ARN; a policy may name no other of it.
    """
    s3 = S3(store, Uploads(store), region, account, has_identity)

    def answer(request: Request) -> Response:
        if isinstance(request.body, FormBody):
            bucket, _ = address_of(request)
            response = post_object(s3, bucket, request.body, request)
            response.headers |= request_ids()
            return response
        call = read_call(request)
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            raise ApiError(
                "NotImplemented",
                f"The local service does not have the S3 operation {call.operation}. It has "
                f"{', '.join(sorted(OPERATIONS))}.",
                501,
            )
        check_call(call, account)
        reply = operation(s3, call)
        response = write_reply(call, reply if isinstance(reply, Reply) else Reply(reply))
        response.headers |= request_ids()
        return response

    return Handler(answer, refusal, wire="s3", any_region=True)
