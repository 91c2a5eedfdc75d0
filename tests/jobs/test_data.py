"""Data that can be read only once are read only once, by whoever starts, checks or shows a job."""

import io

import pandas as pd
import pyarrow as pa
import pytest

import personalize_nb as pnb
from personalize_nb.notebook.form.form import JobForm
from personalize_nb.session import s3

SHELF = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
TABLE = "user_id,shelf\nr0,crime\nr1,sea\n"


@pytest.fixture(scope="module")
def shelf(session, readers_model):
    return pnb.create_filter("once-shelf", SHELF, readers_model, progress=False, session=session)


def spent(folder):
    """Return data that are spent once they were read."""
    (folder / "ids.csv").write_text(TABLE)
    return {
        "generator": (one for one in [pd.DataFrame({"user_id": ["r0"], "shelf": "crime"})] * 2),
        "reader": pa.table({"user_id": ["r0", "r1"], "shelf": ["crime", "sea"]}).to_reader(),
        "chunks": pd.read_csv(io.StringIO(TABLE), dtype=str, chunksize=1),
        "buffer": io.BytesIO(TABLE.encode()),
        "path": folder / "ids.csv",
    }


KINDS = ["generator", "reader", "chunks", "buffer", "path"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_finds_its_columns_in_data_that_are_read_once(kind, readers_model, shelf, session, tmp_path):
    frame = pnb.preflight(spent(tmp_path)[kind], readers_model, filter=shelf)
    assert not frame.check.isin(["input", "request: filter_values"]).any()


def test_a_job_starts_from_what_is_read_once(readers_model, shelf, session, tmp_path):
    values = {"SHELF": ["crime"]}
    for ids in ((one for one in ["r0", "r1"]), io.StringIO("user_id\nr0\nr1\n")):
        job = pnb.recommend(ids, readers_model, filter=shelf, filter_values=values, num_results=1)
        sent = b"".join(s3.line_blocks(session, job.request.input_path)).splitlines()
        assert [line.startswith(f'{{"userId":"r{number}"'.encode()) for number, line in enumerate(sent)] == [True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_keeps_what_it_has_read(kind, readers_model, shelf, session, tmp_path):
    form = JobForm(spent(tmp_path)[kind], readers_model, session=session)
    assert form.problems() == []
    form.widgets["filter"].value = shelf.name
    assert not form._values.fields  # the column has the placeholder's name
    assert form.problems() == []
