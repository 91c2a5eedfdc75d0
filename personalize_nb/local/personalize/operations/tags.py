"""Tags on every resource that has them: all but schemas and what Amazon itself provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import MAX_TAGS
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, checked_tags, invalid, operation
from personalize_nb.local.state.kinds import SCHEMA
from personalize_nb.local.state.resources import AnyResource

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("TagResource")
def tag_resource(control: Control, params: shapes.TagResourceRequestTypeDef) -> None:
    resource = _taggable(control, params["resourceArn"])
    tags = checked_tags(params["tags"])
    total = len(control.store.tags(resource.arn).keys() | tags.keys())
    if total > MAX_TAGS:
        raise ApiError(
            "TooManyTagsException", f"A resource can have at most {MAX_TAGS} tags; {resource.arn} would have {total}."
        )
    control.store.tag(resource.arn, tags)


@operation("UntagResource")
def untag_resource(control: Control, params: shapes.UntagResourceRequestTypeDef) -> None:
    resource = _taggable(control, params["resourceArn"])
    keys = params["tagKeys"]
    if len(keys) > MAX_TAGS:
        raise ApiError(
            "TooManyTagKeysException", f"At most {MAX_TAGS} tag keys can be removed at once, got {len(keys)}."
        )
    control.store.untag(resource.arn, keys)


@operation("ListTagsForResource")
def list_tags_for_resource(control: Control, params: shapes.ListTagsForResourceRequestTypeDef) -> dict[str, Any]:
    resource = _taggable(control, params["resourceArn"])
    tags = control.store.tags(resource.arn)
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}


def _taggable(control: Control, arn: str) -> AnyResource:
    resource = control.store.get(arn)
    if resource is None:
        raise ApiError("ResourceNotFoundException", f"Resource Arn {arn} does not exist.")
    if resource.kind == SCHEMA:
        raise invalid(f"{arn} is a schema; schemas cannot have tags.")
    return resource
