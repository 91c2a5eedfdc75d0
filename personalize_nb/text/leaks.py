r"""What tells whose a notebook is: one rule for each way in which accounts, buckets, roles, keys and secrets are named.

A rule is a pattern, and words without which it cannot match: a text that has none of them is not searched. What a
named group matches is masked, and the group's name is the kind of leak. Rules see a text as a reader does
(`text.readings`) and also as it is written, so they know neither entities nor colours, except the quotes of HTML.
Parts that repeat are bounded or exclude what follows them, so that no text makes a rule search it again and again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The kinds, in the words of `personalize-nb redact --check`.
KINDS = {
    "account": "account id",
    "accounts": "account id",
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


class Leak(NamedTuple):
    """A rule: words of which one must be there, in lower case, and the pattern."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]


_QUOTE = r"""(?:\\?["'`]|&quot;|&\#3[49];|&\#x27;)"""
_HAS_DIGIT = r"(?=[^\s\"'&<>,;]{0,200}\d)"
_S3_HOST = r"s3(?:[.-][a-z0-9]{1,30}){0,10}\.amazonaws\.com"
_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])"
_FOLDER = r"[^\\/\s\"'<>&;,:*]+"
_NAME_START = r"(?:(?<=\\[nrt])|(?<![A-Za-z0-9]))"

# Twelve digits as people and programs write an account: 123456789012, 1234-5678-9012, 123_456_789_012.
_DIGITS = r"(?<!\d)(?:\d{12}|\d{4}(?:[- _]\d{4}){2}|\d{3}(?:[_,]\d{3}){3})(?!\d)"
_ACCOUNT_NAME = r"(?:acc(?:oun)?ts?(?:['’]s)?(?:[\s_-]?(?:ids?|numbers?|no|nr|num)\b\.?)?|\bowner[\s_-]?id)"
# up to four small words or an index of a frame between the word and the digits, in whatever quotes and brackets
_ACCOUNT_GAP = (
    r"[\W_]{0,16}(?:(?:is|was|are|of|has|the|id|ids|number|int|str|named)\b[\W_]{0,8}){0,4}(?:\d{1,6}\s{1,8})?"
)
_MORE = rf"(?:[\"'`]?\s{{0,20}}(?:,|and\b|&)\s{{0,20}}[\"'`]?{_DIGITS})"

_LONG_SECRET_NAME = (
    r"(?:secret[_\s-]?(?:access[_\s-]?)?key|aws[_-]?secret|client[_-]?secret"
    r"|(?:session|security|auth|access|refresh|bearer)[_-]?token|api[_-]?key|private[_-]?key"
    r"|x-amz-(?:signature|credential|security-token))"
)
# words of titles too: what follows them must look like a secret
_SHORT_SECRET_NAME = r"(?<!next)(?<!next_)(?:secret|token|passw(?:or)?d|passphrase|pwd)"
_IS = rf"{_QUOTE}?\s{{0,20}}[:=]\s{{0,20}}"
# `None`, `found`, `creds.token`: code that names no secret; and what templates leave open
_OPEN = (
    r"(?!(?:[A-Za-z_]{1,23}\d{0,2}(?:\.[A-Za-z_]\w{0,22}){0,4}|\d{1,9}|\$\{?\w+\}?|\{[^{}]{0,80}\}|\.{3}|<[^<>]{0,80}>)"
    r"(?:[\s\"',)&<>\[\](;\\]|$))"
)
_QUOTED_OPEN = (
    rf"(?!(?:None|null|true|false|\*{{12}}|\$\{{?\w+\}}?|\{{[^{{}}]{{0,80}}\}}|\.{{3}}|<[^<>]{{0,80}}>)?{_QUOTE})"
)


def _leak(words: str, pattern: str) -> Leak:
    return Leak(tuple(words.split()), re.compile(pattern))


LEAKS = (
    # accounts and what is theirs, in ARNs; pandas cuts them anywhere
    _leak("arn:", r"arn:aws[\w-]{0,20}:s3:::(?P<bucket>[\w.\-]+)"),
    _leak(
        "arn:",
        r"arn:aws[\w-]{0,20}:(?:iam|sts)::(?P<account>\d{12}|\*{12}):[a-z]+(?:-[a-z]+){0,4}/(?!\*)(?P<role>[\w+=,.@\-/]+)",
    ),
    _leak("assumed", r"\bassumed-role/(?P<role>(?P<assumed>[\w+=,.@\-]+)[\w+=,.@\-/]*)"),
    _leak("instance-profile", r"\binstance-profile/(?P<role>[\w+=,.@\-/]+)"),
    _leak("arn:", r"arn:aws[\w-]{0,20}:kms:[\w-]*:(?P<account>\d{12}):(?:key|alias)/(?P<secret>[\w\-/]+)"),
    _leak("arn:", r"arn:aws[\w-]{0,20}:[\w-]+:[\w-]*:(?P<account>\d{12})(?=:|\.\.\.|…|[\s\"'<&]|$)"),
    _leak("arn:", r"arn:aws[\w-]{0,20}:[\w-]+:[\w-]*:(?P<account>\d{1,11})(?=\.\.\.|…)"),
    # accounts behind words, also several, and before them
    _leak("account acct owner", rf"(?i:{_ACCOUNT_NAME}{_ACCOUNT_GAP})(?P<accounts>{_DIGITS}{_MORE}{{0,500}})"),
    _leak(
        "account acct",
        rf"(?P<account>{_DIGITS})(?i:[\s(\"'`]{{1,3}}(?:is (?:the|my|our|an?) )?(?:aws )?acc(?:oun)?t\b)",
    ),
    _leak("aws", rf"(?i:[\"'`]aws[\"'`]\s{{0,8}}:\s{{0,8}}\[?\s{{0,8}}[\"'`]?)(?P<accounts>{_DIGITS}{_MORE}{{0,500}})"),
    # accounts and their aliases in addresses
    _leak("amazonaws", r"(?:sqs|queue)[\w.-]{0,80}\.amazonaws\.com(?:\.cn)?/(?P<account>\d{12})(?!\d)"),
    _leak(
        "amazonaws aws.amazon signin.aws .api.aws",
        r"(?<![\d])(?P<account>\d{12})(?=(?:-[a-z0-9]{1,20})?\.[a-z0-9.-]{0,80}?"
        r"(?:amazonaws|aws\.amazon|amazonaws-us-gov|signin\.amazonaws|api)\.(?:com|aws|cn)\b)",
    ),
    _leak("dkr", r"(?<!\d)(?P<account>\d{12})(?=\.dkr[.-]ecr)"),
    _leak("signin.aws", r"https?://(?P<alias>[a-z0-9][a-z0-9-]{1,62})(?=\.signin\.aws)"),
    _leak("awsapps", r"https?://(?P<alias>[a-z0-9][a-z0-9-]{1,62})(?=\.awsapps\.com)"),
    _leak("switchrole", r"switchrole\?(?:[^\s\"'<>]{0,300}&)?account=(?P<alias>[\w-]+)"),
    _leak("rolename", r"(?i:[?&]rolename=)(?P<role>[\w+=,.@\-/]+)"),
    _leak("personalize-nb-", r"\bpersonalize-nb-(?=(?P<account>\d{12}))(?P<bucket>\d{12}-[\w-]+)"),
    # buckets
    _leak("s3://", r"(?i:s3)://(?!\*)(?P<bucket>[a-z0-9][a-z0-9.\-]{1,62})"),
    _leak("s3a: s3n:", r"(?i:s3[an])://(?!\*)(?P<bucket>[a-z0-9][a-z0-9.\-]{1,62})"),
    _leak("amazonaws", rf"{_NAME_START}(?!s3[.-]){_BUCKET}(?=\.{_S3_HOST})"),
    _leak("amazonaws", rf"(?<![\w.-]){_S3_HOST}(?:\.cn)?/{_BUCKET}"),
    _leak(
        "console",
        rf"console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/s3/(?:buckets|object|home|get)/{_BUCKET}",
    ),
    _leak("bucket", rf"(?i:bucket(?:_?name)?{_QUOTE}?\s{{0,20}}[:=]\s{{0,20}}{_QUOTE}){_BUCKET}(?={_QUOTE})"),
    # without quotes only what can be no name of a variable: one with a hyphen
    _leak(
        "bucket",
        r"(?i:bucket(?:[_-]?name)?(?:=|:\s?|\s{1,2}=\s))(?P<bucket>(?i:[a-z0-9][a-z0-9.]*-[a-z0-9.\-]+))(?!\()",
    ),
    _leak("--bucket", rf"(?i:--bucket(?:-name)?[\s=]{{1,2}}){_BUCKET}"),
    # keys, tokens and other secrets
    _leak(
        "akia asia aroa aida local",
        r"(?<![A-Z0-9])(?P<key_id>(?:AKIA|ASIA)[A-Z0-9]{16}|(?:AROA|AIDA)[A-Z2-7]{17}|(?:AROA|AIDA)[A-Z2-7]{16}|LOCAL[0-9A-F]{15})\b",
    ),
    _leak(
        "key secret token x-amz-",
        rf"(?i:{_LONG_SECRET_NAME}{_IS}{_QUOTE}){_QUOTED_OPEN}(?P<secret>(?:(?!{_QUOTE})[^\n<>])+)",
    ),
    _leak("x-amz-", r"(?i:x-amz-(?:signature|credential|security-token)=)(?P<secret>[^\s\"',)*&<>\[\](;\\]++)"),
    _leak(
        "key secret token",
        rf"(?i:{_LONG_SECRET_NAME}{_IS}){_OPEN}(?P<secret>[^\s\"'`,)*&<>\[\](;\\]++)(?![\[(])",
    ),
    # in tables the value stands behind spaces
    _leak(
        "key secret token",
        rf"(?i:{_LONG_SECRET_NAME})[\"'`]?[\s|,]{{1,60}}[\"'`]?{_HAS_DIGIT}"
        r"(?P<secret>(?=[\w/+=.-]{0,200}[A-Za-z])[\w/+=.-]{20,})",
    ),
    _leak(
        "secret token pass pwd",
        rf"(?i:{_SHORT_SECRET_NAME}{_IS}{_QUOTE}?){_HAS_DIGIT}{_OPEN}(?P<secret>[^\s\"'`,)*&<>\[\](;\\]{{8,}}+)(?![\[(])",
    ),
    _leak("bearer", rf"(?i:\bbearer\s{{1,4}}){_HAS_DIGIT}(?P<secret>[\w.~+/=-]{{8,}})"),
    _leak("bearer", r"(?i:\bbearer\s{1,4})(?P<secret>[\w.~+/=-]{24,})"),
    _leak("authorization", rf"(?i:authorization{_IS}{_QUOTE}?basic\s{{1,4}})(?P<secret>[A-Za-z0-9+/=]{{6,}})"),
    _leak("signature=", r"(?i:[?&,\s]signature=)(?P<secret>[A-Za-z0-9%+/=_-]{20,})"),
    _leak("://", r"://[^\s/:@\"'<>*]{1,100}:(?P<secret>[^\s/:@\"'<>*]{1,200})@"),
    _leak("sk-", r"\b(?P<secret>sk-[\w-]{16,})"),
    _leak(
        "gh hf_ xox github_pat",
        r"\b(?P<secret>gh[oprsu]_\w{30,}|github_pat_\w{30,}|hf_[A-Za-z]{30,}|xox[abprs]-[\w-]{10,})",
    ),
    _leak("eyj", r"\b(?P<secret>eyJ[\w-]{10,}\.eyJ[\w-]{4,}\.[\w-]*)"),
    _leak("iqojb3 fwog fqog", r"(?<![A-Za-z0-9/+])(?P<secret>(?:IQoJb3JpZ2lu|FwoG|FQoG)[A-Za-z0-9/+=]{40,})"),
    _leak(
        "private key-----",
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?P<secret>[^-*]{1,20000})(?=-----END)",
    ),
    # what else tells whose machine and which call it was
    _leak(
        "request host id-2",
        r"(?i:request[_-]?id[\"']?\s{0,20}[:=]\s{0,20}[\"']?)(?P<request>(?i:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]{16}\b))",
    ),
    _leak("hostid id-2", r"(?i:hostid|x-amz-id-2)[\"']?\s{0,20}[:=]\s{0,20}[\"']?(?P<request>[\w+/=-]{40,})"),
    # as errors and records of the toolkit end; an id has digits, the next word of a sentence has none
    _leak("request host", r"(?:\(request|,\s{1,40}host)\s{1,40}id\s{1,40}(?P<request>(?=[^\s,)]{0,200}\d)[^\s,)]+)"),
    _leak("127.0.0.1", r"http://127\.0\.0\.1:(?P<port>\d+)"),
    _leak(
        "home users", rf"{_NAME_START}(?<![.~*])(?P<home>/(?:var/|mnt/[a-z]/|[a-z]/)?(?:home|Users)/[^/\s\"'<>&;,:*]+)"
    ),
    _leak("root", r"(?<![\w.~/])(?P<home>/root)(?=/)"),
    _leak(
        "users",
        rf"(?P<home>\b[A-Za-z]:[\\/]{{1,16}}Users[\\/]{{1,16}}(?:{_FOLDER}(?:[ ]{_FOLDER}){{1,3}}(?=[\\/])|{_FOLDER}))",
    ),
    _leak("home", r"(?P<home>\\{1,16}home\\{1,16}[^\\/\s\"'<>&;,:*]+)"),
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
