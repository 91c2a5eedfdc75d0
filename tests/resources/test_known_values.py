"""What the data hold is suggested to filters: kept by a training, read where an import read it, or given as a frame."""

from __future__ import annotations

import pandas as pd
import pytest

from personalize_nb.resources import known_values
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.known_values import ColumnValues, KnownValues, compared
from personalize_nb.session import s3

SHELVES = Filter("f", "arn", "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)", "ACTIVE")


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("INCLUDE ItemID WHERE Items.GENRE IN ($G)", {"G": ("ITEMS", "GENRE")}),
        ('exclude itemid where items . genre not in ("a", $G, $H)', {"G": ("ITEMS", "genre"), "H": ("ITEMS", "genre")}),
        ('INCLUDE ItemID WHERE Items.GENRE = "$G"', {"G": ("ITEMS", "GENRE")}),
        (
            "INCLUDE ItemID WHERE Items.GENRE != $G AND Items.PRICE<=$P",
            {"G": ("ITEMS", "GENRE"), "P": ("ITEMS", "PRICE")},
        ),
        ("INCLUDE UserID WHERE Users.AGE > $A", {"A": ("USERS", "AGE")}),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)", {"E": ("INTERACTIONS", "EVENT_TYPE")}),
        ("INCLUDE ItemID WHERE Items.A IN ($X) IF CurrentUser.B = $Y", {"X": ("ITEMS", "A"), "Y": ("USERS", "B")}),
        ('EXCLUDE ItemID WHERE Items.GENRE IN ("Drama")', {}),
    ],
)
def test_each_placeholder_is_compared_with_a_column(expression, columns):
    assert compared(expression) == columns


@pytest.mark.parametrize(
    ("value", "complete", "asked"),
    [
        ("Poetry", True, ""),
        ("Poetri", True, "did you mean 'Poetry'?"),
        ("poetry", False, "did you mean 'Poetry'?"),
        ("Zebra", True, "there are 'Poetry', 'Sci-Fi'"),
        ("Zebra", False, ""),  # it may stand in what was not read
        ("<img src=x>", True, "'<img src=x>'"),
    ],
)
def test_what_the_data_do_not_have_is_asked_about(value, complete, asked):
    told = ColumnValues("GENRE", ("Poetry", "Sci-Fi"), complete).question("G", value)
    assert asked in told and bool(asked) == bool(told)
    assert ColumnValues("GENRE").question("G", value) == ""  # nothing is known


def test_a_training_keeps_its_categories(session, readers_model):
    known = KnownValues(readers_model.dataset_group_arn, session).of_filter(SHELVES)
    assert known == {"SHELF": ColumnValues("SHELF", ("crime", "garden", "sea"), True)}


def test_of_other_imports_the_source_is_read(session, readers_model, monkeypatch):
    job, _ = known_values._newest_import(readers_model.dataset_group_arn, "ITEMS", session)
    described = session.call("describe_dataset_import_job", datasetImportJobArn=job)["datasetImportJob"]
    address = described["dataSource"]["dataLocation"]  # a training takes its file away
    bucket, key = s3.split(address)
    monkeypatch.setattr(known_values, "_kept", lambda *_: {})
    assert KnownValues(readers_model.dataset_group_arn, session).of_filter(SHELVES) == {}
    session.s3.put_object(Bucket=bucket, Key=key, Body=b'ITEM_ID,SHELF,YEAR\n1,sea|crime,1\n2,sea,2\n3,"a, b",3\n')
    try:
        known = KnownValues(readers_model.dataset_group_arn, session)
        assert known.of_filter(SHELVES)["SHELF"] == ColumnValues("SHELF", ("sea", "a, b", "crime"), True)
        assert set(known._columns["ITEMS"]) == {"SHELF"}  # the others do not repeat
        monkeypatch.setattr(known_values, "READ_BYTES", 45)
        part = KnownValues(readers_model.dataset_group_arn, session).of_filter(SHELVES)["SHELF"]
        assert part.values == ("sea", "crime") and not part.complete
    finally:
        session.s3.delete_object(Bucket=bucket, Key=key)


def test_a_frame_of_the_items_is_asked_first(session, readers_model):
    items = pd.DataFrame({"itemId": ["1", "2", "3"], "shelf": ["sea|sky", "sky", None]})
    known = KnownValues(readers_model.dataset_group_arn, session, items).of_filter(SHELVES)
    assert known["SHELF"] == ColumnValues("SHELF", ("sky", "sea"), True)
