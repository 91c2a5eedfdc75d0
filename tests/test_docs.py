"""Pages of the documentation that lead nowhere, or ask the network, are found."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / ".ci" / "docs"))
import links

sys.path.pop(0)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="sub/b.html#there">b</a> <a href="#here">a</a> <p id="here">', ""),
        ('<a href="https://example.org/page#part">elsewhere</a> <a href="mailto:a@example.org">post</a>', ""),
        ('<img src="data:image/png;base64,AA==">', ""),
        ('<a href="sub/c.html">c</a>', "a.html: sub/c.html is not there"),
        ('<a href="sub">a folder</a>', "a.html: sub is not there"),
        ('<a href="sub/b.html#absent">b</a>', "a.html: sub/b.html#absent has no such place"),
        ('<a href="#absent">a</a>', "a.html: #absent has no such place"),
        ('<a href="https://nowhere">x</a>', "a.html: https://nowhere"),
        ('<img src="picture.png">', "a.html: picture.png is not there"),
        ('<script src="https://example.org/x.js"></script>', "a.html loads https://example.org/x.js from the network"),
        ('<link href="http://example.org/x.css">', "a.html loads http://example.org/x.css from the network"),
        (
            "<style>p { background: url(https://example.org/x.png) }</style>",
            "a.html loads https://example.org/x.png from the network",
        ),
        ('<iframe src="//example.org/x"></iframe>', "a.html loads //example.org/x from the network"),
    ],
)
def test_links_that_lead_nowhere(body, told, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.html").write_text('<h1 id="there">b</h1><a href="../a.html">back</a>')
    (tmp_path / "a.html").write_text(body)
    assert links.dead_links(tmp_path) == ([told] if told else [])
