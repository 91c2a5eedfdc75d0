"""Which language texts are in, and what may be written around them in it.

Six languages have a few templates of fixed words that need no agreement; of any other language the catalogue's own
words stand alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from personalize_nb.local.themes.lexicon import UNKNOWN, lines_of, singular, word_class, word_list
from personalize_nb.local.themes.text import is_english, tokens

ENGLISH, NONE = "en", ""
SAMPLE = 400  # texts that show a language
LEAST_SHOWN, CLEARLY = 3, 1.5  # function words that show it, and by how much it must lead
KNOWN_VALUES = 0.7  # of the words of category values, how many are English in an English column
LETTERS = {"de": "äöüß", "fr": "èêœûç", "es": "ñ¿ó", "pt": "ãõ"}  # that show a language, half as much as a word does
VOWELS = "aeiouáéíóúâêôãõ"


@cache
def _function_words() -> dict[str, frozenset[str]]:
    read = {language: frozenset(words) for language, *words in (line.split() for line in lines_of("function_words"))}
    shared = {word for word, count in Counter(word for words in read.values() for word in words).items() if count > 1}
    return {language: words - shared for language, words in read.items()}


@cache
def templates() -> dict[tuple[str, str], str]:
    """Return the shipped templates by language and use."""
    cells = (line.split(" | ") for line in lines_of("templates"))
    return {(language.strip(), use.strip()): words.strip() for language, use, words in cells}


def language_of(texts: Sequence[str]) -> str:
    """Return the language of texts, or "" where they show none that we have templates for.

    Examples
    --------
    >>> language_of(["Casque pour les enfants et les adultes"])
    'fr'
    >>> language_of(["Zapatos para el verano y la playa con los pies"])
    'es'
    >>> language_of(["Shoes for the beach and for the pool"]), language_of(["Lenovo X1"])
    ('en', '')
    """
    shown: Counter[str] = Counter()
    for text in texts[:: max(1, len(texts) // SAMPLE)]:
        words = text.lower().replace("’", "'").split()
        for language, own in _function_words().items():
            shown[language] += 2 * sum(word in own for word in words)
        for language, letters in LETTERS.items():
            shown[language] += sum(letter in text for letter in letters)
    ranked = sorted(shown, key=lambda language: (-shown[language], language))
    best, second = ranked[0], ranked[1]
    if shown[best] >= 2 * LEAST_SHOWN and shown[best] >= CLEARLY * shown[second]:
        return best if (best, "more") in templates() else NONE
    return NONE


def language_of_values(values: Sequence[str], catalogue: str) -> str:
    """Return the language of category values in a catalogue: English where its words are, else the catalogue's.

    Examples
    --------
    >>> language_of_values(["Road Bikes", "Helmets"], "de"), language_of_values(["Casque", "Vêtements"], "fr")
    ('en', 'fr')
    """
    words = [token for value in values for token in tokens(value) if token.lower not in word_list("stop")]
    known = sum(word_class(token.lemma) != UNKNOWN or word_class(token.lower) != UNKNOWN for token in words)
    if words and known >= KNOWN_VALUES * len(words):
        return ENGLISH
    if catalogue not in (ENGLISH, NONE):
        return catalogue
    return language_of(values) or (NONE if known < len(words) / 2 else catalogue)


def language_of_catalogue(names: Sequence[str], descriptions: Sequence[str], values: Sequence[str]) -> str:
    """Return the language in which a catalogue speaks: by its descriptions, else by its names and category values."""
    told = [text for text in descriptions if text]
    if told:
        found = language_of(told)
        return found or (ENGLISH if is_english(told[:: max(1, len(told) // SAMPLE)]) else NONE)
    return language_of(names) or language_of_values(values, NONE)


def write(language: str, use: str, *words: str) -> str | None:
    """Return words in a template of the language, or None where it has none for that.

    Examples
    --------
    >>> write("fr", "by", "Livres", "Colette"), write("pl", "by", "Książki", "Lem")
    ('Livres de Colette', None)
    """
    template = templates().get((language, use))
    return template.format(*words) if template else None


def joined(language: str, first: str, second: str) -> str:
    """Return two nouns as one phrase."""
    word = templates().get((language, "and"), "&")
    if language == "es" and second.lower().startswith(("i", "hi")):
        word = "e"
    return f"{first} {word} {second}"


def plural_of(value: str, language: str) -> str:
    """Return a noun in the plural, where its language forms it by rule: one word, or "X de Y".

    Examples
    --------
    >>> plural_of("Vélo de route", "fr"), plural_of("Casco", "es"), plural_of("Sac et veste", "fr")
    ('Vélos de route', 'Cascos', 'Sac et veste')
    """
    words = value.split(" ")
    if language not in ("fr", "es", "pt") or (len(words) > 1 and words[1].lower() not in ("de", "à", "para", "pour")):
        return value
    noun = words[0]
    if len(noun) < 3 or noun.isupper() or noun[-1] in "sxz" or not noun.isalpha():
        return value
    return " ".join([_plural_word(noun, language), *words[1:]])


def _plural_word(noun: str, language: str) -> str:
    if language == "fr":
        ending = "x" if noun.endswith(("eau", "eu")) and noun not in ("Pneu", "pneu") else "s"
        return f"{noun[:-2]}aux" if noun.endswith("al") else noun + ending
    if language == "pt" and noun.endswith("ão"):
        return f"{noun[:-2]}ões"
    if language == "pt" and noun.endswith("m"):
        return f"{noun[:-1]}ns"
    if language == "pt" and noun.endswith(("al", "el", "ol", "ul")):
        return noun  # the accent would move
    if language == "es" and noun.endswith(("ión", "ón")):
        return f"{noun[:-2]}ones"
    return noun + ("s" if noun[-1].lower() in VOWELS else "es")


def english_plural(word: str) -> bool:
    """Tell whether a lower-case English word is a plural."""
    return singular(word) != word
