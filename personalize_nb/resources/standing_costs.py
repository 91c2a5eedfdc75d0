"""What goes on costing while nobody looks: campaigns, recommenders, and solutions that train again by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.session import owners
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

_DEFAULT_SCHEDULE = "rate(7 days)"


@dataclass(frozen=True)
class StandingCost:
    """Something that is billed whether it is used or not.

    Parameters
    ----------
    kind, arn
        What it is.
    why
        What is billed.
    stop
        The call that ends it.
    """

    kind: str
    arn: str
    why: str
    stop: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rsplit("/", 1)[-1]


def of_solution(arn: str, described: Mapping[str, Any]) -> StandingCost | None:
    """Return what a solution costs that trains again by itself, which is on by default; None where it does not."""
    if not described.get("performAutoTraining"):
        return None
    config = (described.get("solutionConfig") or {}).get("autoTrainingConfig") or {}
    schedule = config.get("schedulingExpression", _DEFAULT_SCHEDULE)
    return StandingCost(
        "solution",
        arn,
        f"it has performAutoTraining on: it trains a new version by itself, {schedule}, and each training is billed",
        # no account is named: the line is shown, and runs wherever the session does
        f"session.personalize.update_solution(solutionArn=session.arn('solution', {arn.rsplit('/', 1)[-1]!r}), "
        "performAutoTraining=False)",
    )


def found(session: Session) -> Iterator[StandingCost]:
    """Yield everything in the account and region that goes on costing."""
    for kind, member, least in (
        ("campaign", "campaigns", "minProvisionedTPS"),
        ("recommender", "recommenders", "minRecommendationRequestsPerSecond"),
    ):
        for entry in session.pages(f"list_{kind}s", member):
            if entry["status"].startswith("DELETE") or entry["status"] in ("CREATE FAILED", "INACTIVE"):
                continue
            arn = entry[f"{kind}Arn"]
            described = session.call(f"describe_{kind}", **{f"{kind}Arn": arn})[kind]
            at_least = described.get(least) or (described.get("recommenderConfig") or {}).get(least) or 1
            why = f"it is billed while it is there, for at least {at_least} requests a second"
            there = f"session.arn({kind!r}, {entry['name']!r})"
            yield StandingCost(kind, arn, why, f"session.personalize.delete_{kind}({kind}Arn={there})")
    for entry in session.pages("list_solutions", "solutions"):
        arn = entry["solutionArn"]
        standing = of_solution(arn, session.call("describe_solution", solutionArn=arn)["solution"])
        if standing is not None:
            yield standing


@public
def standing_costs(session: Session | None = None) -> pd.DataFrame:
    """Return what goes on costing in the account and region, whether it is used or not.

    Parameters
    ----------
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    pandas.DataFrame
        `kind` (`campaign`, `recommender`, `solution` with auto-training), `name`, `owner` (empty where no tag tells),
        `why`, and `stop`, the call that ends it.

    Raises
    ------
    AccessError
        They may not be listed.

    References
    ----------
    Amazon Personalize: ListCampaigns, ListRecommenders, DescribeSolution.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.standing_costs().empty
    True
    """
    from personalize_nb.text.listings import Listing

    session = current(session)
    rows = []
    for one in found(session):
        try:
            owner = owners.tags_of(session, one.arn).get(owners.OWNER, "")
        except errors.AccessError:
            owner = ""
        rows.append((one.kind, one.name, owner, one.why, one.stop))
    return Listing(rows, columns=["kind", "name", "owner", "why", "stop"])
