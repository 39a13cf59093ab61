"""The journal: many writers, torn lines, rotation, and no failure that anybody notices."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cr1cc.storage import journal
from cr1cc.storage.journal import Event


def test_an_event_comes_back_as_it_was(tmp_path: Path) -> None:
    events = [
        Event(
            "smaller",
            "",
            "/s/a.c",
            "/o/a.o",
            "ab",
            10,
            5,
            "coreset",
            32,
            hit="pack",
            store_problem="s",
            daemon_problem="d",
            milliseconds=12.5,
            time=1.5,
        ),
        Event("unknown_option", '-f"odd\\', '/s/\n\t"é\udcff\\.c', time=2.0),
    ]
    for event in events:
        assert journal.append(str(tmp_path / "new" / "state"), event)
    assert list(journal.read(str(tmp_path / "new" / "state"))) == events


def test_the_time_is_filled_in(tmp_path: Path) -> None:
    journal.append(str(tmp_path), Event("link"))
    (event,) = journal.read(str(tmp_path))
    assert event.time > 1e9


def _append_many(directory: str, writer: int, limit: int) -> None:
    for i in range(200):
        event = Event("smaller", f"{writer}/{i}", "/s" * random.randrange(500), time=1.0)
        assert journal.append(directory, event, limit=limit)


def _write_at_once(directory: str, limit: int) -> list[Event]:
    start = multiprocessing.get_context("fork").Process
    writers = [start(target=_append_many, args=(directory, n, limit)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    return list(journal.read(directory))


def test_eight_writers_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    details = [event.detail for event in _write_at_once(str(tmp_path), journal.LIMIT)]
    assert sorted(details) == sorted(f"{n}/{i}" for n in range(8) for i in range(200))
    for n in range(8):
        mine = [detail for detail in details if detail.startswith(f"{n}/")]
        assert mine == [f"{n}/{i}" for i in range(200)]


def test_rotation_with_eight_writers_keeps_the_newest_and_the_size(tmp_path: Path) -> None:
    limit = 100_000
    events = _write_at_once(str(tmp_path), limit)
    files = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert "journal.1" in files
    assert files.keys() <= {"journal", "journal.1", "journal.lock"}  # full with the last event
    # Each writer may add one line after the file was full.
    assert max(files.values()) < limit + 9 * 1500
    assert len(events) == len({event.detail for event in events}) > 100
    assert any(event.detail.endswith("/199") for event in events)


def test_torn_and_foreign_lines_are_left_out(tmp_path: Path) -> None:
    journal.append(str(tmp_path), Event("link", time=1.0))
    with open(tmp_path / "journal", "ab") as file:
        file.write(b'{"outcome":"li')  # torn by a full disk
    journal.append(str(tmp_path), Event("query", time=2.0))
    with open(tmp_path / "journal", "ab") as file:
        file.write(b'[]\n{"outcome":1}\n{"outcome":"a","hit":3}\n\xff\n' + b"[" * 99999 + b"\n{}\n")
        file.write(
            b'{"outcome":"lto","time":3,"of_the_future":1}\n{"outcome":"a","bytes_after":true}'
        )
    assert [event.outcome for event in journal.read(str(tmp_path))] == ["link", "query", "lto"]


def test_the_last_event_is_found_by_source_and_by_output(tmp_path: Path) -> None:
    for i in range(3):
        event = Event("smaller", str(i), f"/w/../s/{i % 2}.c", f"/o/{i}.o")
        journal.append(str(tmp_path), event)
    found = [journal.last(str(tmp_path), path) for path in ("/s/0.c", "/o/1.o", "/s/9.c")]
    assert [event.detail if event else None for event in found] == ["2", "1", None]


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null", "/dev/null/x", "a\0b"])
def test_a_place_that_cannot_be_written_is_no_error(place: str) -> None:
    assert not journal.append(place, Event("link"))


def test_a_line_that_does_not_fit_is_no_error_and_spoils_no_other(tmp_path: Path) -> None:
    journal.append(str(tmp_path), Event("link"))
    pid = os.fork()
    if pid == 0:
        room = (tmp_path / "journal").stat().st_size + 10
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))  # Python ignores SIGXFSZ
        tried = [journal.append(str(tmp_path), Event("torn")) for _ in range(2)]
        os._exit(any(tried))
    assert os.waitpid(pid, 0)[1] == 0
    assert journal.append(str(tmp_path), Event("query"))
    assert [event.outcome for event in journal.read(str(tmp_path))] == ["link", "query"]


def test_clearing_forgets_all(tmp_path: Path) -> None:
    journal.append(str(tmp_path), Event("link"))
    journal.clear(str(tmp_path))
    journal.clear(str(tmp_path))
    assert list(journal.read(str(tmp_path))) == []


def test_appending_loads_neither_json_nor_a_database(tmp_path: Path) -> None:
    program = (
        "import sys; from cr1cc.storage.journal import Event, append\n"
        f"assert append({str(tmp_path)!r}, Event('link', source='/a b.c', milliseconds=1.5))\n"
        "sys.exit(bool({'json', 'sqlite3', 'diskcache', 'zlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
