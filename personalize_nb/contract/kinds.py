"""What the value of a job parameter can be: how it is judged, sent, read back, typed into a form and told.

A row of the table of parameters names one kind. No kind knows the parameter it is of, so a new parameter is a new row
and nothing else.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb.contract import limits


class Kind:
    """Any value, sent as it is."""

    lines = False  # whether it is typed into several lines
    place = False  # whether it is a place that is looked at once it is settled, not at each key press

    @property
    def masked(self) -> bool:
        """Whether a saved notebook does not show it."""
        return False

    @property
    def example(self) -> str:
        """How a mapping is written, where only a mapping will do."""
        return ""

    @property
    def measure(self) -> str:
        """What stands beside a field of numbers: what is counted, or the ends of the range."""
        return ""

    def is_empty(self, value: Any) -> bool:
        """Tell whether a value says nothing, so that it is not sent; an empty one of another kind is wrong."""
        return value is None

    def problems(self, name: str, value: Any) -> Iterator[str]:
        """Yield a sentence for each rule that a value breaks."""
        yield from ()

    def outside(self, value: Any) -> str:
        """Say what a value must be that is out of a range; nothing of one that is not."""
        return ""

    def filled(self, value: Any) -> Any:
        """Return what a request holds for the argument of a call."""
        return value

    def to_wire(self, value: Any) -> Any:
        """Return a value as the API takes it."""
        return value

    def from_wire(self, wire: Any) -> Any:
        """Return a value that the API told."""
        return wire

    def parse(self, text: str) -> Any:
        """Return the value of a form's field, None for an empty one; ValueError says what it must be."""
        return text.strip() or None

    def shown(self, value: Any) -> str:
        """Return what a form's field shows for a value given in code."""
        return "" if value is None else str(value)

    def short(self, value: Any) -> Any:
        """Return a value as a call that repeats the job names it."""
        return value

    def told(self, value: Any) -> str:
        """Return a value as a receipt tells it."""
        return str(self.short(value))


@dataclass(frozen=True)
class Text(Kind):
    """A string.

    Parameters
    ----------
    shape
        Its shape in the service's model.
    legal
        What it must be.
    """

    shape: str
    legal: str

    def is_empty(self, value: Any) -> bool:
        return value is None or (isinstance(value, str) and not value)

    def problems(self, name: str, value: Any) -> Iterator[str]:
        if not limits.string_rule(self.shape).allows(value or ""):
            yield f"'{name}' {self.legal}, got {value!r}."


@dataclass(frozen=True)
class Arn(Text):
    """An ARN.

    Parameters
    ----------
    resource
        The kind of resource that is found by what follows in the ARN, as `filter` is by its name.
    """

    resource: str = ""

    @property
    def masked(self) -> bool:
        return not self.resource

    def short(self, value: Any) -> Any:
        return value.split(f":{self.resource}/", 1)[-1] if self.resource else value


@dataclass(frozen=True)
class Location(Kind):
    """An `s3://` address."""

    shape: str = "S3Location"
    place = True

    def problems(self, name: str, value: Any) -> Iterator[str]:
        rule = limits.string_rule(self.shape)
        if not rule.allows(value) or not re.match(r"s3://[^/]", value):
            yield f"'{name}' must be s3://bucket/key with at most {rule.max_length} characters, got {value!r}."


@dataclass(frozen=True)
class Choice(Kind):
    """One of the values that the service's model lists for a shape."""

    shape: str

    def problems(self, name: str, value: Any) -> Iterator[str]:
        legal = limits.string_rule(self.shape).values
        if legal and value not in legal:
            yield f"'{name}' must be one of {', '.join(legal)}, got {value!r}."


@dataclass(frozen=True)
class Number(Kind):
    """A number within a range.

    Parameters
    ----------
    low, high
        The range, both ends legal.
    unit
        What is counted.
    as_text
        Whether the API takes it as text, as it takes every hyperparameter.
    """

    low: float
    high: float = float("inf")
    unit: str = ""
    as_text: bool = False

    @property
    def range(self) -> str:
        """The legal range in words."""
        if self.high < float("inf"):
            return f"from {self.low:g} to {self.high:g}"
        return " ".join(filter(None, (f"{self.low:g}", self.unit, "or more")))

    @property
    def measure(self) -> str:
        ends = f"{self.low:g} to {self.high:g}" if self.high < float("inf") else ""
        return f"{self.unit}s" if self.unit else ends

    def within(self, value: Any) -> bool:
        """Tell whether a value is a number in the range."""
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return real and bool(self.low <= value <= self.high)

    def outside(self, value: Any) -> str:
        return "" if self.within(value) else f"must be {self.range}"

    def problems(self, name: str, value: Any) -> Iterator[str]:
        if wrong := self.outside(value):
            yield f"'{name}' {wrong}, got {value!r}."

    def to_wire(self, value: Any) -> Any:
        if not self.as_text:
            return float(value)
        return str(int(value)) if float(value).is_integer() else repr(float(value))  # `30` rather than `30.0`

    def from_wire(self, wire: Any) -> Any:
        return float(wire)

    def parse(self, text: str) -> Any:
        try:
            return float(text) if text.strip() else None
        except ValueError:
            raise ValueError("must be a number") from None

    def told(self, value: Any) -> str:
        return f"{value:g}"


@dataclass(frozen=True)
class WholeNumber(Number):
    """A whole number within a range."""

    def within(self, value: Any) -> bool:
        return isinstance(value, numbers.Integral) and super().within(value)

    def problems(self, name: str, value: Any) -> Iterator[str]:
        if not self.within(value):
            yield f"'{name}' must be a whole number from {self.low:g}, got {value!r}."

    def to_wire(self, value: Any) -> Any:
        return int(value)

    def from_wire(self, wire: Any) -> Any:
        return wire

    def parse(self, text: str) -> Any:
        try:
            return int(text) if text.strip() else None
        except ValueError:
            raise ValueError("must be a whole number") from None

    def told(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Weights(Kind):
    """A mapping of some names to numbers; a form has a field for each name.

    Parameters
    ----------
    names
        The names.
    weight
        What each number must be.
    """

    names: tuple[str, ...]
    weight: Number

    @property
    def measure(self) -> str:
        return self.weight.measure

    @property
    def example(self) -> str:
        return f"{{{self.names[0]!r}: 0.5}}"

    def is_empty(self, value: Any) -> bool:
        return value is None or (isinstance(value, Mapping) and not value)

    def problems(self, name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"'{name}' must be a mapping such as {self.example}, got {value!r}."
            return
        for key, weight in value.items():
            if key not in self.names:
                yield f"'{name}' takes {' and '.join(self.names)}, got {key!r}."
            elif not self.weight.within(weight):
                yield f"'{name}' {key} must be {self.weight.range}, got {weight!r}."

    def filled(self, value: Any) -> Any:
        return {str(key).upper(): weight for key, weight in (value or {}).items()}  # as names of columns, in any case

    def to_wire(self, value: Any) -> Any:
        return {key: float(weight) for key, weight in value.items()}

    def from_wire(self, wire: Any) -> Any:
        return dict(wire)

    def parse(self, text: str) -> Any:
        return self.weight.parse(text)

    def short(self, value: Any) -> Any:
        return dict(value)

    def told(self, value: Any) -> str:
        return ", ".join(f"{name} {weight:g}" for name, weight in value.items())


class Tags(Kind):
    """Tags, a mapping of text to text."""

    lines = True

    @property
    def example(self) -> str:
        return "{'team': 'books'}"

    def is_empty(self, value: Any) -> bool:
        return value is None or (isinstance(value, Mapping) and not value)

    def problems(self, name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"'{name}' must be a mapping such as {self.example}, got {value!r}."
            return
        if len(value) > limits.MAX_TAGS:
            yield f"There may be at most {limits.MAX_TAGS} tags, got {len(value)}."
        for key, tag in value.items():
            if not self._legal("TagKey", key) or not self._legal("TagValue", tag):
                yield (
                    "A tag is text: a key of 1 to 128 and a value of up to 256 letters, digits, spaces and _.:/=+-@, "
                    f"not beginning with 'aws:', got {key!r}: {tag!r}."
                )

    @staticmethod
    def _legal(shape: str, text: Any) -> bool:
        fits = isinstance(text, str) and limits.string_rule(shape).allows(text)
        return fits and not text.lower().startswith("aws:")

    def filled(self, value: Any) -> Any:
        return dict(value or {})

    def to_wire(self, value: Any) -> Any:
        return [{"tagKey": key, "tagValue": tag} for key, tag in value.items()]

    def from_wire(self, wire: Any) -> Any:
        return {tag["tagKey"]: tag["tagValue"] for tag in wire}

    def parse(self, text: str) -> Any:
        tags: dict[str, str] = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            key, equals, tag = map(str.strip, line.partition("="))
            if not equals:
                raise ValueError("must be lines of key=value")
            if key in tags:
                raise ValueError(f"must name each key once, {key!r} is there twice")
            tags[key] = tag
        return tags

    def shown(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            return super().shown(value)
        return "\n".join(f"{key}={tag}" for key, tag in value.items())

    def short(self, value: Any) -> Any:
        return dict(value)

    def told(self, value: Any) -> str:
        return ", ".join(f"{key}={tag}" for key, tag in value.items())
