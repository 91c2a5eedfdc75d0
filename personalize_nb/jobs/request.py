"""A job request as a value.

There is one for each kind of jobs: `JobRequest` asks for items, `SegmentRequest` for users. The form fills one,
`problems(request)` checks it, `start(request)` sends it, the receipt prints it as the Python call that repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeAlias

from personalize_nb import errors
from personalize_nb.contract import parameters
from personalize_nb.contract.job_kinds import INFERENCE, SEGMENTS, JobKind
from personalize_nb.contract.parameters import BATCH_INFERENCE, BATCH_SEGMENT, Parameter
from personalize_nb.errors import Problem
from personalize_nb.jobs.arguments import check_names
from personalize_nb.text.public import public
from personalize_nb.text.redact import redact
from personalize_nb.text.values import python

KIND_OF_KEYS = {
    ("userId",): "users",
    ("itemId",): "items",
    ("userId", "itemList"): "rankings",
    ("itemAttributes",): "queries",
}


@dataclass(frozen=True, repr=False)
class BatchRequest:
    """What requests of both kinds have."""

    job_kind: ClassVar[JobKind]

    job_name: str
    solution_version_arn: str
    input_path: str
    output_path: str
    role_arn: str
    filter_arn: str | None = None
    num_results: int | None = None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Parameters
        ----------
        **changes
            Fields by name, with their new values.

        Returns
        -------
        JobRequest or SegmentRequest
            Another request; this one stays as it is.

        Raises
        ------
        ArgumentError
            There is no such field.
        """
        check_names(changes, f"{type(self).__name__}.replace", [one.name for one in fields(self)])
        return replace(self, **changes)

    def to_api(self) -> dict[str, Any]:
        """Return the parameters as boto3's method takes them; what is not set is left out.

        Returns
        -------
        dict
            Arguments of boto3's `create_batch_inference_job` or `create_batch_segment_job`.

        Raises
        ------
        RequestError
            A field is of a type that the API does not take.
        """
        if wrong := misfits(self):
            raise errors.RequestError(wrong)
        wanted: dict[str, Any] = {}
        for row, value in (one for one in rows_of(self) if one[0].required or one[0].is_set(one[1])):
            row.put(wanted, value)
        return wanted

    @classmethod
    def from_api(cls, described: Mapping[str, Any]) -> Self:
        """Return the request behind a description of its job (which holds no tags) or behind `to_api`.

        Parameters
        ----------
        described
            Members in Amazon's spelling; those that are no parameters are left out.

        Returns
        -------
        JobRequest or SegmentRequest
            The request.

        Raises
        ------
        RequestError
            A parameter that every request has is missing.
        """
        try:
            values = {name: row.taken(described) for name, row in parameters.sent(cls.job_kind).items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            told = f"No request of a {cls.job_kind.noun} can be read from {errors.received(described)}: {why}."
            raise errors.RequestError([Problem("request", told)]) from error
        return cls(**{name: value for name, value in values.items() if value is not None})

    def __repr__(self) -> str:
        """Return what is set as code, account, bucket and role masked: reprs are shared, `to_code` is run."""
        return redact(f"{type(self).__name__}({', '.join(self._set())})")

    def to_code(self) -> str:
        """Return the Python call that starts the same job; fields at their defaults are left out.

        Returns
        -------
        str
            Code, the account masked.
        """
        lines = [f"        {one}," for one in self._set()]
        return "\n".join(["pnb.start(", f"    pnb.{type(self).__name__}(", *lines, "    )", ")"])

    def _set(self) -> list[str]:
        return [f"{row.attribute}={python(value)!r}" for row, value in rows_of(self) if row.is_set(value)]


@public
@dataclass(frozen=True, repr=False)
class JobRequest(BatchRequest):
    """Every parameter of CreateBatchInferenceJob.

    Parameters
    ----------
    job_name
        1 to 63 letters, digits, `-` and `_`; used once and never again in an account and region.
    solution_version_arn
        The trained model.
    input_path, output_path
        `s3://` addresses: a file, or a folder ending in `/`; and the folder for the output.
    role_arn
        The service role.
    filter_arn
        One filter for the whole job; values of its placeholders come with each record.
    num_results
        Items per record; the service's default is 25.
    exploration_weight, exploration_item_age_cut_off
        `itemExplorationConfig`: 0 to 1, and days (at least 1); for `aws-user-personalization` only.
    ranking_influence
        `POPULARITY` and `FRESHNESS`, each 0 to 1; for `aws-semantic-similarity`.
    mode
        `BATCH_INFERENCE` or `THEME_GENERATION`.
    item_name
        For themes: the column of the items dataset that holds the items' names.
    input_kms_key_arn, output_kms_key_arn
        Keys that the input is encrypted under, also when it is uploaded, and that encrypt the output.
    tags
        Up to 50 tags.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> model = "arn:aws:personalize:eu-west-1:123456789012:solution/films/1a2b3c4d"
    >>> role = "arn:aws:iam::123456789012:role/Films"
    >>> request = pnb.JobRequest("weekly", model, "s3://films/in.jsonl", "s3://films/out/", role, num_results=10)
    >>> request.to_api()["numResults"], pnb.JobRequest.from_api(request.to_api()) == request
    (10, True)
    >>> print(request.replace(num_results=25).to_code())
    pnb.start(
        pnb.JobRequest(
            job_name='weekly',
    ...
    """

    job_kind = INFERENCE

    exploration_weight: float | None = None
    exploration_item_age_cut_off: float | None = None
    ranking_influence: Mapping[str, float] = field(default_factory=dict)
    mode: str = BATCH_INFERENCE
    item_name: str | None = None
    input_kms_key_arn: str | None = None
    output_kms_key_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@public
@dataclass(frozen=True, repr=False)
class SegmentRequest(BatchRequest):
    """Every parameter of CreateBatchSegmentJob.

    Parameters
    ----------
    job_name, solution_version_arn, input_path, output_path, role_arn
        As for `JobRequest`; the input holds items, or attributes of items.
    filter_arn
        One filter on users for the whole job; values of its placeholders come with each record.
    num_results
        Users per record, at most 5 million; the service's default is 25.
    input_kms_key_arn, output_kms_key_arn, tags
        As for `JobRequest`.

    References
    ----------
    Amazon Personalize: CreateBatchSegmentJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> model = "arn:aws:personalize:eu-west-1:123456789012:solution/fans/1a2b3c4d"
    >>> role = "arn:aws:iam::123456789012:role/Films"
    >>> request = pnb.SegmentRequest("fans", model, "s3://films/in.jsonl", "s3://films/out/", role, num_results=1000)
    >>> request.to_api()["numResults"], pnb.SegmentRequest.from_api(request.to_api()) == request
    (1000, True)
    >>> print(request.replace(num_results=25).to_code())
    pnb.start(
        pnb.SegmentRequest(
            job_name='fans',
    ...
    """

    job_kind = SEGMENTS
    mode: ClassVar[str] = BATCH_SEGMENT  # it has no other

    input_kms_key_arn: str | None = None
    output_kms_key_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


AnyRequest: TypeAlias = JobRequest | SegmentRequest


def rows_of(request: BatchRequest) -> list[tuple[Parameter, Any]]:
    """Return what the table of parameters says of each field of a request, with the field's value."""
    sent = parameters.sent(request.job_kind)
    return [(sent[one.name], getattr(request, one.name)) for one in fields(request)]


def misfits(request: BatchRequest) -> list[Problem]:
    """Return the problems of values of a type of which no request can be made."""
    return [Problem(row.attribute, text) for row, value in rows_of(request) if (text := row.misfit(value))]
