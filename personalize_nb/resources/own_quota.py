"""The account's own quota on batch jobs of a kind, as Service Quotas tells it: it may be raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract.job_kinds import JobKind

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

_AT_ONCE = re.compile(r"pending|progress|concurrent|active|running|simultaneous", re.IGNORECASE)


def own_quota(session: Session, kind: JobKind) -> int | None:
    """Return how many jobs of a kind may be pending or in progress; None where nobody tells."""
    try:
        found = session.answer("ListServiceQuotas", lambda: _listed(session))
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError:
        return None
    # no page gives the code of the quota, so it is found by its name
    noun = re.compile(kind.noun.replace(" ", "."), re.IGNORECASE)
    of_jobs = [one for one in found if noun.search(one.get("QuotaName", ""))]
    at_once = [one for one in of_jobs if _AT_ONCE.search(one["QuotaName"])]
    values = [one["Value"] for one in at_once or of_jobs if "Value" in one]
    return int(values[0]) if len(values) == 1 else None


def _listed(session: Session) -> list[dict[str, Any]]:
    pages = session.client("service-quotas").get_paginator("list_service_quotas")
    return [one for page in pages.paginate(ServiceCode="personalize") for one in page["Quotas"]]
