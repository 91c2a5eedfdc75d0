"""The table of operators: it and the grammar hold the same, and a row is all that the rest of the language reads."""

from __future__ import annotations

import re
from importlib import resources

import lark
import pyarrow as pa
import pytest

from personalize_nb.local import filters
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters import expression, syntax
from personalize_nb.local.filters.binding import bind, bind_users
from personalize_nb.local.filters.expression import parse

GRAMMAR = resources.files(filters).joinpath("grammar.lark").read_text(encoding="utf-8")
BRACKETS = {"LPAR", "RPAR", "COMMA"}
WITHOUT = syntax.Operator("WITHOUT", "WITHOUT", negates=syntax.IS_IN, takes_list=True)
SCHEMAS = {
    "INTERACTIONS": Schema(
        "INTERACTIONS",
        tuple(Field(name, "string") for name in ("USER_ID", "ITEM_ID", "EVENT_TYPE")) + (Field("TIMESTAMP", "long"),),
    ),
    "ITEMS": Schema("ITEMS", (Field("ITEM_ID", "string"), Field("GENRE", "string"), Field("YEAR", "int"))),
}
DATA = TrainingData(
    pa.table({"USER_ID": ["a", "b"], "ITEM_ID": ["x", "y"], "EVENT_TYPE": ["buy", "see"], "TIMESTAMP": [1, 2]}),
    pa.table({"ITEM_ID": ["x", "y", "z"], "GENRE": ["war", "love", "war"], "YEAR": [1990, 2000, 2010]}),
    None,
    SCHEMAS,
)


def language(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="lalr", lexer="contextual")


@pytest.fixture
def imaginary(monkeypatch):
    """Add a keyword operator in the two places that spell operators; what it means follows from what it negates."""
    line = "         | field IN field"
    grammar = GRAMMAR.replace(line, f'         | field WITHOUT "(" value ("," value)* ")"\n{line}')
    grammar += "\nWITHOUT: /WITHOUT\\b/i\n"
    monkeypatch.setattr(syntax, "OPERATORS", (*syntax.OPERATORS, WITHOUT))
    parser = language(grammar)
    monkeypatch.setattr(expression, "_parser", lambda: parser)


def test_the_grammar_and_the_table_have_the_same_operators():
    rules = [rule for rule in language(GRAMMAR).rules if rule.origin.name == "condition"]
    terminals = {part.name for rule in rules for part in rule.expansion if part.is_term} - BRACKETS
    assert terminals == {row.token for row in syntax.OPERATORS}
    spelled = re.findall('"([^"]+)"', next(line for line in GRAMMAR.splitlines() if line.startswith("COMPARISON:")))
    assert set(spelled) == {row.text for row in syntax.OPERATORS if row.token == syntax.COMPARISON}


@pytest.mark.parametrize("row", syntax.OPERATORS, ids=str)
def test_every_operator_is_read_as_its_row_in_any_case(row):
    values = "(1)" if row.takes_list else "1"
    text = f"INCLUDE ItemID WHERE Items.YEAR {row.text.lower()} {values}"
    (condition,) = parse(text).clauses[0].conditions
    assert condition.operator is row
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("Items.GENRE", "('war', 'see')"),
        ("Items.YEAR", "(1990, 2000)"),
        ("Interactions.EVENT_TYPE", "('buy', 'war')"),
        ("Interactions.EVENT_TYPE", "(*)"),
        ("Items.GENRE", "($P)"),
        ("Interactions.EVENT_TYPE", "($P)"),
    ],
)
def test_a_new_negated_keyword_answers_as_the_negation_it_is(imaginary, field, values):
    def answer(clause: str) -> list[list[bool]]:
        bound = bind(parse(f"{clause} {values}"), DATA, pa.array(["x", "y", "z"]))
        allowed, errors = bound.allowed(["a", "b"], None, [{"P": '"love","see"'}] * 2)
        assert errors == {}
        cells: list[list[bool]] = allowed.cells().tolist()
        return cells

    without = answer(f"INCLUDE ItemID WHERE {field} without")
    assert without == answer(f"EXCLUDE ItemID WHERE {field} IN")
    assert any(map(any, without))
    assert not all(map(all, without))


def test_a_new_negated_keyword_is_negated_for_users_too(imaginary):
    bound = bind_users(
        parse("INCLUDE UserID WHERE Interactions.EVENT_TYPE without ('buy')"), DATA, pa.array(["a", "b"])
    )
    assert bound.allowed(None, None, [None])[0].cells().tolist() == [[False, True]]


def test_a_new_keyword_is_named_where_it_is_legal_and_written_back_as_a_list(imaginary):
    with pytest.raises(syntax.FilterError, match=r"expected IN, NOT IN, a comparison \(=, .*, >=\), WITHOUT\."):
        parse("INCLUDE ItemID WHERE Items.GENRE")
    text = 'INCLUDE ItemID WHERE Items.GENRE WITHOUT ("war", "love")'
    assert str(parse(text)) == text
