"""The job form: `form` is the widget people fill; the others are its fields, input, options and state."""

__all__ = ["form"]
