"""What a service is told of themes, from the argument or the variable to the rows and the side file of a job."""

from __future__ import annotations

import json
import stat

import model_server
import pytest
import reading_world
from model_server import chat, themes

import personalize_nb as pnb
from personalize_nb import local
from personalize_nb.errors import FailedError, LocalServiceError
from personalize_nb.local.tasks import theme_settings
from personalize_nb.session import s3
from personalize_nb.session.session import Session


@pytest.mark.parametrize(
    "given, generator, items, options",
    [
        ("extractive", "extractive", 100, {}),
        ("items_per_file=500", "extractive", 500, {}),
        ({"items_per_file": 500}, "extractive", 500, {}),
        ("generator=openai, model=llama3.2:3b", "openai", 100, {"model": "llama3.2:3b"}),
        ({"generator": "bedrock", "model": "m", "timeout": 5}, "bedrock", 100, {"model": "m", "timeout": 5}),
    ],
)
def test_settings_come_as_text_or_mapping(given, generator, items, options, tmp_path):
    settings = theme_settings.parse(given)
    assert (settings.generator, settings.items_per_file, settings.options) == (generator, items, options)
    theme_settings.keep(tmp_path, settings)
    assert theme_settings.kept(tmp_path) == settings
    assert stat.S_IMODE((tmp_path / theme_settings.FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "given, told",
    [
        ("gpt", "no generator of themes 'gpt'; installed are bedrock, extractive, openai"),
        ("generator=openai", "needs the option 'model'"),
        ("generator=openai,llama", "an entry without a value"),
        ("items_per_file=0", "must be a whole number from 1, got '0'"),
        ({"items_per_file": "many"}, "must be a whole number from 1, got 'many'"),
        ("generator=openai,model=m,base_url=http://example.com/v1", "names another machine"),
    ],
)
def test_illegal_settings_are_refused_before_anything_starts(given, told, tmp_path, monkeypatch):
    with pytest.raises(LocalServiceError, match=told):
        local.start(tmp_path / "service", themes=given)
    if isinstance(given, str):
        monkeypatch.setenv(theme_settings.VARIABLE, given)
        with pytest.raises(LocalServiceError, match=told):
            local.start(tmp_path / "service")
    assert not (tmp_path / "service").exists()


def test_a_service_that_was_told_nothing_does_as_aws(local_service):
    assert theme_settings.kept(local_service.path) == theme_settings.ThemeSettings()


@pytest.fixture
def told(local_service):
    """Tell the shared service something of themes; it forgets afterwards."""
    yield lambda given: Session.local(local_service.path, themes=given)
    (local_service.path / theme_settings.FILE).unlink(missing_ok=True)


def notes_of(job):
    address = f"{job.request.output_path}{job.request.input_path.rsplit('/', 1)[-1]}.themes.json"
    return json.loads(b"".join(s3.line_blocks(job.session, address)))["themes"]


def test_a_model_on_this_machine_writes_the_themes_of_a_job(told, books_model):
    with model_server.running() as server:
        server.reply = lambda asked: (200, chat(themes("Stormy ocean voyages", "Tales of ships and sailors")))
        told({"generator": "openai", "model": "llama3.2", "base_url": f"{server.url}/v1"})
        job = pnb.themes(["b0", "b1"], books_model, num_results=6).wait(progress=False)
        found = job.themes(threshold=None, minimum_items=0)
        assert server.asked[0].body["model"] == "llama3.2" and len(server.asked) == 2
    assert found.loc[found["item_id"] == "b0", "theme"].unique().tolist() == ["Stormy ocean voyages"]
    sea, crime = notes_of(job)
    assert (sea["generator"], sea["replaced"], sea["line"]) == ("openai:llama3.2", None, 1)
    assert sea["evidence"] and sea["confidence"] == 1
    # the second group is about crime, so the model's words are not true of it
    assert crime["generator"] != "openai:llama3.2" and "not those of the items" in crime["replaced"]


def test_a_job_does_not_fail_for_its_generator(told, books_model, local_service):
    told("generator=openai,model=m,base_url=http://127.0.0.1:1/v1,attempts=1")
    job = pnb.themes(["b0"], books_model, num_results=6).wait(progress=False)
    (note,) = notes_of(job)
    assert note["generator"].startswith("extractive") and "http://127.0.0.1:1/v1 did not answer" in note["replaced"]
    theme_settings.keep(local_service.path, theme_settings.ThemeSettings("gone", options={}))
    job = pnb.themes(["b0"], books_model, num_results=6).wait(progress=False)
    assert "gone cannot be used: there is no generator of themes 'gone'" in notes_of(job)[0]["replaced"]


def test_themes_honour_a_filter_and_explain_each_row_that_failed(books_model, session):
    shelf = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    known = pnb.create_filter("theme-shelf", shelf, books_model, progress=False, session=session)
    values = {"SHELF": reading_world.items()["shelf"].iloc[:2]}
    items = pnb.items(["b0", "b1"], filter_values=values)
    job = pnb.themes(items, books_model, filter=known, num_results=6).wait(progress=False)
    found = job.themes(items=reading_world.items(), columns=["shelf"], threshold=None, minimum_items=0)
    assert found["shelf"].tolist() == ["sea"] * 6 + ["crime"] * 6
    nothing = pnb.items(["b0", "b1"], filter_values={"SHELF": ["opera"]})
    failed = pnb.themes(nothing, books_model, filter=known).wait(progress=False)
    assert failed.errors()["error"].str.contains("no items are left to make a theme of").tolist() == [True, True]
    assert notes_of(failed) == []


def test_a_file_of_more_than_100_items_is_refused_unless_the_setting_allows_it(told, books_model, session):
    lines = "".join(json.dumps({"itemId": f"b{number % 60}"}) + "\n" for number in range(120)).encode()
    request = pnb.themes(["b0"], books_model, num_results=6).request

    def run(name):
        source = session.location("themes-limit", f"{name}.jsonl")
        session.s3.put_object(Bucket=session.bucket, Key=source.split("/", 3)[3], Body=lines)
        output = session.location("themes-limit", name) + "/"
        changed = request.replace(job_name=name, input_path=source, output_path=output)
        return pnb.start(changed, session=session).wait(progress=False)

    with pytest.raises(FailedError, match="has 120 records; with themes it can have 100"):
        run("themes-of-120-refused")
    told("items_per_file=120")
    assert len(run("themes-of-120-allowed").results()) == 120


def test_the_foreground_command_takes_the_variable(tmp_path, monkeypatch):
    from personalize_nb.local.__main__ import main

    monkeypatch.setenv(theme_settings.VARIABLE, "generator=nobody")
    assert main(["--path", str(tmp_path / "service")]) == 1
