"""The job form: `form` is the widget people fill; the other chapters are its fields, its input and its state."""

__all__ = ["form"]
