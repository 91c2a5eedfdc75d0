"""Policies of AWS: documents, their conditions, their evaluation, and what Amazon Personalize needs of them.

The local service judges jobs with it and the client foretells the judgement, on AWS too.
"""

__all__ = [
    "conditions",
    "documents",
    "evaluation",
    "merging",
    "needs",
    "refusals",
    "sizes",
    "templates",
    "uses",
]
