"""A short visit to the toolkit and its service; prints what it has seen as JSON."""

import json
import sys
from pathlib import Path

import personalize_nb as pnb
from personalize_nb import local

folder = Path(sys.argv[1])
written = pnb.users(["u1", "u2"]).to_jsonl(folder / "users.jsonl")
answer = {"input": {"userId": "u1"}, "output": {"recommendedItems": ["b", "a"], "scores": [0.7, 0.3]}, "error": None}
(folder / "out").mkdir()
(folder / "out" / "users.jsonl.out").write_text(json.dumps(answer) + "\n")
(folder / "out" / "_CHECK").write_text("")
items = pnb.read_results(str(folder / "out")).recommendations()["item_id"].tolist()

service = local.start(folder / "service", idle_seconds=600)
session = pnb.Session.local(folder / "service")
session.s3.put_object(Bucket=service.bucket, Key="k", Body=written.read_bytes())
session.s3.copy_object(Bucket=service.bucket, Key="copy", CopySource=f"{service.bucket}/k")
body = session.s3.get_object(Bucket=service.bucket, Key="copy")["Body"].read().decode()
group = session.personalize.create_dataset_group(name="books")["datasetGroupArn"]
again = local.start(folder / "service")
print(json.dumps({"items": items, "body": body, "group": group, "pid": service.pid, "again": again.pid}))
