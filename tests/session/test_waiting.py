"""Waiting looks at growing gaps, ends by itself, and never loses the work."""

import pytest

import personalize_nb as pnb
from personalize_nb.errors import FailedError, InputError, NotFoundError, QuotaError, ServiceError, WaitTimeoutError
from personalize_nb.session import creating, waiting


class World:
    """A clock that sleeping moves, a resource that changes with time, and the lines shown."""

    def __init__(self, *answers):
        self.now, self.slept, self.shown = 0.0, [], []
        self.answers = list(answers)

    def describe(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, dict) else {"status": answer}

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def update(self, what, state, done=None, total=None):
        self.shown.append(f"{what}: {state}")

    def say(self, text):
        self.shown.append(text)

    def wait(self, timeout=None):
        clocks = {"sleep": self.sleep, "clock": lambda: self.now}
        return waiting.until_active(
            self.describe, "job 'x'", "arn:x", again="pnb.attach('x').wait()", timeout=timeout, progress=self, **clocks
        )

    def wait_until_gone(self, timeout=None):
        clocks = {"sleep": self.sleep, "clock": lambda: self.now}
        again = "pnb.delete_dataset_group('g')"
        waiting.until_gone(self.describe, "deleting x", "arn:x", again=again, timeout=timeout, progress=self, **clocks)

    def ask(self):
        clocks = {"sleep": self.sleep, "clock": lambda: self.now}
        waiting.until_taken(self.describe, "deleting x", again="pnb.delete_dataset_group('g')", progress=self, **clocks)


def test_it_ends_when_the_resource_is_active():
    world = World("CREATE PENDING", "CREATE IN_PROGRESS", {"status": "ACTIVE", "name": "x"})
    assert world.wait()["name"] == "x"
    assert world.shown == ["job 'x': CREATE PENDING", "job 'x': CREATE IN_PROGRESS", "job 'x': ACTIVE after 0 s"]


def test_gaps_grow_with_the_time_waited():
    assert [waiting.pause(seconds) for seconds in (0, 2, 10, 300, 6000)] == [0.05, 0.2, 1, 30, 60]
    world = World(*["CREATE IN_PROGRESS"] * 100, "ACTIVE")
    world.wait()
    assert world.slept == sorted(world.slept)
    assert max(world.slept) == 60


def test_a_failure_carries_the_reason():
    world = World("CREATE PENDING", {"status": "CREATE FAILED", "failureReason": "no role"})
    with pytest.raises(FailedError, match="job 'x' ended in CREATE FAILED: no role") as caught:
        world.wait()
    assert (caught.value.arn, caught.value.reason) == ("arn:x", "no role")


def test_the_time_limit_says_how_to_wait_again():
    world = World("CREATE IN_PROGRESS")
    with pytest.raises(WaitTimeoutError, match=r"it goes on. Wait again with pnb.attach\('x'\).wait\(\)") as caught:
        world.wait(timeout=30)
    assert world.now == 30
    assert caught.value.status == "CREATE IN_PROGRESS"
    with pytest.raises(WaitTimeoutError):
        world.wait(timeout=0)


@pytest.mark.parametrize("timeout", ["5", -1, float("nan"), True, [5]])
def test_what_is_no_time_limit_is_refused_before_anything_is_asked(timeout):
    world = World("CREATE IN_PROGRESS")
    with pytest.raises(InputError, match="'timeout' must be a number of seconds from 0, or None for no limit, got"):
        world.wait(timeout=timeout)
    assert world.shown == []


def test_what_is_no_time_limit_leaves_nothing_behind(readers_model, session):
    with pytest.raises(InputError, match="'timeout' must be"):
        pnb.create_filter("waiting-none", "EXCLUDE ItemID WHERE Items.YEAR < 0", readers_model, timeout="5")
    with pytest.raises(NotFoundError):
        pnb.find_filter("waiting-none", session)
    with pytest.raises(InputError, match="'timeout' must be"):
        pnb.train(None, name="waiting-none", timeout="5", session=session)


def test_interruption_stops_only_the_waiting():
    world = World("CREATE IN_PROGRESS", KeyboardInterrupt())
    with pytest.raises(
        KeyboardInterrupt, match=r"^stopped waiting; job 'x' goes on\. Wait .*attach\('x'\)\.wait\(\)\.$"
    ):
        world.wait()
    assert not any("stopped" in line for line in world.shown)  # one message, and the error has it


def test_an_interrupted_call_does_not_say_that_it_goes_on():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^stopped starting job 'x'; AWS may .* do it all the same\.$"):
        creating.made(interrupted, lambda: None, "starting job 'x'")


def test_passing_trouble_is_sat_out():
    lost = ServiceError("lost", code="EndpointConnectionError")
    assert World("CREATE PENDING", lost, QuotaError("slow down"), lost, "ACTIVE").wait()["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([ServiceError("lost", code="ConnectTimeoutError")], ServiceError),
        ([ServiceError("no", code="InvalidInputException")], ServiceError),
        ([NotFoundError("gone")], NotFoundError),
    ],
)
def test_lasting_trouble_is_raised(answers, error):
    with pytest.raises(error):
        World(*answers).wait()


GONE = NotFoundError("gone")
LOST = ServiceError("lost", code="EndpointConnectionError")
IN_USE = ServiceError("in use", code="ResourceInUseException")


@pytest.mark.parametrize(
    "answers",
    [
        [GONE],
        ["ACTIVE", "DELETE PENDING", "DELETE IN_PROGRESS", GONE],
        ["DELETE PENDING", LOST, QuotaError("slow down"), LOST, LOST, "DELETE IN_PROGRESS", LOST, GONE],
        [{"status": "CREATE FAILED", "failureReason": "no role"}] * 2 + [GONE],
        [{"status": "DELETE IN_PROGRESS", "failureReason": "no role"}] * 2 + [GONE],
    ],
)
def test_a_deletion_ends_when_the_resource_is_gone(answers):
    world = World(*answers)
    world.wait_until_gone(timeout=3600)
    assert world.shown[-1] == f"deleting x: gone after {world.now:.0f} s"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["DELETE PENDING", {"status": "DELETE FAILED", "failureReason": "in use"}], "in use"),
        (["DELETE IN_PROGRESS", {"status": "ACTIVE", "failureReason": "in use"}], "in use"),
        (["DELETE IN_PROGRESS", "ACTIVE"], "ACTIVE"),
    ],
)
def test_a_deletion_that_failed_says_so(answers, told):
    with pytest.raises(FailedError, match=f"deleting x failed: {told}"):
        World(*answers).wait_until_gone()


def test_a_deletion_has_the_limits_of_every_wait():
    with pytest.raises(WaitTimeoutError, match=r"it goes on. Wait again with pnb.delete_dataset_group\('g'\)"):
        World("DELETE IN_PROGRESS").wait_until_gone(timeout=30)
    with pytest.raises(ServiceError, match="lost"):
        World(LOST).wait_until_gone()
    with pytest.raises(KeyboardInterrupt, match="stopped waiting; deleting x goes on"):
        World("DELETE IN_PROGRESS", KeyboardInterrupt()).wait_until_gone()


@pytest.mark.parametrize("answers", [[""], [IN_USE, IN_USE, IN_USE, ""], [QuotaError("slow down"), LOST, GONE]])
def test_a_deletion_is_asked_for_until_it_is_taken(answers):
    world = World(*answers)
    world.ask()
    assert len(world.slept) == len(answers) - 1
    assert world.slept == sorted(world.slept)


@pytest.mark.parametrize("error", [IN_USE, ServiceError("no", code="InvalidInputException"), LOST])
def test_what_stays_in_use_is_told_in_the_end(error):
    world = World(error)
    with pytest.raises(ServiceError, match=str(error)):
        world.ask()
    assert world.now < 60


@pytest.mark.parametrize("trouble", [[], [LOST], [QuotaError("slow down"), LOST, LOST, LOST]])
def test_a_look_is_repeated_until_it_is_answered(trouble):
    world = World(*trouble, {"name": "x"})
    clocks = {"sleep": world.sleep, "clock": lambda: world.now}
    assert waiting.until_answered(world.describe, "deleting x", again="again", **clocks) == {"name": "x"}
    assert len(world.slept) == len(trouble) and world.shown == []
    for lasting in (IN_USE, GONE, LOST):
        with pytest.raises(type(lasting), match=str(lasting)):
            waiting.until_answered(World(lasting).describe, "deleting x", again="again", **clocks)
