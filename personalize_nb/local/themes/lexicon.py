"""What is known of English words before any catalogue is read: word classes, number, and lists of words.

The classes come from WordNet (see `words/NOTICE.txt`), the lists are our own.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Letters of the packed table: lexicographer files 03 to 28 as `a` to `z`.
PERSON, ANIMAL = "p", "c"
COUNTED = frozenset("cdopr")  # animals, things, objects, persons, plants: what is written in the plural
UNCOUNTED = frozenset(
    "egjqstxy"
)  # attributes, thoughts, feelings, phenomena, possessions, processes, states, substances
GROUPLESS = frozenset("fmuvwz")  # body parts, places, quantities, relations, shapes, times: never what a group is about
NO_NOUN = "-"


@dataclass(frozen=True, slots=True)
class WordClass:
    """How far a word is a noun, verb or adjective (tenths), and what kind of thing the noun names."""

    noun: int
    verb: int
    adjective: int
    kind: str


UNKNOWN = WordClass(0, 0, 0, NO_NOUN)


def _read(name: str) -> str:
    return (files(__package__) / "words" / name).read_text(encoding="utf-8")


def lines_of(name: str) -> list[str]:
    """Return the lines of a file in `words/` that are not comments."""
    return [line for line in _read(f"{name}.txt").splitlines() if line and not line.startswith("#")]


@cache
def word_list(name: str) -> frozenset[str]:
    """Return one of the shipped lists in `words/`, by file name; each file says what it is for."""
    return frozenset(word for line in lines_of(name) for word in line.split())


@cache
def phrase_list(name: str) -> frozenset[str]:
    """Return one of the shipped lists that has a phrase a line."""
    return frozenset(lines_of(name))


@cache
def _classes() -> dict[str, str]:
    packed = (files(__package__) / "words" / "classes.txt.gz").read_bytes()
    return dict(line.split("\t") for line in gzip.decompress(packed).decode("ascii").split("\n"))


@cache
def word_class(word: str) -> WordClass:
    """Return the class of a lower-case word; hyphenated words take the class of their last part."""
    code = _classes().get(word)
    if code is None and "-" in word:
        return word_class(word.rsplit("-", 1)[1])
    if code is None or code[3].isupper():
        return UNKNOWN
    return WordClass(int(code[0]), int(code[1]), int(code[2]), code[3])


@cache
def is_place(name: str) -> bool:
    """Tell whether a lower-case name of one to three words is a place that the table knows."""
    return _classes().get(name, NO_NOUN * 4)[3].isupper()


@cache
def _irregular() -> dict[str, str]:
    return dict(line.split() for line in lines_of("plurals"))


@cache
def _irregular_plurals() -> dict[str, str]:
    return {singular: plural for plural, singular in _irregular().items()}


@cache
def singular(word: str) -> str:
    """Return the singular of a lower-case noun, or the word itself where it has no plural ending.

    Examples
    --------
    >>> singular("thieves"), singular("witches"), singular("boss"), singular("ladies")
    ('thief', 'witch', 'boss', 'lady')
    """
    known = _irregular().get(word)
    if known is not None:
        return known
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word_class(word).noun >= 5 and not word_class(word[:-1]).noun:  # "news", "physics"
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    if word.endswith("oes") and word_class(word[:-2]).noun:
        return word[:-2]
    return word[:-1]


@cache
def plural(noun: str) -> str:
    """Return the plural of a lower-case singular noun.

    Examples
    --------
    >>> plural("spy"), plural("witch"), plural("wife"), plural("cop")
    ('spies', 'witches', 'wives', 'cops')
    """
    known = _irregular_plurals().get(noun)
    if known is not None:
        return known
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is", "as", "ns")):  # "clothes", "headquarters"
        return noun
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("man") and not noun.endswith(("human", "german", "shaman", "roman", "talisman")):
        return noun[:-3] + "men"
    return noun + "s"


@dataclass(frozen=True, slots=True)
class Genre:
    """How a category value is written before a noun, as a plural noun, after "about"; None where it has no such use."""

    modifier: str | None
    head: str | None
    medium: str | None
    subject: str | None = None


@cache
def genre_table() -> dict[str, Genre]:
    """Return the shipped spellings of common category values, by lower-case value."""
    table = {}
    for line in lines_of("genres"):
        value, *uses = (cell.strip() for cell in line.split("|"))
        table[value] = Genre(*(use or None for use in uses))
    return table
