"""Filters on data: answers countable by hand, and random expressions against a slow, obvious evaluator."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters.binding import bind
from personalize_nb.local.filters.expression import Expression, parse
from personalize_nb.local.filters.syntax import AnyValue, Condition, FilterError, Literal, Placeholder

SCHEMAS = {
    "INTERACTIONS": Schema(
        "INTERACTIONS",
        (
            Field("USER_ID", "string"),
            Field("ITEM_ID", "string"),
            Field("TIMESTAMP", "long"),
            Field("EVENT_TYPE", "string", nullable=True),
        ),
    ),
    "ITEMS": Schema(
        "ITEMS",
        (
            Field("ITEM_ID", "string"),
            Field("GENRE", "string", nullable=True, categorical=True),
            Field("MOOD", "string", nullable=True, categorical=True),
            Field("TITLE", "string", nullable=True),
            Field("PRICE", "double", nullable=True),
            Field("YEAR", "int", nullable=True),
        ),
    ),
    "USERS": Schema(
        "USERS",
        (
            Field("USER_ID", "string"),
            Field("AGE", "int", nullable=True),
            Field("TIER", "string", nullable=True, categorical=True),
        ),
    ),
}

ITEMS = [
    {"ITEM_ID": "i0", "GENRE": "Comedy|Drama", "MOOD": "sad", "TITLE": "a|b", "PRICE": 1.0, "YEAR": 1990},
    {"ITEM_ID": "i1", "GENRE": "Drama", "MOOD": "Comedy", "TITLE": "a", "PRICE": 2.0, "YEAR": 2000},
    {"ITEM_ID": "i2", "GENRE": "comedy", "MOOD": None, "TITLE": None, "PRICE": None, "YEAR": 2010},
    {"ITEM_ID": "i3", "GENRE": None, "MOOD": "sad|Drama", "TITLE": "b", "PRICE": 4.5, "YEAR": None},
]
USERS = [
    {"USER_ID": "u0", "AGE": 17, "TIER": "gold"},
    {"USER_ID": "u1", "AGE": 40, "TIER": None},
    {"USER_ID": "u2", "AGE": None, "TIER": "gold|new"},
]
EVENTS = [
    ("u0", "i0", 1, "click"),
    ("u0", "i1", 2, "Buy"),
    ("u1", "i1", 3, "CLICK"),
    ("u1", "i4", 4, "buy"),
    ("u3", "i2", 5, None),
]
# i4 is known from interactions only
CATALOGUE = ["i0", "i1", "i2", "i3", "i4"]


def table(rows: list[dict], schema: Schema) -> pa.Table:
    types = {"string": pa.string(), "int": pa.int32(), "long": pa.int64(), "double": pa.float64()}
    return pa.Table.from_pylist(rows, schema=pa.schema([(f.name, types[f.type]) for f in schema.fields]))


def events(rows: list[tuple]) -> pa.Table:
    names = SCHEMAS["INTERACTIONS"].names
    return table([dict(zip(names, row, strict=True)) for row in rows], SCHEMAS["INTERACTIONS"])


DATA = TrainingData(events(EVENTS), table(ITEMS, SCHEMAS["ITEMS"]), table(USERS, SCHEMAS["USERS"]), SCHEMAS)


def allowed(text: str, users=None, items=None, values=None, data: TrainingData = DATA) -> list[str | list[str]]:
    """Return for each query the allowed items, or the error text."""
    size = len(users or items or values)
    bound = bind(parse(text), data, pa.array(CATALOGUE))
    found, errors = bound.allowed(users, items, values or [None] * size)
    mask = found.cells()
    assert mask.shape == (size, len(CATALOGUE))
    assert mask.dtype == bool
    return [
        errors.get(row) or [item for item, keep in zip(CATALOGUE, mask[row], strict=True) if keep]
        for row in range(size)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('INCLUDE ItemID WHERE Items.GENRE IN ("Comedy")', ["i0"]),
        ('INCLUDE ItemID WHERE Items.GENRE IN ("Comedy", "comedy")', ["i0", "i2"]),
        ('EXCLUDE ItemID WHERE Items.GENRE IN ("Drama")', ["i2", "i3", "i4"]),
        ('INCLUDE ItemID WHERE Items.GENRE NOT IN ("Drama")', ["i2", "i3", "i4"]),
        ('INCLUDE ItemID WHERE Items.TITLE IN ("a")', ["i1"]),
        ('INCLUDE ItemID WHERE Items.TITLE = "a|b"', ["i0"]),
        ("INCLUDE ItemID WHERE items.price >= 2", ["i1", "i3"]),
        ("INCLUDE ItemID WHERE Items.PRICE != 2", ["i0", "i2", "i3", "i4"]),
        ("INCLUDE ItemID WHERE Items.YEAR IN (1990, 2010)", ["i0", "i2"]),
        ("INCLUDE ItemID WHERE Items.YEAR > 1995 AND Items.PRICE < 3", ["i1"]),
        ('INCLUDE ItemID WHERE Items.YEAR < 1995 OR Items.PRICE > 3 AND Items.MOOD IN ("sad")', ["i0", "i3"]),
        (
            'INCLUDE ItemID WHERE Items.GENRE IN ("Drama") | INCLUDE ItemID WHERE Items.YEAR = 2010'
            ' | EXCLUDE ItemID WHERE Items.MOOD IN ("sad")',
            ["i1", "i2"],
        ),
    ],
)
def test_fixed_conditions(text, expected):
    assert allowed(text, users=["u0", "nobody"]) == [expected, expected]


def test_interactions_are_the_users_own_and_event_types_ignore_case():
    users = ["u0", "u1", "u3", "nobody"]
    everything = CATALOGUE
    assert allowed('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Click")', users) == [
        ["i1", "i2", "i3", "i4"],
        ["i0", "i2", "i3", "i4"],
        everything,
        everything,
    ]
    assert allowed("INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", users) == [
        ["i0", "i1"],
        ["i1", "i4"],
        ["i2"],
        [],
    ]
    wanted = [{"E": '"buy"'}, {"E": '"buy","click"'}, {"E": '"buy"'}, {"E": '"buy"'}]
    assert allowed("INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)", users, values=wanted) == [
        ["i1"],
        ["i1", "i4"],
        [],
        [],
    ]


def test_a_filter_sees_the_hundred_most_recent_events_of_each_type():
    rows = [("u", f"i{0 if when == 0 else 1}", when, "click") for when in range(101)] + [("u", "i2", 0, "buy")]
    data = TrainingData(events(rows[::-1]), None, None, SCHEMAS)
    assert allowed("INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", ["u"], data=data) == [["i1", "i2"]]


def test_current_item_is_compared_value_by_value():
    items = ["i0", "i1", "i3", "unknown"]
    assert allowed("INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.GENRE", items=items) == [
        ["i0", "i1"],
        ["i0", "i1"],
        [],
        [],
    ]
    assert allowed("INCLUDE ItemID WHERE Items.MOOD IN CurrentItem.GENRE", items=items)[:2] == [["i1", "i3"], ["i3"]]
    assert allowed("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE", items=items) == [
        [],
        ["i0"],
        ["i0", "i1"],
        [],
    ]


def test_a_false_if_skips_its_clause():
    text = 'INCLUDE ItemID WHERE Items.GENRE IN ("Drama") IF CurrentUser.AGE > 18 AND CurrentUser.TIER NOT IN ("gold")'
    users = ["u0", "u1", "u2", "nobody"]
    assert allowed(text, users) == [CATALOGUE, ["i0", "i1"], CATALOGUE, CATALOGUE]
    ages = [{"A": '"17"'}, {"A": "40"}, {"A": "1"}, {"A": "1"}]
    assert allowed("EXCLUDE ItemID WHERE Items.YEAR > 0 IF CurrentUser.AGE = $A", users, values=ages) == [
        ["i3", "i4"],
        ["i3", "i4"],
        CATALOGUE,
        CATALOGUE,
    ]


def test_a_missing_placeholder_is_an_error_for_include_and_no_condition_for_exclude():
    values = [None, {}, {"g": '"Drama"'}, {"G": '"Drama"'}]
    missing = "filterValues has no value for the placeholder $G of the filter"
    include = allowed("INCLUDE ItemID WHERE Items.GENRE IN ($G)", values=values)
    assert include == [missing] * 3 + [["i0", "i1"]]
    exclude = allowed("EXCLUDE ItemID WHERE Items.GENRE IN ($G) OR Items.YEAR = 2010", values=values)
    assert exclude == [["i0", "i1", "i3", "i4"]] * 3 + [["i3", "i4"]]
    events_missing = allowed("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE != $E", ["u0", "u0"], values=[None, None])
    assert events_missing == [CATALOGUE, CATALOGUE]


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        (
            "INCLUDE ItemID WHERE Items.GENRE IN ($G)",
            {"G": "Drama"},
            r"the value of \$G in filterValues is 'Drama'; legal",
        ),
        ("INCLUDE ItemID WHERE Items.GENRE IN ($G)", {"G": ""}, "is ''; legal"),
        ("EXCLUDE ItemID WHERE Items.GENRE IN ($G)", {"G": '"Drama",'}, "legal are values in escaped double quotes"),
        (
            "INCLUDE ItemID WHERE Items.GENRE IN ($G)",
            {"G": '"' + "x" * 1000 + '"'},
            "has 1002 characters; at most 1000",
        ),
        ("INCLUDE ItemID WHERE Items.PRICE > $P", {"P": '"1","2"'}, "has 2 values; Items.PRICE > .P takes one"),
        ("INCLUDE ItemID WHERE Items.PRICE > $P", {"P": '"cheap"'}, "holds 'cheap', which is not a number"),
    ],
)
def test_unusable_values_are_errors_of_their_row_only(text, values, message):
    good = {"G": '"Drama"', "P": "3"}
    _, errors = bind(parse(text), DATA, pa.array(CATALOGUE)).allowed(None, None, [good, values, good])
    assert list(errors) == [1]
    assert re.search(message, errors[1]), errors[1]


def test_binding_refuses_what_the_data_lacks():
    with pytest.raises(FilterError, match="needs a dataset of type ITEMS"):
        bind(parse("INCLUDE ItemID WHERE Items.PRICE > 3"), TrainingData(None, None, None, {}), pa.array(CATALOGUE))
    with pytest.raises(FilterError, match="UserID cannot stand where ItemID is needed"):
        bind(parse("INCLUDE UserID WHERE Users.AGE > 3"), DATA, pa.array(CATALOGUE))


# --- random expressions against a slow, obvious evaluator -------------------------------------------------

TEXTS = ["Comedy", "Drama", "sad", "gold", "new", "a", "no such"]
NUMBERS = ["1", "2.0", "2000", "17", "40", "4.5"]
NAMES = ["P", "Q"]


@st.composite
def conditions(draw, dataset: str, fields: dict[str, bool]):
    name = draw(st.sampled_from(sorted(fields)))
    pool = NUMBERS if fields[name] else TEXTS
    literal = st.sampled_from(pool).map(lambda text: f'"{text}"')
    value = literal | st.sampled_from(NAMES).map(lambda placeholder: f"${placeholder}")
    operator = draw(st.sampled_from(["IN", "NOT IN", "=", "!=", *(["<", "<=", ">", ">="] if fields[name] else [])]))
    if operator == "NOT IN":
        right = f"({', '.join(draw(st.lists(literal, min_size=1, max_size=2)))})"
    elif operator == "IN":
        right = f"({', '.join(draw(st.lists(value, min_size=1, max_size=2)))})"
    else:
        right = draw(value)
    if dataset == "Items" and operator != "NOT IN" and draw(st.booleans()):
        others = [other for other in sorted(fields) if fields[other] == fields[name]]
        right = f"CurrentItem.{draw(st.sampled_from(others))}"
    return f"{dataset}.{name} {operator} {right}"


@st.composite
def clauses(draw):
    item_fields = {"GENRE": False, "MOOD": False, "TITLE": False, "PRICE": True, "YEAR": True}
    if draw(st.booleans()):
        one = conditions("Items", item_fields)
    else:
        words = st.lists(st.sampled_from(['"click"', '"BUY"', '"other"', "*"]), min_size=1, max_size=2).map(", ".join)
        one = st.builds("Interactions.EVENT_TYPE {} ({})".format, st.sampled_from(["IN", "NOT IN"]), words)
        one |= st.sampled_from(NAMES).map("Interactions.EVENT_TYPE IN (${})".format)
    group = st.lists(one, min_size=1, max_size=3).map(" AND ".join)
    where = " OR ".join(draw(st.lists(group, min_size=1, max_size=2)))
    guard = conditions("CurrentUser", {"AGE": True, "TIER": False})
    guards = " AND ".join(draw(st.lists(guard, max_size=2)))
    effect = draw(st.sampled_from(["INCLUDE", "EXCLUDE"]))
    return f"{effect} ItemID WHERE {where}" + (f" IF {guards}" if guards else "")


expressions = st.lists(clauses(), min_size=1, max_size=3).map(" | ".join)
number_lists = st.sampled_from(NUMBERS).map(lambda number: f'"{number}"')
filter_values = st.none() | st.dictionaries(st.sampled_from(NAMES), number_lists)
queries = st.lists(
    st.tuples(
        st.sampled_from(["u0", "u1", "u2", "u3", "nobody"]),
        st.sampled_from([*CATALOGUE, "unknown"]),
        filter_values,
    ),
    min_size=1,
    max_size=5,
)


class Missing(Exception):
    pass


def cell(row: dict, name: str) -> list:
    value = row.get(name)
    if value is None:
        return []
    if name in ("GENRE", "MOOD", "TIER"):
        return value.split("|")
    return [float(value)] if name in ("PRICE", "YEAR", "AGE") else [value]


def compare(operator: str, left: list, right: list) -> bool:
    if operator in ("IN", "="):
        return any(value in right for value in left)
    if operator in ("NOT IN", "!="):
        return not any(value in right for value in left)
    tests = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}
    return any(tests[operator](a, b) for a in left for b in right)


def wanted(condition: Condition, values: dict, numeric: bool) -> list:
    found = []
    for value in condition.values:
        if isinstance(value, Literal):
            found.append(value.text)
        elif isinstance(value, Placeholder):
            if value.name not in values:
                raise Missing
            found.append(values[value.name].strip('"'))
    return [float(text) for text in found] if numeric else found


def holds(condition: Condition, user: str, current: str, values: dict, item: str) -> bool:
    by_id = {row["ITEM_ID"]: row for row in ITEMS}
    dataset, name = condition.field.dataset, condition.field.name
    if dataset == "Interactions":
        types = [kind.lower() if kind else "" for who, what, _, kind in EVENTS if (who, what) == (user, item)]
        if any(isinstance(value, AnyValue) for value in condition.values):
            return bool(types) == (condition.operator.text == "IN")
        return compare(condition.operator.text, types, [text.lower() for text in wanted(condition, values, False)])
    left = cell(by_id.get(item, {}), name)
    if dataset == "CurrentUser":
        left = cell({row["USER_ID"]: row for row in USERS}.get(user, {}), name)
    if condition.other is not None:
        return compare(condition.operator.text, left, cell(by_id.get(current, {}), condition.other.name))
    return compare(condition.operator.text, left, wanted(condition, values, name in ("PRICE", "YEAR", "AGE")))


def slow(expression: Expression, user: str, current: str, values: dict | None, item: str) -> bool:
    """One item for one query, in plain Python; raises Missing where the row is an error."""
    values = values or {}
    included, any_include, excluded = False, False, False
    for clause in expression.clauses:
        if clause.include and not {n for c in clause.conditions for n in c.placeholders} <= set(values):
            raise Missing

        def true(condition: Condition, clause=clause) -> bool:
            try:
                return holds(condition, user, current, values, item)
            except Missing:
                return False

        if not all(true(condition) for condition in clause.guards):
            continue
        matches = any(all(true(condition) for condition in group) for group in clause.any_of)
        if clause.include:
            any_include, included = True, included or matches
        else:
            excluded = excluded or matches
    return (included or not any_include) and not excluded


@settings(max_examples=200)
@given(expressions, queries)
def test_masks_equal_a_slow_obvious_evaluator(text, asked):
    expression = parse(text)
    assert parse(str(expression)) == expression
    users, items, values = (list(column) for column in zip(*asked, strict=True))
    found, errors = bind(expression, DATA, pa.array(CATALOGUE)).allowed(users, items, values)
    mask = found.cells()
    for row, (user, current, given_values) in enumerate(asked):
        try:
            expected = [slow(expression, user, current, given_values, item) for item in CATALOGUE]
        except Missing:
            assert row in errors
            continue
        assert row not in errors, errors
        np.testing.assert_array_equal(mask[row], expected, err_msg=f"{text} for {asked[row]}")
