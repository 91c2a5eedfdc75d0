"""A dataset group goes with everything that stands on it, and only that."""

import json

import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import AccessError, InputError, NotFoundError, QuotaError, ServiceError, there_is
from personalize_nb.session import waiting
from personalize_nb.session.progress import NullProgress


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
    """A session in which every operation fails at first with these errors, and answers of deletions get lost."""

    def __init__(self, session, *errors, lasting=()):
        self.session, self.errors, self.lasting, self.asked, self.now = session, errors, lasting, {}, 0.0

    def __getattr__(self, name):
        return getattr(self.session, name)

    def _times(self, operation):
        count = self.asked[operation] = self.asked.get(operation, 0) + 1
        if operation in self.lasting:
            raise ServiceError("not now", code="InvalidInputException")
        if count <= len(self.errors):
            raise self.errors[count - 1]
        return count

    def call(self, operation, **parameters):
        count = self._times(operation)
        answer = self.session.call(operation, **parameters)
        if self.errors and operation.startswith("delete_") and count == len(self.errors) + 1:
            raise ServiceError("the answer was lost", code="ConnectionClosedError")
        return answer

    def pages(self, operation, member, **parameters):
        self._times(operation)
        return self.session.pages(operation, member, **parameters)

    def sleep(self, seconds):
        self.now += seconds

    def delete(self, group):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("personalize_nb.resources.dataset_groups.current", lambda session: self)
            pnb.delete_dataset_group(group, progress=False, sleep=self.sleep, clock=lambda: self.now)


def made(session, kind, **parameters):
    """Make a resource and wait for the end of its making, whatever that is."""
    first, *more = kind.split("_")
    member = first + "".join(part.capitalize() for part in more)
    arn = session.call(f"create_{kind}", **parameters)[f"{member}Arn"]
    if kind != "schema":

        def describe():
            described = session.call(f"describe_{kind}", **{f"{member}Arn": arn})[member]
            return described | {"status": described["status"].replace("CREATE FAILED", "ACTIVE")}

        waiting.until_active(describe, kind, arn, again="", timeout=300, progress=NullProgress())
    return arn


def group_with_everything(session, name):
    """Make a group of a domain with what stands on one and needs no training."""
    fields = [{"name": one, "type": "string"} for one in ("USER_ID", "ITEM_ID", "EVENT_TYPE")]
    fields.append({"name": "TIMESTAMP", "type": "long"})
    space = "com.amazonaws.personalize.schema"
    avro = {"type": "record", "name": "Interactions", "namespace": space, "fields": fields, "version": "1.0"}
    schema = made(session, "schema", name=f"{name}-rows", schema=json.dumps(avro), domain="VIDEO_ON_DEMAND")
    group = made(session, "dataset_group", name=name, domain="VIDEO_ON_DEMAND")
    made(session, "dataset", name=name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")
    made(session, "event_tracker", name=name, datasetGroupArn=group)
    output = {"roleArn": session.role()}
    metric = {"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}
    made(
        session,
        "metric_attribution",
        name=name,
        datasetGroupArn=group,
        metrics=[metric],
        metricsOutputConfig=output,
    )
    recipe = "arn:aws:personalize:::recipe/aws-vod-top-picks"
    made(session, "recommender", name=name, datasetGroupArn=group, recipeArn=recipe)
    return schema


def left(session, name):
    """List what still bears a name, of every kind that can stand on a group."""
    kinds = {"list_filters": "Filters"} | {
        f"list_{kind}": kind for kind in ("solutions", "campaigns", "recommenders", "datasets", "schemas")
    }
    kinds |= {
        "list_event_trackers": "eventTrackers",
        "list_metric_attributions": "metricAttributions",
        "list_dataset_groups": "datasetGroups",
    }
    return [
        one["name"]
        for operation, member in kinds.items()
        for one in session.pages(operation, member)
        if one["name"].startswith(name)
    ]


SLOW = QuotaError("Rate exceeded")
LOST = ServiceError("lost", code="EndpointConnectionError")
IN_USE = ServiceError("in use", code="ResourceInUseException")


@pytest.mark.parametrize("errors", [(), (SLOW,), (LOST, SLOW)])
def test_all_that_stands_on_a_group_goes_though_every_call_has_trouble(session, errors):
    name = f"all-{len(errors)}"
    group_with_everything(session, name)
    trouble = Trouble(session, *errors)
    trouble.delete(name)
    assert left(session, name) == []
    deleted = {one for one in trouble.asked if one.startswith("delete_")}
    kinds = ("recommender", "event_tracker", "metric_attribution", "dataset", "schema", "dataset_group")
    assert deleted == {f"delete_{kind}" for kind in kinds}
    assert bool(errors) == (trouble.now > 0)


def test_a_model_that_serves_goes_and_what_is_in_use_for_some_seconds_is_sat_out(session):
    model = pnb.train(
        reading_world.interactions(), name="throttled", recipe="aws-popularity-count", progress=False, session=session
    )
    made(session, "campaign", name="throttled", solutionVersionArn=model.arn)

    class InUse(Trouble):
        def _times(self, operation):
            passes = operation.startswith("delete_") and operation != "delete_schema"
            self.errors = (IN_USE, SLOW) if passes else (SLOW,)
            return super()._times(operation)

    trouble = InUse(session)
    trouble.delete(model.dataset_group_arn.rsplit("/", 1)[-1])
    assert left(session, "throttled") == [] and trouble.asked["delete_campaign"] > 2


def test_a_second_call_finds_the_schemas_of_a_training(session):
    model = pnb.train(
        reading_world.interactions(), name="halfway", recipe="aws-popularity-count", progress=False, session=session
    )
    group = model.dataset_group_arn.rsplit("/", 1)[-1]
    with pytest.raises(ServiceError, match="not now") as found:
        Trouble(session, lasting=["delete_schema"]).delete(group)
    assert "Schemas that are left" not in str(found.value)
    assert sorted(left(session, "halfway")) == sorted([group, f"{group}-interactions"])
    pnb.delete_dataset_group(group, progress=False, session=session)
    assert left(session, "halfway") == []


def test_schemas_of_other_names_are_told_when_they_are_left(session):
    schema = group_with_everything(session, "told")
    with pytest.raises(ServiceError, match=f"not now. Schemas that are left: '{schema}'. Once the datasets are gone"):
        Trouble(session, lasting=["delete_schema"]).delete("told")
    session.call("delete_schema", schemaArn=schema)
    pnb.delete_dataset_group("told", progress=False, session=session)
    assert left(session, "told") == []


def test_a_schema_that_another_group_has_stays(session, capsys):
    schema = group_with_everything(session, "one")
    group = made(session, "dataset_group", name="another", domain="VIDEO_ON_DEMAND")
    made(session, "dataset", name="another", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")
    pnb.delete_dataset_group("one", session=session)
    assert "schema/one-rows stays: another dataset has it" in capsys.readouterr().err
    assert left(session, "one") == ["one-rows"]
    pnb.delete_dataset_group("another", progress=False, session=session)
    assert left(session, "one") == []


def test_who_may_not_list_what_is_rare_deletes_all_else(session):
    made(session, "dataset_group", name="narrow")

    class Narrow(Trouble):
        def pages(self, operation, member, **parameters):
            if operation in ("list_recommenders", "list_event_trackers", "list_metric_attributions"):
                raise AccessError(f"not authorized to call {operation}")
            return super().pages(operation, member, **parameters)

    Narrow(session).delete("narrow")
    assert left(session, "narrow") == []


def test_what_is_no_time_limit_deletes_nothing(session, readers_model):
    group = readers_model.dataset_group_arn.rsplit("/", 1)[-1]
    with pytest.raises(InputError, match="'timeout' must be"):
        pnb.delete_dataset_group(group, timeout="5", session=session)
    assert readers_model.status == "ACTIVE"
