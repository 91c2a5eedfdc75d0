"""The two kinds of batch jobs, and what the API calls whatever belongs to each.

Everything that differs between them in the words of operations, members and ARNs is made here of the kind's own words,
so that what starts, finds, lists and checks jobs is written once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JobKind:
    """A kind of batch jobs.

    Parameters
    ----------
    noun
        What one is called.
    call
        The call of the toolkit that starts one.
    filtered
        What its filters choose from.

    Examples
    --------
    >>> SEGMENTS.create, SEGMENTS.listing, SEGMENTS.answer
    ('create_batch_segment_job', ('list_batch_segment_jobs', 'batchSegmentJobs'), 'batchSegmentJob')
    """

    noun: str
    call: str
    filtered: str

    @property
    def resource(self) -> str:
        """What stands in ARNs."""
        return self.noun.replace(" ", "-")

    @property
    def operations(self) -> str:
        """The end of the names of operations, as IAM and the API reference spell them."""
        return self.noun.title().replace(" ", "")

    @property
    def answer(self) -> str:
        """The member of an answer that describes one."""
        return self.operations[0].lower() + self.operations[1:]

    @property
    def arn_member(self) -> str:
        """The member that holds an ARN."""
        return f"{self.answer}Arn"

    @property
    def create(self) -> str:
        """The method of boto3's client that starts one."""
        return f"create_{self.noun.replace(' ', '_')}"

    @property
    def describe(self) -> str:
        """The method of boto3's client that describes one."""
        return f"describe_{self.noun.replace(' ', '_')}"

    @property
    def listing(self) -> tuple[str, str]:
        """The method of boto3's client that lists them, and the member of its answer."""
        return f"list_{self.noun.replace(' ', '_')}s", f"{self.answer}s"

    def reference(self, name: str) -> str:
        """Return what `pnb.attach` finds a job by that has this name, although one of the other kind may have it too.

        Examples
        --------
        >>> INFERENCE.reference("both"), SEGMENTS.reference("both")
        ('both', 'batch-segment-job/both')
        """
        return name if self is INFERENCE else f"{self.resource}/{name}"


INFERENCE = JobKind("batch inference job", "pnb.recommend", "items")
SEGMENTS = JobKind("batch segment job", "pnb.segments", "users")
JOB_KINDS = (INFERENCE, SEGMENTS)


def kind_of_arn(arn: str) -> JobKind:
    """Return the kind of an ARN's job; what is no job's is asked for as an inference job, and the service says so."""
    return next((kind for kind in JOB_KINDS if f":{kind.resource}/" in arn), INFERENCE)
