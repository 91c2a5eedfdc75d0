"""All services of the embedded service behind one endpoint in this process, without its workers."""

from __future__ import annotations

from contextlib import contextmanager

import wire

from personalize_nb.local.data.events import EventStore
from personalize_nb.local.iam.accounts import accounts_handlers, ensure_default_role
from personalize_nb.local.iam.authorization import Authorizer
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.iam.kms import kms_handler
from personalize_nb.local.personalize.json_protocol import personalize_handler
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.personalize.serving.models import Models
from personalize_nb.local.personalize.serving.registry import Serving
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.versions import DatasetVersions


@contextmanager
def whole_service(folder):
    """An endpoint with every service, and a bucket `data` with an object `name`, and an empty one `kept`."""
    layout.prepare(folder)
    store = Store(folder / layout.STATE)
    keys = Keys(folder / layout.STATE, wire.ACCOUNT, wire.REGION)
    objects = ObjectStore(folder / layout.OBJECTS, keyring=keys)
    objects.create_bucket("data", wire.REGION)
    objects.create_bucket("kept", wire.REGION)
    objects.put("data", "name", b"text")
    ensure_default_role(folder, wire.ACCOUNT)
    authorizer = Authorizer(folder / layout.STATE, objects, wire.ACCOUNT, wire.REGION)
    event_store = EventStore(folder)
    control = Control(store, objects, wire.ACCOUNT, wire.REGION, authorizer=authorizer)
    handlers = {
        "s3": s3_handler(objects, wire.REGION, wire.ACCOUNT),
        **accounts_handlers(folder, wire.ACCOUNT),
        "kms": kms_handler(keys),
        "personalize": personalize_handler(
            control, Serving(control, Models(folder, event_store, DatasetVersions(folder)), event_store)
        ),
    }
    try:
        with wire.serving(handlers) as endpoint:
            yield endpoint
    finally:
        for each in (authorizer, keys, objects, event_store, store):
            each.close()
