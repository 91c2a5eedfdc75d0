"""Quotas and patterns of Amazon Personalize.

What botocore's service model states (patterns, lengths, enums) is read from it; what only the developer guide
states is named here once, with the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

# developer guide, "Amazon Personalize endpoints and quotas"
MAX_INPUT_FILES = 1000
MAX_INPUT_BYTES = 1_000_000_000
MAX_RECORDS_PER_FILE = 50_000_000
MAX_IMPORT_BYTES = {"FULL": 100_000_000_000, "INCREMENTAL": 1_000_000_000}
MAX_THEME_RECORDS_PER_FILE = 100
MAX_JOBS_IN_PROGRESS = 5
MAX_ID_CHARACTERS = 256
MAX_CATEGORICAL_CHARACTERS = 1000
MAX_TEXTUAL_CHARACTERS = 20_000
MAX_TAGS = 50
MAX_FILTER_FIELDS = 10
MAX_FILTER_VALUES = 25
MAX_FILTER_VALUE_CHARACTERS = 1000
MIN_INTERACTIONS = 1000
MIN_USERS_WITH_TWO_INTERACTIONS = 25
MIN_SHARE_OF_USERS_WITH_TWO = 0.01
MAX_EVENT_TYPES_AND_COLUMNS = 10
MAX_REALTIME_RESULTS = 500
INTERACTIONS_SEEN_BY_FILTERS = 100
# developer guide, "Filter expressions": three months after the last import for a user
FILTER_HISTORY_DAYS = 90
MAX_FILTER_FIELDS_PER_GROUP = 20
MAX_SEGMENT_USERS = 5_000_000
MAX_ITEM_SEGMENTS_PER_FILE = 500
MAX_ATTRIBUTE_SEGMENTS_PER_FILE = 10

# developer guide, "Getting batch recommendations" and "Batch recommendations with themes"
DEFAULT_NUM_RESULTS = 25
DEFAULT_EXPLORATION_WEIGHT = 0.3
DEFAULT_EXPLORATION_ITEM_AGE_CUT_OFF = 30.0
THEME_REGIONS = ("ap-northeast-1", "us-east-1", "us-west-2")
THEME_RELEVANCE_THRESHOLD = 0.1
THEME_MINIMUM_ITEMS = 3  # of AWS's sample: themes of fewer items are not shown

PENDING, IN_PROGRESS, ACTIVE, FAILED = "CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED"
TERMINAL = frozenset({ACTIVE, FAILED, "CREATE STOPPED"})


# Half of a character, which cannot be sent.
_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def service_model(service: str = "personalize") -> Any:
    """Return botocore's `ServiceModel` of Personalize, or of its runtime or events (about 60 ms the first time)."""
    import botocore.loaders
    import botocore.model

    description = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service)


@dataclass(frozen=True)
class StringRule:
    """Length, pattern and legal values of a string shape in the service model."""

    min_length: int
    max_length: int | None
    pattern: str | None
    values: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Tell whether a value is text of which all fits (AWS's patterns are not all anchored; we match in full)."""
        if not isinstance(value, str) or _SURROGATE.search(value):
            return False
        if self.values and value not in self.values:
            return False
        if len(value) < self.min_length or (self.max_length is not None and len(value) > self.max_length):
            return False
        return self.pattern is None or python_pattern(self.pattern).fullmatch(value) is not None


@cache
def string_rule(shape_name: str) -> StringRule:
    """Return the rule of a string shape, for example `Name`, `S3Location`, `RoleArn`, `TagKey`.

    A model without the shape has no rule about it; requests that need the shape are refused by `releases`.
    """
    model = service_model()
    if shape_name not in model.shape_names:
        return StringRule(0, None, None, ())
    shape = model.shape_for(shape_name)
    meta = shape.metadata
    return StringRule(meta.get("min", 0), meta.get("max"), meta.get("pattern"), tuple(shape.enum))


@cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern of the model; Java's `\p{..}` classes become Python's nearest ones.

    Letters, separators and numbers of any script fall into `\w` and `\s`; `\w` also allows the underscore,
    which every pattern of the model that uses these classes allows as well.
    """
    translated = pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]")
    translated = translated.replace(r"\p{L}", r"\w").replace(r"\p{N}", "").replace(r"\p{Z}", r"\s")
    return re.compile(translated)
