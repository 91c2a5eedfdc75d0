"""What stands on the service and is found by name.

`solutions` that were trained, the `item_schema` of their data, `filters`, what their `filter_texts` say, the
`value_texts` that they compare, the `known_values` that they may be given, and `dataset_groups` with all that belongs
to them, which `group_contents` finds. `standing_costs` are of what is billed while nobody looks. An `estimate` is of
what work comes to, `durations` of how long it takes. Of jobs, `own_quota` says how many there may be.
"""

__all__ = [
    "dataset_groups",
    "durations",
    "estimate",
    "filter_texts",
    "filters",
    "item_schema",
    "known_values",
    "own_quota",
    "solutions",
    "standing_costs",
    "value_texts",
]
