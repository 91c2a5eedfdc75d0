"""Objects and files are streams of whole lines, also when a connection breaks."""

import io

import pytest
from botocore.exceptions import ResponseStreamingError

from personalize_nb.errors import NotFoundError, ServiceError
from personalize_nb.session import object_reading, s3


@pytest.fixture
def address(session):
    return session.location("storage", "lines.jsonl")


def test_up_list_read_delete(session, address):
    s3.upload(session, io.BytesIO(b"a\nb\n"), address)
    (found,) = s3.stored(session, session.location("storage") + "/")
    assert (found.address, found.size, found.name) == (address, 4, "lines.jsonl")
    assert b"".join(s3.line_blocks(session, address)) == b"a\nb\n"
    s3.delete(session, [address, address])
    assert s3.stored(session, address) == []


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_blocks_end_with_lines(session, tmp_path, address, size):
    text = b"one\ntwo\n\nthree is longer\nlast without an end"
    (tmp_path / "x").write_bytes(text)
    s3.upload(session, io.BytesIO(text), address)
    for where in (str(tmp_path / "x"), address):
        blocks = list(s3.line_blocks(session, where, size))
        assert b"".join(blocks) == text
        assert all(block.endswith(b"\n") for block in blocks[:-1])


class Breaking:
    """A body that breaks after some bytes."""

    def __init__(self, body, after):
        self.body, self.left = body, after

    def close(self):
        self.body.close()

    def read(self, size):
        if self.left <= 0:
            raise ResponseStreamingError(error="connection reset")
        block = self.body.read(min(size, self.left))
        self.left -= len(block)
        return block


def test_a_broken_connection_goes_on_where_it_was(session, address, monkeypatch, caplog):
    text = b"".join(b"%d\n" % number for number in range(1000))
    s3.upload(session, io.BytesIO(text), address)
    bodies = []

    def breaking(body, *arguments):
        real_init(body, *arguments)
        bodies.append(arguments)
        body._body = Breaking(body._body, 1500)

    real_init = object_reading._Body.__init__
    monkeypatch.setattr(object_reading._Body, "__init__", breaking)
    assert b"".join(s3.line_blocks(session, address, 700)) == text
    assert [arguments[3:4] for arguments in bodies] == [(0,), (1500,), (3000,)]
    told = [record.getMessage() for record in caplog.records if record.name == "personalize_nb.session.object_reading"]
    assert [text.partition(": GetObject")[0] for text in told] == [
        f"{address} is read on at byte {place}" for place in (1500, 3000)
    ]


def test_a_connection_that_never_works_gives_up(session, address, monkeypatch):
    s3.upload(session, io.BytesIO(b"x\n"), address)

    def dead(body, *arguments):
        real_init(body, *arguments)
        body._body = Breaking(body._body, 0)

    real_init = object_reading._Body.__init__
    monkeypatch.setattr(object_reading._Body, "__init__", dead)
    with pytest.raises(ServiceError, match=r"GetObject: .*connection reset.* up to byte 0, in 4 tries. Read it again"):
        list(s3.line_blocks(session, address))


def test_what_is_not_there(session, tmp_path):
    with pytest.raises(NotFoundError, match="GetObject"):
        list(s3.line_blocks(session, session.location("absent.jsonl")))
    with pytest.raises(NotFoundError, match="ListObjectsV2"):
        s3.stored(session, "s3://no-such-bucket-anywhere/x")
    assert s3.stored(session, str(tmp_path / "absent")) == []
    for wrong in ("bucket/key", "s3://", "s3:///key"):
        with pytest.raises(NotFoundError, match="looks like 's3://bucket/folder/file'"):
            s3.split(wrong)


# large objects, in ranges


@pytest.fixture
def small_ranges(monkeypatch):
    """Make ranges small enough that small objects take many."""
    monkeypatch.setattr(object_reading, "RANGE", 1000)
    monkeypatch.setattr(object_reading, "LARGE", 4000)


@pytest.mark.parametrize("size", [3999, 4000, 4001, 10_000, 54_321])
def test_a_large_object_is_read_in_ranges_that_come_in_order(session, address, small_ranges, size):
    text = b"".join(b"%d\n" % number for number in range(size))[:size]
    s3.upload(session, io.BytesIO(text), address)
    asked = []
    session.s3.meta.events.register("before-call.s3.GetObject", lambda params, **_: asked.append(params), "spy")
    found = b"".join(s3.line_blocks(session, address, whole=size))
    session.s3.meta.events.unregister("before-call.s3.GetObject", unique_id="spy")
    assert found == text
    ranges = sorted(int(one["headers"].get("Range", "bytes=0-")[6:].split("-")[0]) for one in asked)
    assert ranges == (list(range(0, size, 1000)) if size >= 4000 else [0])
    tags = [one["headers"].get("If-Match") for one in asked]
    assert tags.count(None) == 1 and len(set(tags)) == (2 if size >= 4000 else 1)


def test_only_a_few_ranges_are_read_ahead(session, address, small_ranges):
    s3.upload(session, io.BytesIO(b"x" * 99 + b"\n" + b"y" * 99_900), address)
    asked = []
    session.s3.meta.events.register("before-call.s3.GetObject", lambda params, **_: asked.append(params), "spy")
    blocks = object_reading.blocks(session, *s3.split(address), 1000, 100_000)
    assert next(blocks).startswith(b"x")
    assert len(asked) <= object_reading.AT_ONCE + 1
    blocks.close()
    assert len(asked) <= object_reading.AT_ONCE + 1  # nothing more is asked for when nobody reads on
    session.s3.meta.events.unregister("before-call.s3.GetObject", unique_id="spy")


def test_each_range_goes_on_where_its_connection_broke(session, address, small_ranges, monkeypatch):
    text = b"".join(b"%d\n" % number for number in range(3000))
    s3.upload(session, io.BytesIO(text), address)
    bodies = []

    def breaking(body, *arguments):
        real_init(body, *arguments)
        bodies.append(arguments[3:5])
        body._body = Breaking(body._body, 700)

    real_init = object_reading._Body.__init__
    monkeypatch.setattr(object_reading._Body, "__init__", breaking)
    assert b"".join(s3.line_blocks(session, address, whole=len(text))) == text
    assert (2700, 3000) in bodies and (2000, 3000) in bodies


@pytest.mark.parametrize("whole", [None, 100_000])
def test_an_object_that_is_written_over_meanwhile_is_told(session, address, small_ranges, monkeypatch, whole):
    s3.upload(session, io.BytesIO(b"x" * 99_999 + b"\n"), address)
    real_init = object_reading._Body.__init__

    def breaking(body, *arguments):
        real_init(body, *arguments)
        body._body = Breaking(body._body, 700)

    monkeypatch.setattr(object_reading._Body, "__init__", breaking)
    blocks = object_reading.blocks(session, *s3.split(address), 500, whole)
    next(blocks)
    s3.upload(session, io.BytesIO(b"y" * 100_000), address)
    with pytest.raises(ServiceError, match=f"{address} was written over while it was read") as told:
        list(blocks)
    assert told.value.code == "PreconditionFailed" and told.value.__cause__ is not None
