"""Reports are a DataFrame in code; shown, they wrap, keep ARNs and calls whole, and fold policies away."""

import pandas as pd

from personalize_nb.access.report import Report
from personalize_nb.contract import columns

ROLE = "arn:aws:iam::123456789012:role/A-role-with-a-name-that-is-longer-than-fifty-characters"
SHOWN = ROLE.replace("123456789012", "*" * 12)
POLICY = '{\n  "Resource": "arn:aws:s3:::<films>/*"\n}'
ROWS = [
    ("role", "error", f"The role {ROLE} does not exist. " + "More of it. " * 20, "pnb.create_role('R', ['b'])", POLICY),
    ("quota", "ok", "0 of 5", "", ""),
]


def _report(rows=ROWS):
    return Report(rows, columns=list(columns.REPORT))


def test_text_is_whole_and_wrapped():
    text = repr(_report())
    assert text.startswith("The job would fail: 1 error, 1 ok\n✗ error, role: The role")
    assert SHOWN in text and " ".join(text.split()).count("More of it.") == 20
    assert "to do: pnb.create_role('R', ['b'])" in text
    assert '          "Resource": "arn:aws:s3:::<films>/*"' in text
    assert all(len(line) <= 100 or SHOWN in line for line in text.splitlines())


def test_html_is_whole_and_escaped_with_the_policy_folded_away():
    html = _report()._repr_html_()
    assert SHOWN in html and html.count("More of it.") == 20
    policy = html.partition("<details>")[2].partition("</details>")[0]
    assert ">Policy to paste</summary>" in policy and "<pre" in policy
    assert "arn:aws:s3:::&lt;films&gt;/*" in policy
    assert html.count("<details>") == 1
    assert "<style" not in html and "<script" not in html


def test_good_findings_say_so():
    assert repr(_report(ROWS[1:])).startswith("Nothing found that would make the job fail: 1 ok")
    assert repr(_report([])) == "No findings"


def test_it_is_a_frame_for_everything_else():
    report = _report()
    bad = report[report.level == "error"]
    assert isinstance(bad, Report) and repr(bad).startswith("The job would fail: 1 error\n")
    assert bad.policy.item() == POLICY
    pd.testing.assert_frame_equal(pd.DataFrame(report), pd.DataFrame(ROWS, columns=list(columns.REPORT)))
    narrow = report[["check", "level"]]
    assert repr(narrow) == repr(pd.DataFrame(narrow)) and "<table" in narrow._repr_html_()


def test_the_headline_counts_in_words_that_fit():
    assert repr(_report(ROWS[:1] * 2 + ROWS[1:])).startswith("The job would fail: 2 errors, 1 ok\n")
