"""`python -m tests.bench_donors STEP FOLDER`: how the table of donors was chosen.

    collect   fetch and build open packages, keep the text of every C source in FOLDER
    measure   build random sets of the options below for a sample of the texts
    cover     the sets that add most to each other, in the order of the table

None of the packages is one of the benchmark. Sizes are loadable bytes against `gcc -Oz`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

from cr1cc.donors.build import RealGcc
from cr1cc.donors.table import GCC, SMALLEST, Donor
from cr1cc.donors.valid import complaint
from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC as DIALECT
from cr1cc.errors import EvaluationError
from cr1cc.records import Plan
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.toolchain.find import find_compiler
from cr1cc.train.apt import PrivateApt
from cr1cc.util.elf import ObjectFile

PACKAGES = (
    "bc", "dash", "diffutils", "grep", "gzip", "jansson", "less", "libevent", "libyaml", "mawk",
    "nano", "patch", "popt", "sed",
)  # fmt: skip

# How likely an option is in a set. What gained nothing anywhere by itself is not here.
OPTIONS: dict[str, float] = {
    "--param=case-values-threshold=16": 0.2,
    "--param=case-values-threshold=8": 0.1,
    "--param=early-inlining-insns=12": 0.05,
    "--param=gcse-unrestricted-cost=0": 0.25,
    "--param=max-inline-insns-auto=4": 0.08,
    "--param=max-inline-insns-size=4": 0.05,
    "--param=min-crossjump-insns=2": 0.06,
    "-fipa-pta": 0.08,
    "-fira-algorithm=priority": 0.08,
    "-fno-bit-tests": 0.05,
    "-fno-caller-saves": 0.32,
    "-fno-code-hoisting": 0.32,
    "-fno-cse-follow-jumps": 0.12,
    "-fno-expensive-optimizations": 0.16,
    "-fno-forward-propagate": 0.16,
    "-fno-gcse": 0.16,
    "-fno-guess-branch-probability": 0.24,
    "-fno-if-conversion": 0.16,
    "-fno-inline": 0.02,
    "-fno-inline-functions-called-once": 0.1,
    "-fno-inline-small-functions": 0.08,
    "-fno-ipa-cp": 0.08,
    "-fno-ipa-modref": 0.05,
    "-fno-ipa-sra": 0.08,
    "-fno-ivopts": 0.12,
    "-fno-jump-tables": 0.04,
    "-fno-move-loop-invariants": 0.2,
    "-fno-omit-frame-pointer": 0.32,
    "-fno-reorder-blocks": 0.04,
    "-fno-rerun-cse-after-loop": 0.16,
    "-fno-schedule-insns2": 0.04,
    "-fno-shrink-wrap": 0.24,
    "-fno-split-wide-types": 0.06,
    "-fno-ssa-phiopt": 0.08,
    "-fno-store-merging": 0.05,
    "-fno-strict-aliasing": 0.04,
    "-fno-thread-jumps": 0.28,
    "-fno-tree-ch": 0.08,
    "-fno-tree-coalesce-vars": 0.06,
    "-fno-tree-cselim": 0.05,
    "-fno-tree-dominator-opts": 0.24,
    "-fno-tree-fre": 0.12,
    "-fno-tree-loop-im": 0.24,
    "-fno-tree-loop-optimize": 0.05,
    "-fno-tree-phiprop": 0.04,
    "-fno-tree-reassoc": 0.08,
    "-fno-tree-scev-cprop": 0.06,
    "-fno-tree-sink": 0.24,
    "-fno-tree-slsr": 0.04,
    "-fno-tree-sra": 0.24,
    "-fno-tree-switch-conversion": 0.06,
    "-fno-tree-tail-merge": 0.03,
    "-fno-tree-ter": 0.12,
    "-fno-tree-vrp": 0.28,
    "-fsched-pressure": 0.03,
}

_LARGEST = 30_000  # loadable bytes of the objects of a sample


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench_donors", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("step", choices=("collect", "capture", "measure", "cover"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", type=int, default=250, help="random sets that are measured")
    parser.add_argument("--per-package", type=int, default=4, help="texts of each package")
    parser.add_argument("--smallest", type=int, default=400, help="loadable bytes of a text")
    parser.add_argument("--count", type=int, default=7, help="rows of the cover")
    parser.add_argument("--seed", type=int, default=1)
    given, rest = parser.parse_known_args()
    if given.step == "capture":
        _capture(given.folder, rest)
    step = {"collect": _collect, "measure": _measure, "cover": _cover}[given.step]
    step(given)
    return 0


def _collect(given: argparse.Namespace) -> None:
    folder = given.folder.absolute()
    apt = PrivateApt(folder / "apt")
    words = [sys.executable, "-m", "tests.bench_donors", "capture"]
    root = str(Path(__file__).resolve().parents[1])
    for name in PACKAGES:
        source = folder / "source" / name
        if source.exists():
            continue
        source.mkdir(parents=True)
        with tarfile.open(apt.download(name, source)) as archive:
            archive.extractall(source, filter="data")
        (tree,) = (path for path in source.iterdir() if path.is_dir())
        compiler = shlex.join([*words, str(folder / "texts" / name)])
        environ = {**os.environ, "CC": compiler, "PYTHONPATH": root, "FORCE_UNSAFE_CONFIGURE": "1"}
        script = (
            "test -x configure || autoreconf -fi; ./configure --disable-shared && make -k || true"
        )
        subprocess.run(["sh", "-c", script], cwd=tree, env=environ, capture_output=True)
        print(name, len(list((folder / "texts" / name).glob("*.i"))), flush=True)


def _capture(folder: Path, arguments: list[str]) -> None:
    """Be gcc, and keep the text of what is compiled."""
    gcc = find_compiler("gcc", setting=None, environ=os.environ, own="")
    level = ["-Os"] if "-c" in arguments else []
    plain = [word for word in arguments if not word.startswith(("-O", "-g"))]
    plan = parse([*plain, *level], cxx=False, cwd=os.getcwd(), dialect=DIALECT)
    if isinstance(plan, Plan):
        toolchain = describe_gcc(gcc, cache_dir=str(folder.parent))
        try:
            text, _ = RealGcc(plan, toolchain, os.environ).text()
        except EvaluationError:
            text = b""
        if text:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{Path(plan.source).stem}-{hashlib.blake2b(text, digest_size=5).hexdigest()}"
            (folder / f"{name}.i").write_bytes(text)
            (folder / f"{name}.json").write_text(json.dumps(plan.codegen))
    os.execv(gcc, [gcc, "-O0", "-w", *plain])


def _measure(given: argparse.Namespace) -> None:
    """Appends a line per set to `sizes.jsonl`: the set, and its size for each text or null."""
    texts = sample(given)
    sets = [(), *((option,) for option in OPTIONS)]
    drawn = random.Random(given.seed)
    for _ in range(given.sets):
        sets.append(tuple(o for o, share in OPTIONS.items() if drawn.random() < share))
    with (given.folder / "sizes.jsonl").open("w") as file:
        for options in sets:
            sizes = [_size(path, options) for path in texts]
            file.write(json.dumps([options, sizes]) + "\n")
            file.flush()


def sample(given: argparse.Namespace) -> list[Path]:
    """Some texts of each package; the same name twice is one library in two packages."""
    chosen: dict[str, Path] = {}
    for name in PACKAGES:
        paths = sorted((given.folder / "texts" / name).glob("*.i"))
        random.Random(given.seed).shuffle(paths)
        taken = 0
        for path in paths:
            stem = path.name.rpartition("-")[0]
            if taken == given.per_package or stem in chosen:
                continue
            if given.smallest <= (_size(path, ()) or 0) <= _LARGEST:
                chosen[stem], taken = path, taken + 1
    return list(chosen.values())


_baselines: dict[Path, bytes] = {}


def _size(path: Path, options: tuple[str, ...]) -> int | None:
    """Loadable bytes, None where the object would not be taken."""
    gcc = find_compiler("gcc", setting=None, environ=os.environ, own="")
    codegen = json.loads(path.with_suffix(".json").read_text())
    words = [*codegen, "-Oz", "-c", str(path), "-o", str(path.with_suffix(".o"))]
    plan = parse(words, cxx=False, cwd=os.getcwd(), dialect=DIALECT)
    assert isinstance(plan, Plan), plan
    toolchain = describe_gcc(gcc, cache_dir=str(path.parent))
    donor = Donor(GCC, SMALLEST, options, "a trial")
    try:
        data = RealGcc(plan, toolchain, os.environ).build(donor, path.read_bytes()).data
    except EvaluationError:
        return None
    if not options:
        _baselines[path] = data
    return None if complaint(_baselines[path], data) else ObjectFile(data).loadable_bytes()


def _cover(given: argparse.Namespace) -> None:
    """Greedy: each row is the set that adds most to the mean saving of those before it."""
    lines = (given.folder / "sizes.jsonl").read_text().splitlines()
    (_, before), *rows = (json.loads(line) for line in lines)
    best = list(before)
    for _ in range(given.count):
        options, sizes = max(rows, key=lambda row: sum(_saved(best, before, row[1])))
        best = [min(a, b or a) for a, b in zip(best, sizes, strict=True)]
        mean = 100 * sum(1 - b / a for a, b in zip(before, best, strict=True)) / len(best)
        print(f"{mean:.2f} %  {' '.join(options)}")


def _saved(best: list[int], before: list[int], sizes: list[int | None]) -> list[float]:
    pairs = zip(best, before, sizes, strict=True)
    return [max(0, b - (size or b)) / whole for b, whole, size in pairs]


if __name__ == "__main__":
    sys.exit(main())
