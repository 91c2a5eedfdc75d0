"""AWS settings of the user: never on the way to the local service, and named when they are wrong on AWS."""

from __future__ import annotations

import pytest
from botocore import configprovider
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from installed_boto3 import needs_boto3

import personalize_nb as pnb
from personalize_nb.errors import AccessError, InputError, PersonalizeError

TABLES = (configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES, configprovider.DEFAULT_S3_CONFIG_VARS)
ROWS = [row for table in TABLES for row in table.values()]
VARIABLES = sorted({
    *(name for _, names, _, _ in ROWS for name in ([names] if isinstance(names, str) else names or ())),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_PERSONALIZE", "AWS_REGION"),
    *("AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "HTTP_PROXY", "REQUESTS_CA_BUNDLE"),
})  # fmt: skip
KEYS = sorted({key for key, *_ in ROWS if isinstance(key, str)} | {"endpoint_url", "services"})
VALUES = st.one_of(
    st.sampled_from(["", "0", "-1", "yes", "fast", "http://", "127.0.0.1:9", "a b", "//", "[", "s3"]),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12),
)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@pytest.fixture
def home(monkeypatch, tmp_path):
    """An environment with keys and a region of AWS and an empty configuration file."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text("")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key-that-no-message-shows")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # where keys are wanting nobody is asked
    return tmp_path


def clients_on_aws():
    session = pnb.Session.aws(bucket="b-of-nobody")
    return [session.client(name) for name in ("s3", "personalize", "sts")]


@settings(SHARED, max_examples=12)
@given(name=st.sampled_from(VARIABLES), value=VALUES)
def test_no_variable_reaches_a_local_client(home, local_service, name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        session = pnb.Session.local(local_service.path)
        assert session.bucket in [one["Name"] for one in session.s3.list_buckets()["Buckets"]]
        assert session.personalize.list_recipes(maxResults=1)["recipes"]


@settings(SHARED, max_examples=8)
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_no_file_reaches_a_local_client(home, local_service, key, value):
    (home / "config").write_text(f"[default]\n{key} = {value}\ns3 =\n  addressing_style = {value}\n", encoding="utf-8")
    session = pnb.Session.local(local_service.path)
    assert session.s3.list_buckets()["Buckets"]


@settings(SHARED, max_examples=12)
@given(name=st.sampled_from(VARIABLES), value=VALUES)
def test_on_aws_a_wrong_variable_is_an_error_of_the_toolkit_or_none(home, name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        try:
            clients_on_aws()
        except PersonalizeError as error:
            assert "secret-key-that-no-message-shows" not in str(error)


@settings(SHARED, max_examples=8)
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_on_aws_a_wrong_file_is_an_error_of_the_toolkit_or_none(home, key, value):
    (home / "config").write_text(f"[default]\n{key} = {value}\n", encoding="utf-8")
    try:
        clients_on_aws()
    except PersonalizeError as error:
        assert "config" in str(error)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_RETRY_MODE", "fast", "standard"),
        ("AWS_MAX_ATTEMPTS", "many", "legal is a whole number"),
        ("AWS_DEFAULTS_MODE", "x", "in-region"),
        ("AWS_ENDPOINT_URL", "127.0.0.1:9", "Invalid endpoint"),
        pytest.param("AWS_REQUEST_CHECKSUM_CALCULATION", "never", "when_required", marks=needs_boto3("1.36.0")),
        ("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "x", "regional"),
        ("AWS_DEFAULT_REGION", "-1", "region_name"),
    ],
)
def test_the_variable_its_value_and_what_is_legal_are_told(home, monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    with pytest.raises(AccessError, match=f"the variable {name} of the environment is '{value}'") as refused:
        clients_on_aws()
    assert told in str(refused.value) and "pnb.Session.local()" in str(refused.value)


def test_a_wrong_key_of_the_file_is_told(home):
    (home / "config").write_text("[default]\nretry_mode = fast\n")
    with pytest.raises(AccessError, match="retry_mode in .*config is 'fast'"):
        clients_on_aws()


@pytest.mark.parametrize("service", ["S3", "PERSONALIZE", "STS"])
@pytest.mark.parametrize("general", [None, "http://127.0.0.1:9"])
def test_the_endpoint_that_is_wrong_is_told_and_not_the_one_that_is_right(home, monkeypatch, service, general):
    if general:
        monkeypatch.setenv("AWS_ENDPOINT_URL", general)
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "localhost")
    with pytest.raises(
        AccessError, match=f"^the variable AWS_ENDPOINT_URL_{service} of the environment is 'localhost'"
    ):
        clients_on_aws()


WRONG = {"retry_mode": "fast", "max_attempts": "many", "defaults_mode": "x", "endpoint_url": "localhost", "s3": "flat"}


@settings(SHARED, max_examples=6)
@given(
    keys=st.sets(st.sampled_from(sorted(WRONG)), min_size=1, max_size=3),
    file=st.sampled_from(["config", "none"]),
    right=st.sets(st.sampled_from(["AWS_EC2_METADATA_SERVICE_NUM_ATTEMPTS", "AWS_METADATA_SERVICE_TIMEOUT"])),
)
def test_all_wrong_keys_are_told_with_their_file_and_none_that_is_right(home, keys, file, right):
    (home / "config").write_text("")
    (home / file).write_text("[default]\n" + "".join(f"{key} = {WRONG[key]}\n" for key in sorted(keys)))
    with pytest.MonkeyPatch.context() as patch:
        for name in right:
            patch.setenv(name, "1")
        with pytest.raises(AccessError) as refused:
            clients_on_aws()
    told = str(refused.value).partition(", so a client of")[0]
    assert {part.partition(" in ")[0] for part in told.split(" and ")} == keys
    assert told.count(str(home / file)) == len(keys)
    (home / file).unlink()


@pytest.mark.parametrize("text", ["[profile x\nregion=us-east-1\n", "region = us-east-1\n"])
def test_a_file_that_cannot_be_read_is_named(home, text):
    (home / "config").write_text(text)
    with pytest.raises(AccessError, match=f"the file '{home / 'config'}' cannot be read"):
        clients_on_aws()


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_profile_that_is_not_there_is_named_with_its_variable(home, monkeypatch, variable):
    monkeypatch.setenv(variable, "gone")
    with pytest.raises(
        AccessError, match=f"{variable} is 'gone': .*could not be found. Legal .*, {variable} in the en"
    ):
        clients_on_aws()


def test_a_world_that_there_is_not_is_an_error_of_the_toolkit(home, monkeypatch):
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "amazon")
    with pytest.raises(InputError, match="PERSONALIZE_NB_BACKEND of the environment must be 'local' or 'aws', got"):
        pnb.connect(bucket="b-of-nobody")
