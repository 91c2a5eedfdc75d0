"""Noun phrases of a catalogue: which exist, which items use them, and how the catalogue itself writes them.

A word's class is WordNet's, corrected by the company the word keeps in this catalogue; its number and article in a
theme follow the catalogue's own habit.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from personalize_nb.local.themes.catalogue import Catalogue
from personalize_nb.local.themes.facets import KIND, PLACE, Facet
from personalize_nb.local.themes.genres import TOLD_MEDIA, as_subject, is_genre, subject_key
from personalize_nb.local.themes.lexicon import (
    ANIMAL,
    COUNTED,
    GROUPLESS,
    PERSON,
    UNCOUNTED,
    is_place,
    plural,
    word_class,
    word_list,
)
from personalize_nb.local.themes.occurrences import NAME, NOUN, PAIR, Occurrence, occurrences, proper_words
from personalize_nb.local.themes.passages import fresh, repeated_passages
from personalize_nb.local.themes.text import is_english, tokens

SETTING, SUBJECT = "setting", "subject"
ABOUT, SET_IN, FOR, WITH = "about", "set in", "for", "with"
MIN_LINKED = 0.15  # uses of a phrase with a preposition that make it a habit
MIN_ASSOCIATION = 0.3  # normalised pointwise mutual information of a two-word phrase
MAX_SHARE = 0.2  # a phrase in more of the catalogue than this distinguishes nothing,
MAX_SHARE_SMALL = 0.4  # though a small catalogue may have few kinds of items
SMALL = 1000
LANGUAGE_SAMPLE = 300  # descriptions that show a catalogue's language
ENOUGH = 5  # uses that show a habit
PLAIN = Facet(KIND)
OF_SHARE = 0.5  # uses before "of" that make a noun a part of something else ("the backdrop of")
ALONE = 0.25  # uses of a noun, per item, in which it stands for itself


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as a theme would write it.

    `key` is its singular lower-case form, `slot` one of NOUN, PAIR, NAME, SETTING, SUBJECT (a category value),
    `person` whether it names people, `link` the words that tie it to the head ("about", "set in", "for", "with").
    """

    key: str
    text: str
    slot: str
    person: bool
    link: str = ABOUT


@dataclass(slots=True)
class _Habit:
    """How often a phrase was written in each way, and by which items."""

    singular: int = 0
    plural: int = 0
    bare: int = 0
    definite: int = 0
    counted: int = 0
    as_noun: int = 0
    as_verb: int = 0
    in_name: int = 0
    placed: int = 0
    cut: int = 0
    after_for: int = 0
    after_with: int = 0
    before_of: int = 0
    items: list[int] = field(default_factory=list)

    def add(self, use: Occurrence, row: int, is_name: bool, counts: bool) -> None:
        """Add one occurrence; it `counts` when it shows what the item is about."""
        if counts and (not self.items or self.items[-1] != row):
            self.items.append(row)
        self.in_name += is_name
        self.placed += use.previous in word_list("before_place")
        if use.slot == NAME:
            self.singular += not is_name
            self.definite += use.article == "the"
            return
        determined = use.article in ("the", "'s") or use.article in word_list("determiners")
        self.cut += use.described
        self.before_of += use.before_of
        self.after_for += use.article == FOR
        self.after_with += use.article == WITH
        if use.previous in word_list("before_verb"):
            self.as_verb += 1
        else:
            self.as_noun += 1 + determined
        if use.plural:
            self.plural += 1
        elif not use.attributive and not is_name:
            self.singular += 1
            self.definite += use.article == "the"
            self.counted += use.article in ("a", "an", "another", "one")
            self.bare += not determined


def mine(catalogue: Catalogue) -> list[tuple[Phrase, list[int]]]:
    """Return the phrases worth naming a group by, sorted by key, each with the rows of its items.

    Texts that are not English give none: only category values are left, as the catalogue writes them.
    """
    sample = catalogue.items[:: max(1, len(catalogue.items) // LANGUAGE_SAMPLE)]
    english = is_english([item.description for item in sample])
    habits, words = _read(catalogue) if english else ({}, Counter())
    subjects, parts = _subjects(catalogue), _parts_of_names(habits)
    count = len(catalogue.items)
    least = 3 if count >= SMALL else 2
    most = max(4, int((MAX_SHARE if count >= SMALL else MAX_SHARE_SMALL) * count))
    kept = []
    for (slot, key), habit in habits.items():
        if slot == NAME and len(habit.items) <= 2 * parts[key]:  # "Sherlock" beside "Sherlock Holmes"
            continue
        if key not in subjects and least <= len(habit.items) <= most and _worth_naming(slot, key, habit, words):
            phrase = _written(slot, key, habit, catalogue.medium in TOLD_MEDIA)
            if phrase is not None:
                kept.append((phrase, habit.items))
    for key, (text, rows) in subjects.items():
        told = set(rows).union(*(habits[slot, key].items for slot in (NOUN, PAIR, NAME) if (slot, key) in habits))
        if least <= len(rows) <= 2 * most and not word_list("sensitive").intersection(key.split()):
            slot = SETTING if is_place(key) else SUBJECT
            person, link = word_class(key.split()[-1]).kind == PERSON, SET_IN if slot == SETTING else ABOUT
            kept.append((Phrase(key, text, slot, person, link), sorted(told)))
    return sorted(kept, key=lambda pair: (pair[0].key, pair[0].slot))


def _read(catalogue: Catalogue) -> tuple[dict[tuple[str, str], _Habit], Counter[str]]:
    """Read every name and description; return the habits of all phrases by (slot, key), and counts of words."""
    proper = proper_words(item.description for item in catalogue.items)
    told = catalogue.medium in TOLD_MEDIA
    habits: dict[tuple[str, str], _Habit] = {}
    words: Counter[str] = Counter()
    stale = repeated_passages({item.description: item.categories for item in catalogue.items})
    for row, item in enumerate(catalogue.items):
        for text, is_name in ((item.name, True), (item.description, False)):
            found = list(tokens(text)) if is_name else fresh(list(tokens(text)), stale)
            words.update(token.lower for token in found)
            for use in occurrences(found, proper, is_name):
                counts = not (is_name and told) or use.slot == NAME  # "Reservoir Dogs" is not about dogs
                habits.setdefault((use.slot, use.key), _Habit()).add(use, row, is_name, counts)
    return habits, words


def _parts_of_names(habits: dict[tuple[str, str], _Habit]) -> Counter[str]:
    """Return for each word of longer names how many items the commonest of these names is in."""
    largest: Counter[str] = Counter()
    for (slot, key), habit in habits.items():
        for word in key.split() if slot == NAME and " " in key else ():
            largest[word] = max(largest[word], len(habit.items))
    return largest


def _subjects(catalogue: Catalogue) -> dict[str, tuple[str, list[int]]]:
    """Return key -> (text, rows) of the category values that say what an item is about."""
    found: dict[str, tuple[str, list[int]]] = {}
    for row, item in enumerate(catalogue.items):
        for value in item.categories:
            if not is_genre(value) and catalogue.facets.get(value, PLAIN).role not in (KIND, PLACE):
                continue
            text = as_subject(value, catalogue.medium)
            if text is not None:
                rows = found.setdefault(subject_key(text), (text, []))[1]
                if rows[-1:] != [row]:
                    rows.append(row)
    return found


def _worth_naming(slot: str, key: str, habit: _Habit, words: Counter[str]) -> bool:
    parts = key.split()
    if word_list("sensitive").intersection(parts) or any(part.isdigit() for part in parts):
        return False
    if slot == NAME:
        return _is_known_name(key, habit)
    if not _is_used_as_noun(parts[-1], habit):
        return False
    return _is_known_noun(key, habit) if slot == NOUN else _is_known_pair(key, habit, words)


def _is_used_as_noun(last: str, habit: _Habit) -> bool:
    """Tell whether the catalogue uses a phrase, by its last word, for things and not as part of something else."""
    if habit.in_name > len(habit.items) / 2:  # "Star Trek" makes no treks
        return False
    if habit.as_verb > habit.as_noun / 2:
        return False
    if habit.before_of >= OF_SHARE * (habit.singular + habit.plural):
        return False
    if word_list("stop").intersection(last.split("-")):  # "coming-of-age", "run-in"
        return False
    return habit.singular + habit.plural >= ALONE * len(habit.items)  # else "mid-life", which stands before other nouns


def _is_known_noun(key: str, habit: _Habit) -> bool:
    """Keep words that name a group of things, and that the catalogue shows how to write."""
    if _weak_noun(key, habit) or word_class(key).kind in GROUPLESS:
        return False
    return _spelling(key, habit) is not None


def _is_known_pair(key: str, habit: _Habit, words: Counter[str]) -> bool:
    """Keep two words that belong together and say more than the second one alone."""
    parts = key.split()
    if word_class(parts[-1]).kind in GROUPLESS or word_list("medium").intersection(parts):
        return False
    if word_list("vague").intersection((parts[0], parts[-1])) and word_class(parts[0]).adjective >= 4:
        return False
    if habit.cut > len(habit.items) / 2 or len(habit.items) < 3 or _spelling(key, habit) is None:
        return False
    return _association(parts, habit, words) >= MIN_ASSOCIATION


def _weak_noun(key: str, habit: _Habit) -> bool:
    """Tell whether a word that may be a noun mostly is something else, here and in English."""
    known = word_class(key)
    return known.noun < 6 and habit.as_noun < 4 * habit.as_verb + habit.singular + habit.plural


def _is_known_name(key: str, habit: _Habit) -> bool:
    """Keep places, names that items bear in their titles, and names the catalogue writes with "the"."""
    last = key.rsplit(" ", 1)[-1]
    if (
        len(key) < 4
        or last in word_list("determiners")
        or word_class(last).adjective >= 5
        or last in word_list("name_openers")
    ):
        return False
    if _is_setting(key, habit) or key in word_list("holidays"):
        return True
    if " " not in key:
        modifies = habit.definite >= 0.5 * habit.singular and not key.endswith(("s", "men"))  # "the Bourne identity"
        return not (is_place(key) or modifies) and habit.in_name >= max(2, 0.5 * len(habit.items))
    return len(habit.items) >= 3 and (
        habit.in_name >= 2 or habit.definite >= 0.5 * habit.singular or len(habit.items) >= 8
    )


def _is_setting(key: str, habit: _Habit) -> bool:
    return is_place(key) and habit.placed >= 0.4 * habit.singular


def _association(parts: list[str], habit: _Habit, words: Counter[str]) -> float:
    total = words.total()
    joint = max(habit.as_noun, 1) / total
    second = words[parts[1]] + words[plural(parts[1])]
    independent = words[parts[0]] * second / total**2
    return math.log(joint / independent) / -math.log(joint) if independent else 0.0


def _written(slot: str, key: str, habit: _Habit, told: bool) -> Phrase | None:
    """Give the phrase its number, article and link; None where nothing ties it to what is not told but sold."""
    if slot == NAME:
        if not told:
            return None
        text = " ".join(_capitalised(part) for part in key.split())
        article = "the " if habit.definite >= max(1, 0.5 * habit.singular) else ""
        place = _is_setting(key, habit)
        return Phrase(key, article + text, SETTING if place else NAME, False, SET_IN if place else ABOUT)
    link = ABOUT
    if not told:
        linked = max(habit.after_for, habit.after_with)
        if linked < max(2, MIN_LINKED * habit.as_noun):
            return None
        link = FOR if habit.after_for >= habit.after_with else WITH
    person = word_class(key.rsplit(" ", 1)[-1]).kind == PERSON
    return Phrase(key, _spelling(key, habit) or key, slot, person, link)


def _spelling(key: str, habit: _Habit) -> str | None:
    """Return the phrase as written after "about", or None where the catalogue does not show how."""
    *modifier, noun = key.split()
    many = " ".join([*modifier, plural(noun)])
    kind = word_class(noun).kind
    if noun in word_list("mass"):
        return key
    if noun in word_list("definite") and not modifier:
        return f"the {key}"
    if kind in (PERSON, ANIMAL):
        return many
    if habit.plural >= (0.1 if kind in COUNTED else 0.25) * (habit.singular + habit.plural):
        return many
    if habit.counted >= 0.3 * habit.singular:
        return many
    if habit.counted and habit.counted + habit.plural >= 0.15 * habit.singular:  # "a storm" beside "storm"
        return many if habit.plural else None
    if habit.bare >= 0.5 * habit.singular and (habit.singular >= ENOUGH or kind in UNCOUNTED):
        return key
    if habit.definite >= 0.6 * habit.singular:
        return f"the {key}"
    return many if kind in COUNTED else None


def _capitalised(word: str) -> str:
    if word in {"ii", "iii", "iv", "fbi", "cia", "usa", "us", "uk", "nyc", "kgb", "tv", "u"}:
        return word.upper()
    return "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
