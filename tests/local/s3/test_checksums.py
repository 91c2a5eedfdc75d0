"""Every checksum of S3, also those that boto3 alone does not send, and the trailers that carry them behind a body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.contract.limits import service_model
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import AwsChunkedBody, BytesBody, ChunkSigner
from personalize_nb.local.s3 import checksums
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

KEY = {"Bucket": "books", "Key": "big"}
FIVE = os.urandom(5 << 20)
# The check values of the catalogue of CRCs, which are those of these nine digits; those of xxhsum for the last three.
DIGITS = b"123456789"
CRCS = {
    "CRC32": 0xCBF43926.to_bytes(4, "big"),
    "CRC32C": 0xE3069283.to_bytes(4, "big"),
    "CRC64NVME": 0xAE8B14860A799888.to_bytes(8, "big"),
}
CHECKS = {
    **CRCS,
    **{name: hashlib.new(name.lower(), DIGITS).digest() for name in ("SHA1", "SHA256", "SHA512", "MD5")},
    "XXHASH64": bytes.fromhex("8cb841db40e6ae83"),
    "XXHASH3": bytes.fromhex("72dcb18b67a17dff"),
    "XXHASH128": bytes.fromhex("33119477ede5dcd5e9716427681d5860"),
}


@pytest.fixture
def store(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("books", wire.REGION)
    return store


@pytest.fixture
def endpoint(store):
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint


@pytest.fixture
def s3(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


def text(value):
    return base64.b64encode(value).decode()


def begin(s3, algorithm, **params):
    return {**KEY, "UploadId": s3.create_multipart_upload(ChecksumAlgorithm=algorithm, **params, **KEY)["UploadId"]}


def test_every_algorithm_of_the_model_is_known():
    assert set(checksums.ALGORITHMS) == set(CHECKS) == set(service_model("s3").shape_for("ChecksumAlgorithm").enum)


@pytest.mark.parametrize("algorithm", CHECKS)
def test_an_object_is_kept_with_the_checksum_it_was_sent_with(s3, algorithm):
    member = f"Checksum{algorithm}"
    answer = s3.put_object(Body=DIGITS, **{member: text(CHECKS[algorithm])}, **KEY)
    assert (answer[member], answer["ChecksumType"]) == (text(CHECKS[algorithm]), "FULL_OBJECT")
    assert s3.head_object(ChecksumMode="ENABLED", **KEY)[member] == text(CHECKS[algorithm])
    attributes = s3.get_object_attributes(ObjectAttributes=["Checksum"], **KEY)
    assert attributes["Checksum"][member] == text(CHECKS[algorithm])


@pytest.mark.parametrize("algorithm", CHECKS)
@pytest.mark.parametrize(("value", "code"), [("changed", "BadDigest"), ("AAA", "InvalidRequest")])
def test_a_wrong_checksum_keeps_the_object_out(s3, store, algorithm, value, code):
    wrong = text(bytes(len(CHECKS[algorithm]))) if value == "changed" else value
    with pytest.raises(ClientError) as error:
        s3.put_object(Body=DIGITS, **{f"Checksum{algorithm}": wrong}, **KEY)
    assert wire.code_of(error) == code
    assert list(store.list("books")) == []


@pytest.mark.parametrize("algorithm", CRCS)
def test_the_parts_checksums_join_to_that_of_the_whole(s3, algorithm):
    member = f"Checksum{algorithm}"
    upload = begin(s3, algorithm, ChecksumType="FULL_OBJECT")
    s3.put_object(Bucket="books", Key="source", Body=FIVE)
    parts = []
    for number in (1, 2):
        copied = s3.upload_part_copy(PartNumber=number, CopySource="books/source", **upload)["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": copied["ETag"], member: copied[member]})
    sent = s3.upload_part(PartNumber=3, Body=DIGITS, **{member: text(CHECKS[algorithm])}, **upload)
    parts.append({"PartNumber": 3, "ETag": sent["ETag"], member: sent[member]})
    with pytest.raises(ClientError) as error:
        wrong = text(bytes(len(CHECKS[algorithm])))
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **{member: wrong}, **upload)
    assert wire.code_of(error) == "BadDigest"
    digest = checksums.new_digest(algorithm)
    digest.update(FIVE + FIVE + DIGITS)
    promised = {member: text(digest.digest()), "ChecksumType": "FULL_OBJECT"}
    assert (
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **promised, **upload)[member] == promised[member]
    )
    # The same bytes in one piece must agree, or they are refused.
    s3.put_object(Body=FIVE + FIVE + DIGITS, **{member: promised[member]}, **KEY)


@pytest.mark.parametrize("algorithm", [name for name in CHECKS if name != "CRC64NVME"])
def test_the_checksum_of_the_parts_checksums(s3, algorithm):
    member = f"Checksum{algorithm}"
    upload = begin(s3, algorithm)
    digest = checksums.new_digest(algorithm)
    digest.update(FIVE)
    values = [text(digest.digest()), text(CHECKS[algorithm])]
    parts = []
    for number, (body, value) in enumerate(zip((FIVE, DIGITS), values, strict=True), start=1):
        with pytest.raises(ClientError) as error:
            s3.upload_part(PartNumber=number, Body=body, **{member: text(bytes(len(CHECKS[algorithm])))}, **upload)
        assert wire.code_of(error) == "BadDigest"
        sent = s3.upload_part(PartNumber=number, Body=body, **{member: value}, **upload)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], member: sent[member]})
    assert [part[member] for part in s3.list_parts(**upload)["Parts"]] == values
    outer = checksums.new_digest(algorithm)
    outer.update(b"".join(base64.b64decode(value) for value in values))
    whole = f"{text(outer.digest())}-2"
    with pytest.raises(ClientError, match="missing for part 1 in the request"):
        bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
        s3.complete_multipart_upload(MultipartUpload={"Parts": bare}, **upload)
    with pytest.raises(ClientError, match="same checksum mode, not FULL_OBJECT"):
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT", **upload)
    with pytest.raises(ClientError) as error:
        wrong = f"{text(bytes(len(CHECKS[algorithm])))}-2"
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **{member: wrong}, **upload)
    assert wire.code_of(error) == "BadDigest"
    answer = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **{member: whole}, **upload)
    assert (answer[member], answer["ChecksumType"]) == (whole, "COMPOSITE")
    head = s3.head_object(ChecksumMode="ENABLED", **KEY)
    assert (head[member], head["ChecksumType"]) == (whole, "COMPOSITE")


def test_attributes_show_the_parts_and_their_checksums(s3):
    upload = begin(s3, "SHA256")
    parts = []
    for number, body in ((1, FIVE), (2, DIGITS)):
        sent = s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm="SHA256", **upload)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]})
    whole = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)["ChecksumSHA256"]
    wish = {"ObjectAttributes": ["Checksum", "ObjectParts"], **KEY}
    first = s3.get_object_attributes(MaxParts=1, **wish)
    assert first["Checksum"] == {"ChecksumSHA256": whole.removesuffix("-2"), "ChecksumType": "COMPOSITE"}
    assert first["ObjectParts"]["TotalPartsCount"] == 2 and first["ObjectParts"]["IsTruncated"]
    second = s3.get_object_attributes(PartNumberMarker=first["ObjectParts"]["NextPartNumberMarker"], **wish)
    shown = first["ObjectParts"]["Parts"] + second["ObjectParts"]["Parts"]
    assert shown == [
        {"PartNumber": part["PartNumber"], "Size": size, "ChecksumSHA256": part["ChecksumSHA256"]}
        for part, size in zip(parts, (len(FIVE), len(DIGITS)), strict=True)
    ]
    assert not second["ObjectParts"]["IsTruncated"]


@pytest.mark.parametrize("algorithm", CHECKS)
def test_a_copy_can_have_a_checksum_of_another_algorithm(s3, algorithm):
    s3.put_object(Bucket="books", Key="source", Body=DIGITS, ChecksumAlgorithm="SHA1")
    copied = s3.copy_object(CopySource="books/source", ChecksumAlgorithm=algorithm, **KEY)["CopyObjectResult"]
    assert copied[f"Checksum{algorithm}"] == text(CHECKS[algorithm])
    kept = s3.head_object(ChecksumMode="ENABLED", **KEY)
    assert kept[f"Checksum{algorithm}"] == text(CHECKS[algorithm])
    assert algorithm == "SHA1" or "ChecksumSHA1" not in kept
    with pytest.raises(ClientError, match="Checksum algorithm provided is unsupported: 'CRC16'"):
        s3.copy_object(CopySource="books/source", ChecksumAlgorithm="CRC16", **KEY)


def test_a_checksum_is_promised_once_and_of_the_algorithm_that_is_named(s3, store):
    two = {"ChecksumCRC32": text(CHECKS["CRC32"]), "ChecksumSHA1": text(CHECKS["SHA1"])}
    with pytest.raises(ClientError, match="Multiple checksum Types are not allowed: CRC32, SHA1"):
        s3.put_object(Body=DIGITS, **two, **KEY)
    with pytest.raises(ClientError, match="x-amz-sdk-checksum-algorithm header is invalid: 'SHA1' beside"):
        s3.put_object(Body=DIGITS, ChecksumAlgorithm="SHA1", ChecksumCRC32=two["ChecksumCRC32"], **KEY)
    assert list(store.list("books")) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ChecksumType": "COMPOSITE"}, "can only be used with the x-amz-checksum-algorithm header"),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "HALF"}, "Value for x-amz-checksum-type header is invalid"),
        (
            {"ChecksumAlgorithm": "XXHASH3", "ChecksumType": "FULL_OBJECT"},
            "The FULL_OBJECT checksum type cannot be used with the xxhash3 checksum algorithm",
        ),
        ({"ChecksumAlgorithm": "CRC16"}, "Checksum algorithm provided is unsupported"),
    ],
)
def test_checksums_that_no_upload_can_have(s3, params, message):
    with pytest.raises(ClientError, match=message):
        s3.create_multipart_upload(**params, **KEY)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="books")


def test_parts_of_another_algorithm_are_refused(s3):
    upload = begin(s3, "CRC64NVME")
    with pytest.raises(ClientError, match="expected checksum Type: crc64nvme"):
        s3.upload_part(PartNumber=1, Body=DIGITS, ChecksumCRC32C=text(CHECKS["CRC32C"]), **upload)
    with pytest.raises(ClientError, match="COMPOSITE checksum type cannot be used with the crc64nvme"):
        s3.create_multipart_upload(ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE", **KEY)


@pytest.mark.parametrize("algorithm", CHECKS)
def test_an_announced_trailer_must_come(endpoint, store, algorithm):
    frame = b"%x\r\n%b\r\n0\r\n" % (len(DIGITS), DIGITS)
    name = f"x-amz-checksum-{algorithm.lower()}"

    def put(trailer):
        return wire.put_chunked(
            endpoint, "/books/big", frame + trailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", {"x-amz-trailer": name}
        )

    status, _, answer = put(b"\r\n")
    assert status == 400 and b"MalformedTrailerError" in answer
    status, _, answer = put(f"{name}:{text(bytes(len(CHECKS[algorithm])))}\r\n\r\n".encode())
    assert status == 400 and b"BadDigest" in answer
    assert list(store.list("books")) == []
    status, headers, answer = put(f"{name}:{text(CHECKS[algorithm])}\r\n\r\n".encode())
    assert status == 200, answer
    assert headers[name] == text(CHECKS[algorithm])


def documented_body(trailer_signature):
    """AWS's worked example of signed chunks with a signed trailer (S3 API reference, `sigv4-streaming-trailers`)."""
    signatures = (
        b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    blocks = (b"a" * 65_536, b"a" * 1024, b"")
    framed = b"".join(
        b"%x;chunk-signature=%b\r\n%b" % (len(block), signature, block + b"\r\n" if block else b"")
        for block, signature in zip(blocks, signatures, strict=True)
    )
    framed += b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + trailer_signature + b"\r\n\r\n"
    key = b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    scope = "20130524/us-east-1/s3/aws4_request"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    signer = ChunkSigner(key, "20130524T000000Z", scope, seed)
    return AwsChunkedBody(BytesBody(framed), 66_560, signer, signed_trailers=True)


def test_signed_trailers_as_aws_documents_them():
    body = documented_body(b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")
    assert body.read() == b"a" * 66_560
    assert body.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


@pytest.mark.parametrize("signature", [b"", b"0" * 64])
def test_trailers_without_their_signature_are_refused(signature):
    with pytest.raises(ApiError, match="SignatureDoesNotMatch"):
        documented_body(signature).read()
