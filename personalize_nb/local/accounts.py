"""The account of a local service: who its caller is (STS), its roles (IAM), and a role that is right from the start.

Floor 2 of `local`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalize_nb.local.endpoint import Handler, Request
from personalize_nb.local.iam import Roles
from personalize_nb.local.queryprotocol import query_handler

DEFAULT_ROLE = "PersonalizeNbLocal"
_USER = "personalize-nb"
_USER_ID = "AIDALOCALPERSONALIZEN"
_STATE = "state.sqlite"


def accounts_handlers(root: Path, account: str) -> dict[str, Handler]:
    """What the endpoint calls for requests signed for `sts` and `iam`.

    Parameters
    ----------
    root
        The service's folder; roles live in its `state.sqlite`.
    account
        The account that everything belongs to.
    """

    def get_caller_identity(params: Mapping[str, Any], request: Request) -> Mapping[str, Any]:
        return {"UserId": _USER_ID, "Account": account, "Arn": f"arn:aws:iam::{account}:user/{_USER}"}

    roles = Roles(Path(root) / _STATE, account)
    return {
        "sts": query_handler("sts", {"GetCallerIdentity": get_caller_identity}),
        "iam": query_handler("iam", roles.operations()),
    }


def ensure_default_role(root: Path, account: str) -> str:
    """Make the role that Personalize may take on to read and write every local bucket, and give its ARN.

    A role of that name that exists already is left as it is, whatever its owner made of it.
    """
    trust = _policy({"Principal": {"Service": "personalize.amazonaws.com"}, "Action": "sts:AssumeRole"})
    buckets = _policy({"Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::*"})
    roles = Roles(Path(root) / _STATE, account)
    try:
        return roles.ensure_role(
            DEFAULT_ROLE,
            trust,
            {"ReadAndWriteBuckets": buckets},
            "Made by the local service so that the first job just works.",
        )
    finally:
        roles.close()


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
