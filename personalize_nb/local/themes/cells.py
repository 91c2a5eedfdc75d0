"""Reading the cells of a categorical column: which values a cell holds, as people would write them.

Shops write lists with a bar, a comma, a slash or as JSON, paths with ">", and values in capitals or as one_word. What
separates values is decided for a whole column: parts that recur in other company are values of their own.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from personalize_nb.local.themes.lexicon import phrase_list, word_class, word_list

LIST = re.compile(r"^\s*[\[({].*[\])}]\s*$", re.DOTALL)
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
PATH = re.compile(r"\s*(?:>+|»|→|::)\s*")
SEPARATORS = (re.compile(r"\s*;\s*"), re.compile(r"\s*,\s*"), re.compile(r"\s*/\s*"))
MARKS = re.compile(r"[®™©†*]+")
ASIDE = re.compile(r"\s+\([^()]*\)?\s*$")  # "office supplies (pencils, staples, ...)"
HUMP = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z])")
VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ")
RECURS = 0.75  # of the parts of all different cells, how many are new ones where a separator separates values
LEAST_PARTED = 0.05  # of the cells, how many have a separator that is one
HUMPED = 0.2
FLAG_VALUES, CODE_SHARE = 4, 0.5
MAX_WORDS = 5
NOUN = 5  # tenths of its uses that make a word a noun
SHORT = 3  # letters that a word of a language has at least, if it is not in a list


def read_column(texts: Sequence[str]) -> list[list[str]]:
    """Return the values of each cell of a column, without missing markers, codes and flags.

    Examples
    --------
    >>> read_column(["Bags|Hats", "unknown", "HATS", ""])
    [['Bags', 'Hats'], [], ['HATS'], []]
    >>> read_column(["F", "M", "Any", "M"]), read_column(["Home > Lamps", "Home > Rugs"])
    ([[], [], [], []], [['Home', 'Lamps'], ['Home', 'Rugs']])
    """
    cells = [_parts(text) for text in texts]
    for separator in SEPARATORS:
        cells = _separated(cells, separator)
    distinct = sorted({value for cell in cells for value in cell})
    written = dict(zip(distinct, _spelled(distinct), strict=True))
    missing = phrase_list("missing")
    kept = {value for value, text in written.items() if text and text.lower().strip("()[]<> ") not in missing}
    flags = word_list("flags")
    if len(kept) <= FLAG_VALUES and all(written[value].lower() in flags for value in kept):
        return [[] for _ in cells]
    words = {value for value in kept if not is_code(written[value])}
    if len(words) < CODE_SHARE * len(kept):  # "Any" beside F and M is a code too
        return [[] for _ in cells]
    return [list(dict.fromkeys(written[value] for value in cell if value in words)) for cell in cells]


def _parts(text: str) -> list[str]:
    """Return what a cell holds by marks that can mean nothing else."""
    text = html.unescape(text).strip()
    if LIST.match(text) and QUOTED.search(text):
        return [first or second for first, second in QUOTED.findall(text)]
    return [part.strip() for bar in text.split("|") for part in PATH.split(bar) if part.strip()]


def _separated(cells: list[list[str]], separator: re.Pattern[str]) -> list[list[str]]:
    """Split values at a separator, if that makes fewer values that recur."""
    counts = Counter(value for cell in cells for value in cell)
    parted = {value: [part for part in separator.split(value) if part] for value in counts if separator.search(value)}
    if not parted or sum(counts[value] for value in parted) < LEAST_PARTED * counts.total():
        return cells
    others = set(counts) - set(parted)
    parts = {part for value in parted for part in parted[value]}
    long = any(len(part.split()) > MAX_WORDS for part in parts)
    if long or len(parts - others) > RECURS * sum(map(len, parted.values())):
        return cells
    return [[part for value in cell for part in parted.get(value, [value])] for cell in cells]


def _spelled(values: Sequence[str]) -> list[str]:
    """Return values of a column in words: "wall_clocks" and "WallClocks" are wall clocks."""
    bare = (MARKS.sub("", ASIDE.sub("", value) or value) for value in values)
    plain = [" ".join(value.replace("_", " ").split()).rstrip(".… ") for value in bare]
    joined = not any(" " in value for value in plain)
    if joined and sum(bool(HUMP.search(value)) for value in plain) >= HUMPED * len(plain):
        plain = [HUMP.sub(" ", value) for value in plain]
    if joined and sum("-" in value for value in plain) >= HUMPED * len(plain) and _lower(plain):
        plain = [value.replace("-", " ") for value in plain]
    return plain


def _lower(values: Iterable[str]) -> bool:
    return all(value == value.lower() for value in values)


def is_code(value: str) -> bool:
    """Tell whether a value is a code: digits, single letters, or no word that anybody could say.

    Examples
    --------
    >>> [value for value in ("XS", "38", "A4-B", "hardware1", "TV", "Bag", "Socks", "20th century") if is_code(value)]
    ['XS', '38', 'A4-B', 'hardware1']
    """
    words = [word for word in re.findall(r"[^\W_]+(?:['’\-][^\W_]+)*", value) if word]
    return not any(map(_is_said, words)) or any(map(_is_mixed, words))


def _is_mixed(word: str) -> bool:
    """Tell whether a word has letters that run into digits ("hardware1"), as no word but "20th" and "3D" does."""
    digits = any(letter.isdigit() for letter in word)
    ordinal = re.fullmatch(r"\d+(st|nd|rd|th|s|er|e|è?me|º|ª|d)?", word, re.IGNORECASE)
    return digits and any(letter.isalpha() for letter in word) and not ordinal and "-" not in word


def _is_said(word: str) -> bool:
    letters = [letter for letter in word.lower() if letter.isalpha()]
    if len(letters) < len(word.replace("-", "").replace("'", "").replace("’", "")):
        return False
    if word.lower() in word_list("acronyms"):
        return True
    if len(letters) < SHORT or not VOWELS.intersection(letters):
        return (
            not word.isascii() and len(letters) > 1 and not VOWELS.intersection(letters)
        )  # scripts without our vowels
    return len(letters) > SHORT or not word.isupper() or word_class(word.lower()).noun >= NOUN
