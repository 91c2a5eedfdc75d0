"""Pack WordNet 3.0 into the small table of word classes that the themes' `lexicon` reads.

Run once, by hand, on the unpacked data of Debian's `wordnet-base`:

    python -m benchmarks.themes.pack_classes /usr/share/wordnet personalize_nb/local/themes/words/classes.txt.gz

One line a word: the word, then three digits (how far it is a noun, a verb, an adjective; tenths of its uses in
WordNet's tagged corpus) and one letter for the lexicographer file of its first noun sense (`a` for 03 to `z` for
28; a capital for a named place, `-` for no noun). The licence asks for its notice to travel along: it is in
`NOTICE.txt` beside the table.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path

PLAIN_WORD = re.compile(r"[a-z]{2,}(-[a-z]+)?")
PLACE_NAME = re.compile(r"[a-z]{3,}(_[a-z]{2,}){0,2}")
LOCATION = 15
UNTAGGED_SENSE = 0.3  # weight of a sense that the tagged corpus never met


def read_index(path: Path) -> dict[str, list[str]]:
    """Return lemma -> offsets of its senses, commonest first."""
    senses = {}
    for line in path.read_text(encoding="ascii").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            senses[fields[0]] = fields[6 + int(fields[3]) :]
    return senses


def read_noun_files(path: Path) -> dict[str, tuple[int, bool]]:
    """Return synset offset -> (lexicographer file, whether it is a named instance)."""
    found = {}
    for line in path.read_text(encoding="ascii").splitlines():
        if not line.startswith(" "):
            offset, number, *rest = line.split(" ", 2)
            found[offset] = (int(number), " @i " in rest[0].partition("|")[0])
    return found


def read_counts(path: Path) -> dict[str, dict[str, int]]:
    """Return lemma -> part of speech digit -> uses in the tagged corpus (satellite adjectives are adjectives)."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in path.read_text(encoding="ascii").splitlines():
        key, _, count = line.split()
        lemma, sense = key.split("%")
        counts[lemma]["3" if sense[0] == "5" else sense[0]] += int(count)
    return counts


def pack(folder: Path) -> list[str]:
    """Return the lines of the table, sorted."""
    index = {
        digit: read_index(folder / f"index.{name}") for digit, name in zip("123", ("noun", "verb", "adj"), strict=True)
    }
    files, counts = read_noun_files(folder / "data.noun"), read_counts(folder / "cntlist.rev")
    lines = []
    for word in sorted(set().union(*index.values())):
        senses = {digit: index[digit].get(word, []) for digit in "123"}
        first = [files[offset] for offset in senses["1"]]
        place = bool(first) and first[0] == (LOCATION, True)
        if not (PLACE_NAME if place else PLAIN_WORD).fullmatch(word) or (first and first[0][1] and not place):
            continue
        weights = [counts[word][digit] + UNTAGGED_SENSE * len(senses[digit]) for digit in "123"]
        shares = "".join(str(min(9, int(10 * weight / sum(weights)))) for weight in weights)
        letter = chr(ord("a") + first[0][0] - 3) if first else "-"
        lines.append(f"{word.replace('_', ' ')}\t{shares}{letter.upper() if place else letter}")
    return lines


def main() -> None:
    """Read the folder and write the table named on the command line."""
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    body = "\n".join(pack(folder)).encode("ascii")
    target.write_bytes(gzip.compress(body, compresslevel=9, mtime=0))
    print(f"{target}: {body.count(10) + 1} words, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
