r"""Names that say what their value is (`secret_key = "..."`), and what may stand between the two, in one place.

A name is found by a word in it and judged by its parts, so `AWS_SECRET`, `awsSecret` and `aws-secret` are one name,
and `age_bucket`, `max_tokens` and `token_count` are none. Between it and its value stands what code, shells, INI,
YAML, JSON, XML and tables write there: quotes and brackets of an index, an annotation, a walrus, an option's space,
the end of a tag, prefixes of strings, parentheses. What the value must look like depends on how much the name says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from personalize_nb.text.leaks import Found, Leak
from personalize_nb.text.wordings import is_distinctive, is_of_scale, is_placeholder, is_random, words

_WORDS = "bucket secret token passw passphrase pwd role profile user key externalid external-id"
_WORD = re.compile(
    r"(?i)bucket|secret|token|passw(?:or)?d|passphrase|pwd|role|profile|user-?name|iam_?user"
    r"|(?:api|private|kms|signing|encryption|master|shared|account|storage)[_ -]?key|external-?id"
)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_BEFORE, _BEHIND = re.compile(r"[\w-]{0,48}\Z"), re.compile(r"[\w-]{0,32}")
_SPACED = re.compile(r"(?i)(?: (?:access )?key| name)s?\b")
_COLOUR = re.compile(r"\d{0,3}m")
_LONGEST = 48

_BETWEEN = re.compile(
    r"""
    (?P<tag>>)(?=[^<>\s]{1,4000}</)
    |\*{0,2}(?P<end>\\{0,8}["'`])?\s{0,20}(?P<index>\])?\s{0,20}
    (?:
        (?P<is>:=|=>|=(?!=)|:(?![:/])(?:\s{0,8}[A-Za-z_][\w.\[\]|\t ]{0,40}=(?!=))?)\*{0,2}\s{0,40}
        |(?P<then>,)\s{0,40}
        |(?P<call>\()\s{0,40}
    )
    |(?P<gap>[^\S\n]{1,4}(?=["'`\w]))
    """,
    re.VERBOSE,
)
_TABLE = re.compile(r"[\"'`]?[\s|,]{1,60}[\"'`]?(?=[\w/+=.-]{20})([\w/+=.-]{20,4000})")
_OPENED = re.compile(r"[(\[{]?\s{0,40}(?:[rRbBuUfF]{1,2}(?=\\{0,8}[\"']))?")
_QUOTED = re.compile(r"(?P<quote>\\{0,8}(?:\"\"\"|'''|[\"'`]))(?P<value>(?:(?!(?P=quote))[^\n<>]){0,4000})(?P=quote)")
_BARE = re.compile(r"[^\s\"'`,)*&<>\[\](;\\]{1,4000}")
_NEXT = re.compile(r"\s{0,40}[,+]?\s{0,40}(?:\\\n)?\s{0,40}(?:[rRbBuUfF]{1,2})?(?=\\{0,8}[\"'`])")
_TRUNK = re.compile(r"(?:[A-Za-z_]\w{0,40}(?:\.|\(\"|\(')){0,3}\Z")
_READS = re.compile(r"(?i)(?:env|\.get|setdefault|set|parameter|option|value)\(\s{0,8}[rbuf]?\\{0,8}[\"']\Z")
# what code and shells put before a name; any other word makes it a part of a sentence or of a title
_PROSE = re.compile(r"([A-Za-z]{1,20})[ \t]\Z")
_CODE_WORDS = words(
    "export set env setenv declare local let const var def class return and or not if in is lambda with as aws s3 iam "
    "my your our configure in from to using output input source target data"
)
_EXPRESSION = re.compile(
    r"(?:[A-Za-z_]{1,23}\d{0,2}(?:\.[A-Za-z_]\w{0,22}){0,4}|\d{1,9}|\$\{?\w+\}?|\{[^{}]{0,80}\}|\.{3}|<[^<>]{0,80}>)"
    r"(?=[\s\"',)&<>\[\](;\\]|$)"
)
_LEFT_OPEN = re.compile(r"(?i)(?:none|null|true|false|\*+|\$\{?\w+\}?|\{[^{}]*\}|%\(?\w+\)?s?|\.{3}|<[^<>]*>|x{3,}|)")
_OF_AWS = re.compile(r"(?i)iam|aws|execution|service|personalize|instance|sagemaker")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_FEATURES = words(
    "age price size income value time hour day week month year popularity score rating frequency recency tenure "
    "revenue spend hash segment activity count length duration distance amount quantile percentile rank bin risk "
    "cost weight tier genre category mood budget runtime era decade"
)
_ENDS = words(
    "name names raw in out input output inputs outputs prod production dev test staging results result data value "
    "old new main source target default id ids arn"
)
_KEYS = words("api private signing encryption master shared storage secret")
_TOKENS = words("session security auth access refresh bearer oauth id api github gitlab hf slack")
_PAGES = words("next max min num page continuation start pad eos bos unk sep mask cls special total per")


class _Name(NamedTuple):
    start: int
    end: int
    kind: str
    sure: bool  # also behind spaces, and whatever the value looks like
    text: str
    prose: bool


class _Value(NamedTuple):
    start: int
    end: int
    text: str
    quote: str


def kind_of(name: str) -> tuple[str, bool] | None:
    """Return what the value of a name is, and whether the name alone is enough to say so.

    Examples
    --------
    >>> kind_of("AWS_SECRET"), kind_of("bucketName"), kind_of("age_bucket"), kind_of("token_count")
    (('secret', True), ('bucket', True), ('bucket', False), None)
    """
    parts = [part.lower() for part in _PART.findall(name)]
    while len(parts) > 1 and (parts[-1] in _ENDS or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return None
    last, before = parts[-1].removesuffix("s") if parts[-1] != "pass" else "pass", set(parts[:-1])
    if last == "bucket":
        return "bucket", not before & _FEATURES
    return _of_secrets(name, parts, last, before) or _of_people(name, last, before)


def _of_secrets(name: str, parts: list[str], last: str, before: set[str]) -> tuple[str, bool] | None:
    if last == "key":
        if "kms" in "".join(parts[:-1]):
            return "secret", True
        return ("secret", True) if before & _KEYS and "public" not in before else None
    if last == "secret":
        return "secret", bool(before & {"aws", "client"})
    if last == "token":
        return None if before & _PAGES or name.endswith("s") else ("secret", bool(before & _TOKENS))
    if last in ("password", "passwd", "passphrase", "pwd"):
        return None if before & {"reset", "forgot", "no"} else ("secret", False)
    return None


def _of_people(name: str, last: str, before: set[str]) -> tuple[str, bool] | None:
    """Return the kind of names of IAM: data have user names and roles too, so most must be written as AWS does."""
    if last == "role":
        return "role", name in ("RoleName", "role-name", "--role-name", "roleName")
    if name in ("UserName", "--user-name", "iam_user", "IAM_USER", "ExternalId", "--external-id", "externalId"):
        return "role", True
    if last == "profile" and (name in ("--profile",) or "aws" in before):
        return "role", True
    return ("role", False) if last == "profile" and name.lower().replace("_", "") == "profilename" else None


def _names(text: str) -> Iterator[_Name]:
    done = 0
    for match in _WORD.finditer(text):
        if match.start() < done:
            continue
        head = _BEFORE.search(text, max(done, match.start() - _LONGEST), match.start())
        start = head.start() if head else match.start()
        tail = _BEHIND.match(text, match.end())
        end = tail.end() if tail else match.end()
        colour = _COLOUR.match(text, start)
        if colour and text[max(0, start - 2) : start].endswith(("\x1b[", ";")):
            start = min(colour.end(), match.start())
        spaced = _SPACED.match(text, end)
        end = spaced.end() if spaced else end
        name = text[start:end]
        told = kind_of(name)
        done = end
        if told:
            said = _PROSE.search(text, max(0, start - 22), start)
            prose = said is not None and said[1].lower() not in _CODE_WORDS
            yield _Name(start, end, *told, name, prose)


def _values(text: str, start: int, several: bool) -> Iterator[_Value]:
    opened = _OPENED.match(text, start)
    place = opened.end() if opened else start
    several = several or "[" in text[start:place]
    opened_here = several or "(" in text[start:place]
    quoted = _QUOTED.match(text, place)
    if quoted is None:
        bare = _BARE.match(text, start) if place == start else None
        if bare:
            yield _Value(bare.start(), bare.end(), bare.group(), "")
        return
    while quoted is not None:
        yield _Value(quoted.start("value"), quoted.end("value"), quoted["value"], quoted["quote"])
        following = _NEXT.match(text, quoted.end())
        sign = following.group().strip(" \n\t\\") if following else ""
        if following and not following.group():
            return
        if following and not (
            several if "," in sign else opened_here or sign or not re.search(r"(?<!\\)\n", following.group())
        ):
            return
        quoted = _QUOTED.match(text, following.end()) if following else None


def _search(text: str) -> Iterator[tuple[Found, ...]]:
    for name in _names(text):
        between = _BETWEEN.match(text, name.end)
        if between is None or (between["gap"] and name.kind == "secret" and not name.text.startswith("-")):
            cells = _TABLE.match(text, name.end) if name.kind == "secret" and name.sure else None
            if cells and any(map(str.isdigit, cells[1])) and any(map(str.isalpha, cells[1])):
                yield (Found("secret", *cells.span(1)),)
            continue
        values = list(_values(text, between.end(), name.text.lower().endswith(("buckets", "names"))))
        # pieces of one string are short each
        whole = "".join(value.text for value in values) if name.kind == "secret" else ""
        for value in values:
            if _tells(name, between, value, whole or value.text, text):
                yield (Found(name.kind, value.start, value.end),)


def _tells(name: _Name, between: re.Match[str], value: _Value, whole: str, text: str) -> bool:
    """Tell whether a value is what its name says; how much it must look like it depends on the name and the writing."""
    if _LEFT_OPEN.fullmatch(whole) or "************" in whole or (is_placeholder(whole) and name.kind != "role"):
        return False
    if (
        not value.quote
        and not between["tag"]
        and (
            _EXPRESSION.match(text, value.start)
            and not _of_shell(name, between, text)
            or text[value.end : value.end + 1] in ("[", "(")
        )
    ):
        return False
    if between["then"]:  # a list of columns, or a name and what it is set to
        reads = _READS.search(text, max(0, name.start - 40), name.start) is not None
        if not (value.quote and between["end"] and (reads or is_random(whole))):
            return False
    if between["call"] and not (name.kind == "bucket" and value.quote and name.text[0] in "Bb"):
        return False
    if name.kind == "bucket":
        return _is_bucket(name, between, value, text)
    if name.kind == "role":
        return _is_role(name, between, value)
    return _is_secret(name, between, value, whole, text)


def _of_shell(name: _Name, between: re.Match[str], text: str) -> bool:
    """Tell whether a name is one of the environment, set without spaces, or an option."""
    return (name.text.isupper() and between.group() == "=") or name.text.startswith("--")


def _is_bucket(name: _Name, between: re.Match[str], value: _Value, text: str) -> bool:
    if not _BUCKET.fullmatch(value.text) or is_of_scale(value.text):
        return False
    hyphens = value.text.count("-")
    if not name.sure:
        return hyphens > 1
    if between["gap"]:
        said = hyphens > 1 and not value.text.startswith(("list-", "brigade-", "hat-", "seat-"))
        return name.text.startswith("-") or value.quote == "`" or said or bool(value.quote and hyphens)
    if value.quote:
        return not name.prose or hyphens > 0
    return hyphens > int(name.prose) or _of_shell(name, between, text) or bool(between["tag"])


def _is_role(name: _Name, between: re.Match[str], value: _Value) -> bool:
    if not re.fullmatch(r"[\w+=,.@/-]{2,128}", value.text) or value.text == "default":
        return False
    option = name.text.startswith("--")
    if between["gap"] and not option:
        return False
    if name.sure:
        return bool(value.quote) or option or not name.prose
    if name.text.lower().endswith("name"):
        return is_distinctive(value.text)
    if _OF_AWS.search(name.text):
        return is_distinctive(value.text)
    camel = re.search(r"[a-z][A-Z]", value.text) is not None
    return camel or "role" in value.text.lower().strip("_-")[1:]


def _is_secret(name: _Name, between: re.Match[str], value: _Value, whole: str, text: str) -> bool:
    word, digits = name.text.lower(), any(map(str.isdigit, whole))
    if name.prose and not name.sure:
        return is_random(whole)
    if "kms" in word:
        return len(whole) >= 8 and " " not in whole
    if name.sure:
        return True
    if whole.lower() == word or " " in whole:
        return False
    if value.quote:
        return (len(whole) >= 6 and digits) or len(whole) >= 16 if word.endswith("token") else len(whole) >= 4
    if ":" in between.group() and "=" not in between.group() and not between["end"]:
        starts = text[max(0, name.start - 1) : name.start] in ("", "\n", " ", "\t", "{", ",", "-")
        if not (starts and name.text == word):
            return is_random(whole)
    return digits and len(whole) >= 8


RULES = (Leak(tuple(_WORDS.split()), _search),)
