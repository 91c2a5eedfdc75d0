"""Mask texts: first what the rules recognise, then the same names wherever else they stand.

Looking twice is what keeps item ids: twelve digits alone are left as they are, unless an ARN, a bucket or the word
"account" says in some text that they are an account. Names that are words stay where nothing says what they are.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import chain

from personalize_nb.text import accounts, leaks, names_and_values, tables
from personalize_nb.text.code_cells import NUMBER, areas, within
from personalize_nb.text.leaks import INSTEAD, KEY, KEY_ID, KINDS, MASK, TWELVE, Found
from personalize_nb.text.readings import Reading, Span
from personalize_nb.text.wordings import is_distinctive, is_documented, is_placeholder, is_random

_RULES = (*leaks.RULES, *accounts.RULES, *names_and_values.RULES, *tables.RULES)
_NAMES_ELSEWHERE = frozenset({"account", "alias", "bucket", "role", "assumed", "secret"})
_LEAST_SECRET = 20  # shorter values of tokens and keys may be words such as `changeme`
_PLACEHOLDERS = frozenset({"name", "role", "user"})  # of documentation
_DIGITS = re.compile(rf"(?:(?<=\\[nrt])|(?<![A-Za-z0-9]))(?:{TWELVE.pattern})(?![A-Za-z0-9])")
_OF_SESSION = "name of the session"
_NEAR_LINES, _NEAR = 3, 2000  # how far from its id the secret of an access key is looked for
_Search = Callable[[str], Iterable[Found]]

# Links, cursor moves and other orders to a terminal; colours are kept, Jupyter shows them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x9b\x9d]")
_CONTROLS = re.compile(
    r"\x1b\][^\x07\x1b]{0,4000}(?:\x07|\x1b\\)|\x1b[PX^_][^\x07\x1b]{0,4000}\x1b\\|\x1b\[[0-?]{0,40}[ -/]{0,4}[@-ln-~]"
    r"|\x1b(?!\[[\d;:]*m)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x9b\x9d]"
)
_PACKED = re.compile(
    r"(data:(?:image/svg\+xml|text/[\w.+-]{1,40}|application/(?:json|xml|[\w.-]{1,40}\+(?:json|xml)))"
    r"(?:;[\w=.-]{1,40}){0,3};base64,)([A-Za-z0-9+/\s]+={0,2})"
)


class Masker:
    """Mask the texts of a document, the same names in all of them.

    Parameters
    ----------
    known
        Names to be masked wherever they stand, also where nothing says what they are.
    documented
        Whether Amazon's documented examples are masked like other accounts and keys.

    Examples
    --------
    >>> masker = Masker(["films-raw"])
    >>> masker.learn("account 123456789012")
    >>> masker.masked("films-raw of 123456789012"), sorted(masker.found)
    ('************ of ************', ['account id', 'name of the session'])
    """

    def __init__(self, known: Iterable[str] = (), *, documented: bool = True):
        self._known = dict.fromkeys((name for name in known if name), _OF_SESSION)
        self._names: dict[str, str] = dict(self._known)
        self._documented = documented
        self._founds: dict[str, list[Found]] = {}
        self._patterns: dict[tuple[str, ...], _Search] = {}
        self._read: dict[str, str] = {}
        self.found: set[str] = set()

    def forget(self) -> None:
        """Begin anew with the names that were known: what was learned is masked now."""
        self._names = dict(self._known)

    def tell(self, account: str) -> None:
        """Note an account of which no text says that it is one."""
        if self._documented or not is_documented(account):
            self._names[account] = KINDS["account"]

    def learn(self, text: str) -> None:
        """Note the accounts, buckets, roles and secrets of a text that says what they are."""
        text = _without_controls(text)
        for inner in map(_unpacked, _PACKED.finditer(text) if ";base64," in text else ()):
            if inner is not None:
                self.learn(inner)
        for read in dict.fromkeys((self._seen(text), text)):
            self._names.update(chain.from_iterable(_names(one, read) for one in self._recognised(read)))
            self._names.update(
                (key, KINDS["secret"]) for key in _keys_near_ids(read) if self._documented or not is_documented(key)
            )

    def masked(self, text: str, *, is_code: bool = False) -> str:
        """Return a text that was learned, masked; what was masked in it is added to `found`."""
        kept = _without_controls(text)
        if kept != text:
            self.found.add("control code")
        text = kept
        if ";base64," in text:
            text = _PACKED.sub(self._packed, text)
        text = self._replaced(self._recognised, text, is_code)
        text = self._replaced(self._accounts, text, is_code)
        forms = (self._seen(text), text)
        here = tuple(
            name
            for name in self._names
            if len(name) >= 3 and not name.isdigit() and any(name in form for form in forms)
        )
        if here:
            if here not in self._patterns:
                self._patterns[here] = _pattern(here, self._known)
            text = self._replaced(self._patterns[here], text, is_code)
        return text

    def _seen(self, text: str) -> str:
        """Return a text as it is read; remembered, for it is asked for in each round."""
        if text not in self._read:
            self._read[text] = Reading(text).text
        return self._read[text]

    def _recognised(self, read: str) -> list[Found]:
        """Return what the rules find, but for placeholders and, in a check, what goes with a documented example."""
        if read not in self._founds:
            lower, found = read.lower(), self._founds.setdefault(read, [])
            for rule in _RULES:
                for group in rule.search(read) if any(map(lower.__contains__, rule.words)) else ():
                    values = [read[one.start : one.end] for one in group]
                    if self._documented or not any(map(is_documented, values)):
                        found += (
                            one
                            for one, value in zip(group, values, strict=True)
                            if one.kind != "bucket" or not is_placeholder(value)
                        )
        return self._founds[read]

    def _replaced(self, search: _Search, text: str, is_code: bool) -> str:
        """Replace what a search finds in a text as it is read, and then as it is written."""
        if self._seen(text) != text:
            spans = list(self._spans(search, self._seen(text)))
            if spans and not is_code:
                text = Reading(text).replaced([span for span, _ in spans])
            elif spans:
                written = Reading(text).written([span for span, _ in spans])
                text = self._put(text, list(zip(written, (kind for _, kind in spans), strict=True)), is_code)
            self.found.update(() if is_code else (kind for _, kind in spans))
        return self._put(text, list(self._spans(search, text)), is_code)

    def _put(self, text: str, spans: Sequence[tuple[Span, str]], is_code: bool) -> str:
        """Replace spans of what is written; in code only where it stays code."""
        allowed = areas(text) if is_code and spans else None
        parts: list[str] = []
        done = 0
        for span, kind in spans:
            places = (span,) if allowed is None else within(span, allowed, is_account=kind == KINDS["account"])
            if not places and (KEY_ID.fullmatch(text[span.start : span.end]) or is_random(text[span.start : span.end])):
                places = [span._replace(instead=f'"{MASK}"')]  # a secret that stands in no string is no code either
            for start, end, instead in places:
                if start >= done and text[start:end] not in (instead, ""):
                    parts += (text[done:start], instead)
                    done = end
                    self.found.add(kind)
        return "".join([*parts, text[done:]])

    def _spans(self, search: _Search, read: str) -> Iterator[tuple[Span, str]]:
        done = 0
        for kind, start, end in sorted(search(read), key=lambda one: (one.start, -one.end)):
            instead = INSTEAD.get(kind, MASK)
            if start >= done and start < end and read[start:end] != instead:  # it does not lie within the one before
                done = end
                yield Span(start, end, instead), KINDS.get(kind) or self._kind_of(read[start:end])

    def _accounts(self, text: str) -> Iterator[Found]:
        """Find the accounts that are known, in all their writings: there may be as many as there are rows."""
        for match in _DIGITS.finditer(text):
            if re.sub(r"\D", "", match.group()) in self._names:
                yield Found("name", *match.span())

    def _kind_of(self, name: str) -> str:
        return self._names.get(name) or self._names.get(re.sub(r"\D", "", name), "name")

    def _packed(self, match: re.Match[str]) -> str:
        inner = _unpacked(match)
        masked = None if inner is None else self.masked(inner)
        return match.group() if masked in (None, inner) else match[1] + packed(str(masked))


def packed(text: str) -> str:
    """Return a text in the letters of base64."""
    return base64.b64encode(text.encode()).decode()


def unpacked(letters: str) -> str | None:
    """Return the text that letters of base64 hold, or None where they hold something else."""
    try:
        return base64.b64decode(letters).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _unpacked(match: re.Match[str]) -> str | None:
    return unpacked(match[2])


def _without_controls(text: str) -> str:
    while _CONTROL.search(text):
        kept = _CONTROLS.sub("", text)
        if kept == text:  # colours
            break
        text = kept
    return text


def _names(found: Found, text: str) -> Iterator[tuple[str, str]]:
    """Return what a rule has found and is to be masked elsewhere too, each with its kind."""
    kind, value = found.kind, text[found.start : found.end]
    if kind not in _NAMES_ELSEWHERE or "*" in value:
        return
    told = KINDS[kind]
    if kind == "account":
        digits = re.sub(r"\D", "", value)
        if len(digits) == 12 and digits != NUMBER and TWELVE.fullmatch(value):
            yield digits, told
    elif kind in ("role", "assumed"):
        name = value.rstrip("./,").rsplit("/", 1)[-1]  # what stands before it are paths such as service-role
        yield from () if name.lower() in _PLACEHOLDERS else ((name, told),)
    elif kind != "secret":
        yield value.strip(".-"), told
    elif len(value) >= _LEAST_SECRET:
        yield value, told


def _keys_near_ids(text: str) -> Iterator[str]:
    """Return the secrets of access keys: what has their form, a few lines before or behind an id."""
    ids = [match.span() for match in KEY_ID.finditer(text)]
    for key in KEY.finditer(text) if ids else ():
        place = bisect(ids, key.span())
        between = [(end, key.start()) for _, end in ids[max(0, place - 1) : place]]
        between += [(key.end(), start) for start, _ in ids[place : place + 1]]
        for start, end in between:
            if end - start <= _NEAR and text.count("\n", start, end) <= _NEAR_LINES:
                yield key.group()


def _pattern(names: Sequence[str], known: Container[str]) -> _Search:
    """Return a search for names anywhere; longer ones first, because one may begin with another."""
    parts = []
    for name in sorted(names, key=lambda name: (-len(name), name)):
        literal = re.escape(name)
        if len(name) >= _LEAST_SECRET or is_distinctive(name):
            parts.append(literal)
        else:
            if name in known:  # somebody has named it: in quotes it is no other word
                parts.append(rf"(?<=[\"'`]){literal}(?=[\"'`\\])")
            words = ("bucket", "Bucket", "role", "Role", "user", "User")
            parts.append("|".join(rf"(?<={word} ){literal}" for word in words))
    # a name may begin after an escaped line break, which ends in a letter
    whole = rf"(?:(?<=\\[nrt])|(?<![A-Za-z0-9]))(?:{'|'.join(parts)})(?![A-Za-z0-9])"
    pattern = re.compile(whole)
    return lambda text: (Found("name", *match.span()) for match in pattern.finditer(text))
