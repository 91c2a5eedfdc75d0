"""`personalize-nb state`, as typed in a shell, on the folder of a service that runs and that does not."""

from __future__ import annotations

import io
import sqlite3
import sys

import boto3
import kept_state as kept
import pytest

from personalize_nb import local
from personalize_nb.__main__ import main
from personalize_nb.local.upkeep import checking


@pytest.fixture
def told(capsys):
    """Run a command; return its exit code and what it prints."""

    def run(*arguments):
        try:
            code = main(["state", *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code
        out, error = capsys.readouterr()
        return code, out + error

    return run


@pytest.fixture
def answering(monkeypatch):
    def answer(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return answer


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("command") / "service"
    kept.fill(root)
    return root


@pytest.fixture
def folder(made, tmp_path):
    root = kept.copy(made, tmp_path / "service")
    yield root
    local.stop(root)


def test_exit_codes_and_sentences(folder, tmp_path, told):
    assert told("check", folder) == (0, f"{folder}: nothing is damaged\n")
    array = next((folder / "models").glob("*/val.npy"))
    array.write_bytes(b"cut")
    code, text = told("check", folder)
    assert code == 1 and str(array) in text and "Train it again" in text and "state repair" in text
    code, text = told("snapshot", folder, tmp_path / "kept.zip")
    assert code == 1 and str(array) in text and not (tmp_path / "kept.zip").exists()
    code, text = told("repair", folder, "--into", tmp_path / "copy")
    assert code == 1 and str(array) in text and f"{folder} is as it was" in text
    assert told("check", tmp_path / "copy")[0] == 0
    code, text = told("repair", tmp_path / "copy")
    assert code == 0 and "nothing is lost" in text and (tmp_path / "copy.repaired").is_dir()


def test_what_is_left_over_is_worth_a_look_and_no_damage(folder, told):
    left = kept.written(folder / "objects" / "bodies" / "ab" / ("ab" * 16))
    code, text = told("check", folder)
    assert code == 0 and str(left) in text and "nothing is damaged" in text and "is damaged" not in text.split("\n")[0]


@pytest.mark.parametrize(("code", "says"), [(sqlite3.SQLITE_FULL, "make room on that disk"), (1, "SQLite cannot do")])
@pytest.mark.parametrize("command", ["check", "repair", "snapshot"])
def test_what_sqlite_refuses_is_said_in_words(folder, tmp_path, told, monkeypatch, command, code, says):
    def refused(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = code
        raise error

    # what each of them does at some time
    monkeypatch.setattr(checking, "settings", refused)
    arguments = [tmp_path / "kept.zip"] if command == "snapshot" else []
    ended, text = told(command, folder, *arguments)
    assert ended == 2 and says in text and "Traceback" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["service"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("look",),
        ("check",),
        ("check", "nowhere"),
        ("repair", "nowhere"),
        ("snapshot", "nowhere", "f"),
        ("restore", "nowhere", "p"),
        ("reset", "nowhere", "--yes"),
    ],
)
def test_what_cannot_be_done_as_it_is_given_ends_with_two(told, arguments):
    code, text = told(*arguments)
    assert code == 2 and "personalize-nb state" in text and "Traceback" not in text


def test_a_reset_is_confirmed_by_the_path(folder, told, answering):
    before = kept.contents(folder)
    for typed in ("", "yes\n", "\n", f"{folder.parent}\n"):
        answering(typed)
        code, text = told("reset", folder)
        assert code == 2 and "nothing is removed" in text and "for ever" in text
    assert kept.contents(folder) == before
    answering(f"{folder}\n")
    assert told("reset", folder)[0] == 0
    assert list(folder.iterdir()) == []


def test_a_service_that_runs_is_checked_kept_and_reset_but_not_mended(folder, tmp_path, told):
    info = local.start(folder)
    s3 = boto3.client(
        "s3",
        endpoint_url=info.url,
        region_name=info.region,
        aws_access_key_id=info.access_key,
        aws_secret_access_key=info.secret_key,
    )
    s3.put_object(Bucket=info.bucket, Key="new", Body=b"data")
    assert told("check", folder)[0] == 0
    # the copy of a folder whose service runs is a folder of its own
    copied = kept.copy(folder, tmp_path / "copied")
    assert told("reset", copied, "--yes")[0] == 0
    assert local.attach(folder) == info and local.attach(copied) is None
    code, text = told("repair", folder)
    assert code == 2 and "stop it first" in text
    assert told("snapshot", folder, tmp_path / "kept.zip")[0] == 0
    assert told("reset", folder, "--yes")[0] == 0
    assert local.attach(folder) is None and list(folder.iterdir()) == []
    s3.close()

    code, text = told("restore", tmp_path / "kept.zip", folder)
    assert code == 0, text
    again = local.start(folder)
    assert (again.account, again.region, again.bucket) == (info.account, info.region, info.bucket)
    # keys of clients are not in the file
    assert again.secret_key != info.secret_key
    s3 = boto3.client(
        "s3",
        endpoint_url=again.url,
        region_name=again.region,
        aws_access_key_id=again.access_key,
        aws_secret_access_key=again.secret_key,
    )
    assert s3.get_object(Bucket=again.bucket, Key="new")["Body"].read() == b"data"
    s3.close()
