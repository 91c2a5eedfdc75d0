"""Passages that a catalogue repeats: notes of its editors, promises of its shop. They say nothing of one item.

A passage is a run of words that stands in many different texts. What is left of a text is read as if the passage were
a full stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from personalize_nb.local.themes.text import Token, tokens

LENGTH = 5  # words that are no coincidence in so many texts
LEAST_TEXTS, SHARE = 4, 0.004


def repeated_passages(texts: Collection[str]) -> frozenset[tuple[str, ...]]:
    """Return the runs of five words that many of the texts have; digits count alike.

    Examples
    --------
    >>> texts = [f"A note by our own editors, no. {number}: about {word}." for number, word in enumerate("abcdef")]
    >>> sorted(repeated_passages(texts))[:2]
    [('a', 'note', 'by', 'our', 'own'), ('by', 'our', 'own', 'editors', 'no')]
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = _plain(list(tokens(text)))
        counts.update({tuple(words[start : start + LENGTH]) for start in range(len(words) - LENGTH + 1)})
    least = max(LEAST_TEXTS, SHARE * len(texts))
    return frozenset(passage for passage, count in counts.items() if count >= least)


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
