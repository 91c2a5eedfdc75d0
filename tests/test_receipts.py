"""A receipt says how a job stands, masks the account, follows to the end and outlives lost connections."""

from datetime import UTC, datetime

import pytest

from personalize_nb import errors, receipts

WHEN = datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC)
DESCRIBED = {
    "jobName": "weekly",
    "status": "CREATE IN_PROGRESS",
    "solutionVersionArn": "arn:aws:personalize:us-east-1:123456789012:solution/books/abcdef01",
    "filterArn": "arn:aws:personalize:us-east-1:123456789012:filter/unread",
    "numResults": 10,
    "jobInput": {"s3DataSource": {"path": "s3://films-raw/in.jsonl"}},
    "jobOutput": {"s3DataDestination": {"path": "s3://films-raw/out/"}},
    "roleArn": "arn:aws:iam::123456789012:role/R",
    "creationDateTime": WHEN,
    "lastUpdatedDateTime": WHEN,
}


class ScriptedJob:
    """A job whose describe() answers a script: descriptions, or errors to raise."""

    name = "weekly"

    def __init__(self, *script):
        self.script = list(script)

    def describe(self):
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return DESCRIBED | {"status": step}


class Shown:
    def __init__(self):
        self.texts = []

    def update(self, bundle, raw):
        self.texts.append(bundle["text/plain"])


@pytest.mark.parametrize(
    ("status", "label", "value"),
    [
        ("CREATE IN_PROGRESS", "Follow it", "pnb.attach('weekly').wait()"),
        ("ACTIVE", "Read it", "pnb.attach('weekly').recommendations()"),
        ("CREATE FAILED", "Reason", "no such bucket"),
    ],
)
def test_next_step_by_status(status, label, value):
    facts = receipts.summary(DESCRIBED | {"status": status, "failureReason": "no such bucket"}, WHEN)
    assert facts[label] == value


def test_themes_are_read_as_themes():
    facts = receipts.summary(DESCRIBED | {"status": "ACTIVE", "batchInferenceJobMode": "THEME_GENERATION"}, WHEN)
    assert facts["Read it"] == "pnb.attach('weekly').themes()"


def test_account_and_bucket_are_masked_in_both_forms():
    view = receipts.rendered(receipts.summary(DESCRIBED, WHEN))
    for form in (view.html, view.text):
        assert "123456789012" not in form and "films-raw" not in form
        assert "weekly" in form and "unread" in form and "2026-11-23 10:15:02 UTC" in form


def test_follows_through_a_lost_connection_to_the_end():
    lost = errors.ServiceError("no answer")
    receipt = receipts.Receipt(ScriptedJob("CREATE IN_PROGRESS", lost, "ACTIVE"), sleep=lambda seconds: False)
    receipt._handle = shown = Shown()

    receipt.follow()

    assert ["ACTIVE" in text for text in shown.texts] == [False, True]


def test_close_ends_the_following():
    receipt = receipts.Receipt(ScriptedJob("CREATE IN_PROGRESS"))
    receipt.close()
    receipt.follow()
    assert receipt._ended.is_set()
