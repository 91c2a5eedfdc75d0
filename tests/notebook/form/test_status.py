"""The form tells how its jobs go, the newest first, to their end."""

import dataclasses
import re

import ipywidgets as widgets
import pytest

from personalize_nb.notebook.charts import View
from personalize_nb.notebook.form import status
from personalize_nb.notebook.receipts import JobState
from personalize_nb.text.html import Markup

PENDING = JobState("weekly", "CREATE PENDING", 2.0, None, "", "", View(Markup("<b>all</b>"), "all"))
GOING = dataclasses.replace(PENDING, status="CREATE IN_PROGRESS", seconds=75.0, share=(30, 100))
ACTIVE = dataclasses.replace(GOING, status="ACTIVE", lines="90 answered, 8 failed, 2 empty")
FAILED = dataclasses.replace(GOING, status="CREATE FAILED", seconds=600.0, reason="no <i>such</i> bucket")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (PENDING, "weekly: CREATE PENDING"),
        (GOING, "weekly: CREATE IN_PROGRESS 30 of 100 (30 %)"),
        (ACTIVE, "weekly: ACTIVE after 75 s; 90 answered, 8 failed, 2 empty"),
        (FAILED, "weekly: CREATE FAILED after 10 min; no <i>such</i> bucket"),
    ],
)
def test_a_job_is_told_in_a_line(state, text):
    assert status.told(state) == text


def test_lines_stand_newest_first_and_follow_their_jobs():
    box = widgets.VBox()
    lines = status.Status(box)
    first, second = lines.line(), lines.line()
    first(PENDING)
    assert 'role="status"' in box.children[2].value and "<progress" not in box.children[2].value
    first(GOING)
    second(dataclasses.replace(PENDING, name="later"))
    newest, _, oldest, receipt = (one.value for one in box.children[2:])
    assert "later: CREATE PENDING" in newest and 'value="30" max="100"' in oldest and "75 s" in oldest
    # the time is outside of what is announced
    assert "75 s" not in oldest.split("</div></div>")[0]
    opened = box.children[5]
    changes = []
    opened.observe(changes.append, "value")
    first(dataclasses.replace(GOING, share=(31, 100), view=View(Markup("<b>other</b>"), "other")))
    assert changes == [] and "<b>all</b>" in receipt  # what a reader has opened stays open
    first(dataclasses.replace(FAILED, view=View(Markup("<b>end</b>"), "end")))
    assert "no &lt;i&gt;such&lt;/i&gt; bucket" in box.children[4].value and "<progress" not in box.children[4].value
    assert len(changes) == 1


def test_who_asks_is_notified_once_of_the_end_and_of_nothing_that_anybody_wrote_as_code():
    box = widgets.VBox()
    shown = status.Status(box)
    place = box.children[1]
    line = shown.line()
    line(GOING)
    line(ACTIVE)
    assert place.value == ""  # nobody asked
    shown.notifier.box.value = True
    assert "requestPermission" in place.value
    line = shown.line()
    line(GOING)
    assert "requestPermission" in place.value
    line(FAILED)
    assert "<i>such" not in place.value and "no &lt;i&gt;such&lt;/i&gt; bucket</span>" in place.value
    scripts = re.findall('onerror="([^"]*)"', place.value)
    assert len(scripts) == 1 and "bucket" not in scripts[0]
    told = place.value
    line(dataclasses.replace(FAILED, reason="other"))
    assert place.value == told
    shown.notifier.box.value = False
    assert place.value == ""
