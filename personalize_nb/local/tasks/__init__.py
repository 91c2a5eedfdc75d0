"""Background work: `tasks` says what each kind does, `run` how it begins and ends.

A batch inference job is `batch` (with `input_lines` and `output_rows`), a segment job `segments`; a training may have
a `hold_out` to measure itself on and trials (`tuning`). A batch inference job is `spread` over a cluster of Dask where
`cluster_address` says that there is one.
"""

__all__ = ["cluster_address", "run", "tasks", "theme_settings"]
