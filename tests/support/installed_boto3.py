"""Tests of what a newer boto3 brought are left out with an older one, and say so."""

import botocore
import pytest

from personalize_nb.contract.releases import too_new


def needs_boto3(release):
    """Mark a test, or a parameter, of what a release of boto3 brought."""
    return pytest.mark.skipif(
        _numbers(botocore.__version__) < _numbers(release), reason=f"boto3 {release} brought this"
    )


def skip_what_is_newer(solution_config):
    """Skip a test whose configuration of a training has members that the installed boto3 has not."""
    if newer := list(too_new("CreateSolution", {"solutionConfig": solution_config or {}})):
        pytest.skip(newer[0].partition(" or newer")[0])


def _numbers(release):
    return [int(one) for one in release.split(".")]
