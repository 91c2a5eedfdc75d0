"""Large transfers show their bytes, whether they end well or not; small ones and silent ones show nothing."""

import io

import pytest

from personalize_nb import errors
from personalize_nb.session import object_writing, progress, s3
from personalize_nb.session.transfers import LEAST, Transfer


class Shown:
    def __init__(self):
        self.lines = []

    def update(self, what, state, done=None, total=None):
        self.lines.append((what, state, done, total))

    def say(self, text):
        raise AssertionError(text)


def test_a_transfer_counts_up_to_all_and_ends_with_its_size_and_time():
    shown, seconds = Shown(), iter((0.0, 100.0))
    with Transfer("upload of 'x'", 40_000_000, shown, clock=lambda: next(seconds)) as transfer:
        transfer.add(25_000_000)
        transfer.add(25_000_000)  # unpacked on its way
    assert shown.lines == [
        ("upload of 'x'", "MB:", 0, 40),
        ("upload of 'x'", "MB:", 25, 40),
        ("upload of 'x'", "MB:", 40, 40),
        ("upload of 'x'", "40.0 MB after 2 min", None, None),
    ]


def test_what_is_stopped_says_where():
    shown = Shown()
    with pytest.raises(errors.ServiceError), Transfer("x", 40_000_000, shown, clock=lambda: 0.0) as transfer:
        transfer.add(10_000_000)
        raise errors.ServiceError("lost")
    assert shown.lines[-1] == ("x", "stopped at 10.0 MB after 0 s", None, None)


@pytest.mark.parametrize(("size", "display"), [(LEAST, None), (LEAST + 1, False)])
def test_small_and_silent_ones_show_nothing(size, display, capsys):
    with Transfer("x", size, display) as transfer:
        transfer.add(size)
    assert capsys.readouterr() == ("", "")


def test_an_upload_in_parts_tells_each_part(session, monkeypatch):
    monkeypatch.setattr(object_writing, "PART", 5 << 20)
    shown, size = Shown(), LEAST + 1
    with progress.showing(shown):
        s3.upload(session, io.BytesIO(bytes(size)), session.location("\u202elarge"))
    assert [done for _, state, done, _ in shown.lines if state == "MB:"] == [0, 5, 10, 15, 16]
    assert shown.lines[-1][1].startswith("16.8 MB after ")
    assert {what for what, *_ in shown.lines} == {"upload of '\\u202elarge'"}  # nothing that a terminal obeys
