"""DuckDB with its httpfs extension, which comes from a wheel: COPY TO, globs, ranges of Parquet."""

import os
from pathlib import Path

import duckdb
import duckdb_extension_httpfs

(extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
root = f"s3://{os.environ['BUCKET']}/duckdb"
database = duckdb.connect()
database.load_extension(str(extension))
settings = {
    "KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
    "SECRET": os.environ["AWS_SECRET_ACCESS_KEY"],
    "REGION": os.environ["AWS_DEFAULT_REGION"],
    "ENDPOINT": os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"),
    "URL_STYLE": "path",
}
written = ", ".join(f"{name} '{value}'" for name, value in settings.items())
database.execute(f"CREATE SECRET (TYPE s3, USE_SSL false, {written})")
database.execute(
    "CREATE TABLE rows AS SELECT range AS id, hash(range) AS value, 'i' || range % 7 AS item FROM range(3000000)"
)
database.execute(f"COPY rows TO '{root}/one é.parquet' (COMPRESSION uncompressed)")
database.execute(f"COPY rows TO '{root}/by' (FORMAT parquet, PARTITION_BY item)")
database.execute(f"COPY (FROM rows LIMIT 1000) TO '{root}/few.csv'")
database.execute(f"COPY (FROM rows LIMIT 1000) TO '{root}/few.json'")


def count(source):
    return database.execute(f"SELECT count(*) FROM {source}").fetchone()[0]


assert count(f"'{root}/one é.parquet'") == 3_000_000
assert count(f"read_parquet('{root}/by/*/*.parquet', hive_partitioning=true) WHERE item = 'i3'") == 428_572 - 1
assert database.execute(f"SELECT value FROM '{root}/one é.parquet' WHERE id = 2999999").fetchone() == (
    database.execute("SELECT value FROM rows WHERE id = 2999999").fetchone()
)
assert count(f"'{root}/few.csv'") == count(f"'{root}/few.json'") == 1000
assert len(database.execute(f"FROM glob('{root}/**')").fetchall()) == 10
