"""The local store in every bad state: it misses, it says why, and it mends itself."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import pickle
import random
import resource
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cr1cc.storage import local as local_module
from cr1cc.storage.local import ASIDE, LOCK, LocalStore

LIMIT = 64 << 20


def in_child(work: Callable[[], bool]) -> bool:
    """The result of `work` in a process of its own, which it may spoil."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    found = LocalStore(str(tmp_path / "store"), LIMIT)
    yield found
    found.close()


def filled(store: LocalStore, count: int = 300) -> dict[str, bytes]:
    items = {f"name{i}": random.Random(i).randbytes(500) for i in range(count)}
    assert store.put(items)
    store.close()
    return items


def database(store: LocalStore) -> Path:
    return Path(store.directory) / "cache.db"


def test_values_come_back_and_removed_ones_do_not(store: LocalStore) -> None:
    assert store.get(["a"]) == {}
    assert store.put({"a": b"1", "b": b"2"})
    assert store.get(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    store.remove(["a"])
    assert dict(store.rows()) == {"b": b"2"}
    store.put({"b": b"3"})
    assert store.get(["b"]) == {"b": b"3"}
    store.clear()
    assert store.get(["b"]) == {}
    assert store.problems == {}


def test_nobody_else_may_read_what_is_stored(store: LocalStore) -> None:
    filled(store)
    assert os.stat(store.directory).st_mode & 0o777 == 0o700
    for entry in os.scandir(store.directory):
        assert entry.stat().st_mode & 0o077 == 0


def _write_many(directory: str, writer: int) -> None:
    store = LocalStore(directory, LIMIT)
    for i in range(25):
        assert store.put({f"{writer}/{i}/{j}": b"%d" % j * 100 for j in range(4)}), store.problems
        assert len(store.get([f"{writer}/{i}/{j}" for j in range(4)])) == 4, store.problems
    assert store.problems == {}
    store.close()


def test_many_processes_write_at_once_and_nothing_is_lost(store: LocalStore) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=_write_many, args=(store.directory, n))
        for n in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert len(dict(store.rows())) == 8 * 25 * 4
    assert store.check() == "ok"


def test_the_size_limit_holds_and_what_was_used_last_stays(tmp_path: Path) -> None:
    limit = 1 << 20
    store = LocalStore(str(tmp_path / "store"), limit)
    store.put({"kept": b"k" * 2000})
    for i in range(60):
        connection = sqlite3.connect(database(store))
        connection.execute("UPDATE Cache SET access_time = ? WHERE key = 'kept'", (i - 1e6,))
        connection.commit()
        connection.close()
        assert store.get(["kept"]), f"evicted in round {i}"  # a use, noted because long ago
        store.put({f"{i}/{j}": os.urandom(2000) for j in range(20)})
    store.close()
    names = [name for name, _ in store.rows()]
    assert "kept" in names
    assert "0/0" not in names
    assert "59/19" in names
    assert len(names) > 200
    store.close()
    assert database(store).stat().st_size <= limit


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_in_the_database_never_raise_and_later_runs_work(
    store: LocalStore, seed: int
) -> None:
    items = filled(store)
    path = database(store)
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    for _ in range(1 << seed):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    for name, value in store.get(list(items)).items():
        assert name in items
        assert isinstance(value, bytes)
    store.put({"new": b"value"})
    for name in items:
        store.get([name])
    store.put(items)
    store.put(items)
    store.close()
    later = LocalStore(store.directory, LIMIT)
    assert later.put({"new": b"value"}), later.problems
    assert later.get(["new"]) == {"new": b"value"}
    later.close()


@pytest.mark.parametrize("length", [0, 1, 50, 99, 4096, 9000, 60_000])
def test_a_database_cut_short_is_replaced(store: LocalStore, length: int) -> None:
    items = filled(store)
    os.truncate(database(store), length)
    assert set(store.get(list(items))) <= set(items)
    for _ in range(2):
        store.put(items)
    later = LocalStore(store.directory, LIMIT)
    assert later.put({"new": b"value"}), later.problems
    assert later.get(["new", "name7"]) == {"new": b"value", "name7": items["name7"]}
    assert later.check() == "ok"
    later.close()


def test_a_file_that_is_no_database_is_put_aside(store: LocalStore) -> None:
    os.makedirs(store.directory)
    database(store).write_bytes(b"nonsense " * 1000)
    assert store.get(["a"]) == {}
    assert store.problems == {"the database was damaged and replaced": 1}
    assert store.put({"a": b"1"})
    assert store.get(["a"]) == {"a": b"1"}
    assert (Path(store.directory) / ASIDE).read_bytes().startswith(b"nonsense")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE Cache",
        "DROP TABLE Settings",
        "UPDATE Settings SET value = 'x'",
        "ALTER TABLE Cache RENAME COLUMN value TO worth",
        "DELETE FROM Settings",
        "INSERT INTO Settings VALUES ('disk_evil', 1)",
        "UPDATE Settings SET value = 'x' WHERE key = 'size'",
    ],
)
def test_tables_that_are_not_diskcaches_never_raise_and_later_runs_work(
    store: LocalStore, statement: str
) -> None:
    filled(store)
    with sqlite3.connect(database(store)) as connection:
        connection.execute(statement)
    connection.close()
    store.get(["name1"])
    store.put({"a": b"1"})
    store.close()
    later = LocalStore(store.directory, LIMIT)
    assert later.put({"b": b"2"}), (store.problems, later.problems)
    assert later.get(["b"]) == {"b": b"2"}
    later.close()


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


def test_a_pickle_in_the_table_is_never_loaded_and_no_named_file_removed(
    store: LocalStore, tmp_path: Path
) -> None:
    filled(store)
    proof, victim = tmp_path / "exploded", tmp_path / "victim"
    victim.write_text("precious")
    bomb = pickle.dumps(_Bomb(str(proof)))
    with sqlite3.connect(database(store)) as connection:
        connection.execute("UPDATE Cache SET mode = 4, value = ? WHERE key = 'name1'", (bomb,))
        connection.execute("UPDATE Cache SET filename = '../victim', mode = 2 WHERE key = 'name2'")
        connection.execute("UPDATE Cache SET raw = 0, key = ? WHERE key = 'name3'", (bomb,))
        connection.execute("UPDATE Cache SET access_time = -1")
    connection.close()
    assert store.get(["name1"]) == {"name1": bomb}
    dict(store.rows())
    store.put({"name1": b"1", "name2": b"2"})
    store.remove(["name2", "name3"])
    store.clear()
    LocalStore(store.directory, 1).put({"x": b"evicts all"})
    assert not proof.exists()
    assert victim.read_text() == "precious"


def test_a_directory_that_cannot_be_written_still_serves_reads(store: LocalStore) -> None:
    filled(store)
    store.put({"a": b"1"})
    store.close()
    os.chmod(Path(store.directory).parent, 0o755)
    for parent in Path(store.directory).parents[1:]:
        if not parent.is_relative_to(tempfile.gettempdir()):
            break
        if parent.stat().st_uid == os.getuid():
            os.chmod(parent, parent.stat().st_mode | 0o055)
    for entry in os.scandir(store.directory):
        os.chmod(entry.path, 0o444)
    os.chmod(store.directory, 0o555)

    def work() -> bool:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        mine = LocalStore(store.directory, LIMIT)
        read = mine.get(["a"]) == {"a": b"1"}
        return read and not mine.put({"b": b"2"}) and "it cannot be written" in mine.problems

    try:
        assert in_child(work)
    finally:
        os.chmod(store.directory, 0o700)


@pytest.mark.parametrize("place", ["/proc/nowhere/store", "/dev/null", "/dev/null/store", ""])
def test_an_impossible_directory_is_a_miss(place: str) -> None:
    store = LocalStore(place, LIMIT)
    assert store.get(["a"]) == {}
    assert not store.put({"a": b"1"})
    assert store.problems


def test_a_name_of_a_directory_may_hold_any_byte(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path / "a %41?b#c \udcff é"), LIMIT)
    assert store.put({"a": b"1"}), store.problems
    assert store.get(["a"]) == {"a": b"1"}
    store.close()


def test_a_full_disk_is_a_no_op_and_the_store_stays_usable(store: LocalStore) -> None:
    mount = Path(store.directory)
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "cr1-test", str(mount)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    try:
        assert store.put({"a": b"1"}), store.problems
        assert not store.put({"big": os.urandom(2_000_000)})
        assert list(store.problems) == ["the disk is full"]
        assert store.get(["a", "big"]) == {"a": b"1"}
        (mount / "filler").write_bytes(b"")
        with pytest.raises(OSError), open(mount / "filler", "wb") as file:
            file.write(bytes(2 << 20))
        fresh = LocalStore(store.directory, LIMIT)
        fresh.put({"c": b"3"})
        assert fresh.get(["a"]) == {"a": b"1"}
        fresh.close()
        (mount / "filler").unlink()
        assert store.put({"c": b"3"})
    finally:
        store.close()
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def test_a_limit_on_file_sizes_is_a_no_op(store: LocalStore) -> None:
    filled(store, 10)

    def work() -> bool:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        mine = LocalStore(store.directory, LIMIT)
        return not mine.put({"big": os.urandom(1 << 20)}) and bool(mine.problems)

    assert in_child(work)
    assert store.put({"big": b"1"}), store.problems
    assert len(dict(store.rows())) == 11


def test_a_lock_that_others_hold_is_waited_for_only_a_moment(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    monkeypatch.setattr(local_module, "_PATIENCE", 0.1)
    with open(Path(store.directory) / LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = time.monotonic()
        assert not store.put({"a": b"1"})
        assert time.monotonic() - start < 1
        assert store.get(["name1"])
    assert store.problems == {"it is locked by others": 1}


def test_a_transaction_of_another_program_is_waited_for_only_a_moment(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    monkeypatch.setattr(local_module, "_PATIENCE", 0.1)
    connection = sqlite3.connect(database(store), isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    assert not store.put({"a": b"1"})
    assert time.monotonic() - start < 3
    connection.close()
    assert store.put({"a": b"1"})
    assert not (Path(store.directory) / ASIDE).exists()


def test_a_killed_writer_leaves_a_store_that_works(store: LocalStore) -> None:
    filled(store, 5)
    for round_ in range(5):
        pid = os.fork()
        if pid == 0:
            mine = LocalStore(store.directory, LIMIT)
            while True:
                mine.put({f"{round_}/{i}": b"x" * 3000 for i in range(50)})
        time.sleep(0.15)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert store.put({"after": b"%d" % round_}), store.problems
        assert store.get(["after"]) == {"after": b"%d" % round_}
    assert store.check() == "ok"
    assert store.problems == {}
