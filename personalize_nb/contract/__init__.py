"""What Amazon promises: the facts that client and service share, as tables and pure functions.

`limits` are the quotas and what botocore's model says, `recipes` (with `domain_recipes` and `hyperparameters`) and
`parameters` the two tables, `releases` what an older boto3 lacks, `solution_config` the rules of a training's
configuration, `columns` the names of every frame, `ranking_metrics` Amazon's definitions, `input_names` what beside a
job's data is none, `job_kinds` what the API calls each of the two, `partitions` where regions lie, `how_far` a
header that tells a percentage, `policies` how IAM judges.
"""

__all__ = [
    "attributes",
    "columns",
    "domain_recipes",
    "how_far",
    "hyperparameters",
    "input_names",
    "job_kinds",
    "limits",
    "parameters",
    "partitions",
    "policies",
    "ranking_metrics",
    "recipes",
    "releases",
    "solution_config",
]
