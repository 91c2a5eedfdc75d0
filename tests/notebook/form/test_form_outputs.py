"""What a form leaves in the saved notebook: the call as it stands, and a receipt of what ran for each job."""

from types import SimpleNamespace

import IPython.display
import pytest

from personalize_nb.notebook.form.form import JobForm
from personalize_nb.resources import filters
from personalize_nb.session import s3


class Output:
    def __init__(self, bundle):
        self.bundle = bundle

    def update(self, bundle, raw):
        self.bundle = bundle


@pytest.fixture
def outputs(monkeypatch):
    """Outputs of a cell as a notebook would save them."""
    shown = []

    def display(thing, raw=False, display_id=False):
        shown.append(Output(thing if raw else thing._repr_mimebundle_()))
        return shown[-1]

    monkeypatch.setattr(IPython.display, "display", display)
    return shown


@pytest.fixture
def displayed(outputs, session, readers_model):
    form = JobForm(["r1", "r2"], readers_model, session=session, num_results=2)
    form._ipython_display_()
    return SimpleNamespace(form=form, call=outputs[1], receipts=outputs[2], widget=outputs[0])


def test_the_call_is_an_output_of_its_own_and_follows_the_fields(displayed):
    assert "arn:" not in displayed.widget.bundle["text/plain"]
    assert "pnb.recommend" not in displayed.widget.bundle["text/html"]
    assert "lives in a running kernel: run this cell to get it back" in displayed.call.bundle["text/html"]
    assert "num_results=2)" in displayed.call.bundle["text/plain"]
    displayed.form.widgets["num_results"].value = "7"
    assert "num_results=7)" in displayed.call.bundle["text/html"]
    displayed.form.widgets["role_arn"].value = "arn:aws:iam::123456789012:role/Mine"
    assert "123456789012" not in displayed.call.bundle["text/html"]
    assert "stands in full in form.code" in displayed.call.bundle["text/plain"]


def test_each_job_has_a_receipt_of_what_ran(displayed, readers_model):
    form, receipts = displayed.form, displayed.receipts
    assert receipts.bundle == {"text/plain": ""}
    first = form.start()
    form.receipt.close()
    form.widgets["num_results"].value = "9"
    second = form.start()
    form.receipt.close()
    text = receipts.bundle["text/plain"]
    assert text.index(second.name) < text.index(first.name)
    solution = readers_model.arn.split(":solution/")[1]
    for count in (2, 9):
        assert f".repeat(solution_version='{solution}', num_results={count})" in text
    assert receipts.bundle["text/html"].count("pnb-receipt") == 2


def test_a_receipt_says_everything_that_was_asked_and_its_call_does_it_again(displayed, session, readers_model):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    filters.create_filter("form-outputs-shelf", expression, readers_model, progress=False, session=session)
    form = JobForm(
        ["r1", "r2"],
        readers_model,
        session=session,
        filter="form-outputs-shelf",
        filter_values={"SHELF": ["sea", "crime"]},
        exploration_weight=0.5,
        tags={"team": "books"},
    )
    form._ipython_display_()
    job = form.start()
    form.receipt.close()
    lines = [" ".join(line.split()) for line in form._board._joined()["text/plain"].splitlines()]
    for told in (
        "Mode BATCH_INFERENCE (default)",
        "Input 2 users",
        "Filter form-outputs-shelf with $SHELF: sea, crime",
        "Exploration weight 0.5, items of the last 30 days (default)",
        "Results per line 25 (default)",
        "Not given Input key, Output key (none is the default)",
        "Tags team=books",
    ):
        assert told in lines
    assert any(line.endswith(f"(in full: pnb.attach({job.name!r}).request.output_path)") for line in lines)
    call = next(line for line in lines if line.startswith("Repeat it")).removeprefix("Repeat it ")
    own: dict[str, object] = {}
    before, _, last = call.rpartition("; ")
    exec(f"{before}\nrepeated = {last}", own)
    repeated = own["repeated"]
    requests = [one.request.replace(job_name="", input_path="", output_path="") for one in (job, repeated)]
    assert requests[0] == requests[1]
    inputs = [b"".join(s3.line_blocks(session, one.request.input_path)) for one in (job, repeated)]
    assert inputs[0] == inputs[1] and b'"SHELF"' in inputs[0]
