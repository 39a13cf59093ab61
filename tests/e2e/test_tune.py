"""`cr1 tune` on a small project whose benchmark says a time that depends on its objects: more
while an object is what the user's command makes of its source. So what is faster is known.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cr1cc.lock import read_lock
from cr1cc.records import Toolchain
from tests.e2e.conftest import ROOT
from tests.e2e.test_locked_windows import MODEL
from tests.e2e.wrapped import PROGRAM

MAKEFILE = """
CC = cr1-gcc
CFLAGS = -O3
program: program.o other.o
\tcc -o $@ program.o other.o
%.o: %.c
\t$(CC) $(CFLAGS) -c -o $@ $<
clean:
\trm -f *.o program
"""

OTHER = """
int fold(const int *p, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s = s * 31 + p[i];
    return s;
}
int count(const char *p, int c) { int n = 0; for (; *p; p++) n += *p == c; return n; }
"""

WINDOWED = """
volatile unsigned char flag;
int poll(int *p) { if (flag) *p = 1; return 7; }
"""

# `plain/NAME.o` is what the user's command makes.
BENCH = """
t=1
for n in program other; do if cmp -s $n.o plain/$n.o; then t=$((t + 1)); fi; done
echo $t seconds
"""


class Project:
    """The project's folder and `cr1` in it."""

    def __init__(self, folder: Path, compilers: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "PATH": f"{compilers}{os.pathsep}{os.environ['PATH']}"}
        files = {"Makefile": MAKEFILE, "program.c": PROGRAM, "other.c": OTHER}
        for name, text in files.items():
            (folder / name).write_text(text)
        self.plain = folder / "plain"
        self.plain.mkdir()
        for name in ("program", "other"):
            obj = self.plain / f"{name}.o"
            command = ["gcc", "-O3", "-c", "-o", str(obj), f"{name}.c"]
            subprocess.run(command, cwd=folder, check=True)

    def words(self, *more: str, test: str = "./program | cmp - expected") -> list[str]:
        return [
            "cr1", "tune", "--build", "make", "--test", test, "--bench", BENCH,
            "--time", "printed", *more,
        ]  # fmt: skip

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, env={**self.environ, **environ}, capture_output=True,
            text=True, timeout=900, check=False,
        )  # fmt: skip

    def expect(self) -> None:
        """What the program prints, by gcc alone."""
        objects = [str(self.plain / f"{name}.o") for name in ("program", "other")]
        subprocess.run(["gcc", *objects, "-o", "reference"], cwd=self.folder, check=True)
        out = subprocess.run([self.folder / "reference"], capture_output=True, check=True).stdout
        (self.folder / "expected").write_bytes(out)

    def objects(self) -> list[bytes]:
        return [(self.folder / f"{name}.o").read_bytes() for name in ("program", "other")]


@pytest.fixture
def place(tmp_path: Path, compilers: Path) -> Project:
    for name in ("gcc", "make", "cmp"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is missing")
    for name in ("perf", "valgrind"):  # the benchmark only looks at the objects: all are tried
        (compilers / name).write_text("#!/bin/sh\nexit 1\n")
        (compilers / name).chmod(0o755)
    folder = tmp_path / "project"
    folder.mkdir()
    found = Project(folder, compilers)
    found.expect()
    return found


def error(done: subprocess.CompletedProcess[str]) -> str:
    """The message of a command that must have failed with one line."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.long
def test_what_is_faster_is_found_kept_and_repeated(place: Project) -> None:
    done = place.run(*place.words("--json"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    decisions = read_lock(str(place.folder / "cr1.lock"))
    assert {one.source for one in decisions} == {"program.c", "other.c"}
    assert all(one.tests > 0 and one.gain for one in decisions)
    assert found["gain"] == 3
    assert max(found["everywhere"].values()) > 1
    assert found["interval"][0] > 1
    assert not list(place.folder.glob("*.trial"))
    tuned = place.objects()
    assert tuned[0] != (place.plain / "program.o").read_bytes()
    assert place.run("make", "-q").returncode == 0
    place.run("make", "clean")
    assert place.run("make", CR1_CACHE="0", CR1_FROZEN="1").returncode == 0
    assert place.objects() == tuned
    assert "ok" in place.run("cr1", "lock", "check").stdout
    explained = place.run("cr1", "explain", "program.c").stdout
    assert "time before / after" in explained
    assert "passed" in explained
    again = place.run(*place.words("--clean", "make clean"))
    assert again.returncode == 0, again.stderr
    assert place.objects() == tuned


@pytest.mark.long
def test_who_makes_the_tests_fail_is_named_and_left_out(place: Project) -> None:
    # The test fails whenever `other` is not what gcc alone makes of it.
    test = "cmp other.o plain/other.o"
    done = place.run(*place.words(test=test))
    assert done.returncode == 0, done.stderr
    assert "made the tests fail, and is left out: other.c" in done.stdout
    assert {one.source for one in read_lock(str(place.folder / "cr1.lock"))} == {"program.c"}
    assert place.run("sh", "-c", test).returncode == 0


@pytest.mark.long
def test_shorter_windows_that_are_faster_are_kept_and_repeated(place: Project) -> None:
    (place.folder / "other.c").write_text(OTHER + WINDOWED)
    # By no donor of gcc's is a byte compared where it lies; that is said to take half the time.
    words = place.words("--json")
    words[words.index("--bench") + 1] = (
        "objdump -d other.o | grep -q 'cmpb .*0x0' && echo 1 || echo 2"
    )
    done = place.run(*words, CR1_CLANG="/no/such/clang")
    assert done.returncode == 0, done.stderr
    # Both files were made shorter together, and nothing says that only one of them was at it.
    decisions = {one["source"]: one for one in json.loads(done.stdout)["decisions"]}
    assert int(decisions["other.c"]["windows"].partition(":")[0]) > 0
    tuned = place.objects()
    place.run("make", "clean")
    assert place.run("make", CR1_CACHE="0", CR1_FROZEN="1").returncode == 0
    assert place.objects() == tuned
    assert "1 made shorter, each proved" in place.run("cr1", "explain", "other.c").stdout


@pytest.mark.long
def test_windows_of_a_model_that_are_faster_are_kept_and_need_no_model(place: Project) -> None:
    (place.folder / "other.c").write_text(OTHER + WINDOWED)
    # By no donor and no rule for speed the 7 is put into a part of its register.
    words = place.words("--json")
    words[words.index("--bench") + 1] = (
        "objdump -d other.o | grep -q 'mov *$0x7,%al' && echo 1 || echo 2"
    )
    (place.folder / "sitecustomize.py").write_text(MODEL)
    done = place.run(
        *words, CR1_CLANG="/no/such/clang", CR1_ASM_MODEL="some.gguf",
        PYTHONPATH=f"{place.folder}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (place.folder / "sitecustomize.py").unlink()
    decisions = {one.source: one for one in read_lock(str(place.folder / "cr1.lock"))}
    said = decisions["other.c"].proposed
    assert "movl $7, %eax -> xorl %eax, %eax; movb $7, %al" in said
    tuned = place.objects()
    place.run("make", "clean")
    assert place.run("make", CR1_CACHE="0", CR1_FROZEN="1").returncode == 0
    assert place.objects() == tuned
    assert "ok" in place.run("cr1", "lock", "check").stdout


def test_a_model_that_cannot_be_used_is_said_once(place: Project) -> None:
    model = str(place.folder / "none.gguf")
    done = place.run("cr1", "tune", "--build", "false", "--bench", "true", CR1_ASM_MODEL=model)
    assert done.stderr.count(model) == 1
    assert f"no windows by a model: {model}: No such file" in done.stderr
    assert error(done) == "cr1: the build fails: status 1"


@pytest.mark.long
def test_a_profile_is_kept_beside_the_lockfile_and_repeated(place: Project) -> None:
    # Only a build that knows what runs often puts it into a section of its own.
    words = place.words("--json")
    words[words.index("--bench") + 1] = (
        "./program > printed; readelf -S program.o | grep -q 'text.hot' && echo 1 || echo 2"
    )
    done = place.run(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gain"] == 2
    decisions = {one.source: one for one in read_lock(str(place.folder / "cr1.lock"))}
    profiles = place.folder / "cr1.profiles"
    named = {f"{one.profile}.gcda" for one in decisions.values() if one.profile}
    assert {path.name for path in profiles.iterdir()} == named
    tuned = place.objects()
    place.run("make", "clean")
    assert place.run("make", CR1_CACHE="0", CR1_FROZEN="1").returncode == 0
    assert place.objects() == tuned
    assert "ok" in place.run("cr1", "lock", "check").stdout
    assert decisions["program.c"].profile in place.run("cr1", "explain", "program.c").stdout
    # A tuning that keeps none leaves none behind.
    place.run("make", "clean")
    words[words.index("--bench") + 1] = "./program > printed; echo 1"
    assert place.run(*words).returncode == 0
    assert not profiles.exists()


@pytest.mark.long
def test_an_interrupted_session_goes_on(place: Project) -> None:
    process = subprocess.Popen(
        place.words(), cwd=place.folder, env=place.environ, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "donor 4" in line:
            break
    os.kill(process.pid, signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(60) == 130, said
    assert "Traceback" not in said
    assert not (place.folder / "cr1.lock").exists()
    assert not list(place.folder.glob("*.trial"))
    assert place.objects() == [(place.plain / f"{n}.o").read_bytes() for n in ("program", "other")]
    done = place.run(*place.words())
    assert done.returncode == 0, done.stderr
    assert "going on where the last session stopped" in done.stderr
    assert read_lock(str(place.folder / "cr1.lock"))


@pytest.mark.long
def test_a_donor_compiler_that_vanishes_costs_its_donors_only(
    place: Project, usable_compilers: Mapping[int, Toolchain]
) -> None:
    if not usable_compilers:
        pytest.skip("clang is missing")
    real = usable_compilers[max(usable_compilers)].driver
    clang = place.folder / "vanishing-clang"
    clang.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    clang.chmod(0o755)
    done = place.run(
        "cr1", "tune", "--json", "--build", "make", "--test", "true", "--time", "printed",
        "--bench", f"rm -f vanishing-clang; {BENCH}", CR1_CLANG=str(clang),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {one["donor"].partition(":")[0] for one in found["decisions"]} == {"gcc"}
    assert any("none that may" in reason for reason in found["rejected"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--build", "false", "--bench", "true"], "the build fails: status 1"),
        (["--build", "true", "--bench", "true"], "the build compiled nothing with cr1-gcc"),
        (["--build", "make", "--test", "false", "--bench", "true"], "the tests fail before"),
        (["--build", "make", "--bench", "echo no >&2; exit 3"], "the benchmark fails before anyth"),
        (["--build", "make", "--test", "true", "--bench", "true"], "too little to be measured"),
        (["--build", "make", "--bench", "date +%N"], "prints something else each time"),
        (["--again", "--build", "make", "--bench", "date +%N"], "prints something else each time"),
        (["--build", "make", "--bench", "echo no", "--time", "printed"], "prints no number"),
        (
            ["--build", "[ -e x ] || make; touch x", "--bench", "echo 1", "--time", "printed"],
            "say --clean",
        ),
        (["--build", "make"], "say what is to become faster"),
        (["--build", "make", "--bench", "a", "--", "b"], "say what is to become faster"),
        (["--build", "make", "--bench", "a", "--ifunc"], "--ifunc is for a level"),
        (
            ["--build", "make", "--bench", "a", "--ifunc", "--isa", "native"],
            "--ifunc is for a level",
        ),
    ],
)
def test_a_harness_that_cannot_serve_is_said_in_one_line(
    place: Project, words: list[str], message: str
) -> None:
    done = place.run("cr1", "tune", *words)
    assert message in error(done)
    assert not (place.folder / "cr1.lock").exists()
    assert not list(place.folder.glob("*.trial"))


def test_a_benchmark_that_is_too_noisy_is_said(place: Project) -> None:
    toggled = "if [ -e n ]; then rm n; echo 1; else touch n; echo 2; fi"
    done = place.run(
        "cr1", "tune", "--build", "make", "--test", "true", "--bench", toggled, "--time", "printed"
    )
    assert "too noisy to decide" in error(done)


def test_a_lockfile_that_was_edited_is_not_overwritten(place: Project) -> None:
    (place.folder / "cr1.lock").write_text("nonsense\n")
    assert "cr1.lock:1: not a decision" in error(place.run(*place.words()))
    assert (place.folder / "cr1.lock").read_text() == "nonsense\n"
    assert "not a decision" in error(place.run("cr1", "lock", "check"))
    assert "not a decision" in place.run("cr1", "doctor").stdout
