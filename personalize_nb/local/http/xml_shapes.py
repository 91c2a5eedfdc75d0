"""XML to and from plain values, as botocore's shapes say; for S3 (REST-XML), IAM and STS (query).

Element names, flattened lists and attributes come from the service model. Documents with a document type are
refused, so no entity is ever expanded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(tag: str, shape: StructureShape, value: Mapping[str, Any], namespace: str = "") -> bytes:
    """Return a document whose root is `tag` and whose content are the members of a structure that go into the body."""
    root = ElementTree.Element(tag, {"xmlns": namespace} if namespace else {})
    add_members(root, shape, value)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root)


def add_members(parent: ElementTree.Element, shape: StructureShape, value: Mapping[str, Any]) -> None:
    """Append the members of a structure; those that belong in headers and those that are None are left out."""
    for name, member in shape.members.items():
        if value.get(name) is None or "location" in member.serialization:
            continue
        if member.serialization.get("xmlAttribute"):
            space = shape.serialization["xmlNamespace"]
            parent.set(f"xmlns:{space['prefix']}", space["uri"])
            parent.set(member.serialization["name"], value[name])
        else:
            _add(parent, member.serialization.get("name", name), member, value[name])


def escaped(text: str) -> str:
    """Any text as the content of an element; characters that XML cannot hold are replaced."""
    return escape(_NO_XML.sub("\ufffd", text))


def parse(document: bytes, shape: Shape) -> Any:
    """Return the value in a document, by the shape of its root; `MalformedXML` when it is none."""
    parser = ElementTree.XMLParser(target=_PlainTree())
    try:
        parser.feed(document)
        root = parser.close()
        return _value(root, shape)
    except (ElementTree.ParseError, ValueError) as error:
        raise ApiError("MalformedXML", f"The XML you provided was not well-formed: {error}.") from error


class _PlainTree(ElementTree.TreeBuilder):
    def doctype(self, name: str, public_id: str | None, system: str | None) -> None:
        raise ValueError("a document type declaration is not allowed")


def _add(parent: ElementTree.Element, tag: str, shape: Shape, value: Any) -> None:
    if isinstance(shape, ListShape):
        flat = shape.serialization.get("flattened")
        holder = parent if flat else ElementTree.SubElement(parent, tag)
        item = shape.member.serialization.get("name", "member")
        for element in value:
            _add(holder, tag if flat else item, shape.member, element)
    elif isinstance(shape, StructureShape):
        add_members(ElementTree.SubElement(parent, tag), shape, value)
    elif isinstance(shape, MapShape):
        holder = ElementTree.SubElement(parent, tag)
        for key, element in value.items():
            entry = ElementTree.SubElement(holder, "entry")
            _add(entry, shape.key.serialization.get("name", "key"), shape.key, key)
            _add(entry, shape.value.serialization.get("name", "value"), shape.value, element)
    else:
        ElementTree.SubElement(parent, tag).text = _text(shape.type_name, value)


def _text(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if kind == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def _value(element: ElementTree.Element, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(element, shape)
    if isinstance(shape, ListShape):
        return [_value(child, shape.member) for child in element]
    if isinstance(shape, MapShape):
        return {entry[0].text or "": _value(entry[1], shape.value) for entry in element}
    return scalar(shape.type_name, element.text or "")


def scalar(kind: str, text: str) -> Any:
    """Return a scalar of a query, a header or an element; ValueError when the text is not of that kind."""
    if kind in ("integer", "long"):
        return numbers.whole(text)
    if kind in ("float", "double"):
        return numbers.real(text)
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither 'true' nor 'false'")
        return text.lower() == "true"
    if kind == "timestamp":
        return numbers.timestamp(text)
    if kind == "blob":
        return base64.b64decode(text, validate=True)
    return text


def _structure(element: ElementTree.Element, shape: StructureShape) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(child)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        tag = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            values = {_local(key): text for key, text in element.attrib.items()}
            if tag.rpartition(":")[2] in values:
                found[name] = values[tag.rpartition(":")[2]]
        elif tag in children:
            if isinstance(member, ListShape) and member.serialization.get("flattened"):
                found[name] = [_value(child, member.member) for child in children[tag]]
            else:
                found[name] = _value(children[tag][0], member)
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
