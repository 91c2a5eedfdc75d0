"""A dataset group goes with everything that stands on it, and only that."""

import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import InputError, NotFoundError, QuotaError, ServiceError, there_is


def test_nothing_of_a_training_is_left(session, readers_model):
    model = pnb.train(
        reading_world.interactions(), name="passing", recipe="aws-popularity-count", progress=False, session=session
    )
    pnb.create_filter(
        "passing", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")', model, progress=False, session=session
    )
    group = model.dataset_group_arn.rsplit("/", 1)[-1]
    listed = pnb.list_dataset_groups(session).set_index("name")
    assert listed.loc[group, ["status", "solutions"]].tolist() == ["ACTIVE", model.name]
    pnb.delete_dataset_group(group, progress=False, session=session)
    with pytest.raises(NotFoundError, match="DescribeSolutionVersion"):
        model.describe()
    with pytest.raises(NotFoundError, match="no filter 'passing'"):
        pnb.find_filter("passing", session)
    left = [one["name"] for one in session.pages("list_schemas", "schemas")]
    assert not [name for name in left if name.startswith("passing")]
    assert group not in pnb.list_dataset_groups(session)["name"].tolist()
    assert readers_model.status == "ACTIVE"
    with pytest.raises(NotFoundError, match=f"no dataset group '{group}'; there is '.*list_dataset_groups"):
        pnb.delete_dataset_group(group, session=session)


def test_the_nearest_names_come_first_and_dots_tell_of_more():
    names = ["films", "songs", "books", "films-2"]
    assert there_is("boks", names).startswith("; there is 'books', ") and there_is("boks", names).endswith("', ...")
    assert (
        there_is("arn:aws:personalize:us-east-1:123456789012:filter/songz", names, most=1) == "; there is 'songs', ..."
    )
    assert there_is("zzz", ["films"]) == "; there is 'films'."
    assert there_is("zzz", []) == "."


class Trouble:
    """A session whose service throttles, is slow to see that resources are in use no more, and loses answers."""

    def __init__(self, session):
        self.session, self.calls, self.now = session, {}, 0.0

    def __getattr__(self, name):
        return getattr(self.session, name)

    def call(self, operation, **parameters):
        count = self.calls[operation] = self.calls.get(operation, 0) + 1
        if operation.startswith("delete_") and operation != "delete_schema" and count == 1:
            raise ServiceError("in use", code="ResourceInUseException")
        if operation == "describe_dataset_group" and count == 2:
            raise QuotaError("Rate exceeded")
        answer = self.session.call(operation, **parameters)
        if operation == "delete_dataset_group" and count == 2:
            raise ServiceError("the answer was lost", code="ConnectionClosedError")
        return answer

    def sleep(self, seconds):
        self.now += seconds


def test_throttling_and_lost_answers_are_sat_out(session, monkeypatch):
    model = pnb.train(
        reading_world.interactions(), name="throttled", recipe="aws-popularity-count", progress=False, session=session
    )
    trouble = Trouble(session)
    monkeypatch.setattr("personalize_nb.resources.dataset_groups.current", lambda session: trouble)
    group = model.dataset_group_arn.rsplit("/", 1)[-1]
    pnb.delete_dataset_group(group, progress=False, sleep=trouble.sleep, clock=lambda: trouble.now)
    monkeypatch.undo()
    assert group not in pnb.list_dataset_groups(session)["name"].tolist()
    assert trouble.calls["delete_dataset_group"] == 3 and trouble.now > 0


def test_what_is_no_time_limit_deletes_nothing(session, readers_model):
    group = readers_model.dataset_group_arn.rsplit("/", 1)[-1]
    with pytest.raises(InputError, match="'timeout' must be"):
        pnb.delete_dataset_group(group, timeout="5", session=session)
    assert readers_model.status == "ACTIVE"
