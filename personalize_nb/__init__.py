"""Amazon Personalize batch inference from JupyterLab, on AWS or on the embedded service of this machine.

    import personalize_nb as pnb
    pnb.connect()
    model = pnb.train(interactions, items, name="books")
    job = pnb.recommend(["12", "7"], model, num_results=10)
    job.wait().recommendations(items=items)

Names are loaded when they are first used, so that the import itself costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "charts": ("plot_coverage", "plot_popularity", "plot_scores"),
    "cleanup": ("delete_dataset_group", "list_dataset_groups"),
    "evaluation": ("evaluate",),
    "filters": ("Filter", "create_filter", "find_filter", "list_filters"),
    "form": ("JobForm",),
    "inputs": ("Batch", "items", "rankings", "users"),
    "inspection": ("preflight",),
    "jobs": ("BatchInferenceJob", "list_jobs", "start"),
    "launch": ("recommend", "themes"),
    "permissions": ("allow_personalize", "bucket_policy", "create_role"),
    "quality": ("ThemeQuality", "theme_quality"),
    "receipts": ("watch",),
    "redact": ("redact_notebook",),
    "requests": ("JobRequest", "Problem", "problems"),
    "results": ("Results", "read_results"),
    "runs": ("Run", "attach", "list_runs"),
    "session": ("Session", "connect"),
    "solutions": ("SolutionVersion", "find_solution_version", "list_solution_versions"),
    "training": ("train",),
    "views": ("show_job", "show_themes", "show_user"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = ("errors", "samples")

__all__ = sorted(("__version__", *_MODULE_OF, *_MODULES))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)


if "IPython" in sys.modules:
    importlib.import_module(f"{__name__}.formatters").register()
