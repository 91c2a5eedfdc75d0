"""The one-liner for segments: items, or attributes of items, to a started job that finds the users for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack, cast

from personalize_nb import errors
from personalize_nb.contract import recipes
from personalize_nb.contract.job_kinds import SEGMENTS
from personalize_nb.jobs import arguments, batches, beginning, costs, recommend
from personalize_nb.jobs.arguments import SegmentParameters, job_parameters, with_parameters
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import SegmentRequest
from personalize_nb.jobs.reuse import once
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.segment_job import BatchSegmentJob
from personalize_nb.jobs.unfit import no_segments
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch
    from personalize_nb.inputs.forms import Data


@public
@with_parameters(SegmentParameters)
def segments(
    data: Data | Mapping[str, Any] | Batch,
    solution_version: SolutionVersion | str,
    *,
    session: Session | None = None,
    **parameters: Unpack[SegmentParameters],
) -> BatchSegmentJob | Run:
    """Start a batch segment job: the users most likely to want each item, or items with each set of attributes.

    Parameters
    ----------
    data
        What the recipe takes. For `aws-item-affinity` items, as for `pnb.recommend`. For `aws-item-attribute-affinity`
        attributes of items: a frame with a column for each, named as in the items' schema in any case, a row for each
        segment (a missing value asks for nothing); or a mapping, `{"genre": "Comedy", "year": 1990}`, in which a list
        holds values that an item must all have; or Amazon's text, `'ITEMS.GENRE = "Comedy" AND ITEMS.YEAR = 1990'`; or
        a list of these. Or the `s3://` address of input that lies there already.
    solution_version
        What `pnb.train` returned for one of these recipes, a solution's name, or an ARN.
    session
        Where to work; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `recommend`. `num_results` are users for each line, at most 5 million; the filter is one on users.

    Returns
    -------
    BatchSegmentJob or Run
        `.wait().segments()` reads it: a row per user, with what was asked for and the rank. A run is what waits for
        room on the account: `.wait()` starts it.

    Raises
    ------
    InputError
        Rows of the data cannot be used; nothing was sent.
    RequestError
        The request breaks rules, or the recipe makes no segments; nothing was sent.

    References
    ----------
    Amazon Personalize: CreateBatchSegmentJob; "Getting batch user segments" of its developer guide.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> job = pnb.segments(["b0001", "b0102"], "audience", num_results=3)
    >>> job.wait(progress=False).segments().groupby("item_id")["user_id"].count().tolist()
    [3, 3]
    """
    session = current(session or getattr(solution_version, "session", None))
    version = find_solution_version(solution_version, session)
    facts = recipes.recipe_of(version.recipe)
    if facts is not None and not facts.segments:
        raise errors.RequestError([no_segments(facts)])
    chosen = parameters.get("filter")
    if chosen is not None and not isinstance(chosen, (Filter, str)):
        raise errors.InputError(f"'filter' must be one filter, its name or its ARN, got {chosen!r}.")
    found = find_filter(chosen, session) if chosen is not None else None
    source = data if isinstance(data, str) and s3.is_s3(data) else None
    batch = None if source else batches.batch_for(data, version, found, parameters.get("filter_values"))
    request = recommend.request_for(version, source, found, session, job_parameters(parameters), SegmentRequest)
    context = replace(recommend.request_context(version, batch, found), names=arguments.names_of(SEGMENTS))

    def start() -> AnyJob | Run:
        costs.check([(request, batch, version.recipe)], session, parameters.get("max_cost"))
        for note in batch.notes if batch else ():
            choose().say(note)
        if source and parameters.get("output"):
            recommend.say_what_is_written_over(request, session)
        return beginning.begin(request, batch, context, session)

    asked = [JobQuestion(request, batch, context)]
    wanted = parameters.get("reuse", False)
    begun = once(asked, [found], session, name=request.job_name, wanted=wanted, start=start)
    return cast("BatchSegmentJob | Run", begun)
