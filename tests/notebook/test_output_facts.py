"""A receipt tells what the output holds: counts and first rows, in few bytes, and never fails for what it finds."""

import json
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.notebook import output_facts
from personalize_nb.results.results import Results


class Written(BatchJob):
    """A job that has ended, with files on disk for its output."""

    request = reader = None

    def __init__(self, folder, lines, asked=None, status="ACTIVE"):
        super().__init__("arn:aws:personalize:us-east-1:123456789012:batch-inference-job/weekly", None)
        (folder / "out").mkdir(parents=True, exist_ok=True)
        (folder / "in.json").write_text("".join(f"{json.dumps(one['input'])}\n" for one in asked or lines))
        (folder / "out" / "in.json.out").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        self.request = SimpleNamespace(output_path=str(folder / "out"), input_path=str(folder / "in.json"))
        self._described = {"status": status}

    def describe(self):
        return self._described

    def results(self, *, sleep):
        return Results(self.request.output_path, self.request.input_path)


def line(user, items, error=None):
    output = None if items is None else {"recommendedItems": items, "scores": [1 / 3 for _ in items]}
    return {"input": {"userId": user}, "output": output, "error": error}


LINES = [line("u1", ["a", "b", "c", "d"]), line("u2", []), line("u3", None, "no such user"), line("u4", ["e", "f"])]


def test_lines_are_counted_and_the_first_rows_shown(tmp_path):
    found = output_facts.found(Written(tmp_path, LINES, [*LINES, line("u5", [])]))
    assert found.facts["Lines"] == "2 answered, 2 failed, 1 empty"
    assert found.columns == ("user_id", "rank", "item_id", "score")
    assert found.rows[0] == ("u1", "1", "a", "0.3333") and found.rows[4][0] == "u4" and len(found.rows) == 5
    assert found.text.splitlines()[0].split() == ["user_id", "rank", "item_id", "score"]
    assert found.text.endswith("The first 5 rows of the output")


def test_where_nothing_was_answered_the_errors_are_shown(tmp_path):
    found = output_facts.found(Written(tmp_path, [line("u3", None, "no such user in s3://films-raw/in.json")]))
    assert found.facts == {
        "Lines": "0 answered, 1 failed, 0 empty",
        "First failure": "no such user in s3://************/in.json",
    }
    assert found.rows[0][:2] == ("u3", "no such user in s3://************/in.json")


def test_segments_are_shown_as_such(tmp_path):
    lines = [{"input": {"itemId": "b1"}, "output": {"usersList": ["u1", "u2"]}, "error": None}]
    found = output_facts.found(Written(tmp_path, lines))
    assert found.columns == ("item_id", "rank", "user_id") and found.rows[1] == ("b1", "2", "u2")


def test_large_output_is_not_read_to_be_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(output_facts, "MOST_BYTES", 10)
    read = []

    def beginning(session, address, size):
        read.append(size)
        with open(address, "rb") as file:
            return file.read(400)

    monkeypatch.setattr("personalize_nb.session.s3.beginning", beginning)
    found = output_facts.found(Written(tmp_path, LINES * 100))
    assert found.facts == {"Lines": "not counted here: 1 file of 49.0 kB; pnb.attach('weekly').errors() counts"}
    assert [row[2] for row in found.rows][:4] == ["a", "b", "c", "d"] and len(read) == 1


@pytest.mark.parametrize("status", ["CREATE IN_PROGRESS", "CREATE FAILED"])
def test_what_has_no_output_yet_is_not_looked_for(tmp_path, status):
    assert output_facts.found(Written(tmp_path, LINES, status=status)) == output_facts.OutputFacts()


def test_output_that_is_gone_or_none_says_nothing(tmp_path, capsys):
    job = Written(tmp_path, LINES)
    file = tmp_path / "out" / "in.json.out"
    file.write_bytes(b"\x00\xff{no JSON")
    assert output_facts.found(job).facts["Lines"].startswith("0 answered")
    file.unlink()
    assert output_facts.found(job) == output_facts.OutputFacts()
    assert capsys.readouterr() == ("", "")  # nobody asked for words about it


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


_HOSTILE = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=90),
    st.sampled_from(["<img src=x onerror=alert(1)>", "</table><b>", "\u202eevil", "a\nb\r\x1b[31m", "&amp;", "'\""]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(user=_HOSTILE, item=_HOSTILE, error=_HOSTILE)
def test_hostile_ids_and_errors_stay_text(tmp_path, user, item, error):
    for lines in ([line(user, [item])], [line(user, None, error)]):
        found = output_facts.found(Written(tmp_path, lines))
        assert len(found.rows) == 1
        cells = Cells()
        cells.feed(str(found.table))
        assert set(cells.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "div", "i"}
        shown = "".join((*found.rows[0], *found.facts.values()))
        assert shown.isprintable() and all(len(cell) <= 60 for cell in found.rows[0])
        assert len(found.text.splitlines()) == 3
