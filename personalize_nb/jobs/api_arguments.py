"""boto3's arguments of a job, as a request: both kinds of jobs have the same ones, so the model's recipe tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import parameters
from personalize_nb.contract.job_kinds import SEGMENTS
from personalize_nb.jobs import recommend
from personalize_nb.jobs.request import JobRequest, SegmentRequest
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.session.session import Session


def shape_of(arguments: Mapping[str, Any], session: Session) -> type[JobRequest] | type[SegmentRequest]:
    """Return which kind of request boto3's arguments are, or the description of a job.

    Parameters
    ----------
    arguments
        The arguments.
    session
        Where to look for the model.
    """
    if SEGMENTS.arn_member in arguments:
        return SegmentRequest
    both = {(row.member or "").split(".")[0] for row in parameters.sent(SEGMENTS).values()}
    arn = arguments.get("solutionVersionArn")
    if not isinstance(arn, str) or not arn or set(arguments) - both:
        return JobRequest
    try:
        return recommend.shape_for(find_solution_version(arn, session))
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError:  # whoever asks goes on with what the service says of such a model
        return JobRequest
