"""The process around it all: started once per folder, found again, proved genuine, ended in order."""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import signal
import stat
import subprocess
import sys
import threading

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from personalize_nb import local
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.process.discovery import write_record

HEAVY = {"numba", "scipy", "pyarrow", "pandas", "sklearn"}


@pytest.fixture
def folder(tmp_path):
    """A folder whose service is stopped afterwards."""
    path = tmp_path / "service"
    yield path
    local.stop(path)


def test_the_shared_service_is_found_again_and_not_started_twice(local_service):
    assert local.attach(local_service.path) == local_service
    assert local.start(local_service.path) == local_service
    assert local.start(local_service.path, region="us-east-1", account="123456789012") == local_service


def test_its_folder_and_record_are_private(local_service):
    assert stat.S_IMODE(local_service.path.stat().st_mode) == 0o700
    for name in ("service.json", "service.log", "state.sqlite"):
        assert stat.S_IMODE((local_service.path / name).stat().st_mode) == 0o600


def test_its_secret_is_not_in_its_text(local_service):
    assert local_service.secret_key not in repr(local_service)


def test_default_bucket_and_role_are_ready(s3, client, local_service):
    assert local_service.bucket in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    role = client("iam").get_role(RoleName=local_service.role_arn.rsplit("/", 1)[-1])["Role"]
    assert role["Arn"] == local_service.role_arn
    assert client("sts").get_caller_identity()["Account"] == local_service.account


def test_another_region_in_the_same_folder_is_refused(local_service):
    with pytest.raises(LocalServiceError, match="has region 'us-east-1', not 'eu-west-1'"):
        local.start(local_service.path, region="eu-west-1")


def test_state_keys_and_address_survive_a_stop(folder, until):
    first = local.start(folder, account="111122223333", region="eu-west-1", idle_seconds=600)
    client = boto3.client("s3", **arguments(first))
    client.put_object(Bucket=first.bucket, Key="kept", Body=b"data")
    assert local.stop(folder)
    until(lambda: not running(first.pid), "the end of the process")
    assert not local.stop(folder)
    assert local.attach(folder) is None

    second = local.start(folder, idle_seconds=600)
    assert second.pid != first.pid
    assert dataclasses.replace(second, pid=first.pid, started=first.started) == first
    assert client.get_object(Bucket=first.bucket, Key="kept")["Body"].read() == b"data"
    client.close()


@pytest.mark.parametrize("garbled", ["", "{", "[]", '{"url": 1}', "\x00" * 500])
def test_a_record_that_is_garbled_is_written_again(folder, until, garbled):
    info = local.start(folder, idle_seconds=600)
    (folder / "service.json").write_text(garbled)
    assert until(lambda: local.attach(folder) or not running(info.pid), "the record") == info
    assert "it is written again" in (folder / "service.log").read_text()


def test_a_suspended_service_is_told_at_once_and_can_be_stopped(folder, monkeypatch, until):
    info = local.start(folder, idle_seconds=600)
    process = psutil.Process(info.pid)
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED, "the suspension")
    with monkeypatch.context() as patch:
        # nobody waits for its answer
        patch.setattr(local, "healthy", None)
        for ask in (local.attach, local.start):
            with pytest.raises(LocalServiceError, match=f"is suspended .* `kill -CONT {info.pid}`.* --stop"):
                ask(folder)
    process.resume()
    assert local.start(folder) == info
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED, "the suspension")
    assert local.stop(folder)
    assert (folder / "service.log").read_text().rstrip().endswith("ending")


def test_models_that_no_resource_names_are_set_aside_at_the_start(folder):
    local.start(folder, idle_seconds=600)
    for _ in range(2):
        local.stop(folder)
        model = folder / "models" / "0123abcd"
        model.mkdir(parents=True)
        (model / "meta.json").write_text("{}")
        local.start(folder, idle_seconds=600)
        assert not model.exists()
        assert (folder / "lost+found" / "models" / "0123abcd" / "meta.json").read_text() == "{}"


def arguments(info):
    return {
        "endpoint_url": info.url,
        "region_name": info.region,
        "aws_access_key_id": info.access_key,
        "aws_secret_access_key": info.secret_key,
    }


def test_services_of_two_folders_know_nothing_of_each_other(folder, local_service, client, s3):
    other = local.start(folder, idle_seconds=600)
    assert other.url != local_service.url
    theirs = client("s3", other)
    theirs.put_object(Bucket=other.bucket, Key="of-the-other", Body=b"data")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=local_service.bucket, Key="of-the-other")
    client("personalize", other).create_dataset_group(name="of-the-other")
    names = [each["name"] for each in client("personalize").list_dataset_groups()["datasetGroups"]]
    assert "of-the-other" not in names
    intruder = boto3.client("s3", **arguments(local_service) | {"endpoint_url": other.url})
    with pytest.raises(ClientError, match="is not one of this service's"):
        intruder.list_buckets()
    intruder.close()


def test_a_folder_has_one_service_by_whatever_name_it_is_called(folder, tmp_path):
    info = local.start(folder, idle_seconds=600)
    (tmp_path / "alias").symlink_to(folder)
    assert local.start(tmp_path / "alias").pid == info.pid


def test_two_starters_get_one_service(folder):
    found = []
    threads = [threading.Thread(target=lambda: found.append(local.start(folder, idle_seconds=600))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1


def test_an_idle_service_ends_by_itself(folder, until):
    info = local.start(folder, idle_seconds=0.1)
    # not by attach: a health check is a use
    until(lambda: not running(info.pid), "the idle end")


def test_a_service_whose_folder_is_gone_ends(folder, until):
    info = local.start(folder, idle_seconds=600)
    (folder / "service.json").unlink()
    until(lambda: not running(info.pid), "the end after the loss of the record")


def running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_service_outlives_the_process_that_started_it(folder):
    program = (
        "import os, sys; from personalize_nb import local;"
        "print(local.start(sys.argv[1], idle_seconds=600).pid, flush=True); os.kill(os.getpid(), 9)"
    )
    kernel = subprocess.run([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
    assert kernel.returncode == -signal.SIGKILL
    info = local.attach(folder)
    assert info is not None
    assert info.pid == int(kernel.stdout)


def test_whoever_took_the_port_is_not_trusted(tmp_path, local_service):
    class Impostor(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"proof": "0" * 64}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Impostor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mine = psutil.Process()
        url = f"http://127.0.0.1:{server.server_port}"
        write_record(
            dataclasses.replace(local_service, url=url, pid=mine.pid, started=mine.create_time(), path=tmp_path)
        )
        assert local.attach(tmp_path) is None
        server.shutdown()


@pytest.mark.parametrize("step", [-7200, 7200])
def test_a_service_is_found_after_the_clock_was_set(local_service, step):
    path = local_service.path / "service.json"
    before = path.read_text()
    try:
        path.write_text(json.dumps(json.loads(before) | {"started": local_service.started + step}))
        assert local.attach(local_service.path).pid == local_service.pid
    finally:
        path.write_text(before)


def test_a_broken_record_is_no_service(tmp_path):
    (tmp_path / "service.json").write_text("{")
    assert local.attach(tmp_path) is None
    assert local.attach(tmp_path / "absent") is None


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalServiceError, match="cannot use the folder"):
        local.start(tmp_path / "file")


def test_a_service_that_cannot_start_says_why(tmp_path):
    (tmp_path / "state.sqlite").write_text("this is not a database, and it is long enough to tell")
    with pytest.raises(
        LocalServiceError,
        match="did not start: The local service's file .*state.sqlite' is damaged: .*file is not a database",
    ):
        local.start(tmp_path)


def test_the_server_process_starts_without_heavy_libraries():
    program = "import sys, personalize_nb.local.process.service; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_in_the_foreground_it_takes_keys_from_the_environment_and_prints_its_own(folder):
    keys = {"AWS_ACCESS_KEY_ID": "EXAMPLE", "AWS_SECRET_ACCESS_KEY": "a secret/with+signs"}
    command = [sys.executable, "-m", "personalize_nb.local", "--path", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | keys
    ) as service:
        lines = [service.stdout.readline().strip() for _ in range(10)]
        info = local.attach(folder)
        assert f"export AWS_ENDPOINT_URL={info.url}" in lines
        assert "export AWS_SECRET_ACCESS_KEY='a secret/with+signs'" in lines
        assert info.access_key == "EXAMPLE"

        second = subprocess.run([*command, "--region", "eu-west-1"], capture_output=True, text=True)
        assert second.returncode == 1
        assert "already runs in" in second.stderr

        stopped = subprocess.run([*command, "--stop"], stdout=subprocess.PIPE, text=True, check=True)
        assert stopped.stdout == "stopped\n"
        assert service.wait() == 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--account", "12", "12 digits"),
        ("--region", "No Where", "must look like 'us-east-1', got 'No Where'"),
        ("--port", "99999", "from 0 to 65535, got '99999'"),
        ("--port", "-1", "from 0 to 65535, got '-1'"),
        ("--workers", "0", "from 1 to 64, got '0'"),
    ],
)
def test_options_are_checked_on_the_command_line(tmp_path, option, value, told):
    command = [sys.executable, "-m", "personalize_nb.local", "--path", str(tmp_path / "new"), f"{option}={value}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode and told in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("options", [{"account": "12"}, {"account": 123456789012}, {"region": "No Where"}])
def test_options_are_checked_before_the_folder_is_made(tmp_path, options):
    with pytest.raises(LocalServiceError, match=f"'{next(iter(options))}' must"):
        local.start(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()
