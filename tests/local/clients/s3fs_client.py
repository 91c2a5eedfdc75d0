"""s3fs, and pandas and fsspec through it: files written, appended to, found, copied and removed."""

import os

import fsspec
import pandas as pd
import s3fs

bucket = os.environ["BUCKET"]
files = s3fs.S3FileSystem()
big = os.urandom(12 << 20)
with files.open(f"{bucket}/s3fs/big", "wb", block_size=5 << 20) as file:
    file.write(big)
assert files.cat(f"{bucket}/s3fs/big") == big
with files.open(f"{bucket}/s3fs/big", "rb") as file:
    file.seek(-7, 2)
    assert file.read() == big[-7:]
files.pipe({f"{bucket}/s3fs/sub dir/é+{number}": b"x" for number in range(3)})
assert [name.rpartition("/")[2] for name in files.glob(f"{bucket}/s3fs/**/é*")] == ["é+0", "é+1", "é+2"]
assert {each["type"] for each in files.ls(f"{bucket}/s3fs", detail=True)} == {"file", "directory"}
files.copy(f"{bucket}/s3fs/big", f"{bucket}/s3fs/copy")
assert files.info(f"{bucket}/s3fs/copy")["size"] == len(big)
files.setxattr(f"{bucket}/s3fs/copy", note="kept")
assert files.getxattr(f"{bucket}/s3fs/copy", "note") == "kept"
with fsspec.open(f"s3://{bucket}/s3fs/text.gz", "wt", compression="gzip") as file:
    file.write("hello")
with fsspec.open(f"s3://{bucket}/s3fs/text.gz", "rt", compression="gzip") as file:
    assert file.read() == "hello"
frame = pd.DataFrame({"USER_ID": ["u1", "u2"], "TIMESTAMP": [1, 2]})
frame.to_csv(f"s3://{bucket}/s3fs/frame.csv", index=False)
assert pd.read_csv(f"s3://{bucket}/s3fs/frame.csv").equals(frame)
try:
    files.info(f"{bucket}/s3fs/absent")
except FileNotFoundError:
    pass
else:
    raise AssertionError("an absent object was found")
files.rm(f"{bucket}/s3fs", recursive=True)
files.invalidate_cache()
assert not files.exists(f"{bucket}/s3fs")
