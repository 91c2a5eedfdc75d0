"""Results are read from whatever names them: paths, patterns, lists, renamed and compressed files."""

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError, NotFoundError


def by_arrow(codec):
    def compressed(data):
        made = pa.BufferOutputStream()
        with pa.CompressedOutputStream(made, codec) as file:
            file.write(data)
        return made.getvalue().to_pybytes()

    return compressed


COMPRESSED = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": by_arrow("zstd"),
    ".lz4": by_arrow("lz4"),
}


def rows(*users):
    made = ({"input": {"userId": user}, "output": {"recommendedItems": [f"of {user}"]}} for user in users)
    return "".join(f"{json.dumps(one)}\n" for one in made).encode()


def users_of(*given, **more):
    return pnb.read_results(*given, **more).recommendations()["user_id"].tolist()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    (made / "_CHECK").write_bytes(b"")
    (made / "_SUCCESS").write_bytes(b"")
    (made / "a.jsonl.themes.json").write_bytes(b"{}")
    (made / "a.jsonl.out").write_bytes(rows("a"))
    (made / "b.jsonl.out").write_bytes(rows("b"))
    return made


def test_a_folder_a_file_a_pattern_and_lists_of_them(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.chdir(folder)
    file, other = folder / "a.jsonl.out", folder / "b.jsonl.out"
    for whole in (
        folder,
        str(folder),
        f"{folder}/",
        "~/out",
        folder.as_uri(),
        ".",
        "*.out",
        f"{folder}/*",
        [file, other],
    ):
        assert users_of(whole) == ["a", "b"], whole
    for one in (file, str(file), file.as_uri(), "a.jsonl.out", "./a.jsonl.out", "a*.out", (file,), iter([str(file)])):
        assert users_of(one) == ["a"], one
    assert users_of([other, folder]) == ["b", "a"]  # each once, in the order given
    assert users_of([folder / "a*", other]) == ["a", "b"]


@pytest.mark.parametrize(
    "name", ["users.txt", "part-0000", "a.json.out (1)", "a[1].out", "100%", "a?b", "noël.csv", "x#y z"]
)
def test_a_file_that_is_named_is_read_whatever_its_name(folder, name):
    file = folder / name
    file.write_bytes(rows("mine"))
    for given_ in (file, str(file), [file], file.as_uri()):
        assert users_of(given_) == ["mine"]


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("name", ["users.jsonl.out", "renamed.txt"])
def test_compressed_files_are_told_by_what_they_hold(tmp_path, suffix, name):
    data = rows(*(f"u{number}" for number in range(3000)))
    (tmp_path / name).write_bytes(COMPRESSED[suffix](data))  # a name without the suffix
    (tmp_path / f"with-{name}{suffix}").write_bytes(COMPRESSED[suffix](data))
    assert len(users_of(tmp_path / name)) == 3000
    assert users_of(tmp_path / f"with-{name}{suffix}") == users_of(tmp_path / name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([one for one in COMPRESSED if one]), st.floats(0, 1), st.integers(1, 3))
def test_any_cut_of_a_compressed_file_is_refused_or_read(tmp_path, suffix, share, parts):
    data = rows(*(f"u{number}" for number in range(50)))
    whole = COMPRESSED[suffix](data) * parts
    file = tmp_path / "a.out"
    file.write_bytes(whole)
    assert len(users_of(file)) == 50 * parts
    file.write_bytes(whole[: int(share * len(whole))])
    try:
        found = pnb.read_results(file)
        assert len(found.recommendations()) % 50 == 0 or len(found.errors())
    except NotFoundError as error:
        assert "is empty" in str(error)
    except InputError as error:
        assert "damaged or cut off" in str(error) and str(file) in str(error)


def test_an_archive_says_what_to_do(tmp_path):
    (tmp_path / "a.out").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(InputError, match="an archive of files .* Unpack it"):
        pnb.read_results(tmp_path / "a.out").errors()


def test_output_that_was_compressed_is_still_that_of_its_input(folder):
    (folder / "a.jsonl.out").unlink()
    (folder / "a.jsonl.out.gz").write_bytes(gzip.compress(rows("a")))
    source = folder.parent / "a.jsonl"
    source.write_text('{"userId": "a"}\n{"userId": "missing"}\n')
    assert users_of(folder, source) == ["a"]
    packed = folder.parent / "a.jsonl.xz"
    packed.write_bytes(lzma.compress(source.read_bytes()))
    for given_ in (source, packed, [packed], source.as_uri()):
        found = pnb.read_results(folder, given_)
        assert found.errors()["user_id"].tolist() == ["missing"]


def test_the_output_of_several_inputs(folder):
    asked = folder.parent / "asked"
    asked.mkdir()
    for name in ("b", "a"):
        (asked / f"{name}.jsonl").write_text(f'{{"userId": "{name}"}}\n')
    assert users_of(folder, [asked / "b.jsonl", asked / "a.jsonl"]) == ["b", "a"]
    assert users_of(folder, asked) == users_of(folder, asked / "*.jsonl") == ["a", "b"]
    assert users_of(folder, [asked / "a.jsonl"]) == ["a"]


def test_the_jobs_of_a_run_have_a_folder_each(tmp_path):
    for part in ("part-0", "part-1"):
        (tmp_path / part).mkdir()
        (tmp_path / part / f"{part}.jsonl.out").write_bytes(rows(part))
    assert users_of(tmp_path) == ["part-0", "part-1"]


def test_what_is_not_there_says_what_is(folder):
    for absent in (folder / "c.out", folder / "*.txt", folder / "deeper" / "c.out"):
        with pytest.raises(
            NotFoundError, match=r"no output ending in \.out at .*not there.* has '.*Legal is a file"
        ) as found:
            pnb.read_results(absent).recommendations()
        assert "ACTIVE" not in str(found.value)
    (folder / "only").mkdir()
    with pytest.raises(NotFoundError, match="which is empty"):
        pnb.read_results(folder / "only").recommendations()
    (folder / "only" / "users.txt").write_bytes(rows("a"))
    with pytest.raises(NotFoundError, match=r"there is 'users.txt'.*read_results\('.*users.txt'\) reads") as found:
        pnb.read_results(folder / "only").recommendations()
    assert "ACTIVE" not in str(found.value)


@pytest.mark.parametrize("given_", [5, b"out", None, [], [5], [None], "", " ", 1.5, {"a": 1}.values(), Path])
def test_what_is_no_path_is_refused_by_its_type(given_):
    with pytest.raises(InputError, match="'output' must be a file of a job's output"):
        pnb.read_results(given_)
    if given_ is not None:
        with pytest.raises(InputError, match="'source' must be"):
            pnb.read_results("out", given_)


def test_a_file_of_another_machine_is_refused():
    with pytest.raises(InputError, match="a file of this machine"):
        pnb.read_results("file://elsewhere/out")
