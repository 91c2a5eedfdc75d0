"""The filter language as text: every documented example parses, every wrong one is refused with its place."""

from __future__ import annotations

import pytest

from personalize_nb.local.data.schema import Field, Schema
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.filters.syntax import FilterError

SCHEMAS = {
    "INTERACTIONS": Schema(
        "INTERACTIONS",
        (
            Field("USER_ID", "string"),
            Field("ITEM_ID", "string"),
            Field("TIMESTAMP", "long"),
            Field("EVENT_TYPE", "string"),
            Field("DEVICE", "string", categorical=True),
        ),
    ),
    "ITEMS": Schema(
        "ITEMS",
        (
            Field("ITEM_ID", "string"),
            *(Field(name, "string", categorical=True) for name in ("GENRE", "CATEGORY", "CATEGORY_L1", "CATEGORY_L2")),
            Field("TITLE", "string"),
            Field("PRICE", "float", nullable=True),
            Field("CREATION_TIMESTAMP", "long"),
            Field("DESCRIPTION", "string", textual=True),
            Field("IN_STOCK", "boolean"),
        ),
    ),
    "USERS": Schema(
        "USERS",
        (Field("USER_ID", "string"), Field("AGE", "int"), Field("MEMBERSHIP_STATUS", "string", categorical=True)),
    ),
}

DOCUMENTED = """
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($EVENT_TYPE)
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")
INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchased")
EXCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)
INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE
EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("shoe") AND Items.CATEGORY_L2 NOT IN ("boot")
INCLUDE ItemID WHERE Items.PRICE <= $PRICE
INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < $DATE
INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)
INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.CREATION_TIMESTAMP > $DATE
EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $AGE
INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("watch") AND Items.CATEGORY_L2 IN ("luxury") IF CurrentUser.AGE > 18
INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("favorite")
INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")
INCLUDE UserID WHERE Users.MEMBERSHIP_STATUS IN ($MEMBERSHIP)
EXCLUDE UserID WHERE Users.AGE < $AGE
INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("click, rating")
EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($EVENT_TYPE)
""".strip().splitlines()

# The forms of 2023 name DESCRIPTION, which was a categorical field in those pages.
OLDER = """
EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe") AND Items.DESCRIPTION NOT IN ("boot")
INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") AND Items.DESCRIPTION IN ("luxury") IF CurrentUser.AGE > 18
""".strip().splitlines()

AS_PEOPLE_WRITE = [
    "exclude itemId where INTERACTIONS.event_type in ('Purchase')",
    "INCLUDE itemId WHERE ITEMS.CATEGORY_L1 in ($C) and items.price >= 10 AND Items.PRICE<=20.5",
    'INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
    "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)",
    'INCLUDE ItemID WHERE Items.GENRE IN ("$GENRE")',
]


@pytest.mark.parametrize("text", DOCUMENTED + AS_PEOPLE_WRITE)
def test_legal_expressions_pass_the_check_and_survive_being_written_again(text):
    expression = parse(text)
    expression.check(SCHEMAS)
    assert parse(str(expression)) == expression


@pytest.mark.parametrize("text", OLDER)
def test_the_older_examples_parse_and_are_refused_for_a_textual_field_only(text):
    expression = parse(text)
    with pytest.raises(FilterError, match=r"DESCRIPTION is textual"):
        expression.check(SCHEMAS)


def test_an_expression_tells_what_it_needs():
    expression = parse("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $Age")
    assert expression.placeholders == ("GENRE", "Age")
    assert expression.uses_current_user
    assert not expression.uses_current_item
    assert not expression.uses_interactions
    related = parse("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE")
    assert related.uses_current_item
    assert parse(AS_PEOPLE_WRITE[0]).uses_interactions


def test_and_binds_tighter_than_or():
    clause = parse("INCLUDE ItemID WHERE Items.A = 1 OR Items.B = 2 AND Items.C = 3").clauses[0]
    assert [len(group) for group in clause.any_of] == [1, 2]


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "found the end at position 0; expected INCLUDE or EXCLUDE"),
        ("SELECT ItemID", 0, "found 'SELECT'"),
        ("INCLUDE ItemID", 14, "expected WHERE"),
        ("INCLUDE ItemID WHERE Items.GENRE", 32, "found the end at position 32; expected IN, NOT IN, a comparison"),
        ("INCLUDE ItemID WHERE Items.GENRE IN (“Comedy”)", 37, "found '“' at position 37"),
        ("INCLUDE ItemID WHERE (Items.GENRE IN ('a'))", 21, r"found '\(' at position 21; expected a name"),
        ("INCLUDE ItemID WHERE Items.GENRE IN ()", 37, r"found '\)' at position 37"),
        ("INCLUDE ItemID WHERE Items.GENRE IN ('a') IF CurrentUser.AGE > 1 OR CurrentUser.AGE < 0", 65, "expected AND"),
        ("INCLUDE Item WHERE Items.GENRE IN ('a')", 8, "cannot filter 'Item' at position 8; legal is one of ItemID"),
        ("INCLUDE ItemID WHERE Item.GENRE IN ('a')", 21, "unknown dataset 'Item'"),
        (
            "INCLUDE ItemID WHERE Users.AGE > 1",
            21,
            "Users.AGE cannot stand after WHERE; legal is Items or Interactions",
        ),
        ("INCLUDE ItemID WHERE Items.A = 1 AND Interactions.EVENT_TYPE IN ('a')", 37, r"join two expressions with \|"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF Items.B = 2", 36, "legal is CurrentUser"),
        ("INCLUDE ItemID WHERE Items.A = CurrentUser.A", 31, "legal is a field of Items with one of CurrentItem"),
        ("INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.A = CurrentItem.A", 52, "cannot be compared|cannot be used"),
        ("INCLUDE ItemID WHERE Items.GENRE IN (*)", 37, r"\* is legal only in"),
        ("INCLUDE ItemID WHERE Items.A = 1 | EXCLUDE UserID WHERE Users.A = 1", 56, "cannot mix ItemID and UserID"),
        ("INCLUDE ActionID WHERE Items.A = 1", 23, "needs an Actions dataset"),
    ],
)
def test_refusals_say_what_and_where(text, position, message):
    with pytest.raises(FilterError, match=message) as refusal:
        parse(text)
    assert refusal.value.position == position
    assert refusal.value.code == "InvalidInputException"
    assert refusal.value.message.startswith("Could not create filter. Invalid Expression")


def test_a_placeholder_after_not_in_is_refused_in_amazons_words():
    with pytest.raises(FilterError) as refusal:
        parse("EXCLUDE ItemID WHERE Items.GENRE NOT IN ($parameterName)")
    assert refusal.value.message == (
        "Could not create filter. Invalid input symbol: $parameterName. "
        "Placeholders are not allowed with NOT_IN operator."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INCLUDE ItemID WHERE Items.COLOUR IN ('a')", "unknown field Items.COLOUR; legal is one of ITEM_ID, GENRE"),
        ("INCLUDE ItemID WHERE Items.IN_STOCK = 1", "Items.IN_STOCK is boolean"),
        ("INCLUDE ItemID WHERE Interactions.DEVICE IN ('a')", "only the event type"),
        ("INCLUDE ItemID WHERE Items.GENRE > 3", "> compares numbers, and Items.GENRE is a string"),
        ("INCLUDE ItemID WHERE Items.PRICE IN ('cheap')", '"cheap" is not a number'),
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.GENRE", "must be numbers or both strings"),
    ],
)
def test_the_check_names_the_field(text, message):
    with pytest.raises(FilterError, match=message):
        parse(text).check(SCHEMAS)


@pytest.mark.parametrize(
    ("fields", "text", "message"),
    [
        (
            {"USER_ID": {}, "TIMESTAMP": {}},
            'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
            "unknown field Interactions.EVENT_TYPE; of interactions only EVENT_TYPE can be filtered on, and this "
            "schema has no such field: give the dataset a schema with it and import event types",
        ),
        (
            {"EVENT_TYPE": {}},
            'EXCLUDE ItemID WHERE Interactions.EVENTTYPE IN ("buy")',
            "unknown field Interactions.EVENTTYPE (did you mean EVENT_TYPE?); legal is EVENT_TYPE",
        ),
        (
            {"ITEM_ID": {}, "GENRES": {}},
            'INCLUDE ItemID WHERE Items.genre IN ("a")',
            "unknown field Items.genre (did you mean GENRES?); legal is one of ITEM_ID, GENRES",
        ),
        (
            {"ABOUT": {"textual": True}},
            'INCLUDE ItemID WHERE Items.ABOUT IN ("a")',
            "Items.ABOUT is textual, and filters cannot read free text; no field of ITEMS can be filtered on: give the "
            "dataset a schema with a string or a number",
        ),
    ],
)
def test_a_schema_without_the_field_is_told_in_words(fields, text, message):
    kind = "INTERACTIONS" if "Interactions" in text else "ITEMS"
    schema = Schema(kind, tuple(Field(name, "string", **marks) for name, marks in fields.items()))
    with pytest.raises(FilterError) as refusal:
        parse(text).check({kind: schema})
    assert message in refusal.value.message


def test_the_check_needs_the_dataset():
    expression = parse("INCLUDE ItemID WHERE Items.GENRE IN ('a') IF CurrentUser.AGE > 18")
    with pytest.raises(FilterError, match="needs a dataset of type USERS, which the dataset group lacks"):
        expression.check({"ITEMS": SCHEMAS["ITEMS"]})


def test_the_check_counts_distinct_fields():
    fields = tuple(Field(f"F{number}", "int") for number in range(11))
    text = " AND ".join(f"Items.F{number} = 1" for number in range(11))
    with pytest.raises(FilterError, match="11 distinct fields; a filter can use at most 10"):
        parse(f"INCLUDE ItemID WHERE {text}").check({"ITEMS": Schema("ITEMS", fields)})


@pytest.mark.parametrize(
    ("text", "recipe_type", "message"),
    [
        ("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE", "USER_PERSONALIZATION", "only with recipes of type"),
        ("INCLUDE UserID WHERE Users.AGE > 3", "RELATED_ITEMS", "returns ItemID, the filter is on UserID"),
        ("INCLUDE ItemID WHERE Items.PRICE > 3", "USER_SEGMENTATION", "returns UserID"),
    ],
)
def test_the_check_knows_the_recipe(text, recipe_type, message):
    with pytest.raises(FilterError, match=message):
        parse(text).check(SCHEMAS, recipe_type)


def test_current_item_passes_for_related_items():
    parse("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE").check(SCHEMAS, "RELATED_ITEMS")
