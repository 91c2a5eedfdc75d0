"""Amazon's recipes, learnt in earnest: `families` trains one by its name and loads what was trained.

One file a family: `personalization` (users and rankings), `related` (items like this one), `semantic` (items with
texts like this one), `popularity`, `trending`, `segmentation` (users for items). They stand on `history` (interactions
as arrays), `content` (metadata as features), `ridge` (the linear models), `scoring` and `ranking` (lists, in compiled
code).
"""

__all__ = [
    "base",
    "compiled",
    "disk",
    "families",
    "history",
    "hyperparameters",
    "personalization",
    "popularity",
    "related",
    "segmentation",
    "semantic",
    "sequential",
]
