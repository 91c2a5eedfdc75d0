"""What the docstrings of public names promise: every parameter, what comes back, what is raised, an example that runs.

Names are found as users find them, by `pnb.` and Tab, so that a new one is held to the same from its first day.
"""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import botocore.session

import personalize_nb as pnb
from personalize_nb import errors

SECTION = re.compile(r"^(Parameters|Attributes|Returns|Yields|Raises|Notes|References|Examples)\n-+\n", re.MULTILINE)
# They stand for nothing that Amazon has: what a notebook shows, and how lists are compared.
OURS = {
    "Comparison",
    "Explorer",
    "Problem",
    "Run",
    "baselines.own_history",
    "baselines.popular",
    "baselines.random",
    "baselines.recent",
    "best_users",
    "compare",
    "distributed.DistributedRun",
    "distributed.attach",
    "explore",
    "list_runs",
    "plot_coverage",
    "plot_metrics",
    "plot_moves",
    "plot_overlap",
    "plot_popularity",
    "plot_scores",
    "plot_tradeoff",
    "samples.Sample",
    "samples.books",
    "show_comparison",
    "show_item",
    "show_user",
    "worst_users",
}


def _inside(module):
    """Return the public names of a module that is itself a public name."""
    listed = getattr(module, "__all__", None)
    return listed or sorted(
        name
        for name, one in vars(module).items()
        if inspect.isclass(one) and one.__module__ == module.__name__  # its functions are the package's
    )


def _things():
    """Return every public function and class by the name that users write after `pnb.`."""
    found = {name: getattr(pnb, name) for name in pnb.__all__ if name != "__version__"}
    modules = {name: one for name, one in found.items() if inspect.ismodule(one)}
    for name, module in modules.items():
        found |= {f"{name}.{inner}": getattr(module, inner) for inner in _inside(module)}
    return {name: one for name, one in found.items() if inspect.isclass(one) or inspect.isfunction(one)}


def _members(name, thing):
    """Return the methods and properties of a public class that are the package's own."""
    inherited = thing.__mro__ if not issubclass(thing, BaseException) else (thing,)  # one tells for all errors
    own = [base for base in inherited if base.__module__.startswith("personalize_nb")]
    kinds = (property, classmethod, staticmethod)
    taken = {}
    for base in reversed(own):
        for member, value in vars(base).items():
            value = value if not hasattr(value, "attrname") else property(value.func)  # a cached property
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds)):
                taken[f"{name}.{member}"] = value
    return taken


THINGS = _things()
MEMBERS = {
    name: one for owner, kind in THINGS.items() if inspect.isclass(kind) for name, one in _members(owner, kind).items()
}
EVERYTHING = {**THINGS, **MEMBERS}
CALLS = {name: one for name, one in EVERYTHING.items() if not isinstance(one, property)}


def _function(thing):
    """Return the function whose docstring and signature are meant."""
    thing = getattr(thing, "fget", None) or getattr(thing, "__func__", None) or thing
    return inspect.unwrap(thing)


def _doc(thing):
    return inspect.getdoc(_function(thing)) or ""


@cache
def _sections(text):
    pieces = SECTION.split(text)
    return {"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=True))}


def _names(section):
    """Return what a section lists: the lines that are not indented, names that share one apart."""
    lines = [line.removeprefix("*") if not line.startswith("**") else line for line in section.splitlines()]
    lines = [line for line in lines if line and not line.startswith(" ")]
    return [name.strip() for line in lines for name in line.partition(" : ")[0].split(",")]


def _owner(name):
    """Return the class that a member is of; itself for what is of none."""
    return THINGS.get(name.rpartition(".")[0])


def test_every_parameter_is_documented_and_no_other():
    wrong = {}
    for name, thing in CALLS.items():
        function = _function(thing)
        if inspect.isclass(function) and issubclass(function, BaseException):
            continue  # users catch them
        wanted = set(inspect.signature(function).parameters) - {"self", "cls"}
        listed = _names(_sections(_doc(function)).get("Parameters", ""))
        rest = {"**parameters", "**changes"} & set(listed)  # those of another call, which the text names
        documented = set(listed) - rest
        twice = len(listed) != len(documented) + len(rest)
        if twice or documented - wanted or (wanted - documented and not rest):
            wrong[name] = sorted(documented ^ wanted)
    assert wrong == {}


def test_what_comes_back_is_documented():
    wrong = {}
    for name, thing in EVERYTHING.items():
        function = _function(thing)
        text = _sections(_doc(function))
        if not text[""].strip():
            wrong[name] = "no first sentence"
        if inspect.isclass(function) or isinstance(thing, property):
            continue  # a property's first sentence says what it is
        comes = str(inspect.signature(function).return_annotation)
        if ("Returns" in text or "Yields" in text) != (comes != "None"):
            wrong[name] = comes
    assert wrong == {}


@cache
def _tree(path):
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def _raised(function):
    """Return the errors that a function raises by itself or by functions of its own module."""
    tree = _tree(inspect.getsourcefile(function))
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    first = function.__code__.co_firstlineno  # of its first decorator
    start = min(
        (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.lineno >= first),
        key=lambda node: node.lineno,
    )
    seen, queue, found = set(), [start], set()
    while queue:
        for node in ast.walk(queue.pop()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in bodies.keys() - seen:
                seen.add(node.func.id)
                queue.append(bodies[node.func.id])
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                raised = node.exc.func
                found.add(raised.id if isinstance(raised, ast.Name) else getattr(raised, "attr", ""))
    return {one for one in found if isinstance(getattr(errors, one, None), type)}


def test_every_error_that_is_raised_is_documented():
    wrong = {}
    for name, thing in EVERYTHING.items():
        function = _function(thing)
        section = _names(_sections(_doc(function)).get("Raises", ""))
        kinds = [getattr(errors, kind, None) for kind in section]
        if None in kinds:
            wrong[name] = section
        elif not inspect.isclass(function):
            told = (*kinds, errors.ArgumentError)  # a wrong call: every one may raise it
            silent = sorted(one for one in _raised(function) if not issubclass(getattr(errors, one), told))
            wrong |= {name: silent} if silent else {}
    assert wrong == {}


def test_every_name_has_an_example_that_runs():
    """In its own docstring; a member's may be that of its class, an error's that of the module."""
    without = []
    for name, thing in EVERYTHING.items():
        if ">>> " in _sections(_doc(thing)).get("Examples", ""):
            continue
        owner = errors if name.startswith("errors.") else THINGS.get(name.rpartition(".")[0])
        beside = [one for one in (owner, *getattr(owner, "__mro__", ())) if one is not None]
        shown = "\n".join(_sections(inspect.getdoc(one) or "").get("Examples", "") for one in beside)
        if not re.search(rf"^(>>> |\.\.\. ).*\b{name.rpartition('.')[2]}\b", shown, re.MULTILINE):
            without.append(name)
    assert without == []


def _operations():
    """Return the operations of Amazon Personalize and of what stands around it, as AWS's reference names them."""
    loader = botocore.session.get_session().get_component("data_loader")
    services = ("personalize", "s3", "iam", "sts")
    return {name for service in services for name in loader.load_service_model(service, "service-2")["operations"]}


def test_it_is_told_what_of_amazons_it_is():
    operations, silent = _operations(), []
    for name, thing in THINGS.items():
        named = set(re.findall(r"\b[A-Z][A-Za-z]+[a-z]\b", _doc(thing)))
        if not named & operations and "References" not in _sections(_doc(thing)) and not name.startswith("errors."):
            silent.append(name)
    assert sorted(set(silent) ^ OURS) == []
