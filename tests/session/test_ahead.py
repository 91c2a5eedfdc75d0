"""Blocks come in order whatever is done ahead of them, few at a time, and nothing goes on when nobody reads on."""

import threading

import pytest

from personalize_nb.session.ahead import ahead, in_order


class Source:
    """Numbers that tell how many were taken, and whether they were let go."""

    def __init__(self, count, fails=None):
        self.taken, self.closed, self._count, self._fails = 0, False, count, fails

    def __iter__(self):
        try:
            for number in range(self._count):
                if number == self._fails:
                    raise OSError("gone")
                self.taken += 1
                yield number
        finally:
            self.closed = True


WAYS = {
    "ahead": lambda source, count: ahead(source, count),
    "in order": lambda source, count: in_order(lambda number: number, source, count),
    "both": lambda source, count: in_order(lambda number: number, ahead(source, count), count),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@ways
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("size", [0, 1, 4, 30])
def test_all_come_in_order(way, count, size):
    source = Source(size)
    assert list(way(source, count)) == list(range(size))
    assert source.closed


@ways
def test_few_are_taken_before_they_are_asked_for_and_none_when_nobody_reads_on(way):
    source = Source(100)
    found = way(source, 3)
    assert source.taken == 0
    assert [next(found), next(found)] == [0, 1]
    found.close()
    taken = source.taken
    assert taken <= 10
    assert source.closed


@ways
@pytest.mark.parametrize("place", [0, 1, 7])
def test_what_fails_fails_where_its_block_would_have_come(way, place):
    source, came = Source(10, place), []
    with pytest.raises(OSError, match="gone"):
        for one in way(source, 3):
            came.append(one)
    assert came == list(range(len(came))) and len(came) <= place
    assert source.closed


def test_several_are_worked_on_at_a_time_and_come_in_order_all_the_same():
    """The first waits for the second: one after the other they would never end."""
    second = threading.Event()

    def work(number):
        if number == 0:
            assert second.wait(60)
        elif number == 1:
            second.set()
        return number

    assert list(in_order(work, range(4), 2)) == [0, 1, 2, 3]


def test_an_error_of_the_work_ends_the_rest():
    source = Source(100)

    def work(number):
        if number == 5:
            raise ValueError("five")
        return number

    with pytest.raises(ValueError, match="five"):
        list(in_order(work, source, 2))
    assert source.taken < 20 and source.closed
