"""Too few interactions are one problem among others, and hide none of them."""

from __future__ import annotations

import pandas as pd
import pytest
from installed_boto3 import skip_what_is_newer

import personalize_nb as pnb

ROWS = range(999)
EVENTS = pd.DataFrame(
    {
        "user_id": [f"r{row % 60}" for row in ROWS],
        "item_id": [f"b{row * row % 41}" for row in ROWS],
        "timestamp": [1_700_000_000 + row for row in ROWS],
    }
)
TYPED = EVENTS.assign(event_type="view")
RULE = {"eventsConfig": {"eventParametersList": [{"eventType": "purchase", "weight": 1.0}]}}


@pytest.mark.parametrize("rows", [1, 999])
@pytest.mark.parametrize(
    ("events", "given", "also"),
    [
        (EVENTS, {"event_type": "buy"}, "no column 'event_type'"),
        (TYPED, {"event_type": "purchase"}, "of event type 'purchase', got 0"),
        (TYPED, {"solution_config": {"eventValueThreshold": "1"}}, "no column 'event_value'"),
        (TYPED, {"solution_config": RULE}, "'purchase', which no interaction has"),
    ],
)
def test_too_few_interactions_hide_no_other_mistake(rows, events, given, also):
    skip_what_is_newer(given.get("solution_config"))
    report = pnb.preflight_training(events.head(rows), **given)
    told = report.loc[report["level"] == "error", "found"]
    for one in (f"1,000 interactions, got {rows}", also):
        assert told.str.contains(one, regex=False).any()
