"""Receipts in a notebook that was saved while their jobs went on tell the outcome once they are refreshed."""

import nbformat

import personalize_nb as pnb
from personalize_nb.notebook.receipts import Receipt, joined


def test_saved_receipts_are_rewritten_to_the_outcome(session, readers_model, tmp_path):
    job = pnb.recommend(["r1"], readers_model, num_results=2, session=session)
    waiting = Receipt(job, {}).bundle()
    gone = {"text/plain": "Job  gone", "text/html": waiting["text/html"].replace(job.name, "gone")}
    job.wait(progress=False)
    old = [{"text/plain": "seen before"}, waiting, joined([waiting, waiting]), gone]
    outputs = [nbformat.v4.new_output("display_data", data) for data in old]
    path = tmp_path / "saved.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)]), path)
    assert pnb.refresh_receipts(path, session) == [job.name]
    new = [one["data"] for one in nbformat.read(path, as_version=4).cells[0].outputs]
    assert new[0] == old[0] and new[3]["text/plain"] == "Job  gone"
    assert [text["text/plain"].count("ACTIVE") for text in new[1:3]] == [1, 2]
    assert "ACTIVE" in new[1]["text/html"] and new[2]["text/html"].count(f'"{job.name}"') == 2
    before = path.read_bytes()
    assert pnb.refresh_receipts(path, session) == [job.name] and len(path.read_bytes()) == len(before)
