"""What the bytes of a column of texts tell in one pass, so that rules and hashes of each text run where they may apply.

Arrow keeps the texts of a column one after the other. One look at all their bytes says that none is a space, a quote
or beyond ASCII, which is true of nearly every column of ids, and then nothing has to be asked of any row.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import limits

_SPACE, _QUOTE, _BACKSLASH, _POINT, _ZERO, _ASCII = 0x20, 0x22, 0x5C, 0x2E, 0x30, 0x7F
_MOST_BYTES = (1 << 31) - 1  # of a column of Arrow's `string`
_WORD = 8  # bytes that are compared at once
_ROWS = 1 << 15  # so many numbers stay near the processor from one step to the next
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], np.uint64)
_WORDS = np.dtype("<u8")
_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
# how texts of missing values begin, and how long they are: nan, None, null, <NA>, NaT
_MISSING_BEGINS, _MISSING_SIZES = b"nN<", (3, 4)


def one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:  # which combine_chunks() copies
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def joined(*texts: pa.Array | str) -> pa.Array:
    """Return texts of each row one after the other; those given alone stand in every row.

    Examples
    --------
    >>> joined("<", pa.array(["a", None], pa.large_string()), ">").to_pylist()
    ['<a>', None]
    """
    large = (pa.scalar(one, pa.large_string()) if isinstance(one, str) else one for one in (*texts, ""))
    return pc.binary_join_element_wise(*large)


def taken(texts: pa.Array, rows: pa.Array) -> pa.Array:
    """Return the texts of some rows, in their order; a missing row has none.

    Texts of one length, as most ids have, are bytes at places that need not be looked up: a seventh of the work.

    Examples
    --------
    >>> taken(pa.array(["ab", "cd"]), pa.array([1, None, 1])).to_pylist()
    ['cd', None, 'cd']
    """
    if not pa.types.is_string(texts.type) or texts.null_count or rows.null_count:
        return texts.take(rows)
    data, places = parts(texts)
    width = len(data) // max(1, len(texts))
    if not 0 < width * len(rows) <= _MOST_BYTES or (np.diff(places) != width).any():
        return texts.take(rows)
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(texts), [None, pa.py_buffer(data)])
    _, found = fixed.take(rows).buffers()
    ends = pa.py_buffer(np.arange(len(rows) + 1, dtype=np.int32) * np.int32(width))
    return pa.StringArray.from_buffers(len(rows), ends, found)


def is_ascii(texts: pa.Array) -> bool:
    """Tell whether no text has a character beyond ASCII; such texts are valid Unicode whatever they hold."""
    data, _ = parts(texts)
    return not len(data) or bool(data.max() <= _ASCII)


def parts(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of all texts, and where each begins in them; one place more is where the last ends.

    Examples
    --------
    >>> data, places = parts(pa.array(["ab", "c"]))
    >>> data.tobytes(), places.tolist()
    (b'abc', [0, 2, 3])
    """
    _, offsets, data = texts.buffers()
    if offsets is None or data is None or not len(texts):
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    places = np.frombuffer(offsets, kind)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[places[0] : places[-1]], places - places[0]


def to_judge(ids: pa.Array) -> np.ndarray:
    """Return the rows of all ids that are missing, empty, too long or unusual in any way, among others.

    What is found of an id by its text, is found in these rows only. They are few, and often none.

    Examples
    --------
    >>> to_judge(pa.array(["u1", " u2", "u3", None, "7.0"])).tolist()
    [1, 3, 4]
    """
    starts = range(0, len(ids), _ROWS)
    return np.concatenate([np.zeros(0, np.int64), *(_odd(ids.slice(start, _ROWS)) + start for start in starts)])


def _odd(ids: pa.Array) -> np.ndarray:
    data, places = parts(ids)
    if not len(data):
        return np.arange(len(ids))
    sizes = np.diff(places)
    found = np.zeros(len(ids), bool)
    if ids.null_count:
        found |= pc.is_null(ids).to_numpy(zero_copy_only=False)
    least, most = int(sizes.min()), int(sizes.max())
    if least == 0 or most > limits.MAX_ID_CHARACTERS:  # a text has as many bytes as characters, or more
        found |= (sizes == 0) | (sizes > limits.MAX_ID_CHARACTERS)
    last = len(data) - 1
    begins, ends = np.minimum(places[:-1], last), np.maximum(places[1:] - 1, 0)
    if data.min() <= _SPACE or data.max() > _ASCII:
        odd = np.arange(256) <= _SPACE
        odd[_ASCII + 1 :] = True  # spaces that nobody sees are beyond ASCII
        found |= odd[data[begins]] | odd[data[ends]]
    if least <= max(_MISSING_SIZES):
        rows = np.flatnonzero((sizes >= min(_MISSING_SIZES)) & (sizes <= max(_MISSING_SIZES)))
        found[rows] |= np.isin(data[begins[rows]], list(_MISSING_BEGINS))
    if (data == _POINT).any():
        found |= (data[ends] == _ZERO) & (data[np.maximum(ends - 1, 0)] == _POINT)
    return np.flatnonzero(found)


def has_any(texts: pa.Array, characters: str) -> bool:
    """Tell whether any text has one of some characters of ASCII.

    Examples
    --------
    >>> has_any(pa.array(["a|b", "c,d"]), ",;"), has_any(pa.array(["a|b"]), ",;")
    (True, False)
    """
    data, _ = parts(texts)
    return any(bool((data == ord(one)).any()) for one in characters)


def special(texts: pa.Array) -> list[str]:
    r"""Return the characters among texts that JSON escapes, a backslash before all others.

    Examples
    --------
    >>> special(pa.array(['a"b', "c\n"])), special(pa.array(["a", "é"]))
    (['\n', '"'], [])
    """
    data, _ = parts(texts)
    if not len(data):
        return []
    found = [chr(one) for one in (_BACKSLASH, _QUOTE) if (data == one).any()]
    if data.min() < _SPACE:
        controls = np.flatnonzero(np.bincount(data[data < _SPACE]))
        found[len(found) - found.count('"') :] = [*map(chr, controls), *['"'] * found.count('"')]
    return found


def hashes(texts: pa.Array) -> np.ndarray:
    """Return a number per text, the same for the same texts, and nearly never for others.

    Examples
    --------
    >>> found = hashes(pa.array(["a", "b", "a"]))
    >>> bool(found[0] == found[2]), bool(found[0] == found[1])
    (True, False)
    """
    found = np.empty(len(texts), np.uint64)
    for start in range(0, len(texts), _ROWS):
        _hash(texts.slice(start, _ROWS), found[start : start + _ROWS])
    return found


def _hash(texts: pa.Array, found: np.ndarray) -> None:
    data, places = parts(texts)
    sizes = np.diff(places)
    least, most = int(sizes.min()), int(sizes.max())
    if least == most >= _WORD:  # as numbers of orders and UUIDs are; the last word may overlap the one before
        found[:] = 0
        for place in (*range(0, most - _WORD, _WORD), most - _WORD):
            found[:] = mixed(found) ^ np.ndarray((len(texts),), _WORDS, data, place, (most,))
    else:
        _hash_any(data, places[:-1], sizes, found)
    if texts.null_count:
        found[pc.is_null(texts).to_numpy(zero_copy_only=False)] = np.iinfo(np.uint64).max  # no UTF-8 has such bytes


def _hash_any(data: np.ndarray, begins: np.ndarray, left: np.ndarray, found: np.ndarray) -> None:
    padded = np.concatenate([data, np.zeros(_WORD, np.uint8)])
    words = np.ndarray((len(data) + 1,), _WORDS, padded, strides=(1,))  # eight bytes from each place on
    np.bitwise_and(words[begins], _MASKS[np.minimum(left, _WORD)], out=found)
    rows = np.arange(len(found))
    while int(left.max()) > _WORD:
        longer = left > _WORD
        rows, begins, left = rows[longer], begins[longer] + _WORD, left[longer] - _WORD
        found[rows] = mixed(found[rows]) ^ (words[begins] & _MASKS[np.minimum(left, _WORD)])


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Return other numbers of 64 bits, as many, in whose upper bits all bits of those given have a part."""
    found: np.ndarray = (numbers ^ (numbers >> _HALF)) * _FACTOR
    return found
