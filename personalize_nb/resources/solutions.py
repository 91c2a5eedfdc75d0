"""Trained models as the user meets them: a solution version, found by solution name or ARN."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.recipes import recipe_of
from personalize_nb.session import waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd


def _by_cut_off(metric: str) -> tuple[str, int]:
    """Return what metrics are ordered by: 5 comes before 10."""
    kind, _, cut = metric.rpartition("_at_")
    return (kind, int(cut)) if cut.isdigit() and kind else (metric, 0)


@public
@dataclass(frozen=True, repr=False)
class SolutionVersion:
    """A trained model: what `pnb.train` returns and `pnb.recommend` takes, where batch inference jobs take its recipe.

    Parameters
    ----------
    arn
        Its ARN.
    recipe
        The recipe's name.
    dataset_group_arn
        The data it was trained on.
    session
        Where it lives.

    References
    ----------
    Amazon Personalize: CreateSolutionVersion, DescribeSolutionVersion, GetSolutionMetrics.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> model = pnb.find_solution_version("books")
    >>> model.name, model.status
    ('books-user-personalization-...', 'ACTIVE')
    >>> model.wait(progress=False).describe()["recipeArn"]
    'arn:aws:personalize:::recipe/aws-user-personalization'
    >>> model.metrics().index[:2].tolist()
    ['coverage', 'mean_reciprocal_rank_at_25']
    """

    arn: str
    recipe: str
    dataset_group_arn: str
    session: Session = field(compare=False)

    @property
    def name(self) -> str:
        """The solution's name."""
        return self.arn.split(":solution/", 1)[-1].split("/", 1)[0]

    @property
    def status(self) -> str:
        """The status now, asked of the service."""
        return str(self.describe()["status"])

    def describe(self) -> dict[str, Any]:
        """Return the service's description (DescribeSolutionVersion).

        Returns
        -------
        dict
            Members in Amazon's spelling: `status`, `recipeArn`, `trainingHours`, `creationDateTime`, ...

        Raises
        ------
        NotFoundError
            It was deleted.
        """
        answer = self.session.call("describe_solution_version", solutionVersionArn=self.arn)
        described: dict[str, Any] = answer["solutionVersion"]
        return described

    def metrics(self) -> pd.Series:
        """Return the hold-out metrics of the training (GetSolutionMetrics), those of one kind below each other.

        `model.metrics()["coverage"]` is one of them. `pnb.evaluate` has the same names, so that both stand beside
        each other: `pd.concat({"hold-out": model.metrics(), "job": pnb.evaluate(job, truth)}, axis=1)`.

        Returns
        -------
        pandas.Series
            By Amazon's names, `precision_at_10`; each between 0 and 1.

        Raises
        ------
        NotFoundError
            It was deleted.
        ServiceError
            The training has not ended.
        """
        import pandas as pd  # not needed to find a model

        found = dict(self.session.call("get_solution_metrics", solutionVersionArn=self.arn)["metrics"])
        return pd.Series({name: found[name] for name in sorted(found, key=_by_cut_off)}, dtype=float, name="hold-out")

    def wait(
        self,
        timeout: float | None = 10 * waiting.HOURS,
        *,
        progress: Progress | bool | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> SolutionVersion:
        """Wait until the training has ended; Ctrl-C and the time limit end the waiting only.

        Parameters
        ----------
        timeout
            Seconds; None for no limit.
        progress
            False for silence, or a display of your own.
        sleep, clock
            Replaced in tests.

        Returns
        -------
        SolutionVersion
            Itself.

        Raises
        ------
        FailedError
            The training failed; `.reason` is the service's text.
        WaitTimeoutError
            The time limit is over.
        """
        waiting.until_active(
            self.describe,
            f"solution version {self.name!r}",
            self.arn,
            again=f"pnb.find_solution_version({self.name!r}).wait()",
            timeout=timeout,
            progress=choose(progress),
            pace=self.session.pace,
            sleep=sleep,
            clock=clock,
        )
        return self

    def __repr__(self) -> str:
        row = recipe_of(self.recipe)
        step = (row.instead_of_batch if row else "") or "pnb.recommend(ids, this) starts a job"
        return f"<SolutionVersion {self.name} of {self.recipe}: {step}>"


@public
def find_solution_version(name: SolutionVersion | str, session: Session | None = None) -> SolutionVersion:
    """Return a solution version.

    Parameters
    ----------
    name
        The ARN of a solution version, or the end of it, `books/1a2b3c4d`; or a solution's name or ARN, which stands for
        its newest ACTIVE version (the newest one in training when none is ACTIVE yet); or the `name` given to
        `pnb.train`, while one solution has it.
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    SolutionVersion
        The model; where `name` is one already, itself.

    Raises
    ------
    NotFoundError
        There is none; the message names near ones.

    References
    ----------
    Amazon Personalize: ListSolutions, ListSolutionVersions, DescribeSolutionVersion.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.find_solution_version("books")
    <SolutionVersion books-user-personalization-... of aws-user-personalization: pnb.recommend(ids, this) starts a job>
    """
    if isinstance(name, SolutionVersion):
        return name
    if not isinstance(name, str):
        raise errors.ArgumentError(
            f"a solution version is a SolutionVersion, a name or an ARN, got {type(name).__name__}"
        )
    session = current(session)
    if not name.startswith("arn:") and name.count("/") == 1:
        name = session.arn("solution", name)
    if name.startswith("arn:") and name.count("/") >= 2:
        return from_description(
            session.call("describe_solution_version", solutionVersionArn=name)["solutionVersion"], session
        )
    versions = _versions(name, session)
    usable = [version for version in versions if version["status"] not in (limits.TERMINAL - {limits.ACTIVE})]
    if not usable:
        raise errors.NotFoundError(f"Solution {name!r} has no usable version (it has {len(versions)}); train it again.")
    best = max(usable, key=lambda version: (version["status"] == limits.ACTIVE, version["creationDateTime"]))
    return find_solution_version(best["solutionVersionArn"], session)


def _versions(name: str, session: Session) -> list[dict[str, Any]]:
    """Return the versions of the solution with this name or ARN, or the one whose name begins with it."""
    arn = name if name.startswith("arn:") else session.arn("solution", name)
    try:
        return list(session.pages("list_solution_versions", "solutionVersions", solutionArn=arn))
    except errors.NotFoundError as error:
        names: list[str] = []
        with suppress(errors.AccessError):  # but not what passes: the name may be the beginning of one
            names = [entry["name"] for entry in session.pages("list_solutions", "solutions")]
        begun = [one for one in names if one.startswith(f"{name}-")]
        if len(begun) == 1:
            return _versions(begun[0], session)
        if begun:
            raise errors.NotFoundError(
                f"{len(begun)} solutions begin with {name!r}: name one of {', '.join(map(repr, sorted(begun)))}."
            ) from error
        raise errors.NotFoundError(
            f"There is no solution {name!r}{errors.there_is(name, names)}"
            " pnb.train(...) makes one, pnb.list_solution_versions() lists them."
        ) from error


@public
def list_solution_versions(session: Session | None = None, *, arns: bool = False) -> pd.DataFrame:
    """Return all solution versions of the account and region, newest first.

    Parameters
    ----------
    session
        Where to look; by default the session of `pnb.connect()`.
    arns
        Whether to tell ARNs as well, which name the account.

    Returns
    -------
    pandas.DataFrame
        Columns `solution`, `recipe`, `status`, `created` (UTC), `solution_version` (as `find_solution_version` takes
        it), and `solution_version_arn` where it is asked for.

    Raises
    ------
    AccessError
        They may not be listed.

    References
    ----------
    Amazon Personalize: ListSolutions, ListSolutionVersions.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.list_solution_versions().groupby("recipe")["status"].first()
    recipe
    aws-item-affinity           ACTIVE
    aws-similar-items           ACTIVE
    aws-user-personalization    ACTIVE
    Name: status, dtype: ...
    """
    from personalize_nb.text.listings import Listing  # pandas, not needed to find one

    session = current(session)
    recipes = recipes_of_solutions(session)
    rows = []
    for entry in session.pages("list_solution_versions", "solutionVersions"):
        arn = entry["solutionVersionArn"]
        recipe = recipes.get(arn.rsplit("/", 1)[0]) or entry.get("recipeArn", "").rsplit("/", 1)[-1]
        named = arn.split(":solution/", 1)[-1]
        rows.append((named.split("/", 1)[0], recipe, entry["status"], entry["creationDateTime"], named, arn))
    names = ["solution", "recipe", "status", "created", "solution_version", "solution_version_arn"]
    frame = Listing(rows, columns=names).sort_values("created", ascending=False, kind="stable", ignore_index=True)
    return frame if arns else frame.drop(columns="solution_version_arn")


def recipes_of_solutions(session: Session) -> dict[str, str]:
    """Return the name of each solution's recipe by the solution's ARN, empty where it has none."""
    return {
        entry["solutionArn"]: entry.get("recipeArn", "").rsplit("/", 1)[-1]
        for entry in session.pages("list_solutions", "solutions")
    }


def from_description(described: Mapping[str, Any], session: Session) -> SolutionVersion:
    """Return the solution version that an answer of DescribeSolutionVersion describes."""
    recipe = described.get("recipeArn", "").rsplit("/", 1)[-1]
    return SolutionVersion(described["solutionVersionArn"], recipe, described["datasetGroupArn"], session)
