"""`personalize-runtime` and `personalize-events`: requests answered at once, from the models that trainings left.

`recommendations` asks a campaign's or recommender's model, `events` stores what is put. Models and datasets are kept
in memory by `models` between requests. Importing this package registers every operation. Local service.
"""

from __future__ import annotations

from personalize_nb.local.serving import events, recommendations
from personalize_nb.local.serving.registry import SERVED, Serving

FAMILIES = (events, recommendations)

__all__ = ["FAMILIES", "SERVED", "Serving"]
