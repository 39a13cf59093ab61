"""What the declarations and definitions of a unit say of its symbols."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cr1cc.asm.section import split_operands
from cr1cc.asm.statement import NAME, Kind, Statement
from cr1cc.asm.unit import Binding, Symbol
from cr1cc.errors import AsmError

_NAME = re.compile(NAME)
_BINDINGS = {
    ".globl": Binding.GLOBAL,
    ".global": Binding.GLOBAL,
    ".local": Binding.LOCAL,
    ".weak": Binding.WEAK,
}
_VISIBILITIES = (".hidden", ".internal", ".protected")


class SymbolTable:
    """Filled while a unit is read. What is declared in the whole text is known from the start
    where atoms depend on it: the types, and the labels of exception tables."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.exception_tables: set[str] = set()
        self._types: dict[str, str] = {}
        for statement in statements:
            if statement.name == ".cfi_lsda":
                self.exception_tables.add(statement.operands.rpartition(",")[2].strip())
            elif statement.name == ".type" and statement.kind is Kind.DIRECTIVE:
                name, _, kind = statement.operands.partition(",")
                self._types[name.strip()] = kind.strip().lstrip("@%#").strip('"').lower()
        self._bindings: dict[str, Binding] = {}
        self._visibilities: dict[str, str] = {}
        self._sizes: dict[str, str] = {}
        self._atoms: dict[str, int] = {}
        self._common: set[str] = set()

    def is_function(self, name: str) -> bool:
        return self._types.get(name) == "function"

    def declare(self, statement: Statement) -> list[str]:
        """Take a declaration in. The names it is about. Raises AsmError for a malformed one."""
        directive, operands = statement.name, split_operands(statement.operands)
        if directive in (".type", ".size"):
            if len(operands) != 2:
                raise AsmError(f"malformed {directive} {statement.operands[:40]!r}")
            if directive == ".size":
                self._sizes[operands[0]] = operands[1]
            operands = operands[:1]
        if not all(map(_NAME.fullmatch, operands)):
            raise AsmError(f"malformed {directive} {statement.operands[:40]!r}")
        for name in operands:
            if directive in _BINDINGS:
                self._bind(name, _BINDINGS[directive])
            elif directive in _VISIBILITIES:
                self._visibilities[name] = directive[1:]
            self._mention(name)
        return operands

    def _bind(self, name: str, binding: Binding) -> None:
        """As the assembler does: `.weak` wins over `.globl`."""
        if self._bindings.get(name) is not Binding.WEAK:
            self._bindings[name] = binding

    def _mention(self, name: str) -> None:
        self._types.setdefault(name, "")

    def define(self, name: str, atom: int, statement: Statement) -> None:
        """Take a definition in. Raises AsmError for a second one and for a malformed one."""
        if not _NAME.fullmatch(name):
            raise AsmError(f"malformed {statement.name} {statement.operands[:40]!r}")
        if name in self._atoms:
            raise AsmError(f"symbol {name} is defined twice")
        self._atoms[name] = atom
        self._mention(name)
        if statement.name in (".comm", ".lcomm"):
            operands = split_operands(statement.operands)
            if not 2 <= len(operands) <= 3:
                raise AsmError(f"malformed {statement.name} {statement.operands[:40]!r}")
            self._sizes[name] = operands[1]
            if statement.name == ".comm":
                self._common.add(name)

    def symbols(self) -> dict[str, Symbol]:
        """Every symbol that is declared or defined, by name."""
        return {name: self._symbol(name) for name in self._types}

    def _symbol(self, name: str) -> Symbol:
        atom = self._atoms.get(name)
        is_global = atom is None or name in self._common
        binding = self._bindings.get(name, Binding.GLOBAL if is_global else Binding.LOCAL)
        visibility = self._visibilities.get(name, "default")
        return Symbol(name, binding, visibility, self._types[name], self._sizes.get(name, ""), atom)
