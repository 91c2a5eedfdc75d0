"""What people see: the job form, receipts, views, charts, and notebooks run without a browser."""

__all__ = [
    "charts",
    "comparisons",
    "completions",
    "form",
    "formatters",
    "headless",
    "receipts",
    "saved_receipts",
    "views",
]
