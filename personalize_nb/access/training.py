"""Everything that can be known of a training before it begins, at once: `pnb.preflight_training(...)`.

The rules are those by which `pnb.train` refuses; here they are shown, together with what is said before a training.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.access.report import SUBJECT, Report
from personalize_nb.contract import columns
from personalize_nb.errors import ERROR
from personalize_nb.session import waiting
from personalize_nb.session.connection import connected, current
from personalize_nb.session.session import Session
from personalize_nb.training.plan import TrainingPlan, plan

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.resources.filters import Filter
    from personalize_nb.session.progress import Progress

_ORDER = ("error", "warning", "ok")


def preflight_training(
    interactions: Data,
    items: Data | None = None,
    users: Data | None = None,
    *,
    name: str = "personalize-nb",
    recipe: str = "aws-user-personalization",
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
    event_type: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    solution_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    filter: Filter | str | None = None,
    role_arn: str | None = None,
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
    role_arn, session
        As for `pnb.train`. Without a session that is connected, or given, the session is not checked.
    wait, timeout, progress
        As for `pnb.train`; nothing is waited for here.

    Returns
    -------
    Report
        A DataFrame with a row per check, the worst first: `check`, `level` (`error`, `warning`, `ok`), `found`, `to_do`
        and `policy`, which are empty.

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
        session=session,
    )
    rows = [*_of_plan(planned), *_of_session(session, role_arn)]
    rows.sort(key=lambda row: _ORDER.index(row[1]))
    report = Report(rows, columns=list(columns.REPORT))
    report.attrs[SUBJECT] = "training"
    return report


_Row = tuple[str, str, str, str, str]


def _of_plan(planned: TrainingPlan) -> Iterator[_Row]:
    for problem in planned.problems:
        yield problem.field, problem.level, problem.text, "", ""
    told = {problem.field for problem in planned.problems if problem.level == ERROR}
    for dataset in planned.datasets:
        kind = dataset.type.lower()
        if kind not in told:
            yield kind, "ok", f"{dataset.table.num_rows:,} rows: {dataset.described()}", "", ""
    if not told:
        yield "configuration", "ok", f"{planned.recipe} can follow it.", "", ""


def _of_session(session: Session | None, role_arn: str | None) -> Iterator[_Row]:
    """Yield whether a session has what an import needs."""
    if session is None:
        return
    try:
        session.location("data")
        role = role_arn or session.role()
    except errors.NotFoundError as error:
        yield "session", ERROR, str(error), "", ""
        return
    yield "session", "ok", f"It has a bucket, and the role {role}.", "", ""
