"""What stands on the service and is found by name.

`solutions` that were trained, the `item_schema` of their data, `filters`, the `value_texts` that they compare, and
`dataset_groups` with all that belongs to them.
"""

__all__ = ["dataset_groups", "filters", "item_schema", "solutions", "value_texts"]
