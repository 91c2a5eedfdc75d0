"""What users call: a mistake in the call is told with what is meant, and a stop with what goes on without it.

`public` stands above every function and class that users have in hand. It costs a call nothing to speak of: arguments
are judged only once Python has refused them, and attributes once they were not found. What the package calls by itself
is let through, because a wrong call in there is no mistake of the user's and keeps its traceback.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar, cast, overload

from personalize_nb.errors import ArgumentError, Interrupted, MissingAttributeError, PersonalizeError, meant

T = TypeVar("T", bound=Callable[..., Any])

# How many of the things that go on are named.
_NAMED = 5
# How many attributes are listed in a line that people still read.
_LISTED = 40
_DOOR = "_stands_at_the_door"
# Among the `attrs` of a frame that a public call gave: notebooks show it by `notebook.data_frames`.
OURS = "personalize_nb"


class _Begun:
    """What one call of the user's has begun at a service, and what it was asking for when it was stopped."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.asked: list[tuple[str, str]] = []

    def looks(self) -> list[str]:
        """Say how to look at what was just asked for."""
        return [f"{look} tells whether there is {what}." for what, look in self.asked if look]

    def told(self, call: str, again: str) -> str:
        """Say what goes on after the call was stopped."""
        sentences = [f"stopped {call}()."]
        for things, verb in (
            (self.made, "is begun and goes on"),
            (self.asked, "was just asked for and may have begun"),
        ):
            for what, look in things[:_NAMED]:
                sentences.append(f"{what[:1].upper()}{what[1:]} {verb}{f': {look} looks at it again' if look else ''}.")
            if more := len(things) - _NAMED:
                sentences += [f"So {'is' if more == 1 else 'are'} {more} more."] if more > 0 else []
        if len(sentences) == 1:
            sentences.append("It had begun nothing that goes on.")
        return " ".join([*sentences, *([again] if again else [])])


_call: ContextVar[_Begun | None] = ContextVar("call", default=None)


@overload
def public(thing: T) -> T: ...
@overload
def public(*, again: str) -> Callable[[T], T]: ...


def public(thing: T | None = None, *, again: str = "") -> T | Callable[[T], T]:
    """Let a function or class tell users what they got wrong in calling it, and what goes on where they stop it.

    Parameters
    ----------
    thing
        The function or class.
    again
        What the same call does after it was stopped; a sentence.

    Examples
    --------
    >>> @public
    ... def add(left, right=0):
    ...     return left + right
    >>> add(1, rihgt=2)
    Traceback (most recent call last):
    ...
    personalize_nb.errors.ArgumentError: add() has no parameter 'rihgt' (did you mean 'right'?); legal are left, right.
    """
    if thing is None:
        return functools.partial(public, again=again)
    if not isinstance(thing, type):
        return cast(T, _door(thing, again))
    for kind in thing.__mro__:
        if kind.__module__.split(".")[0] == __name__.split(".")[0]:  # what users have of the classes it is made of
            for name, member in list(vars(kind).items()):
                if not name.startswith("_") or name == "__init__":
                    setattr(kind, name, _member(member, again))
    if not hasattr(thing, "__getattr__"):
        thing.__getattr__ = _absent  # type: ignore[attr-defined]  # type checkers go on refusing such attributes
    return thing


def _member(member: Any, again: str) -> Any:
    """Return a member of a class as users have it."""
    if hasattr(getattr(member, "fget", member), _DOOR):  # of a class that another one is made of as well
        return member
    if isinstance(member, classmethod | staticmethod):
        return type(member)(_door(member.__func__, again))
    if type(member) is property and member.fget is not None:
        return property(_door(member.fget, again), member.fset, member.fdel, member.__doc__)
    return _door(member, again) if inspect.isfunction(member) else member


def _door(function: Callable[..., Any], again: str) -> Callable[..., Any]:
    call = function.__qualname__.rpartition("<locals>.")[2].removesuffix(".__init__")

    @functools.wraps(function)
    def door(*args: Any, **given: Any) -> Any:
        if _call.get() is not None:  # the package itself calls
            return function(*args, **given)
        begun = _Begun()
        token = _call.set(begun)
        try:
            return _ours(function(*args, **given))
        except PersonalizeError:
            raise
        except Exception as error:
            if told := _mistaken(function, args, given, call, error):
                raise ArgumentError(told) from error
            raise
        except Interrupted as stop:  # a wait, which knows more of what it waited for
            stop.args = (" ".join([str(stop), *begun.looks()]),)
            raise
        except KeyboardInterrupt as stop:
            raise Interrupted(begun.told(call, again)) from stop
        finally:
            _call.reset(token)

    setattr(door, _DOOR, True)
    return door


def _ours(answer: Any) -> Any:
    """Mark a frame of pandas as one that a call of ours gave; pandas hands the mark on to its parts."""
    kind = type(answer)
    if kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas":  # which is not imported for this
        answer.attrs.setdefault(OURS, True)
    return answer


def _mistaken(
    function: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any], call: str, error: Exception
) -> str:
    """Say which arguments made a call fail; empty where they are what it takes."""
    from personalize_nb.text.argument_types import strangers  # only a call that fails needs it

    if told := misfits(inspect.signature(function), args, given, call):
        return told if isinstance(error, TypeError) else ""
    return strangers(function, args, given, call)


def misfits(signature: inspect.Signature, args: Sequence[Any], given: Mapping[str, Any], call: str) -> str:
    """Say all that is wrong with the arguments of a call; empty where they fit.

    Parameters
    ----------
    signature
        What the call takes.
    args, given
        What it got, by position and by name.
    call
        What is called.
    """
    rows = list(signature.parameters.values())
    by_place = [row.name for row in rows if row.kind in (row.POSITIONAL_ONLY, row.POSITIONAL_OR_KEYWORD)]
    own = 1 if by_place[:1] in (["self"], ["cls"]) else 0  # Python passes the thing itself
    legal = [row.name for row in rows if row.kind in (row.POSITIONAL_OR_KEYWORD, row.KEYWORD_ONLY)][own:]
    kinds = {row.kind for row in rows}
    texts = []
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        texts += [f"has no parameter {name!r}{meant(name, legal)}" for name in given if name not in legal]
    if len(args) > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        names = ", ".join(by_place[own:]) or "none"
        rest = [name for name in legal if name not in by_place and name not in given]
        step = f"; pass the others by name, as in {rest[0]}=..." if rest else ""
        texts.append(
            f"takes {len(by_place) - own} arguments without a name ({names}), got {len(args) - own}"
            f" ({', '.join(type(one).__name__ for one in args[own:])}){step}"
        )
    placed = by_place[: len(args)]
    texts += [f"got {name!r} twice, by its place and by its name" for name in placed if name in given]
    missing = [
        repr(row.name)
        for row in rows
        if row.default is row.empty
        and row.kind not in (row.VAR_POSITIONAL, row.VAR_KEYWORD)
        and row.name not in (*placed, *given)
    ]
    texts += [f"needs {' and '.join(missing)}"] if missing else []
    return f"{call}() {', '.join(texts)}; legal are {', '.join(legal) or 'none'}." if texts else ""


def no_attribute(thing: str, name: str, legal: Sequence[str]) -> AttributeError:
    """Return the error of an attribute that is not there; a plain one where programs ask, and not people.

    Parameters
    ----------
    thing
        What does not have it.
    name
        The attribute.
    legal
        Those there are.
    """
    if name.startswith("_"):
        return AttributeError(f"{thing} has no attribute {name!r}", name=name)
    has = f"it has {', '.join(legal)}" if len(legal) <= _LISTED else f"dir() lists all {len(legal)}"
    return MissingAttributeError(f"{thing} has no attribute {name!r}{meant(name, legal)}; {has}.", name)


def _absent(thing: Any, name: str) -> Any:
    kind = type(thing)
    if not name.startswith("_") and hasattr(kind, name):
        return object.__getattribute__(thing, name)  # a property that fell over an attribute: it tells which
    raise no_attribute(kind.__name__, name, [one for one in dir(thing) if not one.startswith("_")])


@contextmanager
def going_on(what: str, look: str = "") -> Iterator[None]:
    """Note that something is asked for which goes on without the call, for what a stop of the call says.

    Parameters
    ----------
    what
        The kind and name of it.
    look
        What looks at it again, as code.
    """
    begun, one = _call.get(), (what, look)
    if begun is None:
        yield
        return
    begun.asked.append(one)
    try:
        yield
    except Exception:  # it was refused; a stop leaves it as one that was asked for
        begun.asked.remove(one)
        raise
    begun.asked.remove(one)
    begun.made.append(one)


def forget(what: str) -> None:
    """Note that something is taken back that was noted as going on."""
    if begun := _call.get():
        with suppress(StopIteration):
            begun.made.remove(next(one for one in begun.made if one[0] == what))
