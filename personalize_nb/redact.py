"""Mask what a shared notebook should not tell: accounts, roles, buckets, keys, tokens, home folders, request ids.

`redact` works on text, `redact_notebook` on a saved notebook (sources, outputs, error tracebacks). Both are
idempotent. Twelve digits alone are left as they are (item ids look like that); they are masked where an ARN, a
bucket or the word "account" says what they are. Floor 0.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

MASK = "************"

_QUOTE = r"""(?:\\?["']|&quot;|&\#3[49];|&\#x27;)"""
_IS = rf"{_QUOTE}?\s*[:=]\s*{_QUOTE}?"
_SECRET = (
    r"(?:secret_?access_?key|(?:session|security|auth|access|refresh|bearer)[_-]?token|api[_-]?key"
    r"|x-amz-(?:signature|credential|security-token))"
)
_ACCOUNT = r"(?:\d{12}|\*{12})"
_BUCKET = r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"
_S3_HOST = r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(arn:aws[\w-]*:s3:::)[\w.\-]+", rf"\g<1>{MASK}"),
        (
            rf"(arn:aws[\w-]*:(?:iam|sts)::){_ACCOUNT}(:[a-z]+(?:-[a-z]+)*/)(?!\*)[\w+=,.@\-/]+",
            rf"\g<1>{MASK}\g<2>{MASK}",
        ),
        (r"\b((?:assumed-role|instance-profile)/)[\w+=,.@\-/]+", rf"\g<1>{MASK}"),
        (r"(arn:aws[\w-]*:kms:[\w-]*:)\d{12}(:(?:key|alias)/)[\w\-/]+", rf"\g<1>{MASK}\g<2>{MASK}"),
        (r"(arn:aws[\w-]*:[\w-]+:[\w-]*:)\d{12}(?=:)", rf"\g<1>{MASK}"),
        (r"(s3://)(?!\*)[a-z0-9][a-z0-9.\-]{1,62}", rf"\g<1>{MASK}"),
        (rf"(https?://)(?!s3[.-]){_BUCKET}(?=\.{_S3_HOST})", rf"\g<1>{MASK}"),
        (rf"(https?://{_S3_HOST}(?:\.cn)?/){_BUCKET}", rf"\g<1>{MASK}"),
        (rf"(?i)(bucket(?:_?name)?{_QUOTE}?\s*[:=]\s*{_QUOTE}){_BUCKET}(?={_QUOTE})", rf"\g<1>{MASK}"),
        # without quotes only what can be no name of a variable: one with a hyphen
        (r"(?i)(bucket(?:_?name)?[:=])[a-z0-9][a-z0-9.]*-[a-z0-9.\-]+", rf"\g<1>{MASK}"),
        (r"(?i)(account(?:[ _]?id)?[\"']?\s*[:=]?\s*[\"']?)\d{12}\b", rf"\g<1>{MASK}"),
        (r"\b\d{12}(?=\.dkr\.ecr)", MASK),
        (r"\bpersonalize-nb-\d{12}-[\w-]+", f"personalize-nb-{MASK}"),
        (r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|LOCAL[0-9A-F]{15})\b", MASK),
        # not `token=found["Token"]` and `token=read()`: code that names no secret
        (rf"(?i)({_SECRET}{_IS})[^\s\"',)*&<>\[\](;\\]++(?![\[(])", rf"\g<1>{MASK}"),
        (r"\bsk-[\w-]{16,}", MASK),
        (r"(?i)(request_?id[\"']?\s*[:=]\s*[\"']?)[0-9a-f]{8}-[0-9a-f-]{27}", rf"\g<1>{MASK}"),
        (r"(http://127\.0\.0\.1:)\d+", r"\g<1>****"),
        (r"(?:/home|/Users)/[^/\s\"']+", "~"),
        (r"(?<![\w.~/])/root(?=/)", "~"),
        (r"[A-Za-z]:\\+Users\\+[^\\\s\"']+", "~"),
    )
)

_WIDGET = "application/vnd.jupyter.widget-view+json"


def redact(text: str) -> str:
    """Return the text with accounts, roles, buckets, keys, tokens, home folders and request ids masked.

    Examples
    --------
    >>> redact("arn:aws:personalize:eu-west-1:123456789012:solution/films in s3://films-raw/in.json")
    'arn:aws:personalize:eu-west-1:************:solution/films in s3://************/in.json'
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact_notebook(path: str | Path) -> None:
    """Mask a saved notebook in place and drop what goes stale in it: widget state, widget views, run times.

    A widget's view is dropped where the output has another form to show, so that readers see that form and not an
    error about a missing model. Pictures are left as they are.

    Parameters
    ----------
    path
        The `.ipynb` file, nbformat 4.
    """
    file = Path(path).resolve()  # a link stays a link
    notebook = json.loads(file.read_text(encoding="utf-8"))
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        cell["source"] = _redact_tree(cell["source"])
        for output in cell.get("outputs", ()):
            _redact_output(output)
    _replace(file, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


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


def _redact_output(output: dict[str, Any]) -> None:
    data = output.get("data", {})
    if _WIDGET in data and len(data) > 1:
        del data[_WIDGET]
    for mime in data:
        if not mime.startswith("image/"):
            data[mime] = _redact_tree(data[mime])
    for member in ("text", "evalue", "traceback"):
        if member in output:
            output[member] = _redact_tree(output[member])


def _redact_tree(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redact_tree(element) for element in value]
    if isinstance(value, dict):
        return {key: _redact_tree(element) for key, element in value.items()}
    return value
