"""The pack that ships: decisions made by building the packages of the table.

FOLDER/pack/VERSION/cache    the cache that the decisions are made in
FOLDER/pack/VERSION/*.done   a package that was built by one compiler (a run can be
                             taken up again)

Beside the pack a JSON file says what its decisions depend on: with another version of
any of that, its keys are never asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from cr1cc.basis import basis
from cr1cc.config import Config
from cr1cc.errors import UserError
from cr1cc.policy.proposers import Circumstances, proposer_named
from cr1cc.records import Toolchain
from cr1cc.storage import upkeep
from cr1cc.storage.keys import SCHEMA
from cr1cc.storage.local import LocalStore
from cr1cc.train.apt import PrivateApt
from cr1cc.train.corpus import build, unpacked
from cr1cc.train.packages import PACKAGES, PACKED, Package
from cr1cc.util.atomic import replace_file
from cr1cc.util.data import data_path

SHIPPED = Path(data_path("cache", "corpus.pack"))
_WRAPPER = (sys.executable, "-m", "cr1cc.wrapper")
COMPILERS = {"CC": (*_WRAPPER, "clang"), "CXX": (*_WRAPPER, "clang++")}
_FLAGS = "-Oz"  # what the packages are built with


def current() -> dict[str, int | str]:
    """What decisions of this version, with default settings, depend on."""
    config = Config()
    proposer = proposer_named(config.proposer, Circumstances(config, os.environ))
    return {"format": SCHEMA, **asdict(basis(config, proposer))}


def make(
    folder: Path, toolchains: Sequence[Toolchain], output: Path,
    names: Sequence[str] = PACKED,
) -> Iterator[str]:  # fmt: skip
    """Build the named packages with every compiler, export; yields one line for each part.

    Raises UserError if nothing was decided, StorageError if the pack cannot be written.
    """
    home = folder / "pack" / _short(repr(current()))
    home.mkdir(parents=True, exist_ok=True)
    apt = PrivateApt(folder / "apt")
    built = []
    for toolchain in toolchains:
        for package in (package for package in PACKAGES if package.name in names):
            done = home / f"{package.name}-{_short(toolchain.identity)}.done"
            if not done.exists():
                yield _build(package, toolchain, home, apt, done)
            if done.exists():
                built.append(package.name)
    local = LocalStore(str(home / "cache" / "cr1cc"), Config().cache_size)
    entries = upkeep.export_entries(local, str(output))
    if not built or not entries:
        raise UserError(f"{home}: no decisions were made")
    facts = {
        **current(),
        "compilers": [toolchain.identity for toolchain in toolchains],
        "packages": sorted(set(built)),
        "entries": entries,
    }
    replace_file(str(output.with_suffix(".json")), (json.dumps(facts, indent=1) + "\n").encode())
    yield f"{output}: {entries} entries, {output.stat().st_size} bytes"


def environ(toolchain: Toolchain, home: Path, *, packs: bool = False) -> dict[str, str]:
    """The environment of a build by `toolchain` that keeps all it knows under `home`.

    The pack is made without packs: it cannot be made from itself.
    """
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CR1_")},
        "CFLAGS": _FLAGS,
        "CXXFLAGS": _FLAGS,
        "CR1_CLANG": toolchain.driver,
        "CR1_PACKS": str(packs).lower(),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }


def _build(package: Package, toolchain: Toolchain, home: Path, apt: PrivateApt, done: Path) -> str:
    name = f"{package.name}, {toolchain.identity}"
    try:
        with unpacked(package, apt) as (tree, note):
            build(package, tree, COMPILERS, environ(toolchain, home), toolchain.driver)
    except UserError as error:
        return f"{name}: left out: {error}"
    done.touch()
    return f"{name}: built{note}"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
