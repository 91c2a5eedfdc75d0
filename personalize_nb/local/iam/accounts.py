"""The account of a local service: who its caller is (STS), its roles (IAM), and a role that is right from the start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalize_nb.contract.partitions import DEFAULT
from personalize_nb.contract.policies import templates
from personalize_nb.local.http.messages import Handler, Request
from personalize_nb.local.http.query_protocol import query_handler
from personalize_nb.local.iam.roles import USER, Roles
from personalize_nb.local.iam.simulation import simulating

DEFAULT_ROLE = "PersonalizeNbLocal"
_USER_ID = "AIDALOCALPERSONALIZEN"
_STATE = "state.sqlite"


def accounts_handlers(root: Path, account: str, roles: Roles | None = None) -> dict[str, Handler]:
    """Return what the endpoint calls for requests signed for `sts` and `iam`.

    Parameters
    ----------
    root
        The service's folder; roles live in its `state.sqlite`.
    account
        The account that everything belongs to.
    roles
        Its roles, where they are open already.
    """

    def get_caller_identity(params: Mapping[str, Any], request: Request) -> Mapping[str, Any]:
        return {"UserId": _USER_ID, "Account": account, "Arn": user}

    roles = roles or Roles(Path(root) / _STATE, account)
    user = f"arn:{roles.partition}:iam::{account}:user/{USER}"
    return {
        "sts": query_handler("sts", {"GetCallerIdentity": get_caller_identity}),
        "iam": query_handler("iam", {**roles.operations(), **simulating(roles)}),
    }


def ensure_default_role(root: Path, account: str, partition: str = DEFAULT) -> str:
    """Make the role that Personalize may take on, and give its ARN.

    It may read and write every bucket and use every key of the account, so that, as on AWS, what a newcomer has to
    add for a bucket or key of their own is that bucket's or key's policy. A role of that name that exists already is
    left as it is, whatever its owner made of it.
    """
    trust = json.dumps(templates.document(templates.trust_statement()))
    buckets = json.dumps(templates.document(*templates.role_statements(["*"], partition=partition)))
    every_key = f"arn:{partition}:kms:*:{account}:key/*"
    keys = json.dumps(templates.document(*templates.role_statements([], [every_key])))
    roles = Roles(Path(root) / _STATE, account, partition)
    try:
        return roles.ensure_role(
            DEFAULT_ROLE,
            trust,
            {"ReadAndWriteBuckets": buckets, "UseKeys": keys},
            "Made by the local service so that the first job just works.",
        )
    finally:
        roles.close()


def bucket_policy(bucket: str, partition: str = DEFAULT) -> str:
    """Return the policy that lets Personalize read and write a bucket; the service's own has it from the start."""
    return json.dumps(templates.document(templates.bucket_statement(bucket, partition=partition)))
