"""Whatever stands between a name that tells and its value, the value is masked; what tells nothing stays."""

import io

import pandas as pd
import pytest
from leaks_corpus import ACCOUNT, BUCKET, SECRET

from personalize_nb.text.redact import redact

# how code, shells and files say that a name has a value
WRITINGS = {
    "code": [
        '{name} = "{value}"',
        "{name}='{value}'",
        "{name}: str = '{value}'",
        "{name}: Optional[str] = '{value}'",
        "({name} := '{value}')",
        "def f(x, {name}: str = '{value}'): pass",
        "{name} = r'{value}'",
        "{name} = f'{value}'",
        "{name} = b'{value}'",
        "{name} = (\n    '{value}'\n)",
        '{name} = """{value}"""',
        "x.{name} = '{value}'",
        "x['{name}'] = '{value}'",
        'os.environ["{name}"] = "{value}"',
        'os.environ ["{name}"]="{value}"',
        "{{'{name}': '{value}', 'n': 1}}",
        "{{'a': 1, '{name}':'{value}'}}",
        "dict(a=1, {name}='{value}')",
        "os.environ.setdefault('{name}', '{value}')",
        "os.getenv('{name}', '{value}')",
    ],
    "files": [
        '"{name}": "{value}"',
        '{{"{name}" : "{value}"}}',
        '"{name}":\n   "{value}"',
        "{name}: '{value}'",
        "  - {name}: '{value}'",
        "{name} => '{value}'",
        '{name} = "{value}"',
        "<{name}>{value}</{name}>",
        "<x><{name}>{value}</{name}></x>",
        "\\u003c{name}\\u003e{value}\\u003c/{name}\\u003e",
        "&lt;{name}&gt;{value}&lt;/{name}&gt;",
    ],
    "environment": ["%env {name}={value}", "!{name}={value} aws s3 ls", "export {name}={value}", "{name}={value}\nX=1"],
    "options": ["--{name} {value}", "--{name}={value}", "--{name} '{value}'"],
    "tables": [
        "| a | {name} |\n|---|---|\n| x | {value} |",
        "| {name} | a |\n|---|---|\n| {value} | x |",
        "a,{name}\nx,{value}\ny,z",
        "{name};a\n{value};x",
        'a,"{name}"\n"x, y","{value}"',
        "a\t{name}\nx\t{value}",
        "│ a ┆ {name} │\n╞═══╪════╡\n│ x ┆ {value} │",
        "<table><tr><th>a<th>{name}</tr><tr><td>x<td>{value}</tr></table>",
        "<table><tr><th></th><th>{name}</th></tr><tr><th>0</th><td><b>{value}</b></td></tr></table>",
        "<table><tr><th colspan='2'>a</th><th>{name}</th></tr><tr><td>1</td><td>2</td><td>{value}</td></tr></table>",
    ],
}
NAMES = {
    (
        "secret_key",
        "AWS_SECRET",
        "aws_secret",
        "awsSecret",
        "SecretAccessKey",
        "aws_secret_access_key",
        "API_KEY_PROD",
    ): SECRET,
    (
        "aws_session_token",
        "SessionToken",
        "client_secret",
        "private_key",
        "githubToken",
    ): "abcd1234EFGH5678Z9yZ9yZ9yZ9y",
    ("bucket", "BUCKET_RAW", "output_bucket", "bucketName", "S3_BUCKET", "PERSONALIZE_NB_BUCKET"): BUCKET,
    ("account", "account_id", "AWS_ACCOUNT_ID", "accountId", "owner_account"): ACCOUNT,
    ("RoleName", "roleName"): "AcmeReader",
}


@pytest.mark.parametrize("kind", WRITINGS)
def test_a_value_is_masked_however_its_name_is_written_before_it(kind):
    left = []
    for names, value in NAMES.items():
        for name in names:
            if (kind == "tables" and name == "roleName") or (kind == "environment" and not name.isupper()):
                continue
            if kind == "options" and name != name.lower():
                continue
            name = name.replace("_", "-") if kind == "options" else name
            for writing in WRITINGS[kind]:
                text = writing.format(name=name, value=value)
                masked = redact(text)
                if value in masked or redact(masked) != masked:
                    left.append((text, masked))
    assert left == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password = 'correcthorsebattery'", "correct"),
        ("password = 'hunter2'", "hunter2"),
        (f"buckets: ['{BUCKET}', 'films2']", "films2"),
        ("s3.Bucket('myfilmsraw')", "myfilmsraw"),
        ("%env PERSONALIZE_NB_BUCKET=myfilmsraw", "myfilmsraw"),
        ("our bucket `myfilmsraw`", "myfilmsraw"),
        ("Authorization: Token 9944b09199c62bcf", "9944b"),
        ("headers = {'Authorization': 'Bearer ' + 'abcdefgh12345678'}", "abcdefgh"),
        ("-H 'Authorization: bearer tok123'", "tok123"),
        ("Set-Cookie: sessionid=abcdEFGH1234", "abcdEFGH"),
        ("&Signature=abcDEF%2Fghi%3D&x", "abcDEF"),
        ("glpat-abcdEFGH1234ijklMNOP", "glpat"),
        ("pypi-AgEIcHlwaS5vcmcCJDEyMzQ1", "pypi-"),
        ("kms_key_id='1234abcd-12ab-34cd-56ef-1234567890ab'", "1234abcd"),
        ("x = 'alias/acme-films'", "acme-films"),
        ("boto3.Session(profile_name='acme-prod')", "acme-prod"),
        ("%env AWS_PROFILE=acme", "acme"),
        ("ExternalId='acme-corp-12'", "acme"),
        ("role='PersonalizeRole'", "PersonalizeRole"),
        ("iam_role = 'acme-books'", "acme-books"),
        ("!aws iam get-role --role-name AcmeRole", "AcmeRole"),
        ("https://us-east-1.console.aws.amazon.com/iam/home?region=x#/roles/details/AcmeRole?s=p", "AcmeRole"),
        ("https://console.aws.amazon.com/iam/home#/users/ana.smith", "ana.smith"),
        ("secret_key = '" + SECRET[:20] + "' + '" + SECRET[20:] + "'", SECRET[20:]),
    ],
)
def test_masked_too(text, left):
    assert left not in redact(text)


ACCOUNT_SENTENCES = [
    "The account that owns the bucket has id {}",
    "cross-account access to {} is granted",
    "You are logged in to account 'prod' ({})",
    "Account (prod): {}",
    "Account: acme-prod [{}]",
    "account ids: prod={}, dev=314159265358",
    "ACCOUNTS = {{'prod': '{}', 'dev': '314159265358'}}",
    "accounts = dict(prod={}, dev=314159265358)",
    "accounts:\n  prod: {}\n  dev: 314159265358",
    "Accounts:\n - {}\n - 314159265358",
    "the AWS account you need is {}",
    "account alias acme has id {}",
    "We run in account {}, and 314159265358.",
    "AWS-Konto {}",
    "Compte AWS : {}",
    "sagemaker-us-east-1-{}",
    "cdk-hnb659fds-assets-{}-us-east-1",
    "athena-results-{}",
]


@pytest.mark.parametrize("sentence", ACCOUNT_SENTENCES)
def test_accounts_are_masked_in_sentences_lists_and_names(sentence):
    masked = redact(sentence.format(ACCOUNT))
    assert ACCOUNT not in masked and "314159265358" not in masked


def test_accounts_of_a_frame_are_masked_in_each_of_its_forms_and_items_beside_them_stay():
    items = ["100000000001", "100000000002"]
    for accounts in ([ACCOUNT, "314159265358"], [int(ACCOUNT), 314159265358]):
        frame = pd.DataFrame({"item_id": items, "account_id": accounts, "title": ["a b", "c"]})
        csv = io.StringIO()
        frame.to_csv(csv)
        forms = [str(frame), frame.to_html(), csv.getvalue(), frame.to_csv(sep=";"), str(frame[frame.columns[::-1]])]
        forms += [frame.to_html(index=False), frame.to_string(index=False), frame.set_index("account_id").to_html()]
        for form in forms:
            masked = redact(form)
            assert ACCOUNT not in masked and "314159265358" not in masked, form
            assert all(item in masked for item in items), form
        assert ACCOUNT not in redact(str(frame["account_id"])) and redact(str(frame["item_id"])) == str(
            frame["item_id"]
        )


# What a data scientist's notebook says of buckets, accounts, roles, tokens and secrets that are none.
TELLS_NOTHING = [
    "age_bucket = '18-29'",
    "price_bucket: '10-20'",
    "bucket='high-value'",
    "size_bucket = 'x-large'",
    "{'bucket': 'low'}",
    "genre_bucket='sci-fi'",
    "bucket in ('low', 'mid')",
    "labels=['bucket', 'high-value']",
    "df['bucket'] = 'low-income'",
    "cols = ['account', 'bucket', 'secret', 'token', 'password']",
    "bucket = 'bucket'",
    "s3://bucket/key",
    "bucket = 'YOUR-BUCKET'",
    "s3://my-bucket/x",
    "s3://amzn-s3-demo-bucket/x",
    "bucket_size=10-20",
    "hash bucket: a-m",
    "kick the bucket: a-comedy",
    "The bucket list-of-things-to-do",
    "The Secret: 1984-edition",
    "The Secret: Dare2Dream",
    "no secret: R2-D2-C3PO",
    "Token: Ring2024Edition",
    "The Password: A2Z guide",
    "An Account of 123456789013 books",
    "An Account of 1812-1813-1814",
    "account for 271828182845 of clicks",
    "{account} has 100,200,300,400 items",
    "account 17 bought item 271828182845",
    "account: 7, item: 271828182845",
    "item_id 271828182845 (account 3)",
    "user_account_age = 271828182845",
    "account_balance = 271828182845",
    "Account balance: 271828182845",
    "account_created_ms: 170000000000",
    "accounts and items: 12, 271828182845",
    "accountable for 271,828,182,845 dollars",
    "sk-learn-something-long-name-of",
    "task-sk-abcdefghijklmnopqrstuv",
    "skin-care: sk-ii-facial-treatment-essence",
    "pad_token = '[PAD]'",
    "token = 'the'",
    "eos_token='</s>'",
    "max_tokens=4096",
    "token_count = 12345678",
    "messages=[{'role': 'user', 'content': 'x'}]",
    "role = 'lead-actor'",
    "roles = ['director', 'co-author']",
    "role='admin'",
    "'role': 'Supporting Actor'",
    "profile = 'family-friendly'",
    "profile_name: 'kids'",
    "user_name = 'jane'",
    "external_id = 'tt0111161'",
    "primary_key = 'item_id'",
    "api_key = os.environ['API_KEY']",
    "password = getpass()",
    "password = input('Password: ')",
    "secret = secrets.token_hex(16)",
    "'password': 'Enter your password'",
    "secret_santa = 'jane2024'",
    "next_token = 'abc123def456abc123def456'",
    "bucket: str = None",
    "secret_key = settings.KEY",
    "bucket,price\nlow,3\n10-20,4",
    "   price_bucket\n0  10-20\n1  high-value",
    "item_id  account\n271828182845  3",
    "account  item_id\n7  271828182845",
    "| account | item |\n|---|---|\n| 7 | 271828182845 |",
    "account,item_id\n7,271828182845",
    "count\n271828182845",
    "<table><tr><th>account</th><th>item</th></tr><tr><td>7</td><td>271828182845</td></tr></table>",
]


# A number here is a promise, as in test_leaks.
@pytest.mark.parametrize(
    ("around", "alarms"),
    [("{}", 0), ("# {}", 0), ("{}\n\nx = 1", 0), ("In the notebook:\n\n{}", 0), ("\x1b[31m{}\x1b[0m", 0)],
)
def test_what_only_looks_so_is_left(around, alarms):
    written = [around.replace("{}", text) for text in TELLS_NOTHING if around != "# {}" or "\n" not in text]
    assert [(text, redact(text)) for text in written if redact(text) != text] == [] and alarms == 0
