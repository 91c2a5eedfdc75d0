"""One bad line never costs the others, whatever it holds: of a job's output, of its input, and of both."""

import gzip
import json
from pathlib import Path

import pytest
from damaged_lines import MARK, damaged, is_blank, is_json, lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.results import output_files

MEMBERS = ["input", "output", "error", "userId", "itemId", "recommendedItems", "scores", "theme", "filterValues"]
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answer(number, **members):
    output = {"recommendedItems": [f"i{number}", "x"], "scores": [0.5, 0.25], **members}
    return json.dumps({"input": {"userId": f"reader {number}"}, "output": output, "error": None}).encode()


whole = st.integers(0, 9).map(answer)
# a mark that opens a line is read over, wherever files were joined
any_line = lines(MEMBERS, whole).filter(lambda line: not is_blank(line) and not line.lstrip().startswith(MARK))


@SETTINGS
@given(
    st.lists(any_line, max_size=8),
    st.randoms(),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
)
def test_every_good_line_of_output_is_read_and_every_bad_one_is_a_row_of_errors(tmp_path, drawn, chance, newline):
    good = [answer(number) for number in range(100, 105)]
    file = [*((line, False) for line in drawn), *((line, True) for line in good)]
    chance.shuffle(file)
    file.insert(0, (answer(99), True))  # a file whose first bytes are those of a compressed one is one
    (tmp_path / "a.out").write_bytes(newline.join(line for line, _ in file))
    found = pnb.read_results(tmp_path / "a.out")
    listed, failed = found.recommendations(), found.errors()
    users = {f"reader {number}": [f"i{number}", "x"] for number in range(100, 105)}
    of_good = listed[listed["user_id"].isin(users)]
    assert of_good.groupby("user_id")["item_id"].apply(list).to_dict() == users
    step = newline.count(b"\n")
    bad = [1 + step * place for place, (line, known) in enumerate(file) if not known]
    certain = {1 + step * place for place, (line, _) in enumerate(file) if not is_json(line)}
    wrong = failed["line"].tolist()
    assert len(set(wrong)) == len(wrong) and certain <= set(wrong) <= set(bad)
    assert len(found) == len(file)
    assert failed["error"].notna().all() and (failed["file"] == "a.out").all()
    found.arrow().errors().validate(full=True)
    found.arrow().recommendations().validate(full=True)


@SETTINGS
@given(st.lists(st.tuples(damaged(whole), st.booleans()), min_size=1, max_size=12))
def test_a_line_that_is_lost_is_one_row_though_input_and_output_speak_of_it(tmp_path, drawn):
    lost = {
        number: line for number, (line, bad) in enumerate(drawn) if bad and not is_json(line) and not is_blank(line)
    }
    (tmp_path / "in.jsonl").write_text("".join(f'{{"userId": "reader {number}"}}\n' for number in range(len(drawn))))
    (tmp_path / "in.jsonl.out").write_bytes(
        b"\n".join(lost.get(number, answer(number)) for number in range(len(drawn)))
    )
    found = pnb.read_results(tmp_path, tmp_path / "in.jsonl")
    assert found.recommendations()["user_id"].unique().tolist() == [
        f"reader {number}" for number in range(len(drawn)) if number not in lost
    ]
    failed = found.errors()
    assert failed["line"].tolist() == [number + 1 for number in lost]
    assert failed["user_id"].tolist() == [f"reader {number}" for number in lost]
    assert failed["error"].str.startswith("the output line cannot be read: it is not ").all()
    assert found.failed == len(lost)


@SETTINGS
@given(
    st.lists(
        lines(["userId", "filterValues", "G"], st.just(b'{"userId": "r", "filterValues": {"G": "1"}}')), max_size=8
    )
)
def test_input_of_any_bytes_is_read_beside_its_output(tmp_path, drawn):
    """What the toolkit makes of an input line may differ from its echo; the row is told once all the same."""
    # not the first: bytes of a compressed file there are taken for one
    asked = [b"{}", *(line for line in drawn if not is_blank(line))]
    rows = [json.dumps({"input": "echoed", "output": {}, "error": "User error: x"}).encode() for _ in asked]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join([*asked, b'{"userId": "last", "filterValues": {"H": "\\"2\\""}}']))
    last = {"input": {"userId": "last", "filterValues": {"H": '"2"'}}, "output": {"recommendedItems": ["a"]}}
    (tmp_path / "in.jsonl.out").write_bytes(b"\n".join([*rows, json.dumps(last).encode()]))
    found = pnb.read_results(tmp_path / "in.jsonl.out", tmp_path / "in.jsonl")
    listed = found.recommendations()
    assert listed[["user_id", "H", "item_id"]].to_numpy().tolist() == [["last", "2", "a"]]
    assert found.errors()["line"].tolist() == list(range(1, len(asked) + 1))


@pytest.mark.parametrize(
    "text",
    [
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"], "scores": ["high"]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"], "scores": [true]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"], "scores": 0.5}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": {"a": 1}}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": "ab"}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a", null]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": [["a"]]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["\\ud800"]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"], "theme": 5}}',
        '{"input": {"userId": "u"}, "output": {"usersList": {"a": 1}}}',
        '{"input": {"userId": "u"}, "output": ["a"]}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"]}, "output": {"recommendedItems": ["b"]}}',
        '{"input": {"userId": "u", "userId": "v"}, "output": {"recommendedItems": ["a"]}}',
        '{"input": {"userId": ["u"]}, "output": {"recommendedItems": ["a"]}}',
        '{"input": {"userId": "u", "itemList": "ab"}, "output": {"recommendedItems": ["a"]}}',
        '{"input": {"userId": %s}, "output": {"recommendedItems": ["a"]}}' % ("[" * 3000 + "]" * 3000),
        '{"input": null, "output": {"recommendedItems": ["a"]}}',
        '{"output": {"recommendedItems": ["a"]}}',
        '{"input": {"userId": "u"}, "output": {"recommendedItems": ["a"',
        "[]",
        "null",
        '{"input": {"userId": "u"}, "output": {}}{"input": {"userId": "v"}, "output": {}}',
    ],
)
def test_what_no_job_writes_is_said_of_its_line(tmp_path, text):
    file = tmp_path / "a.out"
    file.write_bytes(b"\n".join([answer(1), b"", text.encode(), answer(2)]))
    found = pnb.read_results(file)
    assert found.recommendations()["item_id"].tolist() == ["i1", "x", "i2", "x"]
    [failed] = found.errors().to_dict("records")
    assert failed["error"].startswith("the output line cannot be read: ") and failed["line"] == 3
    assert text[:20] in failed["error"]


def test_ids_that_are_numbers_keep_every_digit(tmp_path):
    written = ["18446744073709551617", "1.50", "1e400", "9" * 5000, "-0", "0.10000000000000000000001"]
    rows = [f'{{"input": {{"userId": {one}}}, "output": {{"recommendedItems": [{one}]}}}}' for one in written]
    (tmp_path / "in.jsonl").write_text("".join(f'{{"userId": {one}}}\n' for one in reversed(written)))
    (tmp_path / "in.jsonl.out").write_text("\n".join(rows))
    found = pnb.read_results(tmp_path, tmp_path / "in.jsonl").recommendations()
    assert found["user_id"].tolist() == found["item_id"].tolist() == written[::-1]


texts = st.text(st.sampled_from("ab\x1c\x1d\x1e\x1f0123\x00"), max_size=4)
records = st.fixed_dictionaries(
    {"userId": texts},
    optional={
        "itemId": texts,
        "itemList": st.lists(texts, max_size=3),
        "filterValues": st.fixed_dictionaries({"G": texts}),
    },
)


@SETTINGS
@given(st.lists(records, min_size=1, max_size=8, unique_by=lambda one: json.dumps(one, sort_keys=True)), st.randoms())
def test_records_that_differ_anywhere_are_not_taken_for_each_other(tmp_path, asked, chance):
    rows = [{"input": one, "output": {"recommendedItems": [str(number)]}} for number, one in enumerate(asked)]
    chance.shuffle(rows)
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    (tmp_path / "in.jsonl.out").write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    found = pnb.read_results(tmp_path, tmp_path / "in.jsonl")
    column = "recommended_item_id" if any("itemId" in one for one in asked) else "item_id"
    assert found.recommendations()[column].tolist() == [str(number) for number in range(len(asked))]
    assert found.errors().empty


@pytest.mark.parametrize("blank", ["\n", "\r\n", " \n\t\n"])
def test_blank_lines_count_as_lines_of_their_file(tmp_path, blank):
    row = json.dumps({"input": {"userId": "r"}, "output": {}, "error": "User error: x"})
    (tmp_path / "in.jsonl").write_text(f'{blank}{{"userId": "r"}}\n{blank}{{"userId": "s"}}\n')
    (tmp_path / "in.jsonl.out").write_text(f"{blank}{blank}{row}\n{blank}")
    failed = pnb.read_results(tmp_path, tmp_path / "in.jsonl").errors()
    many = blank.count("\n")
    assert failed[["error", "line"]].to_numpy().tolist() == [
        ["User error: x", 2 * many + 1],
        [output_files.NO_ROW, 2 * many + 2],
    ]


def test_where_every_line_failed_the_frames_have_their_columns(tmp_path):
    file = Path(tmp_path, "a.out")
    file.write_bytes(b"\xff\n{}\n[1]\n")
    found = pnb.read_results(file)
    assert found.recommendations().columns.tolist() == ["user_id", "rank", "item_id", "score"]
    assert found.errors().columns.tolist() == ["user_id", "error", "line", "file"]
    assert found.errors()["line"].tolist() == [1, 2, 3]
    assert found.themes().columns.tolist()[0] == found.segments().columns.tolist()[0] == "item_id"


def test_output_is_read_where_its_input_is_damaged(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_bytes(gzip.compress(b'{"userId": "reader 1"}\n')[:-9])
    (tmp_path / "in.jsonl.out").write_bytes(answer(1))
    found = pnb.read_results(tmp_path, tmp_path / "in.jsonl")
    assert found.recommendations()["user_id"].tolist() == ["reader 1"] * 2
    assert "The input cannot be read" in capsys.readouterr().err
