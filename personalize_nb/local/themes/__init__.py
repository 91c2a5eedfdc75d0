"""Themes: a short text for a group of similar items, and how well each item fits it.

`catalogue` reads the items, `index` prepares them (`text`, `lexicon`, `phrases`, `genres`, `statistics`), a generator
(`generators`, `extractive` with `grammar`) proposes texts, `rules` checks them, `relevance` scores the items, and
`maker` joins it all. Local service, over floor 0.
"""

from .generators import Draft, Evidence, Proposal, ThemeGenerator, ThemeRequest
from .maker import Themed, ThemeMaker

__all__ = ["Draft", "Evidence", "Proposal", "ThemeGenerator", "ThemeMaker", "ThemeRequest", "Themed"]
