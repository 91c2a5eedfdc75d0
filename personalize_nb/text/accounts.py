"""Accounts: twelve digits that a word, a sentence, a list or the cell that asked for them say to be one.

Twelve digits alone may be the id of an item. They are an account where "account" stands before them with nothing
between but small words, a name in quotes or brackets, and punctuation; where a name made by AWS has them; and where
they are all that a cell has to say that asked who it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from personalize_nb.text.leaks import Found, Leak, rule

# A comment or a text may have them in groups; four digits thrice may also be years, thousands are counts.
_YEAR = r"(?:1[5-9]|20)\d\d"
_DIGITS = (
    r"(?<![\d.])(?:\d{12}|\d{3}(?:_\d{3}){3}"
    rf"|(?!{_YEAR}(?:[- _]{_YEAR}){{2}})\d{{4}}(?:[- _]\d{{4}}){{2}})(?!\d|\.[1-9])"
)
_COUNTED = (
    r"(?!\s{1,4}(?:books|items|films|movies|users|clicks|dollars|euros|rows|events|views|people|ratings|times)\b)"
)
_NAME = (
    r"(?:(?<![A-Za-z])|(?<=[a-z_])|(?<=\\[nrt]))"
    r"(?:acct\.|acc(?:oun)?t(?:s|['’]s)?(?:[\s_-]?(?:ids?|numbers?|no|nr|num)\b\.?)?|konto(?:nummer|-?id)?"
    r"|compte(?: aws)?|cuenta(?: de aws)?|\bowner[\s_-]?id|bucket[_-]?owner)(?![A-Za-z])"
)
_SMALL = (
    r"(?:is|was|are|has|have|the|an?|id|ids|number|int|str|named|called|name|that|which|who|owns?|owning|your|my|our|this"
    r"|bucket|role|user|aws|to|access|in|into|with|under|belongs|belonging|used|by|from|prod|production|dev|test|staging"
    r"|root|payer|member|management|nr|no|optional|granted|and|dict|list)\b"
)
_COUNTS = (
    r"(?!\w*(?:item|user|film|movie|product|book|balance|age\b|creat|count|total|score|click|sum\b|time|date|phone|revenue"
    r"|spent|sold|bought|rated|watched|value|size))"
)
_WORD = rf"{_COUNTS}[A-Za-z][\w'’-]{{0,30}}"
_KEY = r"[\"'`]?[A-Za-z][\w-]{0,30}[\"'`]?\s{0,4}[=:]\s{0,4}[\"'`]?"
# small words, a name in quotes or brackets or before brackets, any words before "is", the index of a frame, a key
_GAP = (
    rf"(?![\s]+of\b|\s+for\b)[^\w/.]{{0,16}}"
    rf"(?:(?:(?:{_SMALL}|[\"'`(]{{1,2}}[\w-]{{1,30}}[\"'`)]{{1,2}}|of)[^\w/.]{{1,8}}){{0,8}}"
    rf"|{_WORD}\s?[(\[]|(?:{_WORD}\s){{1,6}}(?:is|id|number)\b[\s:=#]{{1,4}})"
    rf"(?:\d{{1,6}}\s{{1,8}})?(?:(?<=[{{(\[:=\s]){_COUNTS}(?<![A-Za-z]\s){_KEY})?(?:[rbuf]{{1,2}}(?=[\"'])[\"'])?"
)
_MORE = (
    rf"(?:[\"'`)]{{0,2}}\s{{0,20}}(?:,|;|and\b|&|\n\s{{0,20}}[-*•]"
    rf"|\n\s{{0,20}}(?=[\"'`]?[\w-]{{1,30}}[\"'`]?\s{{0,4}}[=:]))"
    rf"\s{{0,20}}[(\"'`]{{0,2}}(?:{_COUNTS}{_KEY})?{_DIGITS})"
)
_EMPTY, _NAME_ALONE = re.compile(r"[-=:+|\u2500-\u257f\s]*"), re.compile(rf"(?i){_NAME}")
_REGION = r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso\w?)?-(?:north|south|east|west|central){1,2}-\d"

_NAMED = rule(
    "account acct owner konto compte cuenta",
    rf"(?i:{_NAME}{_GAP})(?P<accounts>{_DIGITS}{_MORE}{{0,500}}){_COUNTED}",
)


def _behind_names(text: str) -> Iterator[tuple[Found, ...]]:
    """Return accounts behind their name, but not those below a header with other columns: `tables` has them."""
    for found in _NAMED.search(text):
        start = found[0].start
        above = text.rfind("\n", 0, start)
        while above > 0 and found and _EMPTY.fullmatch(text, text.rfind("\n", 0, above) + 1, above):
            above = text.rfind("\n", 0, above)
        header = text[text.rfind("\n", 0, above) + 1 : above] if above > 0 else ""
        named = _NAME_ALONE.search(header) is not None and _NAME_ALONE.search(text[above + 1 : start]) is None
        if not (named and len(re.split(r"\s{2,}|[|│┆\t,;]", header.strip(" |│┆"))) > 1):
            yield found


RULES: tuple[Leak, ...] = (
    Leak(_NAMED.words, _behind_names),
    rule(
        "account acct",
        rf"(?P<account>{_DIGITS})(?i:[\s()\"'`]{{1,3}}(?:is (?:the|my|our|an?) )?(?:aws )?acc(?:oun)?t\b)"
        r"(?!\s?[\d:=#])",
    ),
    # a frame's column that turned into floats
    rule("account acct", rf"(?i:{_NAME}[\s:=|]{{1,60}})(?P<account>\d\.\d{{6,12}}[eE]\+?11|\d{{12}}\.0)(?!\d)"),
    rule("aws", rf"(?i:[\"'`]aws[\"'`]\s{{0,8}}:\s{{0,8}}\[?\s{{0,8}}[\"'`]?)(?P<accounts>{_DIGITS}{_MORE}{{0,500}})"),
    # names that AWS makes of them
    rule(
        "us- eu- ap- sa- ca- me- af- il- mx- cn-",
        rf"(?<![A-Za-z0-9]){_REGION}-(?P<account>\d{{12}})(?!\d)",
    ),
    rule(
        "aws- athena- sagemaker- cdk- amplify- codepipeline- cf-templates- elasticbeanstalk- glue- emr- serverless-",
        r"(?<![\w/-])(?:aws|athena|sagemaker|cdk|amplify|codepipeline|cf-templates|elasticbeanstalk|glue|emr|serverless)"
        r"(?:-[a-z0-9]{1,30}){0,8}-(?P<account>\d{12})(?!\d)",
    ),
    rule("-us- -eu- -ap- -sa- -ca- -me- -af- -il- -mx- -cn-", rf"(?<=-)(?P<account>\d{{12}})(?=-{_REGION}\b)"),
    rule("aws", r"(?:/|\$252F)aws(?:/|\$252F)(?P<account>\d{12})(?!\d)"),
)

_ASKS = re.compile(r"get_caller_identity|get-caller-identity|(?<![A-Za-z])(?:aws_?)?account(?:_?id)?(?![a-z])", re.I)
_ITEM = re.compile(r"(?i)item|product|movie|film|user_id")
_SET = re.compile(r"^[ \t]{0,40}(\w{1,40})[ \t]{0,8}=(?!=)[^\n]{0,400}$", re.M)
_PRINTS = re.compile(r"(?:print|display|echo|pprint|info|log)\b[^\n]{0,400}")
_ALONE = re.compile(r"[\s\"'\[(]{0,4}(\d{12})[\s\"'\]),]{0,4}")


def asked(sources: Iterable[str]) -> re.Pattern[str]:
    """Return what asks for an account in these cells: AWS's words, and the variables that hold the answer."""
    names = {
        found[1]
        for source in sources
        for found in _SET.finditer(source)
        if _ASKS.search(found.group().partition("=")[2]) and not _ITEM.search(found.group())
    }
    return re.compile("|".join([_ASKS.pattern, *(rf"\b{re.escape(name)}\b" for name in sorted(names))]), re.I)


def answered(source: str, output: str, asks: re.Pattern[str]) -> Iterator[str]:
    """Return the accounts of an output that is little else, of a cell that asks for one where it shows something.

    Examples
    --------
    >>> source = "boto3.client('sts').get_caller_identity()['Account']"
    >>> list(answered(source, "'210987654321'", asked([source])))
    ['210987654321']
    """
    lines = source.strip().splitlines()
    shown = [
        *lines[-1:],
        *(found.group() for found in _PRINTS.finditer(source)),
        *(one for one in lines if "!" in one[:40]),
    ]
    if not any(asks.search(line) and not _ITEM.search(line) for line in shown):
        return
    for line in output.splitlines():
        alone = _ALONE.fullmatch(line)
        numbers = re.findall(r"(?<![\d.])\d{12}(?![\d.])", line)
        if alone:
            yield alone[1]
        elif len(numbers) == 1 and len(line.split()) <= 4:
            yield numbers[0]
