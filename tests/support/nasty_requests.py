"""Requests that botocore's models allow by name and no honest client would send: one member holds something nasty.

Written by hand down to the bytes, because botocore itself would refuse, convert or quote what is tried here.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote, quote_from_bytes

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, StructureShape

MODELS = ("personalize", "personalize-runtime", "personalize-events", "s3", "iam", "sts", "kms")
DEEPEST = 3
_PLAUSIBLE = (
    "name",
    "arn:aws:personalize:us-east-1:123456789012:dataset-group/name",
    "arn:aws:iam::123456789012:role/PersonalizeNbLocal",
    "s3://data/name.csv",
    "alias/name",
    "ITEM_ID",
    "1",
)
_NUL_TOKEN = base64.b64encode(b"a\0b").decode()
TEXTS = (
    "", " ", "\0", "a\0b", "\ud800", "\ufffe", "é" * 3000, "a" * 70_000, "inf", "-inf", "nan", "1e400", "-1", "1_0",
    "٣", "9" * 17, "9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
    "Mon, 99 Foo 0000 00:00:00 GMT", "bytes=" + "9" * 5000 + "-", "bytes=0-" + "9" * 5000, "bytes=-" + "9" * 5000,
    "=====", "a", _NUL_TOKEN, base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"[" * 9000).decode(),
    base64.b64encode(b"9" * 5000).decode(), "%00", "%zz", "%ff%fe", "a=b&c&=&%00=%ff", "../../etc", "//", "?", "s3://",
    "s3://b\0/k", "arn:", "arn:aws:s3:::", "arn:aws:personalize:::", "[" * 3000, "{" * 3000, '{"a":' * 3000,
    "(" * 3000, '{"Statement": ' + "9" * 5000 + "}", '{"Version": 1e400}', '"\\ud800"', "NaN", "\ud83d", "\r\n x: y",
    "<a>" * 3000, "<!DOCTYPE a>", "&#0;", "]]>",
)  # fmt: skip
# as they stand in a JSON document
JSON_VALUES = (
    "null", "true", "0", "-1", "1.5", "1e400", "-1e400", "1e308", "NaN", "Infinity", "9" * 17, "9" * 25, "9" * 5000,
    "0." + "1" * 17, "1e-400", "253402300800", "-62135596801", "[]", "{}", "[null]", "[[]]", '{"": null}',
    '{"\\u0000": 1}', '{"\\ud800": "a"}', "[" * 600 + "]" * 600, '{"a":' * 600 + "1" + "}" * 600, "[" * 60_000,
    '"\\ud800"', '"\\ud83d"', '"\\u0000"', '"\\udc00\\ud800"', '"\\x"',
)  # fmt: skip


@dataclass
class Sent:
    """A request before it is signed."""

    service: str
    method: str = "POST"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def operations():
    """Every operation of every model, by the model's name and its own."""
    return [(name, operation) for name in MODELS for operation in _model(name).operation_names]


def members(model_name, operation):
    """Paths of all members of a request, down to a depth: names of structures' members, 0 for an element."""
    shape = _model(model_name).operation_model(operation).input_shape
    return [()] if shape is None else [(), *_paths(shape, (), DEEPEST)]


def values(model_name):
    """What can be put at a member, as text that the protocol carries."""
    texts = [json.dumps(text) for text in TEXTS] if _is_json(model_name) else list(TEXTS)
    return [*texts, *JSON_VALUES] if _is_json(model_name) else texts


def write(model_name, operation, path, value):
    """The request whose member at `path` is `value`, and whose required ones are as right as a guess can be."""
    model = _model(model_name).operation_model(operation)
    if _is_json(model_name):
        return _write_json(model_name, model, path, value)
    if model_name == "s3":
        return _write_s3(model, path, value)
    fields = [("Action", operation), *_form(model.input_shape, "", path, value)]
    pairs = "&".join(f"{_escaped(name)}={_escaped(text)}" for name, text in fields)
    return Sent(model_name, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=pairs.encode())


@cache
def _model(name):
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def _is_json(model_name):
    return model_name == "kms" or model_name.startswith("personalize")


def _paths(shape, path, depth):
    if isinstance(shape, StructureShape):
        children = [(name, member) for name, member in shape.members.items()]
    elif isinstance(shape, ListShape):
        children = [(0, shape.member)]
    elif isinstance(shape, MapShape):
        children = [("key", shape.value)]
    else:
        return
    for name, member in children:
        yield (*path, name)
        if depth > 1:
            yield from _paths(member, (*path, name), depth - 1)


def _guess(shape):
    """A plain value for a scalar."""
    if shape.type_name == "string":
        if getattr(shape, "enum", None):
            return shape.enum[0]
        pattern, least = shape.metadata.get("pattern", ""), shape.metadata.get("min", 0)
        legal = [text for text in _PLAUSIBLE if len(text) >= least and _fits(pattern, text)]
        return legal[0] if legal else "name".ljust(least, "e")
    return {"boolean": "true", "blob": "YQ==", "timestamp": "2026-01-01T00:00:00Z"}.get(
        shape.type_name, str(shape.metadata.get("min", 1))
    )


def _fits(pattern, text):
    try:
        return not pattern or re.fullmatch(pattern, text) is not None
    except re.error:
        return True


def _wanted(shape, path):
    """Members of a structure to be sent: the required ones and that on the way to the nasty one."""
    return [name for name in shape.members if name in shape.required_members or path[:1] == (name,)]


def _write_json(model_name, model, path, value):
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    prefix = model.service_model.metadata.get("targetPrefix")
    if prefix:
        headers["X-Amz-Target"] = f"{prefix}.{model.name}"
    text = "{}" if model.input_shape is None and path != () else _json(model.input_shape, path, value)
    service = "kms" if model_name == "kms" else "personalize"
    target = model.http["requestUri"] if model_name in ("personalize-runtime", "personalize-events") else "/"
    return Sent(service, path=target, headers=headers, body=text.encode("utf-8", "surrogatepass"))


def _json(shape, path, value):
    if path == ():
        return value
    if path is None:
        path = ("",)  # nothing nasty below
    if isinstance(shape, StructureShape):
        parts = [
            f'"{name}": {_json(shape.members[name], path[1:] if path[0] == name else None, value)}'
            for name in _wanted(shape, path)
        ]
        return "{" + ", ".join(parts) + "}"
    if isinstance(shape, ListShape):
        return "[" + _json(shape.member, path[1:] if path[0] == 0 else None, value) + "]"
    if isinstance(shape, MapShape):
        return '{"key": ' + _json(shape.value, path[1:] if path[0] == "key" else None, value) + "}"
    guess = _guess(shape)
    return guess if shape.type_name in ("integer", "long", "float", "double", "boolean") else json.dumps(guess)


def _form(shape, name, path, value):
    if shape is None:
        return
    if path == ():
        yield name or "Nonsense", value
    elif isinstance(shape, StructureShape):
        for member in _wanted(shape, path or ("",)):
            below = path[1:] if path and path[0] == member else None
            yield from _form(shape.members[member], f"{name}.{member}" if name else member, below, value)
    elif isinstance(shape, ListShape):
        yield from _form(shape.member, f"{name}.member.1", path[1:] if path else None, value)
    elif isinstance(shape, MapShape):
        yield f"{name}.entry.1.key", "key"
        yield from _form(shape.value, f"{name}.entry.1.value", path[1:] if path else None, value)
    else:
        yield name, _guess(shape)


def _write_s3(model, path, value):
    sent = Sent("s3", model.http["method"], model.http["requestUri"].partition("?")[0])
    fixed = model.http["requestUri"].partition("?")[2]
    query = [fixed] if fixed else []
    shape = model.input_shape
    for name in _wanted(shape, path or ("",)) if shape else ():
        member, below = shape.members[name], path[1:] if path[:1] == (name,) else None
        text = value if below is not None else _guess(member)
        location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            plain = {"Bucket": "data", "Key": "name"}[name] if below is None else text
            sent.path = sent.path.replace("{" + wire_name + "}", _escaped(plain)).replace(
                "{" + wire_name + "+}", _escaped(plain)
            )
        elif location == "querystring":
            query.append(f"{_escaped(wire_name)}={_escaped(text)}")
        elif location == "header":
            sent.headers[wire_name] = _one_line(text)
        elif location == "headers":
            sent.headers[f"{wire_name}a"] = _one_line(text)
        elif member.type_name == "structure":
            root = member.serialization.get("name", name)
            sent.body = f"<{root}>{_xml(member, below, value)}</{root}>".encode("utf-8", "surrogatepass")
        else:
            sent.body = text.encode("utf-8", "surrogatepass")
    sent.path += "?" + "&".join(query) if query else ""
    return sent


def _xml(shape, path, value):
    if path == ():
        return value
    if isinstance(shape, StructureShape):
        return "".join(
            _element(name, shape.members[name], path[1:] if path and path[0] == name else None, value)
            for name in _wanted(shape, path or ("",))
        )
    if isinstance(shape, ListShape):
        name = shape.member.serialization.get("name", "member")
        return _element(name, shape.member, path[1:] if path else None, value)
    if isinstance(shape, MapShape):
        return f"<entry><key>key</key><value>{_xml(shape.value, path[1:] if path else None, value)}</value></entry>"
    return _guess(shape)


def _element(name, shape, path, value):
    tag = shape.serialization.get("name", name)
    if isinstance(shape, ListShape) and shape.serialization.get("flattened") and path != ():
        return f"<{tag}>{_xml(shape.member, path[1:] if path else None, value)}</{tag}>"
    return f"<{tag}>{_xml(shape, path, value)}</{tag}>"


def _escaped(text):
    """Percent-encoded, but for what is so already, be it right or wrong."""
    if re.search(r"%[0-9a-z]{2}", text):
        return quote(text, safe="%&=")
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="/")


def _one_line(text):
    return re.sub(r"[\r\n\0]", " ", text)[:7000].encode("utf-8", "surrogatepass").decode("latin-1").strip()
