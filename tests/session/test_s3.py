"""Objects and files are streams of whole lines, also when a connection breaks."""

import io

import pytest
from botocore.exceptions import ResponseStreamingError

from personalize_nb.errors import NotFoundError, ServiceError
from personalize_nb.session import s3


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

    real_init = s3._Body.__init__
    monkeypatch.setattr(s3._Body, "__init__", breaking)
    assert b"".join(s3.line_blocks(session, address, 700)) == text
    assert [arguments[2:3] for arguments in bodies] == [(0,), (1500,), (3000,)]
    told = [record.getMessage() for record in caplog.records if record.name == "personalize_nb.session.s3"]
    assert [text.partition(": GetObject")[0] for text in told] == [
        f"{address} is read on at byte {place}" for place in (1500, 3000)
    ]


def test_a_connection_that_never_works_gives_up(session, address, monkeypatch):
    s3.upload(session, io.BytesIO(b"x\n"), address)

    def dead(body, *arguments):
        real_init(body, *arguments)
        body._body = Breaking(body._body, 0)

    real_init = s3._Body.__init__
    monkeypatch.setattr(s3._Body, "__init__", dead)
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
