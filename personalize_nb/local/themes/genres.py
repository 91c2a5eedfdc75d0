"""Category values as English words: which stand before a noun, which are nouns, which are subjects.

"Romance" is "romantic" before a noun, "Sea stories" is a noun by itself, and "Whaling" is what a book is about. The
common values are in `words/genres.txt`; the others are judged by their last word.
"""

from __future__ import annotations

from functools import cache

from personalize_nb.local.themes.lexicon import (
    UNKNOWN,
    genre_table,
    is_place,
    lines_of,
    singular,
    word_class,
    word_list,
)
from personalize_nb.local.themes.text import tokens

TOLD_MEDIA = frozenset({"books", "movies", "albums"})  # what is about something


@cache
def as_modifier(value: str) -> str | None:
    """Return a category value as it stands before a noun ("Romance" as "romantic"), or None."""
    genre = genre_table().get(_plain(value))
    if genre is not None:
        return genre.modifier
    words = _capitals(_plain(value)).split()
    if len(words) > 2 or words[-1].lower() in word_list("kinds_of_text"):
        return None
    return " ".join([*words[:-1], singular(words[-1]) if len(words) > 1 else words[-1]])


@cache
def as_head(value: str) -> str | None:
    """Return a category value as a plural noun ("Comedy" as "comedies"), or None."""
    genre = genre_table().get(_plain(value))
    if genre is not None:
        return genre.head
    last = _plain(value).split()[-1]
    if last in word_list("kinds_of_text"):
        return _capitals(_plain(value))
    ending = genre_table().get(last)
    if (
        ending is not None
        and " " in _plain(value)
        and (ending.head or (ending.modifier == last and not ending.subject))
    ):
        first = _capitals(_plain(value).rpartition(" ")[0])
        return f"{first} {ending.head or last}"  # "paranormal romances", "urban fantasy"
    return None


@cache
def _apostrophes() -> dict[str, str]:
    """Return the possessives that people write without their apostrophe."""
    forms = (line.split()[1:] for line in lines_of("audiences") if line.startswith("en "))
    return {word: form for word, form in forms if form.replace("'", "") == word and form != word}


def _is_common(word: str) -> bool:
    """Tell whether a word is one of the language and no name."""
    lower = word.lower()
    known = word_class(singular(lower)) != UNKNOWN or lower in word_list("stop") or _is_gerund(lower)
    return known and lower not in word_list("proper") | word_list("holidays") | word_list("acronyms")


def _is_gerund(lower: str) -> bool:
    stem = lower.removesuffix("ing")
    return stem != lower and (word_class(stem) != UNKNOWN or word_class(f"{stem}e").verb > 0)


def _capitals(text: str) -> str:
    """Return lower-case words with the capitals and apostrophes that English gives them."""
    proper = word_list("proper") | word_list("holidays")
    words = [_apostrophes().get(word, word.capitalize() if word in proper else word) for word in text.split()]
    return " ".join(words)


@cache
def _plain(value: str) -> str:
    return " ".join(value.replace("_", " ").lower().split())


@cache
def is_genre(value: str) -> bool:
    """Tell whether a category value is one of the common ones."""
    return _plain(value) in genre_table()


@cache
def is_subject(value: str, medium: str) -> bool:
    """Tell whether a category value names what an item is about rather than what it is."""
    return medium in TOLD_MEDIA and _plain(value) not in genre_table() and as_head(value) is None


@cache
def as_subject(value: str, medium: str) -> str | None:
    """Return a category value as it stands after "about", without a capital unless it is a name; None where it cannot.

    Examples
    --------
    >>> as_subject("City life", "books"), as_subject("American frontier", "books"), as_subject("New Orleans", "books")
    ('city life', 'the American frontier', 'New Orleans')
    >>> as_subject("Sea stories", "books"), as_subject("Satire", "books"), as_subject("Kitchen", "picks")
    ('the sea', None, None)
    """
    if medium not in TOLD_MEDIA:
        return None
    known = genre_table().get(_plain(value))
    if known is not None:
        return known.subject
    if not is_subject(value, medium):
        return None
    words = value.replace("_", " ").split()
    if len(words) > 1 and words[-1] in word_list("definite"):
        return f"the {' '.join(words)}"
    if is_place(" ".join(words).lower()):
        return " ".join(words)
    if any(word[0].isupper() for word in words[1:]) and not all(map(_is_common, words)):
        return " ".join(words)
    if len(words) > 1 and all(word[0].isupper() and _is_common(word) for word in words):
        return _capitals(" ".join(words).lower())
    first = words[0].lower()
    if _is_common(first):
        return " ".join([words[0].lower(), *words[1:]])
    return " ".join(words)


@cache
def subject_key(written: str) -> str:
    """Return the singular lower-case form under which texts mention a subject that a theme writes so."""
    *words, last = tokens(written.removeprefix("the "))
    return " ".join([*(token.lower for token in words), last.lemma])
