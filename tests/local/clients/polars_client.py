"""polars: Parquet, CSV and JSON lines written, scanned over a glob, hive-partitioned and sunk."""

import os

import polars as pl

root = f"s3://{os.environ['BUCKET']}/polars"
options = {
    "aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"],
    "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "aws_region": os.environ["AWS_DEFAULT_REGION"],
    "aws_allow_http": "true",
}
# Large enough to be sent in parts.
frame = pl.DataFrame({"item": [f"i{number % 7}" for number in range(2_000_000)], "score": range(2_000_000)})
frame.write_parquet(f"{root}/part 1.parquet", compression="uncompressed", storage_options=options)
frame.lazy().sink_parquet(f"{root}/part 2.parquet", storage_options=options)
totals = pl.scan_parquet(f"{root}/*.parquet", storage_options=options).group_by("item").agg(pl.len()).collect()
assert totals["len"].sum() == 2 * len(frame)
few = frame.head(1000)
few.lazy().sink_csv(f"{root}/few.csv", storage_options=options)
assert pl.scan_csv(f"{root}/few.csv", storage_options=options).collect().equals(few)
few.lazy().sink_ndjson(f"{root}/few.jsonl", storage_options=options)
assert pl.scan_ndjson(f"{root}/few.jsonl", storage_options=options).collect().equals(few)
