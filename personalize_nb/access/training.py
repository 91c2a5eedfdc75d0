"""Everything that can be known of a training before it begins, at once: `pnb.preflight_training(...)`.

The rules are those by which `pnb.train` refuses; here they are shown, together with what is said before a training.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.access import caller_checks, refusals, rights
from personalize_nb.access.checks import LEVELS
from personalize_nb.access.report import OK, SUBJECT, UNCHECKED, Check, Report
from personalize_nb.errors import ERROR
from personalize_nb.resources.estimate import problems as problems_of_cost
from personalize_nb.session import waiting
from personalize_nb.session.connection import connected, current
from personalize_nb.session.session import Session
from personalize_nb.text.public import public
from personalize_nb.training import estimates
from personalize_nb.training.existing import read as read_group
from personalize_nb.training.plan import TrainingPlan, plan

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.resources.filters import Filter
    from personalize_nb.session.progress import Progress


@public
def preflight_training(
    interactions: Data | None = None,
    items: Data | None = None,
    users: Data | None = None,
    *,
    name: str = "personalize-nb",
    dataset_group: str | None = None,
    recipe: str = "aws-user-personalization",
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    filter: Filter | str | None = None,
    role_arn: str | None = None,
    max_cost: float | None = None,
    wait: bool = True,
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    session: Session | None = None,
) -> Report:
    """Check a training, all at once; nothing is imported or made.

    Parameters
    ----------
    interactions, items, users, name, recipe, textual, categorical, event_type, hyperparameters, solution_config, tags
        As for `pnb.train`, which refuses what is an error here and says what is a warning.
    filter
        A filter, or the expression of one, that jobs are to use with the model: its columns are looked for.
    dataset_group, role_arn, session
        As for `pnb.train`. Without a session that is connected, or given, the session is not checked.
    max_cost
        As for `pnb.train`, which refuses what may cost more.
    wait, timeout, progress
        As for `pnb.train`; nothing is waited for here.

    Returns
    -------
    Report
        A DataFrame with a row per check, the worst first: `check`, `level` (`error`, `warning`, `could not be
        checked`, `ok`), `found`, and `to_do` and `policy`, which only the caller's own rights have.

    Raises
    ------
    CredentialsError
        The credentials are refused, as ones that have expired are: then nothing can be judged.

    References
    ----------
    What CreateDatasetImportJob, CreateSolution and CreateSolutionVersion refuse, and what makes an import or a training
    fail.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> pnb.preflight_training(books.interactions, recipe="aws-item-attribute-affinity")[["check", "level"]].head(1)
       check  level
    0  items  error
    """
    waiting.check_timeout(timeout)
    session = connected() if session is None else current(session)
    if dataset_group is not None:
        session = current(session)
    existing = None if dataset_group is None or session is None else read_group(dataset_group, session)
    planned = plan(
        interactions,
        items,
        users,
        name=name,
        recipe=recipe,
        textual=textual,
        categorical=categorical,
        event_type=event_type,
        hyperparameters=hyperparameters,
        solution_config=solution_config,
        tags=tags,
        filter=filter,
        existing=existing,
        session=session,
    )
    if max_cost is not None and not any(problem.level == ERROR for problem in planned.problems):
        found = estimates.of_plan(planned, session, session.rates if session else None)
        planned.problems += problems_of_cost(found, max_cost)
    checks = [*_of_plan(planned), *_of_session(session, role_arn, planned.base, tags)]
    checks.sort(key=lambda check: LEVELS.index(check.level))
    report = Report.of(checks)
    report.attrs[SUBJECT] = "training"
    return report


def _of_plan(planned: TrainingPlan) -> Iterator[Check]:
    for problem in planned.problems:
        yield Check(problem.field, problem.level, problem.text)
    told = {problem.field for problem in planned.problems if problem.level == ERROR}
    for dataset in planned.datasets:
        kind = dataset.type.lower()
        if kind not in told:
            yield Check(kind, OK, f"{dataset.table.num_rows:,} rows: {dataset.described()}")
    if not told:
        yield Check("configuration", OK, f"{planned.recipe} can follow it.")


def _of_session(
    session: Session | None, role_arn: str | None, name: str, tags: Mapping[str, str] | None
) -> Iterator[Check]:
    """Yield whether a session has what an import needs, and whether its caller may train."""
    if session is None:
        return
    try:
        session.location("data")
        role = role_arn or session.role()
    except errors.NotFoundError as error:
        yield Check("session", ERROR, str(error))
        return
    yield Check("session", OK, f"It has a bucket, and the role {role.rpartition('/')[2]!r}.")
    try:
        yield from caller_checks.of_rights(
            session, list(rights.of_training(session, name, role, tags or ())), "training"
        )
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        yield Check("caller", UNCHECKED, refusals.told([error]))
