"""Every leak is masked in every surrounding and writing, and in every part of a notebook; what only looks so is not."""

import base64
import html
import json
import re
import urllib.parse

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks_corpus import ACCOUNT, BUCKET, CARRIERS, HARMLESS, KEY_ID, LEAKS, SECRET

from personalize_nb.text.code_cells import NUMBER
from personalize_nb.text.redact import MASK, leaks_of, redact, redact_notebook


def _packed(match):
    return base64.b64decode(match[1]).decode()


def _read(text):
    """Return a text as its reader sees it, by other means than the ones that are tested."""
    text = re.sub(r"base64,([A-Za-z0-9+/=]+)", _packed, text)
    text = re.sub(r"\x1b\[[\d;]*m|<[^>]*>", "", text)
    return urllib.parse.unquote(html.unescape(text)).replace("\\u003a", ":").replace("\\/", "/")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_no_leak_is_left_however_it_is_written(carrier):
    left = []
    for value, text in LEAKS:
        written = CARRIERS[carrier](text)
        masked = redact(written)
        if value in _read(masked) or redact(masked) != masked:
            left.append((text, masked))
    assert left == []


# A number here is a promise: how many texts of HARMLESS are masked although they tell nothing.
@pytest.mark.parametrize(("carrier", "alarms"), [(name, 0) for name in CARRIERS if name != "link"])
def test_ids_titles_and_code_are_left(carrier, alarms):
    written = [CARRIERS[carrier](text) for text in HARMLESS]
    assert [redact(text) for text in written if redact(text) != text] == [""] * alarms


def test_an_item_that_has_the_form_of_a_key_id_is_the_one_false_alarm():
    assert redact("item AKIAABCDEFGHIJKLMNOP") == f"item {MASK}"
    assert redact("item AKIAABCDEFGHIJKLMNOPQ, AKIA-ABCDEFGHIJKLMNOP") == (
        "item AKIAABCDEFGHIJKLMNOPQ, AKIA-ABCDEFGHIJKLMNOP"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]8;;file:///home/ana/x\x1b\\here\x1b]8;;\x1b\\", "here"),
        ("\x1b]8;;https://x\x07here\x1b]8;;\x07", "here"),
        ("a\x1b[2K\x1b[1A\x1b[?25lb\x1b[31mred\x1b[0m", "ab\x1b[31mred\x1b[0m"),
        ("a\x08\x07\x00b\x1bc\r\n\tc", "abc\r\n\tc"),
        ("\x1b\x1b[2J[31mred", "[31mred"),
        ("\x1b]0;title with no end", "]0;title with no end"),
    ],
)
def test_orders_to_a_terminal_are_removed_and_colours_kept(text, shown):
    assert redact(text) == shown


def _notebook(*cells, **metadata):
    return nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)


def _output(data, **metadata):
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata)


def _stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def _masked(notebook, path):
    nbformat.write(notebook, path)
    redact_notebook(path)
    saved = nbformat.read(path, as_version=4)
    nbformat.validate(saved)
    assert leaks_of(path) == []
    return saved


VIEW = "application/vnd.jupyter.widget-view+json"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {BUCKET} --><text>s3://{BUCKET}/x</text></svg>'


def _at(place, text):
    """Return a cell with a text in that place; the metadata of a cell stand for those of the notebook too."""
    code, middle = nbformat.v4.new_code_cell, len(text) // 2
    if place in ("source", "markdown", "raw"):
        new = {"source": code, "markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}
        return new[place](text)
    if place == "parameters":
        return code("x", metadata={"papermill": {"parameters": {"x": [text]}}})
    if place == "a key":
        return code("x", metadata={text: 1})
    if place == "attachments":
        cell = nbformat.v4.new_markdown_cell("![x](attachment:x.svg)")
        picture = base64.b64encode(f"<svg>{text}</svg>".encode()).decode()
        cell["attachments"] = {"x.svg": {"image/svg+xml": picture}}
        return cell
    if place == "chunks of a stream":
        return code("x", outputs=[_stream(text[:middle]), _stream(text[middle:])])
    if place == "an error":
        raised = nbformat.v4.new_output("error", ename="E", evalue=text, traceback=text.splitlines())
        return code("x", outputs=[raised])
    data = {
        "text": {"text/plain": text},
        "html": {"text/html": f"<pre>{html.escape(text)}</pre>"},
        "svg": {"image/svg+xml": f"<svg><text>{html.escape(text)}</text></svg>"},
        "json": {"application/json": {"a": [{"b": text}]}},
        "vega": {"application/vnd.vegalite.v5+json": {"data": {"values": [text]}}},
        "widget state": {"application/vnd.jupyter.widget-state+json": {"state": {"m": {"value": text}}}},
        "a widget's text": {VIEW: {"model_id": "m"}, "text/plain": f"Text(value={text!r})"},
    }
    if place == "an output's metadata":
        return code("x", outputs=[_output({"text/plain": "x"}, of={"it": text})])
    return code("x", outputs=[_output(data[place])])


PLACES = [
    "source",
    "markdown",
    "raw",
    "parameters",
    "a key",
    "attachments",
    "chunks of a stream",
    "an error",
    "text",
    "html",
    "svg",
    "json",
    "vega",
    "widget state",
    "a widget's text",
    "an output's metadata",
]


@pytest.mark.parametrize("place", PLACES)
def test_no_part_of_a_notebook_keeps_a_leak(tmp_path, place):
    saved = _masked(_notebook(*(_at(place, text) for _, text in LEAKS), widgets={"x": LEAKS[0]}), tmp_path / "n.ipynb")
    written = json.dumps(saved, ensure_ascii=False)
    packed = re.findall(r'"image/svg\+xml": "([A-Za-z0-9+/=]+)"', written)
    read = _read(written + "".join(base64.b64decode(one).decode() for one in packed))
    assert [text for value, text in LEAKS if value in read or value in written] == []


def test_chunks_are_one_text_and_named_values_say_what_they_are(tmp_path):
    cell = nbformat.v4.new_code_cell(
        "x",
        outputs=[
            _stream("arn:aws:iam::2109"),
            _stream("87654321:role/x and account 111"),
            _stream("other", "stderr"),
            _output({"application/json": {"account": 333333333333, "accounts": [444444444444], "item": 555555555555}}),
            _output({"application/json": {"bucket": "films", "n": 333333333333, "s3_bucket": "acme", "id": "acme"}}),
            _output({"image/svg+xml": SVG, "image/png": "iVBOR+s3//"}),
        ],
    )
    saved = _masked(_notebook(cell, papermill={"parameters": {"bucket": "tapes", "k": 5}}), tmp_path / "n.ipynb")
    joined, other, numbers, names, picture = saved.cells[0].outputs
    assert joined.text == f"arn:aws:iam::{MASK}:role/{MASK} and account 111" and other.text == "other"
    assert numbers.data["application/json"] == {"account": MASK, "accounts": [MASK], "item": 555555555555}
    assert names.data["application/json"] == {"bucket": MASK, "n": MASK, "s3_bucket": MASK, "id": "acme"}
    assert BUCKET not in picture.data["image/svg+xml"] and picture.data["image/png"] == "iVBOR+s3//"
    assert saved.metadata.papermill.parameters == {"bucket": MASK, "k": 5}


def test_names_that_are_masked_alike_stay_two(tmp_path):
    saved = _masked(_notebook(found={"s3://films-a": 1, "s3://films-b": 2}), tmp_path / "n.ipynb")
    assert list(saved.metadata.found.values()) == [1, 2]


def test_parameters_keep_their_names_their_harmless_values_and_run(tmp_path):
    source = (
        f"account = {ACCOUNT}\naccounts = [{ACCOUNT}, 111111111111]\nbucket = '{BUCKET}'\nusers = 's3://{BUCKET}/in'\n"
        "api_key = None\ntoken = 'none'\nk = 25\nitems = ['210987654320']\nrole = f'x{k}'"
    )
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    again = nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})
    saved = _masked(_notebook(cell, again, papermill={"parameters": {"k": 25}}), tmp_path / "n.ipynb")
    values = {}
    exec(saved.cells[0].source, values)
    assert values["account"] == int(NUMBER) and values["accounts"] == [int(NUMBER), int(NUMBER)]
    assert values["bucket"] == MASK and values["users"] == f"s3://{MASK}/in"
    assert (values["api_key"], values["token"], values["k"]) == (None, "none", 25)
    assert values["items"] == ["210987654320"] and values["role"] == "x25"
    assert saved.cells[1].source == saved.cells[0].source
    assert [cell.metadata.tags for cell in saved.cells] == [["parameters"], ["injected-parameters"]]


def test_cells_are_named_with_what_they_tell_and_never_the_secret(tmp_path):
    path = tmp_path / "n.ipynb"
    cells = [
        nbformat.v4.new_code_cell("x = 1"),
        nbformat.v4.new_code_cell(
            f"key = '{KEY_ID[:-7]}1234567'",
            outputs=[_stream("fine", "stderr"), _stream(f"account {ACCOUNT} in /home/ana/x")],
        ),
        nbformat.v4.new_markdown_cell(f"in s3://{BUCKET}; {ACCOUNT}", metadata={"execution": {"t": 1}}),
    ]
    nbformat.write(_notebook(*cells, widgets={"a": 1}), path)
    before = path.read_bytes()
    assert [(place.where, place.kinds) for place in leaks_of(path)] == [
        ("cell 2", ("access key id",)),
        ("cell 2, output 2", ("account id", "home folder")),
        ("cell 3", ("account id", "bucket")),
        ("cell 3, metadata", ("run time",)),
        ("the notebook's metadata", ("widget state",)),
    ]
    assert path.read_bytes() == before


def test_an_id_of_a_cell_that_tells_something_is_another_one(tmp_path):
    cells = [nbformat.v4.new_code_cell(f"'s3://{BUCKET}'", id=BUCKET), nbformat.v4.new_code_cell("x", id="cell-1")]
    saved = _masked(_notebook(*cells), tmp_path / "n.ipynb")
    assert saved.cells[0].id == "cell-2" and saved.cells[1].id == "cell-1"


def test_a_notebook_that_tells_nothing_is_not_written(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"metadata": {}, "cells": [{"cell_type": "code", "source": ["x", " = 1"]}]}))
    before = path.read_bytes()
    redact_notebook(path)
    assert path.read_bytes() == before


PARTS = (
    [text for _, text in LEAKS] + HARMLESS + [MASK, "\n", " ", "</td><td>", "\x1b[31m", "%2F", "\\n", "&#58;", "<b>"]
)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PARTS), max_size=5).map("".join), st.sampled_from(sorted(CARRIERS)))
def test_masking_is_done_once_and_for_all(text, carrier):
    masked = redact(CARRIERS[carrier](text))
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "s3" + "-a" * 20000 + ".amazonaw",
        "account" + " " * 20000 + "x",
        f"account {ACCOUNT}" + f", {ACCOUNT}" * 5000 + ", x",
        "\\" * 20000 + "x",
        "<a" * 20000,
        "secret_key = '" + "a" * 20000,
        "arn:aws" + ":a" * 20000,
        "\x1b]" * 20000,
        "x." * 20000 + "amazonaws",
        f"{KEY_ID} " * 3000 + SECRET,
        "account is " * 5000,
        "secret_key = (" * 3000,
        "password: " * 5000,
        "_" * 20000 + "bucket",
        "account  x\n" + "a  b\n" * 3000,
        "account,x\n" * 3000,
        "a 1\n" * 2000 + "Name: account, dtype: int\n" * 100,
        "<table><tr><th>account" * 2000,
        "data:text/html;base64," + "A" * 20000,
    ],
)
def test_a_text_made_to_be_searched_for_ever_is_masked(text):
    assert len(redact(text * 3)) <= 3 * len(text)
