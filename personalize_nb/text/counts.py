"""Counts with their noun, so that nobody reads "1 rows"; and durations in words."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a count and its noun.

    Parameters
    ----------
    number
        How many.
    noun
        The noun of one.
    plural
        The noun of several, where it is more than one with an `s`.

    Examples
    --------
    >>> counted(1, "row"), counted(1250, "row"), counted(2, "entry", "entries")
    ('1 row', '1,250 rows', '2 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def verb(number: int, one: str, several: str) -> str:
    """Return the form of a verb that fits a count.

    Examples
    --------
    >>> verb(1, "is", "are"), verb(0, "is", "are")
    ('is', 'are')
    """
    return one if number == 1 else several


def spoken(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> spoken(45), spoken(750), spoken(7500)
    ('45 s', '12 min', '2 h 5 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{minutes} min" if not hours else f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(count: int) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> size(1), size(999), size(1_250_000)
    ('1 byte', '999 bytes', '1.2 MB')
    """
    if count < 1000:
        return counted(count, "byte")
    power = next(one for one in (1, 2, 3, 4) if one == 4 or round(count / 1000**one, 1) < 1000)
    return f"{count / 1000**power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"
