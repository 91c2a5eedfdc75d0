"""Whether the caller itself has the rights that a job or a training takes: one row each for what is missing."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence

from personalize_nb import errors
from personalize_nb.access import refusals, rights
from personalize_nb.access.caller import CallerIdentity, Right, Ruling, identity, rulings
from personalize_nb.access.checks import LEVELS, Inspection
from personalize_nb.access.report import OK, UNCHECKED, Check
from personalize_nb.contract.policies import templates
from personalize_nb.errors import ERROR, WARNING
from personalize_nb.session.session import Session

_LIMITS = "permissions boundaries, service control policies, session policies and VPC endpoint policies"


def caller(job: Inspection) -> Iterator[Check]:
    """Tell which of the rights that the job takes the caller lacks, as far as IAM and the calls made so far tell."""
    who = yield from of_rights(job.session, list(rights.of_job(job)), "job", job.refused)
    if who is not None:
        yield from _own_role(job, who)


def of_rights(
    session: Session, wanted: Sequence[Right], work: str, refused: Collection[str] = ()
) -> Generator[Check, None, CallerIdentity | None]:
    """Tell which of some rights the caller lacks; return who it is, where STS says it.

    Parameters
    ----------
    session
        Whose caller is meant.
    wanted
        The rights that some work takes.
    work
        What messages call it.
    refused
        Actions of which a call was refused just now, whatever IAM's simulator says of them.
    """
    known = [right for right in wanted if right.action in refused]
    wanted = [right for right in wanted if right.action not in refused]
    who = yield from _judged(session, wanted, f"all {'else ' if known else ''}that the {work} takes")
    if known:
        text = "; ".join(f"{right.action}, to {right.purpose}" for right in known)
        level = min((right.level for right in known), key=LEVELS.index)
        policy = templates.text(templates.document(*_statements(known)))
        shown = who.shown if who else "whoever calls"
        to_do = f"Have the policy attached to {shown}, or a statement that denies changed."
        yield Check("caller: refused", level, f"AWS has just refused {text}.", to_do, policy)
    if not session.is_local:  # which has none of them
        shown = who.shown if who else "the caller"
        found = f"Unchecked are {_LIMITS} of {shown}: each of them may refuse what everything else allows."
        yield Check("caller's limits", UNCHECKED, found, "Ask who administers the account, where a call is refused.")
    return who


def _judged(session: Session, wanted: Sequence[Right], all_of_it: str) -> Generator[Check, None, CallerIdentity | None]:
    """Tell what STS and the simulator say; return who calls."""
    try:
        who = identity(session)
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        yield Check(
            "caller",
            UNCHECKED,
            f"Unchecked is who calls, and so whether they may {_named(wanted)}: {refusals.told([error])}",
        )
        return None
    if who.is_root:
        yield Check("caller", OK, f"The root user may {all_of_it}.")
    elif not who.source:
        found = f"Unchecked is whether {who.shown} may {_named(wanted)}: IAM simulates users and roles only."
        yield Check("caller", UNCHECKED, found)
    else:
        yield from _ruled(session, who, wanted, all_of_it)
    return who


def _own_role(job: Inspection, who: CallerIdentity) -> Iterator[Check]:
    """Warn of the caller's own role in place of one for Personalize, where its trust policy may not be read."""
    arn = job.request.role_arn
    if arn and arn == who.source and job.reader.role(arn).trust is None:
        found = f"{who.shown} is what this notebook itself runs as. Unchecked is whether it trusts Personalize as well."
        to_do = "pnb.create_role('PersonalizeNotebookRole') makes a role for Personalize: pass its ARN as 'role_arn'."
        yield Check("role of the caller", WARNING, found, to_do)


def _ruled(session: Session, who: CallerIdentity, wanted: Sequence[Right], all_of_it: str) -> Iterator[Check]:
    try:
        found = list(rulings(session, who, wanted))
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        text = f"Unchecked is whether {who.shown} may {_named(wanted)}: {refusals.told([error])}"
        yield Check("caller", UNCHECKED, text)
        return
    for name, level in (("caller", ERROR), ("caller: less comfort", WARNING)):
        lacking = [one for one in found if not one.allowed and not one.unsure and one.right.level == level]
        if lacking:
            yield _missing(name, level, who, lacking)
    if unsure := [one for one in found if one.unsure]:
        yield Check("caller: conditions", UNCHECKED, _told(who, unsure))
    if all(one.allowed or one.right.level == WARNING for one in found):
        but = "" if all(one.allowed for one in found) else ", but for some comfort"
        yield Check("caller", OK, f"{who.shown} may {all_of_it}{but}.")


def _missing(name: str, level: str, who: CallerIdentity, lacking: Sequence[Ruling]) -> Check:
    text = _told(who, lacking)
    denied = all("Effect Deny" in one.why for one in lacking)
    silent = [one.right for one in lacking if "Effect Deny" not in one.why]
    statements = _statements(silent)
    to_do = f"Have the policy attached to {who.shown} in the IAM console."
    if denied:
        to_do = "Have the statement that denies changed: no other policy can outweigh it."
    elif len(silent) < len(lacking):
        to_do += " Have the statements that deny changed as well: no other policy can outweigh them."
    if level == WARNING:
        to_do += " The job runs and is read without it."
    policy = templates.text(templates.document(*statements)) if statements else ""
    return Check(name, level, text, to_do, policy)


def _told(who: CallerIdentity, rulings: Sequence[Ruling]) -> str:
    """Say what the caller may not, or may perhaps: one sentence for each reason, with all that it is the reason of."""
    reasons: dict[tuple[str, bool], list[str]] = {}
    for one in rulings:
        right = one.right
        told = f"{right.action} on {right.resource} to {right.purpose}"
        reasons.setdefault((one.why, one.unsure), []).append(told)
    return " ".join(
        f"Whether {who.shown} may {'; '.join(told)}: {why}."
        if unsure
        else f"{who.shown} may not {'; '.join(told)}: {why}."
        for (why, unsure), told in reasons.items()
    )


def _statements(wanted: Sequence[Right]) -> list[dict[str, object]]:
    """Return the statements that allow rights, for every job and not only for this one, whose name is used once."""
    actions: dict[tuple[str, str], list[str]] = {}
    for right in wanted:
        passed = "".join(right.facts.get("iam:PassedToService", ()))
        actions.setdefault((_for_all(right.resource), passed), []).append(right.action)
    statements: list[dict[str, object]] = []
    for (resource, passed), named in actions.items():
        condition = {"Condition": {"StringEquals": {"iam:PassedToService": passed}}} if passed else {}
        statements.append({"Effect": "Allow", "Action": [*dict.fromkeys(named)], "Resource": resource, **condition})
    return statements


def _for_all(resource: str) -> str:
    """Return the ARN of all resources of one kind, and of all objects of a bucket; others stay as they are."""
    service = resource.split(":")[2] if resource.count(":") >= 5 else ""
    return f"{resource.partition('/')[0]}/*" if service in ("personalize", "s3") and "/" in resource else resource


def _named(wanted: Sequence[Right]) -> str:
    return ", ".join(dict.fromkeys(right.action for right in wanted))
