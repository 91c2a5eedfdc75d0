"""What Tab offers in notebooks: the package's names with their kinds, and the names of resources inside strings.

    pnb.rec<Tab>                       function recommend
    pnb.recommend(ids, "<Tab>          the solutions of the connected session
    pnb.recommend(ids, model, filter="<Tab>

IPython asks each of its matchers. This one reads the cell up to the cursor, never runs any of it, and asks the service
in a thread: what has not come in a blink is there at the next Tab. Before `pnb.connect()` nobody is asked.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

_PACKAGE = "personalize_nb"
# Seconds that a Tab waits for the service, and that an answer is good for.
_BLINK, _FRESH = 0.4, 20.0

_ORIGIN = re.compile(r"^from \.([\w.]*) import (\w+) as", re.MULTILINE)  # a line of the stub: room and name
_ATTRIBUTE = re.compile(r"(?<![\w.\])])(\w+)\.(\w*)$")
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<prefix>[rRuUbBfF]{0,2})(?P<quote>'{3}|"{3}|'|")
      | (?P<name>[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)
      | (?P<punctuation>[()\[\]{},=\n])
      | (?P<other>\S)""",
    re.VERBOSE,
)


class Cursor(NamedTuple):
    """Where a cursor stands: in the string `text`, in the argument of a call by its name or, without one, its place."""

    call: str
    argument: str | int
    text: str


class _Open(NamedTuple):
    """A bracket that is open, with what is called before it, and the arguments so far."""

    call: str
    commas: int = 0
    keyword: str = ""


def place(code: str) -> Cursor | None:
    """Read the code up to a cursor; None where the cursor is in no string that is an argument of a call.

    Examples
    --------
    >>> place('pnb.recommend(ids, "bo'), place('pnb.train(frame, recipe="'), place('"pnb.train(')
    (Cursor(call='pnb.recommend', argument=1, text='bo'), Cursor(call='pnb.train', argument='recipe', text=''), None)
    """
    stack: list[_Open] = []
    at, name = 0, ""
    while (match := _TOKEN.search(code, at)) is not None:
        at = match.end()
        if quote := match["quote"]:
            end = _end(code, at, quote, raw="r" in match["prefix"].lower())
            if end is None:
                return _argument(stack, code[at:])
            at, name = end, ""
        elif match["name"]:
            name = re.sub(r"\s", "", match["name"])
        elif sign := match["punctuation"]:
            _step(stack, sign, name)
            name = name if sign == "\n" else ""
        elif match["other"]:
            name = ""
    return None


def _end(code: str, at: int, quote: str, *, raw: bool) -> int | None:
    """Return where a string ends that begins at a place; None where it is open at the end of the code."""
    while at < len(code):
        if code[at] == "\\":
            at += 2
        elif code.startswith(quote, at):
            return at + len(quote)
        elif code[at] == "\n" and len(quote) == 1:
            return at  # a string that was never closed ends with its line
        else:
            at += 1
    return None


def _step(stack: list[_Open], sign: str, name: str) -> None:
    if sign in "([{":
        stack.append(_Open(name if sign == "(" else ""))
    elif sign in ")]}":
        del stack[-1:]
    elif stack and sign == ",":
        stack[-1] = stack[-1]._replace(commas=stack[-1].commas + 1, keyword="")
    elif stack and sign == "=" and name:
        stack[-1] = stack[-1]._replace(keyword=name)


def _argument(stack: list[_Open], text: str) -> Cursor | None:
    """Return the argument that an open string is, also as an element of a list that is the argument."""
    call = next((one for one in reversed(stack[-2:]) if one.call), None)
    return None if call is None else Cursor(call.call, call.keyword or call.commas, text)


# What the strings of an argument name, by the argument; `name` and `job` are of the kind that the function finds.
_KINDS = {
    "recipe": "recipes",
    "mode": "modes",
    "solution_version": "solutions",
    "filter": "filters",
    "dataset_group": "dataset groups",
    "job": "jobs",
    "jobs": "jobs",
}
_NAMES = {
    "attach": "jobs",
    "find_filter": "filters",
    "find_solution_version": "solutions",
    "delete_dataset_group": "dataset groups",
}


def _kind(place: Cursor, user_names: Mapping[str, Any]) -> str:
    """Return what a string names; empty where it is no argument of ours that names something."""
    function = _resolved(place.call, user_names)
    if function is None:
        return ""
    argument = place.argument
    if isinstance(argument, int):
        names = [name for name in inspect.signature(function).parameters if name != "self"]
        argument = names[argument] if argument < len(names) else ""
    return _NAMES.get(function.__name__, "") if argument == "name" else _KINDS.get(argument, "")


def _resolved(call: str, user_names: Mapping[str, Any]) -> Any:
    """Return the function or class of this package that a name stands for; nothing is run to find it."""
    first, *rest = call.split(".")
    thing = user_names.get(first)
    for name in rest:
        if inspect.ismodule(thing):
            # only the package's own names are loaded on demand, and those are its own doing
            thing = getattr(thing, name, None) if thing.__name__.split(".")[0] == _PACKAGE else None
        else:
            thing = inspect.getattr_static(type(thing), name, None)
    ours = str(getattr(thing, "__module__", "")).split(".")[0] == _PACKAGE
    return thing if ours and (inspect.isfunction(thing) or inspect.isclass(thing)) else None


class _NamesAnswered:
    """What services have answered, by session and kind."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[float, list[str]]] = {}
        self._asking: dict[tuple[int, str], threading.Thread] = {}
        self._lock = threading.Lock()

    def names(self, session: Session, kind: str) -> list[str]:
        """Return the names of a kind that are known within a blink."""
        key = id(session), kind
        with self._lock:
            since, names = self._known.get(key, (0.0, []))
            if since and time.monotonic() - since < _FRESH:
                return names
            thread = self._asking.get(key)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._ask, args=(session, kind), daemon=True)
                self._asking[key] = thread
                thread.start()
        thread.join(_BLINK)
        return self._known.get(key, (0.0, names))[1]

    def _ask(self, session: Session, kind: str) -> None:
        names = list(dict.fromkeys(_listed(session, kind)))
        self._known[id(session), kind] = (time.monotonic(), names)


def _listed(session: Session, kind: str) -> Iterator[str]:
    """Yield the names of a kind, of which none may be listed by this caller."""
    if kind == "solutions":
        yield from session.names("list_solutions", "solutions")
    elif kind == "filters":
        yield from session.names("list_filters", "Filters")
    elif kind == "dataset groups":
        yield from session.names("list_dataset_groups", "datasetGroups")
    elif kind == "jobs":
        from personalize_nb.contract import job_kinds

        for one in job_kinds.JOB_KINDS:
            yield from session.names(*one.listing, "jobName")


_answers = _NamesAnswered()


def _candidates(kind: str) -> list[str]:
    """Return the names of a kind."""
    if kind == "recipes":
        from personalize_nb.contract.recipes import RECIPES

        return sorted(name for name, row in RECIPES.items() if row.batch or row.segments)
    if kind == "modes":
        from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION

        return [BATCH_INFERENCE, THEME_GENERATION]
    from personalize_nb.session import connection

    session = connection.connected()
    return [] if session is None else _answers.names(session, kind)


@functools.cache
def _public() -> Mapping[str, str]:
    """Return the package's names and what each is, without loading any."""
    package = sys.modules[_PACKAGE]
    folder = Path(str(package.__file__)).parent
    # from where each name comes: `from .training import baselines as baselines` names a file of a room
    stub = (folder / "__init__.pyi").read_text(encoding="utf-8")
    origins = {name: room.split(".") for room, name in _ORIGIN.findall(stub)}

    def kind(name: str) -> str:
        origin = folder.joinpath(*origins.get(name, ()), name)
        if origin.with_suffix(".py").exists() or (origin / "__init__.py").exists():
            return "module"
        return "instance" if name.startswith("_") else "class" if name[:1].isupper() else "function"

    return {name: kind(name) for name in package.__all__}


def register() -> bool:
    """Teach the running IPython what Tab offers of this package; answer whether there is one."""
    get_ipython: Callable[[], Any] = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    completer = getattr(get_ipython(), "Completer", None)
    if completer is None or not hasattr(completer, "custom_matchers"):
        return False
    # the module may be loaded again by %autoreload
    kept = [one for one in completer.custom_matchers if getattr(one, "matcher_identifier", "") != _PACKAGE]
    completer.custom_matchers[:] = [*kept, match]
    return True


def match(context: Any) -> dict[str, Any]:
    """Answer IPython's completer: names of the package after its dot, names of resources in strings, or nothing."""
    shell = sys.modules["IPython"].get_ipython()
    lines = context.full_text.split("\n")
    code = "\n".join([*lines[: context.cursor_line], lines[context.cursor_line][: context.cursor_position]])
    found = _ATTRIBUTE.search(code)
    if found and getattr(shell.user_ns.get(found[1]), "__name__", "") == _PACKAGE:
        rows = [(name, kind) for name, kind in _public().items() if name.startswith(found[2])]
        return _answer(found[2], rows) if place(f"f({code}") is None else _answer("", ())
    here = place(code)
    kind = "" if here is None else _kind(here, shell.user_ns)
    if here is None or not kind:
        return _answer("", ())
    names = [name for name in _candidates(kind) if name.startswith(here.text)]
    return _answer(here.text, [(name, kind.removesuffix("s")) for name in names])


def _answer(fragment: str, rows: Iterable[tuple[str, str]]) -> dict[str, Any]:
    from IPython.core.completer import SimpleCompletion

    completions = [SimpleCompletion(text=name, type=kind) for name, kind in rows]
    # a file of the folder is no recipe, and Jedi is slow to tell kinds: what is ours is answered here alone
    return {"completions": completions, "matched_fragment": fragment, "suppress": bool(completions), "ordered": True}


match.matcher_api_version = 2  # type: ignore[attr-defined]  # how IPython knows what a matcher takes
match.matcher_identifier = _PACKAGE  # type: ignore[attr-defined]  # and what it suppresses
