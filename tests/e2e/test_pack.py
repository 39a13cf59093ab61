"""The shipped pack is intact, up to date, and gives hits on a first build."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cr1cc.errors import UserError
from cr1cc.passes.recipe import holds
from cr1cc.records import Answer, Toolchain
from cr1cc.storage import codec, journal
from cr1cc.storage.keys import Shelf, split_name
from cr1cc.storage.packs import Pack
from cr1cc.train.apt import PrivateApt
from cr1cc.train.corpus import build, unpacked
from cr1cc.train.pack import COMPILERS, SHIPPED, current, environ
from cr1cc.train.packages import PACKAGES
from tests.conftest import TESTED_VERSIONS
from tests.projects.fetch import cache_directory

SOURCES = cache_directory()
PACKAGE = next(package for package in PACKAGES if package.name == "popt")


def facts() -> dict[str, object]:
    found: dict[str, object] = json.loads(SHIPPED.with_suffix(".json").read_text())
    return found


def test_the_pack_is_of_this_version() -> None:
    # If this fails after a change of tables, coreset or budgets: `cr1 train pack`.
    wanted = current()
    assert {name: facts()[name] for name in wanted} == wanted


def test_every_decision_of_the_pack_is_intact_and_vetted() -> None:
    shelves: Counter[Shelf] = Counter()
    with Pack(str(SHIPPED)) as pack:
        pack.verify()
        assert len(pack) == facts()["entries"]
        for name, payload in pack.items():
            shelf, _ = split_name(name)
            shelves[shelf] += 1
            if shelf is Shelf.MODULE_BETTER:
                decision = codec.decode_decision(
                    payload, Answer.BETTER, codec.anything, codec.anything
                )
                assert decision is not None
                assert decision.answer is Answer.BETTER
                assert decision.bytes_after < decision.bytes_before
                assert any(holds(decision.recipe, major, "X86") for major in TESTED_VERSIONS)
    assert shelves[Shelf.MODULE_BETTER] > 100
    assert shelves[Shelf.FUNCTION_BETTER] > 100
    assert shelves[Shelf.OBJECT] == 0


def objects(toolchain: Toolchain, home: Path, place: Path, *, packs: bool) -> dict[str, str]:
    """Digests of the objects of a build at `place`, by path."""
    try:
        with unpacked(PACKAGE, PrivateApt(SOURCES / ".apt")) as (tree, _):
            shutil.rmtree(place, ignore_errors=True)
            shutil.move(tree, place)
    except UserError as error:
        pytest.skip(str(error))
    build(PACKAGE, place, COMPILERS, environ(toolchain, home, packs=packs), toolchain.driver)
    found = {str(path.relative_to(place)): path for path in place.rglob("*.o")}
    assert len(found) > 5
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("by_default")
def test_a_first_build_has_hits_and_the_same_objects(
    usable_compilers: dict[int, Toolchain], tmp_path: Path
) -> None:
    named = facts()["compilers"]
    assert isinstance(named, list)
    known = [t for t in usable_compilers.values() if t.identity in named]
    if not known:
        pytest.skip(f"one of the compilers of the pack is missing: {', '.join(named)}")
    place = tmp_path / "popt"
    with_pack = objects(known[0], tmp_path / "with", place, packs=True)
    without = objects(known[0], tmp_path / "without", place, packs=False)
    assert with_pack == without
    hits = Counter(event.hit for event in journal.read(str(tmp_path / "with" / "state" / "cr1cc")))
    assert hits["pack"] >= len(with_pack) * 3 // 4
    events = journal.read(str(tmp_path / "without" / "state" / "cr1cc"))
    assert "pack" not in {event.hit for event in events}
