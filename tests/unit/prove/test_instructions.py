"""Every row of the table of instructions against this machine's processor."""

from __future__ import annotations

import ctypes
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("triton")

from cr1cc.errors import ProofError
from cr1cc.prove.concrete import Input, Valuation
from cr1cc.prove.effect import Effect, register
from cr1cc.prove.instructions import FLAGS, INSTRUCTIONS, OWN
from cr1cc.prove.lifter import Lifter

GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8")
VECTORS = ("xmm0", "xmm1", "xmm2")
BITS = {"cf": 0, "pf": 2, "af": 4, "zf": 6, "sf": 7, "of": 11}
EDGES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63,
    2**64 - 1,
)
SAMPLES = 24
FORMS = (
    "", "al", "ah", "ax", "eax", "rax", "byte ptr [rdi]", "word ptr [rdi]", "dword ptr [rdi]",
    "qword ptr [rdi]", "al, bl", "ah, bl", "al, ah", "ax, bx", "eax, ebx", "rax, rbx",
    "eax, eax", "rax, rax", "al, 0x85", "ax, 0x1234", "eax, 0x12", "eax, -3", "rax, -0x12345",
    "rax, 0x12", "rax, 0x123456789abcdef0", "al, 1", "al, 3", "ax, 1", "ax, 7", "eax, 1",
    "eax, 7", "eax, 31", "rax, 1", "rax, 33", "al, cl", "ax, cl", "eax, cl", "rax, cl",
    "al, [rdi]", "ax, [rdi]", "eax, [rdi]", "rax, [rdi+8]", "[rdi], al", "[rdi+2], ah",
    "[rdi], ax", "[rdi], ebx", "[rdi+8], rbx", "byte ptr [rdi], 5", "word ptr [rdi], 5",
    "dword ptr [rdi], 5", "qword ptr [rdi], 5", "dword ptr [rdi], cl", "dword ptr [rdi], 1",
    "eax, bl", "eax, bh", "eax, bx", "ax, bl", "rax, bl", "rax, bx", "rax, ebx",
    "eax, byte ptr [rdi]", "eax, word ptr [rdi]", "rax, byte ptr [rdi]", "rax, word ptr [rdi]",
    "rax, dword ptr [rdi]", "eax, ebx, 7", "eax, ebx, 1", "eax, ebx, cl", "rax, rbx, 7",
    "rax, rbx, cl", "ax, bx, 7", "eax, [rdi], 100", "rax, rbx, -3", "eax, ebx, ecx",
    "rax, rbx, rcx", "eax, [rdi], ecx", "eax, [rbx+rcx*4+5]", "rax, [rbx+rcx*8-5]",
    "ax, [rbx+1]", "xmm0, xmm1", "xmm0, xmm0", "xmm0, [rdi]", "[rdi], xmm0", "xmm0, 3",
    "xmm0, 0", "xmm0, 20", "xmm0, xmm1, 0x1b", "xmm0, xmm1, 0x39", "xmm0, xmm1, 3",
    "xmm0, xmm1, 20", "xmm0, [rdi], 0x4e", "eax, xmm1", "rax, xmm1", "xmm0, ebx", "xmm0, rbx",
    "xmm0, dword ptr [rdi]", "xmm0, qword ptr [rdi]", "dword ptr [rdi], xmm0",
    "qword ptr [rdi], xmm0", "eax, xmm1, 3", "rax, xmm1, 1", "xmm0, ebx, 2", "xmm0, rbx, 1",
    "xmm0, word ptr [rdi], 3", "byte ptr [rdi], xmm0, 3", "xmm0, byte ptr [rdi], 9",
    "xmm0, dword ptr [rdi], 1", "xmm0, qword ptr [rdi], 1",
)  # fmt: skip

HEAD = """
f{n}: push rbx; push rbp; push r12; push r13; push r14; push r15
 mov r15, rdi; push qword ptr [r15+64]; popfq
 movdqu xmm0, [r15+80]; movdqu xmm1, [r15+96]; movdqu xmm2, [r15+112]
 mov rax, [r15]; mov rbx, [r15+8]; mov rcx, [r15+16]; mov rdx, [r15+24]
 mov rsi, [r15+32]; mov rdi, [r15+40]; mov rbp, [r15+48]; mov r8, [r15+56]
"""
TAIL = """
 mov [r15], rax; mov [r15+8], rbx; mov [r15+16], rcx; mov [r15+24], rdx
 mov [r15+32], rsi; mov [r15+40], rdi; mov [r15+48], rbp; mov [r15+56], r8
 movdqu [r15+80], xmm0; movdqu [r15+96], xmm1; movdqu [r15+112], xmm2
 pushfq; pop qword ptr [r15+64]
 pop r15; pop r14; pop r13; pop r12; pop rbp; pop rbx; ret
"""
PLAIN = [name for name in (*INSTRUCTIONS, *sorted(OWN - {"push", "pop", "leave"}))
         if not (name[0] == "j" or name in ("nop", "endbr64"))]  # fmt: skip


def processor() -> set[str]:
    text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    flags = set((re.search(r"^flags\s*:(.*)$", text, re.MULTILINE) or [""])[0].split())
    return flags | {"bmi"} if "bmi1" in flags else flags


class Samples:
    """Every form of every instruction that assembles, as functions of one library."""

    def __init__(self, folder: Path) -> None:
        gcc = shutil.which("gcc")
        if gcc is None:
            pytest.skip("no gcc")
        # Of an address only lea knows what to do with any.
        forms = [(n, form) for n in PLAIN for form in FORMS if n == "lea" or "[rbx" not in form]
        source, found = folder / "s.s", forms
        for _ in range(20):  # an internal error of gas ends it at once
            source.write_text(
                ".intel_syntax noprefix\n.text\n" + "\n".join(f" {n} {f}" for n, f in found) + "\n"
            )
            made = subprocess.run(
                [gcc, "-c", str(source), "-o", str(folder / "s.o")], capture_output=True, text=True
            )
            bad = {int(one) for one in re.findall(r"s\.s:(\d+): (?:Internal e|E)rror", made.stderr)}
            if not bad:
                break
            found = [one for line, one in enumerate(found, 3) if line not in bad]
        text = [".intel_syntax noprefix\n.text"]
        for n, (name, form) in enumerate(found):
            text.append(f".globl f{n}, i{n}, e{n}" + HEAD.format(n=n))
            text.append(f"i{n}: {name} {form}\ne{n}:" + TAIL)
        source.write_text("\n".join(text) + '\n.section .note.GNU-stack,"",@progbits\n')
        library = folder / "s.so"
        subprocess.run([gcc, "-shared", str(source), "-o", str(library)], check=True)
        self.forms = found
        self.library = ctypes.CDLL(str(library))

    def of(self, name: str) -> list[tuple[int, str, bytes]]:
        """Number, form and bytes."""
        rows = []
        for n, (other, form) in enumerate(self.forms):
            if other == name:
                start, end = (
                    ctypes.addressof(ctypes.c_char.in_dll(self.library, f"{x}{n}")) for x in "ie"
                )
                rows.append((n, form, ctypes.string_at(start, end - start)))
        return rows

    def run(self, n: int, state: bytes) -> bytes:
        # The state, aligned to 16 bytes, with the memory that rdi points to behind it.
        room = ctypes.create_string_buffer(512)
        start = (ctypes.addressof(room) + 63) & ~63
        values = bytearray(state)
        values[40:48] = (start + 192).to_bytes(8, "little")
        ctypes.memmove(start, bytes(values), len(values))
        getattr(self.library, f"f{n}")(ctypes.c_void_p(start))
        return ctypes.string_at(start, 224) + (start + 192).to_bytes(8, "little")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("instructions"))


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter()


def random_state(source: random.Random) -> bytes:
    def value() -> int:
        return source.choice(EDGES) if source.random() < 0.5 else source.getrandbits(64)

    state = b"".join(value().to_bytes(8, "little") for _ in range(8))
    flags = 0x202 | sum(source.getrandbits(1) << bit for bit in BITS.values())
    state += flags.to_bytes(8, "little") + bytes(8)
    vectors = b"".join(value().to_bytes(8, "little") for _ in range(6))
    return (
        state
        + vectors
        + bytes(64)
        + source.randbytes(16)
        + b"".join(value().to_bytes(8, "little") for _ in range(2))
    )


def number(state: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(state[at : at + size], "little")


def compare(effect: Effect, before: bytes, after: bytes, place: int) -> list[str]:
    """What the formulas say otherwise than the processor."""
    names = {name: number(before, 8 * i) for i, name in enumerate(GENERAL)}
    names["rdi"] = place
    names |= {name: number(before, 80 + 16 * i, 16) for i, name in enumerate(VECTORS)}
    names |= {name: number(before, 64) >> bit & 1 for name, bit in BITS.items()}
    given = Input(names)
    for i, load in enumerate(effect.loads):
        at = Valuation(given).of(load.address) - place
        names[f"load {i}"] = number(before, 192 + at, load.size)
    valuation = Valuation(given)
    wrong = []
    for name in (*GENERAL, *VECTORS, *FLAGS):
        if name in effect.undefined:
            continue
        expected = valuation.of(effect.registers.get(name, register(name)))
        if name in FLAGS:
            real = number(after, 64) >> BITS[name] & 1
        elif name in VECTORS:
            real = number(after, 80 + 16 * VECTORS.index(name), 16)
        else:
            real = number(after, 8 * GENERAL.index(name))
        if expected != real:
            wrong.append(f"{name}: {expected:#x}, really {real:#x}")
    memory = bytearray(before[192:224])
    for store in effect.stores:
        assert store.value is not None
        at = valuation.of(store.address) - place
        memory[at : at + store.size] = valuation.of(store.value).to_bytes(store.size, "little")
    if bytes(memory) != after[192:224]:
        wrong.append(f"memory: {memory.hex()}, really {after[192:224].hex()}")
    return wrong


def faults(effect: Effect, before: bytes) -> bool:
    if effect.fault is None:
        return False
    names = {name: number(before, 8 * i) for i, name in enumerate(GENERAL)} | {"rdi": 0}
    for i, load in enumerate(effect.loads):
        at = Valuation(Input(names)).of(load.address)
        names[f"load {i}"] = number(before, 192 + at, load.size)
    return bool(Valuation(Input(names)).of(effect.fault))


@pytest.mark.parametrize("name", PLAIN)
def test_the_formulas_say_what_the_processor_does(
    name: str, samples: Samples, lifter: Lifter
) -> None:
    isa = INSTRUCTIONS[name].isa if name in INSTRUCTIONS else ""
    if isa and isa.replace(".", "_") not in processor():
        pytest.skip(f"this processor has no {isa}")
    source = random.Random(name)
    tried, wrong = 0, []
    for n, form, code in samples.of(name):
        try:
            effect = lifter.lift(code, None)
        except ProofError:
            continue
        if effect.mnemonic != name:
            continue
        tried += 1
        for _ in range(SAMPLES):
            before = random_state(source)
            if faults(effect, before):
                continue
            if name in ("bsf", "bsr", "tzcnt") and not _scanned(form, before):
                continue
            after = samples.run(n, before)
            place = number(after, 224)
            if differs := compare(effect, before, after[:224], place):
                wrong.append(f"{name} {form}: {'; '.join(differs)}")
                break
    assert tried, f"no form of {name} is tried"
    assert not wrong, "\n".join(wrong)


def _scanned(form: str, before: bytes) -> int:
    """What a bit scan looks at: of 0 its result is not defined."""
    operand = form.split(", ")[1]
    value = (
        number(before, 192 + 8 * ("+8" in operand))
        if "[" in operand
        else number(before, 8 * ("b" in operand))
    )
    width = {"a": 16, "e": 32, "r": 64}[form[0]]
    return value & ((1 << width) - 1)
