"""Passages that a catalogue repeats: notes of its editors, promises of its shop. They say nothing of one item.

A passage is a run of words that stands in many different texts. What is left of a text is read as if the passage were
a full stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from personalize_nb.local.themes.text import Token, tokens

LENGTH = 5  # words that are no coincidence in so many texts
LEAST_TEXTS, SHARE = 4, 0.004
TOPICAL, TOPICAL_LIFT = 0.8, 1.5  # of its texts, how many share a category that is rarer elsewhere


def repeated_passages(texts: Mapping[str, Collection[str]]) -> frozenset[tuple[str, ...]]:
    """Return the runs of five words that many texts have, whatever they are about; digits count alike.

    Parameters
    ----------
    texts
        The different texts, with the categories of their items: what one kind of items says of itself is no note.

    Examples
    --------
    >>> texts = {f"A note by our own editors, no. {number}: about {word}.": () for number, word in enumerate("abcdef")}
    >>> sorted(repeated_passages(texts))[:2]
    [('a', 'note', 'by', 'our', 'own'), ('by', 'our', 'own', 'editors', 'no')]
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        counts.update(_runs(text))
    least = max(LEAST_TEXTS, SHARE * len(texts))
    many = {passage: count for passage, count in counts.items() if count >= least}
    del counts
    if not many:
        return frozenset()
    usual = Counter(value for values in texts.values() for value in values)
    borne: dict[tuple[str, ...], Counter[str]] = {passage: Counter() for passage in many}
    for text, values in texts.items():
        for passage in _runs(text) & many.keys():
            borne[passage].update(values)
    return frozenset(
        passage
        for passage, count in many.items()
        if not any(
            held >= TOPICAL * count and usual[value] <= held / TOPICAL_LIFT / count * len(texts)
            for value, held in borne[passage].items()
        )
    )


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _plain(list(tokens(text)))
    return {tuple(words[start : start + LENGTH]) for start in range(len(words) - LENGTH + 1)}


def fresh(found: Sequence[Token], stale: Collection[tuple[str, ...]]) -> list[Token]:
    """Return the words of a text that stand in no repeated passage."""
    if not stale:
        return list(found)
    words = _plain(found)
    old = [False] * len(words)
    for start in range(len(words) - LENGTH + 1):
        if tuple(words[start : start + LENGTH]) in stale:
            old[start : start + LENGTH] = [True] * LENGTH
    return [
        replace(token, broken=True) if place and old[place - 1] else token
        for place, token in enumerate(found)
        if not old[place]
    ]


def _plain(found: Sequence[Token]) -> list[str]:
    return ["0" if token.lower.isdigit() else token.lower for token in found]
