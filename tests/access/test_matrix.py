"""The matrix of mistakes: each made alone, named by preflight before the job, and the repair lets the job pass.

The table in the room's README is what this run finds; `--write-matrix` writes it there again.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import mistakes
import pytest
from mistakes_of_access import SERVICE, TABLE

import personalize_nb as pnb
from personalize_nb.session import connection

README = Path(pnb.__file__).parent / "access" / "README.md"
BEGIN, END = "<!-- written by tests/access/test_matrix.py -->", "<!-- end -->"
NUMBERS = itertools.count(1)


# what is done with each


@pytest.fixture
def world(session, readers_model, monkeypatch):
    monkeypatch.setattr(connection, "_current", session)  # what a report's calls use
    return mistakes.World(session, readers_model, next(NUMBERS))


def titles(rows):
    return [pytest.param(row, id=row.title) for row in rows]


MENDABLE = [row for row in TABLE.rows if row.by_hand is None]


def everything(world):
    """Return every policy of a world, as it is."""
    texts = {}
    for name in sorted(role["RoleName"] for role in world.iam.list_roles()["Roles"] if role["RoleName"] == world.role):
        texts["trust"] = world.trust()
        for policy in world.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            texts[policy] = world.role_policy(policy)
    for bucket in (world.input, world.output):
        try:
            texts[bucket] = world.s3.get_bucket_policy(Bucket=bucket)["Policy"]
        except world.s3.exceptions.ClientError:
            texts[bucket] = None
    for key in world.keys:
        described = world.kms.describe_key(KeyId=key)["KeyMetadata"]
        texts[key] = described["KeyState"], world.kms.get_key_policy(KeyId=key)["Policy"]
    return texts


@pytest.mark.parametrize("mistake", titles(TABLE.rows))
def test_a_mistake_is_named_before_the_job_and_its_repair_lets_the_job_pass(mistake, world):
    request = mistake.spoil(world)
    findings = world.findings(request)
    assert set(findings.check) == set(mistake.checks), world.report(request)
    assert mistake.title == "The job's name is taken" or not world.runs(request)
    report = world.report(request)
    if mistake.by_hand is None:
        repair = report.repair()
        how = "; ".join(change.heading() for change in repair._changes)
        repair.apply()
    else:
        how = " ".join(findings.to_do)
        request = mistake.by_hand(world, request, findings) or request
        world.report(request).repair().apply()
    assert world.findings(request).empty, world.report(request)
    assert world.runs(request)
    TABLE.note(mistake, findings, how)


@pytest.mark.parametrize("mistake", titles(MENDABLE))
def test_a_repair_is_undone(mistake, world):
    request = mistake.spoil(world)
    before, findings = everything(world), list(world.findings(request).found)
    repair = world.report(request).repair()
    shown = repr(repair)
    assert everything(world) == before and "not made yet" in shown
    repair.apply()
    assert everything(world) != before
    repair.undo()
    assert everything(world) == before
    assert list(world.findings(request).found) == findings


@pytest.mark.parametrize("mistake", titles(MENDABLE))
def test_the_calls_that_a_report_names_mend_it_too(mistake, world):
    request = mistake.spoil(world)
    for to_do in world.findings(request).to_do:
        for call in mistakes.calls_in(to_do)[:1]:
            eval(call, {"pnb": pnb, "session": world.session})
    assert world.findings(request).empty, world.report(request)


@pytest.mark.parametrize("mistake", titles(row for row in MENDABLE if set(row.checks).isdisjoint({"role", "key"})))
def test_the_policies_that_a_report_shows_mend_it_when_they_are_pasted(mistake, world):
    request = mistake.spoil(world)
    before = everything(world)
    for row in world.findings(request).itertuples():
        paste(world, row)
    assert world.findings(request).empty, world.report(request)
    kept = [one for one in before.get("trust", []) if one["Principal"] != {"Service": SERVICE}]
    assert all(one in world.trust() for one in kept)


def paste(world, row):
    if row.check == "trust policy":
        world.iam.update_assume_role_policy(RoleName=world.role, PolicyDocument=row.policy)
    elif row.check == "role policy":
        world.put_role_policy(json.loads(row.policy))
    elif row.check == "bucket policy":
        bucket = re.search(r"bucket policy of ([\w-]+)", row.found)[1]
        world.s3.put_bucket_policy(Bucket=bucket, Policy=row.policy)
    else:
        key = re.search(r"key policy of (\S+)", row.found)[1]
        world.kms.put_key_policy(KeyId=key, Policy=row.policy)


@pytest.mark.parametrize("mistake", titles(row for row in TABLE.rows if row.by_hand is not None))
def test_where_no_policy_helps_none_is_offered(mistake, world):
    request = mistake.spoil(world)
    first = mistake.checks[0]
    report = world.report(request)
    assert not report.repair(first)._changes
    denied = [row for row in report.itertuples() if "Effect Deny" in row.found]
    assert all(not mistakes.calls_in(row.to_do) and not row.policy and "statement" in row.to_do for row in denied)


def test_the_readme_holds_what_this_run_found(request):
    head, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    written, _, tail = rest.partition(END)
    lines = TABLE.lines()
    if request.config.getoption("--write-matrix"):
        table = "\n".join(["| | mistake | what preflight finds | repair |", "|---|---|---|---|", *lines])
        README.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")
        return
    there = [line for line in written.splitlines() if line.startswith("| ")][1:]
    # of a part of the run only that part is known
    assert [line for line in there if len(lines) == len(TABLE.rows) or line in lines] == lines
    assert len(there) == len(TABLE.rows)
