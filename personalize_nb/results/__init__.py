"""What jobs wrote comes back as frames: `output_files` are read as Arrow, `results` put in input order with `titles`.

`evaluation` measures lists, `theme_quality` themes.
"""

__all__ = ["evaluation", "output_files", "results", "theme_quality", "titles"]
