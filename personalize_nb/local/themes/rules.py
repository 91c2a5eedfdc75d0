"""The rules every theme must pass, whoever wrote it: form, length, safety, and something true of its items.

A text that breaks a rule is never printed; the maker then takes the generator's next text or falls back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from personalize_nb.local.themes.lexicon import singular, word_class, word_list
from personalize_nb.local.themes.text import tokens

MIN_WORDS, MAX_WORDS, MAX_CHARACTERS = 1, 8, 60
MAX_CONTENT_RUN = 4
DIGIT = re.compile(r"\d")
UNSEEMLY = re.compile(r"[\x00-\x1f\x7f<>{}\[\]|\\`*_#@$%^~=;\"“”]|https?:|www\.|[.!?,:]$|\s\s|^\W")
PERIOD = re.compile(r"\b\d{4}s\b|\b\d{1,2}(st|nd|rd|th)[ -]century\b|\b(1[5-9]|20)\d\d\b")
QUOTED_NAME = re.compile(r"\b(for fans of|like) .+$|^.+ (and more|und mehr|et plus|y más|e mais|e altro)$")


def problems(text: str, item_ids: Collection[str] = ()) -> list[str]:
    """Return what is wrong with a theme, in plain words; an empty list means it may be printed.

    Parameters
    ----------
    text
        The theme.
    item_ids
        Ids that must not be quoted in it.

    Examples
    --------
    >>> problems("Crime thrillers about gangsters")
    []
    >>> problems("Crime thrillers about")
    ['ends with a dangling word: about']
    """
    found = []
    words = text.split()
    if not MIN_WORDS <= len(words) <= MAX_WORDS:
        found.append(f"has {len(words)} words, legal are {MIN_WORDS} to {MAX_WORDS}")
    if len(text) > MAX_CHARACTERS:
        found.append(f"has {len(text)} characters, at most {MAX_CHARACTERS}")
    if UNSEEMLY.search(text):
        found.append("has marks that do not belong in a title")
    if words and words[-1].lower() in word_list("dangling"):
        found.append(f"ends with a dangling word: {words[-1]}")
    if words and words[0][:1].islower():
        found.append("does not start with a capital letter")
    if DIGIT.search(text) and any(word in item_ids for word in words if DIGIT.search(word)):
        found.append("quotes an item id")
    own = QUOTED_NAME.sub("", text)  # the name of an item is quoted as it is
    return [*found, *_wording(own if own.strip() else DIGIT.sub("", text))]


@lru_cache(maxsize=8192)
def _wording(text: str) -> tuple[str, ...]:
    found: list[str] = []
    if DIGIT.search(PERIOD.sub("", text)):
        found.append("has digits that are no period")
    read = list(tokens(text))
    stop, sensitive = word_list("stop"), word_list("sensitive")
    content = [token.lemma for token in read if token.lower not in stop]
    for part in (part for lemma in content for part in (lemma, *lemma.split("-"))):
        if part in sensitive or singular(part) in sensitive:
            found.append(f"has a sensitive word: {part}")
            break
    tied = word_list("function_words")  # "Cadres de vélo de route"
    repeated = sorted({lemma for lemma in content if lemma not in tied and content.count(lemma) > 1})
    if repeated:
        found.append(f"repeats a word: {repeated[0]}")
    if not any(word_class(lemma).noun or lemma not in stop for lemma in content):
        found.append("has no noun")
    if _longest_run(text) > MAX_CONTENT_RUN:
        found.append(f"has more than {MAX_CONTENT_RUN} content words in a row")
    return tuple(found)


def _longest_run(text: str) -> int:
    stop = word_list("stop") | word_list("function_words")
    longest = run = 0
    for token in tokens(text):
        run = 0 if token.lower in stop else run + 1
        longest = max(longest, run)
    return longest


def one_line(text: str) -> str:
    """Return the first line of a text with single spaces, without quotes around it or a full stop behind it."""
    lines = text.strip().splitlines()
    return re.sub(r"\s+", " ", lines[0]).strip(" \"'“”").rstrip(".") if lines else ""
