"""Background work: `tasks` says what each kind does, `run` how it begins and ends.

A batch inference job is `batch` (with `input_lines` and `output_rows`), a segment job `segments`; a training may have
a `hold_out` to measure itself on and trials (`tuning`).
"""

__all__ = ["run", "tasks", "theme_settings"]
