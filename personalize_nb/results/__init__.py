"""What jobs wrote comes back as frames.

`output_files` are found, `open_files` copied, their `lines` read as Arrow (`cut_lists` where they are as jobs write
them), `matching` puts the `rows` in input order, and `results` gives them `shapes` in several `forms`, of any library
as `results_as`, with `titles`; `reading` takes what any job wrote.

`evaluation` measures lists, by `measures` that are taken in parts, for `slices`, with bounds by `resampling`, and
`judged_users` says for whom they are good; `theme_quality` measures themes. `comparison` puts lists beside each other:
`aligned` makes numbers of them, `agreement` says how far two agree, `changes`, `profiles` and `differences` are what is
`compared`. All take lists from `sources`.
"""

__all__ = [
    "aligned",
    "compared",
    "comparison",
    "evaluation",
    "judged_users",
    "measures",
    "output_files",
    "parts",
    "reading",
    "resampling",
    "results",
    "results_as",
    "side_by_side",
    "slices",
    "sources",
    "theme_quality",
    "titles",
]
