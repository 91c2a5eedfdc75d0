"""Mask what a shared notebook should not tell: accounts, roles, buckets, keys, tokens, home folders, request ids.

`redact` works on text, `redact_notebook` on a saved notebook. Both look twice: first for the accounts, buckets, roles
and secrets that the rules recognise by what stands around them, then for the same names wherever else they stand. So
twelve digits alone are left as they are (item ids look like that), unless an ARN, a bucket or the word "account" says
somewhere that they are an account. Both are idempotent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from personalize_nb import errors
from personalize_nb.text.public import public

MASK = "************"

_QUOTE = r"""(?:\\?["'`]|&quot;|&\#3[49];|&\#x27;)"""
_IS = rf"{_QUOTE}?\s*[:=]\s*{_QUOTE}?"
_SECRET = (
    r"(?:secret_?access_?key|(?:session|security|auth|access|refresh|bearer)[_-]?token|api[_-]?key"
    r"|x-amz-(?:signature|credential|security-token))"
)
_ACCOUNT = r"(?P<account>\d{12}|\*{12})"
_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])"
_S3_HOST = r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com"

# What a named group matches is masked; accounts, buckets, roles and long secrets are then masked elsewhere too.
_RULES = tuple(
    re.compile(pattern)
    for pattern in (
        r"arn:aws[\w-]*:s3:::(?P<bucket>[\w.\-]+)",
        rf"arn:aws[\w-]*:(?:iam|sts)::{_ACCOUNT}:[a-z]+(?:-[a-z]+)*/(?!\*)(?P<role>[\w+=,.@\-/]+)",
        r"\bassumed-role/(?P<role>(?P<assumed>[\w+=,.@\-]+)[\w+=,.@\-/]*)",
        r"\binstance-profile/(?P<role>[\w+=,.@\-/]+)",
        r"arn:aws[\w-]*:kms:[\w-]*:(?P<account>\d{12}):(?:key|alias)/(?P<secret>[\w\-/]+)",
        r"arn:aws[\w-]*:[\w-]+:[\w-]*:(?P<account>\d{12})(?=:)",
        r"s3://(?!\*)(?P<bucket>[a-z0-9][a-z0-9.\-]{1,62})",
        rf"https?://(?!s3[.-]){_BUCKET}(?=\.{_S3_HOST})",
        rf"https?://{_S3_HOST}(?:\.cn)?/{_BUCKET}",
        # pages of the AWS console, and an ARN as an address in a browser has it
        rf"console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/s3/(?:buckets|object|home)/{_BUCKET}",
        r"(?i:arn%3Aaws[\w-]*%3A[\w-]+%3A[\w-]*%3A)(?P<account>\d{12})(?=%3[Aa])",
        rf"(?i:bucket(?:_?name)?{_QUOTE}?\s*[:=]\s*{_QUOTE}){_BUCKET}(?={_QUOTE})",
        # without quotes only what can be no name of a variable: one with a hyphen
        r"(?i:bucket(?:_?name)?[:=])(?P<bucket>(?i:[a-z0-9][a-z0-9.]*-[a-z0-9.\-]+))",
        r"(?i:account(?:[ _]?id)?[\"'`]?\s*[:=]?\s*[\"'`]?)(?P<account>\d{12}|\d{4}-\d{4}-\d{4})\b",
        r"\b(?P<account>\d{12})(?=\.dkr\.ecr)",
        r"\bpersonalize-nb-(?=(?P<account>\d{12}))(?P<bucket>\d{12}-[\w-]+)",
        r"(?<![A-Z0-9])(?P<key_id>(?:AKIA|ASIA)[A-Z0-9]{16}|LOCAL[0-9A-F]{15})\b",
        # not `token=found["Token"]` and `token=read()`: code that names no secret
        rf"(?i:{_SECRET}{_IS})(?P<secret>[^\s\"',)*&<>\[\](;\\]++)(?![\[(])",
        r"\b(?P<secret>sk-[\w-]{16,})",
        r"(?i:request_?id[\"']?\s*[:=]\s*[\"']?)(?P<request>(?i:[0-9a-f]{8}-[0-9a-f-]{27}))",
        # as errors and records of the toolkit end; an id has digits, the next word of a sentence has none
        r"(?:\(request|,\s+host)\s+id\s+(?P<request>(?=[^\s,)]*\d)[^\s,)]+)",
    )
)
_PLACES = (
    (re.compile(r"(http://127\.0\.0\.1:)\d+"), r"\g<1>****"),
    (re.compile(r"(?:/home|/Users)/[^/\s\"']+"), "~"),
    (re.compile(r"(?<![\w.~/])/root(?=/)"), "~"),
    (re.compile(r"[A-Za-z]:\\+Users\\+[^\\\s\"']+"), "~"),
)

_COLOUR = re.compile(r"(\x1b\[[\d;]*m)")
# A name may begin after a colour of a traceback or an escaped line break, which end in a letter.
_BEFORE = r"(\x1b\[[\d;]*m|\\[nrt]|(?<![A-Za-z0-9]))"
_AFTER = r"(?![A-Za-z0-9])"
_KEY_ID = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
_KEY = re.compile(r"(?:(?<=\\[nrt])|(?<![A-Za-z0-9/+]))[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])")
_LEAST_SECRET = 20  # shorter values of tokens and keys may be words such as None
_WORD = re.compile(r"[A-Za-z]?[a-z]+")
_PLACEHOLDERS = frozenset({"bucket", "name", "role", "user"})  # of documentation: `s3://bucket/key`

_WIDGET = "application/vnd.jupyter.widget-view+json"


def redact(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with accounts, roles, buckets, keys, tokens, home folders and request ids masked.

    Parameters
    ----------
    text
        Any text.
    known
        Accounts, buckets and roles to be masked wherever they stand, also where nothing in the text says what they are.

    Examples
    --------
    >>> redact("arn:aws:personalize:eu-west-1:123456789012:solution/films in s3://films-raw/in.json")
    'arn:aws:personalize:eu-west-1:************:solution/films in s3://************/in.json'
    >>> redact("films-raw has the films of 123456789012", known=["films-raw", "123456789012"])
    '************ has the films of ************'
    """
    return _until_stable(text, [*known])


@public
def redact_notebook(path: str | Path, known: Iterable[str] = ()) -> None:
    """Mask a saved notebook in place and drop what goes stale in it: widget state, widget views, run times.

    An account, bucket, role or secret that is recognised anywhere (in a source, an output, Markdown, metadata) is
    masked everywhere in the notebook. A name that is also a plain word (a bucket `films`) is masked where it stands
    in quotes or after the word that says what it is. A widget's view is dropped where the output has another form to
    show, so that readers see that form and not an error about a missing model. Pictures are left as they are.

    Parameters
    ----------
    path
        The `.ipynb` file, nbformat 4.
    known
        Accounts, buckets and roles to be masked although nothing in the notebook says what they are.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        The file is no notebook of nbformat 4, or cannot be read.
    """
    file = Path(path).resolve()  # a link stays a link
    notebook = read_notebook(file)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell.get("metadata", {}).pop("execution", None)
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _WIDGET in data and len(data) > 1:
                del data[_WIDGET]
    notebook = _until_stable(notebook, [*known])
    write_notebook(file, notebook)


def write_notebook(file: Path, notebook: dict[str, Any]) -> None:
    """Save a notebook in place of the one before."""
    _replace(file, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def read_notebook(file: Path) -> dict[str, Any]:
    """Return a saved notebook as JSON has it, or say why it is none."""
    try:
        notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise errors.NotFoundError(
            f"There is no file {str(file)!r}; give the path of a saved notebook (.ipynb), save it first if it is new."
        ) from error
    except OSError as error:
        raise errors.InputError(f"{str(file)!r} cannot be read: {error.strerror}; give a saved notebook.") from error
    except ValueError as error:  # not JSON, or not UTF-8
        raise errors.InputError(
            f"{str(file)!r} is no notebook ({error}); give a saved .ipynb file, for other text there is "
            "personalize_nb.text.redact.redact(text)."
        ) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not (
        isinstance(cells, list)
        and isinstance(notebook.get("metadata"), dict)
        and all(isinstance(cell, dict) and "source" in cell for cell in cells)
    ):
        raise errors.InputError(
            f"{str(file)!r} is no notebook of nbformat 4: it needs 'metadata' and a list of 'cells' with a 'source'; "
            "open it in JupyterLab and save it, or `jupyter nbconvert --to notebook` it."
        )
    return notebook


def _replace(file: Path, text: str) -> None:
    """Write a file whole or not at all: whoever reads it meanwhile, or stops us, finds the old one."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        shutil.copymode(file, name)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


Tree = TypeVar("Tree")


def _until_stable(tree: Tree, known: list[str]) -> Tree:
    """Mask text, or every text of a tree, until nothing more is found: what is masked may complete a pattern."""
    while True:
        names = _pattern({name for text in _texts(tree) for name in _names(text)}.union(known))
        masked: Tree = _mapped(tree, names)
        if masked == tree:
            return masked
        tree = masked


def _texts(tree: Any) -> Iterator[str]:
    """Every text of a notebook but its pictures; a list of strings is one text, as nbformat cuts it at line ends."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list) and tree and all(isinstance(element, str) for element in tree):
        yield "".join(tree)
    elif isinstance(tree, list):
        for element in tree:
            yield from _texts(element)
    elif isinstance(tree, dict):
        for key, element in tree.items():
            if not key.startswith("image/"):
                yield key
                yield from _texts(element)


def _mapped(tree: Any, names: re.Pattern[str] | None) -> Any:
    if isinstance(tree, str):
        return _masked(tree, names)
    if isinstance(tree, list):
        whole = "".join(tree) if tree and all(isinstance(element, str) for element in tree) else ""
        if whole and whole.splitlines(keepends=True) == tree:
            return _masked(whole, names).splitlines(keepends=True)
        return [_mapped(element, names) for element in tree]
    if isinstance(tree, dict):
        return {
            _masked(key, names): element if key.startswith("image/") else _mapped(element, names)
            for key, element in tree.items()
        }
    return tree


def _names(text: str) -> Iterator[str]:
    """Return the accounts, buckets, roles and secrets that stand in a text where something says what they are."""
    for seen in dict.fromkeys((text, _COLOUR.sub("", text))):
        for match in (match for rule in _RULES for match in rule.finditer(seen)):
            for kind, value in match.groupdict().items():
                yield from _worth_masking_elsewhere(kind, value or "")
    for match in _KEY_ID.finditer(text):  # its secret stands on the same line, or on the next
        begin = text.rfind("\n", 0, match.start()) + 1
        for line in text[begin:].split("\n", 2)[:2]:
            yield from _KEY.findall(line)


def _worth_masking_elsewhere(kind: str, value: str) -> Iterator[str]:
    if "*" in value or value.rsplit("/", 1)[-1].lower() in _PLACEHOLDERS:
        return
    if kind == "account":
        yield value.replace("-", "")
    elif kind == "bucket":
        yield value.strip(".-")
    elif kind in ("role", "assumed"):
        yield value.rstrip("./,").rsplit("/", 1)[-1]  # what stands before it are paths such as service-role
    elif kind == "secret" and len(value) >= _LEAST_SECRET:
        yield value


def _pattern(names: set[str]) -> re.Pattern[str] | None:
    """Return a pattern for names anywhere; longer ones first, because one may begin with another."""
    parts = []
    for name in sorted((name for name in names if len(name) >= 3), key=lambda name: (-len(name), name)):
        literal = re.escape(name)
        if re.fullmatch(r"\d{12}", name):
            parts.append(rf"{literal}|{name[:4]}-{name[4:8]}-{name[8:]}")
        elif _WORD.fullmatch(name):
            parts.append(rf"(?<=[\"'`]){literal}(?=[\"'`\\])|(?<=&\#39;){literal}(?=&)|(?<=&quot;){literal}(?=&)")
            parts.append("|".join(rf"(?<={word} ){literal}" for word in ("bucket", "Bucket", "role", "Role")))
        else:
            parts.append(literal)
    return re.compile(rf"{_BEFORE}(?:{'|'.join(parts)}){_AFTER}") if parts else None


def _masked(text: str, names: re.Pattern[str] | None) -> str:
    for rule in _RULES:
        text = _replaced(rule, _with_groups_masked, text)
    for pattern, replacement in _PLACES:
        text = _replaced(pattern, partial(_expanded, replacement), text)
    return _replaced(names, partial(_expanded, rf"\g<1>{MASK}"), text) if names else text


def _replaced(pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], text: str) -> str:
    """Replace what the pattern finds in the text as a reader sees it, without its colours, and then in the text itself.

    A colour within what is replaced comes after it. One between two words keeps them apart in the text itself only.
    """
    pieces = _COLOUR.split(text)  # what is read and colours in turn
    if len(pieces) == 1:
        return pattern.sub(replace, text)
    read = "".join(pieces[::2])
    places = list(accumulate(map(len, pieces[::2])))
    colours = pieces[1::2]
    parts: list[str] = []
    done, put = 0, 0

    def up_to(end: int) -> None:
        nonlocal done, put
        while put < len(colours) and places[put] <= end:
            parts.extend((read[done : max(done, places[put])], colours[put]))
            done, put = max(done, places[put]), put + 1
        parts.append(read[done:end])
        done = end

    for match in pattern.finditer(read):
        old, new = match.group(), replace(match)
        same = len(os.path.commonprefix((old, new)))
        if old != new:
            up_to(match.start() + same)
            parts.append(new[same:])
            done = match.end()
    up_to(len(read))
    return pattern.sub(replace, "".join(parts))


def _expanded(template: str, match: re.Match[str]) -> str:
    return match.expand(template)


def _with_groups_masked(match: re.Match[str]) -> str:
    parts, done = [], match.start()
    for start, end in sorted(map(match.span, match.groupdict()), key=lambda span: (span[0], -span[1])):
        if start >= done:  # else it was not there, or lies within the one before
            parts += [match.string[done:start], MASK]
            done = end
    return "".join([*parts, match.string[done : match.end()]])
