"""One function of a unit of assembly, with all that it needs of the unit: its body.

A body prints as a text of its own, in which it has another name and nothing else is seen from
outside, so that two bodies of one function fit into one program. Its normalised text says what
it does whatever its labels are called.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.asm.reference import renamed
from cr1cc.asm.section import Section
from cr1cc.asm.statement import Kind, Statement
from cr1cc.asm.unit import Atom, AtomKind
from cr1cc.errors import GateError, ToolchainError
from cr1cc.util.process import capture, memory_file

_OF_GLOBALS = frozenset(
    (".global", ".globl", ".hidden", ".internal", ".protected", ".weak", ".local")
)
_UNSAID = (".size", ".type", ".ident", ".addrsig", ".addrsig_sym", ".file")
_CPU_SECONDS = 60


@dataclass(frozen=True, eq=False)
class Body:
    """`atoms`: those of the function and all that it reaches, in the order of the text; `own`:
    those of the function alone, its tables among them."""

    name: str
    graph: Graph
    own: tuple[int, ...]
    atoms: tuple[int, ...]

    @cached_property
    def instructions(self) -> tuple[Statement, ...]:
        """The instructions of the function alone."""
        return tuple(row for row in self.statements if row.kind is Kind.INSTRUCTION)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """All statements of the function alone."""
        return tuple(row for atom in self.own for row in self.graph.unit.statements_of(atom))

    @property
    def is_split(self) -> bool:
        """Whether the function has parts with names of their own, as a cold one."""
        function = self.graph.function(self.name)
        return function is None or len(function.entries) > 1

    @cached_property
    def tables(self) -> frozenset[str]:
        """The labels of its code that its tables refer to."""
        code = [one for one in self.own if self._atom(one).kind is AtomKind.CODE]
        inside = {label for atom in code for label in self._atom(atom).labels}
        named = (
            one.symbol
            for atom in self.own
            if atom not in code
            for one in self.graph.references[atom]
        )
        return frozenset(named) & inside

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The symbols that it reaches and the unit does not define, sorted."""
        return tuple(
            sorted(
                {
                    one.symbol
                    for atom in self.atoms
                    for one in self.graph.references[atom]
                    if self.graph.symbol(one.symbol).atom is None
                }
            )
        )

    @cached_property
    def writable(self) -> tuple[str, ...]:
        """The variables of the unit that it reaches, sorted."""
        return tuple(
            sorted(
                label
                for atom in self.atoms
                if self._atom(atom).kind in (AtomKind.DATA, AtomKind.COMMON)
                and self.graph.is_writable(atom)
                for label in self._atom(atom).labels
            )
        )

    @cached_property
    def parts(self) -> dict[str, str]:
        """The other functions and the variables that it reaches, by name, as digests and text."""
        found = {}
        for atom in sorted(set(self.atoms) - set(self.own)):
            kind = self._atom(atom).kind
            for label in self._atom(atom).labels:
                if self.graph.function(label) is not None:
                    found[label] = body_of(self.graph, label).digest
                elif kind is not AtomKind.CODE and self.graph.is_writable(atom):
                    rows = self.graph.unit.statements_of(atom)
                    found[label] = "\n".join(map(str, rows))
        return found

    def text(self, name: str, elsewhere: Mapping[int, str] | None = None) -> str:
        """A unit in which the function is a global one called `name`, and all else is local.

        `elsewhere`: the atoms of one label that another unit defines, with their symbols."""
        left_out = elsewhere or {}
        lines, current = [f"\t.globl\t{name}", f"\t.type\t{name}, @function"], ""
        common = [self._atom(one) for one in self.atoms if self._atom(one).kind is AtomKind.COMMON]
        lines += [f"\t.local\t{label}" for atom in common for label in atom.labels]
        names = {self._atom(atom).labels[0]: symbol for atom, symbol in left_out.items()}
        for section, row in self._rows({**names, self.name: name}, left_out):
            spelled = _spelled(section)
            if spelled != current:
                lines.append(spelled)
                current = spelled
            lines.append(str(row))
        return "\n".join([*lines, '\t.section\t.note.GNU-stack,"",@progbits', ""])

    @cached_property
    def digest(self) -> str:
        """A hash of the normalised text: local labels numbered as they come. Other names stay, for
        two variables are two, however equal they begin."""
        labels = (label for atom in self._from_entry for label in self._atom(atom).labels)
        names = {
            label: f".L{number}"
            for number, label in enumerate(labels)
            if label.startswith(".L") or label == self.name
        }
        lines = [
            f"{_spelled(self._atom(atom).section)}|{renamed(row, names, self.graph.unit.machine)}"
            for atom in self._from_entry
            for row in self.graph.unit.statements_of(atom)
            if row.name not in _OF_GLOBALS and row.name not in _UNSAID
        ]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=20).hexdigest()

    @cached_property
    def _from_entry(self) -> tuple[int, ...]:
        """The atoms in an order that does not depend on the rest of the unit: as they are met."""
        order = dict.fromkeys(self.own)
        for atom in self.own:
            self._meet(atom, order)
        return tuple(order)

    def _meet(self, atom: int, order: dict[int, None]) -> None:
        for one in self.graph.references[atom]:
            target = self.graph.symbol(one.symbol).atom
            if target is not None and target in self.atoms and target not in order:
                order[target] = None
                self._meet(target, order)

    def _atom(self, index: int) -> Atom:
        return self.graph.unit.atoms[index]

    def _rows(
        self, names: Mapping[str, str], left_out: Collection[int]
    ) -> Iterator[tuple[Section, Statement]]:
        unit, inside = self.graph.unit, frozenset(self.atoms).difference(left_out)
        for piece in unit.pieces:
            if piece.atom in inside:
                for row in piece.statements:
                    if row.name not in _OF_GLOBALS:
                        yield piece.section, renamed(row, names, unit.machine)


def read_body(text: str, name: str) -> Body:
    """The body of the function `name` in an assembly text.

    Raises AsmError where the text is malformed or not understood, GateError if it has no such
    function.
    """
    return body_of(Graph(read_unit(text)), name)


def body_of(graph: Graph, name: str) -> Body:
    """The body of a function of a unit. Raises GateError if the unit has no such function."""
    function = graph.function(name)
    if function is None:
        raise GateError(f"there is no function {name}")
    found = graph.reach(function.atoms) | set(function.atoms)
    return Body(name, graph, tuple(sorted(function.atoms)), tuple(sorted(found)))


def assembled(text: str, env: Mapping[str, str], assembler: str = "/usr/bin/as") -> bytes:
    """The object of an assembly text. Raises GateError with the assembler's first complaint, and
    ToolchainError if there is no assembler."""
    source = memory_file(text.encode(errors="surrogateescape"))
    out = memory_file(b"")
    try:
        # Labels that begin with .L stay among the symbols, so that jump tables can be followed.
        command = [
            assembler,
            "--64",
            "--keep-locals",
            "-o",
            f"/proc/{os.getpid()}/fd/{out}",
            "--",
            "-",
        ]
        status, _, messages = capture(
            command, {**env, "LC_ALL": "C"}, stdin=source, seconds=_CPU_SECONDS
        )
        if status:
            raise GateError(f"it does not assemble: {_complaint(messages)}")
        return os.pread(out, os.fstat(out).st_size, 0)
    except OSError as error:
        raise ToolchainError(f"{assembler}: {error.strerror}") from None
    finally:
        os.close(source)
        os.close(out)


def _complaint(messages: bytes) -> str:
    lines = messages.decode(errors="replace").splitlines()
    return next((line for line in lines if "rror" in line), "no reason given")


def _spelled(section: Section) -> str:
    """The directive of a section; of one in a group, which the linker takes once of all equally
    called ones, that of a plain section of its kind."""
    if not section.group:
        return section.spelled
    if section.is_code:
        return "\t.text"
    return "\t.data" if "w" in section.flags else "\t.section\t.rodata"
