"""KMS over its JSON protocol, driven by botocore's model: what notebooks, S3 and Personalize need of it.

Symmetric keys only.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from personalize_nb.contract.partitions import partition_of
from personalize_nb.contract.policies import refusals
from personalize_nb.contract.policies.documents import PolicyError, check_resource
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers, shapes
from personalize_nb.local.http.json_bodies import CONTENT_TYPE, parsed, refusal
from personalize_nb.local.http.messages import Handler, Request, Response
from personalize_nb.local.iam.keys import KEY_BYTES, KeptKey, Keys, shown
from personalize_nb.local.iam.roles import Roles

TARGET_PREFIX = "TrentService."
MAX_REQUEST_BYTES = 1 << 20
MAX_PLAINTEXT_BYTES = 4096
MIN_WAITING_DAYS, MAX_WAITING_DAYS, DAY = 7, 30, 86_400.0
_PAGE = 100
_POLICY_NAME = "default"

Parameters = dict[str, Any]
Operation = Callable[[Keys, Parameters], Mapping[str, Any] | None]


def kms_handler(keys: Keys) -> Handler:
    """Return what the endpoint calls for requests signed for `kms`."""

    def answer(request: Request) -> Response:
        name = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        operation = OPERATIONS.get(name)
        if operation is None:
            raise ApiError(
                "UnknownOperationException",
                f"The local service does not have the KMS operation {name!r}. It has {', '.join(sorted(OPERATIONS))}.",
            )
        model = _model().operation_model(name)
        params = parsed(request.body.read_all(MAX_REQUEST_BYTES))
        try:
            params = shapes.checked(params, model.input_shape)
        except ApiError as refused:
            code = "ValidationException" if refused.code == "InvalidInputException" else refused.code
            raise ApiError(code, refused.message) from refused
        members = operation(keys, params) or {}
        body = json.dumps(shapes.projected(members, model.output_shape), separators=(",", ":")) if members else ""
        headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}
        return Response(200, headers, body.encode())

    return Handler(answer, refusal)


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("kms")


# keys


def create_key(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    for member, legal in (("KeyUsage", "ENCRYPT_DECRYPT"), ("KeySpec", "SYMMETRIC_DEFAULT"), ("Origin", "AWS_KMS")):
        if params.get(member, legal) != legal:
            raise ApiError(
                "UnsupportedOperationException",
                f"The local service makes keys with {member} {legal} only, got {params[member]!r}.",
            )
    policy = params.get("Policy")
    if policy is not None:
        _check_policy(keys, policy)
    tags = {tag["TagKey"]: tag["TagValue"] for tag in params.get("Tags", [])}
    return {"KeyMetadata": shown(keys.create(policy, description=params.get("Description", ""), tags=tags))}


def describe_key(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    return {"KeyMetadata": shown(keys.find(params["KeyId"]))}


def list_keys(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    entries = [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]} for key in keys.all()]
    return _page("Keys", entries, params)


def enable_key(keys: Keys, params: Parameters) -> None:
    _set_state(keys, params["KeyId"], "Enabled")


def disable_key(keys: Keys, params: Parameters) -> None:
    _set_state(keys, params["KeyId"], "Disabled")


def schedule_key_deletion(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    days = params.get("PendingWindowInDays", MAX_WAITING_DAYS)
    if not MIN_WAITING_DAYS <= days <= MAX_WAITING_DAYS:
        raise ApiError(
            "ValidationException",
            f"PendingWindowInDays must be from {MIN_WAITING_DAYS} to {MAX_WAITING_DAYS}, got {days}.",
        )
    date = keys.clock() + days * DAY
    key = _set_state(keys, params["KeyId"], "PendingDeletion", date)
    return {
        "KeyId": key["Arn"],
        "DeletionDate": date,
        "KeyState": key["KeyState"],
        "PendingWindowInDays": days,
    }


def cancel_key_deletion(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    def change(key: KeptKey) -> None:
        if key["KeyState"] != "PendingDeletion":
            raise ApiError("KMSInvalidStateException", f"{key['Arn']} is not pending deletion.")
        key["KeyState"], key["Enabled"] = "Disabled", False
        del key["DeletionDate"]

    return {"KeyId": keys.change(params["KeyId"], change)["Arn"]}


def update_key_description(keys: Keys, params: Parameters) -> None:
    keys.change(params["KeyId"], lambda key: key.update({"Description": params["Description"]}))


def _set_state(keys: Keys, name: str, state: str, deletion: float | None = None) -> KeptKey:
    def change(key: KeptKey) -> None:
        if key["KeyManager"] == "AWS":
            raise ApiError("UnsupportedOperationException", f"{key['Arn']} is managed by AWS.")
        if key["KeyState"] == "PendingDeletion":
            raise ApiError("KMSInvalidStateException", f"{key['Arn']} is pending deletion.")
        key["KeyState"], key["Enabled"] = state, state == "Enabled"
        if deletion is not None:
            key["DeletionDate"] = deletion

    return keys.change(name, change)


# aliases


def create_alias(keys: Keys, params: Parameters) -> None:
    name = params["AliasName"]
    if not name.startswith("alias/") or name.startswith("alias/aws/") or len(name) == len("alias/"):
        raise ApiError("ValidationException", f"Aliases begin with 'alias/' and not 'alias/aws/', got {name!r}.")
    key_id = keys.find(params["TargetKeyId"])["KeyId"]
    with keys.database.writing() as db:
        if db.execute("SELECT 1 FROM kms_aliases WHERE name = ?", (name,)).fetchone():
            raise ApiError("AlreadyExistsException", f"An alias with the name {keys.arn(name)} already exists")
        db.execute("INSERT INTO kms_aliases VALUES (?, ?, ?)", (name, key_id, keys.clock()))


def update_alias(keys: Keys, params: Parameters) -> None:
    key_id = keys.find(params["TargetKeyId"])["KeyId"]
    keys.find(params["AliasName"])
    with keys.database.writing() as db:
        db.execute("UPDATE kms_aliases SET key = ? WHERE name = ?", (key_id, params["AliasName"]))


def delete_alias(keys: Keys, params: Parameters) -> None:
    keys.find(params["AliasName"])
    with keys.database.writing() as db:
        db.execute("DELETE FROM kms_aliases WHERE name = ?", (params["AliasName"],))


def list_aliases(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    wanted = keys.find(params["KeyId"])["KeyId"] if "KeyId" in params else None
    with keys.database.reading() as db:
        rows = db.execute("SELECT name, key, created FROM kms_aliases ORDER BY name").fetchall()
    entries = [
        {
            "AliasName": row["name"],
            "AliasArn": keys.arn(row["name"]),
            "TargetKeyId": row["key"],
            "CreationDate": row["created"],
            "LastUpdatedDate": row["created"],
        }
        for row in rows
        if wanted in (None, row["key"])
    ]
    return _page("Aliases", entries, params)


# policies, grants and tags


def get_key_policy(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    _check_policy_name(params)
    return {"Policy": keys.find(params["KeyId"])["policy"], "PolicyName": _POLICY_NAME}


def put_key_policy(keys: Keys, params: Parameters) -> None:
    _check_policy_name(params)
    _check_policy(keys, params["Policy"])
    keys.change(params["KeyId"], lambda key: key.update({"policy": params["Policy"]}))


def list_key_policies(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    keys.find(params["KeyId"])
    return {"PolicyNames": [_POLICY_NAME], "Truncated": False}


def create_grant(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    key = keys.usable(params["KeyId"])
    grant_id, token = uuid.uuid4().hex * 2, base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()
    members = ("GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name")
    grant = {name: params[name] for name in members if name in params}
    grant |= {"KeyId": key["Arn"], "GrantId": grant_id, "GrantToken": token, "CreationDate": keys.clock()}
    grant["IssuingAccount"] = f"arn:{partition_of(keys.region)}:iam::{keys.account}:root"
    with keys.database.writing() as db:
        db.execute("INSERT INTO kms_grants VALUES (?, ?, ?)", (grant_id, key["KeyId"], json.dumps(grant)))
    return {"GrantId": grant_id, "GrantToken": token}


def list_grants(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    grants = keys.grants(keys.find(params["KeyId"])["KeyId"])
    principal, grant_id = params.get("GranteePrincipal"), params.get("GrantId")
    kept = [
        grant
        for grant in grants
        if principal in (None, grant["GranteePrincipal"]) and grant_id in (None, grant["GrantId"])
    ]
    return _page("Grants", kept, params)


def revoke_grant(keys: Keys, params: Parameters) -> None:
    key_id = keys.find(params["KeyId"])["KeyId"]
    with keys.database.writing() as db:
        gone = db.execute("DELETE FROM kms_grants WHERE key = ? AND id = ?", (key_id, params["GrantId"]))
        if not gone.rowcount:
            raise ApiError("NotFoundException", f"Grant {params['GrantId']} is not found.")


def tag_resource(keys: Keys, params: Parameters) -> None:
    tags = {tag["TagKey"]: tag["TagValue"] for tag in params["Tags"]}
    keys.change(params["KeyId"], lambda key: key["tags"].update(tags))


def untag_resource(keys: Keys, params: Parameters) -> None:
    def change(key: KeptKey) -> None:
        key["tags"] = {name: value for name, value in key["tags"].items() if name not in params["TagKeys"]}

    keys.change(params["KeyId"], change)


def list_resource_tags(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    tags = keys.find(params["KeyId"])["tags"]
    return _page("Tags", [{"TagKey": name, "TagValue": value} for name, value in tags.items()], params)


# encryption


def encrypt(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    plaintext = _bytes(params, "Plaintext")
    if not 0 < len(plaintext) <= MAX_PLAINTEXT_BYTES:
        raise ApiError("ValidationException", f"Plaintext has 1 to {MAX_PLAINTEXT_BYTES} bytes, got {len(plaintext)}.")
    key, sealed = keys.encrypt(params["KeyId"], plaintext, params.get("EncryptionContext"))
    return {"KeyId": key["Arn"], "CiphertextBlob": _text(sealed), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def decrypt(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    key, plaintext = keys.decrypt(_bytes(params, "CiphertextBlob"), params.get("EncryptionContext"))
    if "KeyId" in params and keys.find(params["KeyId"])["KeyId"] != key["KeyId"]:
        raise ApiError(
            "IncorrectKeyException", f"The ciphertext was made with {key['Arn']}, the request names {params['KeyId']}."
        )
    return {"KeyId": key["Arn"], "Plaintext": _text(plaintext), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def generate_data_key(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    size = params.get("NumberOfBytes", {"AES_128": 16}.get(params.get("KeySpec", ""), KEY_BYTES))
    if ("NumberOfBytes" in params) == ("KeySpec" in params):
        raise ApiError("ValidationException", "Please specify either number of bytes or key spec.")
    plain = keys.random(size)
    key, sealed = keys.encrypt(params["KeyId"], plain, params.get("EncryptionContext"))
    return {"KeyId": key["Arn"], "Plaintext": _text(plain), "CiphertextBlob": _text(sealed)}


def generate_data_key_without_plaintext(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    made = generate_data_key(keys, params)
    return {name: value for name, value in made.items() if name != "Plaintext"}


def generate_random(keys: Keys, params: Parameters) -> Mapping[str, Any]:
    return {"Plaintext": _text(keys.random(params.get("NumberOfBytes", KEY_BYTES)))}


def _check_policy(keys: Keys, text: str) -> None:
    roles = Roles(keys.database.path, keys.account, partition_of(keys.region))
    try:
        policy = refusals.read_new(text)
        check_resource(policy)
        refusals.check_principals(policy, keys.account, roles.has_identity)
    except PolicyError as error:
        raise ApiError("MalformedPolicyDocumentException", f"The key policy cannot be used: {error}.") from error
    finally:
        roles.close()


def _check_policy_name(params: Parameters) -> None:
    if params.get("PolicyName", _POLICY_NAME) != _POLICY_NAME:
        raise ApiError("NotFoundException", f"No such policy exists: {params['PolicyName']!r}; a key's is 'default'.")


def _page(member: str, entries: list[Any], params: Parameters) -> dict[str, Any]:
    try:
        start = numbers.whole(params.get("Marker", "0"))
        if start < 0:
            raise ValueError("no page begins there")
    except ValueError:
        raise ApiError("InvalidMarkerException", f"The marker is not valid: {params['Marker']!r}.") from None
    end = start + params.get("Limit", _PAGE)
    more = len(entries) > end
    return {member: entries[start:end], "Truncated": more, **({"NextMarker": str(end)} if more else {})}


def _bytes(params: Parameters, member: str) -> bytes:
    if member not in params:
        raise ApiError("ValidationException", f"{member} must be given.")
    try:
        return base64.b64decode(params[member], validate=True)
    except ValueError as error:  # also of letters that are not ASCII
        raise ApiError("SerializationException", f"{member} must be base64: {error}.") from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


OPERATIONS: dict[str, Operation] = {
    "".join(part.capitalize() for part in function.__name__.split("_")): function
    for function in (
        create_key,
        describe_key,
        list_keys,
        enable_key,
        disable_key,
        schedule_key_deletion,
        cancel_key_deletion,
        update_key_description,
        create_alias,
        update_alias,
        delete_alias,
        list_aliases,
        get_key_policy,
        put_key_policy,
        list_key_policies,
        create_grant,
        list_grants,
        revoke_grant,
        tag_resource,
        untag_resource,
        list_resource_tags,
        encrypt,
        decrypt,
        generate_data_key,
        generate_data_key_without_plaintext,
        generate_random,
    )
}
