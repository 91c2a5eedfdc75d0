"""Batch jobs from input object to `.out` object, with a small model whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from personalize_nb.contract import limits
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.filters.binding import bind
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.recipes.base import Queries, Ranked
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.tasks import batch
from personalize_nb.local.tasks.batch import BatchSpec
from personalize_nb.local.themes.generators import Evidence
from personalize_nb.local.themes.maker import Themed

CATALOGUE = ["a", "b", "c", "d"]
SCORES = np.array([0.5, 0.25, 0.00037734, 0.00007166])
ITEMS = Schema("ITEMS", (Field("ITEM_ID", "string"), Field("GENRE", "string", categorical=True)))
DATA = TrainingData(None, pa.table({"ITEM_ID": ["a", "b", "c"], "GENRE": ["x|y", "y", "z"]}), None, {"ITEMS": ITEMS})


class AlphabeticalModel:
    """Ranks every catalogue the same way, and remembers what it was asked."""

    def __init__(self, item_ids: list[str] = CATALOGUE):
        self.item_ids = pa.array(item_ids)
        self.asked: list[Queries] = []

    def rank(self, queries: Queries) -> Ranked:
        self.asked.append(queries)
        if queries.item_lists is not None:
            lists = [sorted(items) for items in queries.item_lists]
            return Ranked(pa.array(lists, pa.list_(pa.string())), pa.array([[1 / len(x)] * len(x) for x in lists]))
        size = len(queries.users or queries.items)
        allowed = (queries.allowed or Allowed.everything(size, len(self.item_ids))).cells()
        kept = [np.flatnonzero(row)[: queries.num_results] for row in allowed]
        items = [[self.item_ids[int(place)].as_py() for place in row] for row in kept]
        scores = [[float(SCORES[place % 4]) for place in row] for row in kept]
        return Ranked(pa.array(items, pa.list_(pa.string())), pa.array(scores, pa.list_(pa.float64())))


class ReversingThemes:
    def __init__(self):
        self.beside: list[list[str]] = []

    def make(self, seeds, groups, beside=()):
        self.beside.append([seed for seed, _ in beside])
        scores = [0.19994527, 0.183059963, -0.188913, 0.00004]
        grounds = (Evidence("sea", 0.5, 0.1, 2.0),)
        return [
            Themed(f'Like "{seed}"', group[::-1], scores[: len(group)], 0.8, grounds, None, "reversing", None)
            for seed, group in zip(seeds, groups, strict=True)
        ]


@pytest.fixture
def objects(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("bucket", "us-east-1")
    yield store
    store.close()


def answer(objects, lines, recipe="aws-user-personalization", model=None, **options) -> list[str]:
    """Run a job on lines (text or values) and return the rows of its output as text."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    objects.put("bucket", "in/users.json", text.encode())
    spec = {
        name: options.pop(name)
        for name in ("num_results", "mode", "exploration_weight", "theme_items_per_file")
        if name in options
    }
    batch.run(
        BatchSpec("job", "s3://bucket/in/users.json", "s3://bucket/out/", **spec),
        objects=objects,
        model=model or AlphabeticalModel(),
        facts=RECIPES[recipe],
        **options,
    )
    return read(objects, "out/users.json.out")


def read(objects, key) -> list[str]:
    with objects.open("bucket", key) as file:
        return file.read().decode().splitlines()


def keys(objects) -> list[str]:
    return [info.key for info in objects.list("bucket")]


def filter_of(text: str):
    return bind(parse(text), DATA, pa.array(CATALOGUE))


def test_personalization_rows_are_exact(objects):
    rows = answer(objects, ['{"userId": "4638"}', '{ "userId":"unknown" }'])
    output = '"output":{"recommendedItems":["a","b","c","d"],"scores":[0.5,0.25,3.773E-4,7.17E-5]},"error":null}'
    assert rows == ['{"input":{"userId":"4638"},' + output, '{"input":{"userId":"unknown"},' + output]
    assert keys(objects) == ["in/users.json", "out/_CHECK", "out/users.json.out"]


def test_rows_of_the_other_recipes_are_exact(objects):
    assert answer(objects, [{"userId": "12"}], "aws-popularity-count", num_results=2) == [
        '{"input":{"userId":"12"},"output":{"recommendedItems":["a","b"]},"error":null}'
    ]
    assert answer(objects, [{"itemId": "105"}], "aws-similar-items", num_results=1) == [
        '{"input":{"itemId":"105"},"output":{"recommendedItems":["a"]},"error":null}'
    ]
    assert answer(objects, [{"userId": "891", "itemList": ["27", "10"]}], "aws-personalized-ranking") == [
        '{"input":{"userId":"891","itemList":["27","10"]},'
        '"output":{"recommendedItems":["10","27"],"scores":[0.5,0.5]},"error":null}'
    ]


def test_theme_rows_are_exact(objects):
    rows = answer(
        objects,
        [{"itemId": "40"}, {"userId": "1"}],
        "aws-similar-items",
        num_results=4,
        mode="THEME_GENERATION",
        theme_maker=ReversingThemes(),
    )
    assert rows == [
        '{"input":{"itemId":"40"},"output":{"recommendedItems":["d","c","b","a"],"theme":"Like \\"40\\"",'
        '"itemsThemeRelevanceScores":[0.19994527,0.183059963,-0.188913,4.0E-5]},"error":null}',
        '{"input":{"userId":"1"},"output":{"recommendedItems":[]},'
        '"error":"User error: Required fields for the provided recipe are itemId"}',
    ]


def test_a_file_beside_the_output_says_who_wrote_each_theme_and_why(objects):
    lines = [{"itemId": "40"}, {"userId": "1"}, {"itemId": "41"}]
    answer(objects, lines, "aws-similar-items", mode="THEME_GENERATION", theme_maker=ReversingThemes())
    assert keys(objects) == ["in/users.json", "out/_CHECK", "out/users.json.out", "out/users.json.themes.json"]
    notes = json.loads("\n".join(read(objects, "out/users.json.themes.json")))
    assert (notes["job"], notes["input"]) == ("job", "in/users.json")
    assert [(one["line"], one["itemId"]) for one in notes["themes"]] == [(1, "40"), (3, "41")]
    assert notes["themes"][0] == {
        "line": 1,
        "itemId": "40",
        "theme": 'Like "40"',
        "generator": "reversing",
        "confidence": 0.8,
        "fallback": None,
        "replaced": None,
        "evidence": [{"phrase": "sea", "share": 0.5, "base": 0.1, "fit": 2.0}],
    }


def test_the_limit_of_items_with_themes_can_be_lifted(objects):
    lines = [{"itemId": str(number)} for number in range(250)]
    options = {"mode": "THEME_GENERATION", "theme_maker": ReversingThemes()}
    rows = answer(objects, lines, "aws-similar-items", **options, theme_items_per_file=250)
    assert len(rows) == 250 and all(json.loads(row)["output"]["theme"] for row in rows)
    with pytest.raises(WorkError, match="has 250 records; with themes it can have 249"):
        answer(objects, lines, "aws-similar-items", **options, theme_items_per_file=249)


@pytest.mark.parametrize(
    ("job", "path", "beside"),
    [
        ("week-12ab-002", "run/002.jsonl", ["40", "42"]),
        ("week-12ab-002-r2", "run/002.jsonl", ["40", "42"]),
        ("week-12ab-001", "run/001.jsonl", ["41", "42"]),
        ("week", "run/002.jsonl", []),  # no job of a run
        ("week-12ab-002", "run/other.jsonl", []),  # a file that is no part
    ],
)
def test_themes_of_a_run_are_kept_apart_from_those_of_its_other_jobs(objects, job, path, beside):
    for number in range(3):
        objects.put("bucket", f"run/00{number + 1}.jsonl", f'{{"itemId": "4{number}"}}\n'.encode())
    objects.put("bucket", "run/other.jsonl", b'{"itemId": "49"}\n')
    objects.put("bucket", "run/sub/004.jsonl", b'{"itemId": "48"}\n')
    themes = ReversingThemes()
    batch.run(
        BatchSpec(job, f"s3://bucket/{path}", "s3://bucket/out/", mode="THEME_GENERATION"),
        objects=objects,
        model=AlphabeticalModel(),
        facts=RECIPES["aws-similar-items"],
        theme_maker=themes,
    )
    assert themes.beside == [beside]


def test_themes_of_a_jobs_files_are_kept_apart(objects):
    for number in range(2):
        objects.put("bucket", f"in/{number}.json", f'{{"itemId": "4{number}"}}\n'.encode())
    themes = ReversingThemes()
    batch.run(
        BatchSpec("job", "s3://bucket/in/", "s3://bucket/out/", mode="THEME_GENERATION"),
        objects=objects,
        model=AlphabeticalModel(),
        facts=RECIPES["aws-similar-items"],
        theme_maker=themes,
    )
    assert themes.beside == [["41"], ["40"]]


def test_a_theme_row_without_items_is_an_error(objects):
    only_z = filter_of('INCLUDE ItemID WHERE Items.GENRE IN ("none")')
    rows = answer(
        objects,
        [{"itemId": "a"}],
        "aws-similar-items",
        mode="THEME_GENERATION",
        theme_maker=ReversingThemes(),
        bound_filter=only_z,
    )
    assert "no items are left to make a theme of" in json.loads(rows[0])["error"]


@pytest.mark.parametrize(
    ("recipe", "line", "error"),
    [
        ("aws-user-personalization", '{"itemId":"1"}', "Required fields for the provided recipe are userId"),
        ("aws-user-personalization", '{"userId":null}', "Required fields for the provided recipe are userId"),
        ("aws-sims", '{"userId":"1"}', "Required fields for the provided recipe are itemId"),
        ("aws-personalized-ranking", '{"userId":"1"}', "Required fields for the provided recipe are userId, itemList"),
        ("aws-user-personalization", '{"userId":233}', "userId must be a string, got 233; write it in quotes"),
        ("aws-user-personalization", '{"userId":""}', "userId has 0 characters; legal are 1 to 256"),
        ("aws-user-personalization", '{"userId":"%s"}' % ("é" * 257), "userId has 257 characters; legal are 1 to 256"),
        ("aws-personalized-ranking", '{"userId":"1","itemList":"a"}', 'itemList must be a list of strings, got "a"'),
        ("aws-personalized-ranking", '{"userId":"1","itemList":["a",1]}', 'must be a list of strings, got ["a", 1]'),
        ("aws-personalized-ranking", '{"userId":"1","itemList":["a",null]}', "must be a list of strings, got null"),
        ("aws-personalized-ranking", '{"userId":"1","itemList":[]}', "itemList is empty"),
        ("aws-personalized-ranking", '{"userId":"1","itemList":["a",""]}', "an item of itemList has 0 characters"),
    ],
)
def test_unusable_values_are_error_rows_and_the_other_rows_are_answered(objects, recipe, line, error):
    good = '{"userId":"1","itemId":"a","itemList":["a","b"]}'
    rows = answer(objects, [good, line, good], recipe)
    failed = json.loads(rows[1])
    assert failed["input"] == json.loads(line)
    assert failed["output"] == {"recommendedItems": []}
    assert failed["error"].startswith("User error: ")
    assert error in failed["error"]
    assert rows[0] == rows[2]
    assert json.loads(rows[0])["error"] is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"userId": "1"', "the line is not valid JSON: Expecting ',' delimiter at character 14"),
        ("4638", 'the line is not a JSON object such as {"userId": "4638"}'),
        ('["4638"]', "the line is not a JSON object"),
        ('{"userId":"1"}{"userId":"2"}', "the line is not valid JSON: Extra data"),
        ('{"userId":"1","x":NaN}', "NaN is not a JSON number"),
        ("{'userId':'1'}", "the line is not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_malformed_line_is_echoed_as_text(objects, line, error):
    rows = answer(objects, [{"userId": "1"}, line, {"userId": "2"}])
    failed = json.loads(rows[1])
    assert failed["input"] == line
    assert error in failed["error"]
    assert [json.loads(row)["input"] for row in rows[::2]] == [{"userId": "1"}, {"userId": "2"}]


def test_an_object_over_two_lines_is_two_malformed_lines(objects):
    rows = answer(objects, ['{"userId":', '"1"}', '{"userId":"2"}{"userId":"3"}', '{"userId":"4"}'])
    assert [json.loads(row)["error"] is None for row in rows] == [False, False, False, True]


def test_a_line_that_is_not_utf8_is_an_error_row(objects):
    objects.put("bucket", "in/x", b'{"userId":"caf\xe9"}\n{"userId":"1"}\n{"userId":"\xef\xbf\xbd"}')
    batch.run(
        BatchSpec("job", "s3://bucket/in/x", "s3://bucket/out"),
        objects=objects,
        model=AlphabeticalModel(),
        facts=RECIPES["aws-user-personalization"],
    )
    first, second, third = map(json.loads, read(objects, "out/x.out"))
    assert first["error"] == 'User error: the line is not UTF-8 text; the line is {"userId":"caf\ufffd"}'
    assert second["error"] is None
    assert third["input"] == {"userId": "\ufffd"}


def test_byte_order_mark_crlf_blank_lines_and_missing_last_newline_are_accepted(objects):
    text = '\r\n{"userId":"é"}\r\n\r\n   \n\t{"userId":"2"}'
    objects.put("bucket", "in/x", b"\xef\xbb\xbf" + text.encode())
    batch.run(
        BatchSpec("job", "s3://bucket/in/x", "s3://bucket/"),
        objects=objects,
        model=AlphabeticalModel(),
        facts=RECIPES["aws-user-personalization"],
    )
    assert [json.loads(row)["input"]["userId"] for row in read(objects, "x.out")] == ["é", "2"]


def test_the_echo_keeps_every_key_in_order_and_ids_exactly(objects):
    user = '-2996180203100007228 "quoted" \\ back  two spaces \t tab'
    line = json.dumps({"extra": {"b": 1, "a": [1.50, None]}, "userId": user})
    rows = answer(objects, [line])
    assert rows[0].startswith('{"input":{"extra":{"b":1,"a":[1.5,null]},"userId":')
    assert json.loads(rows[0])["input"]["userId"] == user


def test_item_ids_that_need_escapes_are_escaped(objects):
    model = AlphabeticalModel(['a"b', "c\\d", "e\tf", "é"])
    rows = answer(objects, [{"userId": "1"}], model=model)
    assert json.loads(rows[0])["output"]["recommendedItems"] == ['a"b', "c\\d", "e\tf", "é"]
    assert "é" in rows[0]


def test_filters_apply_line_by_line(objects):
    bound = filter_of("INCLUDE ItemID WHERE Items.GENRE IN ($G)")
    lines = [
        {"userId": "1", "filterValues": {"G": '"y"'}},
        {"userId": "2", "filterValues": {"G": '"x","z"', "unused": "kept in the echo"}},
        {"userId": "3"},
        {"userId": "4", "filterValues": {"G": "y"}},
        {"userId": "5", "filterValues": {"G": '"nothing"'}},
    ]
    rows = answer(objects, lines, bound_filter=bound)
    found = [json.loads(row) for row in rows]
    assert [row["input"] for row in found] == lines
    assert [row["output"]["recommendedItems"] for row in found] == [["a", "b"], ["a", "c"], [], [], []]
    assert [bool(row["error"]) for row in found] == [False, False, True, True, False]
    assert found[2]["error"] == "User error: filterValues has no value for the placeholder $G of the filter"
    assert rows[4].endswith('"output":{"recommendedItems":[],"scores":[]},"error":null}')


@pytest.mark.parametrize("values", ["text", {"G": 5}, ["a"]])
def test_filter_values_of_a_wrong_type_are_error_rows(objects, values):
    bound = filter_of("EXCLUDE ItemID WHERE Items.GENRE IN ($G)")
    rows = answer(objects, [{"userId": "1", "filterValues": values}, {"userId": "2"}], bound_filter=bound)
    assert "filterValues must be" in rows[0].replace("G in filterValues", "filterValues")
    assert json.loads(rows[1])["output"]["recommendedItems"] == CATALOGUE


def test_current_item_filters_see_the_lines_item(objects):
    bound = filter_of("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE")
    rows = answer(objects, [{"itemId": "b"}, {"itemId": "c"}], "aws-similar-items", bound_filter=bound)
    assert [json.loads(row)["output"]["recommendedItems"] for row in rows] == [["a", "b"], ["c"]]


def test_exploration_reaches_only_the_recipe_that_has_it(objects):
    for recipe, expected in (("aws-user-personalization", 0.7), ("aws-user-personalization-v2", None)):
        model = AlphabeticalModel()
        answer(objects, [{"userId": "1"}], recipe, model=model, exploration_weight=0.7)
        assert model.asked[0].exploration_weight == expected
        assert model.asked[0].seed == BatchSpec("job", "", "").seed


def test_a_long_input_is_answered_in_blocks_and_in_order(objects, monkeypatch):
    monkeypatch.setattr("personalize_nb.local.tasks.stretches.CHUNK_BYTES", 1000)
    lines = [{"userId": str(number)} if number % 7 else {"itemId": str(number)} for number in range(1000)]
    model = AlphabeticalModel()
    told = []
    rows = answer(objects, lines, model=model, num_results=1, progress=lambda done, total: told.append((done, total)))
    assert [json.loads(row)["input"] for row in rows] == lines
    assert max(len(queries.users) for queries in model.asked) < 100
    assert told[-1] == (1000, 1000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_prefix_takes_every_object_below_it_and_a_file_only_itself(objects):
    for key in ("in/a.json", "in/sub/a.json", "in/b.json", "in/", "in_test/c.json", "in/a.json.bak"):
        objects.put("bucket", key, b'{"userId":"1"}\n' if not key.endswith("/") else b"")
    facts = RECIPES["aws-user-personalization"]
    for path, expected in (
        ("s3://bucket/in/a.json", ["a.json.out"]),
        ("s3://bucket/in/", ["a.json.bak.out", "a.json.out", "b.json.out", "sub/a.json.out"]),
        ("s3://bucket/in", ["a.json.bak.out", "b.json.out", "c.json.out", "in/a.json.out", "in/sub/a.json.out"]),
    ):
        for info in list(objects.list("bucket", prefix="out")):
            objects.delete("bucket", info.key)
        batch.run(BatchSpec("job", path, "s3://bucket/out"), objects=objects, model=AlphabeticalModel(), facts=facts)
        assert [key.removeprefix("out/") for key in keys(objects) if key.startswith("out/")] == ["_CHECK", *expected]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (BatchSpec("j", "s3://bucket/none", "s3://bucket/out/"), "Invalid S3 input path. Bucket 'bucket' holds no"),
        (BatchSpec("j", "s3://nowhere/x", "s3://bucket/out/"), "Invalid S3 input path. There is no bucket 'nowhere'"),
        (BatchSpec("j", "ftp://bucket/x", "s3://bucket/out/"), "is not of the form s3://bucket/key"),
        (BatchSpec("j", "s3://bucket/good", "s3://nowhere/"), "Invalid S3 output path. There is no bucket"),
        (BatchSpec("j", "s3://bucket/empty", "s3://bucket/out/"), "The input has no records"),
        (
            BatchSpec("j", "s3://bucket/many", "s3://bucket/out/", mode="THEME_GENERATION"),
            "has 101 records; with themes",
        ),
        (
            BatchSpec("j", "s3://bucket/good", "s3://bucket/out/", mode="THEME_GENERATION"),
            "Themes need an Items dataset",
        ),
        (BatchSpec("j", "s3://bucket/files/", "s3://bucket/out/"), "The input has 3 files; .* can have 2"),
        (BatchSpec("j", "s3://bucket/many", "s3://bucket/out/"), "The input has 1515 bytes; .* can have 1000"),
    ],
)
def test_errors_of_the_whole_job_leave_no_output(objects, spec, reason, monkeypatch):
    monkeypatch.setattr(limits, "MAX_INPUT_FILES", 2)
    if spec.mode != "THEME_GENERATION":
        monkeypatch.setattr(limits, "MAX_INPUT_BYTES", 1000)
    objects.put("bucket", "good", b'{"userId":"1"}')
    objects.put("bucket", "empty", b"\n \n")
    objects.put("bucket", "many", b'{"userId":"1"}\n' * 101)
    for number in range(3):
        objects.put("bucket", f"files/{number}", b"{}")
    before = keys(objects)
    with pytest.raises(WorkError, match=reason):
        batch.run(spec, objects=objects, model=AlphabeticalModel(), facts=RECIPES["aws-user-personalization"])
    assert [key for key in keys(objects) if not key.endswith("_CHECK")] == before
