"""The house: rooms in their order, faces that say what others may import, and no name of a room that is not there."""

import ast
import importlib.util
import re
import subprocess
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import personalize_nb
from personalize_nb.local.tasks import tasks

PACKAGE = Path(personalize_nb.__file__).parent
ROOT = PACKAGE.parent
TESTS = Path(__file__).parent
# Each room imports only rooms before it.
ROOMS = [
    "errors",
    "contract",
    "text",
    "samples",
    "local",
    "session",
    "resources",
    "inputs",
    "results",
    "training",
    "jobs",
    "access",
    "distributed",
    "notebook",
]
ROOMS_OF_THE_SERVICE = [
    "errors",
    "state",
    "http",
    "data",
    "s3",
    "iam",
    "recipes",
    "filters",
    "themes",
    "personalize",
    "tasks",
    "process",
    "upkeep",
]
# The service is a world of its own, reached over HTTP: the client only starts and stops it.
SERVICE_KNOWS = {"errors", "contract"}
DOORS_TO_THE_SERVICE = {
    "personalize_nb.session.calls",
    "personalize_nb.session.clients",
    "personalize_nb.session.session",
    "personalize_nb.notebook.headless",
    "personalize_nb.__main__",
    "personalize_nb.state",
}
COMMANDS = {
    "personalize_nb": {"__init__", "__main__", "errors", "headless", "state"},
    "personalize_nb.local": {"__init__", "__main__", "errors", "coverage", "choices"},
}


class Import(NamedTuple):
    """One name that a module takes from another of the package; `lazy` where it does so inside a function."""

    module: str
    name: str | None
    lazy: bool


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
FOLDERS = {name for name, path in MODULES.items() if path.name == "__init__.py"}


STUB = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
# Where each public name comes from.
PUBLIC = {
    f"personalize_nb.{node.module}.{alias.name}" if node.module else f"personalize_nb.{alias.name}"
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


@cache
def tree(name):
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@cache
def imports(name):
    """Return all that a module imports from the package: absolute or relative, at its top, in functions, for types."""
    package = name if name in FOLDERS else name.rpartition(".")[0]
    at_top = {id(node) for node in tree(name).body}
    taken = []
    for node in ast.walk(tree(name)):
        lazy = id(node) not in at_top
        if isinstance(node, ast.Import):
            taken += [Import(alias.name, None, lazy) for alias in node.names if alias.name.startswith("personalize_nb")]
        elif isinstance(node, ast.ImportFrom):
            source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if source.split(".")[0] != "personalize_nb":
                continue
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                taken.append(Import(whole, None, lazy) if whole in MODULES else Import(source, alias.name, lazy))
    return taken


@cache
def bound(name):
    """Return what a module binds at its top: definitions, assignments, imports; for the package, its public names."""
    names = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names | ({target.rpartition(".")[2] for target in PUBLIC} if name == "personalize_nb" else set())


def room_of(name):
    """Return the folder that a module lies in, a folder for itself."""
    return name if name in FOLDERS else name.rpartition(".")[0]


def face(room):
    """Return what a room's `__init__` says that others may import."""
    for node in tree(room).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return None


def place(name):
    """Return where a module stands: its world (client or service), and its room's place in the order."""
    parts = name.split(".")
    if parts[1:2] == ["local"]:
        inner = parts[2:3]
        # the start of the service and its commands stand above all of its rooms
        above = not inner or (inner[0] in COMMANDS["personalize_nb.local"] and inner[0] != "errors")
        return "local", len(ROOMS_OF_THE_SERVICE) if above else ROOMS_OF_THE_SERVICE.index(inner[0])
    above = len(parts) == 1 or (parts[1] in COMMANDS["personalize_nb"] and parts[1] != "errors")
    return "client", len(ROOMS) if above else ROOMS.index(parts[1])


@cache
def all_imports():
    """Return what every module imports; asked by tests, as each process of pytest would parse the package otherwise."""
    return [(name, taken) for name in MODULES for taken in imports(name)]


def test_a_room_imports_only_rooms_before_it():
    for name, taken in all_imports():
        (world, level), (target_world, target_level) = place(name), place(taken.module)
        if world == target_world:
            assert target_level <= level, (name, taken)
        elif world == "local":
            assert taken.module.split(".")[1] in SERVICE_KNOWS, (name, taken)
        else:
            door = taken.module.removesuffix(".__main__")
            assert name in DOORS_TO_THE_SERVICE and door == "personalize_nb.local", (name, taken)


def test_a_room_is_entered_by_its_face():
    for name, taken in all_imports():
        room = room_of(taken.module)
        if room == room_of(name):
            continue
        assert taken.name is None or not taken.name.startswith("_"), (name, taken)
        inside = taken.module if taken.module != room else f"{room}.{taken.name or ''}"
        # the house's own command runs the service's
        assert shown(inside, name) or (name, inside) == ("personalize_nb.__main__", "personalize_nb.local.__main__"), (
            name,
            taken,
        )


def shown(inside, to=""):
    """Tell whether each room on the way from the house's door shows the next one, but for those `to` stands in."""
    room = inside.rpartition(".")[0]
    while room != "personalize_nb" and not f"{to}.".startswith(f"{room}."):
        step = inside.removeprefix(f"{room}.").split(".")[0]
        # what the service's rooms show, its own rooms see; the client sees the start and the stop of it
        rooms = ROOMS_OF_THE_SERVICE if room == "personalize_nb.local" and to.startswith("personalize_nb.local") else ()
        if room in FOLDERS and step and step not in (*face(room), *rooms):
            return False
        room = room.rpartition(".")[0]
    return True


def test_public_names_come_from_the_faces():
    assert all(map(shown, PUBLIC))


def test_the_package_is_never_imported_whole():
    whole = [
        name
        for name in MODULES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] == "personalize_nb"
    ]
    assert not whole


def test_modules_imported_by_a_text_are_there_and_allowed():
    by_text = {name for name in MODULES if "import_module" in MODULES[name].read_text(encoding="utf-8")}
    assert by_text == {"personalize_nb.local.tasks.tasks"}
    for name in tasks._HEAVY_MODULES:
        whole = f"personalize_nb.local.{name}"
        assert whole in MODULES and place(whole) <= place("personalize_nb.local.tasks.tasks"), name
        assert whole.startswith("personalize_nb.local.tasks.") or shown(whole, "personalize_nb.local.tasks.tasks"), name


@pytest.mark.parametrize("room", sorted(FOLDERS - {"personalize_nb", "personalize_nb.local", "personalize_nb.samples"}))
def test_a_face_names_modules_that_others_use(room):
    names = face(room)
    assert len(set(names)) == len(names)
    used = PUBLIC | {
        taken.module for name in MODULES if not f"{room_of(name)}.".startswith(f"{room}.") for taken in imports(name)
    }
    for name in names:
        whole = f"{room}.{name}"
        if whole not in MODULES:  # handed on to other packages, who have no other way to it
            assert any(taken.name == name for taken in imports(room)), whole
            continue
        assert any(f"{one}.".startswith(f"{whole}.") for one in used) or _started(whole), f"nobody outside uses {whole}"


def _started(name):
    """Tell whether a module is started as a program: its name stands in a string."""
    strings = (node.value for other in MODULES for node in ast.walk(tree(other)) if isinstance(node, ast.Constant))
    return name in strings


@pytest.mark.parametrize("package", COMMANDS)
def test_few_modules_stand_outside_the_rooms(package):
    here = {name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == package and name not in FOLDERS}
    assert {*here, "__init__"} <= COMMANDS[package]
    rooms = {name.rpartition(".")[2] for name in FOLDERS if name.rpartition(".")[0] == package}
    assert rooms <= {*ROOMS, *ROOMS_OF_THE_SERVICE}
    assert len(COMMANDS[package]) <= 5


def test_every_folder_is_a_room_and_tests_lie_in_the_same_rooms():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)
    # helpers, the executed notebooks, a real browser, real AWS
    beside = {"support", "notebooks", "browser", "aws"}
    for folder in {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}:
        if folder.parts and folder.parts[0] not in beside:
            assert (PACKAGE / folder).is_dir(), folder


def test_no_class_name_stands_twice():
    names = [node.name for name in MODULES for node in tree(name).body if isinstance(node, ast.ClassDef)]
    assert len(set(names)) == len(names), sorted(name for name in set(names) if names.count(name) > 1)


def test_imports_make_no_circle():
    graph = {name: {taken.module for taken in imports(name) if not taken.lazy} - {name} for name in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_widgets_stay_in_the_form_and_what_a_notebook_shows():
    for name in MODULES:
        if name.startswith("personalize_nb.notebook"):
            continue
        taken = {node.module for node in ast.walk(tree(name)) if isinstance(node, ast.ImportFrom)}
        taken |= {alias.name for node in ast.walk(tree(name)) if isinstance(node, ast.Import) for alias in node.names}
        assert not any((module or "").startswith("ipywidgets") for module in taken), name


def test_no_file_is_over_400_lines():
    long = {name: count for name, path in MODULES.items() if (count := len(path.read_text().splitlines())) > 400}
    assert not long


def test_every_module_that_a_text_names_is_there():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = [name for name in listed if name.endswith((".py", ".pyi", ".md", ".toml", ".ipynb", ".yml"))]
    for file in [*texts, "Makefile", ".ci/run"]:
        for whole in re.findall(r"\bpersonalize_nb(?:\.[a-z_]\w*)+", (ROOT / file).read_text(encoding="utf-8")):
            parent, last = whole, ""
            while parent not in MODULES:  # what follows a module is bound in it
                parent, _, last = parent.rpartition(".")
            known = (
                not last or last in bound(parent) or last.startswith("__") or whole == "personalize_nb.theme_generators"
            )  # an entry point
            assert known, f"{file} names {whole}"
