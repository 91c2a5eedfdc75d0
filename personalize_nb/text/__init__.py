"""What is shown, shared and called: `html` is markup, `redact` masks names, `public` tells mistakes in calls."""

__all__ = ["counts", "elements", "html", "listings", "public", "redact", "saved_notebooks", "values"]
