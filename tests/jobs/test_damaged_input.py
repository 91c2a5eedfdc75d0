"""A job over hundreds of damaged lines: every good one is answered, every bad one is one row of errors."""

import pytest
from damaged_lines import damaged, is_blank, is_json, lines, many
from hypothesis import strategies as st

import personalize_nb as pnb


def mixed(keys, good, count):
    """Return a file's lines, damaged ones and good ones by turns, and the ids of the good ones."""
    strategy = lines(keys, st.just(good(0))) | damaged(st.just(good(0)))
    drawn = [line for line in many(strategy, count) if not is_blank(line) and b"\n" not in line]
    file = []
    for number, line in enumerate(drawn):
        file += [good(number % 50 + 1), line]
    return file


@pytest.fixture
def put(session):
    def upload(name, file):
        bucket, key = session.location("damaged", name).removeprefix("s3://").split("/", 1)
        session.s3.put_object(Bucket=bucket, Key=key, Body=b"\n".join(file))
        return f"s3://{bucket}/{key}"

    return upload


def test_users(readers_model, session, put, capsys):
    file = mixed(["userId", "other"], lambda number: b'{"userId": "r%d"}' % number, 400)
    job = pnb.recommend(put("users.jsonl", file), readers_model, num_results=1).wait(progress=False)
    results, failed = job.results(), job.errors()
    assert len(results) == len(file)
    lost = failed["line"].tolist()
    assert len(set(lost)) == len(lost) == results.failed + results.empty
    assert {number for number, line in enumerate(file, 1) if not is_json(line)} <= set(lost)
    assert not set(range(1, len(file), 2)) & set(lost)
    listed = job.recommendations()
    assert len(listed) == len(file) - len(lost)
    users = listed["user_id"].tolist()
    for number in range(50):
        assert users.count(f"r{number + 1}") >= len(range(number, len(file) // 2, 50))


def test_items_with_themes(books_model, put, capsys):
    file = mixed(["itemId", "other"], lambda number: b'{"itemId": "b%d"}' % number, 48)[:98]
    job = pnb.themes(put("items.jsonl", file), books_model, num_results=5).wait(progress=False)
    failed = job.errors()["line"].tolist()
    assert len(set(failed)) == len(failed)
    assert {number for number, line in enumerate(file, 1) if not is_json(line)} <= set(failed)
    assert not set(range(1, len(file), 2)) & set(failed)
    assert len(job.results()) == len(file)
    themed = job.themes(threshold=None, minimum_items=0)
    assert {f"b{number % 50 + 1}" for number in range(len(file) // 2)} <= set(themed["item_id"])


def test_where_all_lines_failed_the_recipe_names_the_columns(books_model, put, capsys):
    job = pnb.recommend(put("list.jsonl", [b'[{"itemId": "b1"}]']), books_model).wait(progress=False)
    assert job.recommendations().columns.tolist() == ["item_id", "rank", "recommended_item_id", "score"]
    assert job.arrow().recommendations().column_names == job.polars().recommendations().columns
    assert job.errors()[["line", "file"]].to_numpy().tolist() == [[1, "list.jsonl.out"]]
    assert "not a JSON object" in job.errors()["error"][0]
