"""Roles and policies as a notebook makes them for Personalize, recorded in SQLite.

Trust and permission documents are checked for form, kept, and given back as IAM gives them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from personalize_nb.contract.partitions import DEFAULT
from personalize_nb.contract.policies import documents
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.query_protocol import Operation, Parameters
from personalize_nb.local.iam.kept import KeptRole, ManagedPolicy, managed_by_aws, path_of, shown_role
from personalize_nb.local.iam.role_documents import check_inline, check_managed, check_permissions, check_trust
from personalize_nb.local.state.database import Database

MAX_TAGS = 50
MAX_ATTACHED = 10
# the one user, who calls this service
USER = "personalize-nb"
_PAGE = 100
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS iam_roles (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS iam_policies (arn TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


class Roles:
    """The roles and customer-managed policies of one account.

    Parameters
    ----------
    path
        The SQLite file they live in; others may keep tables there too.
    account, partition
        The account and the partition in their ARNs.

    Notes
    -----
    A role, and a policy, is one JSON document: a `KeptRole`, a `ManagedPolicy`.
    """

    def __init__(self, path: Path, account: str, partition: str = DEFAULT, clock: Callable[[], float] = time.time):
        self.account, self.partition = account, partition
        self._clock = clock
        self._database = Database(path, _SCHEMA)

    def close(self) -> None:
        """Release the open files."""
        self._database.close()

    def role(self, name: str) -> KeptRole:
        """Return the role's document, or `NoSuchEntity`."""
        with self._database.reading() as db:
            row = db.execute("SELECT body FROM iam_roles WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise _unknown(f"The role with name {name} cannot be found.")
        role: KeptRole = json.loads(row["body"])
        return role

    def has_identity(self, arn: str) -> bool:
        """Tell whether the account has the role, the user, or the session of a role, of an ARN."""
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        if kind == "federated-user":
            return True
        if kind == "user":
            return name == USER
        try:
            role = self.role(name.partition("/")[0] if kind == "assumed-role" else name.rpartition("/")[2])
        except ApiError:
            return False
        return kind == "assumed-role" or role["Arn"] == arn

    def ensure_role(self, name: str, trust: str, policies: Mapping[str, str], description: str) -> str:
        """Make a role with its inline policies, at once, unless one of that name exists; give the ARN."""
        role = self._new_role({"RoleName": name, "AssumeRolePolicyDocument": trust, "Description": description})
        role["inline"] = dict(policies)
        with self._database.writing() as db:
            db.execute("INSERT OR IGNORE INTO iam_roles VALUES (?, ?)", (name, json.dumps(role)))
        return self.role(name)["Arn"]

    def policy(self, arn: str) -> ManagedPolicy:
        """Return a managed policy's document, the account's own or one of AWS's known here, or `NoSuchEntity`."""
        if (text := documents.managed_policy(arn)) is not None:
            return managed_by_aws(arn, text)
        with self._database.reading() as db:
            row = db.execute("SELECT body FROM iam_policies WHERE arn = ?", (arn,)).fetchone()
        if row is None:
            hint = documents.near_policies(arn) if documents.is_of_aws(arn) else ""
            raise _unknown(f"Policy {arn} does not exist or is not attachable.{hint}")
        policy: ManagedPolicy = json.loads(row["body"])
        return policy

    def documents(self, role: KeptRole) -> tuple[dict[str, str], list[str]]:
        """Return the texts of a role's policies by name, and the attached policies whose text is not known here."""
        texts, unknown = {f"inline policy {name}": text for name, text in role["inline"].items()}, []
        for arn in role["attached"]:
            try:
                texts[f"policy {arn}"] = self.policy(arn)["document"]
            except ApiError:
                unknown.append(arn)
        return texts, unknown

    def operations(self) -> dict[str, Operation]:
        """IAM's operations by name."""
        return {
            "CreateRole": self._create_role,
            "GetRole": lambda params, _: {"Role": shown_role(self.role(params["RoleName"]))},
            "ListRoles": self._list_roles,
            "UpdateAssumeRolePolicy": self._update_trust,
            "DeleteRole": self._delete_role,
            "TagRole": self._tag_role,
            "UntagRole": self._untag_role,
            "ListRoleTags": self._list_role_tags,
            "PutRolePolicy": self._put_role_policy,
            "GetRolePolicy": self._get_role_policy,
            "ListRolePolicies": self._list_role_policies,
            "DeleteRolePolicy": self._delete_role_policy,
            "AttachRolePolicy": self._attach,
            "DetachRolePolicy": self._detach,
            "ListAttachedRolePolicies": self._list_attached,
            "CreatePolicy": self._create_policy,
            "GetPolicy": lambda params, _: {"Policy": self._shown_policy(self.policy(params["PolicyArn"]))},
            "GetPolicyVersion": self._get_policy_version,
            "ListPolicies": self._list_policies,
            "DeletePolicy": self._delete_policy,
        }

    # roles

    def _create_role(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        check_trust(params["AssumeRolePolicyDocument"], self.account, self.has_identity)
        role = self._new_role(params)
        with self._database.writing() as db:
            if db.execute("SELECT 1 FROM iam_roles WHERE name = ?", (role["RoleName"],)).fetchone():
                raise ApiError("EntityAlreadyExists", f"Role with name {role['RoleName']} already exists.", 409)
            db.execute("INSERT INTO iam_roles VALUES (?, ?)", (role["RoleName"], json.dumps(role)))
        return {"Role": shown_role(role)}

    def _list_roles(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        with self._database.reading() as db:
            roles = [json.loads(row["body"]) for row in db.execute("SELECT body FROM iam_roles ORDER BY name")]
        prefix = params.get("PathPrefix", "/")
        wanted = [role for role in roles if role["Path"].startswith(prefix)]
        page, rest = _page(wanted, params, lambda role: role["RoleName"])
        # IAM leaves the tags out of lists.
        return {"Roles": [shown_role(role) | {"Tags": None} for role in page], **rest}

    def _update_trust(self, params: Parameters, _: Any) -> None:
        check_trust(params["PolicyDocument"], self.account, self.has_identity)

        def change(role: KeptRole) -> None:
            role["AssumeRolePolicyDocument"] = params["PolicyDocument"]

        self._change_role(params["RoleName"], change)

    def _delete_role(self, params: Parameters, _: Any) -> None:
        def check(role: KeptRole) -> None:
            if role["attached"]:
                raise ApiError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
            if role["inline"]:
                raise ApiError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)

        self._change_role(params["RoleName"], check, "DELETE FROM iam_roles WHERE name = :name")

    def _tag_role(self, params: Parameters, _: Any) -> None:
        def change(role: KeptRole) -> None:
            role["Tags"] = _merged_tags(role["Tags"], params["Tags"])

        self._change_role(params["RoleName"], change)

    def _untag_role(self, params: Parameters, _: Any) -> None:
        def change(role: KeptRole) -> None:
            role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] not in params["TagKeys"]]

        self._change_role(params["RoleName"], change)

    def _list_role_tags(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        page, rest = _page(self.role(params["RoleName"])["Tags"], params, lambda tag: tag["Key"])
        return {"Tags": page, **rest}

    # policies in a role

    def _put_role_policy(self, params: Parameters, _: Any) -> None:
        check_permissions(params["PolicyDocument"])

        def change(role: KeptRole) -> None:
            role["inline"][params["PolicyName"]] = params["PolicyDocument"]
            check_inline(role["RoleName"], role["inline"])

        self._change_role(params["RoleName"], change)

    def _get_role_policy(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        inline = self.role(params["RoleName"])["inline"]
        name = params["PolicyName"]
        if name not in inline:
            raise _unknown(f"The role policy with name {name} cannot be found.")
        return {"RoleName": params["RoleName"], "PolicyName": name, "PolicyDocument": quote(inline[name], safe="")}

    def _list_role_policies(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        page, rest = _page(sorted(self.role(params["RoleName"])["inline"]), params, str)
        return {"PolicyNames": page, **rest}

    def _delete_role_policy(self, params: Parameters, _: Any) -> None:
        def change(role: KeptRole) -> None:
            if role["inline"].pop(params["PolicyName"], None) is None:
                raise _unknown(f"The role policy with name {params['PolicyName']} cannot be found.")

        self._change_role(params["RoleName"], change)

    # managed policies

    def _attach(self, params: Parameters, _: Any) -> None:
        arn = params["PolicyArn"]
        if not documents.is_named_only(arn):
            self.policy(arn)

        def change(role: KeptRole) -> None:
            if arn in role["attached"]:
                return
            if len(role["attached"]) >= MAX_ATTACHED:
                raise ApiError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {MAX_ATTACHED}", 409)
            role["attached"].append(arn)

        self._change_role(params["RoleName"], change)

    def _detach(self, params: Parameters, _: Any) -> None:
        def change(role: KeptRole) -> None:
            if params["PolicyArn"] not in role["attached"]:
                raise _unknown(f"Policy {params['PolicyArn']} was not found.")
            role["attached"].remove(params["PolicyArn"])

        self._change_role(params["RoleName"], change)

    def _list_attached(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        prefix = params.get("PathPrefix", "/")
        attached = [arn for arn in self.role(params["RoleName"])["attached"] if path_of(arn).startswith(prefix)]
        page, rest = _page(sorted(attached), params, str)
        return {
            "AttachedPolicies": [{"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn} for arn in page],
            **rest,
        }

    def _create_policy(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        name, path, now = params["PolicyName"], params.get("Path", "/"), int(self._clock())
        check_managed(params["PolicyDocument"])
        policy: ManagedPolicy = {
            "PolicyName": name,
            "PolicyId": _new_id("ANPA"),
            "Arn": f"arn:{self.partition}:iam::{self.account}:policy{path}{name}",
            "Path": path,
            "DefaultVersionId": "v1",
            "IsAttachable": True,
            "PermissionsBoundaryUsageCount": 0,
            "Description": params.get("Description"),
            "CreateDate": now,
            "UpdateDate": now,
            "Tags": _merged_tags([], params.get("Tags", [])),
            "document": params["PolicyDocument"],
        }
        with self._database.writing() as db:
            if db.execute("SELECT 1 FROM iam_policies WHERE arn = ?", (policy["Arn"],)).fetchone():
                raise ApiError("EntityAlreadyExists", f"A policy called {name} already exists.", 409)
            db.execute("INSERT INTO iam_policies VALUES (?, ?)", (policy["Arn"], json.dumps(policy)))
        return {"Policy": self._shown_policy(policy)}

    def _get_policy_version(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        policy = self.policy(params["PolicyArn"])
        if params["VersionId"] != policy["DefaultVersionId"]:
            raise _unknown(f"Policy {policy['Arn']} version {params['VersionId']} does not exist.")
        return {
            "PolicyVersion": {
                "Document": quote(policy["document"], safe=""),
                "VersionId": policy["DefaultVersionId"],
                "IsDefaultVersion": True,
                "CreateDate": policy["CreateDate"],
            }
        }

    def _list_policies(self, params: Parameters, _: Any) -> Mapping[str, Any]:
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM iam_policies ORDER BY arn").fetchall()
        prefix = params.get("PathPrefix", "/")
        shown = [self._shown_policy(json.loads(row["body"])) | {"Tags": None} for row in rows]
        wanted = [
            policy
            for policy in shown
            if policy["Path"].startswith(prefix)
            and params.get("Scope") != "AWS"
            and (policy["AttachmentCount"] or not params.get("OnlyAttached"))
        ]
        page, rest = _page(wanted, params, lambda policy: policy["Arn"])
        return {"Policies": page, **rest}

    def _delete_policy(self, params: Parameters, _: Any) -> None:
        policy = self.policy(params["PolicyArn"])
        if self._shown_policy(policy)["AttachmentCount"]:
            raise ApiError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        with self._database.writing() as db:
            db.execute("DELETE FROM iam_policies WHERE arn = ?", (policy["Arn"],))

    def _shown_policy(self, policy: ManagedPolicy) -> dict[str, Any]:
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM iam_roles").fetchall()
        count = sum(policy["Arn"] in json.loads(row["body"])["attached"] for row in rows)
        return {**policy, "AttachmentCount": count}

    def _change_role(
        self,
        name: str,
        change: Callable[[KeptRole], None],
        statement: str = "UPDATE iam_roles SET body = :body WHERE name = :name",
    ) -> None:
        with self._database.writing() as db:
            row = db.execute("SELECT body FROM iam_roles WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise _unknown(f"The role with name {name} cannot be found.")
            role = json.loads(row["body"])
            change(role)
            db.execute(statement, {"name": name, "body": json.dumps(role)})

    def _new_role(self, params: Parameters) -> KeptRole:
        name, path = params["RoleName"], params.get("Path", "/")
        return {
            "Path": path,
            "RoleName": name,
            "RoleId": _new_id("AROA"),
            "Arn": f"arn:{self.partition}:iam::{self.account}:role{path}{name}",
            "CreateDate": int(self._clock()),
            "AssumeRolePolicyDocument": params["AssumeRolePolicyDocument"],
            "Description": params.get("Description"),
            "MaxSessionDuration": params.get("MaxSessionDuration", 3600),
            "Tags": _merged_tags([], params.get("Tags", [])),
            "inline": {},
            "attached": [],
        }


def _merged_tags(old: Iterable[Mapping[str, str]], new: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    tags = {tag["Key"]: tag["Value"] for tag in (*old, *new)}
    if len(tags) > MAX_TAGS:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for TagsPerRole: {MAX_TAGS}", 409)
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _page(entries: list[Any], params: Parameters, name: Callable[[Any], str]) -> tuple[list[Any], dict[str, Any]]:
    """One page behind the marker, and the members that tell of the next."""
    if (marker := params.get("Marker")) is not None:
        known = [name(entry) for entry in entries]
        entries = entries[known.index(marker) + 1 :] if marker in known else []
    limit = params.get("MaxItems", _PAGE)
    truncated = len(entries) > limit
    page = entries[:limit]
    return page, {"IsTruncated": truncated, "Marker": name(page[-1]) if truncated else None}


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ID_LETTERS) for _ in range(17))


def _unknown(message: str) -> ApiError:
    return ApiError("NoSuchEntity", message, 404)
