"""A folder whose parts are lost, altered or of another time is refused in words, and nothing in it is touched."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.data.events import EventStore
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.sweeping import LEFT_BY_KILLS, sweep
from personalize_nb.local.state import layout, wholeness
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.upkeep.checking import check

OURS = Identity("111122223333", "eu-west-1")
BUCKET = f"personalize-nb-{OURS.account}-{OURS.region}"


def serve(root, change=lambda objects: None, mark=True):
    """Do to a folder what a start of its service and an orderly end do."""
    identity = wholeness.look(root) or OURS
    layout.prepare(root)
    stores = Store(root / layout.STATE), ObjectStore(root / layout.OBJECTS), EventStore(root)
    if mark:
        wholeness.mark(root, identity)
    objects = stores[1]
    sweep(objects)
    if not objects.has_bucket(BUCKET):
        objects.create_bucket(BUCKET, OURS.region)
    change(objects)
    for store in stores:
        store.close()
    return identity


def fill(objects):
    for number in range(20):
        objects.put(BUCKET, f"k{number}", b"%d" % number)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give a folder that was served twice, and its databases as they were after the first time."""
    place = tmp_path_factory.mktemp("whole")
    root = place / "service"
    root.mkdir()
    serve(root, fill)
    shutil.copytree(root, place / "before")
    serve(root, lambda objects: objects.put(BUCKET, "later", b"later"))
    return root, place / "before"


@pytest.fixture
def copied(made, tmp_path):
    return shutil.copytree(made[0], tmp_path / "copy"), made[1]


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def emptied(path, before):
    path.write_bytes(b"")


def removed(path, before):
    path.unlink()


def older(path, before):
    shutil.copy(before, path)


def garbled(path, before):
    path.write_bytes(b"no database" * 1000)


def overwritten(path, before):
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(range(256)) * 16
    path.write_bytes(content)


def of_another_folder(path, before):
    root = path.parent / "another"
    root.mkdir()
    for _ in range(2):
        serve(root)
    name = next(name for name in layout.DATABASES if path.match(name))
    shutil.copy(root / name, path)
    shutil.rmtree(root)


@pytest.mark.parametrize("damage", [emptied, removed, older, garbled, overwritten, of_another_folder])
@pytest.mark.parametrize("name", layout.DATABASES)
def test_a_database_that_does_not_fit_is_named_and_nothing_is_touched(copied, name, damage):
    root, before = copied
    damage(root / name, before / name)
    left = contents(root)
    with pytest.raises(DamagedError) as refused:
        serve(root)
    told = str(refused.value)
    assert "sqlite" in told and "Put back the copy" in told
    if damage not in (older, of_another_folder):
        assert str(root / name) in told
    assert contents(root).items() >= left.items()


def test_what_the_system_refuses_is_no_damage_and_is_told_with_file_and_repair(copied):
    root, _ = copied
    (root / f"{layout.STATE}-wal").mkdir()
    with pytest.raises(LocalServiceError, match=r"cannot use .*state\.sqlite'.*readable and writable") as refused:
        wholeness.look(root)
    assert not isinstance(refused.value, DamagedError)


def test_all_databases_of_one_earlier_time_start_and_lose_no_body(copied):
    root, before = copied
    for name in layout.DATABASES:
        older(root / name, before / name)
    serve(root)
    # the body of the later object is set aside, and comes back with the row that names it
    assert len(list((root / "objects" / "bodies").glob("*/*"))) == 20
    assert len(list((root / "objects" / layout.LOST).rglob("*"))) == 3


def test_a_body_that_was_set_aside_is_found_again_by_its_row(copied, made):
    root, before = copied
    for name in layout.DATABASES:
        older(root / name, before / name)
    serve(root)
    for name in layout.DATABASES:
        shutil.copy(made[0] / name, root / name)

    def read(objects):
        with objects.open(BUCKET, "later") as body:
            assert body.read() == b"later"

    serve(root, read)


@pytest.mark.parametrize("cut_after", range(4))
def test_a_start_that_is_cut_off_while_it_marks_can_begin_again(copied, monkeypatch, cut_after):
    root, _ = copied
    writes = []
    write = wholeness._write

    def cut(path, values):
        if len(writes) == cut_after:
            raise KeyboardInterrupt
        writes.append(path)
        write(path, values)

    with monkeypatch.context() as patch:
        patch.setattr(wholeness, "_write", cut)
        with pytest.raises(KeyboardInterrupt):
            wholeness.mark(root, OURS)
    assert serve(root) == OURS


def test_folders_of_earlier_versions_are_taken_and_say_whose_they_are(tmp_path):
    serve(tmp_path, fill, mark=False)
    assert wholeness.look(tmp_path) == OURS
    (tmp_path / layout.STREAMED).unlink()
    assert serve(tmp_path) == OURS
    (tmp_path / layout.STREAMED).unlink()
    with pytest.raises(DamagedError, match="it is missing"):
        wholeness.look(tmp_path)


@pytest.mark.parametrize("name", layout.DATABASES[:2])
def test_folders_of_earlier_versions_do_not_begin_anew_beside_objects(tmp_path, name):
    serve(tmp_path, fill, mark=False)
    emptied(tmp_path / name, None)
    with pytest.raises(DamagedError, match="it is empty, while the folder holds objects"):
        serve(tmp_path)
    assert len(list((tmp_path / "objects" / "bodies").glob("*/*"))) == 20


def test_a_new_folder_has_no_identity(tmp_path):
    assert wholeness.look(tmp_path) is None


@settings(max_examples=30)
@given(st.integers(0, 2), st.randoms(use_true_random=False))
def test_whatever_is_overwritten_a_look_answers_in_words_or_finds_nothing_wrong(made, tmp_path_factory, which, random):
    root = shutil.copytree(made[0], tmp_path_factory.mktemp("random") / "copy")
    path = root / layout.DATABASES[which]
    content = bytearray(path.read_bytes())
    start = random.randrange(len(content))
    content[start : start + 500] = random.randbytes(len(content[start : start + 500]))
    path.write_bytes(content)
    try:
        wholeness.look(root)
    except DamagedError as error:
        assert str(path) in str(error)


# within one run


def ended(root, change=lambda objects: None):
    """Serve, and end in order."""
    identity = serve(root, change)
    wholeness.mark(root, identity, ended=True)


@pytest.mark.parametrize("name", layout.DATABASES)
def test_a_database_of_earlier_in_the_same_run_is_told_after_an_orderly_end(tmp_path, name):
    root = tmp_path / "service"
    root.mkdir()
    serve(root, fill)
    during = shutil.copytree(root, tmp_path / "during")
    wholeness.mark(root, OURS, ended=True)
    assert wholeness.look(root) == OURS
    shutil.copy(during / name, root / name)
    with pytest.raises(DamagedError, match="is older than"):
        wholeness.look(root)


def test_only_a_killed_service_whose_machine_went_on_has_all_its_commits(tmp_path, monkeypatch):
    root = tmp_path / "service"
    root.mkdir()
    serve(root)
    assert wholeness.was_killed(root)
    with monkeypatch.context() as patch:
        patch.setattr(wholeness.platform, "boot", lambda: "another run")
        assert not wholeness.was_killed(root)
    ended(root)
    assert not wholeness.was_killed(root)
    serve(root)
    assert wholeness.was_killed(root)


@pytest.mark.parametrize("later", [1, LEFT_BY_KILLS, LEFT_BY_KILLS + 1, 40])
def test_bodies_that_no_kill_leaves_are_not_swept(tmp_path, later):
    root = tmp_path / "service"
    root.mkdir()
    serve(root, fill)
    before = (root / layout.DATABASES[1]).read_bytes()
    serve(root, lambda objects: [objects.put(BUCKET, f"later{number}", b"new") for number in range(later)], mark=False)
    (root / layout.DATABASES[1]).write_bytes(before)
    store = ObjectStore(root / layout.OBJECTS)
    if later <= LEFT_BY_KILLS:
        assert sweep(store, LEFT_BY_KILLS) == later
    else:
        with pytest.raises(DamagedError, match=f"older than {later} bodies of objects.* state repair") as refused:
            sweep(store, LEFT_BY_KILLS)
        assert str(root / layout.DATABASES[1]) in str(refused.value)
        assert not (root / "objects" / layout.LOST).exists()
    store.close()


def test_a_check_names_the_database_that_no_kill_leaves(tmp_path):
    root = tmp_path / "service"
    root.mkdir()
    serve(root, fill)
    before = (root / layout.DATABASES[1]).read_bytes()
    serve(root, lambda objects: [objects.put(BUCKET, f"later{number}", b"new") for number in range(40)], mark=False)
    (root / layout.DATABASES[1]).write_bytes(before)
    [damage] = check(root)
    assert damage.path == root / layout.DATABASES[1] and "older than 40 bodies" in damage.cause
