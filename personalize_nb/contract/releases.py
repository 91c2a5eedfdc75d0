"""Which release of boto3 brought what newer requests need, so that an older one is told what it lacks.

Botocore refuses a member that its own model has not, in words that do not say what to do. Releases of boto3 and of
botocore have the same numbers. Members that every legal release has are named too where a whole feature hangs on them:
a model may also lie in `~/.aws/models`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from personalize_nb.contract import limits

# by path of the request; found by comparing the models of the releases around each
BROUGHT = {
    "CreateBatchInferenceJob": {
        "batchInferenceJobMode": "1.33.0",
        "themeGenerationConfig": "1.33.0",
        "batchInferenceJobConfig.rankingInfluence": "1.41.6",
    },
    "CreateSolution": {
        "performAutoTraining": "1.34.88",
        "performIncrementalUpdate": "1.41.6",
        "solutionConfig.autoTrainingConfig": "1.34.88",
        "solutionConfig.eventsConfig": "1.37.29",
        "solutionConfig.trainingDataConfig.includedDatasetColumns": "1.41.6",
    },
}


def lacking(operation: str, path: str) -> str | None:
    """Return what to do where the installed botocore cannot send a member of a request; None where it can.

    Parameters
    ----------
    operation
        As AWS names it.
    path
        The member's path, with dots.
    """
    brought = BROUGHT.get(operation, {})
    newer = next((one for one in _begins(path) if one in brought), None)
    if newer is None or _known(operation, newer):
        return None
    import botocore

    release = brought[newer]
    return (
        f"needs boto3 {release} or newer, and {botocore.__version__} is installed: pip install --upgrade "
        f"'boto3>={release}', then restart the kernel; or leave it out"
    )


def too_new(operation: str, parameters: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield a sentence for each member of a request that a newer release than the installed one brought."""
    for name, value in parameters.items():
        path = f"{within}{name}"
        if needed := lacking(operation, path):
            yield f"{path!r} {needed}."
        elif isinstance(value, Mapping):
            yield from too_new(operation, value, f"{path}.")


def _begins(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _known(operation: str, path: str) -> bool:
    model = limits.service_model()
    shape: Any = model.operation_model(operation).input_shape
    for name in path.split("."):
        members = getattr(shape, "members", None)
        if members is None:
            return True  # within a map, any key can be sent
        if name not in members:
            return False
        shape = members[name]
    return True
