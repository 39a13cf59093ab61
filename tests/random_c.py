"""Random functions in C without undefined behaviour, and what compilers make of them."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence

COMPILERS = ("gcc", "gcc-12", "clang-14", "clang-19", "clang-22")
LEVELS = ("-O1", "-O2", "-O3", "-Os")
TYPES = ("int", "unsigned", "long", "unsigned long", "signed char", "unsigned short")


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


def compiled(text: str, compilers: Sequence[str] = COMPILERS) -> list[str]:
    """The assembly of every compiler and level, without what is equal."""
    found = []
    for compiler in filter(shutil.which, compilers):
        for level in LEVELS:
            command = [compiler, level, "-w", "-S", "-x", "c", "-", "-o", "-"]
            command += ["-fno-asynchronous-unwind-tables", "-fno-ipa-ra"][: 2 - ("cl" in compiler)]
            made = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
            found.append(made.stdout)
    return list(dict.fromkeys(found))
