"""Whatever a candidate does costs that candidate and nothing else."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.limits import Limits
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner
from cr1cc.passes.macros import macros_for
from cr1cc.records import Failure, Level, Recipe, Score, Toolchain
from tests.unit.evaluate.conftest import MakeEvaluator, bitcode_of

SIZE = Recipe(("@size",))
AGAIN = Recipe(("@size", "@size"))
ENDLESS = f"function({','.join(['gvn'] * 300_000)})"

# Every function calls the next twice and is always inlined: the module doubles 26 times.
GROWING = (
    "int f26(int x) { return x * 3; }\n"
    + "".join(
        f"__attribute__((always_inline)) static inline int f{i}(int x)"
        f" {{ return f{i + 1}(x) ^ f{i + 1}(x + {i}); }}\n"
        for i in range(25, 0, -1)
    )
    + "int f0(int x) { return f1(x) + 1; }\n"
)


class Traps(dict[str, str]):
    """Macros that do to the worker what a bad pass does. They are read in the worker."""

    def get(self, stage: str, default: Any = None) -> Any:
        if stage == "@crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if stage == "@hang":
            while True:
                pass
        if stage == "@allocate":
            return "x" * (1 << 40)
        return super().get(stage, default)


@pytest.fixture
def traps(toolchain: Toolchain) -> Traps:
    return Traps(macros_for(toolchain.major, Level.OZ))


@pytest.mark.parametrize(
    ("stage", "failure"),
    [
        ("@crash", Failure.CRASHED),
        ("@hang", Failure.TIMED_OUT),
        ("@allocate", Failure.MEMORY),
        (ENDLESS, Failure.TIMED_OUT),
        ("no-such-pass", Failure.REFUSED),
        ("function(", Failure.REFUSED),
    ],
    ids=["crash", "hang", "allocate", "endless", "unknown", "malformed"],
)
def test_a_bad_candidate_costs_itself_only(
    stage: str,
    failure: Failure,
    evaluator: MakeEvaluator,
    traps: Traps,
    capfd: pytest.CaptureFixture[str],
) -> None:
    descriptors, children = len(os.listdir("/proc/self/fd")), children_of_ours()
    with evaluator() as good:
        expected = good.measure([SIZE, AGAIN])
    bad, worse = Recipe((stage,)), Recipe(("@size", stage))
    with evaluator(Limits(cpu_seconds=0.7), macros=traps) as fresh:
        results = fresh.measure([SIZE, bad, AGAIN, worse, SIZE])
        assert results == [expected[0], failure, expected[1], failure, expected[0]]
        assert fresh.measure([AGAIN]) == [expected[1]]
    assert capfd.readouterr() == ("", "")
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert children_of_ours() == children


def children_of_ours() -> str:
    """Their process ids, of those that nobody has waited for too."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def test_a_module_that_grows_without_end_costs_its_candidate_only(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    growing = bitcode_of(toolchain, GROWING, tmp_path)
    limits = Limits(cpu_seconds=60, memory=64 << 20)
    calm = Recipe(("function(instcombine)",))
    with evaluator(limits, bitcode=growing) as fresh:
        results = fresh.measure([calm, Recipe(("always-inline",)), calm])
    assert isinstance(results[0], Score)
    assert results[1] is Failure.MEMORY
    assert results[2] == results[0]


def test_a_pass_that_leaves_an_invalid_module_costs_its_candidate_only(
    evaluator: MakeEvaluator, traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PassRunner.run

    def breaking(self: PassRunner, module: Module, pipeline: str) -> None:
        if pipeline != "@break":
            run(self, module, pipeline)
            return
        dll = ctypes.CDLL(self.library.path)
        for name in ("GetFirstBasicBlock", "GetLastInstruction"):
            getattr(dll, "LLVM" + name).restype = ctypes.c_void_p
        block = dll.LLVMGetFirstBasicBlock(ctypes.c_void_p(module.defined_functions()[0]))
        last = dll.LLVMGetLastInstruction(ctypes.c_void_p(block))
        dll.LLVMInstructionEraseFromParent(ctypes.c_void_p(last))

    monkeypatch.setattr(PassRunner, "run", breaking)
    with evaluator(macros=traps) as fresh:
        results = fresh.measure([SIZE, Recipe(("@size", "@break")), AGAIN])
        with pytest.raises(EvaluationError):
            fresh.apply(Recipe(("@break",)))
        assert fresh.measure([SIZE]) == results[:1]
    assert results[1] is Failure.INVALID
    assert isinstance(results[2], Score)


def test_a_fatal_error_of_llvm_costs_its_candidate_only(
    evaluator: MakeEvaluator, toolchain: Toolchain, capfd: pytest.CaptureFixture[str]
) -> None:
    if toolchain.major < 23:
        pytest.skip("LLVM 23 is the one that aborts at default<Oz>")
    with evaluator() as fresh:
        results = fresh.measure([SIZE, Recipe(("default<Oz>",)), AGAIN])
    assert isinstance(results[0], Score)
    assert results[1] in (Failure.CRASHED, Failure.REFUSED)
    assert isinstance(results[2], Score)
    assert capfd.readouterr() == ("", "")


def test_a_crash_is_none_of_memory_because_this_process_is_large(
    evaluator: MakeEvaluator, traps: Traps
) -> None:
    ballast = b"x" * (200 << 20)
    with evaluator(Limits(memory=128 << 20), macros=traps) as fresh:
        assert fresh.measure([Recipe(("@crash",))]) == [Failure.CRASHED]
    assert ballast


def test_a_bad_tail_costs_itself_only(evaluator: MakeEvaluator) -> None:
    good = "function(early-cse)"
    with evaluator(Limits(cpu_seconds=0.7)) as fresh:
        names = list(fresh.function_fingerprints(SIZE))
        base, sizes = fresh.measure_tails(
            SIZE, [good, ENDLESS, "function(no-such-pass)", good], names
        )
    assert base
    assert sizes[1:3] == [{}, {}]  # tried on every function alone, and failed on each
    assert sizes[0] == sizes[3]
    assert sizes[0].keys() == base.keys()


def test_a_tail_that_fails_on_the_only_function_says_how(evaluator: MakeEvaluator) -> None:
    with evaluator(Limits(cpu_seconds=0.7)) as fresh:
        name = next(iter(fresh.function_fingerprints(SIZE)))
        _, sizes = fresh.measure_tails(SIZE, [ENDLESS, "function(no-such-pass)"], [name])
    assert sizes == [Failure.TIMED_OUT, Failure.REFUSED]


def test_what_is_no_bitcode_is_one_error(evaluator: MakeEvaluator) -> None:
    with evaluator(bitcode=b"nothing") as fresh, pytest.raises(EvaluationError):
        fresh.describe()


def test_a_worker_dies_with_its_parent(
    toolchain: Toolchain, bitcode: bytes, tmp_path: Path
) -> None:
    (tmp_path / "unit.bc").write_bytes(bitcode)
    script = """
import os, signal, sys
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
with open(sys.argv[2], "rb") as file:
    evaluator = Evaluator(Library(sys.argv[1]), Subject(file.read(), {}))
evaluator.describe()
print(evaluator._channels[evaluator.subject]._pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(toolchain.libllvm), str(tmp_path / "unit.bc")],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == -signal.SIGKILL
    worker = Path(f"/proc/{int(done.stdout)}/stat")
    deadline = time.monotonic() + 10
    while _alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _alive(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
