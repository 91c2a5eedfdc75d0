"""Where noun phrases and names stand in a text, and in what company.

There is no tagger: a word's class is WordNet's, and its neighbours tell nouns from verbs and names from sentence
openings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from personalize_nb.local.themes.lexicon import UNKNOWN, word_class, word_list
from personalize_nb.local.themes.text import Token, tokens

NOUN, PAIR, NAME = "noun", "pair", "name"
MAX_NAME_WORDS = 4


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One use of a phrase: its last word as written, and what stands around it.

    `article` is the determiner it has, looking back over its adjectives ("" for none); `described` when adjectives or
    nouns stand between; `previous` is the word right before; `attributive` when it modifies the noun that follows,
    `before_of` when
    "of" follows.
    """

    slot: str
    key: str
    plural: bool
    previous: str
    article: str
    described: bool
    attributive: bool
    before_of: bool


def proper_words(texts: Iterable[str]) -> Callable[[str], bool]:
    """Return a test for words that these texts write with a capital inside sentences."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        for token in tokens(text):
            if not token.opens:
                (capital if token.capital else small)[token.lower] += 1
    return lambda lower: capital[lower] > 3 * small[lower]


def occurrences(found: list[Token], proper: Callable[[str], bool], is_name: bool) -> Iterator[Occurrence]:
    """Yield the phrases of a text, read as tokens.

    Parameters
    ----------
    found
        The tokens of the text.
    proper
        A test from `proper_words`, for words whose own capital says nothing.
    is_name
        Whether the text is an item's name, where every word bears a capital.
    """
    vague = word_list("vague")
    named = [_is_named(token, proper, is_name) for token in found]
    for end, token in enumerate(found):
        if named[end]:
            follows = end + 1 < len(found) and named[end + 1] and not found[end + 1].broken and not token.possessive
            if not follows:
                start = _name_start(found, named, end)
                key = " ".join(part.lower for part in found[start : end + 1])
                yield _occurrence(NAME, key, found, start, end)
        elif _is_noun(token) and not (token.capital and not token.opens and not is_name):
            if token.lemma not in vague and not _is_gerund(token.lemma):
                yield _occurrence(NOUN, token.lemma, found, end, end)
            if end and not token.broken and not named[end - 1] and _is_modifier(found[end - 1]):
                yield _occurrence(PAIR, f"{found[end - 1].lower} {token.lemma}", found, end - 1, end)


def _is_named(token: Token, proper: Callable[[str], bool], is_name: bool) -> bool:
    if not token.capital:
        return False
    capital_speaks = not (token.opens or is_name)
    if token.lower in word_list("stop"):
        return capital_speaks and token.lower in word_list("name_openers")
    return capital_speaks or proper(token.lower) or (is_name and word_class(token.lemma) == UNKNOWN)


def _name_start(found: list[Token], named: list[bool], end: int) -> int:
    start = end
    while start and end - start < MAX_NAME_WORDS - 1:
        if not named[start - 1] or found[start].broken or found[start - 1].possessive:
            break
        start -= 1
    return start


def _occurrence(slot: str, key: str, found: list[Token], start: int, end: int) -> Occurrence:
    """Look around the words from `start` to `end`."""
    token = found[end]
    after = found[end + 1] if end + 1 < len(found) and not found[end + 1].broken else None
    before = found[start - 1] if start and not found[start].broken else None
    place, reach = start - 1, before
    while reach is not None and _describes(reach) and start - place < 3:
        reach = found[place - 1] if place and not found[place].broken else None
        place -= 1
    article = "" if reach is None else "'s" if reach.possessive else reach.lower
    return Occurrence(
        slot=slot,
        key=key,
        plural=token.lower != token.lemma,
        previous="" if before is None else before.lower,
        article=article,
        described=before is not None and _describes(before),
        attributive=after is not None and word_class(after.lemma).noun >= 6 and after.lower not in word_list("stop"),
        before_of=after is not None and after.lower == "of",
    )


def _describes(token: Token) -> bool:
    if token.possessive or token.lower in word_list("stop") - word_list("name_openers"):
        return False
    known = word_class(token.lower)
    return known.adjective >= 4 or known.noun >= 6 or token.lower in word_list("name_openers")


def _is_noun(token: Token) -> bool:
    if token.lower in word_list("stop") or token.lemma in word_list("stop") or len(token.lemma) < 3:
        return False
    known = word_class(token.lemma)
    return known.noun >= 3 and known.adjective < 4 and not (token.lemma.endswith("ed") and len(token.lemma) > 5)


def _is_gerund(lemma: str) -> bool:
    """Tell "leaving" from "wedding": a verb's -ing that the list of mass nouns does not allow as a theme."""
    if not lemma.endswith("ing") or lemma in word_list("mass"):
        return False
    return word_class(lemma[:-3]).verb > 0 or word_class(lemma[:-3] + "e").verb > 0


def _is_modifier(token: Token) -> bool:
    if token.possessive or token.capital or len(token.lower) < 3 or token.lower in word_list("stop"):
        return False
    known = word_class(token.lower)
    return known.adjective >= 4 or (known.noun >= 6 and token.lower == token.lemma)
