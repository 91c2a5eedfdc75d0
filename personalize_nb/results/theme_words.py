"""Words of titles: what kind a word is, which words of two texts are the same, which language a text is in.

Word classes are facts of English, read from the table that ships with the package; nothing here knows how the embedded
service writes themes, so that it can judge those of any maker. Other languages are known by their function words only.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

WORD: Final = re.compile(r"[^\W_]+(?:['’&-][^\W_]+)*")
ENGLISH: Final = "en"


def _tables() -> dict[str, dict[str, frozenset[str]]]:
    """Read the lists: sections in brackets, each with lines of a name and its words."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for line in (files(__package__ or "") / "theme_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, listed = line.partition(":")
            section[name] = section.get(name, frozenset()) | frozenset(listed.split())
    return found


_TABLES: Final = _tables()
FUNCTION: Final = _TABLES["function"]  # by language
PREPOSITIONS: Final = _TABLES["prepositions"]  # by language
MEDIA, ENGLISH_NO_KIND, MISSING, FORMATS, MASS, AND, PLURAL_FIRST, MORE = (
    _TABLES["words"][name] for name in ("media", "no kind", "missing", "formats", "mass", "and", "plural first", "more")
)
NO_KIND: Final = ENGLISH_NO_KIND | _TABLES["words"]["no kind elsewhere"]
UNKNOWN: Final = "---"
_IRREGULAR: Final = {
    "children": "child", "men": "man", "women": "woman", "people": "person", "mice": "mouse", "geese": "goose",
    "feet": "foot", "teeth": "tooth", "knives": "knife", "wives": "wife", "wolves": "wolf", "shelves": "shelf",
}  # fmt: skip
_COUNTED: Final = tuple("cdopr")  # of the table: animals, things, objects, persons, plants
NOUN, ADJECTIVE = 0, 2
MIXED_UP, MANY = 2, 5


def words(text: str) -> list[str]:
    """Return the words of a text as they are written.

    Examples
    --------
    >>> words("Men's T-shirts & caps")
    ["Men's", 'T-shirts', 'caps']
    """
    return WORD.findall(text)


@cache
def _classes() -> dict[str, str]:
    packed = (files("personalize_nb") / "local" / "themes" / "words" / "classes.txt.gz").read_bytes()
    return dict(line.split("\t", 1) for line in gzip.decompress(packed).decode("ascii").splitlines() if "\t" in line)


@cache
def singular(word: str) -> str:
    """Return a lower-case word without its plural ending, as far as spelling tells.

    Examples
    --------
    >>> singular("stories"), singular("movies"), singular("dishes"), singular("lenses"), singular("lens")
    ('story', 'movie', 'dish', 'lens', 'lens')
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word in _classes() and word[:-1] not in _classes() and not word.endswith("es"):
        return word  # "lens"
    if word.endswith("ies") and len(word) > 4:
        return word[:-1] if word[:-1] in _classes() else word[:-3] + "y"  # "movies", not "movy"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")) or (word.endswith("ses") and word[:-2] in _classes()):
        return word[:-2]
    return word[:-1]


def lemma(word: str) -> str:
    """Return a word in small letters, in the singular, without a possessive ending."""
    return singular(word.casefold().removesuffix("'s").removesuffix("’s").rstrip("'’"))


@cache
def root(word: str) -> str:
    """Return what forms of a word have in common, so that `romantic` and `romance` are one.

    Examples
    --------
    >>> root("Romantic") == root("romances"), root("kings") == root("kingdoms")
    (True, False)
    """
    plain = lemma(word)
    return plain if len(plain) <= MANY + 1 else plain[:MANY]


def word_class(word: str) -> str:
    """Return how far an English word is a noun, a verb and an adjective: three figures, dashes where it is unknown.

    Examples
    --------
    >>> word_class("jackets"), word_class("rainy"), word_class("qwertz")
    ('900', '009', '---')
    """
    plain = word.casefold()
    last = plain.rsplit("-", 1)[-1]
    for form in (plain, lemma(plain), last, lemma(last), _IRREGULAR.get(last, last)):
        found = _classes().get(form, UNKNOWN)[:3]
        if found.isdigit() and found != "000":
            return found
    return UNKNOWN


def is_known(word: str) -> bool:
    """Tell whether the table of English words has a word."""
    return word_class(word) != UNKNOWN


def is_adjective(word: str) -> bool:
    """Tell whether an English word is more an adjective than a noun."""
    found = word_class(word)
    return found != UNKNOWN and int(found[ADJECTIVE]) > int(found[NOUN]) and not _plural(word)


def is_noun(word: str) -> bool:
    """Tell whether an English word may name a thing; what the table does not know may."""
    found = word_class(word)
    return found == UNKNOWN or int(found[NOUN]) >= MIXED_UP or word.casefold() in PLURAL_FIRST


def is_plural(word: str) -> bool:
    """Tell whether an English noun names many things, as a plural or as a mass."""
    plain = word.casefold()
    return (
        _plural(plain)
        or plain in _IRREGULAR
        or plain.endswith("men")
        or plain in MASS
        or plain.rsplit("-", 1)[-1] in MASS
    )


def is_counted(word: str) -> bool:
    """Tell whether an English noun in the singular names one thing of several: a lamp, a dog, a spy, but not poetry."""
    plain = word.casefold().rsplit("-", 1)[-1]
    return _classes().get(plain, "----")[3:4] in _COUNTED and not is_plural(plain)


def _plural(word: str) -> bool:
    plain = word.casefold()
    return plain.endswith("s") and not plain.endswith(("ss", "us", "is")) and len(plain) > 3


def language_of(texts: Iterable[str]) -> str:
    """Return the language whose function words are most of those in some texts; empty where few are of any.

    Examples
    --------
    >>> language_of(["Die Jacke für den Regen", "mit einer Kapuze"]), language_of(["a coat for the rain"])
    ('de', 'en')
    >>> language_of(["LCD 11/PM"])
    ''
    """
    counted: Counter[str] = Counter(word.casefold() for text in texts for word in words(text))
    total = sum(counted.values())
    shares = {name: sum(counted[word] for word in known) for name, known in FUNCTION.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if total and shares[best] >= 0.08 * total and shares[best] >= MIXED_UP else ""
