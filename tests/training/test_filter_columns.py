"""A filter that the toolkit passes before a training is one that CreateFilter takes for its data, and no other."""

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.filters.expression import parse
from personalize_nb.training import filter_columns, schemas

ROWS = range(12)
DATASETS = {
    "INTERACTIONS": pd.DataFrame(
        {"user_id": [f"u{row}" for row in ROWS], "item_id": "i0", "timestamp": 1_700_000_000}
    ).assign(event_type="view", event_value=1.5),
    "ITEMS": pd.DataFrame({"item_id": [f"i{row}" for row in ROWS], "genre": ["a", "b"] * 6, "price": 2.5}).assign(
        year=2000, title=[f"t{row}" for row in ROWS], description=[f"a long text, {row} " * 9 for row in ROWS]
    ),
    "USERS": pd.DataFrame({"user_id": [f"u{row}" for row in ROWS], "age": ROWS, "club": ["x", "y"] * 6}),
}
DATASETS = {kind: schemas.prepare(kind, frame) for kind, frame in DATASETS.items()}
SERVED = {kind: Schema.from_avro(kind, dataset.schema) for kind, dataset in DATASETS.items()}

FIELDS = st.sampled_from(
    "Items.GENRE Items.genre items.PRICE Items.YEAR Items.DESCRIPTION Items.TITLE Items.NONE Interactions.EVENT_TYPE "
    "Interactions.EVENT_VALUE Interactions.event_type Users.AGE Users.CLUB CurrentUser.AGE CurrentItem.GENRE "
    "CurrentItem.PRICE Events.X Items . GENRE".replace(" . ", "~").split()
).map(lambda name: name.replace("~", " . "))
VALUES = st.sampled_from(['"a"', "'b c'", "3", "-1.5e3", ".5", '"7"', "$G", '"$G"', "*", '"*"', '"inf"', r'"a\"b"'])
LISTS = st.lists(VALUES, min_size=1, max_size=3).map(lambda values: f"({', '.join(values)})")
COMPARISONS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
TESTS = st.one_of(
    st.tuples(FIELDS, st.sampled_from([" IN ", " in", " NOT IN ", " not_in"]), LISTS),
    st.tuples(FIELDS, COMPARISONS, VALUES),
    st.tuples(FIELDS, st.one_of(COMPARISONS, st.just(" IN ")), FIELDS),
    st.tuples(FIELDS, st.just(" IN "), VALUES),
).map("".join)


def joined(word):
    return st.lists(TESTS, min_size=1, max_size=2).map(f" {word} ".join)


CLAUSES = st.tuples(
    st.sampled_from(["INCLUDE", "exclude", "Exclude"]),
    st.sampled_from(["ItemID", "itemid", "ItemID", "UserID", "ActionID"]),
    st.just("WHERE"),
    st.one_of(joined("AND"), joined("OR")),
    st.one_of(st.just(""), joined("AND").map("IF ".__add__)),
).map(" ".join)
EXPRESSIONS = st.lists(CLAUSES, min_size=1, max_size=2).map(" | ".join)
CHOSEN = st.sampled_from(["aws-user-personalization-v2", "aws-similar-items", "aws-item-affinity"])


def agree(expression, recipe):
    """Return what the toolkit says, after a look at whether the service says so, too."""
    told = [problem.text for problem in filter_columns.problems(expression, DATASETS, RECIPES[recipe])]
    try:
        parse(expression).check(SERVED, RECIPES[recipe].type)
    except ApiError as error:
        assert told, str(error)
    else:
        assert told == []
    return told


@given(EXPRESSIONS, CHOSEN)
@example('INCLUDE ItemID WHERE Items.GENRE IN ("a") IF CurrentUser.AGE > 17', "aws-user-personalization-v2")
@example('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "aws-user-personalization-v2")
@example("INCLUDE ItemID WHERE Items.PRICE <= CurrentItem.PRICE", "aws-similar-items")
@example('INCLUDE UserID WHERE Users.CLUB NOT IN ("x", "y")', "aws-item-affinity")
def test_the_toolkit_takes_what_the_service_takes(expression, recipe):
    agree(expression, recipe)


@given(EXPRESSIONS, st.data())
def test_a_broken_expression_is_broken_for_both(expression, data):
    place = data.draw(st.integers(0, len(expression) - 1))
    change = data.draw(st.sampled_from(["", "(", ")", "$", '"', "|", ",", ".", " ", "~", "AND "]))
    agree(expression[:place] + change + expression[place + 1 :], "aws-similar-items")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("INCLUDE ItemID WHERE Items.GENRE < 3", "< compares numbers, and Items.GENRE is text; legal is IN, NOT IN"),
        ('INCLUDE ItemID WHERE Items.DESCRIPTION IN ("x")', "Items.DESCRIPTION is textual"),
        ("INCLUDE ItemID WHERE Interactions.EVENT_VALUE > 3", "of interactions only EVENT_TYPE can"),
        ("INCLUDE ItemID WHERE Items.GENRE IN $G", r"found '$G' at position 36, expected ("),
        ('INCLUDE ItemID WHERE Items.PRICE = "dear"', "Items.PRICE is a number, and 'dear' is none"),
        ("INCLUDE ItemID WHERE Items.GENRE NOT IN ($G)", "takes no placeholders"),
    ],
)
def test_what_create_filter_refuses_is_said_in_words(expression, told):
    (found,) = agree(expression, "aws-user-personalization-v2")
    assert told in found
    assert expression in found
