"""Credentials that end in the middle of work are asked for again where they came from; without new ones it says how."""

import json
import sys

import boto3
import botocore.exceptions
import botocore.session
import pytest
import wire_faults

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.session import connection
from personalize_nb.session.session import Session

NOTHING = {"progress": False, "sleep": lambda seconds: None}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(autouse=True)
def nothing_connected(monkeypatch):
    monkeypatch.setattr(connection, "_current", None)


class Source:
    """A place where credentials come from: those in it are the service's own, or ended."""

    def __init__(self, kind, folder, service, monkeypatch):
        self.kind, self.folder, self.monkeypatch = kind, folder, monkeypatch
        self.good = service.environment()
        for name, value in self.good.items():
            monkeypatch.setenv(name, value)
        if kind != "variables":
            for name in KEYS:
                monkeypatch.delenv(name)
            program = folder / "give.py"
            program.write_text(f"print(open({str(folder / 'keys.json')!r}).read())")
            config = (
                f"[profile dev]\ncredential_process = {sys.executable} {program}\n"
                if kind == "program"
                else "[profile dev]\n"
            )
            (folder / "config").write_text(config)
            monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
            monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
        self.profile = None if kind == "variables" else "dev"

    def hold(self, ended):
        key, secret = (self.good[name] for name in KEYS)
        secret = "ended" if ended else secret
        if self.kind == "variables":
            self.monkeypatch.setenv(KEYS[1], secret)
        elif self.kind == "program":
            keys = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret}
            (self.folder / "keys.json").write_text(json.dumps(keys))
        else:
            text = f"[dev]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
            (self.folder / "credentials").write_text(text)


@pytest.fixture(params=["variables", "file", "program"])
def source(request, tmp_path, local_service, monkeypatch):
    return Source(request.param, tmp_path, local_service, monkeypatch)


@pytest.fixture(params=["made by the toolkit", "the user's own"])
def make(request, source, local_service):
    """Give a function that makes a session of AWS with the credentials that the source has."""
    options = {"bucket": local_service.bucket, "role_arn": local_service.role_arn, "prefix": "renewed"}

    def make():
        if request.param == "made by the toolkit":
            return Session.aws(profile=source.profile, **options)
        return Session.aws(boto3_session=boto3.Session(profile_name=source.profile), **options)

    return make


def test_credentials_that_are_renewed_in_time_end_nothing(make, source, readers_model):
    source.hold(ended=False)
    job = pnb.recommend(["r1"], readers_model.name, num_results=1, session=make())
    source.hold(ended=True)
    session = make()
    assert session.client("personalize") and session.client("s3")  # made with keys that have ended
    source.hold(ended=False)
    assert pnb.attach(job.name, session).wait(progress=False).recommendations()["rank"].tolist() == [1]


def test_a_wait_without_new_credentials_says_how_to_go_on(make, source, readers_model):
    source.hold(ended=False)
    job = pnb.recommend(["r1"], readers_model.name, num_results=1, session=make())
    source.hold(ended=True)
    stale = pnb.BatchInferenceJob(job.arn, make())
    with pytest.raises(errors.CredentialsError) as caught:
        stale.wait(**NOTHING)
    assert f". Job {job.name!r} goes on; wait for it again with pnb.attach({job.name!r}).wait()" in str(caught.value)
    assert isinstance(caught.value.__cause__, botocore.exceptions.ClientError)
    pnb.connect(stale.session)
    source.hold(ended=False)
    assert pnb.attach(job.name).wait(progress=False).status == "ACTIVE", "the line that the message names"


def test_a_bare_connect_makes_new_clients_of_the_same_place(make, source, local_service):
    source.hold(ended=True)
    session = pnb.connect(make())
    before = session.personalize
    source.hold(ended=False)
    assert pnb.connect() is session is connection.current()
    assert session.personalize is not before
    assert (session.bucket, session.role_arn, session.prefix) == (
        local_service.bucket,
        local_service.role_arn,
        "renewed",
    )
    assert before is not session.personalize and session.personalize.list_recipes()["recipes"]


def test_a_bare_connect_leaves_a_local_session_as_it_is(local_service):
    session = pnb.connect(Session.local(local_service.path))
    client = session.personalize
    assert pnb.connect() is session and session.personalize is client


def test_keys_given_by_hand_have_no_source(local_service, readers_model, monkeypatch):
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)
    mine = boto3.Session(aws_access_key_id=local_service.access_key, aws_secret_access_key="ended")
    with pytest.raises(errors.CredentialsError, match=r"secret key.*") as caught:
        Session.aws(boto3_session=mine).call("list_recipes")
    assert "pnb.connect(...)" in str(caught.value), "the variables have other keys, which are not those"


CODES = ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken"]


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_ended_credentials_is_sat_out(readers_model, session, code):
    job = pnb.recommend(["r1"], readers_model, num_results=1)
    with wire_faults.faults(session, "DescribeBatchInferenceJob", *[wire_faults.refusal(code)] * 3):
        assert job.wait(progress=False).status == "ACTIVE"
    with (
        wire_faults.faults(session, "DescribeBatchInferenceJob", *[wire_faults.refusal(code)] * 9),
        pytest.raises(errors.CredentialsError, match=rf"pnb.attach\('{job.name}'\).wait\(\)"),
    ):
        pnb.BatchInferenceJob(job.arn, session).wait(**NOTHING)


def test_a_run_and_a_training_say_how_to_go_on(session, books_model):
    items = [f"b{number:04d}" for number in range(1, 121)]
    ended = [wire_faults.refusal("ExpiredTokenException")] * 30
    run = pnb.themes(items, books_model.name, at_once=1, session=session)
    with (
        wire_faults.faults(session, "DescribeBatchInferenceJob", *ended),
        pytest.raises(
            errors.CredentialsError,
            match=rf"\. What was started goes on, '{run.name}-\w+-002' waits .*pnb.attach\('{run.name}'\).wait\(\)",
        ),
    ):
        run.wait(**NOTHING)
    assert run.wait(progress=False).status == "ACTIVE"


def test_a_provider_is_asked_again_and_no_other_one_in_its_place(local_service, monkeypatch, readers_model):
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)
    asked = []

    class Provider:
        METHOD, CANONICAL_NAME = "own", "own"

        def load(self):
            asked.append(1)
            secret = local_service.secret_key if len(asked) > 1 else "ended"
            return botocore.credentials.Credentials(local_service.access_key, secret, method="own")

    core = botocore.session.Session()
    core.get_component("credential_provider").insert_before("env", Provider())
    session = Session.aws(boto3_session=boto3.Session(botocore_session=core), bucket=local_service.bucket)
    assert session.call("list_recipes")["recipes"] and len(asked) == 2
    # credentials that the user has put there himself are not those of the variables
    core._credentials = botocore.credentials.Credentials("k", "s", method="sts-assume-role")
    session.renew()
    assert session.client("personalize")._request_signer._credentials.access_key == "k"


def test_what_an_sso_profile_lacks_is_told_with_its_name(tmp_path, monkeypatch, local_service):
    config = (
        "[profile team]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = R\nregion = us-east-1\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n"
    )
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(errors.CredentialsError, match="aws sso login --profile team"):
        Session.aws(profile="team").call("list_recipes")


def of_a_profile(folder, monkeypatch, *lines):
    """Return a session of a profile that these lines make up."""
    (folder / "config").write_text("\n".join(("[profile team]", "region = us-east-1", *lines, "")))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return Session.aws(profile="team", bucket="b-of-nobody")


def test_a_bad_source_profile_is_told(tmp_path, monkeypatch):
    role = "arn:aws:iam::123456789012:role/R"
    session = of_a_profile(tmp_path, monkeypatch, f"role_arn = {role}", "source_profile = gone")
    with pytest.raises(errors.CredentialsError, match='source_profile "gone".*Correct it in the AWS conf') as caught:
        session.call("list_recipes")
    assert "role_arn" not in str(caught.value), "which is right"


def test_a_program_that_gives_no_credentials_is_told_and_not_run_over_and_over(tmp_path, monkeypatch):
    program, runs = tmp_path / "give.py", tmp_path / "runs"
    program.write_text(f"open({str(runs)!r}, 'a').write('x')\nraise SystemExit('your login has ended')\n")
    session = of_a_profile(tmp_path, monkeypatch, f"credential_process = {sys.executable} {program}")
    for ask in (lambda: session.call("list_recipes"), lambda: session.s3):
        runs.write_text("")
        with pytest.raises(errors.CredentialsError, match="your login has ended.*What gives the credentials"):
            ask()
        assert len(runs.read_text()) <= 3, "once for the client, and once each for the old and the new session"
