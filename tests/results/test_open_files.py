"""Results are read from what is open as from paths; what cannot hold them is refused in words."""

import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError


def rows(*users):
    made = ({"input": {"userId": user}, "output": {"recommendedItems": [f"of {user}"]}} for user in users)
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in made)


def users_of(*given_):
    return pnb.read_results(*given_).recommendations()["user_id"].tolist()


def in_text(text, folder):
    return io.StringIO(text)


def in_bytes(text, folder):
    return io.BytesIO(text.encode())


def packed(text, folder):
    return io.BytesIO(gzip.compress(text.encode()))


def unpacked(text, folder):
    return gzip.open(packed(text, folder))


def of_file(text, folder):
    (folder / "any [1].name").write_text(text, encoding="utf-8")
    return (folder / "any [1].name").open(encoding="utf-8")


def of_path(text, folder):
    (folder / "beside.txt").write_text(text, encoding="utf-8")
    return folder / "beside.txt"


WAYS = [in_text, in_bytes, packed, unpacked, of_file]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=4), st.sampled_from(WAYS))
def test_any_text_is_read_as_from_its_path(tmp_path, users, way):
    text = "".join(
        f"{json.dumps({'input': {'userId': user}, 'output': {'recommendedItems': ['a']}})}\n" for user in users
    )
    with way(text, tmp_path) as file:
        found = pnb.read_results(file)
    assert found.recommendations()["user_id"].tolist() == users_of(of_path(text, tmp_path)) == users
    assert found.arrow().recommendations()["user_id"].to_pylist() == users


def test_open_files_stand_in_lists_and_for_the_input(tmp_path):
    parts = [in_text(rows("a"), tmp_path), of_path(rows("b"), tmp_path), in_bytes(rows("c"), tmp_path)]
    asked = in_bytes('{"userId": "c"}\n{"userId": "a"}\n{"userId": "none"}\n{"userId": "b"}\n', tmp_path)
    found = pnb.read_results(iter(parts), asked)
    assert found.recommendations()["user_id"].tolist() == ["c", "a", "b"]
    assert found.errors()["user_id"].tolist() == ["none"]


def test_lines_of_nameless_files_answer_those_of_the_input_at_their_place(tmp_path):
    lost = [in_text("{\n" + rows("b"), tmp_path), in_text(rows("c") + "]\n", tmp_path)]
    asked = [in_text(f'{{"userId": "{first}"}}\n{{"userId": "{last}"}}\n', tmp_path) for first, last in ("ab", "cd")]
    assert pnb.read_results(lost, asked).errors()["user_id"].tolist() == ["a", "d"]


def test_a_file_is_read_from_where_it_stands_and_a_name_is_told(tmp_path):
    file = in_text(rows("first", "second"), tmp_path)
    file.readline()
    assert users_of(file) == ["second"]
    with pytest.raises(InputError, match=r"read to its end already: file.seek\(0\)"):
        pnb.read_results(file)
    with of_file("no row\n", tmp_path) as named:
        assert pnb.read_results(named).errors()["file"].tolist() == ["any [1].name"]


def test_what_cannot_be_read_says_why(tmp_path):
    closed = in_text("x", tmp_path)
    closed.close()
    with pytest.raises(InputError, match="cannot be read: I/O operation on closed file. Open it for reading"):
        pnb.read_results(closed)
    with (tmp_path / "new").open("w") as written, pytest.raises(InputError, match="'new' cannot be read"):
        pnb.read_results(written)

    class Rows:
        def read(self, size):
            return [size]

    with pytest.raises(InputError, match="this Rows gave list"):
        pnb.read_results(Rows())


@pytest.mark.parametrize("given_", [{"a": 1}, {}, {"out": "x"}, pd.DataFrame({"out": ["x"]}), io.StringIO, 7, True])
def test_what_names_no_files_is_refused_by_its_type(given_):
    with pytest.raises(InputError, match=f"an open file, or a list of these; got {type(given_).__name__}"):
        pnb.read_results(given_)


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("scheme", ["https", "HTTP", "gs", "s3a", "ftp", "abfs"])
def test_an_address_that_is_not_fetched_is_refused_in_words(scheme, kind):
    with pytest.raises(InputError, match=rf"an s3:// address.*or a downloaded file; got '{scheme}:/.*Nothing is fetch"):
        pnb.read_results([kind(f"{scheme}://bucket.s3.amazonaws.com/out")])


def test_a_path_of_an_address_says_what_to_pass():
    with pytest.raises(InputError, match="pass the text"):
        pnb.read_results(Path("s3://bucket/out"))
