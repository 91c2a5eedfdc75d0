"""Every public call and thing tells what is meant by a misspelt name; mistakes of the package stay tracebacks."""

import inspect
import pickle
import random

import pytest

import personalize_nb as pnb
from personalize_nb.errors import ArgumentError, Interrupted, MissingAttributeError
from personalize_nb.text.public import forget, going_on, public

ROOMS = {"pnb": pnb, "pnb.samples": pnb.samples, "pnb.distributed": pnb.distributed}
THINGS = {
    f"{room}.{name}": getattr(module, name)
    for room, module in ROOMS.items()
    for name in module.__all__
    if inspect.isfunction(getattr(module, name)) or inspect.isclass(getattr(module, name))
    if name != "Problem"  # its room comes before the one that knows of calls
}
CLASSES = {name: thing for name, thing in THINGS.items() if inspect.isclass(thing)}
LETTERS = "abcdefghijklmnopqrstuvwxyz_"


def own_members(thing):
    """Yield the public members that a class or its bases in the package define."""
    for base in thing.__mro__:
        if base.__module__.startswith("personalize_nb"):
            yield from ((name, member) for name, member in vars(base).items() if not name.startswith("_"))


def calls():
    """Return every public call by its name, as something that takes the arguments alone."""
    found = dict(THINGS)
    for name, thing in CLASSES.items():
        for member, function in own_members(thing):
            if isinstance(function, classmethod | staticmethod):
                found[f"{name}.{member}"] = getattr(thing, member)
            elif inspect.isfunction(function):
                # refused before the body, which would look at the thing
                found[f"{name}.{member}"] = function.__get__(object.__new__(thing))
    return found


CALLS = calls()
# They pass on what AWS's operations take, or the fields of their own class, and those say it.
OPEN = {"pnb.Session.call", "pnb.Session.pages", "pnb.JobRequest.replace", "pnb.SegmentRequest.replace"}


def edits(word, some):
    """Return the word with one letter lost, doubled, changed, and two of them swapped, and as other languages do."""
    at = some.randrange(len(word))
    swapped = word[: max(at - 1, 0)] + word[max(at - 1, 0) : at + 1][::-1] + word[at + 1 :]
    first, *rest = word.split("_")
    camel = first + "".join(part.capitalize() for part in rest)
    changed = word[:at] + some.choice(LETTERS) + word[at + 1 :]
    return [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], changed, swapped, camel]


@pytest.mark.parametrize("name", sorted(set(CALLS) - OPEN))
def test_a_misspelt_argument_says_what_is_meant(name):
    some, call = random.Random(name), CALLS[name]
    rows = inspect.signature(call).parameters.values()
    legal = [row.name for row in rows if row.kind in (row.KEYWORD_ONLY, row.POSITIONAL_OR_KEYWORD)]
    for right in legal:
        for wrong in edits(right, some):
            if wrong in legal or not wrong.isidentifier():
                continue
            with pytest.raises(ArgumentError, match=f"has no parameter '{wrong}'") as told:
                call(**{wrong: None})
            assert f"did you mean '{right}'?" in str(told.value), (wrong, str(told.value))
            assert ", ".join(legal) in str(told.value)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_too_many_arguments_say_which_there_are(name):
    call = CALLS[name]
    rows = list(inspect.signature(call).parameters.values())
    if any(row.kind is row.VAR_POSITIONAL for row in rows):
        assert not any(row.kind is row.POSITIONAL_OR_KEYWORD for row in rows[1:])
        return
    placed = [row.name for row in rows if row.kind is row.POSITIONAL_OR_KEYWORD]
    with pytest.raises(ArgumentError, match=rf"takes {len(placed)} arguments .*got {len(placed) + 1} ") as told:
        call(*[None] * (len(placed) + 1))
    assert ", ".join(placed) in str(told.value)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_misspelt_attribute_says_what_is_meant(name):
    some, thing = random.Random(name), object.__new__(CLASSES[name])
    legal = {member for member, _ in own_members(CLASSES[name])}
    for right in sorted(legal):
        for wrong in edits(right, some)[:3]:
            if hasattr(type(thing), wrong) or wrong.startswith("_") or not wrong.isidentifier():
                continue
            with pytest.raises(
                MissingAttributeError, match=rf"{type(thing).__name__} has no attribute '{wrong}'"
            ) as it:
                getattr(thing, wrong)
            assert "did you mean '" in str(it.value), str(it.value)


@pytest.mark.parametrize("room", [*ROOMS.values(), pnb.errors], ids=[*ROOMS, "pnb.errors"])
def test_a_misspelt_name_of_the_package_says_what_is_meant(room):
    names = [name for name in dir(room) if str(getattr(getattr(room, name), "__module__", "")).startswith(pnb.__name__)]
    names = [name for name in names if not name.startswith("_") and name not in ("there_is", "meant")]
    assert names
    for name in names:
        with pytest.raises(AttributeError, match=f"did you mean '{name}'"):
            getattr(room, f"{name[:-1]}{name[-1] * 2}")
    assert not hasattr(room, "_repr_html_")


def test_everything_wrong_with_a_call_is_told_at_once():
    with pytest.raises(ArgumentError) as told:
        pnb.recommend(1, 2, 3, num_result=5, data=1)
    for part in ("'num_results'?", "got 3 (int, int, int)", "got 'data' twice"):
        assert part in str(told.value)
    with pytest.raises(ArgumentError, match="needs 'data' and 'solution_version'; legal are data, "):
        pnb.recommend()
    assert isinstance(told.value.__cause__, TypeError)


def test_what_passes_arguments_on_says_what_is_meant(session):
    request = pnb.JobRequest("a", "b", "s3://c/d.jsonl", "s3://e/", "f")
    with pytest.raises(ArgumentError, match=r"JobRequest.replace\(\) has no parameter 'num_result'.*'num_results'"):
        request.replace(num_result=3)
    with pytest.raises(ArgumentError, match=r"no operation 'describe_filtr'.*'describe_filter'"):
        session.call("describe_filtr")
    with pytest.raises(pnb.errors.ServiceError, match="filterAn"):
        session.call("describe_filter", filterAn="x")


def test_what_is_wrong_in_the_package_is_no_mistake_of_the_users():
    def inner(right):
        return right + "x"

    @public
    def outer(value):
        return public(inner)(wrong=value) if value else public(inner)(value)

    for value in (0, 1):
        with pytest.raises(TypeError) as told:
            outer(value)
        assert not isinstance(told.value, ArgumentError)


class _Fallen:
    @property
    def broken(self):
        return self.nothing

    @property
    def nothing(self):
        return [].absent


def test_a_property_that_falls_over_an_attribute_tells_which():
    with pytest.raises(AttributeError, match="'list' object has no attribute 'absent'"):
        _ = object.__new__(public(_Fallen)).broken


def test_what_stands_at_the_door_is_pickled_by_its_name():
    for thing in THINGS.values():
        assert pickle.loads(pickle.dumps(thing)) is thing
    error = pickle.loads(pickle.dumps(MissingAttributeError("x has no attribute 'y'", "y")))
    assert str(error) == "x has no attribute 'y'"


@pytest.mark.parametrize(
    ("work", "told"),
    [
        ([], r"^stopped cell\(\)\. It had begun nothing that goes on\.$"),
        (["job 'a'"], r"Job 'a' is begun and goes on: look\(job 'a'\) looks at it again\.$"),
        (["job 'a'", "stop"], r"Job 'stop' was just asked for and may have begun: look"),
        (["job 'a'", "refused"], r"^stopped cell\(\)\. Job 'a' is begun[^.]*\.$"),
        (["job 'a'", "forget"], "begun nothing"),
        ([f"job '{number}'" for number in range(8)], r"Job '4' is begun.* So are 3 more\.$"),
    ],
)
def test_a_stop_says_what_goes_on(work, told):
    @public
    def cell():
        for what in work:
            if what == "forget":
                forget(work[0])
            elif what == "refused":
                with pytest.raises(ValueError), going_on("job 'refused'"):
                    raise ValueError
            else:
                with going_on("job 'stop'" if what == "stop" else what, f"look({what})"):
                    if what == "stop":
                        raise KeyboardInterrupt
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=told):
        cell()
