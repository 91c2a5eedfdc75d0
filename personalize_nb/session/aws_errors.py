"""What AWS's error codes and botocore's exceptions come from, and what to do next: one row for codes of one cause.

`BEFORE` the words of a message count, `AFTER` them stand the codes that say little by themselves.
"""

from __future__ import annotations

from personalize_nb import errors
from personalize_nb.session.explanation import Explanation
from personalize_nb.session.failure_texts import YOURS

_SERVICE, _ACCESS, _QUOTA = errors.ServiceError, errors.AccessError, errors.QuotaError
_CREDENTIALS, _TAKEN, _ABSENT = errors.CredentialsError, errors.AlreadyExistsError, errors.NotFoundError

AGAIN = "then go on; where a session holds fixed keys, make a new one with pnb.connect(...)"
_CLOCK = (
    "The clock of this machine differs from AWS's{skew}, and signatures hold for a few minutes.",
    "Set the clock (a virtual machine that slept: synchronise it again); the credentials need no renewal.",
)
_OFFLINE = "or work offline with pnb.connect(pnb.Session.local())"
_RESTORED = "It may pass: try again in a moment."
_THROTTLED = (
    "Calls of this account come faster than AWS takes them.",
    f"{_RESTORED} Fewer notebooks that wait at a time make fewer calls.",
)
_HOME = "Look at where your credentials come from (`aws configure list`)"
# an assumed role or a login gives credentials by calls of their own, made on the way to the call that was meant
ASSUMING = ("AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
LOGIN_CALLS = ("GetRoleCredentials", "CreateToken", "CreateOAuth2Token")


def _row(
    names: str,
    becomes: type[errors.PersonalizeError],
    cause: str,
    step: str,
    *,
    text: str = "",
    calls: tuple[str, ...] = (),
    passes: bool = False,
) -> Explanation:
    return Explanation(tuple(names.split()), becomes, cause, step, text, calls, passes)


BEFORE = (
    # the clock: some codes say it, others are those of wrong keys and only the words tell
    _row("RequestTimeTooSkewed RequestExpired RequestInTheFuture", _SERVICE, *_CLOCK),
    _row(
        "SignatureDoesNotMatch InvalidSignatureException AuthFailure IncompleteSignature AccessDenied "
        "AccessDeniedException",
        _SERVICE,
        *_CLOCK,
        text=r"signature (has )?expired|not yet current|request has expired|time.*(skew|too large)|earlier than",
    ),
    # credentials
    _row(
        "",
        _CREDENTIALS,
        "The profile assumes a role, and the credentials it does so with have run out or are wrong.",
        f"Renew those of its source_profile or credential_source, {AGAIN}.",
        calls=ASSUMING,
        text=r"expired|invalid|not match",
    ),
    _row(
        "",
        _CREDENTIALS,
        "The profile assumes a role, and may not.",
        "The role's trust policy must name who assumes it, whose policy must allow sts:AssumeRole; look at role_arn, "
        f"source_profile, external_id and mfa_serial of the profile, {AGAIN}.",
        calls=ASSUMING,
    ),
    _row(
        "",
        _CREDENTIALS,
        "The login of the profile does not give credentials: it has ended, or lacks the profile's account or role.",
        f"Log in again with {{sso_login}} and look at sso_account_id and sso_role_name, {AGAIN}.",
        calls=LOGIN_CALLS,
    ),
    _row(
        "ExpiredToken ExpiredTokenException TokenRefreshRequired",
        _CREDENTIALS,
        "The temporary credentials have run out.",
        f"Renew your AWS credentials: {{renewal}}; {AGAIN}.",
    ),
    _row(
        "UnrecognizedClientException InvalidClientTokenId InvalidToken InvalidAccessKeyId InvalidSecurity "
        "AuthorizationHeaderMissing MissingAuthenticationToken MissingAuthenticationTokenException",
        _CREDENTIALS,
        "AWS does not know these keys: they were deleted or made inactive, belong to another partition, lack their "
        "session token, or the region must first be switched on for the account.",
        f"Renew your AWS credentials or take others; for a region that is off, see Account > AWS Regions; {AGAIN}.",
    ),
    _row(
        "SignatureDoesNotMatch InvalidSignatureException IncompleteSignature",
        _CREDENTIALS,
        "The secret key does not belong to the access key, or was cut when it was copied; or a proxy changes requests.",
        f"Set both keys again, or renew your AWS credentials, {AGAIN}.",
    ),
    _row(
        "UnauthorizedSSOTokenError SSOTokenLoadError TokenRetrievalError SSOError PendingAuthorizationExpiredError "
        "NoAuthTokenError UnauthorizedException InvalidGrantException",
        _CREDENTIALS,
        "The login of the profile has ended, or there was none.",
        f"Log in with {{sso_login}}, {AGAIN}; {_OFFLINE}.",
    ),
    _row(
        "LoginInsufficientPermissions",
        _CREDENTIALS,
        "The login may not be turned into credentials.",
        f"Ask for signin:CreateOAuth2Token, {AGAIN}.",
    ),
    _row(
        "LoginError",
        _CREDENTIALS,
        "The login of the profile has ended, or there was none.",
        f"Log in with {{aws_login}}, {AGAIN}; {_OFFLINE}.",
    ),
    _row(
        "NoCredentialsError PartialCredentialsError",
        _CREDENTIALS,
        "There are no AWS credentials, or only a part of them.",
        f"Configure a profile, or set AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY; {_OFFLINE}.",
    ),
    _row(
        "InvalidConfigError InfiniteLoopConfigError",
        _CREDENTIALS,
        "The profile does not lead to credentials: source_profile, credential_source or sso_session name what is not "
        "there, or profiles name each other in a circle.",
        f"Correct it in the AWS configuration ({{files}}), {AGAIN}; {_OFFLINE}.",
    ),
    _row(
        "RefreshWithMFAUnsupportedError",
        _CREDENTIALS,
        "The role was assumed with a one-time code (MFA), which cannot be asked for again by itself.",
        f"Make a new session and give the code, {AGAIN}.",
    ),
    _row(
        "CredentialRetrievalError MetadataRetrievalError UnknownCredentialError InvalidIMDSEndpointError",
        _CREDENTIALS,
        "What gives the credentials (a program, the machine's or container's role) gave none.",
        f"{_HOME}, {AGAIN}; {_OFFLINE}.",
    ),
    _row(
        "OptInRequired SubscriptionRequiredException SubscriptionRequired NotSignedUp AccountProblem",
        _ACCESS,
        "The account may not use this service or region yet: its registration is not complete, or the region is off.",
        "Switch the region on (Account > AWS Regions), complete the account's registration, or take another region.",
    ),
    _row(
        "RegionDisabledException",
        _ACCESS,
        "STS is not switched on in this region.",
        "Switch it on in IAM > Account settings > STS, or take another region.",
    ),
    # what passes
    _row(
        "ThrottlingException Throttling ThrottledException RequestThrottled RequestThrottledException SlowDown "
        "TooManyRequestsException TooManyRequests RequestLimitExceeded BandwidthLimitExceeded PriorRequestNotComplete "
        "ProvisionedThroughputExceededException TransactionInProgressException EC2ThrottledException 429",
        _QUOTA,
        *_THROTTLED,
        passes=True,
    ),
    # else the code says that a quota is used up by what there is
    _row("LimitExceededException", _QUOTA, *_THROTTLED, text=r"requests per|\brate\b", passes=True),
    _row(
        "InternalFailure InternalServerError InternalServerException InternalError InternalServiceError ServiceFailure "
        "ServiceUnavailable ServiceUnavailableException ServiceException KMSInternalException RequestTimeout "
        "RequestTimeoutException DependencyTimeoutException KeyUnavailableException Busy IDPCommunicationError "
        "OperationAborted ConcurrentModification ConflictException EntityTemporarilyUnmodifiable 408 5xx",
        _SERVICE,
        "It failed inside AWS, or AWS is busy with the same thing.",
        _RESTORED,
        passes=True,
    ),
    _row(
        "GarbledAnswer ResponseParserError",
        _SERVICE,
        "The answer was cut or changed on the way, by a proxy or a lost connection.",
        _RESTORED,
        passes=True,
    ),
    _row(
        "FlexibleChecksumError ChecksumError IncompleteReadError ResponseStreamingError BadDigest "
        "XAmzContentSHA256Mismatch IncompleteBody RequestBodyTooShort",
        _SERVICE,
        "Data were cut or changed on the way.",
        _RESTORED,
        passes=True,
    ),
    # the way there
    _row(
        "NoSuchRegion",
        _SERVICE,
        "Amazon Personalize is not in the region {region}.",
        "Take one of {regions}: pnb.connect(pnb.Session.aws(region='...', bucket='...')) with a bucket there.",
    ),
    _row(
        "ProxyConnectionError InvalidProxiesConfigError 407",
        _SERVICE,
        "The proxy does not answer or does not let the call through.",
        "Look at {proxies}; addresses that need no proxy stand in NO_PROXY.",
        passes=True,
    ),
    _row(
        "SSLError",
        _SERVICE,
        "The certificate of the other side is not trusted: mostly a company's proxy that opens TLS.",
        "Let AWS_CA_BUNDLE name the file with your company's certificates, then make a new session with pnb.connect().",
        text=r"certificate|self.signed|hostname",
    ),
    _row(
        "SSLError",
        _SERVICE,
        "The encrypted connection broke, or an address of http:// is called with https://.",
        f"{_RESTORED} Where it stays, look at {{proxies}} and at AWS_ENDPOINT_URL.",
        passes=True,
    ),
    _row(
        "EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError ConnectionError "
        "HTTPClientError",
        _SERVICE,
        "There was no connection, or it broke before the answer.",
        f"{_RESTORED} Where it stays, look at the network, the VPN, {{proxies}} and AWS_ENDPOINT_URL.",
        passes=True,
    ),
    # names
    _row(
        "ResourceNotFoundException NoSuchEntity NotFoundException NoSuchUpload NoSuchVersion 404",
        _ABSENT,
        "There is nothing of that name in this account and region, or it was made only seconds ago.",
        "Look at the name, the region and the account (session.account).",
    ),
    _row(
        "NoSuchBucket NoSuchKey",
        _ABSENT,
        "There is no such bucket or object, or its name has another case.",
        "Look at the address; keys are compared letter by letter.",
    ),
    _row(
        "ResourceAlreadyExistsException BucketAlreadyExists EntityAlreadyExists AlreadyExistsException",
        _TAKEN,
        "The name is taken; names of buckets in all of AWS, names of Personalize in the account and region.",
        "Take another name, or use what is there.",
    ),
    _row("BucketAlreadyOwnedByYou", _TAKEN, "The bucket is yours already.", "Use it as it is."),
    _row(
        "ResourceInUseException DeleteConflict",
        _SERVICE,
        "It is being made or changed, or something still stands on it.",
        "Wait until it is ACTIVE, for example solution_version.wait(), or until what stands on it is gone; then try "
        "again.",
    ),
    _row(
        "PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException "
        "InvalidLocationConstraint 301 307",
        _SERVICE,
        "The bucket is in another region than it is asked for in.",
        "Use a bucket of the session's region: Amazon Personalize reads no other.",
    ),
    _row(
        "LimitExceeded PackedPolicyTooLarge PolicySizeLimitExceeded TooManyBuckets",
        _QUOTA,
        "A limit of IAM or S3 on number or size is reached.",
        "Take away what is not needed, or shorten the policy; some limits are raised in Service Quotas.",
    ),
    _row(
        "TooManyTagsException TooManyTagKeysException TagException InvalidTag",
        _SERVICE,
        "A resource can have 50 tags with keys of 128 and values of 256 characters; none begins with aws:.",
        "Give fewer or other tags.",
    ),
    _row(
        "PreconditionFailed ConditionalRequestConflict InvalidRange 412 416",
        _SERVICE,
        "The object was written over while it was read.",
        "Read it again from the start.",
    ),
    _row(
        "InvalidObjectState",
        _SERVICE,
        "The object is archived.",
        "Restore it (S3 Glacier) before it is read, or upload it again.",
    ),
    _row(
        "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException KMS.InvalidStateException "
        "DisabledException KMSInvalidStateException InvalidKeyUsageException IncorrectKeyException "
        "InvalidArnException InvalidGrantIdException InvalidGrantTokenException UnsupportedOperationException",
        _ACCESS,
        "The KMS key is switched off, to be deleted, in another region, or of a kind that encrypts no objects.",
        "Switch the key on, or name another: a symmetric key for encryption in the bucket's region.",
    ),
)
AFTER = (
    _row(
        "AccessDenied AccessDeniedException AllAccessDisabled UnauthorizedOperation NotAuthorized Forbidden "
        "ForbiddenException UnauthorizedAccess 401 403",
        _ACCESS,
        "You, who make the call, lack a right to it, or a policy denies it.",
        f"{YOURS}.",
    ),
    _row(
        "LimitExceededException",
        _QUOTA,
        "A quota of the account and region is used up.",
        "Wait until other work has ended (pnb.list_jobs()), then try again; Service Quotas may grant more.",
    ),
    _row(
        "InvalidNextTokenException InvalidMarkerException",
        _SERVICE,
        "The list changed while its pages were read.",
        "Read the list again.",
    ),
    _row(
        "InvalidInputException ValidationException ValidationError InvalidInput InvalidArgument InvalidRequest "
        "InvalidParameterValue InvalidParameterCombination MissingParameter InvalidPrefix SerializationException 400",
        _SERVICE,
        "A value of the request is not one that AWS takes.",
        "Correct the value that the message names; pnb.preflight(...) judges a whole request before it is sent.",
    ),
    _row(
        "MalformedPolicy MalformedPolicyDocument MalformedPolicyDocumentException InvalidPolicyDocument MalformedXML "
        "MalformedPOSTRequest PolicyEvaluation PolicyNotAttachable UnmodifiableEntity NameConflict RoleModified",
        _SERVICE,
        "IAM or S3 does not take the policy: its text is wrong, names a principal that is not there, or is AWS's own.",
        "Correct the statement that the message names.",
    ),
    _row(
        "InvalidBucketName InvalidURI KeyTooLongError EntityTooLarge EntityTooSmall InvalidPart InvalidPartOrder "
        "TooManyParts InvalidWriteOffset UnsupportedMediaType EncryptionTypeMismatch MethodNotAllowed 405 "
        "IdempotencyParameterMismatch NoSuchBucketPolicy ServerSideEncryptionConfigurationNotFoundError",
        _SERVICE,
        "S3 cannot do this with the bucket or object of that name.",
        "Look at the address and at the bucket's settings.",
    ),
    _row(
        "NotImplemented UnknownOperationException InvalidAction UnknownOperation ServiceNotSupported "
        "NotSupportedService FeatureDisabled",
        _SERVICE,
        "The service at the other end does not have this operation.",
        "Look at AWS_ENDPOINT_URL and at the region; a new operation may need a newer service.",
    ),
    _row(
        "InvalidIdentityToken IDPRejectedClaim ExpiredTradeInTokenException InvalidSubjectCredentials "
        "InvalidAuthorizationMessageException JWTPayloadSizeExceededException InvalidContextAssertion "
        "SessionDurationEscalationException InsufficientSessionLifetime OutboundWebIdentityFederationDisabledException",
        _CREDENTIALS,
        "STS does not take the token that stands for you.",
        f"Renew it, {AGAIN}.",
    ),
    _row("WaiterError", _SERVICE, "What was waited for did not come about in time.", "Look at its state, then repeat."),
    _row(
        "ParamValidationError UnknownParameterError MissingParametersError RangeError UnknownKeyError "
        "InvalidHostLabelError InvalidDNSNameError InvalidRegionError UnsupportedS3ArnError "
        "UnsupportedS3AccesspointConfigurationError UnsupportedOutpostResourceError UnsupportedS3ConfigurationError "
        "UnsupportedS3ControlArnError UnsupportedS3ControlConfigurationError AliasConflictParameterError",
        _SERVICE,
        "botocore does not send the request: a value is of the wrong kind, or its version does not know a member.",
        "Correct the value that the message names; a member that is new needs a newer boto3.",
    ),
    _row(
        "NoRegionError UnknownRegionError UnknownEndpointError EndpointProviderError EndpointVariantError "
        "BaseEndpointResolverError UnknownFIPSEndpointError ServiceNotInRegionError",
        _ACCESS,
        "The region, or the endpoint that the settings ask for, is not there.",
        "Name a region of Amazon Personalize, and look at AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and "
        "AWS_ENDPOINT_URL.",
    ),
    _row(
        "MissingDependencyException",
        _CREDENTIALS,
        "The login or signature needs a package that is not installed.",
        "Install what the message names, for example boto3[crt], and start the kernel again.",
    ),
    _row("PaginationError", _SERVICE, "The service gave the same page twice.", "Read the list again.", passes=True),
    _row(
        "BotoCoreError",
        _SERVICE,
        "botocore cannot make the call with the settings there are.",
        "Look at the AWS settings that the message names ({files}) and at the version of boto3.",
    ),
)
