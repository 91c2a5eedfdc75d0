"""Files of results are read by whom any file would be that is written here."""

import os
import stat

import pyarrow as pa
import pytest

from personalize_nb.results import parquet


@pytest.mark.parametrize(
    ("mask", "before", "expected"), [(0o022, None, 0o644), (0o002, None, 0o664), (0o077, 0o640, 0o640)]
)
def test_a_file_has_the_permissions_of_a_new_one_or_of_the_one_before(tmp_path, mask, before, expected):
    path = tmp_path / "results.parquet"
    if before is not None:
        path.touch()
        path.chmod(before)
    own = os.umask(mask)
    try:
        parquet.write(iter([pa.table({"rank": [1]})]), path, None, None)
        assert os.umask(mask) == mask
    finally:
        os.umask(own)
    assert stat.S_IMODE(path.stat().st_mode) == expected
