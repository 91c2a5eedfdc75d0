"""Lines that failed become jobs of their own, which ask them again as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import manifests, parts
from personalize_nb.jobs.manifests import Manifest, RunPart
from personalize_nb.jobs.run_results import GroupOutput
from personalize_nb.session import s3
from personalize_nb.session.progress import showing
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.results.results import Results


@showing()
def stored(
    manifest: Manifest, outputs: Sequence[GroupOutput], results: Sequence[Results], session: Session
) -> list[RunPart]:
    """Store the lines that failed, of each group and input file their own, and return the jobs that ask them again.

    Lines of jobs that failed as a whole are left to these jobs, which are started again.

    Parameters
    ----------
    manifest
        The run.
    outputs, results
        What became of each group, and what it wrote.
    session
        Where to store them.
    """
    told = hashlib.sha256()
    found: list[RunPart] = []
    for group, (output, written) in enumerate(zip(outputs, results, strict=True)):
        if not output.done or output.failed_again:
            continue
        request = manifest.groups[group].request
        covers = tuple(one.job_name for one in output.done)
        for name, lines in groupby(written.failed_lines(output.failed_files), key=lambda one: one[0]):
            for part in parts.cut((line for _, line in lines), request.mode, parts.QUOTAS):
                body = part.file.read()
                part.file.seek(0)
                # named after what is asked again: who sends the same lines at the same time sends the same jobs
                own = hashlib.sha256("\n".join((str(group), name, *covers, "")).encode() + body).hexdigest()[:12]
                told.update(own.encode())
                folder = session.location(manifests.FOLDER, manifest.name, "again", own)
                path = f"{folder}/input/{name}"  # the output is named after it, as that of the first attempt
                s3.upload(session, part.file, path, request.input_kms_key_arn)
                found.append(RunPart("", path, f"{folder}/output/", part.records, group, covers))
    names = manifests.new_job_names(manifest.name, len(found), manifests.token_of(told.hexdigest()))
    return [replace(one, job_name=name) for one, name in zip(found, names, strict=True)]


def check_ended(what: str, status: str) -> None:
    """Refuse to look for failures of work that has not ended.

    Raises
    ------
    NotFoundError
        It has not.
    """
    if status not in limits.TERMINAL:
        raise errors.NotFoundError(
            f"{what[:1].upper()}{what[1:]} is {status}; what failed is known once it has ended: .wait(), then "
            ".retry_failed()."
        )
