"""The driver: a program that calls two bodies of one function on equal inputs and compares.

Its fixed part lies in `harness/`; what is generated describes the signature. All that a caller
can see is compared: the result, every byte of memory that the function is given, faults, and what
the System V ABI (chapter 3.2) says of registers, stack, direction flag and MXCSR. Where the
original faults, the input says nothing: the source has no such call. Registers and stack that the
ABI leaves undefined hold other garbage for the new body than for the original.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cr1cc.errors import GateError, ToolchainError
from cr1cc.gate.body import Body
from cr1cc.gate.constants import constants, text_of
from cr1cc.gate.inputs import Address, Buffer, Input, format_input
from cr1cc.gate.shape import described
from cr1cc.gate.signature import Kind, Parameter, Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.util.process import capture, memory_file

PAIRS = 1_000_000
QUICK_PAIRS = 20_000  # enough to refute most of what is wrong

BY = "driver"
_HARNESS = os.path.join(os.path.dirname(__file__), "harness")
_PARTS = ("call.c", "input.c", "pair.c", "test.c", "main.c")
_OBJECT = "harness.o"
_MOST, _MOST_POINTERS = 32, 16  # parameters
_SPAN = 4096  # bytes behind a pointer, between two pages that cannot be accessed
_CPU_SECONDS = 150  # of the program; it limits itself to fewer

# Functions of the C library that may really be called: what they do depends on their arguments
# alone, and the static checks see to it that both bodies call the same.
_HARMLESS = frozenset(
    ("abs", "ceil", "ceilf", "fabs", "fabsf", "floor", "floorf", "fmod", "labs", "memchr", "memcmp",
     "memcpy", "memmove", "memset", "sqrt", "sqrtf", "strchr", "strcmp", "strlen", "strncmp",
     "strnlen", "strrchr", "_GLOBAL_OFFSET_TABLE_")
)  # fmt: skip


@dataclass(frozen=True)
class Driver:
    """A driver program for one pair of bodies; a context manager that removes it."""

    signature: Signature
    folder: tempfile.TemporaryDirectory[str]
    env: Mapping[str, str]

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()

    def test(self, pairs: int = PAIRS, seed: int = 0) -> Judgement:
        """*tested* if `pairs` pairs of calls agreed, *refuted* with the input of the first that
        did not, or *unknown*. Equal seeds, equal answers. Raises ToolchainError."""
        evidence = (("pairs", str(pairs)), ("seed", str(seed)))
        return self._judged(self._run([str(seed), str(pairs)], b""), pairs, evidence)

    def call(self, given: Input) -> Judgement:
        """The same of one input. Raises GateError if the driver cannot set it up, and
        ToolchainError."""
        return self._judged(self._run([], self._lines(given)), 1, (("pairs", "1"),))

    def _run(self, words: list[str], given: bytes) -> list[str]:
        program = os.path.join(self.folder.name, "driver")
        source = memory_file(given)
        try:
            status, out, _ = capture(
                [program, *words], self.env, stdin=source, seconds=_CPU_SECONDS
            )
        except OSError as error:
            raise ToolchainError(f"the driver does not start: {error.strerror}") from None
        finally:
            os.close(source)
        lines = out.decode(errors="replace").splitlines()
        return [f"unknown the driver ended with status {status}"] if status or not lines else lines

    def _judged(
        self, lines: list[str], pairs: int, evidence: tuple[tuple[str, str], ...]
    ) -> Judgement:
        word, _, reason = lines[-1].partition(" ")
        counts = {key: value for key, _, value in (line.partition(" ") for line in lines)}
        if word == "different":
            text = format_input(self.signature, self._input(lines))
            found = (("pairs", counts["pairs"]), *evidence[1:])
            return Judgement(Verdict.REFUTED, BY, reason, text, found)
        if word != "equal":
            return Judgement(Verdict.UNKNOWN, BY, reason or "the driver said nothing")
        done = int(counts["pairs"])
        if done >= pairs:
            return Judgement(Verdict.TESTED, BY, evidence=evidence)
        if int(counts["hangs"]):
            reason = "the original does not end in time on some inputs"
        elif not done:
            reason = "the original faults on every input"
        else:
            reason = f"the original faults on most inputs: {done} pairs could be compared"
        return Judgement(Verdict.UNKNOWN, BY, reason)

    def _pointers(self) -> list[Parameter]:
        return [one for one in self.signature.parameters if one.type.kind is Kind.POINTER]

    def _input(self, lines: list[str]) -> Input:
        """The input that the program shows; buffers that no argument points into are left out."""
        rows = [line.split() for line in lines]
        buffers = [
            Buffer(bytes.fromhex(row[3].rstrip("-")), row[1] == "1", row[2] == "1")
            for row in rows
            if row[0] == "buffer"
        ]
        values = [(int(row[1]), int(row[2], 16)) for row in rows if row[0] == "value"]
        used = sorted({index for index, _ in values if index >= 0})
        return Input(
            tuple(
                Address(used.index(index), value) if index >= 0 else value
                for index, value in values
            ),
            tuple(buffers[index] for index in used),
        )

    def _lines(self, given: Input) -> bytes:
        many = len(self._pointers())
        if len(given.buffers) > many or any(len(one.data) > _SPAN for one in given.buffers):
            raise GateError("the input has more memory than the driver gives")
        missing = [Buffer(b"", at_end=True)] * (many - len(given.buffers))
        lines = [
            f"buffer {one.at_end:d} {one.constant:d} {one.data.hex()}-"
            for one in [*given.buffers, *missing]
        ]
        for value in given.values:
            place = value if isinstance(value, Address) else Address(-1, value)
            lines.append(f"value {place.buffer} {place.offset:x}")
        return ("\n".join(lines) + "\n").encode()


def make_driver(
    original: Body, new: Body, signature: Signature, env: Mapping[str, str], compiler: str
) -> Driver:
    """The driver of two bodies, linked by `compiler` (the path of a gcc or clang).

    Raises GateError where there can be none, with the reason, and ToolchainError where the
    compiler does not build it.
    """
    _refuse(original, new, signature)
    folder = tempfile.TemporaryDirectory(prefix="cr1-")
    try:
        _build(folder.name, original, new, signature, env, compiler)
    except BaseException:
        folder.cleanup()
        raise
    return Driver(signature, folder, env)


def _refuse(original: Body, new: Body, signature: Signature) -> None:
    outside = {*original.outside, *new.outside} - _HARMLESS
    if outside:
        raise GateError(f"it needs {', '.join(sorted(outside))}, which the driver does not have")
    variables = {*original.writable, *new.writable}
    if variables:
        raise GateError(f"it uses the variables {', '.join(sorted(variables))}")
    pointers = [one for one in signature.parameters if one.type.kind is Kind.POINTER]
    if len(signature.parameters) > _MOST or len(pointers) > _MOST_POINTERS:
        raise GateError("it has more parameters than the driver can fill in")
    for one in pointers:
        element = one.type.element
        if element and element.kind is Kind.POINTER:
            raise GateError(f"{one.name} is a pointer to pointers, which the driver cannot fill in")
        if element and element.size * max(one.type.length, 1) > _SPAN:
            raise GateError(f"{one.name} points to more than {_SPAN} bytes")


def _build(
    folder: str,
    original: Body,
    new: Body,
    signature: Signature,
    env: Mapping[str, str],
    compiler: str,
) -> None:
    shared = [constants(body) for body in (original, new)]
    symbols = [{atom: symbol for atom, (symbol, _) in one.items()} for one in shared]
    files = {
        "shape.s": described(signature, original, new),
        "constants.s": text_of(shared),
        "original.s": original.text("cr1_original", symbols[0]),
        "new.s": new.text("cr1_new", symbols[1]),
    }
    paths = [os.path.join(folder, name) for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    paths.append(os.path.join(_harness(compiler, tuple(sorted(env.items()))).name, _OBJECT))
    _compile([compiler, "-w", "-no-pie", "-o", os.path.join(folder, "driver"), *paths, "-lm"], env)


# The harness is the same for all drivers: compiled once in a process, and removed at its end.
@lru_cache(maxsize=2)
def _harness(compiler: str, env: tuple[tuple[str, str], ...]) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="cr1-")
    path = os.path.join(folder.name, "harness.c")
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(f'#include "{os.path.join(_HARNESS, name)}"\n' for name in _PARTS))
    out = os.path.join(folder.name, _OBJECT)
    _compile([compiler, "-O2", "-w", "-fno-pie", "-c", "-o", out, path], dict(env))
    return folder


def _compile(command: list[str], env: Mapping[str, str]) -> None:
    """Raises ToolchainError with the first complaint."""
    try:
        status, _, messages = capture(command, {**env, "LC_ALL": "C"}, seconds=_CPU_SECONDS)
    except OSError as error:
        raise ToolchainError(f"{command[0]}: {error.strerror}") from None
    if status:
        lines = [*messages.decode(errors="replace").splitlines(), "no reason given"]
        line = next((one for one in lines if "rror" in one or "undefined" in one), lines[0])
        raise ToolchainError(f"the driver cannot be built: {line.strip()}")
