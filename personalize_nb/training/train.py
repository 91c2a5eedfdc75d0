"""`train`: frames to an ACTIVE solution version in one call, through the API only, the same on AWS.

Every resource has a name made from the given one and from what it holds, so a call can be repeated: what exists and
is identical is used and said so, what is under way is waited for, what is new is made (`steps.py`). Data of the same
structure goes into the same dataset group; new data is a new import and a new solution version there. What can be
checked without the service is checked before anything is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.recipes import recipe_of
from personalize_nb.resources import estimate
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session import waiting
from personalize_nb.session.connection import connected, current
from personalize_nb.session.progress import Progress, choose, showing
from personalize_nb.session.session import Session
from personalize_nb.text.public import public
from personalize_nb.training import estimates
from personalize_nb.training.existing import read as read_group
from personalize_nb.training.plan import plan
from personalize_nb.training.steps import Steps

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data


@public(again="The same pnb.train(...) goes on where this one stopped.")
def train(
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
    role_arn: str | None = None,
    max_cost: float | None = None,
    wait: bool = True,
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    session: Session | None = None,
) -> SolutionVersion:
    """Import frames, train a recipe on them and return the solution version.

    Repeating the call costs nothing when nothing has changed, and goes on where an interrupted one stopped. A call that
    fails before it has imported anything deletes the dataset group it made; after an import, which at AWS takes
    minutes, the group stays for the next call and the error says so.

    Parameters
    ----------
    interactions
        Columns (or index levels) `user_id`, `item_id`, `timestamp` (datetimes or epoch seconds), and if there are any
        `event_type`, `event_value`, `impression` and up to 5 more. None, with a `dataset_group`, for what that has.
    items
        `item_id`, once each, and metadata; a title column stays plain text, one column of descriptions is textual.
    users
        `user_id`, once each, and metadata.
    name
        Begins the names of all resources.
    dataset_group
        The name or ARN of a dataset group to train in, whoever made it: frames are fitted to its schemas and imported
        in place of what its datasets have; a dataset without a frame is used as it is.
    recipe
        A recipe's name, for example `aws-similar-items`. For `aws-semantic-similarity` the items need a column `title`
        or `name`, which is marked in the schema, so that the dataset group is another one than that of other recipes.
    textual
        The items' column of descriptions; None finds it, False uses none.
    categorical
        Columns that are categories, of any frame, beside those that are found: text with `|` or that repeats.
    event_type
        Train on these interactions only.
    hyperparameters
        `algorithmHyperParameters` of the recipe; values may be numbers.
    solution_config
        Anything else of the API's `solutionConfig`, in its spelling; numbers become the texts that it wants. With an
        `hpoConfig`, `{}` too, hyperparameters are searched. The column of an `optimizationObjective` must have a number
        for every item: its schema, and so its dataset group, says so.
    tags
        Tags of the dataset group, solution and solution version.
    role_arn
        Instead of the session's role.
    max_cost
        The most it may cost by `session.rates`; what may cost more is not begun, whatever of it is done already.
    wait
        False returns while the training runs; `.wait()` waits for it.
    timeout
        Seconds for all of it; what was begun goes on and the next call takes it up.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the session of `pnb.connect()`.

    Returns
    -------
    SolutionVersion
        The trained model, ACTIVE; with `wait=False` one that may still be in training.

    Raises
    ------
    InputError
        The frames, the recipe and the configuration do not go together; the message says everything that is wrong,
        and nothing was made. `pnb.preflight_training` shows the same as a report.
    ServiceError, QuotaError, AccessError
        What only the service knows: its quotas, whether role and bucket policies allow the import, names that are
        taken. The message says what stays.
    FailedError
        The service failed at a step; `.reason` is its text.

    References
    ----------
    Amazon Personalize: CreateDatasetGroup, CreateSchema, CreateDataset, CreateDatasetImportJob, CreateSolution,
    CreateSolutionVersion.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> books = pnb.samples.books()
    >>> pnb.train(books.interactions, books.items, name="books", progress=False)
    <SolutionVersion books-user-personalization-... of aws-user-personalization: pnb.recommend(ids, this) starts a job>
    """
    waiting.check_timeout(timeout)
    asked = connected() if session is None else current(session)
    if dataset_group is not None or not (isinstance(recipe, str) and recipe_of(recipe)):
        asked = current(session)  # only the service knows the group, and recipes that are newer than this
    existing = None if dataset_group is None or asked is None else read_group(dataset_group, asked)
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
        existing=existing,
        session=asked,
    )
    planned.refuse()
    session = current(asked)
    if max_cost is not None:
        estimate.refuse(estimates.of_plan(planned, session, session.rates), max_cost)
    chosen = choose(progress)
    session.location("data")  # a session without a bucket says so before anything is made
    steps = Steps(session, planned.base, role_arn or session.role(), tags or {}, chosen, timeout)
    for note in planned.notes:
        chosen.say(note)
    with showing(chosen), steps.accounted():
        group = steps.group(planned.datasets) if existing is None else steps.existing(existing)
        steps.datasets(group, planned.datasets)
        begun = [
            steps.begin_import(group, one) for one in planned.datasets
        ]  # side by side at AWS, where each takes minutes
        imported = max([steps.end_import(one) for one in begun], default=None) or steps.last_import(group)
        version = steps.version(steps.solution(group, planned), imported)
        return steps.waited(version) if wait else version
