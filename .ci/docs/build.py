"""Build the documentation into a folder that needs no network: `make docs`.

The reference is pdoc's, of the public names; notebooks are nbconvert's; what is Markdown in the repository keeps its
place and its links. One search finds all of it. A warning is an error, and so is a link that leads nowhere.
"""

from __future__ import annotations

import html
import inspect
import logging
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import unquote

import nbconvert
import nbformat
import pdoc.doc
import pdoc.doc_types
import pdoc.render
import pdoc.search
from links import dead_links
from markupsafe import Markup
from pdoc import render_helpers

import personalize_nb as pnb

ROOT = Path(__file__).parents[2]
GUIDES, NOTEBOOKS = PurePosixPath("notebooks/guides"), PurePosixPath("notebooks")
# What a page of a notebook would load from elsewhere, by the names of nbconvert's options.
_ELSEWHERE = ("jquery_url", "mathjax_url", "mermaid_js_url", "require_js_url")
_DOCTEST = re.compile(r"(?:^|(?<=\n))>>> .*?(?=\n\s*\n|\Z)", re.DOTALL)
_RELATIVE = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]*)(#[^)\s]*)?(?=\))")
_HOME = (
    '<nav class="home" style="padding: .5rem 1rem; font: 1rem system-ui, sans-serif"><a style="color: #3b82c4" '
    'href="{root}index.html">personalize_nb</a></nav>'
)


class Written:
    """A type as its source has it: short, in names that users know, and nothing has to be loaded for it."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def written(annotation: Any, *where: Any) -> Any:
    """Return an annotation without evaluating it."""
    return Written(annotation) if isinstance(annotation, str) else annotation


class Page(SimpleNamespace):
    """A page that is no module: where it lies, without an ending, what it is called and what it says."""

    place: PurePosixPath
    title: str
    text: str

    @property
    def modulename(self) -> str:
        """Its place as the search of pdoc names places."""
        return ".".join(self.place.parts)


def listed(*patterns: str) -> list[PurePosixPath]:
    """Return the files that git keeps, or would keep; without git, those that are there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [PurePosixPath(name) for name in sorted(set(found)) if (ROOT / name).exists()]


def reference() -> dict[str, pdoc.doc.Module]:
    """Return the public names as pdoc knows them, what classes inherit of the package among them."""
    shown: dict[str, Any] = vars(pnb)
    for name in pnb.__all__:  # they are loaded when they are asked for, and pdoc asks nobody
        shown[name] = getattr(pnb, name)
    modules = [pnb, *(one for one in (shown[name] for name in pnb.__all__) if isinstance(one, ModuleType))]
    documented = {module.__name__: pdoc.doc.Module(module) for module in modules}
    for module in documented.values():
        for one in module.flattened_own_members:
            if isinstance(one, pdoc.doc.Class):
                error = issubclass(one.obj, BaseException)  # what all of them have stands with the first
                bases = (one.obj,) if error else one.obj.__mro__
                ours = {
                    (base.__module__, base.__qualname__)
                    for base in bases
                    if base.__module__.startswith("personalize_nb")
                }
                own = [
                    member
                    for member in one.members.values()
                    if (member.taken_from[0], member.taken_from[1].rpartition(".")[0]) in ours
                ]
                vars(one)["own_members"] = [member for member in own if member.docstring or member.name == "__init__"]
    return documented


def markdown(context: Any, docstring: str) -> str:
    """Return a docstring as Markdown, its examples as the sessions that they are."""
    text = render_helpers.to_markdown_with_context(context, docstring)
    return _DOCTEST.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```", text)


markdown.jinja_pass_arg = render_helpers.to_markdown_with_context.jinja_pass_arg  # type: ignore[attr-defined]


def page_of(target: str, here: PurePosixPath) -> str:
    """Return where a link of a file of the repository leads to in the documentation."""
    path = (ROOT / here.parent / unquote(target)).resolve()
    if path.is_dir() and (path / "README.md").exists():
        target = f"{target.rstrip('/')}/README.md"
    return re.sub(r"\.(md|ipynb)$", ".html", target)


def relinked(text: str, here: PurePosixPath) -> str:
    """Return Markdown whose links lead to pages of the documentation."""
    return _RELATIVE.sub(lambda found: page_of(found[1], here) + (found[2] or ""), text)


def papers() -> Iterator[Page]:
    """Yield what is Markdown in the repository."""
    for path in listed("*.md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        heading = re.search(r"^# (.+)$", text, re.MULTILINE)
        title = heading[1] if heading else path.stem
        yield Page(place=path.with_suffix(""), title=title, text=str(render_helpers.to_html(relinked(text, path))))


def notebooks() -> Iterator[tuple[Page, str]]:
    """Yield the notebooks, each with its whole page."""
    exporter = nbconvert.HTMLExporter(template_name="lab", **dict.fromkeys(_ELSEWHERE, ""))
    dark = next(
        sheet for folder in exporter.template_paths if (sheet := Path(folder, "static", "theme-dark.css")).exists()
    ).read_text(encoding="utf-8")
    for path in listed("notebooks/*.ipynb"):
        notebook = nbformat.read(ROOT / path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = relinked(cell.source, path)
        told = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        title = told[0].partition("\n")[0].lstrip("# ")
        whole, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
        whole = re.sub(r"<script\b[^>]*>.*?</script>", "", whole, flags=re.DOTALL)  # they would ask the network
        whole = whole.replace("</head>", f'<style media="(prefers-color-scheme: dark)">{dark}</style></head>', 1)
        home = _HOME.format(root="../" * (len(path.parts) - 1))
        whole = re.sub(r"(<body\b[^>]*>)", lambda found, bar=home: found[1] + bar, whole, count=1)
        text = str(render_helpers.to_html("\n\n".join(told)))
        yield Page(place=path.with_suffix(""), title=title, text=text), whole


def search(modules: dict[str, pdoc.doc.Module], pages: list[Page]) -> str:
    """Return the script that searches names and pages."""
    env = pdoc.render.env

    def is_public(one: pdoc.doc.Doc[Any]) -> bool:
        return bool(one.docstring) and (not one.name.startswith("_") or one.name == "__init__")

    documents = pdoc.search.make_index(modules, is_public, "numpy")
    documents += [
        {"fullname": page.title, "modulename": page.modulename, "kind": "page", "doc": page.text} for page in pages
    ]
    compile_js = Path(str(env.get_template("build-search-index.js").filename))
    return env.get_template("search.js.jinja2").render(search_index=pdoc.search.precompile_index(documents, compile_js))


def build(folder: Path) -> list[str]:
    """Build the documentation and return what is wrong with it."""
    shutil.rmtree(folder, ignore_errors=True)
    pdoc.render.configure(
        docformat="numpy",
        include_undocumented=False,
        show_source=False,
        template_directory=Path(__file__).parent,
        footer_text=f"personalize_nb {pnb.__version__}",
    )
    env = pdoc.render.env
    env.filters["to_markdown"] = markdown
    pdoc.doc.safe_eval_type = pdoc.doc_types.safe_eval_type = written
    modules, sheets, books = reference(), list(papers()), list(notebooks())
    nav = {
        "Guides": [one for one in sheets if one.place.parent == GUIDES],
        "Notebooks": [one for one, _ in books],
        "More": [one for one in sheets if one.place.parent != GUIDES],
    }
    labels = {
        module.__name__: f"personalize_nb.{name}"
        for name, module in vars(pnb).items()
        if name in pnb.__all__ and isinstance(module, ModuleType)
    }
    env.globals |= {"nav": nav, "names": {name: labels.get(name, name) for name in modules}}

    def write(place: PurePosixPath, ending: str, text: str) -> None:
        path = folder / f"{place}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    for name, module in modules.items():
        write(PurePosixPath(*name.split(".")), ".html", pdoc.render.html_module(module, modules))
    template = env.get_template("page.html.jinja2")
    for page in sheets:
        write(page.place, ".html", template.render(module=page, body=Markup(page.text), all_modules=modules))
    for page, whole in books:
        write(page.place, ".html", whole)
    first = Page(place=PurePosixPath("index"), title="personalize_nb", text="")
    summary = html.escape(inspect.cleandoc(pnb.__doc__ or "").partition("\n")[0])
    write(first.place, ".html", template.render(module=first, body=None, summary=summary, all_modules=modules))
    write(PurePosixPath("search"), ".js", search(modules, [*sheets, *(page for page, _ in books)]))
    for picture in listed("*.png", "LICENSE"):
        to = folder / picture
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / picture, to)
    return dead_links(folder)


class _Refused(logging.Handler):
    """Makes an error of what the converter of notebooks warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(record.getMessage())


def main(folder: Path) -> int:
    """Build, and tell what is wrong; 1 where anything is."""
    logging.getLogger("traitlets").addHandler(_Refused(logging.WARNING))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wrong = build(folder)
    print("\n".join(wrong) or f"{sum(1 for _ in folder.rglob('*.html'))} pages, every link leads somewhere: {folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs")))
