"""Adding a statement to a policy without losing anything that others wrote there.

A statement of ours is put in the place of an earlier one of ours only. Whatever somebody else has changed, even under
our Sid, stays, and ours is added beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from personalize_nb.contract.policies.templates import SERVICE, document

_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")
# members whose one value AWS may give back without its brackets, and whose values have no order
_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def statements(policy: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the statements of a document, also of one that has a single statement without brackets."""
    found = (policy or {}).get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two documents say the same, as AWS may write them: lists of one, accounts, white space, order."""
    if one is None or other is None:
        return one is other
    return bool(_canonical(json.loads(one)) == _canonical(json.loads(other)))


def with_statement(policy: Mapping[str, Any] | None, statement: Mapping[str, Any]) -> dict[str, Any]:
    """Add a statement to a policy; every other statement stays.

    Parameters
    ----------
    policy
        The policy, or None where there is none.
    statement
        What is added. It takes the place of one that says less of the same; where its Sid is somebody else's, it gets
        another one.
    """
    if policy is None:
        return document(statement)
    found = statements(policy)
    if any(_without_sid(each) == _without_sid(statement) for each in found):
        return dict(policy)
    for place, each in enumerate(found):
        if _has_our_sid(each, statement) and _is_part_of(each, statement):
            return {**policy, "Statement": [*found[:place], _widened(each, statement), *found[place + 1 :]]}
    return {**policy, "Statement": [*found, _with_free_sid(statement, found)]}


def with_resources(policy: Mapping[str, Any] | None, statement: Mapping[str, Any]) -> dict[str, Any]:
    """Add a statement of a role's policy: only for the resources that no statement of the same actions has yet."""
    there = {
        resource
        for each in statements(policy)
        if each.keys() <= {"Sid", "Effect", "Action", "Resource"}
        and each.get("Effect") == statement["Effect"]
        and {*map(str.lower, statement["Action"])} <= {*map(str.lower, _listed(each.get("Action", [])))}
        for resource in _listed(each.get("Resource", []))
    }
    missing = [resource for resource in statement["Resource"] if resource not in there]
    if not missing and policy is not None:
        return dict(policy)
    return with_statement(policy, {**statement, "Resource": missing})


def sparing(policy: Mapping[str, Any], which: str, principals: Collection[str]) -> dict[str, Any]:
    """Return a statement that denies, as it reads when it spares principals; what else its Condition asks stays.

    Parameters
    ----------
    policy
        The policy of a resource.
    which
        The statement, as `Answer.statement` names it.
    principals
        ARNs of roles, or Personalize.
    """
    named = {f"statement number {number}": each for number, each in enumerate(statements(policy), 1)}
    named |= {f"statement {each['Sid']!r}": each for each in statements(policy) if "Sid" in each}
    found = named[which]
    condition = {operator: dict(keys) for operator, keys in found.get("Condition", {}).items()}
    spared = {
        ("StringNotEquals", "aws:PrincipalServiceName"): sorted({SERVICE} & {*principals}),
        ("ArnNotEquals", "aws:PrincipalArn"): sorted({*principals} - {SERVICE}),
    }
    for (operator, key), values in spared.items():
        if values:
            keys = condition.setdefault(operator, {})
            key = next((one for one in keys if one.lower() == key.lower()), key)
            both = list(dict.fromkeys([*_listed(keys.get(key, [])), *values]))
            keys[key] = both if len(both) > 1 else both[0]
    return {**found, "Condition": condition}


def _without_sid(statement: Mapping[str, Any]) -> Any:
    return _canonical({name: value for name, value in statement.items() if name != "Sid"})


def _has_our_sid(each: Mapping[str, Any], statement: Mapping[str, Any]) -> bool:
    sid, number = statement.get("Sid"), str(each.get("Sid", ""))
    return sid is not None and number.startswith(sid) and (number == sid or number.removeprefix(sid).isdigit())


def _is_part_of(each: Mapping[str, Any], statement: Mapping[str, Any]) -> bool:
    """Tell whether a statement is an earlier one of ours: nobody, nothing and no condition stands in it but ours."""
    ours, theirs = statement["Principal"], each.get("Principal")
    return (
        each.get("Effect") == statement["Effect"]
        and each.keys() <= statement.keys()
        and isinstance(theirs, Mapping)
        and theirs.keys() <= {*ours, "AWS"}
        and set(_listed(theirs.get("Service", []))) <= set(_listed(ours.get("Service", [])))
        # a key serves several roles
        and ("AWS" not in theirs or "AWS" in ours)
        and all(set(_listed(each.get(name, []))) <= set(_listed(statement[name])) for name in ("Action", "Resource"))
        and ("Condition" not in each or _canonical(each["Condition"]) == _canonical(statement.get("Condition", {})))
    )


def _widened(each: Mapping[str, Any], statement: Mapping[str, Any]) -> dict[str, Any]:
    statement = {**statement, "Sid": each["Sid"]}
    if "AWS" not in statement["Principal"]:
        return statement
    roles = [*_listed(each["Principal"].get("AWS", [])), *_listed(statement["Principal"]["AWS"])]
    named = list(dict.fromkeys(roles))
    return {**statement, "Principal": {**statement["Principal"], "AWS": named if len(named) > 1 else named[0]}}


def _with_free_sid(statement: Mapping[str, Any], found: list[Mapping[str, Any]]) -> dict[str, Any]:
    if "Sid" not in statement:
        return dict(statement)
    taken = {each.get("Sid") for each in found}
    number, sid = 1, statement["Sid"]
    while sid in taken:
        number += 1
        sid = f"{statement['Sid']}{number}"
    return {**statement, "Sid": sid}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _canonical(value: Any, name: str = "") -> Any:
    if name == "Statement":
        return [_canonical(each) for each in _listed(value)]
    if isinstance(value, Mapping):
        return {key: _canonical(one, key) for key, one in value.items()}
    if isinstance(value, list) and (name in _LISTS or all(isinstance(one, str) for one in value)):
        named = sorted({_account(one) for one in value})
        return named[0] if len(named) == 1 else named
    if isinstance(value, list):
        return [_canonical(one) for one in value]
    return _account(value)


def _account(value: Any) -> Any:
    match = _ROOT.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else value
