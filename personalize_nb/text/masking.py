"""Mask texts: first what the rules recognise, then the same names wherever else they stand.

Looking twice is what keeps item ids: twelve digits alone are left as they are, unless an ARN, a bucket or the word
"account" says in some text that they are an account.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence

from personalize_nb.text.leaks import INSTEAD, KEY, KEY_ID, KINDS, LEAKS, MASK, Leak
from personalize_nb.text.readings import Reading, Span

_NAMES_ELSEWHERE = frozenset({"account", "accounts", "alias", "bucket", "role", "assumed", "secret"})
_LEAST_SECRET = 20  # shorter values of tokens and keys may be words such as `changeme`
_WORD = re.compile(r"[A-Za-z]?[a-z]+")
_ACCOUNT = re.compile(r"\d{12}")
_OF_SESSION = "name of the session"
_PLACEHOLDERS = frozenset({"bucket", "name", "role", "user"})  # of documentation: `s3://bucket/key`
_TWELVE = re.compile(r"\d{12}|\d{4}(?:[- _]\d{4}){2}|\d{3}(?:[_,]\d{3}){3}")
_NEAR_LINES, _NEAR = 3, 2000  # how far from its id the secret of an access key is looked for

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

    Examples
    --------
    >>> masker = Masker(["films-raw"])
    >>> masker.learn("account 123456789012")
    >>> masker.masked("films-raw of 123456789012"), sorted(masker.found)
    ('************ of ************', ['account id', 'name of the session'])
    """

    def __init__(self, known: Iterable[str] = ()):
        self._known = dict.fromkeys((name for name in known if name), _OF_SESSION)
        self._names: dict[str, str] = dict(self._known)
        self._rules: dict[str, list[Leak]] = {}
        self._patterns: dict[tuple[str, ...], re.Pattern[str]] = {}
        self._read: dict[str, str] = {}
        self.found: set[str] = set()

    def forget(self) -> None:
        """Begin anew with the names that were known: what was learned is masked now."""
        self._names = dict(self._known)

    def learn(self, text: str) -> None:
        """Note the accounts, buckets, roles and secrets of a text that says what they are."""
        text = _without_controls(text)
        for inner in map(_unpacked, _PACKED.finditer(text) if ";base64," in text else ()):
            if inner is not None:
                self.learn(inner)
        if text in self._rules and not self._rules[text]:
            return
        hits: dict[str, Leak] = {}
        for read in dict.fromkeys((self._seen(text), text)):
            lower = read.lower()
            for rule in LEAKS:
                if any(map(lower.__contains__, rule.words)):
                    for match in rule.pattern.finditer(read):
                        hits[rule.pattern.pattern] = rule
                        self._names.update(_names(match))
            self._names.update(dict.fromkeys(_keys_near_ids(read), KINDS["secret"]))
        self._rules[text] = list(hits.values())

    def masked(self, text: str) -> str:
        """Return a text that was learned, masked; what was masked in it is added to `found`."""
        kept = _without_controls(text)
        if kept != text:
            self.found.add("control code")
        rules, text = self._rules.get(kept, []), kept
        if ";base64," in text:
            text = _PACKED.sub(self._packed, text)
        for rule in rules:
            text = self._replaced(rule.pattern, text)
        forms = (self._seen(text), text)
        here = tuple(name for name in self._names if len(name) >= 3 and any(_stands_in(name, form) for form in forms))
        if here:
            if here not in self._patterns:
                self._patterns[here] = _pattern(here)
            text = self._replaced(self._patterns[here], text)
        return text

    def _seen(self, text: str) -> str:
        """Return a text as it is read; remembered, for it is asked for in each round."""
        if text not in self._read:
            self._read[text] = Reading(text).text
        return self._read[text]

    def _replaced(self, pattern: re.Pattern[str], text: str) -> str:
        """Replace what the groups of a pattern match in a text as it is read, and then as it is written."""
        if self._seen(text) != text:
            spans = list(self._spans(pattern, self._seen(text)))
            text = Reading(text).replaced(spans) if spans else text
        spans = list(self._spans(pattern, text))
        if not spans:
            return text
        ends = [0, *(span.end for span in spans)]
        parts = [text[end : span.start] + span.instead for end, span in zip(ends[:-1], spans, strict=True)]
        return "".join([*parts, text[ends[-1] :]])

    def _spans(self, pattern: re.Pattern[str], read: str) -> Iterator[Span]:
        for match in pattern.finditer(read):
            done = match.start()
            for kind in sorted(match.groupdict(), key=lambda kind: (match.start(kind), -match.end(kind))):
                start, end = match.span(kind)
                if start < done or start == end:  # it was not there, or lies within the one before
                    continue
                done = end
                for one in _TWELVE.finditer(read, start, end) if kind == "accounts" else (match,):
                    begin, finish = one.span(0 if kind == "accounts" else kind)
                    instead = INSTEAD.get(kind, MASK)
                    if read[begin:finish] != instead:
                        self.found.add(KINDS.get(kind) or self._kind_of(read[begin:finish]))
                        yield Span(begin, finish, instead)

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


def _names(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Return what a rule has found and is to be masked elsewhere too, each with its kind."""
    for kind, value in match.groupdict().items():
        if not value or kind not in _NAMES_ELSEWHERE or "*" in value:
            continue
        if value.rsplit("/", 1)[-1].lower() in _PLACEHOLDERS:
            continue
        told = KINDS[kind]
        if kind in ("account", "accounts"):
            digits = (re.sub(r"\D", "", one) for one in _TWELVE.findall(value))
            yield from ((one, told) for one in digits)
        elif kind in ("role", "assumed"):
            yield value.rstrip("./,").rsplit("/", 1)[-1], told  # what stands before it are paths such as service-role
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


def _stands_in(name: str, text: str) -> bool:
    """Tell whether a name may stand in a text: most of many do not, and a pattern of many is slow."""
    return all(part in text for part in ((name[:3], name[9:]) if _ACCOUNT.fullmatch(name) else (name,)))


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern for names anywhere; longer ones first, because one may begin with another."""
    parts = []
    for name in sorted(names, key=lambda name: (-len(name), name)):
        literal = re.escape(name)
        if _ACCOUNT.fullmatch(name):
            fours, threes = re.findall(r"\d{4}", name), re.findall(r"\d{3}", name)
            parts += [literal, "[-_ ]".join(fours), "[_,]".join(threes)]
        elif _WORD.fullmatch(name):
            parts.append(rf"(?<=[\"'`]){literal}(?=[\"'`\\])|(?<=&\#39;){literal}(?=&)|(?<=&quot;){literal}(?=&)")
            parts.append("|".join(rf"(?<={word} ){literal}" for word in ("bucket", "Bucket", "role", "Role")))
        else:
            parts.append(literal)
    # a name may begin after an escaped line break, which ends in a letter
    return re.compile(rf"(?:(?<=\\[nrt])|(?<![A-Za-z0-9]))(?P<name>{'|'.join(parts)})(?![A-Za-z0-9])")
