"""The names by which the port may be called: buckets before `localhost`, and nothing of a web page's own."""

from __future__ import annotations

import json
import socket

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    store = ObjectStore(tmp_path_factory.mktemp("objects"))
    for name in ("films", "my.own.films"):
        store.create_bucket(name, wire.REGION)
    store.put("films", "in/a b+ü.txt", b"of films")
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint


@pytest.fixture
def everywhere(monkeypatch):
    """Names resolve to this machine, whatever they are: what a resolver does for names below localhost, for all."""
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))


class Named:
    """An endpoint by another name."""

    def __init__(self, endpoint, name):
        self.url = endpoint.url.replace("127.0.0.1", name)


@pytest.mark.parametrize("bucket", ["films", "my.own.films"])
def test_a_bucket_may_stand_before_localhost(endpoint, everywhere, bucket):
    s3 = wire.make_client("s3", Named(endpoint, "localhost"), s3={"addressing_style": "virtual"})
    s3.put_object(Bucket=bucket, Key="new/ü #?.json", Body=b"{}")
    assert s3.get_object(Bucket=bucket, Key="new/ü #?.json")["Body"].read() == b"{}"
    assert "new/ü #?.json" in [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    s3.delete_object(Bucket=bucket, Key="new/ü #?.json")
    with pytest.raises(ClientError) as refused:
        s3.list_objects_v2(Bucket="nobodys")
    assert wire.code_of(refused) == "NoSuchBucket"
    assert {one["Name"] for one in s3.list_buckets()["Buckets"]} == {"films", "my.own.films"}
    s3.close()


@pytest.mark.parametrize("name", ["localhost", "s3.localhost", "s3.us-east-1.localhost", "s3-eu-west-1.localhost"])
@pytest.mark.parametrize("style", ["virtual", "path"])
@pytest.mark.parametrize("key", ["plain", "/one", "//two/", "a//b"])
def test_every_endpoint_and_style_reaches_the_same_object(endpoint, everywhere, name, style, key):
    s3 = wire.make_client("s3", Named(endpoint, name), s3={"addressing_style": style})
    s3.put_object(Bucket="films", Key=key, Body=style.encode())
    assert s3.get_object(Bucket="films", Key=key)["Body"].read() == style.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="films", Prefix=key)["Contents"]] == [key]
    s3.delete_object(Bucket="films", Key=key)
    s3.close()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_may_have_its_bucket_in_front(endpoint, everywhere, version):
    s3 = wire.make_client(
        "s3", Named(endpoint, "localhost"), s3={"addressing_style": "virtual"}, signature_version=version
    )
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "films", "Key": "in/a b+ü.txt"})
    host, _, target = url.removeprefix("http://").partition("/")
    assert host.startswith("films.localhost:")
    assert wire.send(endpoint, "GET", f"/{target}", headers={"Host": host})[2] == b"of films"
    s3.close()


@pytest.mark.parametrize("name", ["s3.localhost", "LOCALHOST", "localhost"])
def test_the_service_itself_has_several_names(endpoint, everywhere, name):
    s3 = wire.make_client("s3", Named(endpoint, name), s3={"addressing_style": "path"})
    assert s3.get_object(Bucket="films", Key="in/a b+ü.txt")["Body"].read() == b"of films"
    s3.close()


FOREIGN = st.from_regex(r"[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){0,3}", fullmatch=True).filter(
    lambda name: name not in ("localhost", "127.0.0.1") and not name.endswith(".localhost")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.one_of(FOREIGN, FOREIGN.map(lambda name: f"localhost.{name}"), FOREIGN.map(lambda name: f"{name}localhost"))
)
def test_every_other_name_is_refused_with_the_way_that_works(endpoint, name):
    headers = wire.signed_headers(endpoint, "GET", "/films")
    status, _, answer = wire.send(endpoint, "GET", "/films", headers=headers | {"Host": name})
    text = answer.decode()
    assert status == 403 and "AccessDenied" in text
    assert endpoint.url in text and "addressing_style" in text and "path" in text


def test_a_bucket_before_the_address_is_told_of_path_style(endpoint, everywhere):
    s3 = wire.make_client("s3", Named(endpoint, "example.com"), s3={"addressing_style": "virtual"})
    with pytest.raises(ClientError, match="path-style addressing") as refused:
        s3.list_objects_v2(Bucket="films")
    assert json.dumps({"addressing_style": "path"}) in str(refused.value)
    s3.close()
