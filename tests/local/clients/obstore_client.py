"""obstore (the Rust crate object_store): parts, streams, ranges, conditions, listing, copy, signed URLs."""

import os
import urllib.request
from datetime import timedelta

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store

store = S3Store(os.environ["BUCKET"], prefix="obstore", client_options={"allow_http": True})
big = os.urandom(12 << 20)
obstore.put(store, "big", big, chunk_size=5 << 20)
assert bytes(obstore.get(store, "big").bytes()) == big
assert b"".join(bytes(block) for block in obstore.get(store, "big").stream()) == big
assert bytes(obstore.get_range(store, "big", start=5, length=7)) == big[5:12]
ranges = obstore.get_ranges(store, "big", starts=[0, 9 << 20], lengths=[3, 3])
assert [bytes(each) for each in ranges] == [big[:3], big[9 << 20 : (9 << 20) + 3]]
with obstore.open_writer(store, "written é/1", attributes={"Content-Type": "text/csv", "note": "kept"}) as file:
    file.write(b"text")
found = obstore.get(store, "written é/1").attributes
assert found["Content-Type"] == "text/csv"
obstore.put(store, "once", b"1", mode="create")
for error, call in (
    (AlreadyExistsError, lambda: obstore.put(store, "once", b"2", mode="create")),
    (PreconditionError, lambda: obstore.put(store, "once", b"2", mode={"e_tag": '"other"'})),
    (FileNotFoundError, lambda: obstore.head(store, "absent")),
):
    try:
        call()
    except error:
        continue
    raise AssertionError(f"{error.__name__} did not come")
tag = obstore.head(store, "once")["e_tag"]
obstore.put(store, "once", b"2", mode={"e_tag": tag})
for number in range(30):
    obstore.put(store, f"many/{number}", b"")
assert sum(len(page) for page in obstore.list(store, "many")) == 30
assert obstore.list_with_delimiter(store)["common_prefixes"] == ["many", "written é"]
obstore.copy(store, "once", "copy")
obstore.rename(store, "copy", "renamed")
url = obstore.sign(store, "GET", "renamed", timedelta(minutes=1))
assert urllib.request.urlopen(url).read() == b"2"
obstore.delete(store, [f"many/{number}" for number in range(30)])
assert {each["path"] for page in obstore.list(store) for each in page} == {"big", "once", "renamed", "written é/1"}
