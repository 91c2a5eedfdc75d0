"""Reading item texts: words with their case and sentence place, and names of items in writing order."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from personalize_nb.local.themes.lexicon import UNKNOWN, singular, word_class, word_list

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[.!?;:,()\"“”…]|--?")
YEAR_IN_NAME = re.compile(r"\s*\((?P<year>1[5-9]\d\d|20\d\d)(?:[-–]\d*)?\)\s*$")
TRAILING_ARTICLE = re.compile(r"^(?P<body>.+), (?P<article>The|A|An|Les?|La|Il|El|Los|Las|Der|Die|Das|Une?|L')$")
MARKS = re.compile(r"[®™©]")
ENGLISH_SHARE = 0.7  # known words among those without a capital: English has above 0.9, its neighbours below 0.5
ENDS = frozenset('.!?:…"“”(')
BREAKS = frozenset('.!?;:,()"“”…-') | {"--"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word as written, its lower-case form without possessive, its singular, and where it stands.

    `opens` is true for the first word of a sentence, whose capital says nothing; `broken` when punctuation stands
    between this word and the one before; `possessive` when it was written with 's.
    """

    written: str
    lower: str
    lemma: str
    opens: bool
    broken: bool
    possessive: bool

    @property
    def capital(self) -> bool:
        return self.written[0].isupper()


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text.

    Examples
    --------
    >>> [token.lemma for token in tokens("Two cops chase the killer's ghosts.")]
    ['two', 'cop', 'chase', 'the', 'killer', 'ghost']
    """
    opens = broken = True
    for match in WORD.finditer(text):
        written = match.group()
        if written in BREAKS:
            broken = True
            opens = opens or written in ENDS
            continue
        lower = written.lower().replace("’", "'")
        possessive = lower.endswith("'s")
        if possessive:
            lower, written = lower[:-2], written[:-2]
        if lower:
            yield Token(written, lower, singular(lower), opens, broken, possessive)
            opens = broken = False


def lemmas(text: str) -> list[str]:
    """Return the singular forms of the words of a text that are not function words."""
    stop = word_list("stop")
    return [token.lemma for token in tokens(text) if token.lower not in stop and token.lemma not in stop]


def plain_name(name: str) -> tuple[str, int]:
    """Return an item's name in writing order without its year, and the year (0 where it has none).

    Examples
    --------
    >>> plain_name("Seventh Seal, The (Sjunde inseglet, Det) (1957)")
    ('The Seventh Seal', 1957)
    """
    name = MARKS.sub("", html.unescape(unicodedata.normalize("NFC", name))).strip()
    year = 0
    dated = YEAR_IN_NAME.search(name)
    if dated:
        year, name = int(dated["year"]), name[: dated.start()].strip()
    shorter = re.sub(r"\s*\([^()]*\)\s*$", "", name)
    name = re.sub(r"\s+", " ", shorter or name)
    inverted = TRAILING_ARTICLE.match(name)
    if inverted:
        glue = "" if inverted["article"].endswith("'") else " "
        name = f"{inverted['article']}{glue}{inverted['body']}"
    return name, year


def is_english(texts: Sequence[str]) -> bool:
    """Tell whether texts are English: most of their words are function words or words of the shipped table.

    Examples
    --------
    >>> is_english(["A cop hunts the killer of his partner."])
    True
    >>> is_english(["Ein Kommissar jagt den Mann, der seinen Partner erschossen hat."])
    False
    """
    known = total = 0
    stop = word_list("stop")
    for text in texts:
        for token in tokens(text):
            if not token.capital:
                total += 1
                known += token.lower in stop or word_class(token.lemma) != UNKNOWN
    return known >= ENGLISH_SHARE * total
