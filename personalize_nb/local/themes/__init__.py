"""Themes: a short text for a group of similar items, and how well each item fits it.

`catalogue` reads the items, `index` prepares them (`text`, `lexicon`, `phrases`, `genres`, `statistics`), a generator
(`generators`, `extractive` with `grammar`) proposes texts, `rules` checks them, `relevance` scores the items, and
`maker` joins it all. `plugins` finds generators by name; what other packages need to write one has its names here.
"""

from personalize_nb.local.themes.generators import Draft, Evidence, Proposal, ThemeGenerator, ThemeRequest

__all__ = [
    "Draft",
    "Evidence",
    "Proposal",
    "ThemeGenerator",
    "ThemeRequest",
    "generators",
    "maker",
    "plugins",
]
