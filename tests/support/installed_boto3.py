"""Tests of what a newer boto3 brought are left out with an older one, and say so."""

import botocore
import pytest


def needs_boto3(release):
    """Mark a test, or a parameter, of what a release of boto3 brought."""
    return pytest.mark.skipif(
        _numbers(botocore.__version__) < _numbers(release), reason=f"boto3 {release} brought this"
    )


def _numbers(release):
    return [int(one) for one in release.split(".")]
