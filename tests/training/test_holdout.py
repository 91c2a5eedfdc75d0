"""Every row is in one of the two parts, as it was; what is held out is the newest, whatever the order of rows."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

DAY = 86_400
START = 1_700_000_000
MET = pd.DataFrame(
    {
        "user_id": list("uuuuvvvw"),
        "item_id": list("abcaxyzq"),
        "timestamp": [START + day * DAY for day in (1, 2, 3, 4, 9, 7, 8, 5)],
        "event": range(8),
    },
    index=list("ABCDEFGH"),
)

histories = st.lists(
    st.tuples(st.sampled_from("uvwx"), st.sampled_from("abcd"), st.integers(0, 5)), min_size=1, max_size=30
)


@settings(max_examples=20)
@given(histories, st.integers(1, 4), st.booleans())
def test_of_each_user_the_newest_are_held_out_and_no_row_is_lost_or_changed(rows, newest, per_user):
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "day"])
    frame["timestamp"] = START + frame["day"]
    owners = frame["user_id"] if per_user else pd.Series("all", frame.index)
    slow = []  # places of rows: of equal times the later row is the newer
    for _, group in frame.groupby(owners):
        order = sorted(group.index, key=lambda place: (frame["timestamp"][place], place))
        slow += order[-newest:] if len(order) > newest else []
    if not slow:
        with pytest.raises(InputError, match=f"newest={newest} holds out none of"):
            pnb.holdout(frame, newest=newest, per_user=per_user)
        return
    train, truth = pnb.holdout(frame, newest=newest, per_user=per_user)
    pd.testing.assert_frame_equal(truth, frame.loc[sorted(slow)])
    pd.testing.assert_frame_equal(train, frame.drop(slow))


def test_rows_keep_their_columns_types_and_index():
    train, truth = pnb.holdout(MET, newest=2)
    assert truth.index.tolist() == list("CDEG") and train.index.tolist() == list("ABFH")
    assert truth.columns.tolist() == MET.columns.tolist() and (truth.dtypes == MET.dtypes).all()


def test_a_share_is_rounded_down_and_short_histories_stay_whole(capsys):
    train, truth = pnb.holdout(MET, share=0.5)
    assert truth["user_id"].value_counts().to_dict() == {"u": 2, "v": 1} and "w" in set(train["user_id"])
    assert "1 user has too few interactions for 0.5, and stays in train whole" in capsys.readouterr().err
    ten = pd.DataFrame({"user_id": "u", "item_id": range(10), "timestamp": START + np.arange(10)})
    assert len(pnb.holdout(ten, share=0.3).truth) == 3


def test_too_few_rows_are_told(capsys):
    pnb.holdout(MET, newest=3)
    assert "2 users have no more than 3 interactions, and stay in train whole" in capsys.readouterr().err


@pytest.mark.parametrize(
    "after",
    [
        pd.Timestamp(START + 7 * DAY, unit="s"),
        pd.Timestamp(START + 7 * DAY, unit="s", tz="UTC").tz_convert("Asia/Tokyo"),
        START + 7 * DAY,
        str(pd.Timestamp(START + 7 * DAY, unit="s")),
        datetime.date(2023, 11, 21),
        "2023-11-21",
    ],
)
def test_a_moment_divides_all_users_at_once(after, capsys):
    train, truth = pnb.holdout(MET, after=after)
    assert truth.index.tolist() == list("EFG") and len(train) == 5
    assert "1 user of the truth has no interaction before, so that it is new to a model" in capsys.readouterr().err


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(MET["timestamp"], unit="s"),
        pd.to_datetime(MET["timestamp"], unit="s", utc=True),
        pd.to_datetime(MET["timestamp"], unit="s").astype("str"),
        MET["timestamp"] * 1000,
        MET["timestamp"].astype("Int64"),
        MET["timestamp"].astype(float),
    ],
)
def test_times_of_any_kind_are_the_same_times(times):
    frame = MET.assign(timestamp=times)
    assert pnb.holdout(frame, newest=2).truth.index.tolist() == list("CDEG")
    assert pnb.holdout(frame, after="2023-11-21").truth.index.tolist() == list("EFG")


def test_parts_of_a_second_are_an_order():
    frame = pd.DataFrame(
        {"USER_ID": ["u"] * 3, "ITEM_ID": [1, 2, 3], "TIMESTAMP": [START * 1000 + part for part in (5, 9, 7)]}
    )
    assert pnb.holdout(frame, newest=1).truth["ITEM_ID"].tolist() == [2]
    assert pnb.holdout(frame.assign(TIMESTAMP=pd.to_datetime(frame["TIMESTAMP"], unit="ms")), newest=1).truth[
        "ITEM_ID"
    ].tolist() == [2]


def test_only_items_not_met_before_each_once(capsys):
    frame = pd.concat(
        [
            MET,
            MET.tail(1).assign(user_id="u", item_id="n", timestamp=START + 90 * DAY),
            MET.tail(1).assign(user_id="u", item_id="n", timestamp=START + 91 * DAY),
        ]
    )
    train, truth = pnb.holdout(frame, newest=3, only_new_items=True)
    assert truth[["user_id", "item_id"]].values.tolist() == [["u", "n"]]
    assert "a" in set(train["item_id"]) and len(train) == 7
    assert "2 of 3 held-out interactions are with items met before" in capsys.readouterr().err


def test_any_form_is_read_once(tmp_path):
    MET.to_csv(tmp_path / "met.csv", index=False)
    train, truth = pnb.holdout(tmp_path / "met.csv", newest=2)
    assert truth["item_id"].tolist() == list("caxz") and len(train) == 4
    train, truth = pnb.holdout((part for part in (MET.head(4), MET.tail(4))), newest=2)
    assert truth["item_id"].tolist() == list("caxz")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Give one of newest=3, share=0.2 and after=.*got none"),
        ({"newest": 1, "share": 0.1}, "got newest, share"),
        ({"newest": 0}, "'newest' must be a whole number from 1, got 0"),
        ({"newest": True}, "'newest' must be a whole number"),
        ({"share": 1}, "'share' must be a number between 0 and 1, such as 0.2; got 1"),
        ({"share": float("nan")}, "'share' must be"),
        ({"after": "soon"}, "'after' must be a date or time.*'soon'"),
        ({"after": pd.NaT}, "'after' must be a date or time"),
        ({"after": "2030-01-01"}, "holds out none of 8 interactions: the latest is of 2023"),
        ({"after": "2020-01-01"}, "holds out all 8 interactions of 3 users, and nothing is left"),
        ({"newest": 9}, "holds out none of 8 interactions of 3 users: the longest history has 4"),
        ({"newest": 1, "per_user": "yes"}, "'per_user' must be True or False"),
    ],
)
def test_what_cannot_be_held_out_is_told(options, text):
    with pytest.raises(InputError, match=text):
        pnb.holdout(MET, **options)


def test_frames_that_cannot_be_divided_are_told():
    with pytest.raises(InputError, match="'interactions' is empty"):
        pnb.holdout(MET.head(0), newest=1)
    with pytest.raises(InputError, match=r"'interactions' has no column \['timestamp'\]"):
        pnb.holdout(MET.drop(columns="timestamp"), newest=1)
    with pytest.raises(InputError, match="the time is missing"):
        pnb.holdout(MET.assign(timestamp=pd.Series([None] + [START] * 7, MET.index)), newest=1)
    with pytest.raises(InputError, match="'after' must be a date like the timestamps"):
        pnb.holdout(MET.assign(timestamp=pd.to_datetime(MET["timestamp"], unit="s")), after=START)
