"""CRC32C and CRC64NVME, which boto3 alone does not send, and the trailers that carry checksums behind a body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.bodies import AwsChunkedBody, BytesBody, ChunkSigner
from personalize_nb.local.faults import ApiFault
from personalize_nb.local.objects.rest import s3_handler
from personalize_nb.local.objects.store import ObjectStore

KEY = {"Bucket": "books", "Key": "big"}
FIVE = os.urandom(5 << 20)
# The check values of the catalogue of CRCs, which are those of these nine digits.
DIGITS = b"123456789"
CHECKS = {
    "CRC32": 0xCBF43926.to_bytes(4, "big"),
    "CRC32C": 0xE3069283.to_bytes(4, "big"),
    "CRC64NVME": 0xAE8B14860A799888.to_bytes(8, "big"),
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


@pytest.mark.parametrize("algorithm", CHECKS)
def test_the_parts_checksums_join_to_that_of_the_whole(s3, algorithm):
    member = f"Checksum{algorithm}"
    upload = {
        **KEY,
        "UploadId": s3.create_multipart_upload(
            ChecksumAlgorithm=algorithm,
            ChecksumType="FULL_OBJECT",
            **KEY,
        )["UploadId"],
    }
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
    whole = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)[member]
    # The same bytes in one piece must agree, or they are refused.
    s3.put_object(Body=FIVE + FIVE + DIGITS, **{member: whole}, **KEY)


def test_parts_of_another_algorithm_are_refused(s3):
    upload = {**KEY, "UploadId": s3.create_multipart_upload(ChecksumAlgorithm="CRC64NVME", **KEY)["UploadId"]}
    with pytest.raises(ClientError, match="expected checksum Type: crc64nvme"):
        s3.upload_part(PartNumber=1, Body=DIGITS, ChecksumCRC32C=text(CHECKS["CRC32C"]), **upload)
    with pytest.raises(ClientError, match="COMPOSITE checksum type cannot be used with CRC64NVME"):
        s3.create_multipart_upload(ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE", **KEY)


def test_an_announced_trailer_must_come(endpoint, store):
    frame = b"%x\r\n%b\r\n0\r\n" % (len(DIGITS), DIGITS)
    announced = {"x-amz-trailer": "x-amz-checksum-crc64nvme"}

    def put(trailer):
        return wire.put_chunked(
            endpoint, "/books/big", frame + trailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", announced
        )

    status, _, answer = put(b"\r\n")
    assert status == 400 and b"MalformedTrailerError" in answer
    assert list(store.list("books")) == []
    status, headers, answer = put(b"x-amz-checksum-crc64nvme:%b\r\n\r\n" % text(CHECKS["CRC64NVME"]).encode())
    assert status == 200, answer
    assert headers["x-amz-checksum-crc64nvme"] == text(CHECKS["CRC64NVME"])


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
    with pytest.raises(ApiFault, match="SignatureDoesNotMatch"):
        documented_body(signature).read()
