"""Masking hides what tells the account and nothing else, in text and in a whole notebook, however often it runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb import errors
from personalize_nb.text.redact import MASK, redact, redact_notebook

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
        ("[Code] (request id 0f3c1a52-1111-2222)", f"[Code] (request id {MASK})"),
        ("in 1 s (request\n  id 4A4E, host id g7+/Z1=)", f"in 1 s (request\n  id {MASK}, host id {MASK})"),
        ("the column (request id or name)", "the column (request id or name)"),
        ("http://127.0.0.1:40123/x", "http://127.0.0.1:****/x"),
        ("AWS_SESSION_TOKEN=IQoJb3/x+y==", f"AWS_SESSION_TOKEN={MASK}"),
        ("{'SessionToken': 'FwoGZX/+=', 'n': 1}", f"{{'SessionToken': '{MASK}', 'n': 1}}"),
        ("&#39;SessionToken&#39;: &#39;FwoGZX&#39;", f"&#39;SessionToken&#39;: &#39;{MASK}&#39;"),
        ("?X-Amz-Signature=ab12&X-Amz-Date=20261123", f"?X-Amz-Signature={MASK}&X-Amz-Date=20261123"),
        ("&X-Amz-Security-Token=Fwo%2B&x=1", f"&X-Amz-Security-Token={MASK}&x=1"),
        ("X-Amz-Credential=AB%2F20261123%2Fus-east-1 ", f"X-Amz-Credential={MASK} "),
        ("https://films-prod.s3.amazonaws.com/in.json", f"https://{MASK}.s3.amazonaws.com/in.json"),
        ("https://films.s3.eu-west-1.amazonaws.com", f"https://{MASK}.s3.eu-west-1.amazonaws.com"),
        ("https://s3.eu-west-1.amazonaws.com/films/a", f"https://s3.eu-west-1.amazonaws.com/{MASK}/a"),
        ("Session.aws(bucket='films-prod')", f"Session.aws(bucket='{MASK}')"),
        ('bucket = "films"', f'bucket = "{MASK}"'),
        ("{'Bucket': 'films-prod'}", f"{{'Bucket': '{MASK}'}}"),
        ("PERSONALIZE_NB_BUCKET=films-prod", f"PERSONALIZE_NB_BUCKET={MASK}"),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/john.doe",
            f"arn:aws:sts::{MASK}:assumed-role/{MASK}",
        ),
        (f"arn:aws:iam::{ACCOUNT}:instance-profile/x", f"arn:aws:iam::{MASK}:instance-profile/{MASK}"),
        ("assumed-role/Admin/john.doe", f"assumed-role/{MASK}"),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/a", f"{MASK}.dkr.ecr.us-east-1.amazonaws.com/a"),
        ("api_key=sk-abcDEF123", f"api_key={MASK}"),
        ("key LOCAL0123456789ABCDE", f"key {MASK}"),
    ],
)
def test_masked(text, expected):
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "item 210987654321 for user 100000000001",
        "score 0.0152238",
        "/homework/a",
        "a session token is needed; the bucket holds the input",
        "bucket=bucket, prefix=prefix",
        "aws_session_token=found['SessionToken'], api_key=read_key()",
        "AWS_ENDPOINT_URL=https://personalize.us-east-1.amazonaws.com",
        "item LOCAL-HERO, user sk-12",
    ],
)
def test_left_as_it_is(text):
    assert redact(text) == text


@given(st.text(alphabet="arn:wskipelzo-/*0123456789 =\"'", max_size=80))
def test_idempotent(text):
    assert redact(redact(text)) == redact(text)


WORDS = (
    "bucket = 'films-prod' SessionToken : \" &quot; &#39; https:// .s3 .eu-west-1 .amazonaws.com / arn:aws:sts:: "
    f"{ACCOUNT} {MASK} assumed-role/ Admin X-Amz-Signature= api_key sk-abcdefghijklmnopqr ( [ * \\ s3:// ;"
).split()


@given(st.lists(st.sampled_from([*WORDS, " "]), max_size=12).map("".join))
def test_idempotent_on_what_rules_are_made_of(text):
    assert redact(redact(text)) == redact(text)


RED, PLAIN = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{RED}arn:aws:iam::{PLAIN}{ACCOUNT}:user/jane", f"{RED}arn:aws:iam::{PLAIN}{MASK}:user/{MASK}"),
        (f"arn:aws:iam::{ACCOUNT}:{RED}user/{PLAIN}jane x", f"arn:aws:iam::{MASK}:{RED}user/{PLAIN}{MASK} x"),
        (f"s3://acme-{RED}data{PLAIN}/x of acme-data", f"s3://{MASK}{RED}{PLAIN}/x of {MASK}"),
        (f"api_key{RED}={PLAIN}sk-abcDEF123;{RED} x", f"api_key{RED}={PLAIN}{MASK};{RED} x"),
        (f"/home/{RED}jane{PLAIN}/x", f"~{RED}{PLAIN}/x"),
        (f"item {RED}210987654321{PLAIN}: {RED}arn{PLAIN}", f"item {RED}210987654321{PLAIN}: {RED}arn{PLAIN}"),
    ],
)
def test_colours_hide_nothing(text, expected):
    assert redact(text) == expected
    assert redact(expected) == expected


@given(
    st.lists(st.sampled_from([*WORDS, " ", RED, PLAIN, "arn:aws:iam::", ":user/", "jane"]), max_size=14).map("".join)
)
def test_idempotent_with_colours(text):
    assert redact(redact(text)) == redact(text)


SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


def _notebook(path, *, source="", outputs=(), markdown="", metadata=None):
    code = {"cell_type": "code", "metadata": {}, "source": source, "execution_count": 1, "outputs": list(outputs)}
    cells = [code, {"cell_type": "markdown", "metadata": {}, "source": markdown}]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata or {}, "cells": cells}))
    return path


def _stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def test_what_is_recognised_once_is_masked_wherever_it_stands(tmp_path):
    path = _notebook(
        tmp_path / "n.ipynb",
        source=f"Session.aws(bucket='acme-private-data', role_arn='arn:aws:iam::{ACCOUNT}:role/team/MyRole')",
        outputs=[
            _stream([f"bucket acme-private-data account {ACCOUNT}\n", f"s.account -> '{ACCOUNT}'\n"]),
            _stream(f"acme-private-data-2 {ACCOUNT[:4]}-{ACCOUNT[4:8]}-{ACCOUNT[8:]} item 100000000001"),
            {
                "output_type": "display_data",
                "metadata": {"of": ["acme-private-data"]},
                "data": {
                    "text/html": f"<td>MyRole</td><td>{ACCOUNT}</td>",
                    "application/json": {"acme-private-data": [ACCOUNT, 3]},
                },
            },
            {
                "output_type": "error",
                "ename": "E",
                "evalue": r"a\nacme-private-data",
                "traceback": [f"\x1b[32m{ACCOUNT}\x1b[39m"],
            },
        ],
        markdown=f"Bucket is `acme-private-data`, account {ACCOUNT[:4]}-{ACCOUNT[4:8]}-{ACCOUNT[8:]} {ACCOUNT}",
        metadata={"title": "acme-private-data"},
    )
    redact_notebook(path)
    text = path.read_text()
    for secret in ("acme-private-data", ACCOUNT, ACCOUNT[4:8] + "-", "MyRole"):
        assert secret not in text
    assert "item 100000000001" in text
    assert json.loads(text)["cells"][1]["source"] == f"Bucket is `{MASK}`, account {MASK} {MASK}"


@pytest.mark.parametrize("identified", ["s3://acme-data/x", "'Bucket': 'acme-data'", "arn:aws:s3:::acme-data"])
def test_text_is_masked_like_a_notebook(identified):
    assert redact(f"{identified}; acme-data holds it") == f"{redact(identified)}; {MASK} holds it"


def test_a_name_that_is_a_plain_word_is_masked_where_something_says_what_it_is():
    text = "bucket = 'films'\nframe['films'] = `films`; bucket films; the films of films_raw"
    masked = f"bucket = '{MASK}'\nframe['films'] = `films`; bucket {MASK}; the films of films_raw"
    assert redact(text) == masked


def test_placeholders_of_documentation_are_no_names():
    text = "s3://bucket/key; answer['bucket']; bucket = 'your-bucket'; s3://amzn-s3-demo-bucket/x"
    assert redact(text) == text


@pytest.mark.parametrize("between", [" ", "\n", ", secret: ", r"\n", "</td>\n      <td>"])
def test_a_secret_key_beside_its_id_is_masked(between):
    assert redact(f"{KEY_ID}{between}{SECRET_KEY} x") == f"{MASK}{between}{MASK} x"
    if "\n" not in between:
        assert redact(f"{SECRET_KEY}{between}{KEY_ID} x") == f"{MASK}{between}{MASK} x"


def test_forty_characters_alone_are_no_secret():
    assert redact(f"commit {'a1' * 20}") == f"commit {'a1' * 20}"
    assert "a1a1" in redact(f"{KEY_ID}\n\n{'a1' * 20}")


def test_short_values_of_tokens_are_not_masked_elsewhere():
    assert redact("api_key='x'; y = 'x'") == f"api_key='{MASK}'; y = 'x'"


def test_names_known_from_elsewhere(tmp_path):
    assert redact("'films' of films; bucket films", known=["films"]) == f"'{MASK}' of films; bucket {MASK}"
    assert redact(f"in acme-raw of {ACCOUNT}", known=["acme-raw", ACCOUNT]) == f"in {MASK} of {MASK}"
    path = _notebook(tmp_path / "n.ipynb", source=["# acme-raw\n", "x = 1"], markdown=ACCOUNT)
    redact_notebook(path, known=["acme-raw", ACCOUNT])
    cells = json.loads(path.read_text())["cells"]
    assert [cell["source"] for cell in cells] == [[f"# {MASK}\n", "x = 1"], MASK]


MANY = (
    f"bucket='acme-data' s3://acme-data/x acme-data {ACCOUNT} account {KEY_ID} {SECRET_KEY} role MyRole ` ' \\n - "
    f"arn:aws:iam::{ACCOUNT}:role/MyRole arn:aws:iam::{ACCOUNT[:4]}-{ACCOUNT[4:8]}-{ACCOUNT[8:]}:role/films {MASK} "
    "'films' arn:aws:s3:::films assumed-role/MyRole/ana"
).split(" ")


@given(*[st.lists(st.sampled_from([*MANY, " ", "\n"]), max_size=8).map("".join)] * 3)
def test_notebooks_are_masked_once_and_for_all(tmp_path_factory, source, output, markdown):
    path = tmp_path_factory.getbasetemp() / "idempotent.ipynb"
    redact_notebook(_notebook(path, source=source, outputs=[_stream(output)], markdown=markdown))
    once = path.read_text()
    redact_notebook(path)
    assert path.read_text() == once


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{ broken", "is no notebook"),
        (b"\xff\xfe\x00", "is no notebook"),
        ("[]", "nbformat 4"),
        ('{"metadata": {}, "worksheets": []}', "nbformat 4"),
        ('{"metadata": {}, "cells": [{"cell_type": "code"}]}', "nbformat 4"),
    ],
)
def test_a_file_that_is_no_notebook_is_told_and_left(tmp_path, content, told):
    path = tmp_path / "n.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    with pytest.raises(errors.InputError, match=told) as raised:
        redact_notebook(path)
    assert "n.ipynb" in str(raised.value)
    assert path.read_bytes() == before


def test_a_missing_file_or_a_folder_is_told_with_the_next_step(tmp_path):
    with pytest.raises(errors.NotFoundError, match="save it first"):
        redact_notebook(tmp_path / "nope.ipynb")
    with pytest.raises(errors.InputError, match="give a saved notebook"):
        redact_notebook(tmp_path)


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


def test_a_notebook_that_cannot_be_written_stays_whole(tmp_path, monkeypatch):
    path = _notebook(tmp_path / "n.ipynb", source="s3://films-raw/x")
    before = path.read_text()

    def full(*names):
        raise OSError("no space")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        redact_notebook(path)
    assert [file.name for file in tmp_path.iterdir()] == ["n.ipynb"]
    assert path.read_text() == before


def test_a_masked_notebook_keeps_its_mode_and_its_link(tmp_path):
    path, link = _notebook(tmp_path / "n.ipynb", source="s3://films-raw/x"), tmp_path / "link.ipynb"
    path.chmod(0o640)
    link.symlink_to(path)
    redact_notebook(link)
    assert link.is_symlink() and MASK in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
