"""Input that lies in S3 already: preflight reads its beginning, and names what a job would stumble over."""

from __future__ import annotations

import datetime
import gzip
import io
import itertools
import json

import pyarrow as pa
import pyarrow.parquet
import pytest
from injected import answering

import personalize_nb as pnb
from personalize_nb.access.input_lines import WantedKeys, judged
from personalize_nb.contract import limits
from personalize_nb.contract.recipes import RECIPES

SHELF = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF) | EXCLUDE ItemID WHERE Items.YEAR < $YEAR"
SHELF_VALUE = {"SHELF": '"novel"'}
_folders = itertools.count()


@pytest.fixture
def stored(session, right, rows):
    """Store files in a folder of their own and return the rows of preflight about the input, by check."""

    def look(files, path="", **changes):
        folder = f"stored/{next(_folders):03d}"
        for name, content in files.items():
            body = content if isinstance(content, bytes) else content.encode()
            session.s3.put_object(Bucket=session.bucket, Key=f"{folder}/{name}", Body=body)
        request = right(
            input_path=f"s3://{session.bucket}/{folder}/{path}",
            output_path=f"s3://{session.bucket}/{changes.pop('output', folder + '-out')}/",
            **changes,
        )
        found = rows(request)
        return {name: row for name, row in found.items() if name.startswith("input") and row.level != "ok"}, found

    return look


@pytest.fixture(scope="module")
def shelf(session, readers_model):
    """Give a filter with a placeholder that every line has to fill, and one of a number that it may."""
    return pnb.create_filter("stored-shelf", SHELF, readers_model, progress=False, session=session)


def line(**members):
    return json.dumps(members) + "\n"


USERS = line(userId="r1") + line(userId="r2")


def test_input_that_is_right_is_said_to_be(stored):
    for files, path in (
        ({"users.jsonl": USERS}, "users.jsonl"),
        ({"a.jsonl": USERS, "b.jsonl": USERS}, ""),
        ({"users.jsonl": USERS.replace("\n", "\r\n\r\n")}, ""),
        ({"in/part-0": USERS, "in/part-1": USERS}, "in/part-"),
        ({"users.jsonl": line(userId="ü" * limits.MAX_ID_CHARACTERS, more=1)}, ""),
    ):
        wrong, found = stored(files, path)
        assert wrong == {} and found["input"].level == "ok" and "userId" in found["input"].found, files


KEYS = {
    "other-letters": (line(user_id="r1"), "'userId' is missing", "'user_id', which is another key"),
    "upper-case": (line(USER_ID="r1"), "'userId' is missing", "'USER_ID', which is another key"),
    "a-number": ('{"userId": 12}\n', "must be a text in quotes, got 12", ""),
    "nothing": ('{"userId": null}\n', "must be a text in quotes, got null", ""),
    "empty": (line(userId=""), "1 to 256 characters, got 0", ""),
    "too-long": (line(userId="x" * 257), "1 to 256 characters, got 257", ""),
    "one-of-two": (line(userId="r1") + line(itemId="b1"), "'userId' is missing", "(in line 2)"),
    "no-object": ('"r1"\n', "no JSON object", ""),
    "plain-ids": ("r1\nr2\n", "its first line is 'r1', which is no JSON object", ""),
    "table": ("userId,name\nr1,Ann\n", "looks like a table (CSV)", ""),
    "list": ('[{"userId": "r1"}]\n', "one JSON list", ""),
    "pretty": ('{\n  "userId": "r1"\n}\n', "spread over several lines", ""),
    "broken": (line(userId="r1") + '{"userId": "r\n', "the line is no JSON", "(in line 2)"),
    "latin-1": (line(userId="r1").encode() + b'{"userId": "caf\xe9"}\n', "is not UTF-8", "(in line 2)"),
    "utf-16": (USERS.encode("utf-16"), "it is UTF-16 text", ""),
    "gzip": (gzip.compress(USERS.encode()), "it is compressed", ""),
    "zip": (b"PK\x03\x04" + bytes(40), "an archive (zip", ""),
}


@pytest.mark.parametrize("case", KEYS)
def test_lines_that_the_recipe_cannot_read(stored, case):
    content, *texts = KEYS[case]
    wrong, _ = stored({"users.json": content}, "users.json")
    assert wrong.keys() == {"input: lines"} and wrong["input: lines"].level == "error"
    assert all(text in wrong["input: lines"].found for text in texts)
    assert '{"userId": "4638"}' in wrong["input: lines"].to_do


def test_lines_of_another_kind_than_the_recipe_takes(stored, books_model):
    _, found = stored({"items.jsonl": line(itemId="b1") * 2})
    row = found["request: input_path"]
    assert row.level == "error" and "takes users (userId), the input holds items" in row.found
    assert '{"userId": "4638"}' in row.to_do
    wrong, found = stored({"lists.jsonl": line(userId="r1", itemList=["b1"])}, solution_version_arn=books_model.arn)
    assert wrong == {} and "takes items (itemId), the input holds rankings" in found["request: input_path"].found


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (line(userId="r1"), "'itemList' is missing"),
        (line(itemList=["b1"]), "'userId' is missing"),
        (line(userId="r1", itemList=[]), "a list of texts that is not empty"),
        (line(userId="r1", itemList="b1"), "a list of texts that is not empty"),
        (line(userId="r1", itemList=[1]), "a list of texts that is not empty"),
        (line(userId="r1", itemList=["b" * 257]), "not 1 to 256 characters"),
    ],
)
def test_lists_to_rank(content, text):
    found = judged(content.encode(), WantedKeys.of(RECIPES["aws-personalized-ranking"], None), cut=False)
    assert [one for one in found.problems if text in one], found


def test_every_recipe_has_an_example_that_it_takes():
    for recipe in RECIPES.values():
        wanted = WantedKeys.of(recipe, None)
        found = judged(wanted.example.encode(), wanted, cut=False)
        assert found.read == 1 and not found.problems and not found.notes, recipe.name
        found = judged(b'{"other": "x"}', wanted, cut=False)
        assert len(found.problems) == len(recipe.input_keys)


VALUES = {
    "none": (line(userId="r1"), "$SHELF has no value"),
    "other-letters": (line(userId="r1", filterValues={"shelf": '"novel"'}), "it names 'shelf'; write 'SHELF'"),
    "no-quotes": (line(userId="r1", filterValues={"SHELF": "novel"}), "in escaped double quotes"),
    "a-list": (line(userId="r1", filterValues={"SHELF": ["novel"]}), "must be a text such as"),
    "too-long": (line(userId="r1", filterValues={"SHELF": f'"{"x" * 1000}"'}), "more than 1000 characters"),
    "no-object": (line(userId="r1", filterValues='"novel"'), "must be an object"),
    "no-number": (line(userId="r1", filterValues={**SHELF_VALUE, "YEAR": '"old"'}), "legal is one number"),
    "two-numbers": (line(userId="r1", filterValues={**SHELF_VALUE, "YEAR": "1,2"}), "legal is one number"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_the_filter_cannot_take(stored, shelf, case):
    content, text = VALUES[case]
    wrong, _ = stored({"users.jsonl": content}, "users.jsonl", filter_arn=shelf.arn)
    errors = {name: row for name, row in wrong.items() if row.level == "error"}
    assert errors.keys() == {"input: filter values"} and text in errors["input: filter values"].found


def test_values_that_the_filter_takes_and_those_it_does_not_know(stored, shelf):
    for values in (SHELF_VALUE, {"SHELF": '"novel","a, b"', "YEAR": '"1900"'}, {**SHELF_VALUE, "YEAR": "1.9e3"}):
        wrong, _ = stored({"users.jsonl": line(userId="r1", filterValues=values)}, filter_arn=shelf.arn)
        assert wrong == {}
    wrong, _ = stored({"u.jsonl": line(userId="r1", filterValues={**SHELF_VALUE, "AGE": "1"})}, filter_arn=shelf.arn)
    assert wrong["input: filter values"].level == "warning" and "$SHELF, $YEAR" in wrong["input: filter values"].found
    wrong, _ = stored({"u.jsonl": line(userId="r1", filterValues=SHELF_VALUE)})
    assert "the job has no filter" in wrong["input: filter values"].found


def test_a_hundred_theme_lines(stored, books_model):
    themed = {"mode": "THEME_GENERATION", "item_name": "TITLE", "solution_version_arn": books_model.arn}
    lines = [line(itemId=f"b{number}") for number in range(101)]
    wrong, _ = stored({"items.jsonl": "".join(lines[:100]) + "\n\n"}, **themed)
    assert wrong == {}
    wrong, _ = stored({"few.jsonl": lines[0], "items.jsonl": "".join(lines)}, **themed)
    assert "'stored/" in wrong["input: records"].found and "101 lines; with themes" in wrong["input: records"].found
    assert wrong["input: records"].level == "error"


def test_files_in_other_forms_than_text(stored):
    table = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"userId": ["r1"]}), table)
    wrong, _ = stored({"users": table.getvalue()}, "users")
    assert "a Parquet file" in wrong["input: lines"].found


def test_what_lies_beside_the_input_is_named(stored):
    beside = {"_SUCCESS": "", ".users.crc": "x", "query.csv.metadata": "x", "_temporary/0/part": "x"}
    wrong, found = stored({"users.jsonl": USERS, **beside})
    assert wrong.keys() == {"input: side files"} and "and 1 more" in wrong["input: side files"].found
    assert found["input"].level == "ok"
    wrong, _ = stored(beside)
    assert wrong["input"].level == "error" and "no data by their names" in wrong["input"].found
    wrong, _ = stored({"users.jsonl": USERS, "users.jsonl.out": '{"input": {"userId": "r1"}}\n'})
    assert "users.jsonl.out' looks like the output of a job" in wrong["input: output"].found


@pytest.mark.parametrize(
    ("files", "path", "named"),
    [
        (["in/a.jsonl", "in_test/a.jsonl"], "in", "'in_test'"),
        (["in/a.jsonl", "in-old.jsonl", "input/b.jsonl"], "in", "'in-old.jsonl', 'input'"),
        (["users.jsonl", "users.jsonl.bak"], "users.jsonl", "'users.jsonl.bak'"),
        (["users.jsonl", "users_old.jsonl"], "users", "'users.jsonl', 'users_old.jsonl'"),
        (["in/a.jsonl", "in_test/a.jsonl"], "in/", None),
        (["in/a.jsonl"], "in", None),
        (["part-0.jsonl", "part-1.jsonl"], "part-", None),
    ],
)
def test_a_path_that_takes_its_siblings(stored, files, path, named):
    wrong, _ = stored(dict.fromkeys(files, USERS), path)
    assert ("input: siblings" in wrong) is (named is not None)
    if named:
        assert named in wrong["input: siblings"].found and wrong["input: siblings"].level == "warning"


def test_output_under_the_input_and_names_that_two_folders_have(stored, right, rows, session):
    folder = f"s3://{session.bucket}/access"
    found = rows(right(input_path=f"{folder}/i", output_path=f"{folder}/in/out/"))
    assert "the next job would read it" in found["request: output_path"].found and "input: output" not in found
    found = rows(right(input_path=f"{folder}/in/", output_path=f"{folder}/in/out/"))
    assert found["request: output_path"].level == "warning" and "input: output" not in found
    wrong, _ = stored({"a/users.jsonl": USERS, "b/users.jsonl": USERS})
    assert "'users.jsonl'" in wrong["input: names"].found


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_no_lines_at_all(stored, content):
    wrong, _ = stored({"users.jsonl": content}, "users.jsonl")
    assert wrong["input: records"].level == "error"


def listing(*objects, more=False):
    when = datetime.datetime.now(datetime.UTC)
    contents = [
        {"Key": key, "Size": size, "StorageClass": storage, "LastModified": when} for key, size, storage in objects
    ]
    return {"Name": "b", "Contents": contents, "IsTruncated": more, "NextContinuationToken": "on"}


def test_amounts_that_a_job_does_not_take(session, right, rows):
    def found(*objects, **options):
        with answering(session.s3, "ListObjectsV2", listing(*objects, **options)):
            return rows(right(input_path=f"s3://{session.bucket}/access/in/"))

    key = "access/in/users.jsonl"
    many = [(f"access/in/{number}", 20, "STANDARD") for number in range(1001)]
    assert "1,001 files; a job takes at most 1,000" in found(*many)["input: files"].found
    assert "at least" in found(*many[:1000] * 5, more=True)["input: files"].found
    assert "input: files" not in found(*many[:1000], (f"{key}/", 0, "STANDARD"))
    large = found((key, 600_000_000, "STANDARD"), (f"{key}2", 400_000_001, "STANDARD"))
    assert "1,000,000,001 bytes" in large["input: size"].found and large["input: size"].level == "error"
    exact = found((key, 600_000_000, "STANDARD"), (f"{key}2", 400_000_000, "STANDARD"))
    assert "input: size" not in exact
    records = found((key, 999_999_999, "STANDARD"))
    assert "input: records" in records and "58,823,529 lines by its size" in records["input: records"].found
    archived = found((key, 20, "DEEP_ARCHIVE"))
    assert archived["input: archive"].level == "error" and "Restore it" in archived["input: archive"].to_do


def test_input_that_may_not_be_listed_or_read(right, rows, refusing, session):
    with refusing("s3:ListBucket"):
        found = rows(right())
        assert found["input"].level == "ok" and "at least 1 file" in found["input"].found
        found = rows(right(input_path=f"s3://{session.bucket}/access/in/"))
        assert found["input"].level == "could not be checked" and "Unchecked is the input" in found["input"].found
    with refusing("s3:GetObject"):
        found = rows(right())
        assert found["input: lines"].level == "could not be checked"
        assert "Unchecked are the lines" in found["input: lines"].found


def test_a_large_file_is_read_at_its_beginning_only(stored, session):
    asked = []
    session.s3.meta.events.register("provide-client-params.s3.GetObject", lambda params, **_: asked.append(params))
    wrong, _ = stored({"users.jsonl": USERS * 20_000}, "users.jsonl")
    assert wrong == {} and [one["Range"] for one in asked] == ["bytes=0-262143"]


def test_a_list_that_was_cut_is_not_taken_for_an_empty_bucket(session, right, rows):
    with answering(session.s3, "ListObjectsV2", {}):
        found = rows(right())
    assert found["input"].level == "could not be checked" and "it names no bucket" in found["input"].found


def test_a_file_without_an_extension_that_was_found_is_taken_for_no_folder(stored):
    wrong, found = stored({"users": USERS}, "users")
    assert wrong == {} and "request: input_path" not in found
    wrong, found = stored({"users": USERS, "users2": USERS}, "users")
    assert "may take every object whose key begins so" in wrong["input: siblings"].found
    assert wrong["input: siblings"].to_do == "Give the input a folder of its own."
    assert "request: input_path" not in found


def test_a_file_that_was_read_is_not_judged_by_its_name_as_well(stored, refusing):
    packed = gzip.compress(USERS.encode())
    wrong, _ = stored({"users.jsonl.gz": packed}, "users.jsonl.gz")
    assert wrong.keys() == {"input: lines"}
    with refusing("s3:GetObject"):
        wrong, _ = stored({"users.jsonl.gz": packed}, "users.jsonl.gz")
    assert "not plain text by the name" in wrong["input: names"].found
