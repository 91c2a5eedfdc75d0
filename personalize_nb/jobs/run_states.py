"""What became of a run's jobs: started by this kernel or another one, ended, refused, or a name that another has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import manifests, run_results
from personalize_nb.jobs.job import AnyJob, job_of
from personalize_nb.jobs.manifests import Manifest
from personalize_nb.jobs.outcomes import READERS
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.session import explanations, waiting
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb

State = dict[str, Any]


class JobStates:
    """The states of a run's jobs, each looked up no more often than needed.

    Parameters
    ----------
    manifest
        The run.
    session
        Where it runs.
    looked
        Whether nothing can have been started yet, as of a run that is new.

    Attributes
    ----------
    by_name
        `status` and `failureReason` by name of a job that was started, or that is not started because it was refused.
    calls
        How many calls the last look took.
    """

    def __init__(self, manifest: Manifest, session: Session, *, looked: bool = False):
        self.by_name: dict[str, State] = {}
        self.calls = 0
        self._session, self._kind = session, manifest.kind
        self._looked, self._pages = looked, 1  # pages of the list of jobs
        self._own: set[str] = set()  # names of jobs that are known to do what the run asks
        self._refused: set[str] = set()
        self.take(manifest, looked=looked)

    def take(self, manifest: Manifest, *, looked: bool = False) -> None:
        """Go on with another manifest of the run; what is known of its jobs stays known.

        Parameters
        ----------
        manifest
            The run as it is now.
        looked
            As for the class: whether no other kernel can have started a job that is new in it.
        """
        self.by_name = {name: state for name, state in self.by_name.items() if name in manifest.job_names}
        self._refused &= set(manifest.job_names)
        self._looked = looked
        for one in manifest.parts:
            if one.refused and one.job_name not in self.by_name:
                self._refuse(one.job_name, one.refused, datetime.fromisoformat(manifest.created))

    @property
    def started(self) -> list[str]:
        """The names of jobs that were started."""
        return [name for name in self.by_name if name not in self._refused]

    @property
    def running(self) -> list[str]:
        """The names of jobs that have not ended."""
        return [name for name, state in self.by_name.items() if state["status"] not in limits.TERMINAL]

    @property
    def ended(self) -> list[str]:
        """The names of jobs that have ended, and of those that were refused."""
        return [name for name, state in self.by_name.items() if state["status"] in limits.TERMINAL]

    @property
    def failures(self) -> dict[str, str]:
        """Why jobs failed, by their names."""
        return run_results.reasons(self.by_name)

    @property
    def refusals(self) -> dict[str, str]:
        """Why jobs could not be started, by their names."""
        return {name: self.by_name[name]["failureReason"] for name in self._refused}

    def create(self, manifest: Manifest, part: int) -> errors.PersonalizeError | None:
        """Start the job of a part; return why not, where the service refuses this one and will go on to do so.

        Raises
        ------
        PersonalizeError
            What may pass, or is not about this job: a quota, a lost connection, credentials that have ended.
        """
        name = manifest.job_names[part]
        try:
            self._session.call(manifest.kind.create, **manifest.part(part).to_api())
        except errors.AlreadyExistsError as error:
            # another kernel was faster, or the answer to our own call was lost
            self.by_name[name] = {"status": limits.PENDING}  # where it may not be asked, the next look tells
            self._sight(manifest, part)
            return _refused_by(error, self.refusals[name]) if name in self._refused else None
        except errors.QuotaError:
            raise
        except errors.PersonalizeError as error:
            if not _stays(error):
                raise
            self._refuse(name, _reason(error), datetime.now(UTC))
            return error
        self.by_name[name] = {"status": limits.PENDING}
        self._own.add(name)
        return None

    def look(self, manifest: Manifest) -> None:
        """Learn the state of every job: the first time from the list, later of those that have not ended."""
        places = {name: number for number, name in enumerate(manifest.job_names)}
        running = self.running
        if self._looked and len(running) <= self._pages:
            self.calls = len(running)
            for name in running:
                self._told(manifest, places[name], self.job(name).describe())
            if self.running or len(self.by_name) in (0, len(places)):
                return
            # none is running and some wait, as far as is known here: another kernel may have started them
        # one call tells of a hundred jobs; what AWS does not list yet stays as it was
        only = {"solutionVersionArn": manifest.models[0]} if len(manifest.models) == 1 else {}
        entries = list(self._session.pages(*manifest.kind.listing, **only))
        self.calls = self._pages = 1 + len(entries) // 100
        for entry in entries:
            name = entry["jobName"]
            if name not in places:
                continue
            if name in self._refused:  # here or elsewhere; since then it may have been started all the same
                if not self._looked:
                    self._sight(manifest, places[name])
                continue
            new = name not in self._own and name not in self.by_name
            self.by_name[name] = entry
            # a name that the user chose can be anybody's; one that was made for the run is so only by intent
            if new and (self._looked or not manifests.may_be_of(manifest.name, name)):
                self._sight(manifest, places[name])
        self._looked = True

    def job(self, name: str) -> AnyJob:
        """Return the job of a name."""
        return job_of(self._session.arn(self._kind.resource, name), self._session)

    def _sight(self, manifest: Manifest, part: int) -> None:
        """Look at a job that this kernel did not start: it may be another's, which has the name."""
        self.calls += 1
        try:
            described = self.job(manifest.job_names[part]).describe()
        except (errors.NotFoundError, errors.AccessError):
            return  # it stays as it is known
        self._told(manifest, part, described)

    def _told(self, manifest: Manifest, part: int, described: State) -> None:
        """Take a job's description over; of one that does something else, that its name is taken."""
        asked = manifest.part(part)
        name = asked.job_name
        if name not in self._own:
            there = type(asked).from_api(described)
            if _what(there) != _what(asked):
                self._refuse(
                    name,
                    f"somebody else's job has the name {name!r}, with the input {there.input_path!r} and the output "
                    f"{there.output_path!r}.",
                    datetime.now(UTC),
                )
                return
            self._own.add(name)
            self._refused.discard(name)
        self.by_name[name] = described

    def _refuse(self, name: str, reason: str, when: datetime) -> None:
        self.by_name[name] = {"status": limits.FAILED, "failureReason": reason, "lastUpdatedDateTime": when}
        self._refused.add(name)


def _what(request: AnyRequest) -> tuple[str, str, str]:
    return request.solution_version_arn, request.input_path, request.output_path.rstrip("/")


def _stays(error: errors.PersonalizeError) -> bool:
    """Tell a refusal of what was asked, which comes again however often it is asked, from trouble on the way."""
    from botocore.exceptions import ClientError

    answered = isinstance(error.__cause__, ClientError) or error.code == "ParamValidationError"
    return answered and not waiting.passing(error)


def _reason(error: errors.PersonalizeError) -> str:
    """Return why a call was refused, as a `failureReason`: without the next step where readers of it add that."""
    answer: Mapping[str, Any] = getattr(error.__cause__, "response", {})
    text = str(answer.get("Error", {}).get("Message", ""))
    told = text if text and explanations.of_reason(text) else str(error)
    return f"it could not be started: {explanations.sentences(told)}"


def _refused_by(cause: errors.PersonalizeError, reason: str) -> errors.AlreadyExistsError:
    error = errors.AlreadyExistsError(reason)
    error.__cause__ = cause
    return error


def described(manifest: Manifest, states: JobStates, others: int) -> State:
    """Return the state of a whole run.

    Parameters
    ----------
    manifest
        The run.
    states
        Those of its jobs.
    others
        How many jobs of others take room.
    """
    total, started = len(manifest.job_names), len(states.by_name)
    failures, ended = states.failures, len(states.ended)
    status = limits.IN_PROGRESS if started else limits.PENDING
    if ended == total:
        status = limits.FAILED if failures else limits.ACTIVE
    elif started and ended == started:
        # nothing goes on by itself: only a kernel that waits starts the others
        status = f"PAUSED: {total - started} of {total} jobs {verb(total - started, 'waits', 'wait')} for .wait()"
    counts = {"jobs": total, "done": ended - len(failures), "failed": len(failures)}
    counts |= {"running": started - ended, "waiting": total - started}
    described = {
        "name": manifest.name,
        "status": status,
        "records": manifest.records,
        "created": manifest.created,
    }
    described |= {**counts, "others": others}
    if ended == total:
        described["ended"] = max(state["lastUpdatedDateTime"] for state in states.by_name.values())
    if failures:
        name, reason = next((name, failures[name]) for name in manifest.job_names if name in failures)
        told = f"{len(failures)} of {total} jobs failed, {name!r} first: {explanations.sentences(reason)}"
        readable = " The others' results can be read;" if len(failures) < ended else " Once that is put right,"
        described["failureReason"] = f"{told}{readable} run.retry() starts those that failed again."
    return described


def unstarted(manifest: Manifest, states: JobStates) -> str:
    """Return what a wait that ends leaves undone; nothing where all jobs were started.

    Parameters
    ----------
    manifest, states
        The run, and the states of its jobs.
    """
    names = [one for one in manifest.job_names if one not in states.by_name]
    if not names:
        return ""
    told = ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    goes = "what was started goes on, " if states.running else ""
    return f"{goes}{told} {verb(len(names), 'waits and starts', 'wait and start')} only while it is waited for"


def in_words(manifest: Manifest, states: JobStates, others: int) -> str:
    """Return the size of a run, how far it is as far as is known, and the next step.

    Parameters
    ----------
    manifest, states, others
        As for `described`.
    """
    facts = described(manifest, states, others) if states.by_name else None
    size = counted(len(manifest.parts), "job")
    if manifest.records is not None:
        size = f"{counted(manifest.records, 'record')} in {size}"
    if facts is None:
        return f"{size}: .status tells how it stands, .wait() starts what waits"
    step = ".wait() to wait"
    if facts["waiting"]:
        waiting = f"{counted(facts['waiting'], 'job')} {verb(facts['waiting'], 'waits and starts', 'wait and start')}"
        step = f"{waiting} only while .wait() runs, in any kernel"
    if facts["status"] == limits.ACTIVE:
        step = f"{READERS.get(manifest.request.mode, '.recommendations(items=...)')} to read"
    elif facts["status"] in limits.TERMINAL:
        step = ".retry() to start those that failed again, .errors() says why"
    return f"{size}, {facts['done']} done, {facts['failed']} failed: {step}"
