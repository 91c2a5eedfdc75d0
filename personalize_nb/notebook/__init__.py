"""What people see: the job form, receipts, views, charts, and notebooks run without a browser."""

__all__ = [
    "card",
    "comparison_plots",
    "comparisons",
    "completions",
    "explorer",
    "form",
    "formatters",
    "headless",
    "list_plots",
    "metric_plots",
    "receipts",
    "saved_receipts",
    "shop",
    "views",
]
