"""A job on a cluster writes what one machine writes, byte for byte, whatever becomes of workers and of the cluster."""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
import sqlite3
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import dask_cluster
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.s3 import incoming, verifying
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.tasks import batch, cluster_address, input_lines, spread, stretches
from personalize_nb.local.tasks.batch import BatchSpec

REGION, ACCOUNT = "us-east-1", "123456789012"
NASTY = ["", "no json", '{"userId": 7}', '{"userId":"a b"}\r', "  ", '{"itemId":"x"}', '{"userId":"\\ud800"}', "[1]"]
LINES = [f'{{"userId":"u{number}"}}' for number in range(60)]
INPUT = "\n".join(line for number, line in enumerate(LINES) for line in (line, NASTY[number % len(NASTY)]))


@pytest.fixture
def root(tmp_path, monkeypatch):
    pytest.importorskip("cloudpickle", reason="Dask, the extra `distributed`, is not on this machine")
    monkeypatch.setattr(batch, "_MAX_LINES", 3)  # many blocks
    monkeypatch.setattr(stretches, "CHUNK_BYTES", 700)  # and stretches
    (tmp_path / "scratch").mkdir()
    return tmp_path


@pytest.fixture
def objects(root):
    store = ObjectStore(root / "objects")
    store.create_bucket("bucket", REGION)
    store.put("bucket", "in/users.json", b"\xef\xbb\xbf" + INPUT.encode())
    yield store
    store.close()


def a_model(strike=None):
    """Return a model that ranks by names; its class goes to workers as it is, for they have no such module."""

    class NamesModel:
        def rank(self, queries):
            import pyarrow as pa

            from personalize_nb.local.recipes.base import Ranked

            if strike is not None and "u31" in queries.users:
                strike()
            items = [[f"{user}-{place}" for place in range(3)] for user in queries.users]
            return Ranked(pa.array(items), pa.array([[0.5, 0.25, 0.1]] * len(items)))

    return NamesModel()


def answer(objects, model, cluster=None, progress=None):
    batch.run(
        BatchSpec("job", "s3://bucket/in/", "s3://bucket/out/"),
        objects=objects,
        model=model,
        facts=RECIPES["aws-user-personalization"],
        spread=cluster,
        progress=progress or (lambda done, total: None),
    )
    return read(objects, "out/users.json.out")


def read(objects, key):
    with objects.open("bucket", key) as file:
        return file.read()


def of(client, root, objects):
    return spread.Spread(client, root, REGION, ACCOUNT, objects)


def test_output_is_that_of_one_machine(dask_client, root, objects):
    alone = answer(objects, a_model())
    seen = []
    cluster = of(dask_client, root, objects)
    progress = lambda done, total: seen.append((done, total, len(list((root / "scratch").iterdir()))))  # noqa: E731
    assert answer(objects, a_model(), cluster, progress) == alone
    assert not cluster.lost
    assert seen[-1][:2] == (len(alone.splitlines()),) * 2
    assert seen[0][2] == 1 and not list((root / "scratch").iterdir())  # parts lie in one folder, which goes


FILES = {
    "a": INPUT,
    "b": "",
    "c": " \n\t\n",
    "d": LINES[0],
    "e": "\r\n".join(LINES),
    "f/d": f"{LINES[1]}\n{{",
    **{f"g{number}": LINES[number] for number in range(9)},
}


@pytest.mark.parametrize("taken", [99, 7, 0])
def test_files_are_asked_one_beside_the_other_and_each_is_that_of_one_machine(root, objects, taken):
    for name, text in FILES.items():
        objects.put("bucket", f"many/{name}", text.encode())
    client = FailingClient(taken)
    found = []
    for output, cluster in (("alone", None), ("spread", of(client, root, objects))):
        batch.run(
            BatchSpec("job", "s3://bucket/many/", f"s3://bucket/{output}/"),
            objects=objects,
            model=a_model(),
            facts=RECIPES["aws-user-personalization"],
            spread=cluster,
        )
        stored = objects.list("bucket", f"{output}/")
        found.append(
            {info.key.removeprefix(output): (read(objects, info.key), info.details.checksum) for info in stored}
        )
    assert found[0] == found[1]
    assert len(found[0]) == len(FILES) + len(["_CHECK"])
    assert cluster.lost == (taken < 99)
    assert client.most_at_once <= 4  # of one thread
    if not cluster.lost:
        assert client.most_at_once == 4  # though no file of one line has as many


def test_the_object_is_as_if_it_were_uploaded_in_parts(root, objects):
    objects.put("bucket", "in/users.json", "\n".join(LINES).encode())
    text = answer(objects, a_model(), of(FailingClient(3), root, objects))
    info = objects.head("bucket", "out/users.json.out")
    parts = info.details.part_sizes
    assert sum(parts) == info.size == len(text) and len(parts) > 4
    ends = list(itertools.accumulate(parts))
    digests = [hashlib.md5(text[end - size : end]).digest() for end, size in zip(ends, parts, strict=True)]
    assert info.etag == f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(parts)}"
    assert not list(verifying.faults(root / "objects", sqlite3.connect(root / "objects" / "objects.sqlite"), None))
    objects.put("bucket", "in/users.json", LINES[0].encode())
    text = answer(objects, a_model(), of(FailingClient(9), root, objects))
    info = objects.head("bucket", "out/users.json.out")
    assert (info.etag, info.details.part_sizes) == (hashlib.md5(text).hexdigest(), ())


def test_input_that_is_replaced_meanwhile_is_answered_as_it_was(root, objects):
    alone = answer(objects, a_model())
    client = FailingClient(99)
    submitted = client.submit

    def submit(*arguments, **names):
        if len(client.names) == 2:
            objects.put("bucket", "in/users.json", b'{"userId":"another"}\n' * 200)
        return submitted(*arguments, **names)

    client.submit = submit
    cluster = of(client, root, objects)
    assert answer(objects, a_model(), cluster) == alone
    assert cluster.lost


def test_a_worker_computes_with_the_threads_that_it_was_given(dask_client, root, objects):
    class CountingModel(type(a_model())):
        def rank(self, queries):
            from personalize_nb.local.recipes.compiled import workers

            return super().rank(replace(queries, users=[f"{user}-{workers()}" for user in queries.users]))

    objects.put("bucket", "in/users.json", "\n".join(LINES).encode())
    rows = answer(objects, CountingModel(), of(dask_client, root, objects)).splitlines()
    first = {json.loads(row)["output"]["recommendedItems"][0].split("-")[1] for row in rows}
    assert first == {"1"}  # of each, whatever processors the machine has


def test_a_lost_workers_block_is_repeated(dask_client, root, objects, tmp_path):
    alone = answer(objects, a_model())
    cluster = of(dask_client, root, objects)
    strike = dask_cluster.killing_once(str(tmp_path / "struck"))
    assert answer(objects, a_model(strike), cluster) == alone
    assert (tmp_path / "struck").exists() and not cluster.lost


class FailingClient:
    """A cluster that takes some tasks, and is gone."""

    def __init__(self, taken):
        self.left = taken
        self.names = []
        self.under_way = self.most_at_once = 0

    def nthreads(self):
        return {"worker": 1}

    def submit(self, function, *arguments, key, pure):
        self.names.append(key)
        if not self.left:
            raise OSError("the scheduler is gone")
        self.left -= 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)

        def result(timeout):
            self.under_way -= 1
            return function(*arguments)

        return SimpleNamespace(result=result)

    def cancel(self, futures):
        raise OSError("the scheduler is gone")


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_what_a_lost_cluster_leaves_is_answered_here(taken, root, objects):
    alone = answer(objects, a_model())
    client = FailingClient(taken)
    cluster = of(client, root, objects)
    assert answer(objects, a_model(), cluster) == alone
    assert cluster.lost and len(client.names) == taken + 1
    assert all(name.startswith("batch-answer-lines-") for name in client.names)


def test_a_cluster_without_workers_is_given_up_and_a_job_can_be_ended_meanwhile(root, objects):
    client = FailingClient(9)

    def late(timeout):
        raise TimeoutError

    client.submit = lambda *arguments, **names: SimpleNamespace(result=late)
    client.scheduler_info = lambda: {"workers": {}}
    cluster, told = of(client, root, objects), []
    assert answer(objects, a_model(), cluster, lambda done, total: told.append(done)) == answer(objects, a_model())
    assert cluster.lost and told[0] == 0


@pytest.mark.parametrize("harm", [lambda part: part.unlink(), lambda part: part.write_bytes(b"half")])
def test_a_part_that_does_not_arrive_is_answered_here(harm, root, objects):
    client = FailingClient(99)
    submitted = client.submit

    def submit(function, piece, place, **names):
        future = submitted(function, piece, place, **names)

        def result(timeout):
            written = future.result(timeout)
            if piece.number == 2:
                harm(place.folder / piece.name())
            return written

        return SimpleNamespace(result=result)

    client.submit = submit
    cluster = of(client, root, objects)
    assert answer(objects, a_model(), cluster) == answer(objects, a_model())
    assert cluster.lost


def test_a_cluster_that_is_gone_before_the_first_piece_is_done_without(root, objects):
    client = FailingClient(99)
    client.nthreads = lambda: (_ for _ in ()).throw(OSError("the scheduler is gone"))
    cluster = of(client, root, objects)
    assert answer(objects, a_model(), cluster) == answer(objects, a_model())
    assert cluster.lost and not client.names


def test_a_disk_without_room_ends_the_job_and_not_the_cluster(root, objects, monkeypatch):
    def full(folder, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    answer(objects, a_model())
    cluster = of(FailingClient(99), root, objects)
    monkeypatch.setattr(incoming, "require_room", full)
    with pytest.raises(OSError, match="No space left"):
        answer(objects, a_model(), cluster)
    assert not cluster.lost and not list((root / "scratch").iterdir())


def test_a_model_that_cannot_be_sent_answers_here(root, objects):
    model = a_model()
    model.lock = open(__file__)  # noqa: SIM115  # nobody can send an open file
    with model.lock:
        cluster = of(FailingClient(9), root, objects)
        assert answer(objects, model, cluster) == answer(objects, a_model())
        assert cluster.lost


def test_an_ended_job_leaves_nothing(root, objects):
    class EndedError(Exception):
        pass

    def ended(done, total):
        raise EndedError

    with pytest.raises(EndedError):
        answer(objects, a_model(), of(FailingClient(9), root, objects), ended)
    assert not list((root / "scratch").iterdir())


def test_without_a_scheduler_that_answers_there_is_no_cluster(root, objects, monkeypatch):
    context = SimpleNamespace(root=root, region=REGION, account=ACCOUNT, objects=objects)
    monkeypatch.setattr(spread, "_REACHED", 0.05)
    for address in ("", "tcp://127.0.0.1:9"):
        with spread.connected(address, context) as found:
            assert found is None


def test_a_cluster_is_connected(dask_client, root, objects):
    context = SimpleNamespace(root=root, region=REGION, account=ACCOUNT, objects=objects)
    with spread.connected(dask_client.scheduler.address, context) as found:
        assert answer(objects, a_model(), found) == answer(objects, a_model())
        assert not found.lost


@given(
    st.lists(
        st.sampled_from([*(text.encode() for text in NASTY), b" \t\r", b"\xff ", b"  a\xe9", b"\x0b"]), max_size=40
    ),
    *(st.integers(1, most) for most in (60, 7, 3)),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_pieces_have_the_blocks_of_the_file(lines, chunk, rows, many, mark):
    content = mark + b"\n".join(lines)
    with mock.patch.object(stretches, "CHUNK_BYTES", chunk):
        whole = [block.texts.to_pylist() for block in input_lines.read_lines(io.BytesIO(content), rows)]
        found = []
        for piece in stretches.pieces(io.BytesIO(content), rows * many):
            own = list(input_lines.blocks_of(content[piece.begin :][: piece.size], rows))
            assert sum(len(lines.texts) for lines in own) == piece.lines <= rows * many
            found += [lines.texts.to_pylist() for lines in own]
    assert found == whole


@pytest.mark.parametrize("given", ["127.0.0.1:8786", "http://h:1", "tcp://h", "tcp://user@h:1", 8786, "tcp://h:1 x"])
def test_what_is_no_scheduler_is_refused(given):
    with pytest.raises(LocalServiceError, match="tcp://10.0.0.1:8786"):
        cluster_address.checked(given)


def test_the_address_is_kept_and_taken_away(tmp_path):
    assert cluster_address.kept(tmp_path) == ""
    cluster_address.keep(tmp_path, cluster_address.checked("tls://host:8786"))
    assert cluster_address.kept(tmp_path) == "tls://host:8786"
    cluster_address.keep(tmp_path, "")
    assert cluster_address.kept(tmp_path) == ""
    (tmp_path / cluster_address.FILE).write_text(json.dumps({"scheduler": 7}))
    assert cluster_address.kept(tmp_path) == ""
    assert cluster_address.asked({cluster_address.VARIABLE: " tcp://h:1 "}) == "tcp://h:1"
    assert cluster_address.asked({cluster_address.VARIABLE: " "}) is None
