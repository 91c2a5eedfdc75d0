"""What people see: the job form, receipts, views, charts, and notebooks run without a browser."""

__all__ = [
    "card",
    "charts",
    "comparisons",
    "completions",
    "explorer",
    "form",
    "formatters",
    "headless",
    "receipts",
    "saved_receipts",
    "shop",
    "views",
]
