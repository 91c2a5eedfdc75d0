"""What jobs wrote comes back as frames.

`output_files` are found, `open_files` copied, their `lines` read as Arrow (`cut_lists` where they are as jobs write
them), `matching` puts the `rows` in input order, and `results` gives them `shapes` in several `forms`, with `titles`;
`reading` takes what any job wrote.

`evaluation` measures lists, `theme_quality` themes.
"""

__all__ = ["evaluation", "output_files", "parts", "reading", "results", "side_by_side", "theme_quality", "titles"]
