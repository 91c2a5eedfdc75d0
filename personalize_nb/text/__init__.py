"""What is shown and shared: `html` is markup, `counts` numbers, `redact` masks names, `elements` reads lists."""

__all__ = ["counts", "elements", "html", "listings", "redact", "saved_notebooks", "values"]
