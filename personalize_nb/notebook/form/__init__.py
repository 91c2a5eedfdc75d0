"""The job form: `form` is the widget people fill; the others are its fields, input, options and state.

Other widgets have its looks: `style` and `fields` give them, and `console` a place to tell something.
"""

__all__ = ["console", "fields", "form", "style"]
