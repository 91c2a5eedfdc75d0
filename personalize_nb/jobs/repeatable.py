"""What a job can do after its end: ask what failed again, or the same with other parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from personalize_nb.jobs.arguments import RepeatParameters, with_parameters
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.jobs.job import AnyJob
    from personalize_nb.jobs.run import Run


class Repeatable:
    """A job that can be asked again."""

    arn: str
    session: Session

    def retry_failed(self) -> AnyJob | Run:
        """Send the lines that failed again, and return a run whose results are those of both attempts as one.

        Lines without any row in the output count; those answered without an item do not. Where no line failed nothing
        is sent, and the job itself comes back; where the whole job failed, the whole is sent.

        Returns
        -------
        Run, BatchInferenceJob or BatchSegmentJob
            What `.wait()` waits for.

        Raises
        ------
        NotFoundError
            The job has not ended, or its input or output is gone.
        """
        from personalize_nb.jobs import again  # which makes runs of jobs

        return again.failed_of_job(self.arn, self.session)

    @with_parameters(RepeatParameters)
    def repeat(self, **parameters: Unpack[RepeatParameters]) -> AnyJob | Run:
        """Start a job on the input of this one, with other parameters where some are named; return it.

        Parameters
        ----------
        **parameters
            As for `recommend`.

        Returns
        -------
        BatchInferenceJob, BatchSegmentJob or Run
            What `.wait()` waits for.

        Raises
        ------
        RequestError
            The request breaks rules; nothing was sent.
        """
        from personalize_nb.jobs import again

        return again.repeated(self.arn, self.session, parameters)
