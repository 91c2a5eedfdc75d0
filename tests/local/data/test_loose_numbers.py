"""Numeric metadata of items and users: any cell may be anything, what is no number is missing, and the log says so."""

from __future__ import annotations

import csv
import io
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.data import datasets
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import WorkError

NUMBERS = {"WHOLE": "int", "LARGE": "long", "REAL": "float", "EXACT": "double"}
ID = {"ITEMS": "ITEM_ID", "USERS": "USER_ID"}


def schema(kind, null=False):
    fields = [{"name": ID[kind], "type": "string"}]
    fields += [{"name": name, "type": ["null", of] if null else of} for name, of in NUMBERS.items()]
    fields += [{"name": "GENRES", "type": "string", "categorical": True}]
    return Schema.from_avro(kind, {"fields": fields})


def read(folder, known, text):
    data = text if isinstance(text, bytes) else text.encode()
    datasets.import_files(folder, "g", known, [("meta.csv", lambda: io.BytesIO(data))])
    return datasets.rows(folder, "g", known).to_pylist()


def one_cell(folder, column, cell, kind="ITEMS"):
    cells = dict.fromkeys(NUMBERS, "1") | {column: cell}
    header = ",".join([ID[kind], *NUMBERS, "GENRES"])
    [row] = read(folder, schema(kind), f"{header}\nx,{','.join(cells.values())},Drama\n")
    assert {name: row[name] for name in NUMBERS if name != column} == {n: 1 for n in NUMBERS if n != column}
    assert row["GENRES"] == "Drama"
    return row[column]


@pytest.mark.parametrize("kind", ["ITEMS", "USERS"])
@pytest.mark.parametrize("column", NUMBERS)
@pytest.mark.parametrize(
    "cell", ["", "2006–2007", "unknown", "NaN", "inf", "-Infinity", "1_000", '"1,000"', "0x1F", "--"]
)
def test_what_is_no_number_is_missing(tmp_path, kind, column, cell):
    assert one_cell(tmp_path, column, cell, kind) is None


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("WHOLE", "2006", 2006),
        ("WHOLE", " 2006 ", 2006),
        ("WHOLE", "+7", 7),
        ("WHOLE", "-0012.00", -12),
        ("WHOLE", "12.", 12),
        ("WHOLE", "12.5", None),
        ("WHOLE", "1e3", None),
        ("WHOLE", str(2**31 - 1), 2**31 - 1),
        ("WHOLE", str(2**31), None),
        ("LARGE", str(2**63 - 1), 2**63 - 1),
        ("LARGE", str(-(2**63)), -(2**63)),
        ("LARGE", str(2**63), None),
        ("LARGE", "9" * 400, None),
        ("LARGE", "0" * 400 + "9", 9),
        ("REAL", "9.99", 9.99),
        ("REAL", "+1e3", 1000.0),
        ("EXACT", ".5", 0.5),
        ("EXACT", "1e999", None),
        ("EXACT", "e5", None),
    ],
)
def test_numbers_arrive_exactly_or_are_missing(tmp_path, column, cell, value):
    assert one_cell(tmp_path, column, cell) == value


def test_the_log_counts_the_cells_and_names_the_lines_of_the_first(tmp_path, caplog):
    known = Schema.from_avro(
        "ITEMS", {"fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "YEAR", "type": "int"}]}
    )
    text = 'ITEM_ID,YEAR,NOTE\na,1999,"two\nlines"\n\nb,,\nc,2006–2007,\nd,2001,\ne,x,\nf,y,\n'
    with caplog.at_level(logging.WARNING, "personalize_nb"):
        read(tmp_path, known, text)
    [said] = caplog.messages
    assert said == (
        "4 cells of YEAR in input CSV meta.csv are no numbers and count as missing: "
        "line 5 (''), line 6 ('2006–2007'), line 8 ('x'), ..."
    )


def test_legal_nulls_are_not_counted(tmp_path, caplog):
    text = f"ITEM_ID,{','.join(NUMBERS)},GENRES\nx,,,NaN,nan,Drama\n"
    with caplog.at_level(logging.WARNING, "personalize_nb"):
        [row] = read(tmp_path, schema("ITEMS", null=True), text)
    assert [row[name] for name in NUMBERS] == [None] * 4
    assert not caplog.messages


@pytest.mark.parametrize(
    ("kind", "fields", "text", "said"),
    [
        (
            "ITEMS",
            {"ITEM_ID": "string", "CREATION_TIMESTAMP": "long"},
            "ITEM_ID,CREATION_TIMESTAMP\na,\n",
            "line 2, CREA",
        ),
        ("ITEMS", {"ITEM_ID": "string", "YEAR": "int"}, "ITEM_ID,YEAR\na,1\n,2\n", "line 3, ITEM_ID"),
        ("USERS", {"USER_ID": "string", "TOWN": "string"}, "USER_ID,TOWN\na,\n", "line 2, TOWN"),
        ("ACTIONS", {"ACTION_ID": "string", "VALUE": "int"}, "ACTION_ID,VALUE\na,much\n", "line 2, VALUE"),
        (
            "INTERACTIONS",
            {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_VALUE": "float"},
            "USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE\nu,i,1,high\n",
            "line 2, EVENT_VALUE",
        ),
        (
            "INTERACTIONS",
            {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
            "USER_ID,ITEM_ID,TIMESTAMP\nu,i,yesterday\n",
            "line 2, TIMESTAMP",
        ),
    ],
)
def test_ids_times_texts_and_interactions_stay_strict(tmp_path, kind, fields, text, said):
    known = Schema.from_avro(kind, {"fields": [{"name": name, "type": of} for name, of in fields.items()]})
    with pytest.raises(WorkError, match=said):
        read(tmp_path, known, text)


CELLS = st.one_of(
    st.text(max_size=12),
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(["", " ", "1,5", "2006–2007", "١٢", "½", "1e", "+", ".", "-.5e-3", "null", "\\N", "$5", '"']),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[CELLS] * 4), min_size=1, max_size=6), null=st.booleans())
def test_no_cell_fails_an_import_or_touches_its_neighbours(tmp_path, rows, null):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", escapechar="\\", doublequote=False)
    writer.writerow(["ITEM_ID", *NUMBERS, "GENRES"])
    for place, cells in enumerate(rows):
        writer.writerow([f"i{place}", *cells, f"g{place}"])
    data = out.getvalue().encode("utf-8", "surrogatepass")
    found = read(tmp_path, schema("ITEMS", null), data)
    assert [(row["ITEM_ID"], row["GENRES"]) for row in found] == [(f"i{n}", f"g{n}") for n in range(len(rows))]
    for row, cells in zip(found, rows, strict=True):
        for (name, of), cell in zip(NUMBERS.items(), cells, strict=True):
            if row[name] is not None:
                assert row[name] == (float(cell) if of in ("float", "double") else int(cell.strip().split(".")[0]))
