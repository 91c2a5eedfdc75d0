r"""What tells whose a notebook is: one rule for each way in which accounts, buckets, roles, keys and secrets are named.

A rule searches a text, and has words without which it finds nothing: a text that has none of them is not searched.
Here are patterns of what tells by itself, such as ARNs, addresses and tokens: what a named group matches is masked, and
the group's name is the kind of leak. `accounts`, `names_and_values` and `tables` have the others. Rules see a text
as a reader does (`text.readings`) and also as it is written, so they know neither entities nor colours.
Parts that repeat are bounded or exclude what follows them, so that no text makes a rule search it again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# The kinds, in the words of `personalize-nb redact --check`.
KINDS = {
    "account": "account id",
    "alias": "account alias",
    "bucket": "bucket",
    "role": "role or user",
    "assumed": "role or user",
    "key_id": "access key id",
    "secret": "secret",
    "key": "secret",
    "request": "request id",
    "home": "home folder",
    "port": "port of a local service",
}


class Found(NamedTuple):
    """What is to be masked of a text, and its kind."""

    kind: str
    start: int
    end: int


class Leak(NamedTuple):
    """A rule: words of which one must be there, in lower case, and what finds all that belongs together."""

    words: tuple[str, ...]
    search: Callable[[str], Iterator[tuple[Found, ...]]]


# Twelve digits as people and programs write an account: 123456789012, 1234-5678-9012, 123_456_789_012.
TWELVE = re.compile(r"\d{12}|\d{4}(?:[- _]\d{4}){2}|\d{3}(?:_\d{3}){3}")


def rule(words: str, pattern: str) -> Leak:
    """Return a rule that finds what the named groups of a pattern match; `accounts` are several."""
    compiled = re.compile(pattern)

    def search(text: str) -> Iterator[tuple[Found, ...]]:
        for match in compiled.finditer(text):
            kinds = [kind for kind, value in match.groupdict().items() if value]
            yield tuple(
                Found(kind if kind != "accounts" else "account", *one.span(0 if kind == "accounts" else kind))
                for kind in sorted(kinds, key=lambda kind: (match.start(kind), -match.end(kind)))
                for one in (TWELVE.finditer(text, *match.span(kind)) if kind == "accounts" else (match,))
            )

    return Leak(tuple(words.split()), search)


_QUOTE = r"""(?:\\?["'`]|&quot;|&\#3[49];|&\#x27;)"""
_HAS_DIGIT = r"(?=[^\s\"'&<>,;]{0,200}\d)"
_S3_HOST = r"s3(?:[.-][a-z0-9]{1,30}){0,10}\.amazonaws\.com"
_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])"
_FOLDER = r"[^\\/\s\"'<>&;,:*]+"
_NAME_START = r"(?:(?<=\\[nrt])|(?<![A-Za-z0-9]))"

RULES = (
    # accounts and what is theirs, in ARNs; pandas cuts them anywhere
    rule("arn:", r"arn:aws[\w-]{0,20}:s3:::(?P<bucket>[\w.\-]+)"),
    rule(
        "arn:",
        r"arn:aws[\w-]{0,20}:(?:iam|sts)::(?P<account>\d{12}|\*{12}):[a-z]+(?:-[a-z]+){0,4}/(?!\*)(?P<role>[\w+=,.@\-/]+)",
    ),
    rule("assumed", r"\bassumed-role/(?P<role>(?P<assumed>[\w+=,.@\-]+)[\w+=,.@\-/]*)"),
    rule("instance-profile", r"\binstance-profile/(?P<role>[\w+=,.@\-/]+)"),
    rule("arn:", r"arn:aws[\w-]{0,20}:kms:[\w-]*:(?P<account>\d{12}):(?:key|alias)/(?P<secret>[\w\-/]+)"),
    rule("arn:", r"arn:aws[\w-]{0,20}:[\w-]+:[\w-]*:(?P<account>\d{12})(?=:|\.\.\.|…|[\s\"'<&]|$)"),
    rule("arn:", r"arn:aws[\w-]{0,20}:[\w-]+:[\w-]*:(?P<account>\d{1,11})(?=\.\.\.|…)"),
    # accounts and their aliases in addresses
    rule("amazonaws", r"(?:sqs|queue)[\w.-]{0,80}\.amazonaws\.com(?:\.cn)?/(?P<account>\d{12})(?!\d)"),
    rule(
        "amazonaws aws.amazon signin.aws .api.aws",
        r"(?<![\d])(?P<account>\d{12})(?=(?:-[a-z0-9]{1,20})?\.[a-z0-9.-]{0,80}?"
        r"(?:amazonaws|aws\.amazon|amazonaws-us-gov|signin\.amazonaws|api)\.(?:com|aws|cn)\b)",
    ),
    rule("dkr", r"(?<!\d)(?P<account>\d{12})(?=\.dkr[.-]ecr)"),
    rule("signin.aws", r"https?://(?P<alias>[a-z0-9][a-z0-9-]{1,62})(?=\.signin\.aws)"),
    rule("awsapps", r"https?://(?P<alias>[a-z0-9][a-z0-9-]{1,62})(?=\.awsapps\.com)"),
    rule("switchrole", r"switchrole\?(?:[^\s\"'<>]{0,300}&)?account=(?P<alias>[\w-]+)"),
    rule("rolename", r"(?i:[?&]rolename=)(?P<role>[\w+=,.@\-/]+)"),
    rule("iam/", r"/iam/home[^\s\"'<>#]{0,200}#/?(?:roles|users)/(?:details/)?(?P<role>[\w+=,.@-]+)"),
    rule("alias/", r"(?<=[\"'`])alias/(?!aws/)(?P<secret>[\w/-]{3,})(?=[\"'`\\])"),
    rule("personalize-nb-", r"\bpersonalize-nb-(?=(?P<account>\d{12}))(?P<bucket>\d{12}-[\w-]+)"),
    # buckets
    rule("s3://", r"(?i:s3)://(?!\*)(?P<bucket>[a-z0-9][a-z0-9.\-]{1,62})"),
    rule("s3a: s3n:", r"(?i:s3[an])://(?!\*)(?P<bucket>[a-z0-9][a-z0-9.\-]{1,62})"),
    rule("amazonaws", rf"{_NAME_START}(?!s3[.-]){_BUCKET}(?=\.{_S3_HOST})"),
    rule("amazonaws", rf"(?<![\w.-]){_S3_HOST}(?:\.cn)?/{_BUCKET}"),
    rule(
        "console",
        rf"console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/s3/(?:buckets|object|home|get)/{_BUCKET}",
    ),
    # keys, tokens and other secrets
    rule(
        "akia asia aroa aida local",
        r"(?<![A-Z0-9])(?P<key_id>(?:AKIA|ASIA)[A-Z0-9]{16}|(?:AROA|AIDA)[A-Z2-7]{17}|(?:AROA|AIDA)[A-Z2-7]{16}|LOCAL[0-9A-F]{15})\b",
    ),
    rule("x-amz-", r"(?i:x-amz-(?:signature|credential|security-token)=)(?P<secret>[^\s\"',)*&<>\[\](;\\]++)"),
    rule(
        "x-amz-sec",
        rf"(?i:x-amz-security-token{_QUOTE}?\s{{0,20}}:\s{{0,20}}{_QUOTE}?)(?P<secret>[^\s\"'`,)*&<>\[\](;\\]++)",
    ),
    rule("bearer", rf"(?i:\bbearer[\s\"'+]{{1,8}}){_HAS_DIGIT}(?P<secret>[\w.~+/=-]{{8,}})"),
    rule("bearer", r"(?i:\bbearer\s{1,4})(?P<secret>[\w.~+/=-]{24,})"),
    rule(
        "authorization",
        r"(?i:authorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?:basic|bearer|token|apikey|digest)[\s\"'+=]{1,8})"
        r"(?!\{|\$)(?P<secret>[^\s\"'`,)*&<>\[\](;\\]{6,})",
    ),
    rule("cookie", r"(?i:\bcookie[\"']?\s{0,4}[:=]\s{0,4}[\"']?[\w.-]{1,60}=)(?P<secret>[^\s\"';,*]{8,})"),
    rule("signature=", r"(?i:[?&]signature=)(?P<secret>[A-Za-z0-9%+/=_-]{8,})"),
    rule("signature=", r"(?i:[,\s]signature=)(?P<secret>(?=[A-Za-z]{0,200}\d)[A-Za-z0-9%+/=_-]{40,})"),
    rule("://", r"://[^\s/:@\"'<>*]{1,100}:(?P<secret>[^\s/:@\"'<>*]{1,200})@"),
    rule("sk-", r"(?<![\w-])(?P<secret>sk-(?=[a-z-]{0,80}(?:\d|[A-Z]))[\w-]{16,})"),
    rule(
        "gh hf_ xox github_pat glpat- pypi- npm_ dapi",
        r"\b(?P<secret>gh[oprsu]_\w{30,}|github_pat_\w{30,}|hf_[A-Za-z]{30,}|xox[abprs]-[\w-]{10,}"
        r"|glpat-[\w-]{16,}|pypi-AgE[\w-]{16,}|npm_\w{30,}|dapi[0-9a-f]{32})",
    ),
    rule("eyj", r"\b(?P<secret>eyJ[\w-]{10,}\.eyJ[\w-]{4,}\.[\w-]*)"),
    rule("iqojb3 fwog fqog", r"(?<![A-Za-z0-9/+])(?P<secret>(?:IQoJb3JpZ2lu|FwoG|FQoG)[A-Za-z0-9/+=]{40,})"),
    rule(
        "private key-----",
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?P<secret>[^-*]{1,20000})(?=-----END)",
    ),
    # what else tells whose machine and which call it was
    rule(
        "request host id-2",
        r"(?i:request[_-]?id[\"']?\s{0,20}[:=]\s{0,20}[\"']?)(?P<request>(?i:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]{16}\b))",
    ),
    rule("hostid id-2", r"(?i:hostid|x-amz-id-2)[\"']?\s{0,20}[:=]\s{0,20}[\"']?(?P<request>[\w+/=-]{40,})"),
    # as errors and records of the toolkit end; an id has digits, the next word of a sentence has none
    rule("request host", r"(?:\(request|,\s{1,40}host)\s{1,40}id\s{1,40}(?P<request>(?=[^\s,)]{0,200}\d)[^\s,)]+)"),
    rule("127.0.0.1", r"http://127\.0\.0\.1:(?P<port>\d+)"),
    rule(
        "home users", rf"{_NAME_START}(?<![.~*])(?P<home>/(?:var/|mnt/[a-z]/|[a-z]/)?(?:home|Users)/[^/\s\"'<>&;,:*]+)"
    ),
    rule("users/", rf"(?<=/efs)/users/(?P<role>{_FOLDER})"),
    rule("root", r"(?<![\w.~/])(?P<home>/root)(?=/)"),
    rule(
        "users",
        rf"(?P<home>\b[A-Za-z]:[\\/]{{1,16}}Users[\\/]{{1,16}}(?:{_FOLDER}(?:[ ]{_FOLDER}){{1,3}}(?=[\\/])|{_FOLDER}))",
    ),
    rule("home", r"(?P<home>\\{1,16}home\\{1,16}[^\\/\s\"'<>&;,:*]+)"),
)

MASK = "************"
# What is no name keeps what kind of place it is.
INSTEAD = {"home": "~", "port": "****"}

# The secret of an access key has no name of its own: it is known by its length, near the id. All hexadecimal ones are
# digests, of commits for example.
KEY_ID = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
KEY = re.compile(
    r"(?:(?<=\\[nrt])|(?<![A-Za-z0-9/+]))(?![0-9a-f]{40}(?![A-Za-z0-9/+]))[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
)
