"""A dataset group goes with everything that stands on it, and only that."""

import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import NotFoundError, there_is


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
