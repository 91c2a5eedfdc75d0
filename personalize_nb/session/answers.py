"""Answers of Personalize are held to its model before anybody reads them, and remember the call they came with.

botocore takes any body for an answer: what is cut, or a proxy's page, becomes an answer without members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb.contract import how_far
from personalize_nb.session.client_errors import garbled

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import Shape


class Described(dict[str, Any]):
    """A member of an answer that knows which call it came with: a failure found later is told with AWS's id of it.

    Attributes
    ----------
    operation, request_id
        The call, as AWS names it, and AWS's id of it.
    how_far : tuple of int, or None
        How much is done, of how much, where whoever answered says so; AWS does not.
    """

    operation = request_id = ""
    how_far: tuple[int, int] | None = None


def checked(client: BaseClient, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer whose members are what the model promises.

    Parameters
    ----------
    client
        The client that was asked.
    operation
        What it was asked, as boto3 spells it.
    answer
        What came.

    Raises
    ------
    ServiceError
        Something is missing: the answer was cut or changed on its way.
    """
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).output_shape
    metadata = answer.get("ResponseMetadata", {})
    request_id = str(metadata.get("RequestId", ""))
    for member, inner in (shape.members if shape is not None else {}).items():
        if missing := _missing(member, inner, answer.get(member)):
            size = metadata.get("HTTPHeaders", {}).get("content-length", "")
            told = f"it lacks {missing}{f', and has {size} bytes' if size else ''}."
            raise garbled(name, told).of_call(name, request_id)
        if inner.type_name == "structure" and isinstance(answer.get(member), Mapping):
            held = Described(answer[member])
            held.operation, held.request_id = name, request_id
            held.how_far = how_far.read(metadata.get("HTTPHeaders", {}).get(how_far.HEADER))
            answer[member] = held
    return answer


def _missing(member: str, shape: Shape, value: object) -> str:
    """Return what a member lacks; only resources, lists and ARNs are in every answer that has such a member."""
    if shape.type_name in ("list", "map"):
        return "" if isinstance(value, (list, Mapping)) else member
    if shape.type_name == "structure":
        if not isinstance(value, Mapping) or not value:
            return member
        wanted = [one for one in getattr(shape, "members", {}) if one == "status"]
        return "".join(f"{member}.{one}" for one in wanted if not isinstance(value.get(one), str))
    return member if member.endswith("Arn") and not value else ""
