"""A code cell that is masked has the same tokens as before, but for strings, comments and numbers, and runs."""

import ast
import io
import json
import tokenize

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from leaks_corpus import ACCOUNT, BUCKET, HARMLESS, LEAKS, SECRET

from personalize_nb.text.code_cells import NUMBER, areas
from personalize_nb.text.redact import MASK, leaks_of, redact_notebook, redacted

ARN = f"arn:aws:iam::{ACCOUNT}:role/AcmeRole"


def _masked(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    saved = json.loads(redacted(nbformat.writes(nbformat.v4.new_notebook(cells=cells))))
    return ["".join(cell["source"]) for cell in saved["cells"]]


def _tokens(source):
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name not in ("COMMENT", "NL", "NEWLINE", "FSTRING_MIDDLE"):
            found.append((name, token.string if name not in ("STRING", "NUMBER") else ""))
    return found


VALUES = [
    ARN,
    f"s3://{BUCKET}/x",
    BUCKET,
    "AcmeRole",
    SECRET,
    ACCOUNT,
    "books",
    "high-value",
    "{{x}}",
    "/home/ana/x",
    "é",
]
NAMES = ["AcmeRole", "books", "bucket", "account", "secret_key", "x", "password"]
QUOTES = [
    "'{}'",
    '"{}"',
    "r'{}'",
    "b'acme'",
    "f'{}'",
    "f'{}{x!r:>{width}}{}'",
    "'''{}\n{}'''",
    "f'''{{{{{}}}}}'''",
    "('{}' '{}')",
]
LINES = [
    "{name} = {value}",
    "{name}[{value}] = {value}",
    "{name}: str = {value}  # {text}",
    "print({name}, {name}={value})",
    "{name} = {{{value}: {value}, 'n': [{value}, {number}]}}",
    "({name} := {value})",
    "def {name}(*, {name}={value}): return {value}",
    "account_id = {number} + 1",
    "# {text}",
]


@st.composite
def _programs(draw):
    def value():
        quote = draw(st.sampled_from(QUOTES))
        while "{}" in quote:
            quote = quote.replace("{}", draw(st.sampled_from(VALUES)), 1)
        return quote

    lines = []
    for _ in range(draw(st.integers(1, 4))):
        line, name = draw(st.sampled_from(LINES)), draw(st.sampled_from(NAMES))
        while "{value}" in line:
            line = line.replace("{value}", value(), 1)
        number = draw(st.sampled_from([ACCOUNT, f"{ACCOUNT[:3]}_{ACCOUNT[3:6]}_{ACCOUNT[6:9]}_{ACCOUNT[9:]}", "25"]))
        text = draw(st.sampled_from([text.replace("\n", " ") for _, text in LEAKS] + VALUES))
        line = line.replace("{name}", name).replace("{number}", number).replace("{text}", text)
        lines.append(line.replace("{{", "{").replace("}}", "}") if line.startswith(name + " = {{") else line)
    return "\n".join(lines)


@settings(max_examples=60)
@given(_programs(), st.sampled_from(["", ARN, f"account {ACCOUNT}, s3://{BUCKET}, s3://books/x"]))
def test_what_compiled_compiles_and_has_the_same_tokens(source, other):
    try:
        ast.parse(source)
    except SyntaxError:
        source = f"x = {source!r}"
    masked, _ = _masked(source, f"print({other!r})")
    ast.parse(masked)
    assert _tokens(masked) == _tokens(source)
    assert _masked(masked) == [masked]
    for secret in (BUCKET, SECRET, ARN):
        if f"s3://{BUCKET}" in other and secret == BUCKET:
            assert secret not in masked


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        (
            f"AcmeRole = f(); x = '{ARN}'; print(AcmeRole)",
            f"AcmeRole = f(); x = 'arn:aws:iam::{MASK}:role/{MASK}'; print(AcmeRole)",
        ),
        (f"account_id = {ACCOUNT}; y = account_id + 1", f"account_id = {NUMBER}; y = account_id + 1"),
        ("books = x['books']; 's3://books/a'", f"books = x['books']; 's3://{MASK}/a'"),
        (f"%env BUCKET={BUCKET}", f"%env BUCKET={MASK}"),
        (f"x = !aws s3 ls s3://{BUCKET}\nacme = 1", f"x = !aws s3 ls s3://{MASK}\nacme = 1"),
        (f"%%time\nAcmeRole = '{ARN}'", f"%%time\nAcmeRole = 'arn:aws:iam::{MASK}:role/{MASK}'"),
        (f"%%bash\nexport AWS_SECRET={SECRET}", f"%%bash\nexport AWS_SECRET={MASK}"),
        (
            f"secret_key = (\n    '{SECRET[:20]}'\n    '{SECRET[20:]}'\n)",
            f"secret_key = (\n    '{MASK}'\n    '{MASK}'\n)",
        ),
        (f"secretKey: {SECRET}", f'secretKey: "{MASK}"'),
        (f"print(f'{{bucket}} of {ARN}')", f"print(f'{{bucket}} of arn:aws:iam::{MASK}:role/{MASK}')"),
        ("url = f's3%3A%2F%2F" + BUCKET + "%2F{x}'", f"url = f's3%3A%2F%2F{MASK}%2F{{x}}'"),
    ],
)
def test_code_is_masked_only_where_it_stays_code(source, masked):
    assert _masked(source) == [masked]
    assert _masked(masked) == [masked]


@pytest.mark.parametrize(
    "source",
    [
        "%time x = 1\n'a'",
        "!ls \\\n  -l\nx = 'a'",
        "x = %env HOME\n'a'",
        "?print\n'a'",
        "x = '''\n%env a\n!b\n'''",
        "if x:\n    !ls {x}\n    y = 'a'",
    ],
)
def test_magics_are_text_and_the_rest_is_python(source):
    found = [source[start:end] for start, end, _ in areas(source) or ()]
    assert "a" in found or "\n%env a\n!b\n" in found
    ast.parse(TransformerManager().transform_cell(source))


ASKING = [
    ("boto3.client('sts').get_caller_identity()['Account']", "'{}'"),
    ("print(account_id)", "{}\n"),
    ("!aws sts get-caller-identity --query Account --output text", "{}\n"),
    ("x = 1\nsession.account", "'{}'"),
    ("print(account, region)", "{} eu-west-1\n"),
    ("me = sts.get_caller_identity()['Account']\nme", "'{}'"),
]


@pytest.mark.parametrize(("source", "output"), ASKING)
def test_an_account_alone_is_masked_where_the_cell_asks_for_it(tmp_path, source, output):
    shown = nbformat.v4.new_output("execute_result", data={"text/plain": output.format(ACCOUNT)}, execution_count=1)
    printed = nbformat.v4.new_output("stream", text=output.format(ACCOUNT))
    for one in (shown, printed):
        path = tmp_path / "n.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[one])]), path)
        assert leaks_of(path) != []
        redact_notebook(path)
        assert (
            ACCOUNT not in path.read_text()
            and source.splitlines()[-1] in json.loads(path.read_text())["cells"][0]["source"][-1]
        )
        assert leaks_of(path) == []


@pytest.mark.parametrize("source", ["items.item_id.iloc[0]", "print(item)", "best[best.account == 3].item_id.max()"])
def test_an_item_alone_is_left(tmp_path, source):
    shown = nbformat.v4.new_output("execute_result", data={"text/plain": f"'{ACCOUNT}'"}, execution_count=1)
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[shown])]), path)
    assert leaks_of(path) == []


def test_harmless_code_is_left():
    assert _masked(*HARMLESS) == HARMLESS
