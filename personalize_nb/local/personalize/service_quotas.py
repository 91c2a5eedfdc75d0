"""Service Quotas over its JSON protocol: what the account may have of Personalize's resources, also where it is raised.

Names and codes are this service's own: no page gives AWS's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import shapes
from personalize_nb.local.http.json_bodies import CONTENT_TYPE, parsed, refusal
from personalize_nb.local.http.messages import Handler, Request, Response
from personalize_nb.local.state.quotas import QUOTAS, Quota

TARGET_PREFIX, SERVICE = "ServiceQuotasV20190624.", "personalize"
# of the quotas that the developer guide calls adjustable
_ADJUSTABLE = frozenset({"dataset_group", "solution", "solution_version", "filter", "batch_inference_job", "campaign"})
_MAX_REQUEST_BYTES, _PAGE = 1 << 20, 100

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def service_quotas_handler(quotas: Mapping[str, Quota], account: str, region: str) -> Handler:
    """Return what the endpoint calls for requests signed for `servicequotas`.

    Parameters
    ----------
    quotas
        The quotas that hold, by the kind of resource.
    account, region
        Whose they are.
    """
    applied = {_code(kind): _shown(kind, quota, account, region) for kind, quota in quotas.items()}
    default = {_code(kind): _shown(kind, quota, "", region) for kind, quota in QUOTAS.items()}
    operations: dict[str, Operation] = {
        "ListServiceQuotas": lambda params: _listed(applied, params),
        "ListAWSDefaultServiceQuotas": lambda params: _listed(default, params),
        "GetServiceQuota": lambda params: {"Quota": _found(applied, params)},
        "GetAWSDefaultServiceQuota": lambda params: {"Quota": _found(default, params)},
    }

    def answer(request: Request) -> Response:
        name = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        if name not in operations:
            known = ", ".join(sorted(operations))
            text = f"The local service does not have the operation {name!r} of Service Quotas. It has {known}."
            raise ApiError("UnknownOperationException", text)
        model = _model().operation_model(name)
        try:
            params = shapes.checked(parsed(request.body.read_all(_MAX_REQUEST_BYTES)), model.input_shape)
        except ApiError as refused:
            code = "IllegalArgumentException" if refused.code == "InvalidInputException" else refused.code
            raise ApiError(code, refused.message) from refused
        if params["ServiceCode"] != SERVICE:
            raise _absent(f"The service {params['ServiceCode']!r}", SERVICE)
        body = json.dumps(shapes.projected(operations[name](params), model.output_shape), separators=(",", ":"))
        headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}
        return Response(200, headers, body.encode())

    return Handler(answer, refusal)


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("service-quotas")


def _code(kind: str) -> str:
    return f"L-{kind.replace('_', '').upper()}"


def _shown(kind: str, quota: Quota, account: str, region: str) -> dict[str, Any]:
    what = f"{kind.replace('_', ' ').capitalize()}s"
    where = "pending or in progress" if quota.unfinished else "per dataset group" if quota.per_group else "per Region"
    code = _code(kind)
    return {
        "ServiceCode": SERVICE,
        "ServiceName": "Amazon Personalize",
        "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{SERVICE}/{code}",
        "QuotaCode": code,
        "QuotaName": f"{what} {where}",
        "Value": float(quota.limit),
        "Unit": "None",
        "Adjustable": kind in _ADJUSTABLE,
        "GlobalQuota": False,
    }


def _listed(quotas: Mapping[str, dict[str, Any]], params: Mapping[str, Any]) -> Mapping[str, Any]:
    token = params.get("NextToken", "0")
    if not (token.isascii() and token.isdigit()):
        raise ApiError("InvalidPaginationTokenException", f"NextToken must be one that was given, got {token!r}.")
    wanted = [one for code, one in quotas.items() if params.get("QuotaCode", code) == code]
    end = int(token) + params.get("MaxResults", _PAGE)
    return {"Quotas": wanted[int(token) : end], "NextToken": str(end) if end < len(wanted) else None}


def _found(quotas: Mapping[str, dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    if params["QuotaCode"] not in quotas:
        raise _absent(f"The quota {params['QuotaCode']!r}", ", ".join(quotas))
    return quotas[params["QuotaCode"]]


def _absent(what: str, legal: str) -> ApiError:
    return ApiError("NoSuchResourceException", f"{what} does not exist here; legal: {legal}.")
