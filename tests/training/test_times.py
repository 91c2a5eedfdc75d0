"""Times that are written in other ways, or have lost digits, are refused or told with what to do."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.training import timestamps

NOW, SECOND = 1_790_000_000.0, 1_700_000_000


def read_times(values):
    findings = Findings()
    read = timestamps.to_epoch_seconds(pd.Series(values), "t", findings, required=True, now=NOW)
    findings.raise_errors(len(values), "rows")
    return read.to_pylist(), findings.sentences(len(values))


FORMS = [
    *("%Y", "%Y%m", "%Y%j", "%Y%m%d", "%d%m%Y", "%m%d%Y", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S%f"),
    *("%y%m%d", "%y%m%d%H%M%S"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("held", [int, float, str])
def test_dates_that_are_written_as_numbers_name_their_form(form, held):
    moments = pd.date_range("2021-03-04 05:06:07", periods=5, freq="199D23h")
    written = [int(one.strftime(form)[:17]) for one in moments]
    frame = pd.DataFrame({"t": pd.Series([*map(held, written), None] if held is not int else written)})
    with pytest.raises(InputError, match=f"format='{form}'") as caught:
        read_times(frame["t"].dropna())
    repair = re.search(r"(frame\['t'\] = pandas\..*?'\)) \(", str(caught.value))[1]
    exec(repair, {"frame": frame, "pandas": pd})
    got = frame["t"].dropna().dt.strftime(form).tolist()
    near = 11 if held is float and form.endswith("%f") else None  # a float has fewer digits than that
    assert [one[:near] for one in got] == [one.strftime(form)[:near] for one in moments]


@given(st.lists(st.integers(1_500_000_000, 1_700_000_000), min_size=20, max_size=60, unique=True))
def test_true_seconds_are_no_dates_and_have_all_digits(seconds):
    assert read_times(seconds) == (seconds, [])


@pytest.mark.parametrize("dtype", ["float32", pd.ArrowDtype(pa.float32()), "Float32"])
@pytest.mark.parametrize("per_second", [1, 1000])
def test_times_in_short_floats_have_lost_digits_and_are_refused(dtype, per_second):
    short = pd.Series([SECOND * per_second, (SECOND + 61) * per_second]).astype("float32").astype(dtype)
    with pytest.raises(InputError, match=r"digits are lost.*frame\['t'\]\.astype"):
        read_times(short)


@given(st.integers(0, 5), st.booleans())
def test_times_cut_by_an_exponent_are_found_by_row(digits, upper):
    texts = [f"{one:.{digits}e}" for one in (SECOND, SECOND + 12_345, 1_612_345_678)]
    texts = [one.upper() for one in texts] if upper else texts
    with pytest.raises(InputError, match="exponent") as caught:
        read_times(pd.Series(texts, dtype=object))
    assert set(caught.value.findings["row"]) == {0, 1, 2}


def test_an_exponent_with_all_digits_is_a_time():
    texts = [f"{one:.9e}" for one in (SECOND, 1_612_345_678)]
    assert read_times(pd.Series(texts, dtype=object))[0] == [SECOND, 1_612_345_678]


@given(st.integers(0, 99))
def test_steps_of_lost_digits_are_told(seed):
    seconds = np.random.default_rng(seed).integers(1_500_000_000, NOW, 60)
    for cut in (seconds.astype("float32").astype("int64"), np.round(seconds, -6)):
        _, notes = read_times(cut.tolist())
        assert any("lost their last digits" in note for note in notes)
    for step in (1, 60, 3600, 86_400):  # times to the hour or the day have lost nothing
        rounded = (seconds // step * step).tolist()
        assert read_times(rounded) == (rounded, [])
