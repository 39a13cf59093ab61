"""`make bench-speed`: how much faster programs are after `cr1 tune` than by gcc -O3.

Each program of tests/speed/table.py is tuned at its own instruction set and, if asked for, with
that of this machine, by `cr1 tune` as a user runs it. Then it is built anew from the lockfile
and runs in turn with the program that gcc -O3 makes; outputs are compared. Results are kept in
the folder program by program, so the benchmark goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import Queue, get_context
from pathlib import Path
from statistics import median
from typing import Any

from cr1cc.errors import ToolchainError
from cr1cc.tune.shell import Shell
from cr1cc.tune.statistics import FIRST_RUNS, SAME, gain, least_of
from tests.projects import compilers
from tests.projects.build import Compiler
from tests.projects.errors import FetchError
from tests.projects.fetch import CHECKOUT, fetch, unpack
from tests.projects.table import PROJECTS
from tests.speed.report import write
from tests.speed.table import ROWS, Row

HERE = Path(__file__).parent / "speed"
ISAS = {"own": "", "native": "native"}
ROUNDS = 15
_SECONDS = 3600  # of a tuning; what takes longer counts as failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_speed", description=__doc__)
    parser.add_argument("--programs", default=",".join(row.name for row in ROWS))
    parser.add_argument("--isa", default=",".join(ISAS), help="own, native or both")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "bench-speed")
    parser.add_argument("--gcc", help="the real compiler (default: found by itself)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time, a core for each")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    given = parser.parse_args()
    try:
        plain = compilers.plain_gcc(given.gcc)
    except ToolchainError as error:
        print(f"bench_speed: {error}", file=sys.stderr)
        return 1
    wanted = set(given.programs.split(","))
    folder: Path = given.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    work = [(row, isa) for row in ROWS if row.name in wanted for isa in given.isa.split(",")]
    sound = given.report or _all(work, plain, folder, given.rounds, given.jobs)
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    if results:
        write(results, _machine(plain), CHECKOUT)
    return 0 if sound else 1


def _all(
    work: list[tuple[Row, str]], plain: Compiler, folder: Path, rounds: int, jobs: int
) -> bool:
    """All programs, so many at a time; False if one is wrong. Each of several has a core of its
    own: what it takes is processor time, and a ratio of neighbours."""
    if jobs == 1:
        sound = [_one(*one, plain, folder, rounds) for one in work]
        return all(sound)
    context = get_context("fork")
    cores: Queue[int] = context.Queue()
    for core in sorted(os.sched_getaffinity(0))[:jobs]:
        cores.put(core)
    with ProcessPoolExecutor(jobs, context, _stay, (cores,)) as pool:
        started = [pool.submit(_one, *one, plain, folder, rounds) for one in work]
        sound = [job.result() for job in started]
    return all(sound)


def _stay(cores: Queue[int]) -> None:
    os.sched_setaffinity(0, {cores.get()})


def _one(row: Row, isa: str, plain: Compiler, folder: Path, rounds: int) -> bool:
    """One program with one instruction set, unless its result is there; False if it is wrong."""
    kept = folder / f"{row.name}-{isa}.json"
    if kept.exists():
        return bool(json.loads(kept.read_text())["same"])
    place = folder / row.name / isa
    shutil.rmtree(place, ignore_errors=True)
    try:
        result = _tuned(row, isa, plain, place, rounds)
    except (FetchError, subprocess.SubprocessError, OSError, ValueError) as error:
        print(f"{row.name} ({isa}) failed: {error}", flush=True)
        return False
    temporary = kept.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1))
    temporary.rename(kept)
    shutil.rmtree(place, ignore_errors=True)
    wrong = "" if result["same"] else " OUTPUT DIFFERS"
    print(f"{row.name} ({isa}) {result['speedup']:.3f}{wrong}", flush=True)
    return bool(result["same"])


def _tuned(row: Row, isa: str, plain: Compiler, place: Path, rounds: int) -> dict[str, Any]:
    """Tune, build anew, measure."""
    project = place / "project"
    _prepare(row, project)
    ours = compilers.ours_gcc(plain, place / "home", CR1_DAEMON="false")
    environ = {**os.environ, **ours.environ, "PYTHONPATH": str(CHECKOUT)}
    _run(["make", f"CC={plain.cc}", "OUT=plain"], project, os.environ)
    make = f"make CC={shlex.quote(ours.cc)}"
    command = [
        sys.executable, "-m", "cr1cc.cli.main", "tune", "--json", "--build", make,
        "--bench", row.run, *(("--isa", ISAS[isa]) if ISAS[isa] else ()),
    ]  # fmt: skip
    _run(["make", "clean"], project, environ)
    told = json.loads(_run(command, project, environ))
    _run(["make", "clean"], project, environ)
    _run(["sh", "-c", f"{make} OUT=tuned"], project, {**environ, "CR1_CACHE": "0"})
    times, same = _in_turn(row, project, rounds)
    # Of one program run twice a ratio would only say how noisy the machine is.
    found = SAME if _equal(project / "plain", project / "tuned") else gain(*times)
    return {
        **asdict(row), "isa": isa, "speedup": found.ratio, "low": found.low, "high": found.high,
        "seconds": [median(one) for one in times], "rounds": rounds, "same": same,
        "decisions": told["decisions"], "tuned": told["gain"], "tried": told["tried"],
        "everywhere": told["everywhere"],
    }  # fmt: skip


def _prepare(row: Row, project: Path) -> None:
    """The program's sources and a makefile for them."""
    if row.package:
        project.parent.mkdir(parents=True, exist_ok=True)
        unpack(fetch(PROJECTS[row.package]), project)
        if row.configure:
            _run(["sh", "-c", row.configure], project, os.environ)
        for path in (*(HERE / "drivers").iterdir(), *(HERE / "scripts").iterdir()):
            shutil.copy(path, project / path.name if path.name == "text.h" or path.suffix == ".lua"
                        else project / f"driver-{path.name}")  # fmt: skip
        sources = [
            path.relative_to(project).as_posix()
            for pattern in row.sources
            for path in sorted(project.glob(pattern))
            if path.name not in row.without and not path.name.startswith("driver-")
        ]
        sources += [f"driver-{row.driver}"] if row.driver else []
    else:
        project.mkdir(parents=True)
        shutil.copy(HERE / "programs" / row.sources[0], project)
        sources = [row.sources[0]]
    objects = " ".join(source.removesuffix(".c") + ".o" for source in sources)
    (project / "Makefile").write_text(
        f"CFLAGS = -O3 -w {row.flags}\nOUT = program\n$(OUT): {objects}\n"
        f"\tcc -o $@ {objects} -lm -lpthread\n%.o: %.c\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
        f"clean:\n\trm -f {objects} program\n"
    )
    for makefile in ("GNUmakefile", "makefile"):
        (project / makefile).unlink(missing_ok=True)


def _in_turn(row: Row, project: Path, rounds: int) -> tuple[tuple[list[float], list[float]], bool]:
    """Processor seconds of the plain and the tuned program, and whether they print the same."""
    shell = Shell(str(project), os.environ)
    commands = [row.run.replace("./program", name) for name in ("./plain", "./tuned")]
    outputs = [shell.run(command) for command in commands]
    same = outputs[0].output == outputs[1].output and outputs[0].status == outputs[1].status == 0
    times: tuple[list[float], list[float]] = ([], [])
    runs = least_of([shell.run(commands[0]).seconds for _ in range(FIRST_RUNS)])
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            times[side].append(min(shell.run(commands[side]).seconds for _ in range(runs)))
    return times, same


def _equal(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _run(command: list[str], folder: Path, environ: Any) -> str:
    done = subprocess.run(
        command, cwd=folder, env=dict(environ), capture_output=True, text=True, timeout=_SECONDS,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ValueError(f"{command[0]}: {said[-1] if said else done.returncode}")
    return done.stdout


def _machine(plain: Compiler) -> dict[str, str]:
    """What the figures depend on."""
    try:
        clang = compilers.version(compilers.plain())
    except ToolchainError:
        clang = "none"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {
        "processor": f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores",
        "gcc": compilers.version(plain),
        "clang": clang,
        "kernel": platform.release().partition("-")[0],
        "C library": " ".join(platform.libc_ver()),
    }


if __name__ == "__main__":
    sys.exit(main())
