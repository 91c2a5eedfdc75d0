"""A session is the only difference between AWS and this machine, and errors of boto3 become the toolkit's."""

import inspect

import boto3
import botocore.exceptions
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb import errors, local
from personalize_nb.session import connection, explanations, folders, s3
from personalize_nb.session.client_errors import translated
from personalize_nb.session.session import Session


@pytest.fixture(autouse=True)
def nothing_connected(monkeypatch):
    monkeypatch.setattr(connection, "_current", None)


@pytest.fixture
def aws_environment(monkeypatch, local_service):
    """Point AWS's own variables at the local service, as for any other AWS client."""
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)


def test_a_local_session_is_ready(local_service):
    local_session = Session.local(local_service.path)
    assert local_session.is_local
    assert (local_session.bucket, local_session.role_arn) == (local_service.bucket, local_service.role_arn)
    assert local_session.account == local_service.account == local_session.sts.get_caller_identity()["Account"]
    assert local_session.location("jobs", "x") == f"s3://{local_service.bucket}/personalize_nb/jobs/x"
    assert local_session.arn("filter", "f") == "arn:aws:personalize:us-east-1:123456789012:filter/f"
    assert repr(local_session) == "<Session local us-east-1: pnb.train() or pnb.recommend()>"
    assert local_session.iam.get_role(RoleName=local_service.role_arn.rsplit("/", 1)[-1])


def test_the_users_own_aws_settings_do_not_reach_the_local_service(local_service, monkeypatch):
    for name, value in {
        "AWS_PROFILE": "absent",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_ACCESS_KEY_ID": "AKIAOTHER",
        "AWS_SECRET_ACCESS_KEY": "other",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
    }.items():
        monkeypatch.setenv(name, value)
    local_session = Session.local(local_service.path)
    assert local_session.call("list_recipes")["recipes"]
    assert local_session.s3.list_buckets()["Buckets"]


@pytest.mark.parametrize("path", ["a\0b", "~nobody-of-this-name/x"])
def test_what_can_be_no_folder_is_refused(path):
    with pytest.raises(errors.InputError, match="'path' must be the path of a folder, got"):
        Session.local(path)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_folder_that_was_moved_is_not_begun_anew(tmp_path, stopped):
    folder, elsewhere = tmp_path / "service", tmp_path / "elsewhere"
    local_session = Session.local(folder, idle_seconds=600)
    try:
        local_session.s3.put_object(Bucket=local_session.bucket, Key="kept", Body=b"1")
        if stopped:
            local_session.stop()
        folder.rename(elsewhere)
        with pytest.raises(errors.LocalServiceError, match=r"is gone \(moved or deleted\?\)"):
            local_session.s3.put_object(Bucket=local_session.bucket, Key="lost", Body=b"1")
        assert not folder.exists()
        elsewhere.rename(folder)
        assert local_session.s3.list_objects_v2(Bucket=local_session.bucket)["KeyCount"] == 1
    finally:
        local.stop(folder)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
            "'/no/such/token', which the variable AWS_WEB_IDENTITY_TOKEN_FILE of the environment names, cannot be used",
        ),
        ({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "k", "AWS_SESSION_TOKEN": "to\nken"}, "AWS_SESSION_TOKEN"),
        ({"AWS_ACCESS_KEY_ID": "to\nken", "AWS_SECRET_ACCESS_KEY": "k"}, "AWS_ACCESS_KEY_ID"),
    ],
)
def test_credentials_that_fail_at_the_call_are_told_and_not_shown(aws_environment, monkeypatch, variables, told):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PermissionError) as refused:
        Session.aws(bucket="b-of-nobody").call("list_recipes")
    assert told in str(refused.value) and "pnb.connect()" in str(refused.value)
    assert "to\nken" not in str(refused.value) and "to\\nken" not in str(refused.value)


def test_a_service_that_ended_is_started_again(tmp_path):
    local_session = Session.local(tmp_path / "service", idle_seconds=600)
    try:
        local_session.s3.put_object(Bucket=local_session.bucket, Key="kept", Body=b"x")
        assert local_session.stop()
        assert local.attach(tmp_path / "service") is None
        assert local_session.s3.get_object(Bucket=local_session.bucket, Key="kept")["Body"].read() == b"x"
        assert local_session.call("list_solutions")["solutions"] == []
    finally:
        assert local_session.stop()


def test_the_environment_chooses(monkeypatch, local_service, aws_environment):
    monkeypatch.setenv("PERSONALIZE_NB_PATH", str(local_service.path))
    assert pnb.connect().is_local
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "AWS")
    monkeypatch.setenv("PERSONALIZE_NB_BUCKET", "s3://mine/")
    monkeypatch.setenv("PERSONALIZE_NB_ROLE_ARN", "arn:aws:iam::123456789012:role/Mine")
    chosen = pnb.connect()
    assert not chosen.is_local
    assert (chosen.region, chosen.bucket, chosen.role()) == ("us-east-1", "mine", "arn:aws:iam::123456789012:role/Mine")
    assert connection.current() is chosen
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "gcp")
    with pytest.raises(ValueError, match="'local' or 'aws', got 'gcp'"):
        pnb.connect()


def test_the_default_folder_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert folders.default_folder().parts[-2:] == ("personalize_nb", "local")


def test_a_session_or_a_boto3_session_can_be_given(local_service, aws_environment):
    mine = Session.local(local_service.path)
    assert pnb.connect(mine) is mine is connection.current()
    assert pnb.connect() is mine, "a bare connect() leaves the user's session"
    with_boto3 = pnb.connect(boto3.Session(region_name="us-east-1"), bucket="b")
    assert with_boto3.call("list_recipes")["recipes"]
    assert (with_boto3.bucket, with_boto3.account) == ("b", "123456789012")
    with pytest.raises(TypeError, match="must be a Session, a boto3.Session or None, got str"):
        pnb.connect("local")
    with pytest.raises(TypeError, match="belong to a new session"):
        pnb.connect(mine, bucket="b")


def test_what_an_aws_session_lacks_is_named(monkeypatch, aws_environment):
    bare = Session.aws()
    assert repr(bare) == "<Session aws us-east-1: without bucket and role_arn; pass them to Session.aws()>"
    with pytest.raises(
        errors.NotFoundError, match=r"no bucket: pass Session.aws\(bucket='...'\) or set PERSONALIZE_NB_BUCKET"
    ):
        bare.location("jobs")
    with pytest.raises(errors.NotFoundError, match="no service role: pass .* must trust personalize.amazonaws.com"):
        bare.role()
    assert not bare.stop()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    with pytest.raises(errors.AccessError, match="No AWS region: pass"):
        Session.aws()
    with pytest.raises(errors.AccessError, match="absent.*Legal profiles"):
        Session.aws(profile="absent")


def test_the_same_code_runs_through_an_aws_session(aws_environment, local_service, readers_model):
    aws = Session.aws(bucket=local_service.bucket, role_arn=local_service.role_arn, prefix="team/a")
    job = pnb.recommend(["r1"], readers_model.name, num_results=3, session=aws).wait(progress=False)
    assert job.request.input_path.startswith(f"s3://{local_service.bucket}/team/a/jobs/{job.name}/input/")
    assert job.recommendations()["rank"].tolist() == [1, 2, 3]


def client_error(code, message="text", **metadata):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    return botocore.exceptions.ClientError(answer, "Op")


@pytest.mark.parametrize(
    ("raised", "error", "told"),
    [
        (client_error("ResourceNotFoundException"), errors.NotFoundError, r"Do: text \[ResourceNotFoundException\]"),
        (client_error("NoSuchKey"), errors.NotFoundError, "NoSuchKey"),
        (client_error("ResourceAlreadyExistsException"), errors.AlreadyExistsError, "text"),
        (client_error("LimitExceededException"), errors.QuotaError, "Wait until other work has ended"),
        (client_error("AccessDeniedException"), errors.AccessError, "Ask for the right to Op"),
        (client_error("ExpiredToken"), errors.CredentialsError, "Renew your AWS credentials"),
        (client_error("InvalidInputException", "Insufficient privileges for ..."), errors.AccessError, "Insufficient"),
        (client_error("X", "User: u is not authorized to perform: iam:PassRole"), errors.AccessError, "PassRole"),
        (client_error("InvalidInputException"), errors.ServiceError, "text"),
        (client_error("ResourceInUseException"), errors.ServiceError, "Wait until it is ACTIVE"),
        (client_error("", ""), errors.ServiceError, "Op"),
        (botocore.exceptions.NoCredentialsError(), errors.CredentialsError, "no AWS credentials"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="u"), errors.ServiceError, "Could not connect"),
        (botocore.exceptions.ParamValidationError(report="r"), errors.ServiceError, "Parameter validation"),
    ],
)
def test_every_boto3_error_becomes_one_of_ours(raised, error, told):
    with pytest.raises(error, match=told) as caught, translated("Do"):
        raise raised
    assert caught.value.__cause__ is raised
    assert isinstance(caught.value, errors.PersonalizeError)


def test_service_errors_carry_code_and_operation(readers_model):
    with pytest.raises(errors.ServiceError) as caught:
        readers_model.session.call("describe_solution", solutionArn="arn:nothing")
    assert (caught.value.code, caught.value.operation) == ("InvalidInputException", "DescribeSolution")


CODES = [name for row in explanations.TABLE for name in row.names]


@given(code=st.sampled_from(CODES) | st.text(max_size=30), text=st.text(max_size=60))
def test_every_error_of_a_call_ends_with_the_request_id(code, text):
    with pytest.raises(errors.PersonalizeError) as caught, translated("Do"):
        raise client_error(code, text, RequestId="0a1b-2c", HostId="aG9zdA==")
    assert (caught.value.operation, caught.value.request_id, caught.value.host_id) == ("Do", "0a1b-2c", "aG9zdA==")
    assert str(caught.value).endswith(" (request id 0a1b-2c)")
    caught.value.add("Nothing is lost.")
    assert str(caught.value).endswith(" Nothing is lost. (request id 0a1b-2c)")


def test_an_error_without_an_answer_has_no_request_id():
    with pytest.raises(errors.PersonalizeError) as caught, translated("Do"):
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="u")
    assert (caught.value.operation, caught.value.request_id) == ("Do", "")
    assert "request id" not in str(caught.value)


def test_a_waiter_that_gives_up_has_the_id_of_its_last_look():
    answer = {"ResponseMetadata": {"RequestId": "last"}}
    with pytest.raises(errors.ServiceError) as caught, translated("CreateRole"):
        raise botocore.exceptions.WaiterError("RoleExists", "Max attempts exceeded", answer)
    assert (caught.value.request_id, caught.value.code) == ("last", "WaiterError")


def test_the_ids_of_real_calls_are_kept_in_what_the_toolkit_makes_of_them(session):
    with pytest.raises(
        errors.NotFoundError,
        match=r"^There is no filter 'nothing'.*solution_version\) makes one\. \(request id [-0-9a-f]{36}\)$",
    ) as caught:
        pnb.find_filter("nothing", session)
    assert caught.value.operation == "DescribeFilter" and len(caught.value.request_id) == 36
    with pytest.raises(errors.NotFoundError, match=r"\(request id [0-9A-Z]{16}\)$") as caught:
        s3.stored(session, "s3://a-bucket-that-is-not-there/x")
    assert caught.value.operation == "ListObjectsV2" and caught.value.request_id in str(caught.value)


def test_lists_are_followed_over_pages(readers_model, books_model):
    pages = readers_model.session.pages("list_solutions", "solutions", maxResults=1)
    assert len({one["name"] for one in pages}) >= 2


def test_an_option_of_the_other_world_is_named_with_the_legal_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "local")
    with pytest.raises(TypeError, match=r"Session.local has no option 'profile'; legal are path, .*region, account"):
        pnb.connect(path=tmp_path / "new", profile="mine")
    assert not (tmp_path / "new").exists()
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "aws")
    with pytest.raises(TypeError, match=r"Session.aws has no option 'path'; legal are region, profile, bucket"):
        pnb.connect(path=tmp_path / "new")
    with pytest.raises(TypeError, match="regoin"):
        Session.local(tmp_path / "new", regoin="eu-west-1")


def test_a_local_session_takes_what_the_service_is_started_with():
    started = inspect.signature(local.start).parameters
    taken = inspect.signature(Session.local).parameters
    for name in set(started) - {"path"}:
        assert taken[name].default == started[name].default, name
    both = {*taken, *inspect.signature(Session.aws).parameters}
    assert set(inspect.signature(pnb.connect).parameters) == {*both, "session"}
