"""A campaign for the soundness of proofs: random functions, compilers, mutations.

    python -m tests.fuzz_prove [--functions 50] [--seed 0] [--mutations 8] [--pairs 200000]

Each function is compiled by every compiler at several levels; pairs of its bodies must not be
refuted. Then single instructions of a body are changed at random; whatever is still proved is run
against the original by the gate's driver, and any difference is a mistake of the proof. So is an
input of a refutation that the driver does not find to differ.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter

from cr1cc.errors import Cr1Error
from cr1cc.gate.body import Body, read_body
from cr1cc.gate.driver import make_driver
from cr1cc.gate.inputs import parse_input
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.explore import Limits
from cr1cc.prove.proof import Settings
from cr1cc.prove.prover import Prover
from cr1cc.prove.solver import Effort

COMPILERS = ("gcc", "gcc-12", "clang-14", "clang-19", "clang-22")
LEVELS = ("-O1", "-O2", "-O3", "-Os")
TYPES = ("int", "unsigned", "long", "unsigned long", "signed char", "unsigned short")
REGISTERS = (
    ("rax", "eax", "ax", "al"), ("rcx", "ecx", "cx", "cl"), ("rdx", "edx", "dx", "dl"),
    ("rsi", "esi", "si", "sil"), ("rdi", "edi", "di", "dil"), ("r8", "r8d", "r8w", "r8b"),
)  # fmt: skip
SWAPS = (
    ("add", "sub"), ("and", "or"), ("xor", "or"), ("shl", "shr"), ("sar", "shr"), ("sall", "shrl"),
    ("jl", "jle"), ("jg", "jge"), ("ja", "jg"), ("jb", "jl"), ("je", "jne"), ("js", "jns"),
    ("setl", "setb"), ("sete", "setne"), ("cmovl", "cmovle"), ("cmovs", "cmovns"),
    ("cmove", "cmovne"), ("movzb", "movsb"), ("movzw", "movsw"), ("movslq", "movl"),
    ("paddd", "psubd"), ("pand", "por"), ("incl", "decl"), ("negl", "notl"), ("adc", "add"),
)  # fmt: skip


class Source:
    """Random functions in C without undefined behaviour."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names: list[str] = []

    def function(self) -> tuple[str, str]:
        """A prototype, and the text."""
        take = self._random.choice
        count = self._random.randrange(1, 4)
        types = [take(TYPES) for _ in range(count)]
        self._names = [f"a{number}" for number in range(count)]
        parameters = [f"{type_} {name}" for type_, name in zip(types, self._names, strict=True)]
        pointers = self._random.randrange(3)
        for number in range(pointers):
            parameters.append(f"{take(('unsigned', 'unsigned char', 'short'))} *p{number}")
            self._names += [f"p{number}[{self._random.randrange(4)}]" for _ in range(2)]
        prototype = f"{take(TYPES)} f({', '.join(parameters)})"
        lines = ["unsigned long t = 1, u = 3;"]
        self._names += ["t", "u"]
        for _ in range(self._random.randrange(1, 5)):
            lines.append(self._statement(pointers))
        lines.append(f"return {self._expression(2)};")
        return prototype, f"{prototype} {{\n  " + "\n  ".join(lines) + "\n}\n"

    def _statement(self, pointers: int) -> str:
        kind = self._random.randrange(6)
        if kind == 0 and pointers:
            target = f"p{self._random.randrange(pointers)}[{self._random.randrange(4)}]"
            return f"{target} = {self._expression(2)};"
        if kind == 1:
            return f"if ({self._expression(1)} {self._compared()}) t = {self._expression(2)};"
        if kind == 2:
            many = self._random.randrange(2, 5)
            return f"for (int i = 0; i < {many}; i++) t = t * 3 + ({self._expression(1)} ^ i);"
        return f"{self._random.choice('tu')} = {self._expression(3)};"

    def _compared(self) -> str:
        return f"{self._random.choice(('<', '>', '==', '>='))} {self._expression(0)}"

    def _expression(self, depth: int) -> str:
        take = self._random.choice
        if depth == 0:
            if self._random.random() < 0.3:
                return take(("0", "1", "7", "255", "0x80000000u", "4294967295u", "100000"))
            return f"({take(('unsigned', 'unsigned long'))}){take(self._names)}"
        left, right = self._expression(depth - 1), self._expression(depth - 1)
        kind = self._random.randrange(10)
        if kind == 0:
            return f"({left} {take(('<<', '>>'))} ({right} & 15))"
        if kind == 1:
            return f"({left} {take(('/', '%'))} {take(('3u', '8u', '10u', '255u'))})"
        if kind == 2:
            return f"({left} {self._compared()} ? {right} : {self._expression(depth - 1)})"
        if kind == 3:
            return f"({take(('signed char', 'short', 'int'))})({left})"
        return f"({left} {take(('+', '-', '*', '&', '|', '^'))} {right})"


def compiled(text: str) -> list[str]:
    """The assembly of every compiler and level, without what is equal."""
    found = []
    for compiler in filter(shutil.which, COMPILERS):
        for level in LEVELS:
            command = [compiler, level, "-w", "-S", "-x", "c", "-", "-o", "-"]
            command += ["-fno-asynchronous-unwind-tables", "-fno-ipa-ra"][: 2 - ("cl" in compiler)]
            made = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
            found.append(made.stdout)
    return list(dict.fromkeys(found))


def mutated(text: str, source: random.Random) -> str:
    """The text with one instruction of it changed, doubled, left out or put elsewhere."""
    lines = text.splitlines()
    code = [n for n, line in enumerate(lines) if re.match(r"\t[a-z]", line) and "ret" not in line]
    if not code:
        return text
    at = source.choice(code)
    line = lines[at]
    way = source.randrange(7)
    if way == 0:
        lines[at] = ""
    elif way == 1:
        other = source.choice(code)
        lines[at], lines[other] = lines[other], line
    elif way == 2:
        numbers = list(re.finditer(r"(?<=\$)-?\d+|(?<![\w.])-?\d+(?=\()", line))
        if numbers:
            one = source.choice(numbers)
            value = int(one[0]) + source.choice((-1, 1, 2, -8, 128, -int(one[0])))
            lines[at] = line[: one.start()] + str(value) + line[one.end() :]
    elif way in (3, 4):
        names = list(re.finditer(r"(?<=%)[a-z0-9]+", line))
        if names:
            one = source.choice(names)
            size = next((row.index(one[0]) for row in REGISTERS if one[0] in row), None)
            if size is not None:
                new = source.choice(REGISTERS)[size]
                lines[at] = line[: one.start()] + new + line[one.end() :]
    else:
        word = line.split()[0]
        for pair in source.sample(SWAPS, len(SWAPS)):
            for old, new in (pair, pair[::-1]):
                if word.startswith(old) and lines[at] is line:
                    lines[at] = line.replace(old, new, 1)
    return "\n".join(lines) + "\n"


class Campaign:
    """Counts what happens; what must not is printed in full."""

    def __init__(self, pairs: int, compiler: str) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._pairs, self._compiler = pairs, compiler
        self._prover = Prover(os.environ, Settings(Limits(paths=24), Effort(conflicts=3000)))

    def judge(self, kind: str, original: str, new: str, signature: Signature, seed: int) -> None:
        """Prove, and compare with what the driver says."""
        try:
            bodies = [read_body(text, signature.name) for text in (original, new)]
        except Cr1Error:
            self.counts[f"{kind} not read"] += 1
            return
        judgement = self._prover(bodies[0], bodies[1], signature)
        self.counts[f"{kind} {judgement.verdict.word}"] += 1
        if judgement.verdict is Verdict.UNKNOWN:
            self.reasons[re.sub(r"[0-9]+|the instruction \w+", "N", judgement.reason)] += 1
        wrong = self._mistake(kind, bodies, signature, judgement, seed)
        if wrong:
            self.counts["MISTAKES"] += 1
            print(f"{wrong}: {judgement}\n{original}\n=====\n{new}", flush=True)

    def _mistake(
        self, kind: str, bodies: list[Body], signature: Signature, judgement: Judgement, seed: int
    ) -> str:
        if kind == "compilers" and judgement.verdict is Verdict.REFUTED:
            return "two compilers' bodies refuted"
        if kind == "compilers" or judgement.verdict is Verdict.UNKNOWN:
            return ""
        try:
            with make_driver(bodies[0], bodies[1], signature, os.environ, self._compiler) as driver:
                if judgement.verdict is Verdict.PROVED:
                    tested = driver.test(self._pairs, seed)
                    self.counts[f"proved, {tested.verdict.word} by the driver"] += 1
                    found = tested.verdict is Verdict.REFUTED
                    return f"proved, but {tested}" if found else ""
                if self.counts["refuted, called again"] >= 400 or "page" in judgement.reason:
                    return ""
                called = driver.call(parse_input(signature, judgement.input))
                self.counts["refuted, called again"] += 1
                if called.verdict is not Verdict.REFUTED:
                    self.counts[f"refuted, {called.verdict.word} by the driver"] += 1
                    print(f"not so by the driver: {judgement}", flush=True)
        except Cr1Error as error:
            self.counts[f"no driver: {str(error)[:40]}"] += 1
        return ""


def main() -> int:
    """Print counts; the status says whether there was a mistake."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--functions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutations", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=200_000)
    options = parser.parse_args()
    compiler = shutil.which("gcc")
    if compiler is None:
        parser.error("there is no gcc")
    campaign = Campaign(options.pairs, compiler)
    for number in range(options.functions):
        seed = 1_000_003 * options.seed + number
        prototype, text = Source(seed).function()
        signature = parse_prototype(prototype)
        builds = compiled(text)
        source = random.Random(seed)
        for new in source.sample(builds[1:], min(4, len(builds) - 1)):
            campaign.judge("compilers", builds[0], new, signature, seed)
        for _ in range(options.mutations):
            original = source.choice(builds)
            new = mutated(original, source)
            if new != original:
                campaign.judge("mutation", original, new, signature, seed)
    for what, many in (*sorted(campaign.counts.items()), *campaign.reasons.most_common(12)):
        print(f"{many:6} {what}")
    return 1 if campaign.counts["MISTAKES"] else 0


if __name__ == "__main__":
    sys.exit(main())
