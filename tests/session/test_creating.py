"""What was made and not answered is found again; what is refused is told; a second one is asked for in need only."""

import json
from functools import partial

import pytest
import wire_faults

from personalize_nb.errors import AlreadyExistsError, CredentialsError, QuotaError, ServiceError
from personalize_nb.session import creating

LOST = "ConnectionClosedError"


class Service:
    """A service that follows a script: each try makes the thing or not, and answers or not."""

    def __init__(self, *script, shown_after=0):
        self.script, self.hidden = list(script), shown_after
        self.made = 0

    def create(self):
        step = self.script.pop(0) if self.script else "answer"
        if isinstance(step, Exception):
            raise step
        if self.made and step != "second":
            raise AlreadyExistsError("taken")
        self.made += step != "never there"
        if step in ("lost", "never there"):
            raise ServiceError("the connection broke", code=LOST)
        return "thing"

    def find(self):
        if self.made and self.hidden:
            self.hidden -= 1
            return None
        return "thing" if self.made else None

    def ask(self, **options):
        return creating.made(self.create, self.find, "making a thing", sleep=lambda seconds: None, **options)


@pytest.mark.parametrize("looks", [1, 3])
@pytest.mark.parametrize("shown_after", [0, 1, 2])
@pytest.mark.parametrize("script", [[], ["lost"], ["never there"], ["never there", "lost"]])
def test_it_is_made_once(looks, shown_after, script):
    service = Service(*script, shown_after=shown_after)
    assert service.ask(looks=looks) == "thing" and service.made == 1


def test_what_has_no_name_is_looked_for_more_than_once_before_a_second_one():
    service = Service("lost", "second", shown_after=2)
    assert service.ask(looks=3) == "thing" and service.made == 1


def test_what_somebody_else_has_made_is_told_at_once():
    service = Service()
    service.made = 1
    with pytest.raises(AlreadyExistsError, match="taken"):
        service.ask()
    own = AlreadyExistsError("taken").of_call("Create", "", tries=2)  # botocore's first try had made it
    assert Service(own, "second").ask() == "thing"


SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
    "version": "1.0",
}


def test_a_quota_ends_it_and_too_many_calls_do_not(session):
    refused = partial(wire_faults.refusal, "LimitExceededException")
    create = partial(session.call, "create_schema", name="creating", schema=json.dumps(SCHEMA))
    for full in ("More than 5 resources in ACTIVE state.", "More than 5 resources with PENDING status.", "Full."):
        with (
            wire_faults.faults(session, "CreateSchema", *[refused(full)] * 9) as seen,
            pytest.raises(QuotaError, match=full) as caught,
        ):
            creating.made(create, lambda: None, "making a schema", sleep=lambda seconds: None)
        assert seen["CreateSchema"] == caught.value.tries and not caught.value.transient  # botocore's own tries
    fast = "The limit on the number of requests per second has been exceeded."
    with wire_faults.faults(session, "CreateSchema", *[refused(fast)] * 4) as seen:
        assert creating.made(create, lambda: None, "making a schema", sleep=lambda seconds: None)["schemaArn"]
    assert seen["CreateSchema"] == 5


def test_ended_credentials_have_lost_nothing():
    service = Service(CredentialsError("ended"))
    service.find = None  # there is nothing to look for
    assert service.ask() == "thing"
