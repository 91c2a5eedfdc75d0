"""What the words of a refusal or of a `failureReason` come from, whatever the code: one row a text.

The texts are those that Amazon documents and that users have met. What is not here is told as it came.
"""

from __future__ import annotations

from personalize_nb import errors
from personalize_nb.session.explanation import Explanation

_SERVICE, _ACCESS, _QUOTA = errors.ServiceError, errors.AccessError, errors.QuotaError

ROLE = (
    "Check that the service role trusts personalize.amazonaws.com, that its policy and the bucket's policy allow "
    "s3:GetObject, s3:PutObject and s3:ListBucket, and that you may pass the role (iam:PassRole)"
)
YOURS = (
    "Ask for {action}; row 'caller' of pnb.preflight(...) lists all that you lack for a job, with its policy. "
    "It is your policy, or one of the bucket or key, and not the service role's"
)
REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")  # codes of calls, which no reason has
PREFLIGHT = "pnb.preflight(...) finds which of them is missing"


def _row(text: str, cause: str, step: str, becomes: type[errors.PersonalizeError] = _SERVICE) -> Explanation:
    return Explanation((), becomes, cause, step, text)


TEXTS = (
    _row(
        r"not authorized to perform: iam:PassRole",
        "Your own credentials may not hand the service role to Amazon Personalize.",
        "Ask for iam:PassRole on that role, with the condition iam:PassedToService = personalize.amazonaws.com; it is "
        "your policy that lacks it, not the role's.",
        _ACCESS,
    ),
    _row(
        r"not authorized to perform: sts:AssumeRole",
        "Whoever calls may not assume the role.",
        "The role's trust policy must name the caller, and the caller's policy must allow sts:AssumeRole on it.",
        _ACCESS,
    ),
    _row(
        r"(KMS|kms:|key policy|ciphertext).*(not authorized|denied|does not exist|disabled|not allowed)"
        r"|not authorized to perform: kms:",
        "The KMS key of the bucket or of the job cannot be used by whoever needs it.",
        "The key's policy and the policy of the role must allow kms:Decrypt, kms:GenerateDataKey, kms:DescribeKey and "
        "kms:ListGrants, the key's policy also kms:CreateGrant for personalize.amazonaws.com; the key must be enabled "
        f"and in the same region. {PREFLIGHT}.",
        _ACCESS,
    ),
    _row(
        r"nsufficient privileges",
        "Amazon Personalize may not read or write the bucket: it needs the role's policy and the bucket's policy, both "
        "of them, and the KMS key's policy where there is one.",
        f"{ROLE}; {PREFLIGHT}.",
        _ACCESS,
    ),
    _row(
        r"explicit deny",
        "A policy denies the call in so many words, and no other policy can allow it again.",
        "Change the statement that denies it: of the caller, the bucket, a permissions boundary or the organization.",
        _ACCESS,
    ),
    Explanation(
        REFUSED,
        _ACCESS,
        "You, who make the call, lack a right to it.",
        f"{YOURS}.",
        r"not authorized",
    ),
    _row(
        r"not authorized",
        "A policy that would allow the call is missing.",
        f"{ROLE}; {PREFLIGHT}.",
        _ACCESS,
    ),
    _row(
        r"(invalid|cannot|unable to|could not).*(role|assume)|role.*(does not exist|cannot be assumed|trust)",
        "Amazon Personalize cannot use the service role: there is none of that name, it does not trust "
        "personalize.amazonaws.com, or it was made only seconds ago.",
        "Look at the role's ARN and its trust policy; after a change to IAM wait a minute.",
    ),
    _row(
        r"Invalid S3 input path",
        "The input's address is not of the form s3://bucket/key, nothing is below it, or it is in another region.",
        "Look at the address with pnb.preflight(...); a folder ends with '/', and 256 characters are the most.",
    ),
    _row(
        r"Invalid S3 output path",
        "The output's address is not of the form s3://bucket/folder/, or it is the same as the input's.",
        "Give another folder with output='s3://bucket/folder/', or leave it out: each job gets its own.",
    ),
    _row(
        r"Invalid Data location",
        "There is no file at the address of the import, or the address is wrong.",
        "Look at dataLocation: a file, or a folder that ends with '/'. pnb.train(...) uploads and names it itself.",
    ),
    _row(
        r"bucket.*(does not exist|different region|in (the )?(same|another) region|not in .*region)",
        "The bucket is not there, or in another region than Amazon Personalize is called in.",
        "Use a bucket of the session's region.",
    ),
    _row(
        r"missing the following columns",
        "The header of the file does not have every column that the schema names.",
        "Columns and schema must agree, in any order of the fields; pnb.train(...) makes both from the frames.",
    ),
    _row(
        r"Length cannot be more than",
        "A value is longer than the column may be, or a quote before it is not closed.",
        "Shorten the value, or mark the column textual; quotes within text are escaped with a backslash.",
    ),
    _row(
        r"fewer than 25 users|users with at least 2 interactions",
        "There are too few users to train on: 25 with two interactions each, and one in a hundred of all users.",
        "Import more interactions, or leave out the filter by event type or value.",
    ),
    _row(
        r"fewer than 1,?000 interactions|at least 1,?000 (interactions|records)",
        "There are too few interactions to train on: 1000 are the least, counted after filters by event.",
        "Import more interactions, or leave out event_type; pnb.preflight_training(...) counts them beforehand.",
    ),
    _row(
        r"Placeholders are not allowed with NOT_IN",
        "A filter takes a placeholder with IN and with comparisons, not with NOT IN.",
        "Turn the filter round: EXCLUDE ... IN ($NAME) in place of INCLUDE ... NOT IN ($NAME).",
    ),
    _row(
        r"Placeholders can only be used",
        "The filter has a placeholder in a place that takes none.",
        "Placeholders stand after IN, in parentheses, and after comparisons.",
    ),
    _row(
        r"Could not create filter|Invalid (filter )?expression",
        "The filter's expression does not keep to the grammar, or names a column that filters cannot read.",
        "Textual and boolean columns cannot be filtered, nor columns of interactions but EVENT_TYPE; one expression "
        "reads one dataset, and '|' joins several.",
    ),
    _row(
        r"delete some|resources in ACTIVE state",
        "A quota of things that stay is used up.",
        "Delete what is not needed (pnb.list_dataset_groups() shows what there is, pnb.delete_dataset_group(name) "
        "deletes one with everything on it), or ask for more in Service Quotas.",
        _QUOTA,
    ),
    _row(
        r"resources with PENDING or IN_PROGRESS status",
        "As much work is under way as the account may have in this region.",
        "Wait until other work has ended (pnb.list_jobs()), then try again; Service Quotas may grant more.",
        _QUOTA,
    ),
    _row(
        r"Required fields for the provided recipe",
        "Input lines have not the keys that the recipe reads.",
        "Lines hold userId, itemId, or userId with itemList, as the recipe wants; pnb.recommend(...) writes them.",
    ),
    _row(
        r"(input|file|job).*(\d+) (files|records|bytes).*can have",
        "The input is larger than a job may read: 1000 files, 1 GB, and with themes 100 records a file.",
        "Cut the input into several jobs; pnb.recommend(frame, ...) and pnb.themes(frame, ...) do so for frames.",
    ),
    _row(
        r"textual field|theme generation needs|item name field",
        "Themes are made from the items' names and one textual column, and the items dataset has not both.",
        "Train again with them: pnb.train(..., items, textual='...').",
    ),
    _row(
        r"unknown hyperparameter|hyperparameter",
        "The recipe has no hyperparameter of that name, or the value is outside its range.",
        "pnb.preflight_training(...) names the legal ones with their ranges.",
    ),
    _row(
        r"internal (service )?(error|failure)|try again later|unexpected error",
        "It failed inside AWS, not because of the request.",
        "Start it again under a new name; where that fails as well, give AWS's support the ARN.",
    ),
)
