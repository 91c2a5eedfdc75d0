"""A picture of metrics: points with the bounds between which they lie, of several sets or slices beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from personalize_nb.errors import ArgumentError, InputError, meant
from personalize_nb.notebook import figures
from personalize_nb.notebook.charts import Chart
from personalize_nb.notebook.tables import Table, bounds, difference, figure, metric_name
from personalize_nb.results.compared import Comparison
from personalize_nb.text.public import public
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from personalize_nb.notebook.figures import Spell

# Accuracy, from 0 to 1 each: what stands on one axis. Others are drawn where they are named.
_ACCURACY = ("normalized_discounted_cumulative_gain", "precision", "mean_reciprocal_rank", "recall", "hit_rate")
_HINT = "pnb.evaluate(...) and pnb.compare(..., truth=...) give such figures"


@public
def plot_metrics(
    measured: Comparison | pd.DataFrame | pd.Series, metrics: str | Sequence[str] = (), *, ax: Axes | None = None
) -> Chart:
    """Show metrics with the bounds between which they lie: of the sets of a comparison, or of slices.

    Parameters
    ----------
    measured
        What `pnb.compare(..., truth=...)` gave, or `pnb.evaluate`, with bounds if that was given `interval=`.
    metrics
        Names of metrics; by default all accuracy at the largest cut-off.
    ax
        Your axes to draw on; by default a new figure in the style of your rcParams.

    Returns
    -------
    Chart
        Shows the picture and its table; `.ax` is the axes, `.text` the same in text.

    Raises
    ------
    InputError
        There is no such metric, or no accuracy.
    ArgumentError
        `measured` is none of these, or `ax` is no axes.

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> truth = pd.DataFrame({"user_id": ["u"], "item_id": ["b"]})
    >>> pnb.plot_metrics(pnb.evaluate(lists, truth, cut_offs=[2]))
    Metrics
                                  value
      NDCG at 2                  0.6309
      Precision at 2                0.5
      Recall at 2                     1
      Mean reciprocal rank at 2     0.5
      Hit rate at 2                   1
    """
    sets, differences = _sets(measured)
    known = list(next(iter(sets.values())).index)
    chosen = _chosen(metrics, known)
    names = list(sets)
    columns = [""]
    for name in names:
        columns += [name, *(["difference, plus is better"] if name in differences else [])]
    rows = []
    for metric in chosen:
        row: list[str] = [metric_name(metric)]
        for name in names:
            row.append(" ".join(filter(None, [figure(sets[name]["value"][metric]), bounds(sets[name].loc[metric])])))
            if name in differences:
                row.append(difference(differences[name].loc[metric]))
        rows.append(row)
    table = Table("", columns, rows, range(1, len(columns)))

    def draw(axes: Axes, spell: Spell) -> None:
        step = 0.7 / len(names)
        handles = []
        for place, name in enumerate(names):
            one = sets[name].loc[chosen]
            at = np.arange(len(chosen)) + (place - (len(names) - 1) / 2) * step
            handles.append(
                axes.errorbar(
                    one["value"].to_numpy(float),
                    at,
                    xerr=whiskers(one),
                    fmt=figures.MARKERS[place % len(figures.MARKERS)],
                    markersize=5,
                    capsize=2.5,
                )
            )
        axes.set_ylim(len(chosen) - 0.5, -0.5)
        if not (sets[names[0]].loc[chosen, "value"].to_numpy(float) < 0).any():
            axes.set_xlim(left=0)
        figures.named_ticks(axes.yaxis, [spell(metric_name(metric)) for metric in chosen])
        figures.label(axes, "value and its bounds" if bounded else "value")
        figures.legend(axes, handles, [spell(name) for name in names])

    bounded = any(one["low"].notna().any() for one in sets.values())
    first = ", ".join(f"{name} {figure(sets[name]['value'][chosen[0]])}" for name in names)
    return Chart(
        "Metrics" if len(names) == 1 else f"Metrics of {', '.join(names)}",
        draw,
        f"Points of each metric{' with its bounds' if bounded else ''}. {metric_name(chosen[0])}: {first}",
        table.html(),
        table.text(),
        ax=ax,
        size=(figures.SIZE[0], 1.1 + (0.2 + 0.16 * len(names)) * len(chosen)),
    )


def whiskers(rows: pd.DataFrame) -> np.ndarray | None:
    """Return how far bounds are from values, as error bars want it; nothing where there are none."""
    value, low, high = (rows[name].to_numpy(float) for name in ("value", "low", "high"))
    apart = np.maximum(np.vstack([value - low, high - value]), 0)  # a draw's bounds may leave the value outside
    return None if np.isnan(apart).all() else apart


def _sets(measured: Any) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Return `value`, `low` and `high` by metric for each set, and differences for those that have some."""
    if isinstance(measured, Comparison):
        rows = measured.metrics()
        parts = {name: rows[rows["list"] == name].set_index("metric") for name in measured.names}
        return parts, {name: part for name, part in parts.items() if name != measured.baseline}
    if isinstance(measured, pd.Series):
        measured = measured.to_frame("value")
    if not isinstance(measured, pd.DataFrame):
        raise ArgumentError(
            f"'measured' must be a comparison, or figures by metric, got {type(measured).__name__} {shown(measured)}; "
            f"{_HINT}."
        )
    if "users" in measured.index:
        measured = measured.drop(index="users")
    if not len(measured) or not all(isinstance(name, str) for name in measured.index):
        raise ArgumentError(
            f"'measured' must have the names of metrics as its index, got columns {list(measured.columns)}; {_HINT}."
        )
    if isinstance(measured.columns, pd.MultiIndex):  # slices with bounds
        slices = dict.fromkeys(measured.columns.get_level_values(0))
        found = {str(name): measured[name] for name in slices}
    elif "value" in measured.columns:
        found = {"value": measured}
    else:
        found = {str(name): measured[[name]].set_axis(["value"], axis=1) for name in measured.columns}
    return {name: part.reindex(columns=["value", "low", "high"]).astype(float) for name, part in found.items()}, {}


def _chosen(metrics: str | Sequence[str], known: list[str]) -> list[str]:
    """Return the metrics to draw: those named, else all accuracy at the largest cut-off."""
    wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    missing = [name for name in wanted if name not in known]
    if missing:
        near = meant(str(missing[0]), known)
        raise InputError(f"There is no metric {shown(missing[0])}{near}; there are {', '.join(known)}.")
    if wanted:
        return wanted
    accuracy = [(name, *name.rpartition("_at_")[::2]) for name in known]
    deepest = max((int(cut) for _, kind, cut in accuracy if kind in _ACCURACY), default=0)
    found = [name for name, kind, cut in accuracy if kind in _ACCURACY and int(cut) == deepest]
    if not found:
        raise InputError(
            "No accuracy is known without a truth: pnb.compare(lists, truth=...). Or name metrics=, of "
            f"{', '.join(known)}."
        )
    return found
