"""A module imports only from its own floor or below, never in a circle; the local service stands on floor 0 alone."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import personalize_nb

ROOT = Path(personalize_nb.__file__).parent
FLOORS = {
    0: "errors columns limits measures plurals policies redact markup",
    1: "translation session storage progress waiting",
    2: (
        "filters identifiers frames timestamps metadata structures hyperparameters chain"
        " titles jsonlines inputs outputs requests solutions schemas itemfields training"
        " jobs launch results cleanup runs manifests quality reading findings plans inspection permissions cost compare"
        " evaluation distributed samples"
    ),
    3: "charts views formatters fields presets sources lookups entries calls form receipts headless",
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names.split()}


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path, lazy=True):
    """Return what a module imports from the package, as dotted names below it; all, or only those at its top."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree) if lazy else tree.body:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "personalize_nb":
            home = node.module.split(".")[1:]
            found |= {".".join([*home, alias.name]) for alias in node.names} if not home else {".".join(home)}
        if isinstance(node, ast.Import):
            names = (alias.name.split(".") for alias in node.names)
            found |= {".".join(parts[1:]) for parts in names if parts[0] == "personalize_nb" and len(parts) > 1}
    return frozenset(found)


def test_every_module_has_a_floor():
    unplaced = {name for _, name in modules() if name.split(".")[0] not in {*FLOOR_OF, "local", "__init__"}}
    assert not unplaced


def test_imports_go_down():
    for path, name in modules():
        room = name.split(".")[0]
        if room in ("local", "__init__"):
            continue
        for target in imports(path):
            # the client reaches the service only to start and stop it, from the session and the headless runner
            if target.split(".")[0] == "local":
                assert (room, target) in {("session", "local"), ("headless", "local")}, (name, target)
            else:
                assert FLOOR_OF[target.split(".")[0]] <= FLOOR_OF[room], (name, target)


def test_the_local_service_knows_only_floor_0_and_itself():
    for path, name in modules():
        if name.split(".")[0] == "local":
            rooms = {target.split(".")[0] for target in imports(path)}
            assert rooms <= {"local", *FLOORS[0].split()}, (name, rooms)


def test_no_circles():
    graph = {}
    for path, name in modules():
        room = name.split(".")[0]
        if room != "local":
            graph.setdefault(room, set()).update(target.split(".")[0] for target in imports(path, lazy=False))
            graph[room].discard(room)
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_widgets_stay_on_the_top_floor():
    for path, name in modules():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        foreign = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        foreign |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        if any(one.split(".")[0] == "ipywidgets" for one in foreign):
            assert FLOOR_OF[name.split(".")[0]] == 3, name


def test_no_file_is_over_600_lines():
    long = {name: count for path, name in modules() if (count := len(path.read_text().splitlines())) > 600}
    assert not long
