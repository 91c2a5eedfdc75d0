"""HPO: the search finds planted values, keeps to ranges and jobs, and a training reports what it found."""

from __future__ import annotations

import pytest
from planted import planted

from personalize_nb.local.tasks import tuning
from personalize_nb.local.tasks.tuning import Range

WHOLE = Range("bptt", 2, 32, whole=True)
REAL = Range("popularity_discount_factor", 0.0, 1.0)
FLAG = Range("recency_mask", choices=(True, False))
START = {"bptt": 32, "popularity_discount_factor": 0.0, "recency_mask": True}


def planted_score(values) -> float:
    """The best values are 11, 0.7 and False."""
    return -abs(values["bptt"] - 11) / 30 - abs(values["popularity_discount_factor"] - 0.7) - values["recency_mask"]


def test_the_search_comes_near_planted_values():
    trials = tuning.search([WHOLE, REAL, FLAG], START, 40, planted_score)
    assert len(trials) == 40
    best = trials[0].values
    assert not best["recency_mask"]
    assert abs(best["bptt"] - 11) <= 4
    assert abs(best["popularity_discount_factor"] - 0.7) <= 0.12
    assert trials == tuning.search([WHOLE, REAL, FLAG], START, 40, planted_score)
    assert [trial.score for trial in trials] == sorted((trial.score for trial in trials), reverse=True)


def test_more_jobs_never_find_less():
    scores = [
        tuning.search([WHOLE, REAL], START, jobs, lambda v: planted_score(v | {"recency_mask": 0}))[0].score
        for jobs in (1, 4, 12, 40)
    ]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_few_combinations_are_all_tried():
    seen = []
    few = [FLAG, Range("bptt", 5, 7, whole=True)]
    trials = tuning.search(few, START, 40, lambda values: seen.append(dict(values)) or 0.0)
    assert len(trials) == 6
    assert {(trial["recency_mask"], trial["bptt"]) for trial in seen} == {
        (f, n) for f in (True, False) for n in (5, 6, 7)
    }
    # equal scores: the solution's own values, moved into the ranges, stay
    assert trials[0].values == {"recency_mask": True, "bptt": 7}


def test_values_stay_within_their_ranges_and_progress_is_told():
    told = []
    narrow = [Range("bptt", 4, 9, whole=True), Range("popularity_discount_factor", 0.25, 0.5)]
    trials = tuning.search(narrow, START, 17, lambda values: values["bptt"], lambda *at: told.append(at))
    assert told == [(done, 17) for done in range(17)]
    for trial in trials:
        assert 4 <= trial.values["bptt"] <= 9
        assert 0.25 <= trial.values["popularity_discount_factor"] <= 0.5
    assert trials[0].values["bptt"] == 9


def test_ranges_come_from_the_solution_or_from_the_recipe():
    config = {
        "algorithmHyperParameterRanges": {
            "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["true", "True"]}],
            "integerHyperParameterRanges": [{"name": "bptt", "minValue": 4}],
        }
    }
    assert tuning.ranges_of("aws-hrnn", config) == [
        Range("recency_mask", choices=(True,)),
        Range("bptt", 4, 32, whole=True),
    ]
    assert {known.name for known in tuning.ranges_of("aws-sims", None)} == {
        "popularity_discount_factor",
        "min_cointeraction_count",
    }
    assert tuning.texts({"a": True, "b": 3, "c": 0.25}) == {"a": "true", "b": "3", "c": "0.25"}


@pytest.mark.parametrize(("values", "expected"), [(["true", "false"], "true"), (["false"], "false")])
def test_on_walks_whose_order_matters_recency_is_found(values, expected):
    config = {
        "algorithmHyperParameterRanges": {
            "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": values}]
        },
        "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "2"},
    }
    trials = tuning.optimize(
        "aws-user-personalization", planted(users=160), config, hyperparameters={"recency_mask": "false"}
    )
    assert len(trials) == len(values)
    assert tuning.texts(trials[0].values) == {"recency_mask": expected}
