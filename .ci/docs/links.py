"""Where the pages of the documentation lead to, and what they would load from the network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

_OF_STYLES = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^'\")\s]+)")


class _Links(HTMLParser):
    """Where the links of a page lead to, and what of it can be linked to."""

    def __init__(self, page: str):
        super().__init__()
        self.targets: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.loads += _OF_STYLES.findall(page)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.targets.append(given["href"])
        elif tag in ("script", "img", "iframe") and "src" in given:
            self.loads.append(given["src"])
        elif tag == "link" and "href" in given:
            self.loads.append(given["href"])


def dead_links(folder: Path) -> list[str]:
    """Return what links of pages to something that is not there, and what they would load from the network.

    Parameters
    ----------
    folder
        The documentation.
    """
    pages = {path: _Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    found = []
    for path, links in pages.items():
        here = path.relative_to(folder)
        network = [one for one in links.loads if urlsplit(one).scheme in ("http", "https") or urlsplit(one).netloc]
        found += [f"{here} loads {one} from the network" for one in network]
        for target in [*links.targets, *links.loads]:
            address, anchor = urldefrag(target)
            split = urlsplit(address)
            if split.scheme in ("http", "https"):
                found += [] if "." in split.netloc or "localhost" in split.netloc else [f"{here}: {target}"]
            if split.scheme or split.netloc:
                continue
            to = (path.parent / unquote(split.path)).resolve() if split.path else path
            if not to.is_file():
                found.append(f"{here}: {target} is not there")
            elif anchor and to in pages and unquote(anchor) not in pages[to].anchors:
                found.append(f"{here}: {target} has no such place")
    return found
