"""Would a shop publish this title? One check for each fault that readers find, each with its reason in words.

The thresholds were chosen on half of the titles that `benchmarks/themes` keeps with a reader's verdict; how far the
checks agree with the other half is told there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from personalize_nb.results.theme_words import (
    AND,
    ENGLISH,
    ENGLISH_NO_KIND,
    FORMATS,
    FUNCTION,
    MEDIA,
    MISSING,
    MORE,
    NO_KIND,
    PLURAL_FIRST,
    PREPOSITIONS,
    is_adjective,
    is_counted,
    is_known,
    is_noun,
    is_plural,
    lemma,
    root,
    words,
)
from personalize_nb.text.counts import verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from personalize_nb.results.theme_ground import ThemeGround

HEAD_SHARE, MODIFIER_SHARE, SUBJECT_SHARE, EACH_SHARE, PERIOD_SHARE = 0.5, 0.25, 0.3, 0.2, 0.7
LIFT, COHERENT, CLOSE, MEDIUM_SHARE = 1.5, 0.09, 0.04, 0.005
SURE_SHARE, LEAST_FIT, CLOSE_FIT = 0.5, 1.0, 2.0  # standard deviations nearer to the words than the catalogue is

_FANS: Final = re.compile(
    r"\b(?:for (?:the )?fans of|(?<=\w )like|für (?:die )?Fans von|pour (?:les )?fans d(?:e |u |es |')"
    r"|para (?:los )?fans de|para fãs de|per (?:i )?fan di)\b\s*(?P<name>.+)$"
)
_PERIOD: Final = re.compile(
    r"\b(?P<decade>\d{3})0(?:s|er)\b|\b(?P<century>\d\d)(?:st|nd|rd|th) century|\b(?P<year>[12]\d{3})\b"
)
_SIZE: Final = re.compile(r"(?:x{0,4}[sml]|[2-6]xl|x{1,4}s)", re.IGNORECASE)
_TIMES: Final = re.compile(r"\d{3,4}(?:s|er)?|\d{1,2}(?:st|nd|rd|th)")
_SHOUTED: Final = re.compile(r"\b[A-Z]{4,}\W+[A-Z]{4,}\b")
_TELLS_MEDIA: Final = re.compile("genre|director|author|isbn|artist|album|actor|publisher|movie|film|book")
_ENGLISH_FRAME: Final = FUNCTION[ENGLISH] | ENGLISH_NO_KIND | {"fan"}
LONG: Final = 6
_CLASS_NAMES: Final = 3  # words of so few letters are codes where English does not know them


@dataclass(frozen=True)
class JudgedTitle:
    """A title with what it is judged by.

    Attributes
    ----------
    text
        The title.
    seed, members
        Rows of the input item (-1 where the catalogue has it not) and of the group's items.
    ground
        The catalogue.
    """

    text: str
    seed: int
    members: tuple[int, ...]
    ground: ThemeGround

    @cached_property
    def fans_of(self) -> str:
        """The name that a title quotes of an item ("for fans of ..."); empty where it quotes none."""
        return self.text.removeprefix(unquoted(self.text)).strip()

    @cached_property
    def said(self) -> list[str]:
        """The words of a title but for the name that it quotes."""
        return words(self.text.removesuffix(self.fans_of))

    @cached_property
    def _joints(self) -> frozenset[str]:
        return PREPOSITIONS.get(self.ground.language, frozenset()) | PREPOSITIONS[ENGLISH]

    @cached_property
    def head(self) -> list[str]:
        """The words before the first preposition that mean something."""
        part: list[str] = []
        for word in self.said:
            if word.casefold() in self._joints:
                break
            part.append(word)
        return [word for word in part if not self.is_function(word)]

    @cached_property
    def is_value(self) -> bool:
        """Whether a title is a value of the catalogue, and nothing else."""
        return self.ground.plain(self.text) in self.ground.kinds

    @cached_property
    def end(self) -> int:
        """How many words stand before the first preposition."""
        found = (place for place, word in enumerate(self.said) if word.casefold() in self._joints)
        return next(found, len(self.said))

    @cached_property
    def subjects(self) -> list[list[str]]:
        """What follows prepositions, a list of words each; periods and quoted names are judged apart."""
        parts: list[list[str]] = []
        inside = False
        every = self.said if not self.fans_of else self.said[:-2]
        for place, word in enumerate(every):
            small = word.casefold()
            if every[place : place + 2] == ["set", "in"]:
                continue
            if small in self._joints or (inside and small in AND):
                inside = True
                parts.append([])
            elif inside and not self.is_function(word) and not _TIMES.fullmatch(small) and small != "century":
                parts[-1].append(word)
        return [part for part in parts if part]

    def is_function(self, word: str) -> bool:
        """Tell whether a word joins others in the catalogue's language or in English."""
        small = word.casefold()
        return small in FUNCTION[ENGLISH] or small in FUNCTION.get(self.ground.language, frozenset())

    @property
    def in_english(self) -> bool:
        """Whether the rules of English nouns hold."""
        return self.ground.language == ENGLISH

    def share(self, *written: str) -> float:
        """Return the share of the group that uses any of some words; of a compound, all of its parts."""
        roots = {form for word in written for form in (root(word), lemma(word)[:LONG])}  # utopian, utopia
        whole = self.ground.share(sorted(roots), self.members)
        parts = [part for part in written[0].split("-") if part and not self.is_function(part)]
        return whole or min((self.ground.share([root(part)], self.members) for part in parts), default=0.0)


def codes(title: JudgedTitle) -> Iterator[str]:
    """Find codes, sizes and flags: signs of a stock list, no words."""
    for place, word in enumerate(title.said):
        small = word.casefold()
        if _TIMES.fullmatch(small) or (title.is_function(word) and (len(word) > 1 or word.islower() or not place)):
            continue
        if len(word) == 1 and f"{word}." in title.text:
            continue  # an initial
        mixed = any(sign.isdigit() for sign in word)
        short = len(word) <= _CLASS_NAMES and small in title.ground.values
        odd = title.in_english and not is_known(word)
        vowels = title.in_english and word.isascii() and not re.search("[aeiouy]", small) and not word.isupper()
        if len(word) == 1 or _SIZE.fullmatch(word) or mixed or (short and odd) or (vowels and odd):
            yield f"{word!r} is a code"


def missing(title: JudgedTitle) -> Iterator[str]:
    """Find words that stand where a value is missing."""
    for word in title.said:
        if lemma(word) in MISSING and word.casefold() not in FUNCTION.get(title.ground.language, frozenset()):
            yield f"{word!r} stands for no value"


def heads(title: JudgedTitle) -> Iterator[str]:
    """Judge what the title is of: a noun for many things, that the group's items are."""
    if not title.head:
        return
    *modifiers, last = title.head
    kind = lemma(last)
    written = title.ground.plain(title.text)
    if any(lemma(word) in NO_KIND for word in title.head) and (not modifiers or not title.is_value):
        yield "it names no kind of thing"
        return
    if written in title.ground.makers:
        yield "it names who makes the items"
        return
    if title.in_english:
        yield from _noun(title, last)
    if kind in MEDIA:
        told = bool(_TELLS_MEDIA.search(" ".join(title.ground.names)))
        if not told and title.ground.share([root(kind)], range(len(title.ground.rows))) < MEDIUM_SHARE:
            yield f"nothing says that these are {last}"
    elif title.share(last) < HEAD_SHARE:
        yield f"{last!r} is said of {title.share(last):.0%} of the items"
    for word in modifiers:
        if title.share(word) < MODIFIER_SHARE:
            yield f"{word!r} is said of {title.share(word):.0%} of the items"


def _noun(title: JudgedTitle, last: str) -> Iterator[str]:
    """Judge the word class and the number of an English head."""
    kind = lemma(last)
    if is_adjective(last) or not (is_noun(last) or title.is_value):
        yield f"{last!r} is no noun"
    elif is_adjective(kind) and kind in title.ground.values:
        yield f"{last!r} is a quality, no thing"
    elif not is_plural(last) and (is_counted(last) or title.ground.writes_plural(kind)):
        yield f"{last!r} is one, not many"
    before = title.said[title.said.index(last) - 1] if title.said.index(last) else ""
    if before in title.head and before.endswith("s") and is_plural(before) and is_noun(before):
        plain = before.casefold()
        if is_counted(lemma(plain)) and plain not in PLURAL_FIRST:
            yield f"{before!r} stands in the plural before {last!r}"


def breadths(title: JudgedTitle) -> Iterator[str]:
    """Judge whether a title is of one kind, and of the narrowest that the group shares."""
    joints = [place for place, word in enumerate(title.said) if word.casefold() in AND and place < title.end]
    if joints and not title.is_value:
        if lemma(title.said[joints[-1] + 1]) in MORE if joints[-1] + 1 < len(title.said) else False:
            if not (title.in_english and is_plural(title.said[joints[-1] - 1])):
                yield "it names one item and no kind"
        else:
            parts = (title.said[: joints[-1]], title.said[joints[-1] + 1 : title.end])
            if all(title.ground.plain(" ".join(part)) in title.ground.kinds for part in parts):
                yield "it is of two kinds"
    if title.head and not title.subjects and not title.fans_of:
        using = set.intersection(*(title.ground.items_of.get(root(word), set()) for word in title.head))
        said = title.ground.plain(title.text)
        for value in title.ground.narrower(using, title.members):
            meant = title.ground.plain(value)
            if meant < said if joints else root(title.head[-1]) not in meant:
                yield f"all of the items are {value!r}"
                return


def subjects(title: JudgedTitle) -> Iterator[str]:
    """Judge what follows a preposition: a noun that the group bears out and that tells it from the rest."""
    together = title.share(*(part[-1] for part in title.subjects)) if title.subjects else 0.0
    for part in title.subjects:
        last = part[-1]
        if title.in_english and (is_adjective(last) or not is_noun(last)):
            yield f"{last!r} is no noun"
            continue
        if lemma(last) in FORMATS:
            yield f"{last!r} is a format"
            continue
        everywhere = title.ground.share([root(last)], range(len(title.ground.rows)))
        share, fit = title.share(last), title.ground.fit([root(word) for word in part], title.members)
        if (share < EACH_SHARE or together < SUBJECT_SHARE) and fit < CLOSE_FIT:
            yield f"{last!r} is said of {share:.0%} of the items"
        elif share < LIFT * everywhere:
            yield f"{last!r} is said of {everywhere:.0%} of the catalogue"
        elif fit < LEAST_FIT and share < SURE_SHARE and title.ground.plain(" ".join(part)) not in title.ground.kinds:
            yield f"{last!r} is hardly what the items have in common"


def periods(title: JudgedTitle) -> Iterator[str]:
    """Judge whether the items are of the decades, the century or the year that a title names."""
    found = list(_PERIOD.finditer(title.text.removesuffix(title.fans_of)))
    years = [year for year in (title.ground.years[row] for row in title.members) if year]
    spans = []
    for named in found:
        if named["decade"]:
            spans.append((int(named["decade"]) * 10, int(named["decade"]) * 10 + 9))
        elif named["century"]:
            spans.append((int(named["century"]) * 100 - 100, int(named["century"]) * 100 - 1))
        else:
            spans.append((int(named["year"]), int(named["year"])))
    share = sum(any(first <= year <= last for first, last in spans) for year in years) / max(1, len(years))
    if spans and years and share < PERIOD_SHARE:
        yield f"{share:.0%} of the items are from {' and '.join(named.group() for named in found)}"


def languages(title: JudgedTitle) -> Iterator[str]:
    """Find two languages in a title: no English around another, no column's English beside a text's own words."""
    if title.is_value:
        return  # a value alone is in its own language
    own, meant = title.ground.language, [word for word in title.said if not title.is_function(word)]
    if title.in_english:
        strange = [word for word in meant if lemma(word) not in NO_KIND and word.islower() and word.isalpha()]
        strange = [word for word in strange if len(word) > _CLASS_NAMES]
        if len(strange) > 1 and not any(map(is_known, strange)):
            yield f"{' '.join(strange)!r} is not English"
        return
    frame = [word for word in title.said if lemma(word) in _ENGLISH_FRAME and word.casefold() not in FUNCTION[own]]
    if frame:
        yield f"{frame[0]!r} is English, the catalogue is not"
    borrowed = [word for word in meant if lemma(word) not in title.ground.told and is_known(word)]
    if borrowed and any(lemma(word) in title.ground.told for word in meant):
        yield f"{borrowed[0]!r} stands in no text of the catalogue"


def names(title: JudgedTitle) -> Iterator[str]:
    """Find names without their capitals, and shouting."""
    for word in title.said:
        if not word.isupper() and title.ground.is_acronym(word):
            yield f"{word!r} is written in capitals"
    for word in title.said[1:]:
        if word[0].islower() and not title.is_function(word):
            plain = word.removesuffix("'s").removesuffix("’s")
            unheard = title.in_english and not is_known(plain) and title.ground.is_always_capital(plain)
            if title.ground.is_name_in_texts(plain) or unheard:
                yield f"{word!r} is a name"
    if _SHOUTED.search(title.text):
        yield "it is written in capitals"


def fans(title: JudgedTitle) -> Iterator[str]:
    """Judge whether the items are like the one that a title names, and like each other."""
    if not title.fans_of or title.seed < 0:
        return
    if title.ground.likeness_to(title.seed, title.members) < CLOSE:
        yield "the items are not like the one that it names"
    elif title.ground.likeness(title.members) < COHERENT:
        yield "the items have too little in common"


CHECKS: Final[Mapping[str, Callable[[JudgedTitle], Iterator[str]]]] = {
    "codes": codes,
    "missing": missing,
    "head": heads,
    "breadth": breadths,
    "subject": subjects,
    "period": periods,
    "language": languages,
    "names": names,
    "fans": fans,
}


def unquoted(text: str) -> str:
    """Return a title without the name that it quotes of an item.

    Examples
    --------
    >>> unquoted("Dramas for fans of Yi Yi")
    'Dramas for fans of'
    """
    found = _FANS.search(text)
    return text[: found.start("name")].rstrip() if found else text


def key(text: str) -> tuple[str, ...]:
    """Return what titles that say the same have in common: word order, number and form of words do not count.

    Examples
    --------
    >>> key("Romantic stories of the sea") == key("Sea romances and a story")
    True
    """
    every = FUNCTION[ENGLISH] | PREPOSITIONS[ENGLISH]
    return tuple(sorted({root(word) for word in words(text) if word.casefold() not in every})) or (text.casefold(),)


def judge(title: JudgedTitle) -> dict[str, str]:
    """Return the reasons of each check, empty where it finds nothing."""
    return {name: "; ".join(dict.fromkeys(check(title))) for name, check in CHECKS.items()}


def doubled(count: int) -> str:
    """Say how many other groups have a title of the same meaning."""
    return f"{count} other {verb(count, 'group', 'groups')} {verb(count, 'says', 'say')} the same" if count else ""
