"""Policy evaluation: what a set of policies says to one request, as AWS would say it.

An explicit Deny that applies wins over everything, an Allow that applies comes next, and silence is a refusal. Which
policies must agree for a request is the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from personalize_nb.contract.policies.conditions import Facts, expanded, like
from personalize_nb.contract.policies.documents import Policy, Principals, Statement

_ROLE_OR_USER = re.compile(r"arn:[a-z-]+:(?:iam|sts)::(\d{12}):.+")


class Verdict(Enum):
    """What policies say."""

    ALLOWED = "allowed"
    DENIED = "denied by a statement"
    SILENT = "not allowed by any statement"


@dataclass(frozen=True)
class Question:
    """Whether this principal may do this to that.

    Parameters
    ----------
    principal
        A role's or user's ARN, or a service's name such as `personalize.amazonaws.com`.
    action
        For example `s3:GetObject`; its case does not matter.
    resource
        The ARN; its case matters.
    facts
        Condition keys and their values, in any case of the key.
    """

    principal: str
    action: str
    resource: str
    facts: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", {key.lower(): values for key, values in self.facts.items()})

    @property
    def account(self) -> str | None:
        """The account of a role or user."""
        match = _ROLE_OR_USER.fullmatch(self.principal)
        return match[1] if match else None

    def about(self, action: str, resource: str, facts: Mapping[str, tuple[str, ...]] | None = None) -> Question:
        """Ask about something else for the same principal; more facts may come with it."""
        return Question(self.principal, action, resource, {**self.facts, **(facts or {})})


@dataclass(frozen=True)
class Answer:
    """A verdict, with the policy and statement that made it, where one did; statements are counted from 1.

    Of a Deny also the keys of its conditions are told.
    """

    verdict: Verdict
    policy: str = ""
    sid: str = ""
    number: int = 0
    keys: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether a policy allows it and none denies it."""
        return self.verdict is Verdict.ALLOWED

    @property
    def denied(self) -> bool:
        """Whether a policy denies it in words; what nobody allows is not allowed either."""
        return self.verdict is Verdict.DENIED

    @property
    def statement(self) -> str:
        """How the statement is found in its policy: by its Sid, where it has one, else by its place."""
        return f"statement {self.sid!r}" if self.sid else f"statement number {self.number}"


def ask(policies: Iterable[Policy], question: Question, *, delegates: bool = True) -> Answer:
    """Judge a question by all policies taken together.

    Parameters
    ----------
    policies
        Identity policies (without principals) or the policy of one resource.
    question
        Who wants what.
    delegates
        Whether a principal that names the whole account (`arn:aws:iam::<account>:root`) means every role in it.
        For an Allow this hands the decision to the roles' own policies.
    """
    answer = Answer(Verdict.SILENT)
    for policy in policies:
        for number, statement in enumerate(policy.statements, 1):
            # once allowed, only a Deny can change the answer
            if (statement.allows and answer.allowed) or not applies(statement, policy, question, delegates):
                continue
            if not statement.allows:
                keys = tuple(condition.key for condition in statement.conditions)
                return Answer(Verdict.DENIED, policy.name, statement.sid, number, keys)
            answer = Answer(Verdict.ALLOWED, policy.name, statement.sid, number)
    return answer


def applies(statement: Statement, policy: Policy, question: Question, delegates: bool = True) -> bool:
    """Tell whether a statement is about a question: principal, action, resource and every condition fit."""
    return (
        _action_fits(statement, question)
        and _resource_fits(statement, policy, question)
        and _principal_fits(statement, question, delegates)
        and all(condition.met(question.facts, policy.has_variables) for condition in statement.conditions)
    )


def _action_fits(statement: Statement, question: Question) -> bool:
    named = any(like(question.action, pattern, ignore_case=True) for pattern in statement.actions)
    return named is not statement.not_actions


def _resource_fits(statement: Statement, policy: Policy, question: Question) -> bool:
    if statement.resources is None:  # a trust policy is about its role alone
        return True
    patterns = statement.resources
    if policy.has_variables:
        patterns = tuple(one for each in patterns if (one := expanded(each, question.facts)) is not None)
    return any(like(question.resource, pattern) for pattern in patterns) is not statement.not_resources


def _principal_fits(statement: Statement, question: Question, delegates: bool) -> bool:
    if statement.principals is None:  # a role's policy is about its role alone
        return True
    # who is denied, or excepted, by the name of the account is so in any case
    whole_account = delegates or not statement.allows or statement.not_principals
    return _named(statement.principals, question, whole_account) is not statement.not_principals


def _named(principals: Principals, question: Question, whole_account: bool) -> bool:
    if "*" in principals or "*" in principals.get("AWS", ()):
        return True
    account = question.account
    if account is None:
        return question.principal in principals.get("Service", ())
    for name in principals.get("AWS", ()):
        if name == question.principal:
            return True
        if whole_account and (name == account or re.fullmatch(rf"arn:[a-z-]+:iam::{account}:root", name)):
            return True
    return False
