"""The form of a model that makes segments starts a segment job, as `pnb.segments` does."""

from __future__ import annotations

import pytest

import personalize_nb as pnb
from personalize_nb.notebook.receipt_facts import summary
from personalize_nb.notebook.receipts import rendered

ASKED = {"affinity_model": ["b0"], "attributes_model": {"shelf": "sea"}}


@pytest.mark.parametrize("model", ASKED)
def test_a_form_starts_segments(request, session, model):
    chosen = request.getfixturevalue(model)
    form = pnb.JobForm(ASKED[model], chosen, session=session, num_results=4, tags={"team": "books"})
    assert form.problems() == [] and form.code.startswith("pnb.segments(")
    assert form.widgets["exploration_weight"].disabled and form.widgets["item_name"].disabled
    assert form.widgets["mode"].options[0][0] == "Segments of users"
    assert set(form.preflight()["level"]) == {"ok"}
    job = form.start()
    assert isinstance(job, pnb.BatchSegmentJob)
    frame = job.wait(progress=False).segments()
    assert len(frame) == 4
    told = rendered(summary(job.describe(), job.describe()["lastUpdatedDateTime"]))._repr_mimebundle_()["text/plain"]
    assert f"pnb.attach({job.name!r}).segments()" in told
    assert "repeat(" in str(form.receipt._details)


def test_a_form_turns_from_items_to_users_and_back(session, affinity_model, readers_model, books_model):
    form = pnb.JobForm(["b0"], books_model, session=session, num_results=4)
    assert form.code.startswith("pnb.recommend(")
    form.widgets["solution_version"].value = affinity_model.arn
    assert form.code.startswith("pnb.segments(") and isinstance(form.plan().request, pnb.SegmentRequest)
    form.widgets["num_results"].value = "5000001"
    assert "Number of results may be at most 5,000,000 users" in form.console.messages.value
    form.widgets["num_results"].value = "4"
    form.widgets["solution_version"].value = books_model.arn
    assert isinstance(form.plan().request, pnb.JobRequest) and form.problems() == []


def test_wrong_attributes_stand_in_the_form(session, attributes_model):
    form = pnb.JobForm({"genre": "sea"}, attributes_model, session=session)
    assert "no field &#39;genre&#39;" in form.console.messages.value and form.console.start_button.disabled


def test_the_receipt_repeats_the_call_on_the_stored_input(session, affinity_model):
    job = pnb.segments(["b0"], affinity_model, num_results=2).wait(progress=False)
    receipt = pnb.watch(job)
    receipt.close()
    call = receipt._details["Repeat it"]
    assert f"pnb.attach(session.arn('batch-segment-job', {job.name!r})).repeat(" in call
    own: dict[str, object] = {}
    before, _, last = call.rpartition("\n")
    exec(f"{before}\nagain = {last}", own)
    again = own["again"]
    assert again.wait(progress=False).segments().equals(job.segments())
