"""What people see: the job form, receipts, views, charts, and notebooks run without a browser."""

__all__ = [
    "comparison_plots",
    "comparisons",
    "completions",
    "form",
    "formatters",
    "headless",
    "list_plots",
    "metric_plots",
    "receipts",
    "saved_receipts",
    "views",
]
