"""Service Quotas through boto3: Amazon's numbers, and those that hold here."""

from __future__ import annotations

from dataclasses import replace

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.personalize.service_quotas import service_quotas_handler
from personalize_nb.local.state.quotas import QUOTAS


@pytest.fixture
def client():
    raised = {**QUOTAS, "batch_inference_job": replace(QUOTAS["batch_inference_job"], limit=20)}
    handlers = {"servicequotas": service_quotas_handler(raised, wire.ACCOUNT, wire.REGION)}
    with wire.serving(handlers) as endpoint:
        made = wire.make_client("service-quotas", endpoint)
        yield made
        made.close()


def test_the_quotas_that_hold_and_amazons_own(client):
    pages = client.get_paginator("list_service_quotas").paginate(
        ServiceCode="personalize", PaginationConfig={"PageSize": 3}
    )
    applied = [one for page in pages for one in page["Quotas"]]
    default = client.list_aws_default_service_quotas(ServiceCode="personalize")["Quotas"]
    assert [one["QuotaCode"] for one in applied] == [one["QuotaCode"] for one in default]
    differ = [(a["QuotaName"], a["Value"], d["Value"]) for a, d in zip(applied, default, strict=True) if a != d]
    values = [one for one in differ if one[1] != one[2]]
    assert values == [("Batch inference jobs pending or in progress", 20.0, 5.0)]
    for one in applied:
        asked = {"ServiceCode": "personalize", "QuotaCode": one["QuotaCode"]}
        assert client.get_service_quota(**asked)["Quota"] == one


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (("get_service_quota", {"ServiceCode": "personalize", "QuotaCode": "L-NONE"}), "NoSuchResourceException"),
        (("list_service_quotas", {"ServiceCode": "s3"}), "NoSuchResourceException"),
        (("list_service_quotas", {"ServiceCode": "personalize", "MaxResults": 1000}), "IllegalArgumentException"),
        (
            ("list_service_quotas", {"ServiceCode": "personalize", "NextToken": "x"}),
            "InvalidPaginationTokenException",
        ),
        (("list_services", {}), "UnknownOperationException"),
    ],
)
def test_what_is_not_there_is_refused(client, call, code):
    name, params = call
    with pytest.raises(ClientError) as raised:
        getattr(client, name)(**params)
    assert wire.code_of(raised) == code
