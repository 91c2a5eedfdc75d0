"""Input that lies in S3 already, looked into before a job reads it: what is there, how much, and its first lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from personalize_nb import errors
from personalize_nb.access import input_files, input_lines, refusals
from personalize_nb.access.checks import Inspection
from personalize_nb.access.input_files import InputFound, InputObject
from personalize_nb.access.input_lines import LinesFound, WantedKeys
from personalize_nb.access.report import OK, UNCHECKED, Check
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.contract.policies.uses import Use
from personalize_nb.errors import ERROR, WARNING
from personalize_nb.jobs.request import KIND_OF_KEYS, JobRequest
from personalize_nb.jobs.rules import most_records
from personalize_nb.session import s3
from personalize_nb.session.compression import SUFFIXES
from personalize_nb.text.counts import counted, verb

# bytes read of a file, and files read: of each kind enough for a hundred long lines
_BEGINNING = 256 << 10
_MOST_FILES = 5
_SHOWN = 3
_SPLITS = "pnb.recommend(address, model) splits such input by itself"
_REPAIR = "Legal is plain text, with one JSON object on each line."


def stored_input(job: Inspection) -> Iterator[Check]:
    """Look into the input, where the request names one that lies in S3 already."""
    uses = [use for use in job.uses if not use.writes]
    if job.subject.uploads or not uses or job.reader.bucket(uses[0].bucket or "").missing:
        return
    use = uses[0]
    try:
        found = input_files.find(job.session, use.bucket or "", use.key)
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        yield Check(
            "input", UNCHECKED, f"Unchecked is the input at s3://{use.bucket}/{use.key}: {refusals.told([error])}"
        )
        return
    job.input_listed = True
    if not found.data:
        beside = f"; {_few(found.side)} are no data by their names" if found.side else ""
        text = f"Bucket {use.bucket!r} holds no object whose key begins with {use.key!r}{beside}."
        yield Check("input", ERROR, text, "Upload the input first; pnb.recommend() does.")
        return
    lines = list(_lines(job, use, found))
    is_read = not any(check.level == UNCHECKED for check in lines)
    read = {one.key for one in found.sample(_MOST_FILES)} if is_read else set()
    checks = [*_around(job, use, found), *_amounts(found, read), *lines]
    yield from checks
    if not any(check.level in (ERROR, UNCHECKED) for check in checks):
        some = "" if found.complete else "at least "
        keys = " and ".join(job.facts.input_keys) if job.facts else "JSON"
        yield Check("input", OK, f"{some}{counted(len(found.data), 'file')}; the first lines hold {keys}.")


def _around(job: Inspection, use: Use, found: InputFound) -> Iterator[Check]:
    """Warn of what a prefix takes in, though it is not meant."""
    path = f"s3://{use.bucket}/{use.key}"
    if found.siblings:
        text = (
            f"{path!r} also is how {_few(found.siblings)} begin{'s' if len(found.siblings) == 1 else ''}: Personalize "
        )
        text += "may take every object whose key begins so; AWS's pages do not say."
        to_do = "Give the input a folder of its own." if found.exact else "End the path with '/' to take a folder only."
        yield Check("input: siblings", WARNING, text, to_do)
    if found.side:
        text = f"Beside the data lie {_few(found.side)}. AWS's pages do not say that such files are left out."
        yield Check("input: side files", WARNING, text, "Take them away, or name the file itself as input.")
    if found.outputs:
        looks = verb(len(found.outputs), "looks", "look")
        text = f"{_few(found.outputs)} {looks} like the output of a job, and would be read as input."
        yield Check("input: output", WARNING, text, "Keep input and output in folders of their own.")
    if found.twice:
        text = (
            f"Several folders of the input have a file {_few(found.twice)}; the output is named after the file's name."
        )
        yield Check("input: names", WARNING, text, "Give every file a name of its own.")
    written = [one for one in job.uses if one.writes and one.bucket == use.bucket]
    inside = [one for one in written if one.key.startswith(use.key)]
    # a folder that ends with a slash is told of by the rules of the request
    if inside and not found.exact and not use.key.endswith("/") and inside[0].key != use.key:
        text = (
            f"The output 's3://{use.bucket}/{inside[0].key}' lies under the input {path!r}; the next job would read it."
        )
        yield Check("request: output_path", WARNING, text, "Keep input and output in folders of their own.")


def _amounts(found: InputFound, read: Collection[str]) -> Iterator[Check]:
    some = "" if found.complete else "at least "
    if len(found.data) > limits.MAX_INPUT_FILES:
        text = f"The input has {some}{len(found.data):,} files; a job takes at most {limits.MAX_INPUT_FILES:,}."
        yield Check("input: files", ERROR, text, f"Put several files together; {_SPLITS}.")
    if found.size > limits.MAX_INPUT_BYTES:
        text = f"The input has {some}{found.size:,} bytes; a job takes at most {limits.MAX_INPUT_BYTES:,}."
        yield Check("input: size", ERROR, text, f"Spread it over several jobs; {_SPLITS}.")
    archived = [one.key for one in found.data if one.is_archived]
    if archived:
        text = f"{_few(archived)} {'lies' if len(archived) == 1 else 'lie'} in an archive of S3, where nobody can read."
        yield Check("input: archive", ERROR, text, "Restore it, or copy it to the storage class STANDARD.")
    if not found.size:
        text = f"{_few([one.key for one in found.data])}: the input is empty."
        yield Check("input: records", ERROR, text, _REPAIR)
    # what was read is told by what it holds
    unread = [one.key for one in found.data if one.key not in read]
    packed = [key for key in unread if key.lower().endswith((*SUFFIXES, ".zip", ".parquet"))]
    if packed:
        text = f"{_few(packed)} {'is' if len(packed) == 1 else 'are'} not plain text by the name."
        yield Check("input: names", WARNING, text, _REPAIR)


def _lines(job: Inspection, use: Use, found: InputFound) -> Iterator[Check]:
    """Read the beginnings of some files and tell what is wrong with them, in one row for each kind."""
    wanted = WantedKeys.of(job.facts, job.filter.get("filterExpression"))
    told: dict[str, dict[tuple[str, str], list[str]]] = {}
    chosen = found.sample(_MOST_FILES)
    records = 0
    for one in chosen:
        try:
            head = s3.beginning(job.session, f"s3://{use.bucket}/{one.key}", _BEGINNING)
        except errors.CredentialsError:
            raise
        except errors.PersonalizeError as error:
            text = f"Unchecked are the lines of {one.key!r}, though Personalize may read them: {refusals.told([error])}"
            yield Check("input: lines", UNCHECKED, text)
            return
        cut = one.size > len(head)
        lines = input_lines.judged(head, wanted, cut=cut)
        records += lines.count
        for check, level, text in _of_file(job, one, lines, cut=cut):
            told.setdefault(check, {}).setdefault((level, text), []).append(one.key)
    if chosen and not records and not told and len(chosen) == len(found.data):
        yield Check("input: records", ERROR, "The input has blank lines only.", _REPAIR)
    for check, texts in told.items():
        level = ERROR if any(level == ERROR for level, _ in texts) else WARNING
        sentences = [f"{_few(keys)}: {text}." for (_, text), keys in texts.items()]
        repair = (
            f"{_REPAIR[:-1]}, such as {wanted.example}." if check in ("input: lines", "request: input_path") else ""
        )
        yield Check(check, level, " ".join(sentences), repair)


def _of_file(job: Inspection, one: InputObject, lines: LinesFound, *, cut: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, level and text of what is found in one file."""
    if lines.form:
        yield "input: lines", ERROR, lines.form
        return
    if lines.other_kind and job.facts:
        kind = KIND_OF_KEYS.get(job.facts.input_keys, "other lines")
        keys = ", ".join(job.facts.input_keys)
        yield (
            "request: input_path",
            ERROR,
            f"{job.facts.name} takes {kind} ({keys}), the input holds {lines.other_kind}",
        )
        return
    for level, found in ((ERROR, lines.problems), (WARNING, lines.notes)):
        for text, numbers in found.items():
            name = "input: filter values" if "$" in text or "filter" in text else "input: lines"
            yield name, level, f"{text} ({_places(numbers, lines.read)})"
    request, most = job.request, most_records(job.request.job_kind, job.facts)
    if (
        isinstance(request, JobRequest)
        and request.mode == THEME_GENERATION
        and lines.count > limits.MAX_THEME_RECORDS_PER_FILE
    ):
        text = (
            f"it has {'at least ' if cut else ''}{lines.count:,} lines; with themes a file has at most "
            f"{limits.MAX_THEME_RECORDS_PER_FILE} (pnb.themes(items, model) splits them into jobs)"
        )
        yield "input: records", ERROR, text
    elif lines.count > most:
        some = "at least " if cut else ""
        yield "input: records", ERROR, f"it has {some}{lines.count:,} lines; a file has at most {most:,}"
    elif cut and lines.count and one.size / (lines.size / lines.count) > most:
        about = int(one.size / (lines.size / lines.count))
        yield "input: records", WARNING, f"it has about {about:,} lines by its size; a file has at most {most:,}"


def _places(numbers: Sequence[int], read: int) -> str:
    """Say in which lines something was found: `in line 3`, `in all of the first 100 lines`."""
    if len(numbers) == read > 1:
        return f"in all of the first {read} lines"
    if len(numbers) == 1:
        return f"in line {numbers[0]}"
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"in lines {shown}{more}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
