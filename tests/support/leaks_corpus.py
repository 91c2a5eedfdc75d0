"""Everything that tells whose a notebook is, in the surroundings it is met in, and what only looks like it."""

import base64
import html
import json
import urllib.parse

ACCOUNT = "210987654321"
BUCKET = "acme-films-raw"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDk7example+Zz8="
USER = "jane.doe"

# what must not be left -> texts that hold it
ACCOUNTS = (
    (
        "account {}|Account ID: {}|acct {}|Acct. {}|AWS account ({})|account #{}|account number {}|account is {}|"
        "account_id={}|accountId: {}|aws_account_id = '{}'|{{'Account': '{}'}}|ACCOUNT = {}|account: int = {}|"
        "int(account={})|'OwnerId': '{}'|{{'AWS': '{}'}}|accounts = ['{}']|{} is my account|"
        "the account's id is {}|| account | {} ||account\n0  {}|Account\n-------\n{}|"
        "ExpectedBucketOwner={}, account {}|"
        "https://sqs.eu-west-1.amazonaws.com/{}/films|https://eu-west-1.queue.amazonaws.com/{}/films|"
        "https://{}.signin.aws.amazon.com/console|https://{}.dkr.ecr.eu-west-1.amazonaws.com/a|"
        "https://{}-abc12345.eu-west-1.console.aws.amazon.com/s3/home|"
        "https://signin.aws.amazon.com/switchrole?account={}&roleName=Admin&displayName=x|"
        "https://signin.aws.amazon.com/switchrole?roleName=Admin&account={}|"
        "arn:aws:personalize:eu-west-1:{}:solution/films|arn:aws-cn:sqs:cn-north-1:{}:films|arn:aws:sns:eu-west-1:{}..."
    )
    .replace("|| account | {} ||", "|\u2502 account \u2502 {} \u2502|")
    .split("|")
)
BUCKETS = [
    "s3://{}/in.json",
    "s3a://{}/x",
    "s3n://{}/x",
    "S3://{}/x",
    "arn:aws:s3:::{}/*",
    "https://{}.s3.amazonaws.com/in.json",
    "https://{}.s3.eu-west-1.amazonaws.com",
    "{}.s3.eu-west-1.amazonaws.com",
    "https://{}.s3-eu-west-1.amazonaws.com/x",
    "https://{}.s3-website-eu-west-1.amazonaws.com",
    "http://{}.s3-website.eu-central-1.amazonaws.com/x",
    "https://{}.s3-accelerate.amazonaws.com/x",
    "https://{}.s3.dualstack.eu-west-1.amazonaws.com/x",
    "https://{}.s3-accelerate.dualstack.amazonaws.com",
    "https://s3.eu-west-1.amazonaws.com/{}/x",
    "https://s3.amazonaws.com/{}",
    "https://s3.dualstack.eu-west-1.amazonaws.com/{}/x",
    "https://s3-eu-west-1.amazonaws.com/{}/x",
    "https://{}.s3.cn-north-1.amazonaws.com.cn/x",
    "https://s3.console.aws.amazon.com/s3/buckets/{}?region=x",
    "bucket='{}'",
    "'Bucket': '{}'",
    '"bucket_name": "{}"',
    "bucketName = '{}'",
    "PERSONALIZE_NB_BUCKET={}",
    "output_bucket: '{}'",
    "Bucket: {}",
    "--bucket {}",
]
SECRETS = (
    (
        "secret_key = '{}'|AWS_SECRET = '{}'|aws_secret='{}'|AWS_SECRET={}|aws_secret_access_key={}|"
        "SecretAccessKey: {}|"
        "'SecretAccessKey': '{}'|\"secretKey\": \"{}\"|client_secret='{}'|secret: '{}'|SecretAccessKey    {}|"
        f"{KEY_ID} {{}}|{KEY_ID}\n{{}}|{KEY_ID}\nregion = eu-west-1\n{{}}|{{}}\n{KEY_ID}|{{}}\nx = 1\n{KEY_ID}|"
        f"aws_access_key_id = {KEY_ID}\nregion\naws = {{}}|export AWS_SECRET_ACCESS_KEY={{}}|%env AWS_SECRET_KEY={{}}|"
        "password = '{}'|token='{}'|Authorization: Bearer {}|bearer {}|api_key={}|https://jane:{}@example.com/x"
    )
    .replace("https://jane:{}@example.com/x", "api-key: {}")
    .split("|")
)
TOKENS = [
    "aws_session_token='{}'",
    "AWS_SESSION_TOKEN={}",
    "'SessionToken': '{}'",
    "SessionToken    {}",
    "x-amz-security-token: {}",
    "{}",
    'access_token = "{}"',
    "Bearer {}",
]
USERS = (
    "/home/{}/a.py|/Users/{}/a.py|C:\\Users\\{}\\a.py|C:/Users/{}/a.py|C:\\\\Users\\\\{}\\\\a.py|file:///home/{}/a.py|"
    "file:///C:/Users/{}/a.py|/mnt/c/Users/{}/a|(/home/{})|path=/home/{}/x|'/home/{}'|"
    f"arn:aws:iam::{ACCOUNT}:user/{{}}|arn:aws:sts::{ACCOUNT}:assumed-role/Admin/{{}}"
).split("|")


def _leaks():
    """Each with a value of its own, so that none is masked because another was recognised."""
    number = 0
    for value, surroundings in (
        (ACCOUNT, ACCOUNTS),
        (BUCKET, BUCKETS),
        (SECRET, SECRETS),
        (TOKEN, TOKENS),
        (USER, USERS),
    ):
        for surrounding in filter(None, surroundings):
            number += 1
            own = f"{value[:-3]}{number:03}"
            yield own, surrounding.replace("{{", "{").replace("}}", "}").replace("{}", own)


LEAKS = list(_leaks())

# Ids, titles and texts that only look like it: nothing of them is to be masked.
HARMLESS = [
    f"item {ACCOUNT} for user 100000000001",
    f"{ACCOUNT}\n{ACCOUNT}\n100000000001",
    f"   item_id  score\n0  {ACCOUNT}  0.5",
    f'{{"itemId": "{ACCOUNT}", "user": 100000000001}}',
    "item B00005N5PF, B0007YMJCW and MARVELSUPERHEROES123",
    "AKIRA, ASIAN CINEMA, AKIAMANCE, LOCAL-HERO, ASIAPACIFICROADSHOWSEASON",
    f"commit {'a1' * 20}",
    f"sha256 {'0f' * 32}",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "item dGhpcyBpcyBhIHRpdGxlIGluIGJhc2U2NA==",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "Secret: Garden; The Secret: Part 2; Password: Swordfish; Token: 5; Bearer of bad news 2001; Ring bearer",
    "A Secret Key to the Garden; Secret = none",
    "the bucket list; bucket=bucket, bucket: str = None; bucket_name=name",
    "on this account we recommend; accounts for 12 items; by all accounts 1234",
    "/homework/a, https://example.com/home/page, home/ana, Users/ana, /Userspace/x, s3 of films",
    "session_token = None\napi_key = read_key()\ntoken = creds.token\npassword = getpass.getpass()",
    "aws_session_token=found['SessionToken'], secret_key=${SECRET}, api_key='{key}'",
    "next_token = 'abc123def456abc123def456'; max_tokens=2048; token_type",
    "https://personalize.us-east-1.amazonaws.com, https://s3.amazonaws.com, amazonaws.com",
    "score 123456789012.5; 0.123456789012; 1234567890123; x123456789012",
    "phone 1234-5678-9012; ratio 3:4; http://localhost:8000/x; mail jane@example.com",
    "def bearer(item): return item; arn; arn:aws; 's3://' + x; AWS account",
]


def _tspans(text):
    middle = len(text) // 2
    return f"<svg><text>{html.escape(text[:middle])}<tspan>{html.escape(text[middle:])}</tspan></text></svg>"


# a name and how it carries a text
CARRIERS = {
    "plain": lambda text: text,
    "entities": lambda text: html.escape(text).replace(":", "&#58;").replace("/", "&#x2F;"),
    "address": lambda text: "https://example.com/?q=" + urllib.parse.quote(text, safe=""),
    "json": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "slashes": lambda text: json.dumps(text).replace("/", "\\/").replace(":", "\\u003a"),
    "colours": lambda text: f"\x1b[31m{text[: len(text) // 2]}\x1b[0m{text[len(text) // 2 :]}\x1b[1m",
    "tags": lambda text: f"<td><b>{html.escape(text[:-6])}</b><i>{html.escape(text[-6:])}</i></td>",
    "svg": _tspans,
    "packed": lambda text: (
        '<img src="data:image/svg+xml;base64,' + base64.b64encode(_tspans(text).encode()).decode() + '">'
    ),
    "link": lambda text: f"\x1b]8;;file://x\x1b\\{text}\x1b]8;;\x1b\\\x1b[2K",
}
