"""A world in which a job runs, one for each mistake that is made in it, and the table of all mistakes.

A mistake is a function of such a world that spoils it and returns the request; `mistake` enters it in the table. A row
of another kind (rights of the caller, content of the input) is one more function, in whatever test file.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import personalize_nb as pnb
from personalize_nb import errors

TRUSTS_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"mx-job-[\d-]+"), "my-job"),
    (re.compile(r"mx-[a-z]+-\d+-"), ""),
    (re.compile(r"Mx\d+"), "Books"),
)


class World:
    """A bucket for input, one for output and a role, all right, and a request that uses them."""

    def __init__(self, session, model, number):
        # of one length, since lengths of policies are told
        self.session, self.model, self.number = session, model, f"{number:04}"
        self.iam, self.s3, self.kms = session.iam, session.s3, session.client("kms")
        self.role, self.input, self.output = f"Mx{self.number}", f"mx-b-{self.number}-in", f"mx-b-{self.number}-out"
        for bucket in (self.input, self.output):
            self.s3.create_bucket(Bucket=bucket)
            pnb.allow_personalize(bucket, session)
        self.role_arn = pnb.create_role(self.role, [self.input, self.output], session=session)
        self.put_input()
        self.jobs, self.keys = 0, []

    def put_input(self, **more):
        self.s3.put_object(Bucket=self.input, Key="users.jsonl", Body=b'{"userId": "r1"}\n', **more)

    def request(self, **changes):
        self.jobs += 1
        right = pnb.JobRequest(
            job_name=f"mx-job-{self.number}-{self.jobs}",
            solution_version_arn=self.model.arn,
            input_path=f"s3://{self.input}/users.jsonl",
            output_path=f"s3://{self.output}/out/",
            role_arn=self.role_arn,
            num_results=3,
        )
        return right.replace(**changes)

    def again(self, request):
        """Return a request under a name that is still free."""
        self.jobs += 1
        return request.replace(job_name=f"mx-job-{self.number}-{self.jobs}")

    # what mistakes are made of

    def remake_role(self, *trust, path="/", policy=True):
        """Put another role in the place of the right one; it keeps the right policy, unless it shall have none."""
        document = self.role_policy()
        self.delete_role()
        made = self.iam.create_role(RoleName=self.role, Path=path, AssumeRolePolicyDocument=policy_of(*trust))
        self.role_arn = made["Role"]["Arn"]
        if policy:
            self.put_role_policy(document)

    def delete_role(self):
        self.iam.delete_role_policy(RoleName=self.role, PolicyName="PersonalizeReadsAndWrites")
        self.iam.delete_role(RoleName=self.role)

    def trust(self):
        return self.iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"]["Statement"]

    def put_trust(self, *statements):
        self.iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=policy_of(*statements))

    def role_policy(self, name="PersonalizeReadsAndWrites"):
        return self.iam.get_role_policy(RoleName=self.role, PolicyName=name)["PolicyDocument"]

    def put_role_policy(self, document, name="PersonalizeReadsAndWrites"):
        self.iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(document))

    def without(self, action):
        """Take an action out of the role's policy."""
        document = self.role_policy()
        for statement in document["Statement"]:
            statement["Action"] = [one for one in statement["Action"] if one != action]
        self.put_role_policy(document)

    def bucket_statements(self, bucket):
        return json.loads(self.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]

    def put_bucket_policy(self, bucket, *statements):
        self.s3.put_bucket_policy(Bucket=bucket, Policy=policy_of(*statements))

    def new_key(self, **policy):
        self.keys.append(self.kms.create_key(**policy)["KeyMetadata"]["Arn"])
        return self.keys[-1]

    def key_in_order(self):
        """Return a key that the role and Personalize may use."""
        key = self.new_key()
        pnb.create_role(self.role, [self.input, self.output], key, self.session)
        return key

    def encrypt_by_default(self, bucket, key):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    # what is judged

    def report(self, request):
        return pnb.preflight(request, session=self.session)

    def findings(self, request):
        report = self.report(request)
        return report[report.level == "error"]

    def runs(self, request):
        """Tell whether a job of the request runs to its end."""
        try:
            pnb.start(self.again(request), session=self.session).wait(progress=False)
        except errors.PersonalizeError:
            return False
        return True


@dataclass
class Mistake:
    """A row: what is wrong, where preflight tells of it, and what is done where no policy is to be changed."""

    title: str
    checks: tuple[str, ...]
    spoil: Callable[[World], pnb.JobRequest]
    by_hand: Callable[[World, pnb.JobRequest, object], pnb.JobRequest | None] | None = None
    about: str = ""


@dataclass
class Table:
    """The mistakes, in their order, and what the run found of each."""

    rows: list[Mistake] = field(default_factory=list)
    found: dict[str, str] = field(default_factory=dict)

    def mistake(self, about, title, *checks, by_hand=None):
        """Enter a function as a mistake; `by_hand` mends it, and returns another request where that is the repair."""

        def enter(spoil):
            self.rows.append(Mistake(title, checks, spoil, by_hand, about))
            return spoil

        return enter

    def note(self, mistake, findings, how):
        texts = " ".join(f"**{row.check}**: {row.found}" for row in findings.itertuples())
        self.found[mistake.title] = f"| {mistake.about} | {mistake.title} | {masked(texts)} | {masked(how)} |"

    def lines(self):
        return [self.found[row.title] for row in self.rows if row.title in self.found]


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def masked(text):
    """Return a text without what differs from run to run, as a cell of a table."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def calls_in(text):
    """Return the calls of `pnb` and `session` that a text names, as code."""
    calls = []
    for match in re.finditer(r"\b(pnb|session)\.", text):
        for end in (close.end() for close in re.finditer(r"\)", text)):
            code = text[match.start() : end]
            goes_on = re.match(r"\.\w", text[end:])
            if end > match.start() and isinstance(_parsed(code), ast.Call) and not goes_on:
                calls.append(code)
                break
    return [call for call in calls if not any(call != other and call in other for other in calls)]


def _parsed(code):
    try:
        return ast.parse(code, mode="eval").body
    except SyntaxError:
        return None
