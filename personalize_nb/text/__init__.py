"""What is shown and shared: `html` builds all markup, `counts` writes numbers with their noun, `redact` masks names."""

__all__ = ["counts", "html", "redact", "values"]
