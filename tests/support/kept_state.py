"""A service's folder with something of everything: objects, parts, encrypted ones, rows, a model, a finished job."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

from inline_service import ACCOUNT, BUCKET, REGION, ROLE, InlineService

from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.digests import kept, running
from personalize_nb.local.s3.multipart import NamedPart, Uploads
from personalize_nb.local.s3.records import ObjectDetails
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, wholeness
from personalize_nb.local.state.wholeness import Identity

RECIPE = "aws-similar-items"
OURS = Identity(ACCOUNT, REGION)
OUTPUT = "out/in.jsonl.out"


def fill(folder):
    """Make the folder; return the ARN of the solution version that is trained in it."""
    folder.mkdir(parents=True)
    service = InlineService(folder)
    group, datasets = service.group()
    version = service.version(group, RECIPE)
    service.put("in.jsonl", b'{"itemId": "b1"}\n')
    # an import that adds, so that there are two files with interactions
    service.made(
        "create_dataset_import_job",
        jobName="more",
        datasetArn=datasets["INTERACTIONS"],
        dataSource={"dataLocation": f"s3://{BUCKET}/g/INTERACTIONS.csv"},
        roleArn=ROLE,
        importMode="INCREMENTAL",
    )
    service.made(
        "create_batch_inference_job",
        jobName="job",
        solutionVersionArn=version,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/in.jsonl"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}},
        roleArn=ROLE,
    )
    service.event_store.put("g", "INTERACTIONS", [{"USER_ID": "u1", "ITEM_ID": "b1", "TIMESTAMP": 1}], "s1")
    service.close()
    keys = Keys(folder / layout.STATE, ACCOUNT, REGION)
    store = ObjectStore(folder / layout.OBJECTS, keyring=keys)
    under = store.under(keys.create()["Arn"])
    under.put(BUCKET, "sealed", b"secret" * 100_000)
    uploads = Uploads(store)
    details = ObjectDetails(checksum=None)
    whole = uploads.begin(BUCKET, "joined", "text/plain", details, "CRC32", "COMPOSITE")
    named = []
    for number, data in ((1, b"a" * (5 << 20)), (2, b"tail")):
        with store.incoming(**running("CRC32")) as incoming:
            incoming.write(data)
            checksum = kept("CRC32", incoming)
            part = uploads.add_part(whole, number, incoming, f"{number}" * 32, checksum)
        named.append(NamedPart(number, part.etag, checksum.value))
    uploads.complete(whole, named)
    with store.incoming() as incoming:
        incoming.write(b"begun")
        uploads.add_part(uploads.begin(BUCKET, "begun", "text/plain", details), 1, incoming, "0" * 32, None)
    store.close()
    keys.close()
    wholeness.mark(folder, OURS)
    for name in layout.DATABASES:
        # a folder whose service has ended in order has no logs
        with closing(sqlite3.connect(folder / name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return version


def contents(folder):
    """Return every file below a folder with its bytes, but those that SQLite has while it is open, and locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def copy(folder, target):
    return shutil.copytree(folder, target)


def row(root, sql, name=layout.DATABASES[1]):
    with closing(sqlite3.connect(root / name)) as db:
        return db.execute(sql).fetchone()[0]


def body(root, key):
    name = row(root, f"SELECT body FROM objects WHERE key = '{key}'")
    return root / "objects" / "bodies" / name[:2] / name


def flip(path, place=-3):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return path


def answers(root, version):
    """Open a folder and use it: read every object, run a batch job on its model; return the job's output."""
    wholeness.look(root)
    keys = Keys(root / layout.STATE, OURS.account, OURS.region)
    store = ObjectStore(root / layout.OBJECTS, keyring=keys)
    if not store.has_bucket(BUCKET):
        store.create_bucket(BUCKET, OURS.region)
    for info in store.list(BUCKET):
        with store.open(BUCKET, info.key) as file:
            assert len(file.read()) == info.size
    store.close()
    keys.close()
    service = InlineService(root, new=False)
    try:
        service.put("again.jsonl", b'{"itemId": "b1"}\n')
        service.made(
            "create_batch_inference_job",
            jobName="again",
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/again.jsonl"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/again/"}},
            roleArn=f"arn:aws:iam::{OURS.account}:role/PersonalizeNbLocal",
        )
        return service.read("again/again.jsonl.out")
    finally:
        service.close()


def written(path, text=b"{"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def removed(path):
    path.unlink()
    return path
