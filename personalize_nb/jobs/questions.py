"""What jobs are asked, before anything of it is stored: a request, its input, and what is known of the world around.

A question whose input one job may not take is cut into parts; several questions side by side are one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.jobs import job, parts
from personalize_nb.jobs.parts import CutPart, InputLimits
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.rules import RequestContext, errors_of, problems
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch
    from personalize_nb.session.s3 import Stored


@dataclass(frozen=True)
class JobQuestion:
    """What one job, or all jobs of a group, are asked.

    Parameters
    ----------
    request
        The request; in a run its output path is the folder of all output.
    batch
        The input, or None where it lies at the request's input path.
    context
        What is known of the world around the request.
    labels
        What tells its results from those of other questions: columns and their values.
    files
        The files of input in S3, where they are more than one job takes.
    """

    request: AnyRequest
    batch: Batch | None
    context: RequestContext
    labels: Mapping[str, str | None] = field(default_factory=dict)
    files: Sequence[Stored] = ()

    @property
    def is_cut(self) -> bool:
        """Whether the input is stored in parts; it lies where it is otherwise."""
        return self.batch is not None or bool(self.files)

    def sized(self, session: Session, limit: InputLimits) -> JobQuestion:
        """Return the question with the files of its input, where they are more than one job takes."""
        if self.batch is not None:
            return self
        return replace(self, files=parts.files_over(session, self.request.input_path, self.request.mode, limit))

    def is_over(self, limit: InputLimits) -> bool:
        """Tell whether the input, which is `sized`, is more than one job takes."""
        if self.batch is None:
            return bool(self.files)
        return parts.batch_is_over(self.batch, self.request.mode, limit)

    def most_parts(self, limit: InputLimits) -> int:
        """Return a number that its parts will not be more than."""
        if not self.is_cut:
            return 1
        most = limit.records(self.request.mode)
        if self.batch is None:
            size = sum(one.size for one in self.files)
            records = size // parts.SHORTEST_LINE
        else:
            size, records = parts.longest(self.batch), len(self.batch)
        return records // most + 2 * (size // limit.max_bytes) + 2

    def of_parts(self, limit: InputLimits) -> RequestContext:
        """Return what is known of the world around its parts: the limit of a file is kept by itself."""
        most = limit.records(self.request.mode)
        return replace(self.context, per_file=most if self.is_cut else None, most_per_file=most)

    def cut(self, session: Session, limit: InputLimits) -> Iterator[CutPart]:
        """Yield the parts of its input; each is to be used before the next one is asked for."""
        if self.batch is None:
            return parts.cut(parts.stored_blocks(session, self.files), self.request.mode, limit)
        return parts.cut(parts.batch_blocks(self.batch), self.request.mode, limit)

    def shares_input(self, other: JobQuestion) -> bool:
        """Tell whether the input of another question is the same, so that it need not be stored twice."""
        if self.request.mode != other.request.mode or self.request.input_kms_key_arn != other.request.input_kms_key_arn:
            return False
        if self.batch is None or other.batch is None:
            return self.batch is other.batch and self.request.input_path == other.request.input_path
        return self.batch.kind == other.batch.kind and bool(self.batch.table.equals(other.batch.table))


def judge(asked: Sequence[tuple[AnyRequest, RequestContext]]) -> None:
    """Refuse requests that break rules of the API, with all that is wrong; warn of what is only unwise.

    Raises
    ------
    RequestError
        A request breaks rules.
    """
    found = list(dict.fromkeys(one for request, context in asked for one in problems(request, context)))
    if broken := errors_of(found):
        raise errors.RequestError(broken)
    job.warn(found)
