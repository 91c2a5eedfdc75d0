"""A receipt says how a job stands, masks the account, follows to the end and outlives lost connections."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.jobs.request import JobRequest
from personalize_nb.notebook import receipt_facts, receipts
from personalize_nb.session import waiting

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


PRICE = {"quantity": "recommendations", "price": 1, "currency": "USD", "source": "bill", "date": "2026-11-01"}


class ScriptedJob:
    """A job whose describe() answers a script: descriptions, or errors to raise."""

    name = "weekly"
    session = SimpleNamespace(pace=waiting.QUICK)

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
    facts = receipt_facts.summary(DESCRIBED | {"status": status, "failureReason": "no such bucket"}, WHEN)
    assert facts[label] == value


def test_themes_are_read_as_themes():
    facts = receipt_facts.summary(DESCRIBED | {"status": "ACTIVE", "batchInferenceJobMode": "THEME_GENERATION"}, WHEN)
    assert facts["Read it"] == "pnb.attach('weekly').themes()"


def test_everything_that_was_asked_has_a_row():
    asked = DESCRIBED | {
        "batchInferenceJobMode": "THEME_GENERATION",
        "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
        "batchInferenceJobConfig": {
            "itemExplorationConfig": {"explorationWeight": "0.1", "explorationItemAgeCutOff": "7"},
            "rankingInfluence": {"POPULARITY": 0.5},
        },
    }
    facts = receipt_facts.summary(
        asked, WHEN, {"Input": "5 users", "Filter": "unread with $GENRE: a", "Tags": "team=x"}
    )
    told = {
        "Mode": "THEME_GENERATION",
        "Input": "5 users",
        "Filter": "unread with $GENRE: a",
        "Results per line": "10",
        "Exploration": "weight 0.1, items of the last 7 days",
        "Influence": "POPULARITY 0.5",
        "Item names": "TITLE",
        "Tags": "team=x",
    }
    assert told.items() <= facts.items()
    assert facts["Output"].endswith("(in full: pnb.attach('weekly').request.output_path)")


def test_a_call_with_masked_parts_says_where_it_is_in_full():
    whole = receipt_facts.summary(DESCRIBED, WHEN, {receipt_facts.REPEAT: "pnb.recommend(data, 'books/1')"})
    assert whole["Repeat it"] == "pnb.recommend(data, 'books/1')" and "" not in whole
    masked = receipt_facts.summary(
        DESCRIBED, WHEN, {receipt_facts.REPEAT: "pnb.recommend('s3://films-raw/in.jsonl', 'b')"}
    )
    assert "films-raw" not in masked["Repeat it"]
    assert masked[""] == "What is masked here stands in full in form.code."


def test_a_run_tells_how_many_jobs_are_done_and_what_the_others_wait_for():
    described = {"name": "all", "status": "CREATE IN_PROGRESS", "records": 250, "created": "2026-11-23T10:15:02Z"}
    described |= {"jobs": 3, "done": 1, "failed": 0, "running": 1, "waiting": 1}
    request = JobRequest.from_api(DESCRIBED | {"jobName": "all", "batchInferenceJobMode": "THEME_GENERATION"})
    facts = receipt_facts.run_summary(described, [request], WHEN)
    assert facts["Run"] == "all of 3 jobs" and facts["Input"] == "250 records"
    assert facts["Jobs"].startswith("1 done, 1 running, 1 waiting, 0 failed; it starts while this kernel")
    assert facts["Started"] == "2026-11-23 10:15:02 UTC"
    assert facts["Checked"] == "2026-11-23 10:15:02 UTC" and "Ended" not in facts
    failed = receipt_facts.run_summary(described | {"status": "CREATE FAILED", "waiting": 0}, [request], WHEN)
    assert failed["Next"].startswith("pnb.attach('all').retry()") and failed["Jobs"].endswith("0 failed")
    done = receipt_facts.run_summary(described | {"status": "ACTIVE", "waiting": 0}, [request], WHEN)
    assert done["Read it"] == "pnb.attach('all').themes()"
    over = described | {"status": "ACTIVE", "waiting": 0, "ended": WHEN + timedelta(minutes=5)}
    told = receipt_facts.run_summary(over, [request], WHEN + timedelta(days=1))
    assert told["Ended"] == "2026-11-23 10:20:02 UTC" and "Checked" not in told


def test_a_watched_job_tells_its_tags_and_a_call_that_repeats_it(session, readers_model, monkeypatch):
    shown = Shown()
    monkeypatch.setattr("IPython.display.display", lambda bundle, **how: shown.update(bundle, True) or shown)
    job = pnb.recommend(["r1"], readers_model, num_results=3, tags={"team": "books"}, session=session)
    receipt = pnb.watch(job.name, session)
    receipt.close()
    lines = [" ".join(line.split()) for line in shown.texts[0].splitlines()]
    assert "Tags team=books" in lines
    call = next(line for line in lines if line.startswith("Repeat it ")).removeprefix("Repeat it ")
    assert call.startswith("import personalize_nb as pnb; pnb.connect(pnb.Session.local('")
    assert f"; pnb.attach({job.name!r}).repeat(solution_version='reading" in call
    assert "num_results=3" in call and "tags={'team': 'books'}" in call and "role_arn" not in call


def test_a_run_in_which_nothing_succeeded_is_mended_first():
    described = {"name": "all", "status": "CREATE FAILED", "records": 2, "created": "2026-11-23T10:15:02Z"}
    described |= {"jobs": 1, "done": 0, "failed": 1, "running": 0, "waiting": 0, "failureReason": "no such bucket"}
    facts = receipt_facts.run_summary(described, [JobRequest.from_api(DESCRIBED)], WHEN)
    assert facts["Next"].startswith("mend what the reason names, then pnb.attach('all').retry()")


def test_a_run_of_several_questions_tells_all_of_them(session, readers_model, monkeypatch):
    shown = Shown()
    monkeypatch.setattr("IPython.display.display", lambda bundle, **how: shown.update(bundle, True) or shown)
    base = pnb.recommend(["r1", "r2"], readers_model, num_results=1, session=session).wait(progress=False)
    requests = [
        base.request.replace(
            job_name=f"{base.name}-{count}", num_results=count, output_path=f"{base.request.output_path}{count}/"
        )
        for count in (3, 4)
    ]
    monkeypatch.setattr(session, "rates", pnb.Rates([PRICE]))
    run = pnb.run(requests, at_once=1, session=session)
    pnb.watch(run.name, session).close()
    facts = dict(line.split("  ", 1) for line in shown.texts[0].splitlines())
    facts = {label: value.strip() for label, value in facts.items()}
    assert facts["Results per line"] == "3; 4" and "Input" not in facts
    assert facts["Cost"] == pnb.estimate_cost(run).text and "14.00 USD" in facts["Cost"]
    assert facts["Repeat it"].endswith(f"; pnb.attach('{run.name}').repeat()") and "after" in facts["Expected end"]
    assert facts["Output"].endswith(f"(in full: [job.request.output_path for job in pnb.attach('{run.name}').jobs])")
    assert "/3/" not in facts["Output"] and run.wait(progress=False).describe()["done"] == 2


def test_following_a_run_starts_its_waiting_jobs(session, books_model):
    ids = [f"b{number}" for number in range(101)]
    run = pnb.themes(ids, books_model, at_once=1, session=session)
    assert len(run.jobs) == 1

    def sleep(seconds):
        for job in pnb.attach(run.name, session).jobs:
            job.wait(progress=False)

    receipt = receipts.Receipt(run, {}, sleep=sleep)
    receipt._handle = shown = Shown()
    receipt.follow()
    assert "2 done, 0 running, 0 waiting, 0 failed" in shown.texts[-1]
    ended = max(job.describe()["lastUpdatedDateTime"] for job in pnb.attach(run.name, session).jobs)
    assert f"{ended.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" in shown.texts[-1] and "Ended" in shown.texts[-1]


def test_account_and_bucket_are_masked_in_both_forms():
    view = receipts.rendered(receipt_facts.summary(DESCRIBED, WHEN))
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
