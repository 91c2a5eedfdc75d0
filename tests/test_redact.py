"""Masking hides what tells the account and nothing else, in text and in a whole notebook, however often it runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.redact import MASK, redact, redact_notebook

ACCOUNT = "210987654321"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"arn:aws:personalize:us-east-1:{ACCOUNT}:filter/f",
            f"arn:aws:personalize:us-east-1:{MASK}:filter/f",
        ),
        (f"arn:aws:iam::{ACCOUNT}:role/team/Secret", f"arn:aws:iam::{MASK}:role/{MASK}"),
        (f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/ab-12", f"arn:aws-cn:kms:cn-north-1:{MASK}:key/{MASK}"),
        ("arn:aws:s3:::films-raw/*", f"arn:aws:s3:::{MASK}/*"),
        ("s3://films-raw/in/users.json", f"s3://{MASK}/in/users.json"),
        (f"'Account': '{ACCOUNT}'", f"'Account': '{MASK}'"),
        (f"account_id={ACCOUNT}", f"account_id={MASK}"),
        (f"personalize-nb-{ACCOUNT}-us-east-1", f"personalize-nb-{MASK}"),
        ("key AKIAABCDEFGHIJKLMNOP", f"key {MASK}"),
        ("aws_secret_access_key='abc/def+1'", f"aws_secret_access_key='{MASK}'"),
        ("/home/ana/work/a.py", "~/work/a.py"),
        (r"C:\Users\ana\a.py", r"~\a.py"),
        ("'RequestId': '0f3c1a52-1111-2222-3333-444455556666'", f"'RequestId': '{MASK}'"),
        ("http://127.0.0.1:40123/x", "http://127.0.0.1:****/x"),
    ],
)
def test_masked(text, expected):
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize("text", ["item 210987654321 for user 100000000001", "score 0.0152238", "/homework/a"])
def test_left_as_it_is(text):
    assert redact(text) == text


@given(st.text(alphabet="arn:wskipelzo-/*0123456789 =\"'", max_size=80))
def test_idempotent(text):
    assert redact(redact(text)) == redact(text)


def test_notebook_is_masked_everywhere(tmp_path):
    arn = f"arn:aws:iam::{ACCOUNT}:role/R"
    view = "application/vnd.jupyter.widget-view+json"
    cell = {
        "cell_type": "code",
        "metadata": {"execution": {"t": 1}, "tags": ["keep"]},
        "source": [f"role = '{arn}'"],
        "execution_count": 1,
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": [arn]},
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {view: {"model_id": "m"}, "text/html": arn},
            },
            {"output_type": "error", "ename": "E", "evalue": arn, "traceback": [arn, arn]},
            {"output_type": "display_data", "metadata": {}, "data": {"image/png": "s3notmasked"}},
        ],
    }
    path = tmp_path / "n.ipynb"
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {"state": arn}}, "cells": [cell]}
    path.write_text(json.dumps(notebook))

    redact_notebook(path)
    once = path.read_text()
    redact_notebook(path)

    assert path.read_text() == once
    saved = json.loads(once)
    assert ACCOUNT not in once
    assert "widgets" not in saved["metadata"]
    assert saved["cells"][0]["metadata"] == {"tags": ["keep"]}
    assert view not in saved["cells"][0]["outputs"][1]["data"]
    assert saved["cells"][0]["outputs"][3]["data"]["image/png"] == "s3notmasked"
