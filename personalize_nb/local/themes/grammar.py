"""The grammar of a theme: head, complement, setting, maker, period, with the articles and conjunctions between.

[modifier] head [about X [and Y]] [set in Z] | [by maker] | [from the period] | [for fans of name]
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

from personalize_nb.local.themes.genres import as_head, as_modifier
from personalize_nb.local.themes.lexicon import singular, word_class
from personalize_nb.local.themes.occurrences import NAME
from personalize_nb.local.themes.phrases import Phrase

QUOTABLE = re.compile(r"[^\W\d_][\w'’&\- ]*[\w]")
LIKABLE = re.compile(r"[^\W_][\w'’&,./\- ]*[\w]")  # what may stand at the end of a theme, if nothing better is left
MAX_NAME_WORDS = 4
MAX_HEAD_WORDS = 3
ADJECTIVE = 5  # tenths of its uses that make a word an adjective
ECHO = 4  # letters that make two words echo each other
PERIOD_SHARE, FIRST_DECADE = 0.7, 1800
HEAD_ORDER = (
    "thrillers",
    "westerns",
    "documentaries",
    "dramas",
    "comedies",
    "musicals",
    "adventures",
    "mysteries",
    "romances",
    "children's books",
)
MODIFIER_ORDER = ("war", "family", "action", "fantasy", "sci-fi", "crime", "mystery", "thriller", "horror")


@cache
def head(values: tuple[str, ...], medium: str) -> str | None:
    """Return the noun phrase for one or two category values ("romantic comedies", "animated family movies")."""
    if not values:
        return medium
    if len(values) == 1:
        noun = as_head(values[0])
        if noun is not None:
            return noun
        modifier = as_modifier(values[0])
        return f"{modifier} {medium}" if modifier else None
    for first, second in sorted((tuple(values), tuple(values[::-1])), key=lambda pair: _head_rank(as_head(pair[1]))):
        modifier, noun = as_modifier(first), as_head(second)
        if modifier and noun and not _overlap(modifier, noun):
            return _before(modifier, noun)
    modifiers = sorted((modifier for modifier in map(as_modifier, values) if modifier), key=_modifier_rank)
    if len(modifiers) == 2 and not _overlap(*modifiers):
        return f"{' '.join(modifiers)} {medium}"
    return None


@cache
def either(values: tuple[str, ...], medium: str) -> str | None:
    """Return a noun phrase for items of two kinds ("romances and satires", "historical and religious books")."""
    nouns, modifiers = [as_head(value) for value in values], [as_modifier(value) for value in values]
    if all(nouns):
        written = f"{nouns[0]} and {nouns[1]}"
    elif all(modifiers):
        written = f"{modifiers[0]} and {modifiers[1]} {medium}"
    else:
        return None
    return None if written.count(" and ") > 1 or _overlap(*written.split(" and ")) else written


def before(subject: Phrase, noun: str) -> str | None:
    """Return a noun with a subject before it ("city life satires"), or None where that would be a heap of words."""
    written = subject.text.removeprefix("the ")
    written = subject.key if written[0].islower() else written
    short = len(written.split()) + len(noun.split()) <= MAX_HEAD_WORDS
    return f"{written} {noun}" if short and " and " not in written and not echoes(noun, subject) else None


def _before(modifier: str, noun: str) -> str:
    """Put a modifier before a noun, but behind the noun's own adjective: "historical war novels"."""
    own, _, last = noun.rpartition(" ")
    if own and word_class(own).adjective >= ADJECTIVE > word_class(modifier).adjective:
        return f"{own} {modifier} {last}"
    return f"{modifier} {noun}"


def _head_rank(noun: str | None) -> tuple[int, str]:
    """Order nouns by how well they end a pair: "romantic comedies", not "comedy romances"."""
    place = HEAD_ORDER.index(noun) if noun in HEAD_ORDER else HEAD_ORDER.index("mysteries")
    return place, noun or ""


def _modifier_rank(modifier: str) -> tuple[int, int, str]:
    """Adjectives first, then the order in which English stacks genres: "animated family", "action horror"."""
    last = len(MODIFIER_ORDER)
    place = MODIFIER_ORDER.index(modifier) if modifier in MODIFIER_ORDER else last
    return int(word_class(modifier).adjective < ADJECTIVE), place, modifier


def _overlap(left: str, right: str) -> bool:
    stem = {singular(word)[:5] for word in left.replace("-", " ").split()}
    return bool(stem & {singular(word)[:5] for word in right.replace("-", " ").split()})


def compose(noun: str, subjects: Sequence[Phrase] = (), setting: Phrase | None = None) -> str:
    """Return a theme in sentence case.

    Examples
    --------
    >>> compose("crime thrillers", [Phrase("cop", "cops", "noun", True), Phrase("gangster", "gangsters", "noun", True)])
    'Crime thrillers about cops and gangsters'
    """
    text = noun
    if subjects:
        text += f" {subjects[0].link} " + " and ".join(phrase.text for phrase in _in_order(subjects))
    if setting is not None:
        text += f" set in {setting.text}"
    return sentence_case(text)


def _in_order(subjects: Sequence[Phrase]) -> list[Phrase]:
    """Put the short one first: "cops and serial killers" cannot be misread."""
    return sorted(
        subjects, key=lambda phrase: (phrase.slot == NAME, phrase.text.count(" "), len(phrase.text), phrase.text)
    )


def sentence_case(text: str) -> str:
    """Return the text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def periods_of(years: Sequence[int]) -> list[tuple[str, int, int]]:
    """Return the decade, two decades or century that seven in ten of the years share, as (text, first year, end)."""
    known = sorted(year for year in years if year > 0)
    least = max(3, PERIOD_SHARE * len(years))
    found = []
    for span, reach, write in ((10, 10, "the {}s".format), (10, 20, _two_decades), (100, 100, _century)):
        starts = sorted({year // span * span for year in known})
        counts = [bisect_left(known, start + reach) - bisect_left(known, start) for start in starts]
        best = max(range(len(starts)), key=lambda place: (counts[place], -place), default=None)
        if best is not None and counts[best] >= least and (span == 100 or starts[best] >= FIRST_DECADE):
            found.append((write(starts[best]), starts[best], starts[best] + reach))
            if reach == 10:
                return [*found, *_centuries(known, least)]
    return found


def _centuries(known: Sequence[int], least: float) -> list[tuple[str, int, int]]:
    return [
        (_century(start), start, start + 100)
        for start in sorted({year // 100 * 100 for year in known})
        if bisect_left(known, start + 100) - bisect_left(known, start) >= least
    ]


def _two_decades(start: int) -> str:
    return f"the {start}s and {start + 10}s"


def _century(start: int) -> str:
    number = start // 100 + 1
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"the {number}{ending} century"


def for_fans(noun: str, name: str) -> str | None:
    """Return "… for fans of <name>", or None for a name that does not read well inside a sentence."""
    short = name.partition(": ")[0]
    return f"{noun} for fans of {short}" if _quotable(noun, short) and len(short.split()) <= MAX_NAME_WORDS else None


def like(noun: str, name: str) -> str | None:
    """Return "… like <name>", which leaves room for a longer name than "for fans of" does."""
    short = name.partition(": ")[0]
    return f"{noun} like {short}" if _quotable(noun, short, LIKABLE) else None


def _quotable(noun: str, name: str, pattern: re.Pattern[str] = QUOTABLE) -> bool:
    last = singular(noun.rsplit(" ", 1)[-1])
    return pattern.fullmatch(name) is not None and last not in map(singular, name.lower().split())


def echoes(noun: str, phrase: Phrase) -> bool:
    """Tell whether a phrase repeats a word of the head, as in "sci-fi movies about science"."""
    stems = {part[:ECHO] for part in noun.replace("-", " ").split() if len(part) > 2}
    return any(word.startswith(stem) for word in phrase.key.replace("-", " ").split() for stem in stems)
