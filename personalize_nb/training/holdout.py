"""Interactions in two: what a model learns from, and what users did next, which it is measured against."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.ids import Findings
from personalize_nb.session.progress import choose
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import python, shown
from personalize_nb.training import timestamps

if TYPE_CHECKING:
    import datetime

    from personalize_nb.inputs.forms import Data


class Holdout(NamedTuple):
    """Interactions in two: `train` to learn from, and `truth`, which is held out."""

    train: pd.DataFrame
    truth: pd.DataFrame


@public
def holdout(
    interactions: Data,
    *,
    newest: int | None = None,
    share: float | None = None,
    after: datetime.datetime | datetime.date | str | float | None = None,
    per_user: bool = True,
    only_new_items: bool = False,
) -> Holdout:
    """Hold out the newest interactions, so that a model is measured against what it has not seen.

    Parameters
    ----------
    interactions
        Columns `user_id`, `item_id`, `timestamp`. Of equal times the later row is the newer.
    newest
        How many interactions of each user are held out.
    share
        Which share of each user's interactions is held out, 0.2 for a fifth; rounded down, so that of few none is.
    after
        Everything at or after this moment is held out, of all users: a date (UTC), or a number like the timestamps.
    per_user
        False holds out the newest of all interactions, one moment for everybody, instead of each user's.
    only_new_items
        Whether the truth has only items that the user has not met in `train`, each once: finding those is what
        recommendations are for.

    Returns
    -------
    Holdout
        `train, truth = pnb.holdout(...)`: rows of the data as they are, in their order, as frames of pandas. Users
        with no more than `newest` interactions stay in `train` whole, which is said, as nothing could be learned of
        them.

    Raises
    ------
    InputError
        Not exactly one of `newest`, `share` and `after` is given, or is not legal; a time is missing; nothing is left
        to learn from, or nothing is held out.

    References
    ----------
    The hold-out by which Amazon Personalize measures a solution version (GetSolutionMetrics), with your own choice.

    Examples
    --------
    >>> import pandas as pd
    >>> met = pd.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"], "timestamp": [1.7e9, 1.8e9, 1.75e9]})
    >>> train, truth = holdout(met, newest=1)
    >>> truth["item_id"].tolist()
    ['b']
    """
    _check_options(newest, share, after, per_user)
    read = given(interactions, "'interactions' must be a DataFrame")
    whole = frames.table(read, "'interactions' must be a DataFrame")
    plain = frames.plain(read, "interactions", c.USER_ID, c.ITEM_ID, frames.TIMESTAMP)
    if plain.empty:
        raise InputError("'interactions' is empty, so there is nothing to hold out; give a row for each interaction")
    owner = pd.factorize(plain[c.USER_ID])[0] if per_user else np.zeros(len(plain), np.int64)
    if after is not None:
        held = _seconds(plain[frames.TIMESTAMP]) >= _moment(after, plain[frames.TIMESTAMP])
    else:
        held = _newest(owner, _order_of(plain[frames.TIMESTAMP]), newest, share)
    if not held.any() or held.all():
        raise InputError(_nothing(held, plain, newest, share, after, per_user))
    _tell(plain[c.USER_ID], held, newest, share, after, per_user)
    if only_new_items:
        pairs = plain[[c.USER_ID, c.ITEM_ID]]
        known = pd.MultiIndex.from_frame(pairs[~held].drop_duplicates())
        met = pd.MultiIndex.from_frame(pairs).isin(known) | _again(pairs, held)
        chosen = held & ~met
        repeated = int((held & met).sum())
        if repeated:
            are = verb(repeated, "is", "are")
            choose().say(f"{repeated:,} of {int(held.sum()):,} held-out interactions {are} with items met before")
        if not chosen.any():
            raise InputError("No interaction that is held out is with a new item: leave out 'only_new_items'")
        return Holdout(whole[~held], whole[chosen])
    return Holdout(whole[~held], whole[held])


def _check_options(newest: Any, share: Any, after: Any, per_user: Any) -> None:
    options = {"newest": newest, "share": share, "after": after}
    named = [name for name, value in options.items() if value is not None]
    if len(named) != 1:
        raise InputError(
            f"Give one of newest=3, share=0.2 and after='2026-01-31'; got {', '.join(named) or 'none of them'}"
        )
    if newest is not None and (isinstance(newest, bool) or not isinstance(newest, numbers.Integral) or newest < 1):
        raise InputError(f"'newest' must be a whole number from 1, got {shown(newest)}")
    if share is not None and (
        isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0 < float(share) < 1
    ):
        raise InputError(f"'share' must be a number between 0 and 1, such as 0.2; got {shown(share)}")
    if not isinstance(per_user, (bool, np.bool_)):
        raise InputError(f"'per_user' must be True or False, got {shown(per_user)}")


def _newest(owner: np.ndarray, order: np.ndarray, newest: int | None, share: float | None) -> np.ndarray:
    """Return which rows are held out: of each owner so many of the last in order, if some are left before them."""
    lengths = np.bincount(owner)
    if newest is not None:
        most = np.where(lengths > newest, newest, 0)
    else:
        assert share is not None
        most = np.floor(lengths * share + 1e-9).astype(int)  # 0.3 of 10 is 3
    ordered = order[np.argsort(owner[order], kind="stable")]
    ends = np.cumsum(lengths)[owner[ordered]]
    held = np.zeros(len(owner), bool)
    held[ordered] = ends - np.arange(len(owner)) <= most[owner[ordered]]
    return held


def _order_of(times: pd.Series) -> np.ndarray:
    """Return rows by time, of equal times in their order; finer than seconds where the times are."""
    seconds = _seconds(times)
    if pd.api.types.is_numeric_dtype(times.dtype):
        fine = times.to_numpy(dtype="float64")
    else:
        moments = pd.to_datetime(times, utc=True, errors="coerce", format=_format(times))
        fine = moments.astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    return np.lexsort((fine, seconds))


def _format(times: pd.Series) -> str | None:
    return "ISO8601" if pd.api.types.is_string_dtype(times.dtype) else None


def _seconds(times: pd.Series, column: str = frames.TIMESTAMP) -> np.ndarray:
    findings = Findings()
    seconds = timestamps.to_epoch_seconds(times, column, findings, required=True)
    findings.raise_errors(len(times), "interactions" if column == frames.TIMESTAMP else f"argument {column!r}")
    found: np.ndarray = seconds.to_numpy(zero_copy_only=False)
    return found


def _moment(after: Any, times: pd.Series) -> int:
    """Return a moment in seconds; a number is in the unit of the timestamps."""
    if isinstance(after, numbers.Real) and not isinstance(after, bool):
        if not pd.api.types.is_numeric_dtype(times.dtype):
            raise InputError(
                f"'after' must be a date like the timestamps, for example '2026-01-31'; got {shown(after)}"
            )
        try:
            return int(_seconds(pd.concat([times, pd.Series([after])], ignore_index=True))[-1])
        except InputError as error:  # the times themselves are known to be some
            raise InputError(
                f"'after' must be a moment in the unit of the timestamps, which are like {python(times.iloc[0])}, or a "
                f"date such as '2026-01-31'; got {shown(after)}"
            ) from error
    try:
        moment = pd.Timestamp(after)
    except (TypeError, ValueError) as error:
        raise InputError(f"'after' must be a date or time, for example '2026-01-31'; got {shown(after)}") from error
    if pd.isna(moment):
        raise InputError(f"'after' must be a date or time, for example '2026-01-31'; got {shown(after)}")
    return int(np.ceil((moment.tz_localize("UTC") if moment.tz is None else moment).timestamp()))


def _again(pairs: pd.DataFrame, held: np.ndarray) -> np.ndarray:
    """Return which held-out rows name an item that an earlier row of them named for the user."""
    again = np.zeros(len(pairs), bool)
    again[held] = pairs[held].duplicated().to_numpy()
    return again


def _nothing(held: np.ndarray, plain: pd.DataFrame, newest: Any, share: Any, after: Any, per_user: bool) -> str:
    what = f"newest={newest}" if newest is not None else f"share={share}" if share is not None else f"after={after!r}"
    rows, users = counted(len(plain), "interaction"), counted(plain[c.USER_ID].nunique(), "user")
    if held.all():
        return f"{what} holds out all {rows} of {users}, and nothing is left to learn from; hold out less"
    if after is not None:
        latest = pd.Timestamp(int(_seconds(plain[frames.TIMESTAMP]).max()), unit="s", tz="UTC")
        return f"{what} holds out none of {rows}: the latest is of {latest}; give an earlier moment"
    longest = int(plain[c.USER_ID].value_counts().max()) if per_user else len(plain)
    return f"{what} holds out none of {rows} of {users}: the longest history has {longest:,}; hold out another amount"


def _tell(users: pd.Series, held: np.ndarray, newest: Any, share: Any, after: Any, per_user: bool) -> None:
    tested, learned = users[held].unique(), users[~held].unique()
    untested = len(np.setdiff1d(learned, tested))
    unknown = len(np.setdiff1d(tested, learned))
    if untested and per_user and after is None:
        few = f"no more than {newest} interactions" if newest is not None else f"too few interactions for {share}"
        have, stay = verb(untested, "has", "have"), verb(untested, "stays", "stay")
        choose().say(f"{counted(untested, 'user')} {have} {few}, and {stay} in train whole")
    if unknown:
        choose().say(
            f"{counted(unknown, 'user')} of the truth {verb(unknown, 'has', 'have')} no interaction before, so that "
            f"{verb(unknown, 'it is', 'they are')} new to a model"
        )
