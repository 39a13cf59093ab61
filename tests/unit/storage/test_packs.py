"""Packs: the same entries give the same file, and a damaged one is as if empty."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.errors import StorageError
from cr1cc.records import Decision
from cr1cc.storage import codec, upkeep
from cr1cc.storage.keys import KEY_BYTES, Shelf
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import Pack, PackSet, write_pack


def entries(count: int, seed: int = 0) -> dict[str, bytes]:
    chance = random.Random(seed)
    return {
        chance.choice(list(Shelf)).name_of(chance.randbytes(KEY_BYTES).hex()): chance.randbytes(
            chance.randrange(600)
        )
        for _ in range(count)
    }


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_what_is_written_is_found_and_nothing_else(tmp_path: Path, count: int) -> None:
    path, written = str(tmp_path / "a.pack"), entries(count)
    write_pack(path, written)
    with Pack(path) as pack:
        assert len(pack) == count
        assert {name: pack.find(name) for name in written} == written
        assert [pack.find(name) for name in entries(50, 1)] == [None] * 50
        assert dict(pack.items()) == written
        pack.verify()


def test_the_order_of_entries_does_not_matter(tmp_path: Path) -> None:
    written = list(entries(200).items())
    write_pack(str(tmp_path / "a.pack"), dict(written))
    random.Random(1).shuffle(written)
    write_pack(str(tmp_path / "b.pack"), dict(written))
    assert (tmp_path / "a.pack").read_bytes() == (tmp_path / "b.pack").read_bytes()


def test_other_entries_have_another_digest(tmp_path: Path) -> None:
    digests = set()
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        write_pack(str(folder / "a.pack"), entries(3, seed))
        digests.add(PackSet(str(folder)).digest)
    assert len(digests) == 3


def test_the_digest_of_a_set_does_not_depend_on_file_names(tmp_path: Path) -> None:
    for folder, names in (("one", ("a", "b")), ("two", ("z", "y"))):
        (tmp_path / folder).mkdir()
        for seed, name in enumerate(names):
            write_pack(str(tmp_path / folder / f"{name}.pack"), entries(3, seed))
    assert PackSet(str(tmp_path / "one")).digest == PackSet(str(tmp_path / "two")).digest


def test_no_packs_have_an_empty_digest(tmp_path: Path) -> None:
    write_pack(str(tmp_path / "empty.pack"), {})
    for directory in (None, str(tmp_path), str(tmp_path / "absent")):
        packs = PackSet(directory)
        assert (packs.digest, packs.problems) == ("", {})
        packs.close()


@pytest.mark.parametrize("seed", range(150))
def test_a_flipped_byte_anywhere_is_found_by_verify_and_never_gives_a_wrong_entry(
    tmp_path: Path, seed: int
) -> None:
    path, written = tmp_path / "a.pack", entries(8)
    write_pack(str(path), written)
    data = bytearray(path.read_bytes())
    data[seed * len(data) // 150] ^= 1 << seed % 8
    path.write_bytes(data)
    packs = PackSet(str(tmp_path))
    found = {name: packs.find(name) for name in written}
    assert all(found[name] in (None, payload) for name, payload in written.items())
    packs.close()
    with pytest.raises(StorageError), Pack(str(path)) as pack:
        pack.verify()


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.9, 0.999])
def test_a_pack_cut_short_is_as_if_empty_and_is_counted(tmp_path: Path, share: float) -> None:
    path, written = tmp_path / "a.pack", entries(50)
    write_pack(str(path), written)
    os.truncate(path, int(share * path.stat().st_size))
    packs = PackSet(str(tmp_path))
    assert [packs.find(name) for name in written] == [None] * 50
    assert packs.problems == {"a pack is damaged": 1}
    assert packs.digest == ""


def test_a_pack_with_a_checksum_but_unsorted_is_refused_by_verify(tmp_path: Path) -> None:
    path = tmp_path / "a.pack"
    write_pack(str(path), entries(2))
    data = path.read_bytes()
    start, row = 60, 33
    index = data[start + row : start + 2 * row] + data[start : start + row]
    body = index + data[start + 2 * row :]
    head = data[:20] + hashlib.blake2b(body, digest_size=32).digest()
    path.write_bytes(head + hashlib.blake2b(head, digest_size=8).digest() + body)
    with Pack(str(path)) as pack, pytest.raises(StorageError, match="not sorted"):
        pack.verify()


def test_export_and_import_move_every_decision(tmp_path: Path, better: Decision) -> None:
    one = LocalStore(str(tmp_path / "one"), 1 << 26)
    other = LocalStore(str(tmp_path / "other"), 1 << 26)
    name = Shelf.MODULE_BETTER.name_of("ab" * KEY_BYTES)
    everywhere = replace(better, machine="")
    write_pack(str(tmp_path / "c.pack"), {name: codec.encode_decision(better)})
    write_pack(str(tmp_path / "a.pack"), {name: codec.encode_decision(everywhere)})
    assert upkeep.import_entries(one, str(tmp_path / "c.pack"), lambda it, total: it) == 1
    one.put({"junk": b"junk", Shelf.MODULE_FAILED.name_of("cd" * KEY_BYTES): b"junk"})
    assert len(upkeep.damaged_entries(one)) == 2
    assert upkeep.export_entries(one, str(tmp_path / "b.pack")) == 1
    assert (tmp_path / "a.pack").read_bytes() == (tmp_path / "b.pack").read_bytes()
    assert upkeep.import_entries(other, str(tmp_path / "b.pack"), lambda it, total: it) == 1
    assert [n for n, _ in other.rows()] == [name]


def test_a_pack_of_something_else_than_decisions_is_not_imported(tmp_path: Path) -> None:
    local = LocalStore(str(tmp_path / "store"), 1 << 26)
    write_pack(str(tmp_path / "a.pack"), entries(5))
    with pytest.raises(StorageError, match="not a decision"):
        upkeep.import_entries(local, str(tmp_path / "a.pack"), lambda it, total: it)
    assert list(local.rows()) == []
