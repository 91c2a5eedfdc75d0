"""Part of what a job wrote: the results of some input lines only, so that a large output is looked at in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.key_columns import frame
from personalize_nb.results.lines import flat
from personalize_nb.results.members import ITEMS, USERS
from personalize_nb.results.rows import Rows
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data


def selected(rows: Rows, prefix: str | Sequence[str] | None, ids: Data | None) -> Rows:
    """Return the rows and input lines whose id begins in a way, or is one of some.

    Parameters
    ----------
    rows
        All rows.
    prefix
        How the id begins, or several such beginnings.
    ids
        The ids, as for `pnb.users`.
    """
    if (prefix is None) == (ids is None):
        raise InputError("Results are chosen by 'prefix' or by 'ids', one of them: only(prefix='r01').")
    key = rows.answered_keys((ITEMS, *USERS))[0]
    if ids is not None:
        findings, column = Findings(), c.JSON_KEYS[key]
        known = to_strings(frame(ids, column)[column], column, findings)
        findings.raise_errors(len(known), "ids")

        def fits(texts: pa.Array) -> pa.Array:
            return pc.is_in(texts, value_set=known)
    else:
        begins = list(prefix) if isinstance(prefix, Sequence) and not isinstance(prefix, str) else [prefix]
        if not begins or not all(isinstance(one, str) and one for one in begins):
            raise InputError(f"'prefix' must be a text or a list of texts, got {shown(prefix)}.")

        def fits(texts: pa.Array) -> pa.Array:
            found = [pc.starts_with(texts, one) for one in begins]
            for more in found[1:]:
                found[0] = pc.or_(found[0], more)
            return found[0]

    asked = _mask(fits(flat(rows.asked.column(key))))
    echoes = [_mask(fits(pc.struct_field(batch.column("input"), key))) for batch in rows.table.to_batches()]
    chosen = np.concatenate(echoes) if echoes else np.zeros(0, bool)
    if rows.question is not None:
        answers = rows.question >= 0
        chosen[answers] = asked[rows.question[answers]]
    return rows.part(chosen, asked)


def _mask(found: pa.Array) -> np.ndarray:
    mask: np.ndarray = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask
