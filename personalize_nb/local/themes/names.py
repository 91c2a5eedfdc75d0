"""What the names of goods say that they are, and what of a name may be quoted.

English puts the kind at the end ("Retro Electric Guitar"), Romance languages at the beginning ("Cadre de route HL").
"""

from __future__ import annotations

import re
from functools import cache

from personalize_nb.local.themes.languages import ENGLISH, plural_of
from personalize_nb.local.themes.lexicon import UNKNOWN, plural, singular, word_class, word_list
from personalize_nb.local.themes.text import tokens

TAIL = re.compile(r"\s+[-–—|/]\s*|[,;:(\[]|\b(?:by|for|with|in|of)\b")
VARIANT = re.compile(r"\s+[-–—|/]\s|[,;:(\[]")
MEASURE = re.compile(r"\b\d[\d.,/]*[ -]([^\W\d_]+)(?=[^a-zA-Z]*(?:\S*\d\S*)?[^\d]*$)")
NO_THINGS = frozenset("euvwz")  # attributes, quantities, relations, shapes, times: no kind of thing
ROMANCE = frozenset({"fr", "es", "pt", "it"})
OF = frozenset({"de", "da", "do", "di", "à", "a", "en", "para", "per", "pour", "d"})
LEAST_LETTERS, MAX_PARTS, MAX_NAME = 4, 3, 6
QUOTABLE = re.compile(r"[^\W_][\w'’&+/\- ]*\w")
PLURALS = ("s", "x", "i")


def kinds_in_name(name: str, language: str, maker: str = "") -> tuple[str, ...]:
    """Return the nouns that a name makes its item, longest first; a maker at its beginning is none.

    Examples
    --------
    >>> kinds_in_name("Retro Electric Guitar", "en")
    ('electric guitars', 'guitars')
    >>> kinds_in_name("Cadre de vélo de route HL - rouge, 44", "fr")
    ('Cadres de vélo de route', 'Cadres de vélo', 'Cadres')
    """
    if maker and name.lower().startswith(maker.lower()):
        name = name[len(maker) :]
    if language == ENGLISH:
        return english_kinds(name)
    return _first_nouns(name, language) if language in ROMANCE else ()


def _first_nouns(name: str, language: str) -> tuple[str, ...]:
    words = VARIANT.split(name, maxsplit=1)[0].split()
    if not words or not _is_word(words[0]):
        return ()
    found = [words[0]]
    place = 1
    while (
        place + 1 < len(words) and len(found) < MAX_PARTS and words[place].lower() in OF and _is_word(words[place + 1])
    ):
        found.append(f"{found[-1]} {words[place]} {words[place + 1]}")
        place += 2
    if words[0].endswith(PLURALS):
        return tuple(found[::-1])
    return tuple(plural_of(noun, language) for noun in found[::-1])


def _is_word(word: str) -> bool:
    return word.isalpha() and len(word) >= LEAST_LETTERS - (word[1:].islower()) and not word.isupper()


@cache
def english_kinds(name: str) -> tuple[str, ...]:
    """Return the plural nouns that the end of a product's name makes it, longest first.

    What stands behind a dash, a comma or a bracket, colours and codes are not the name's own end.

    Examples
    --------
    >>> english_kinds("Retro Electric Guitar"), english_kinds("Road Frame - Red, 44")
    (('electric guitars', 'guitars'), ('road frames', 'frames'))
    """
    text = TAIL.split(name, maxsplit=1)[0]
    words = [token.lower for token in tokens(text)]
    while words and (
        words[-1] in word_list("colours") or any(letter.isdigit() for letter in words[-1]) or len(words[-1]) < 3
    ):
        words.pop()
    if not words:
        return ()
    lemma = singular(words[-1])
    measure = MEASURE.search(text)
    if measure is not None and measure[1].lower() == words[-1]:  # "5.1 channel", "12 pack"
        return ()
    if not (word_class(lemma).noun or word_class(words[-1]).noun) or word_class(lemma).kind in NO_THINGS:
        return ()
    last = words[-1] if words[-1] != lemma or lemma in word_list("mass") else plural(lemma)
    before = words[-2] if len(words) > 1 else ""
    fit = before and before not in word_list("stop") and before not in word_list("colours")
    counted = re.search(rf"\d[ -]{re.escape(before)}\b", text, re.IGNORECASE)  # "2 Seat Sofa"
    if fit and not counted and word_class(before) != UNKNOWN and not any(letter.isdigit() for letter in before):
        return _shown(f"{before} {last}"), _shown(last)
    return (_shown(last),)


def _shown(noun: str) -> str:
    """Return a noun with its acronyms in capitals."""
    known = word_list("acronyms")
    return " ".join(
        word.upper() if word in known and not word.endswith("s") else f"{word[:-1].upper()}s" if word in known else word
        for word in noun.split()
    )


def own_name(name: str) -> str:
    """Return a name without what tells variants apart.

    Examples
    --------
    >>> own_name("Road Frame - Red, 44")
    'Road Frame'
    """
    return VARIANT.split(name, maxsplit=1)[0].strip()


def is_quotable(name: str) -> bool:
    """Tell whether a name reads well inside a title: short, a word in it, at most one number."""
    words = name.split()
    numbers = sum(any(letter.isdigit() for letter in word) for word in words)
    spoken = any(len(word) >= LEAST_LETTERS and word.isalpha() for word in words)
    return QUOTABLE.fullmatch(name) is not None and len(words) <= MAX_NAME and numbers < 2 and spoken
