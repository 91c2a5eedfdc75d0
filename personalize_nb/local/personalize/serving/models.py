"""Models, datasets and filters in memory between requests, so that only the first request waits for the disk.

A model never changes once it is there. Datasets, and the filters bound to them, are read anew when an import or a
put row has changed them. Each is loaded once however many requests wait for it; requests for others go on
meanwhile. The numerical libraries are imported with the first request.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from personalize_nb.contract import limits
from personalize_nb.local.data.events import EventStore
from personalize_nb.local.data.schema import DATASET_TYPES, Schema, TrainingData
from personalize_nb.local.state import layout
from personalize_nb.local.state.facts import ModelFacts
from personalize_nb.local.state.versions import DatasetVersions

if TYPE_CHECKING:
    from personalize_nb.local.filters.bound import BoundFilter
    from personalize_nb.local.recipes.base import Model

Value = TypeVar("Value")

_MODELS, _DATASETS, _FILTERS = 8, 4, 32


class Kept(Generic[Value]):
    """The values used last, each made once."""

    def __init__(self, most: int):
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made by `make` when it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                self._making.pop(key, None)
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
            return value


class Models:
    """What requests need of one service folder.

    Parameters
    ----------
    root
        The service's folder.
    event_store
        The rows put one by one.
    versions
        The files of its datasets.
    """

    def __init__(self, root: Path, event_store: EventStore, versions: DatasetVersions):
        self._root, self._event_store, self._versions = root, event_store, versions
        self._models: Kept[Model] = Kept(_MODELS)
        self._remembered: dict[str, tuple[int, int]] = {}
        self._datasets: Kept[TrainingData] = Kept(_DATASETS)
        self._filters: Kept[BoundFilter] = Kept(_FILTERS)

    def model(self, facts: ModelFacts) -> Model:
        """Return the model of a solution version or recommender, with what its users have done since."""
        name, newest = facts.model, self._event_store.newest(facts.group)
        model = self._models.get(name, lambda: self._load_model(facts))
        if self._remembered.get(name) != newest:
            model.remember(self._event_store.recent(facts.group, facts.streamed_to))
            self._remembered[name] = newest
        return model

    def _load_model(self, facts: ModelFacts) -> Model:
        from personalize_nb.local.recipes import families

        self._remembered.pop(facts.model, None)
        return families.load(layout.model_path(self._root, facts.model))

    def data(self, facts: ModelFacts) -> TrainingData:
        """Return the datasets of a resource's group as they are now."""
        return self._datasets.get((self._stamp(facts), json.dumps(facts.schemas)), lambda: self._load_data(facts))

    def _load_data(self, facts: ModelFacts) -> TrainingData:
        from personalize_nb.local.data import datasets

        schemas = {kind: Schema.from_avro(kind, json.loads(text)) for kind, text in facts.schemas.items()}
        return datasets.load(self._root, facts.group, schemas)

    def filter(
        self, expression: str, facts: ModelFacts, newest: int | None = limits.INTERACTIONS_SEEN_BY_FILTERS
    ) -> BoundFilter:
        """Return a filter bound to a resource's model and to the datasets as they are now.

        Parameters
        ----------
        expression
            The filter.
        facts
            What the resource keeps.
        newest
            How many events of a type and user it sees; None for all.
        """
        key = (expression, newest, facts.model, self._stamp(facts))
        return self._filters.get(key, lambda: self._bind(expression, facts, newest))

    def _bind(self, expression: str, facts: ModelFacts, newest: int | None) -> BoundFilter:
        from personalize_nb.local.filters import binding

        return binding.bind(binding.parse(expression), self.data(facts), self.model(facts).item_ids, newest)

    def _stamp(self, facts: ModelFacts) -> Hashable:
        """Return a value that changes whenever the rows of the group do."""
        group = facts.group
        files = tuple(self._versions.files(group, kind) for kind in DATASET_TYPES)
        return group, files, self._event_store.newest(group)
