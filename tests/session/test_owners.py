"""What is made names its owner where tags are allowed, and is made all the same where they are not."""

import pytest
from injected import answering

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session import owners
from personalize_nb.session.session import Session

OPERATIONS = limits.service_model().operation_names
TAGGED = [name for name in OPERATIONS if name.startswith("Create") and owners.taggable(name)]


@pytest.fixture
def anna(local_service, monkeypatch):
    """Give a session of somebody whom the environment names."""
    monkeypatch.setenv("PERSONALIZE_NB_OWNER", " Anna (books) ")
    return Session.local(local_service.path)


class Sent:
    """Records the parameters of calls and ends each as told: with an answer, or by raising."""

    def __init__(self, *ends):
        self.ends, self.tags = list(ends), []

    def __call__(self, parameters):
        self.tags.append({one["tagKey"]: one["tagValue"] for one in parameters.get("tags", ())})
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


def test_the_owner_is_the_one_that_is_named_before_the_caller(anna, session, monkeypatch):
    assert anna.owner == "Anna -books-"
    monkeypatch.delenv("PERSONALIZE_NB_OWNER")
    monkeypatch.setenv("JUPYTERHUB_USER", "ben")
    assert owners.owner_of(session) == "ben"
    monkeypatch.delenv("JUPYTERHUB_USER")
    assert owners.owner_of(session).startswith("user/")
    with answering(session.sts, "GetCallerIdentity", "AccessDenied"):
        assert owners.owner_of(session) == ""


@pytest.mark.parametrize("operation", TAGGED)
def test_everything_that_may_have_tags_is_marked(anna, operation):
    sent = []

    def before_call(params, **_):
        sent.append(params["body"])
        raise RuntimeError("not sent")

    anna.personalize.meta.events.register_first(f"before-call.personalize.{operation}", before_call)
    required = anna.personalize.meta.service_model.operation_model(operation).input_shape
    given = {name: example(required.members[name]) for name in required.required_members}
    name = "".join(f"_{one.lower()}" if one.isupper() else one for one in operation).lstrip("_")
    with pytest.raises(RuntimeError, match="not sent"):
        anna.call(name, **given)
    assert "Anna -books-" in str(sent[0]) and owners.OWNER in str(sent[0])


def example(shape):
    """Return the least that botocore sends of a shape."""
    if shape.type_name == "structure":
        return {name: example(shape.members[name]) for name in shape.required_members}
    return {"list": [], "boolean": True, "integer": 1, "map": {}}.get(shape.type_name, "a-text-of-some-length")


DENIED = errors.AccessError("not authorized to perform: personalize:TagResource")


def test_tags_that_are_refused_are_left_out_and_so_is_nothing_else():
    answer = {"jobArn": "arn"}
    assert owners.create({"tags": [{"tagKey": "team", "tagValue": "a"}]}, "me", sent := Sent(answer)) == (answer, True)
    assert sent.tags == [{"team": "a", owners.OWNER: "me"}]
    assert owners.create({}, "me", sent := Sent(DENIED, answer)) == (answer, False)
    assert sent.tags == [{owners.OWNER: "me"}, {}]
    with pytest.raises(
        errors.AccessError, match="CreateFilter"
    ):  # the refusal of the call without our tag is the true one
        owners.create({}, "me", Sent(DENIED, errors.AccessError("not authorized to perform: CreateFilter")))
    with pytest.raises(errors.QuotaError):
        owners.create({}, "me", sent := Sent(errors.QuotaError("full")))
    assert len(sent.tags) == 1


def test_tags_of_the_users_own_stand_and_fifty_are_enough():
    own = [{"tagKey": owners.OWNER, "tagValue": "somebody"}]
    full = [{"tagKey": f"k{number}", "tagValue": ""} for number in range(limits.MAX_TAGS)]
    for given in (own, full):
        assert owners.create({"tags": given}, "me", sent := Sent({})) == ({}, True)
        assert sent.tags == [{one["tagKey"]: one["tagValue"] for one in given}]
    assert owners.create({}, "", sent := Sent({})) == ({}, True) and sent.tags == [{}]
