"""What the category values of a catalogue are: kinds of items, audiences, formats, places, times, attributes.

It is decided once for a catalogue, by the class of the words, by how columns lie in each other, and by what items are
called. Only a kind makes the head of a theme; the deeper of two kinds says more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from personalize_nb.local.themes.cells import VOWELS
from personalize_nb.local.themes.languages import ENGLISH, english_plural, language_of_values, plural_of
from personalize_nb.local.themes.lexicon import (
    PERSON,
    UNCOUNTED,
    UNKNOWN,
    is_place,
    lines_of,
    plural,
    singular,
    word_class,
    word_list,
)

KIND, AUDIENCE, FORMAT, PLACE, TIME, ATTRIBUTE, REST = (
    "kind",
    "audience",
    "format",
    "place",
    "time",
    "attribute",
    "rest",
)
COLOUR, MATERIAL = "colour", "material"
WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
UNCLEAN = re.compile(r"\s-\s|[:(){}\[\]*#\"]")
CENTURY = re.compile(r"\b\d{1,2}(st|nd|rd|th) century\b|\b\d{3,4}s?\b")
SUBSTANCE = "y"
ADJECTIVE = 5
MAX_WORDS, MOST_WORDS = 5, 7
THINGS = frozenset("dpr")  # things, people, plants
UNCOUNTED_ENDINGS = ("wear", "ware", "ing", "ry", "age", "gear")
PARTS = re.compile(r"\s*(?:&|/|,|\band\b)\s*")
INSIDE = 0.95  # of the rows, how many have the parent that their value mostly has
NEVER_INSIDE = 0.85  # a parent that so much of the catalogue has proves nothing
LEAST_SUPPORT = 4.0  # items per value of a column that says what items are
MOSTLY, STUFF = 0.5, 0.4
FLAT, DEEPER, SPOKEN, IN_PLURAL, LEAST_SPOKEN = 0.4, 0.25, 0.3, 0.2, 0.15
# where items are called by a value of theirs, one by which none is called says less of what it is
USUALLY, STRANGE, STRANGER = 0.25, 0.05, 0.6
STEM = 4  # letters in which a value's word and a word of a name agree


@dataclass(frozen=True)
class Facet:
    """What a category value is, and how a theme writes it.

    `noun` is the plural noun phrase of a kind, "" for other roles; `quality` says how surely the value is what its
    items are, from 0 to about 1; `modifier` is how it stands before a noun, where it can.
    """

    role: str
    noun: str = ""
    modifier: str = ""
    quality: float = 0.0
    language: str = ENGLISH


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical column: its name and the values of each item."""

    name: str
    cells: Sequence[Sequence[str]]


def classed(
    columns: Sequence[CategoryColumn], names: Sequence[str], language: str, written_small: Mapping[str, int]
) -> dict[str, Facet]:
    """Return what each category value of a catalogue is.

    Parameters
    ----------
    columns
        The categorical columns.
    names
        What the items are called, in the same order.
    language
        The catalogue's language.
    written_small
        How often its texts write a word without a capital.
    """
    stems = [frozenset(_stems(name)) for name in names]
    deeper, parent = _nested(columns)
    facets: dict[str, Facet] = {}
    layered = any(deeper)
    said = [_spoken(column, stems) for column in columns]
    usual = max((_mean(spoken, column) for spoken, column in zip(said, columns, strict=True)), default=0.0)
    for place, column in enumerate(columns):
        counts = Counter(value for cell in column.cells for value in cell)
        if not counts:
            continue
        own = language_of_values(sorted(counts), language)
        roles = {value: _role(value, own) for value in sorted(counts)}
        if Counter(roles.values())[PLACE] <= MOSTLY * len(roles):  # "Jersey" among fabrics is no island
            roles = {value: KIND if role == PLACE else role for value, role in roles.items()}
        role, spoken = _role_of_column(roles, counts), said[place]
        plurals = sum(counts[value] for value in counts if roles[value] == KIND and _is_plural(value, own))
        kinds = sum(counts[value] for value in counts if roles[value] == KIND)
        many, shouted = plurals > MOSTLY * kinds, sum(map(str.isupper, counts)) > MOSTLY * len(counts)
        small = counts.total() < LEAST_SUPPORT * len(counts) and len(names) > LEAST_SUPPORT * LEAST_SUPPORT
        for value in roles:
            if role == KIND and roles[value] in (KIND, PLACE, MATERIAL) and not small:
                quality = (FLAT + DEEPER * deeper[place] + SPOKEN * spoken[value]) + IN_PLURAL * many
                quality *= STRANGER if usual >= USUALLY and spoken[value] < STRANGE else 1
                found = Facet(
                    KIND, _noun(value, own, many, shouted, written_small), "", round(max(quality, 0.1), 4), own
                )
            elif COLOUR in (role, roles[value]) or (role == MATERIAL and roles[value] in (KIND, MATERIAL)):
                found = Facet(COLOUR if COLOUR in (role, roles[value]) else role, "", _plain_modifier(value), 0.0, own)
            elif roles[value] == AUDIENCE:
                found = Facet(AUDIENCE, "", _for_whom(value, own), 0.0, own)
            else:
                found = Facet(roles[value] if roles[value] != KIND or role == KIND else role, "", "", 0.0, own)
            loose = layered and not deeper[place] and not parent[place] and spoken[value] < LEAST_SPOKEN
            loose |= usual >= USUALLY and not parent[place] and _mean(spoken, column) < STRANGE
            if found.role == KIND and (small or loose):
                found = Facet(KIND, language=own)
            if value not in facets or found.quality > facets[value].quality:
                facets[value] = found
    return facets


def _plain_modifier(value: str) -> str:
    """Return a colour or material before a noun; names of fabrics and several at once stay away."""
    return value.lower() if value.isalpha() and not any(letter.isupper() for letter in value[1:]) else ""


def _stems(text: str) -> list[str]:
    return [singular(word.lower())[:6] if len(word) > STEM else word.lower() for word in WORD.findall(text)]


def _nested(columns: Sequence[CategoryColumn]) -> tuple[list[int], list[bool]]:
    """Return for each column in how many others its values lie, and whether others lie in it.

    A column lies in another where each of its values has one parent, and parents are fewer.
    """
    single = [
        [cell[0] if cell else "" for cell in column.cells] if all(len(cell) < 2 for cell in column.cells) else None
        for column in columns
    ]
    depth, parent = [0] * len(columns), [False] * len(columns)
    for inner, values in enumerate(single):
        for outer, parents in enumerate(single):
            if values is not None and parents is not None and inner != outer and _lies_in(values, parents):
                depth[inner] += 1
                parent[outer] = True
    return [min(found, 2) for found in depth], parent


def _lies_in(values: Sequence[str], parents: Sequence[str]) -> bool:
    pairs = Counter((value, parent) for value, parent in zip(values, parents, strict=True) if value and parent)
    total = pairs.total()
    inside, outside = Counter[str](), Counter[str]()
    best: dict[str, int] = {}
    for (value, parent), count in pairs.items():
        inside[value] += count
        outside[parent] += count
        best[value] = max(best.get(value, 0), count)
    if not total or len(outside) >= len(inside) or len(outside) < 2 or max(outside.values()) > NEVER_INSIDE * total:
        return False
    return sum(best.values()) >= INSIDE * total and total >= LEAST_SUPPORT * len(inside)


def _spoken(column: CategoryColumn, stems: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return for each value how many of its items are called by its last word, or in other languages its first."""
    said: Counter[str] = Counter()
    borne: Counter[str] = Counter()
    ends: dict[str, set[str]] = {}
    for cell, called in zip(column.cells, stems, strict=True):
        for value in cell:
            if value not in ends:
                words = [stem for part in re.split(r" & |/| and ", value) for stem in _ends(_stems(part))]
                ends[value] = set(words)
            borne[value] += 1
            said[value] += bool(ends[value] & called)
    return {value: said[value] / borne[value] for value in borne}


def _mean(spoken: Mapping[str, float], column: CategoryColumn) -> float:
    counts = Counter(value for cell in column.cells for value in cell)
    return sum(spoken[value] * counts[value] for value in counts) / max(counts.total(), 1)


def _ends(words: list[str]) -> list[str]:
    return [words[0], words[-1]] if words else []


def _role_of_column(roles: Mapping[str, str], counts: Mapping[str, int]) -> str:
    """Return what most values of a column are, by how many values and by how many items."""
    weight: Counter[str] = Counter()
    for value, role in roles.items():
        weight[role] += 1 + len(roles) * counts[value] / max(sum(counts.values()), 1)  # type: ignore[assignment]
    best = min(weight, key=lambda role: (-weight[role], role))
    if weight[MATERIAL] + weight[ATTRIBUTE] > STUFF * sum(weight.values()) and weight[MATERIAL] > weight[ATTRIBUTE]:
        return MATERIAL
    return (
        best
        if weight[best] > MOSTLY * sum(weight.values()) or best == KIND
        else ATTRIBUTE
        if weight[KIND] < weight.total() / 3
        else KIND
    )


@cache
def _audiences() -> dict[tuple[str, str], str]:
    return {(language, word): rest for language, word, rest in (_padded(line) for line in lines_of("audiences"))}


def _padded(line: str) -> tuple[str, str, str]:
    language, word, *rest = line.split()
    return language, word, rest[0] if rest and rest[0] != "-" else ""


def _role(value: str, language: str) -> str:
    """Return what a value is by its words alone."""
    words = [word.lower().replace("’", "'") for word in WORD.findall(value)]
    content = [word for word in words if word not in word_list("stop") and word not in ("für", "pour", "para", "per")]
    if not content:
        return REST
    lower = " ".join(words)
    known = {word for own, word in _audiences() if own in (language, ENGLISH)}
    if all(word in known for word in content):
        return AUDIENCE
    if all(word in word_list("formats") for word in content) or content[-1] in word_list("formats") & {
        "edition",
        "editions",
    }:
        return FORMAT
    if CENTURY.search(lower) or all(word in word_list("times") for word in content):
        return TIME
    if all(word in word_list("colours") for word in content):
        return COLOUR
    if content[-1] in word_list("promotions") or content[0] in word_list("promotions") & {"new", "sale", "best"}:
        return REST
    if UNCLEAN.search(value) or any(_is_cut(word, language) for word in words):
        return REST
    longest = max(len(WORD.findall(part)) for part in PARTS.split(value))
    if (
        longest > MAX_WORDS
        or len(words) > MOST_WORDS
        or any(phrase in lower for phrase in ("other ", "misc", "sonstige", "autres", "otros", "altri", "outros"))
    ):
        return REST
    if language != ENGLISH:
        return PLACE if is_place(lower) else KIND
    return _english_role(words, lower)


def _is_cut(word: str, language: str) -> bool:
    """Tell whether a word is an abbreviation that nobody says: "frzn", "gm"."""
    if "-" in word:
        return any(_is_cut(part, language) for part in word.split("-"))
    if word in word_list("acronyms") or word in word_list("stop") or not word.isascii() or "'" in word:
        return False
    if len(word) < 3:
        return language == ENGLISH  # "de" and "à" are words
    return word_class(word) == UNKNOWN and not VOWELS.intersection(word)


def _english_role(words: Sequence[str], lower: str) -> str:
    last = words[-1]
    if is_place(lower):
        return PLACE
    lemma = singular(last)
    known = word_class(lemma) if word_class(lemma) != UNKNOWN else word_class(last)
    if len(words) == 1 and last in word_list("proper"):
        return ATTRIBUTE
    if len(words) > 1 and last in word_list("acronyms"):  # "World War II", "flat screen TV"
        return KIND
    if known == UNKNOWN:
        verbal = last.endswith(("ed", "ly", "able", "ible"))
        return ATTRIBUTE if verbal else KIND
    if last.endswith("ing") and len(words) == 1 and last == lemma:
        return KIND if known.noun >= ADJECTIVE else ATTRIBUTE
    if known.adjective >= ADJECTIVE and not english_plural(last):
        return ATTRIBUTE
    if known.verb > known.noun and not english_plural(last) and known.noun < (2 if len(words) == 1 else 1):
        return ATTRIBUTE
    if len(words) == 1 and known.kind == SUBSTANCE and known.noun >= ADJECTIVE:
        return MATERIAL
    return KIND


def _is_plural(value: str, language: str) -> bool:
    if language == ENGLISH:
        return english_plural(value.split()[-1].lower())
    return value.rstrip().lower().endswith(("s", "x", "en", "i"))


def _for_whom(value: str, language: str) -> str:
    """Return how an audience stands before an English noun ("women's"); in other languages the value as it is."""
    words = [word.lower().replace("’", "'") for word in WORD.findall(value)]
    if language != ENGLISH and not any((ENGLISH, word) in _audiences() for word in words):
        return value
    written = [_audiences().get((ENGLISH, word), "") for word in words]
    return written[0] if len(written) == 1 else ""


def _noun(value: str, language: str, many: bool, shouted: bool, small: Mapping[str, int]) -> str:
    """Return a kind as a plural noun phrase, without capitals but those of names; other languages keep theirs."""
    if language != ENGLISH:
        text = value.capitalize() if value.isupper() and shouted else value
        return text if many else plural_of(text, language)
    parts = PARTS.split(value)
    written = [_phrase(part, many, shouted, small) for part in parts if part]
    if len(written) == 1:
        return written[0]
    return ", ".join(written[:-1]) + f" and {written[-1]}"


def _phrase(value: str, many: bool, shouted: bool, small: Mapping[str, int]) -> str:
    words = value.split()
    spelled = [
        _cased(word, small, shouted and value.isupper(), last=place == len(words) - 1)
        for place, word in enumerate(words)
    ]
    spelled = [_before_noun(word) for word in spelled[:-1]] + spelled[-1:]
    last = spelled[-1]
    kind = word_class(last.lower())
    singular_noun = not english_plural(last.lower()) and (kind.kind not in UNCOUNTED or kind == UNKNOWN)
    counted = kind.kind in THINGS and not last.lower().endswith(UNCOUNTED_ENDINGS)
    if (counted or not many) and singular_noun and last.lower() not in word_list("mass") and last.isalpha():
        spelled[-1] = plural(last) if last.islower() else f"{last}s"
    return " ".join(spelled)


def _before_noun(word: str) -> str:
    """Return a word inside a noun phrase: things stand in the singular before others ("computer accessories")."""
    one = singular(word)
    return one if one != word and word_class(one).kind in THINGS - {PERSON} and word_class(word) == UNKNOWN else word


def _is_verbal(lower: str) -> bool:
    stem = lower.removesuffix("ing").removesuffix("ed")
    return stem != lower and (word_class(stem).verb > 0 or word_class(f"{stem}e").verb > 0)


@cache
def _proper() -> frozenset[str]:
    return word_list("proper") | word_list("holidays")


def _cased(word: str, small: Mapping[str, int], shouted: bool, *, last: bool) -> str:
    """Return a word of a category value as it stands inside a sentence."""
    lower = word.lower()
    if lower in word_list("acronyms") and (shouted or word.isupper() or word[0].isupper()):
        return word if not shouted else word.upper() if not lower.endswith("s") else lower[:-1].upper() + "s"
    if lower in _proper():
        return lower.capitalize()
    if word.isupper() and not shouted and len(word) > 1:
        return word
    if any(letter.isupper() for letter in word[1:]) and not shouted:
        return word
    known = word_class(singular(lower)) != UNKNOWN or word_class(lower) != UNKNOWN or _is_verbal(lower)
    if known or small.get(lower, 0) or last or shouted or word.islower() or "-" in word:
        return "/".join(part for part in lower.split("/"))
    return word


def spread(facets: Mapping[str, Facet], names: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the qualities of category values as an array, and their roles, in the order of their names."""
    found = [facets.get(name, Facet(REST)) for name in names]
    return np.array([facet.quality for facet in found]), tuple(facet.role for facet in found)
