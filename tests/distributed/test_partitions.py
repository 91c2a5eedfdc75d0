"""Partitions taken together are the whole frame: the same records, findings and refusals, wherever it is cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb import errors
from personalize_nb.distributed import repeats, storing
from personalize_nb.distributed.checking import Checked, CheckedWhole, PartitionQuestion, check
from personalize_nb.jobs.batches import batch_for
from personalize_nb.jobs.parts import InputLimits
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion

FILTER = Filter("by-genre", "arn:f", "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)", "ACTIVE")
IDS = st.sampled_from(["a", "b", "c", "d", " e", "7.0", "nan", "ü", 'q"', "long" * 9])
WRONG = st.sampled_from([None, "", 3.5, True, "x" * 300, "\ud800"])
GENRES = st.sampled_from(["x", "y|z", None])


class NoWorld:
    """A place where nobody is asked."""

    def session(self):
        return None


def question(recipe="aws-user-personalization", chosen=None, values=None, mode="BATCH_INFERENCE", **limits):
    return PartitionQuestion(NoWorld(), ("arn:v", recipe, "arn:g"), chosen, values, mode, InputLimits(**limits))


def pieces(whole, cuts):
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    return [whole.iloc[begin:end] for begin, end in zip(ends, ends[1:], strict=False)]


def distributed(parts, asked):
    """Do what the workers and the client do; return the records that are stored and all findings."""
    checked = [check(part, asked) for part in parts]
    whole = CheckedWhole([one.told() for one in checked])
    again = {}
    if not any(one.fault or one.findings.have_errors for one in checked):
        count = repeats.heaps(len(checked))
        dealt = [repeats.dealt(one, count) for one in checked]
        again = repeats.together([repeats.looked_through([one[heap] for one in dealt]) for heap in range(count)])
    told = {number: repeats.told(checked[number], places) for number, places in again.items()}
    findings = whole.judged(told)
    files = storing.grouped(whole.each, asked.mode, asked.limit, alone=False)
    tables = []
    for number, one in enumerate(checked):
        own = [file for file in files if file.partition == number]
        tables += storing._tables(one, own, again.get(number))
    return pa.concat_tables(tables, promote_options="permissive").to_pylist(), findings.frame()


def at_once(whole, asked):
    batch = batch_for(whole, SolutionVersion(*asked.version, None), asked.chosen, asked.values)
    return batch.table.to_pylist(), batch.findings


def outcome(find, *arguments):
    """Return what is found, or what is refused, in an order that does not depend on where the frame is cut."""
    try:
        records, findings = find(*arguments)
    except errors.InputError as error:
        records, findings = sorted(str(error).split("\n")), error.findings
    rows = sorted(map(tuple, findings.astype(object).fillna("missing").to_numpy().tolist())) if len(findings) else []
    return records, rows


@given(
    st.lists(st.tuples(IDS, GENRES), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=5),
    st.sampled_from([{}, {"chosen": FILTER}, {"chosen": FILTER, "values": {"GENRE": ["s"]}}]),
)
def test_users_with_values_in_any_partitions_are_those_of_the_frame(rows, cuts, options):
    whole, asked = pd.DataFrame(rows, columns=["user_id", "GENRE"], dtype=object), question(**options)
    assert outcome(distributed, pieces(whole, cuts), asked) == outcome(at_once, whole, asked)


@given(st.lists(IDS | WRONG, min_size=1, max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_ids_that_cannot_be_used_are_refused_with_rows_of_the_frame(ids, cuts):
    whole = pd.DataFrame({"user_id": pd.Series(ids, dtype=object)})
    assert outcome(distributed, pieces(whole, cuts), question()) == outcome(at_once, whole, question())


@given(
    st.lists(st.tuples(IDS, st.lists(IDS, min_size=1, max_size=3)), min_size=1, max_size=12),
    st.lists(st.integers(0, 12), max_size=3),
)
def test_lists_in_any_partitions_are_those_of_the_frame(rows, cuts):
    whole = pd.DataFrame(rows, columns=["user_id", "item_list"])
    asked = question("aws-personalized-ranking")
    records, _ = outcome(distributed, pieces(whole, cuts), asked)
    assert records == outcome(at_once, whole, asked)[0]


def test_a_list_with_rows_in_two_partitions_is_refused_by_its_row():
    whole = pd.DataFrame({"user_id": ["u", "v", "v", "u"], "item_id": ["a", "b", "c", "d"]})
    asked = question("aws-personalized-ranking")
    with pytest.raises(errors.InputError, match="shuffle") as caught:
        distributed(pieces(whole, [3]), asked)
    assert caught.value.findings[["row", "value"]].to_numpy().tolist() == [[3, "u"]]
    records, _ = distributed(pieces(whole.sort_values("user_id", kind="stable"), [2]), asked)
    assert records == [{"user_id": "u", "item_list": ["a", "d"]}, {"user_id": "v", "item_list": ["b", "c"]}]


def test_what_is_wrong_with_partitions_as_a_whole_is_said_once():
    whole = pd.DataFrame({"customer": ["a", "b", "c"], "age": [1, 2, 3]})
    with pytest.raises(errors.InputError, match=r"user_id.*\(partition 0, 1 of 2, counted from 0\)"):
        distributed(pieces(whole, [2]), question())
    with pytest.raises(errors.InputError, match="no rows in the frame, in 3 partitions"):
        distributed(pieces(whole[:0], [0, 0]), question())


@given(
    st.lists(st.lists(st.integers(1, 60), max_size=3), min_size=1, max_size=12),
    st.integers(60, 200),
    st.integers(1, 5),
    st.booleans(),
)
def test_no_job_is_more_than_the_quotas_and_no_file_is_lost(sizes, most_bytes, most_files, alone):
    limit = InputLimits(most_bytes, 60, most_files)
    each = [Checked(1, cuts=tuple((size, size) for size in own)) for own in sizes]
    files = storing.placed(storing.grouped(each, "BATCH_INFERENCE", limit, alone=alone), "s3://b/in/")
    assert [(one.partition, one.size) for one in files] == [
        (number, size) for number, own in enumerate(sizes) for size in own
    ]
    assert sorted({one.address for one in files}) == [one.address for one in files]
    jobs = [[one for one in files if one.job == job] for job in range(files[-1].job + 1)] if files else []
    for own, following in zip(jobs, [*jobs[1:], []][: len(jobs)], strict=True):
        used = sum(one.size for one in own), len(own), sum(one.records for one in own)
        assert used[0] <= most_bytes and used[1] <= most_files and (not alone or used[2] <= 60)
        if following:  # none is begun before it has to be
            first = following[0]
            over = used[0] + first.size > most_bytes or used[1] == most_files
            assert over or (alone and used[2] + first.records > 60)


def test_a_partition_that_is_more_than_a_file_is_cut_into_files():
    asked = question(max_records=4)
    found = check(pd.DataFrame({"user_id": [f"u{number}" for number in range(10)]}), asked)
    assert [records for records, _ in found.cuts] == [4, 4, 2]
    assert found.cuts[0][1] == len('{"userId":"u0"}\n') * 4
    tables = list(
        storing._tables(found, storing.grouped([found], "BATCH_INFERENCE", asked.limit, alone=False), np.array([5]))
    )
    assert [table.column(0).to_pylist() for table in tables] == [
        ["u0", "u1", "u2", "u3"],
        ["u4", "u6", "u7"],
        ["u8", "u9"],
    ]
