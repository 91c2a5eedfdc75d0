"""What a form's fields amount to: the parameters, the request, its input, and everything wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.inputs.batch import Batch
from personalize_nb.jobs import recommend
from personalize_nb.jobs.request import THEME_GENERATION, Context, JobRequest, Problem, problems
from personalize_nb.notebook.form import fields
from personalize_nb.notebook.form.fields import INFLUENCES, TAGS, TEXT_FIELDS
from personalize_nb.notebook.form.input import Source
from personalize_nb.notebook.form.options import Lookups
from personalize_nb.notebook.form.presets import legal_names
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb


@dataclass(frozen=True)
class Plan:
    """A form as it stands.

    Parameters
    ----------
    request, batch
        What would be sent; None where the fields do not amount to it.
    context
        What is known around the request.
    problems
        Errors and warnings in the form's words.
    notes
        What happens at the start that no field says.
    subject
        What a check of access is about; equal while the same would be found.
    """

    request: JobRequest | None
    batch: Batch | None
    context: Context
    problems: list[Problem]
    notes: tuple[str, ...] = ()
    subject: Any = None


def parameters(widgets: Mapping[str, Any], filter_values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return what differs from the defaults, as `pnb.recommend` takes it, and the fields that make no sense.

    Parameters
    ----------
    widgets
        The form's widgets by name; disabled ones do not count.
    filter_values
        Texts of fields, or series, by placeholder.
    """
    found: list[Problem] = []
    given = {
        name: fields.parsed(field, widgets[name].value, found)
        for name, field in TEXT_FIELDS.items()
        if not widgets[name].disabled
    }
    influence = {key: given.pop(name, None) for key, name in INFLUENCES.items()}
    given["ranking_influence"] = {key: value for key, value in influence.items() if value is not None}
    given["tags"] = fields.parsed(TAGS, widgets["tags"].value, found)
    given["filter"] = widgets["filter"].value
    values = {
        name: fields.filter_text(value) if isinstance(value, str) else value for name, value in filter_values.items()
    }
    given["filter_values"] = {name: value for name, value in values.items() if value is not None}
    themes = widgets["mode"].value == THEME_GENERATION
    given |= {"mode": THEME_GENERATION} if themes else dict.fromkeys(fields.OF_THEMES)
    return {name: given[name] for name in legal_names() if not _empty(given.get(name))}, found


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, dict)) and not value)


def plan(
    given: Mapping[str, Any],
    found: list[Problem],
    version: SolutionVersion,
    chosen: Filter | None,
    source: Source | str | None,
    session: Session,
    lookups: Lookups,
) -> Plan:
    """Return what would be sent for parameters, and every problem with it.

    Parameters
    ----------
    given, found
        What `parameters` returned.
    version, chosen
        The model and the filter.
    source
        The data, or the address of input in S3, or None where it is still to be named.
    session, lookups
        Where to work, and what is known there.
    """
    left = {name: value for name, value in given.items() if name not in ("filter", "filter_values", "at_once")}
    found, batch = list(found), None
    if source is None:
        found.append(Problem("data", f"Input must name a file or folder in S3: {fields.INPUT.hint}."))
    elif isinstance(source, Source):
        try:
            batch = source.batch(version, chosen, given.get("filter_values"))
            found += source.doubts(batch)
        except (errors.InputError, errors.NotFoundError) as error:
            found.append(Problem("data", str(error)))
        except errors.RequestError as error:  # a recipe without batch jobs
            found += error.problems
    known = recommend.context(version, batch, chosen)
    if source is None or (isinstance(source, Source) and batch is None):
        return Plan(None, None, known, found)
    address = source if isinstance(source, str) else None
    try:
        request = recommend.request_for(version, address, chosen, session, **left)
    except errors.NotFoundError as error:
        return Plan(None, batch, known, [*found, Problem("role_arn", str(error))])
    run = recommend.makes_run(request, batch)
    # a run cuts its input, so the limit of a file is kept by itself
    judged = replace(known, per_file=limits.MAX_THEME_RECORDS_PER_FILE) if run else known
    rules = [one for one in problems(request, judged) if one.field != "filter_values"]
    found += [replace(one, text=fields.spoken(one.text)) for one in rules]
    found += _lacking_values(known)
    if "job_name" in given and lookups.taken(given["job_name"], run):
        found.append(Problem("job_name", _taken(given["job_name"])))
    subject = request.replace(input_path=address or "", job_name=given.get("job_name", ""))
    return Plan(request, batch, known, found, tuple(_notes(given, batch, run)), (subject, known))


def _lacking_values(known: Context) -> list[Problem]:
    """What `requests.problems` says of filter values, in the words of a form: fields, not arguments."""
    if known.missing_values is None:
        return []
    lacking = []
    for name in known.required_values:
        absent = known.missing_values.get(name)
        if absent is None:
            lacking.append(f"The filter needs values for ${name}: fill the field ${name}.")
        elif absent:
            have = f"{absent:,} of {counted(known.records or 0, 'record')} {verb(absent, 'has', 'have')}"
            lacking.append(f"{have} no value for the filter's ${name}.")
    return [Problem("filter_values", text) for text in lacking]


def _taken(name: str) -> str:
    return (
        f"Job name {name!r} is taken: names of batch jobs can never be used again. Take another, or empty the field: "
        "a name is made then."
    )


def _notes(given: Mapping[str, Any], batch: Batch | None, run: bool) -> list[str]:
    notes = []
    if run and batch is not None:
        most = limits.MAX_THEME_RECORDS_PER_FILE
        jobs = counted(-(-len(batch) // most), "job")
        notes.append(f"{counted(len(batch), 'item')} become a run of {jobs} of at most {most} items each.")
    if "job_name" not in given:
        notes.append("Job name: empty, so one is made from the solution's name and the time at the start.")
    return notes
