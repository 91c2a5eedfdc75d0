"""Every error of AWS has a cause and a next step, in one table that is also a page."""

import inspect

import botocore.exceptions
import botocore.session
import error_page
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb import errors
from personalize_nb.session import explanations, waiting
from personalize_nb.session.client_errors import translated


def refused(code, text="text", status=400, call="Op", **headers):
    metadata = {"HTTPStatusCode": status, "RequestId": "0a1b", "HTTPHeaders": headers}
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata}, call
    )


def told(raised, action="Do"):
    with pytest.raises(errors.PersonalizeError) as caught, translated(action):
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


def test_the_page_shows_the_table_as_it_is():
    page = error_page.PAGE.read_text(encoding="utf-8")
    assert page == error_page.written(page), "write it again: PYTHONPATH=. python tests/support/error_page.py"


def model_codes():
    core = botocore.session.Session()
    for service in ("personalize", "sts", "s3"):
        model = core.get_service_model(service)
        shapes = {shape for name in model.operation_names for shape in model.operation_model(name).error_shapes}
        yield from (shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes)
    called = {
        "iam": "GetRole CreateRole PutRolePolicy UpdateAssumeRolePolicy ListRolePolicies SimulatePrincipalPolicy",
        "kms": "DescribeKey GetKeyPolicy PutKeyPolicy ListGrants",
    }
    for service, operations in called.items():
        model = core.get_service_model(service)
        for name in operations.split():
            shapes = model.operation_model(name).error_shapes
            yield from (shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes)


NOT_MET = {"AnnotationLimitExceeded", "AnnotationNameTooLong", "InvalidAnnotationName", "NoSuchAnnotation"}
NOT_MET |= {"ObjectAlreadyInActiveTierError", "ObjectNotInActiveTierError"}  # operations that nobody calls here


@pytest.mark.parametrize("code", sorted(set(model_codes()) - NOT_MET))
def test_every_code_of_the_models_has_a_cause_and_a_next_step(code):
    row = explanations.of_call([code], "", "")
    assert row is not None
    message = str(told(refused(code)))
    assert message.startswith(f"Do: text [{code}] {row.cause}") and message.endswith("(request id 0a1b)")


def exceptions():
    known = inspect.getmembers(botocore.exceptions, inspect.isclass)
    return [one for _, one in known if issubclass(one, botocore.exceptions.BotoCoreError)]


@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: kind.__name__)
def test_every_exception_of_botocore_has_a_cause_and_a_next_step(kind):
    raised = kind.__new__(kind)
    Exception.__init__(raised, "what it says")
    raised.kwargs = {}
    error = told(raised)
    assert error.code == kind.__name__
    assert "what it says" in str(error) and len(str(error)) > 60


@given(code=st.text(max_size=20), text=st.text(max_size=60))
def test_unknown_texts_pass_unharmed(code, text):
    if explanations.of_call([code], text, "") is None:
        assert told(refused(code, text)).args[0] == f"Do: {text.strip() or refused(code, text)} [{code}]"
    if explanations.of_reason(text) is None:
        assert explanations.told(text) == (text or "the service gave no reason")
    assert explanations.told(text).startswith(text)


REASONS = [
    "Insufficient privileges for accessing data in S3. Please look at https://x and fix bucket policy on b.",
    "Failed to create a data import job for Items dataset...Insufficient privileges for accessing data in Amazon S3.",
    "Invalid Data location.",
    "Invalid S3 input path",
    "Invalid S3 output path",
    "More than 5 resources with PENDING or IN_PROGRESS status.",
    "Input CSV is missing the following columns:[A, B].",
    "Length cannot be more than 1000 characters for TITLE. If no values exceed the character limit, make sure ...",
    "Create failed. Dataset has fewer than 25 users with at least 2 interactions each.",
    "Dataset has fewer than 1000 interactions after filtering by event type: click",
    "Cannot create a campaign. More than 5 resources in ACTIVE state. Please delete some and try again.",
    "User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole",
    "User error: Required fields for the provided recipe are userId",
    "Could not create filter. Invalid input symbol: $X. Placeholders are not allowed with NOT_IN operator.",
    "Could not create filter. Invalid input symbol...Placeholders can only be used with IN or EQ operator",
    "Could not create filter. Invalid Expression...",
]


@pytest.mark.parametrize("reason", REASONS)
def test_every_documented_text_has_a_cause_and_a_next_step(reason):
    row = explanations.of_reason(reason)
    assert row is not None
    described = {"status": "CREATE FAILED", "failureReason": reason}
    with pytest.raises(errors.FailedError) as caught:
        waiting.until_active(lambda: described, "job 'x'", "arn", again="a", timeout=None, progress=Silent())
    assert caught.value.reason == reason
    assert reason in str(caught.value) and row.cause in str(caught.value) and row.step in str(caught.value)
    assert type(told(refused("InvalidInputException", reason))) is row.becomes


OF_ANNA = "User: arn:aws:iam::1:user/anna is not authorized to perform: personalize:CreateBatchInferenceJob"
PER_SECOND = "The limit on the number of requests per second has been exceeded."


def test_a_wait_that_has_given_up_does_not_say_that_it_tries_again():
    def look():
        with translated("Describe"):
            raise refused("ThrottlingException")

    wait = {"again": "again()", "timeout": None, "progress": Silent(), "sleep": lambda seconds: None}
    with pytest.raises(
        errors.QuotaError, match=r"try again in a moment\. .*\. Job 'x' goes on; .* again\(\)"
    ) as caught:
        waiting.until_active(look, "job 'x'", "arn", **wait)
    assert "by itself" not in str(caught.value)


def test_of_a_reason_it_is_the_service_role_that_lacks_something():
    assert "service role trusts" in explanations.told(OF_ANNA)


class Silent:
    def update(self, *_):
        pass

    say = update


@pytest.mark.parametrize(
    ("raised", "error", "said", "not_said"),
    [
        (refused("ThrottlingException", "Rate exceeded"), errors.QuotaError, "faster than AWS", "other work"),
        (refused("SlowDown", "", 503), errors.QuotaError, "faster than AWS", "other work"),
        (refused("RequestTimeTooSkewed"), errors.ServiceError, "Set the clock", "Renew your"),
        (
            refused("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"),
            errors.ServiceError,
            "Set the clock",
            "Renew",
        ),
        (
            refused("InvalidSignatureException", "Signature not yet current: 2"),
            errors.ServiceError,
            "Set the clock",
            "Renew",
        ),
        (
            refused("RequestExpired", date="Mon, 01 Jan 2024 00:00:00 GMT"),
            errors.ServiceError,
            "minutes ahead",
            "Renew",
        ),
        (
            refused("SignatureDoesNotMatch", "The signature we calculated"),
            errors.CredentialsError,
            "secret key",
            "clock",
        ),
        (refused("OptInRequired"), errors.AccessError, "Switch the region on", "iam:PassRole"),
        (
            refused("AccessDeniedException", OF_ANNA),
            errors.AccessError,
            "Ask for personalize:CreateBatchInferenceJob; row 'caller' of pnb.preflight",
            "service role trusts",
        ),
        (refused("AccessDenied"), errors.AccessError, "Ask for the right to Op; row 'caller'", "service role trusts"),
        (refused("LimitExceededException", PER_SECOND), errors.QuotaError, "faster than AWS", "other work"),
        (refused("InvalidToken"), errors.CredentialsError, "other", "iam:PassRole"),
        (refused("AccessDenied", call="AssumeRole"), errors.CredentialsError, "assumes a role", "iam:PassRole"),
        (
            refused("UnauthorizedException", call="GetRoleCredentials"),
            errors.CredentialsError,
            "aws sso login",
            "PassRole",
        ),
        (refused("Odd", "html", 502), errors.ServiceError, "inside AWS", "PassRole"),
        (refused("LimitExceededException", REASONS[5]), errors.QuotaError, "Wait until other work has ended", "delete"),
        (refused("LimitExceededException", REASONS[10]), errors.QuotaError, "Delete what is not needed", "other work"),
        (
            refused("AccessDenied", "with an explicit deny in a policy"),
            errors.AccessError,
            "no other policy",
            "PassRole",
        ),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://personalize.eu-south-2.amazonaws.com/"),
            errors.ServiceError,
            "is not in the region eu-south-2. Take one of",
            "VPN",
        ),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://personalize.eu-west-1.amazonaws.com/"),
            errors.ServiceError,
            "VPN",
            "not in the region",
        ),
        (botocore.exceptions.ProxyConnectionError(proxy_url="http://p:1"), errors.ServiceError, "the proxy", "VPN"),
        (
            botocore.exceptions.SSLError(endpoint_url="u", error="CERTIFICATE_VERIFY_FAILED"),
            errors.ServiceError,
            "AWS_CA_BUNDLE",
            "VPN",
        ),
        (
            botocore.exceptions.UnauthorizedSSOTokenError(),
            errors.CredentialsError,
            "aws sso login --profile dev",
            "PassRole",
        ),
        (
            botocore.exceptions.SSOTokenLoadError(error_msg="none"),
            errors.CredentialsError,
            "aws sso login --profile dev",
            "PassRole",
        ),
        (
            botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
            errors.CredentialsError,
            "aws sso login --profile dev",
            "PassRole",
        ),
        (
            botocore.exceptions.InvalidConfigError(error_msg='The source_profile "x" does not exist'),
            errors.CredentialsError,
            "source_profile",
            "sso login",
        ),
    ],
)
def test_each_class_has_a_next_step_of_its_own(monkeypatch, raised, error, said, not_said):
    monkeypatch.setenv("AWS_PROFILE", "dev")
    found = told(raised)
    assert type(found) is error
    assert said in str(found) and not_said not in str(found)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@given(code=st.text(max_size=10))
def test_whatever_aws_calls_an_error_of_its_own_it_passes(status, code):
    assert waiting.passing(told(refused(code, "", status))) or code in {
        name for row in explanations.TABLE if not row.passes for name in row.names
    }
