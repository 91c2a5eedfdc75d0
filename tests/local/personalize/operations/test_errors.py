"""Every error class that the model names, of every operation: provoked, or listed with the reason why it cannot be."""

from __future__ import annotations

import pytest
from botocore import xform_name
from every_kind import KINDS, World

from personalize_nb.contract.limits import FAILED, IN_PROGRESS, service_model
from personalize_nb.local.personalize.operations.all_operations import OPERATIONS
from personalize_nb.local.state.quotas import QUOTAS, configured

MODEL = service_model()
UNKNOWN = "arn:aws:personalize:us-east-1:123456789012:nothing/here"
INVALID, NOT_FOUND, IN_USE = "InvalidInputException", "ResourceNotFoundException", "ResourceInUseException"
TAKEN, LIMIT, TOKEN = "ResourceAlreadyExistsException", "LimitExceededException", "InvalidNextTokenException"
TAGS, TAG_KEYS = "TooManyTagsException", "TooManyTagKeysException"

UNREACHABLE = {
    ("CreateDataset", LIMIT): "a group has one dataset of each type, and the second one's Arn is taken",
    ("ListTagsForResource", IN_USE): "tags can be read whatever the status",
    ("TagResource", IN_USE): "tags can be set whatever the status: samples tag what they have just created",
    ("TagResource", LIMIT): "the only limit is that of tags, which has an error of its own",
    ("UntagResource", IN_USE): "tags can be removed whatever the status",
    ("UpdateSolution", LIMIT): "no quota on updates is documented",
}

# whose resource, not ACTIVE yet, makes an operation wait: the member of the request, and the kind it names
BUSY = {
    "CreateBatchInferenceJob": ("solutionVersionArn", "solution_version"),
    "CreateBatchSegmentJob": ("solutionVersionArn", "solution_version"),
    "CreateCampaign": ("solutionVersionArn", "solution_version"),
    "CreateDataDeletionJob": ("datasetGroupArn", "dataset_group"),
    "CreateDataset": ("datasetGroupArn", "dataset_group"),
    "CreateDatasetExportJob": ("datasetArn", "dataset"),
    "CreateDatasetImportJob": ("datasetArn", "dataset"),
    "CreateEventTracker": ("datasetGroupArn", "dataset_group"),
    "CreateMetricAttribution": ("datasetGroupArn", "dataset_group"),
    "CreateRecommender": ("datasetGroupArn", "dataset_group"),
    "CreateSolution": ("datasetGroupArn", "dataset_group"),
    "CreateSolutionVersion": ("solutionArn", "solution"),
    "DeleteCampaign": ("campaignArn", "campaign"),
    "DeleteDataset": ("datasetArn", "dataset"),
    "DeleteDatasetGroup": ("datasetGroupArn", "dataset_group"),
    "DeleteEventTracker": ("eventTrackerArn", "event_tracker"),
    "DeleteFilter": ("filterArn", "filter"),
    "DeleteMetricAttribution": ("metricAttributionArn", "metric_attribution"),
    "DeleteRecommender": ("recommenderArn", "recommender"),
    "DeleteSolution": ("solutionArn", "solution"),
    "GetSolutionMetrics": ("solutionVersionArn", "solution_version"),
    "StartRecommender": ("recommenderArn", "recommender"),
    "StopRecommender": ("recommenderArn", "recommender"),
    "UpdateCampaign": ("campaignArn", "campaign"),
    "UpdateDataset": ("datasetArn", "dataset"),
    "UpdateMetricAttribution": ("metricAttributionArn", "metric_attribution"),
    "UpdateRecommender": ("recommenderArn", "recommender"),
    "UpdateSolution": ("solutionArn", "solution"),
}
CHANGED = {"UpdateRecommender": {"recommenderConfig": {}}}


def errors(operation):
    return sorted({error.name for error in MODEL.operation_model(operation).error_shapes})


EVERY = [(operation, error) for operation in sorted(OPERATIONS) for error in errors(operation)]


def arn_member(operation):
    """Return a member of the request that takes an ARN of Personalize."""
    members = MODEL.operation_model(operation).input_shape.members
    wanted = [*MODEL.operation_model(operation).input_shape.required_members, *members]
    return next(member for member in wanted if member.endswith("Arn") and member not in ("roleArn", "kmsKeyArn"))


def invalid(world, operation):
    shape = MODEL.operation_model(operation).input_shape
    name = next((member for member in ("name", "jobName") if member in shape.required_members), None)
    if name is not None:
        return world.valid(operation) | {name: "not a name"}
    if "maxResults" in shape.members:
        return {"maxResults": 101}
    return world.valid(operation) | {arn_member(operation): "not an Arn"}


def not_found(world, operation):
    return world.valid(operation) | {arn_member(operation): UNKNOWN}


def in_use(world, operation):
    if operation == "DeleteSchema":
        assert world["dataset"]
        return world.valid(operation)
    if operation == "StopSolutionVersionCreation":
        request = world.valid(operation)
        world.plane.store.set_status(request["solutionVersionArn"], IN_PROGRESS)
        world.call(operation, request)
        return request
    member, kind = BUSY[operation]
    # what a creation needs besides is ACTIVE before; other calls are about the waiting resource itself
    request = world.valid(operation) if operation.startswith("Create") else CHANGED.get(operation, {})
    if operation == "UpdateDataset":
        request = {"schemaArn": world["schema"]}
    waiting = world.fresh(kind)
    if operation == "CreateSolutionVersion":
        # a solution that is only waiting is accepted: see choices.py
        world.plane.store.set_status(waiting, FAILED, "no reason")
    return request | {member: waiting}


def taken(world, operation):
    if operation == "UpdateMetricAttribution":
        request = world.valid(operation)
        world.call(operation, request)
        return request
    request = world.valid(operation)
    world.call(operation, request)
    world.plane.work()
    return request


def limit(world, operation):
    return world.valid(operation)


def token(world, operation):
    return {"nextToken": "bm90aGluZw=="}


def tags(world, operation):
    many = [{"tagKey": f"k{number}", "tagValue": ""} for number in range(51)]
    return world.valid(operation) | {"tags": many}


def tag_keys(world, operation):
    return world.valid(operation) | {"tagKeys": [f"k{number}" for number in range(51)]}


PROVOKED = {
    INVALID: invalid,
    NOT_FOUND: not_found,
    IN_USE: in_use,
    TAKEN: taken,
    LIMIT: limit,
    TOKEN: token,
    TAGS: tags,
    TAG_KEYS: tag_keys,
}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_has_an_answer_of_its_shape(plane, operation):
    world = World(plane)
    answer = world.call(operation, world.valid(operation))  # checked against the model on its way
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(("operation", "error"), [each for each in EVERY if each not in UNREACHABLE])
def test_every_error_of_every_operation(make_plane, operation, error):
    quotas = configured({"PERSONALIZE_NB_QUOTAS": f"{KINDS[operation]}=0"}) if error == LIMIT else QUOTAS
    plane = make_plane(quotas=quotas)
    request = PROVOKED[error](World(plane), operation)
    code, message = plane.refused(xform_name(operation), **request)
    assert code == error, message
    assert len(message) > 20


@pytest.mark.parametrize("place", sorted(UNREACHABLE))
def test_what_cannot_be_provoked_is_in_the_model(place):
    assert place in EVERY and UNREACHABLE[place]
