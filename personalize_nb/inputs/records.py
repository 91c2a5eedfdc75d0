"""Users, items and rankings, of any form, as a checked batch of job input."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import distinct
from personalize_nb.inputs.batch import KEYS, REPEATED, Batch
from personalize_nb.inputs.filter_columns import FilterValues, filter_columns, find_no_numbers
from personalize_nb.inputs.forms import Data, given
from personalize_nb.inputs.given import Given
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.item_lists import to_lists
from personalize_nb.inputs.key_columns import frame, note_of_header, note_of_taken
from personalize_nb.text.public import public


@public
def users(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return users as job input, for User-Personalization and Popularity-Count.

    Parameters
    ----------
    data
        A frame of pandas, polars or Arrow with a column or index `user_id` (`USER_ID`, `userId`); a series, array, list
        or generator of ids; or a file: its path, a pattern such as `ids-*.csv`, or what is open, CSV, TSV, JSON or
        Parquet, plain or compressed. The README of `personalize_nb/inputs` has the whole table. One id twice is one
        record.
    filter_values
        Values for a filter's placeholders: `{"GENRE": ["comedy", "drama"]}` gives every record the same values;
        a Series or array gives each record its own; `["GENRE"]` takes the column of that name, any case. A text alone
        is split at `|`; the texts of a list are values exactly as they are.

    Returns
    -------
    Batch
        Checked input; `.findings` has what is worth a look.

    Raises
    ------
    InputError
        Rows cannot be used; `.findings` is a frame that says which and why.

    References
    ----------
    The input of CreateBatchInferenceJob, `{"userId": "12"}` a line.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.users(["12", "7", "12"])
    <Batch of 2 users, 1 note in .findings: pnb.recommend(batch, solution_version)>
    """
    return make_batch("users", data, filter_values)


@public
def items(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return items as job input, for Similar-Items, SIMS and themes.

    Parameters
    ----------
    data
        Ids of items, of any form that `users` takes, in a column or index `item_id`.
    filter_values
        As for `users`.

    Returns
    -------
    Batch
        Checked input.

    Raises
    ------
    InputError
        Rows cannot be used; `.findings` is a frame that says which and why.

    References
    ----------
    The input of CreateBatchInferenceJob for related items, `{"itemId": "105"}` a line.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.items(["105", "106"]).lines()
    ['{"itemId":"105"}', '{"itemId":"106"}']
    """
    return make_batch("items", data, filter_values)


@public
def rankings(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return users with items to rank, for Personalized-Ranking.

    Parameters
    ----------
    data
        A frame with `user_id` and `item_id`, one row per item, or with `user_id` and `item_list` (lists, or text such
        as `"27|886|101"` or `'["27", "886"]'`). Order of users and of items is kept.
    filter_values
        As for `users`; in the long form a user with two values of a filter has a list for each.

    Returns
    -------
    Batch
        Checked input, a record for each user.

    Raises
    ------
    InputError
        Rows cannot be used; `.findings` is a frame that says which and why.

    References
    ----------
    The input of CreateBatchInferenceJob for Personalized-Ranking, `{"userId": "891", "itemList": ["27"]}` a line.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> shortlist = pd.DataFrame({"user_id": ["891", "891"], "item_id": ["27", "886"]})
    >>> pnb.rankings(shortlist).lines()
    ['{"userId":"891","itemList":["27","886"]}']
    """
    return make_batch("rankings", data, filter_values)


def make_batch(
    kind: str,
    data: Data | Given,
    filter_values: FilterValues | None = None,
    numbers: Collection[str] = (),
    findings: Findings | None = None,
) -> Batch:
    """Return data of one kind as a batch.

    Parameters
    ----------
    kind
        `users`, `items`, `rankings` or `queries`; the last as texts.
    data, filter_values
        As for `users`.
    numbers
        The placeholders whose value must be one number.
    findings
        Receives what is found, also where an error ends in `InputError`.
    """
    read = given(data)
    source = frame(read, KEYS[kind][0])
    if source.empty:
        raise InputError(f"There are no {kind} in the input (columns {list(source.columns)}, 0 rows).")
    findings = Findings() if findings is None else findings
    notes = [*read.notes, *note_of_taken(read, KEYS[kind][0])]
    values = filter_columns(source, filter_values or {}, findings)
    find_no_numbers(values, numbers, findings)
    if kind == "rankings":
        table = _ranking_table(source, values, findings)
    elif kind == "queries":  # texts that were made or checked as such, not ids
        table = pa.table({c.ITEM_ATTRIBUTES: pa.array(source[c.ITEM_ATTRIBUTES], pa.string()), **values})
    else:
        ids = to_strings(source[KEYS[kind][0]], KEYS[kind][0], findings)
        table = pa.table({KEYS[kind][0]: ids, **values})
    findings.raise_errors(len(source), kind)
    notes += note_of_header(table.column(0)[0].as_py(), KEYS[kind][0])
    records = _distinct(table, findings)
    return Batch(kind, records, findings.frame(), (*notes, *findings.sentences(len(source))))


def _ranking_table(source: pd.DataFrame, values: dict[str, pa.Array], findings: Findings) -> pa.Table:
    users = to_strings(source[c.USER_ID], c.USER_ID, findings)
    if c.ITEM_LIST in source.columns:
        return pa.table({c.USER_ID: users, c.ITEM_LIST: to_lists(source[c.ITEM_LIST], findings), **values})
    if c.ITEM_ID not in source.columns:
        raise InputError(
            f"Rankings need {c.USER_ID!r} with {c.ITEM_ID!r} (a row per item) or {c.ITEM_LIST!r}; "
            f"the frame has {list(source.columns)}."
        )
    ranked = to_strings(source[c.ITEM_ID], c.ITEM_ID, findings)
    findings.raise_errors(len(source), "rows")
    groups = distinct.together(distinct.firsts(keys) for keys in (users, *values.values()))
    if distinct.are_distinct(ranked, groups):
        double = np.zeros(len(groups), bool)
    else:
        double = distinct.repeats(distinct.together([groups, distinct.firsts(ranked)]))
    findings.note(double, c.ITEM_ID, ranked, "the item is in this user's list already; it is listed once")
    # a user with two values of a filter has a list for each
    records, places = distinct.numbered(groups)
    rows = np.flatnonzero(~double)
    owners = places[rows]
    if (owners[1:] < owners[:-1]).any():  # the rows of a user are not together
        order = np.argsort(owners, kind="stable")
        rows, owners = rows[order], owners[order]
    begins = np.searchsorted(owners, np.arange(len(records) + 1))
    lists = pa.ListArray.from_arrays(pa.array(begins, pa.int32()), ranked.take(pa.array(rows)))
    heads = pa.table({c.USER_ID: users, **values}).take(pa.array(records))
    return heads.add_column(1, c.ITEM_LIST, lists)


def _distinct(table: pa.Table, findings: Findings) -> pa.Table:
    double = distinct.repeated(table)
    if not double.any():
        return table
    findings.note(double, table.column_names[0], table.column(0), REPEATED)
    return table.filter(pa.array(~double))
