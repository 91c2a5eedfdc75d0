"""While work goes on, Describe says in a header how far it is: clients of AWS pass over it, ours reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.contract import how_far
from personalize_nb.contract.limits import ACTIVE, IN_PROGRESS
from personalize_nb.session import answers


def test_only_work_that_goes_on_says_how_far_it_is(plane):
    _, version = plane.trained()
    job = plane.client.create_batch_inference_job(**plane.job(version))["batchInferenceJobArn"]

    def described():
        answer = plane.client.describe_batch_inference_job(batchInferenceJobArn=job)
        header = answer["ResponseMetadata"]["HTTPHeaders"].get(how_far.HEADER)
        held = answers.checked(plane.client, "describe_batch_inference_job", answer)["batchInferenceJob"]
        assert "progress" not in held and held.how_far == how_far.read(header)
        return header

    assert described() is None
    plane.store.set_status(job, IN_PROGRESS)
    assert described() is None
    plane.store.progress(job, 30, 100)
    assert described() == "30/100"
    plane.store.set_status(job, ACTIVE)
    assert described() is None


@given(done=st.integers(0, 10**17), total=st.integers(1, 10**17))
def test_what_is_written_is_read(done, total):
    assert how_far.read(how_far.written(done, total)) == (min(done, total), total)


@pytest.mark.parametrize("value", [None, 3, "", "1/0", "-1/2", "1/2/3", "½/2", "٣/٤", "1/2\n", "9" * 40 + "/1"])
def test_what_says_nothing_is_none(value):
    assert how_far.read(value) is None
