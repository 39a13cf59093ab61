"""Whether two units were compiled for the same kind of program: relocation model, code model,
thread-local storage, control-flow protection, unwinding.

None of this is written down in assembly, so it is read off the references. What a donor's code
does must have an example in the base; where the base has no example, nothing shows that its
program allows it, and the donor is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from cr1cc.asm.contents import numbers
from cr1cc.asm.graph import Graph
from cr1cc.asm.reference import Access, Reference, numeric_references
from cr1cc.asm.statement import Kind, Machine
from cr1cc.asm.unit import AtomKind, Binding
from cr1cc.errors import AsmError

# x86-64 psABI, "Relocation Types": the variants of thread-local storage by model.
_THREAD_LOCAL = {
    "dtpoff": "dynamic",
    "gottpoff": "initial-exec",
    "tlscall": "dynamic",
    "tlsdesc": "dynamic",
    "tlsgd": "dynamic",
    "tlsld": "dynamic",
    "tpoff": "local-exec",
}
_PLAIN = frozenset(("", "gotpcrel", "plt"))
_DIRECT = (Access.ABSOLUTE, Access.RELATIVE)
_LARGE_SECTIONS = (".ltext", ".ldata", ".lbss", ".lrodata")
_CET_FEATURES = 0xC0000002  # GNU_PROPERTY_X86_FEATURE_1_AND


class Model(NamedTuple):
    """What the references of a unit show."""

    thread_local: frozenset[str]  # models in use
    is_large: bool  # addresses do not fit 32 bits: the medium or large code model
    absolute_code: bool  # code holds addresses in 32 bits: the program has a fixed place
    absolute_data: bool  # read-only data holds addresses
    direct: bool  # addresses of its own global symbols are computed without the GOT
    direct_external: bool  # those of other units' symbols are
    called_directly: bool  # its own global functions are called without the PLT
    preemptible: bool  # its own global symbols are reached through GOT or PLT

    @property
    def is_executable(self) -> bool:
        """Whether it can only become a part of a program, not of a shared library."""
        straight = self.absolute_code or self.direct or self.direct_external
        return straight or (self.called_directly and not self.preemptible)


@lru_cache(maxsize=16)
def model_of_unit(graph: Graph) -> Model:
    return model_of(graph, range(len(graph.unit.atoms)))


def model_of(graph: Graph, chosen: Iterable[int]) -> Model:
    """The model that some atoms of a unit show."""
    uses = [
        (graph.unit.atoms[atom].kind, atom, reference)
        for atom in chosen
        if graph.unit.atoms[atom].kind in (AtomKind.CODE, AtomKind.DATA)
        for reference in graph.references[atom]
    ]
    code = [reference for kind, _, reference in uses if kind is AtomKind.CODE]
    data = [(atom, reference) for kind, atom, reference in uses if kind is AtomKind.DATA]
    tables = any(
        graph.unit.atoms[atom].section.name.startswith(_LARGE_SECTIONS) for _, atom, _ in uses
    )
    variants = {reference.variant for reference in code}
    plain = [reference for reference in code if not reference.variant]
    return Model(
        frozenset(_THREAD_LOCAL[variant] for variant in variants if variant in _THREAD_LOCAL),
        tables
        or bool(variants - _PLAIN - _THREAD_LOCAL.keys())
        or any(reference.access is Access.ABSOLUTE64 for reference in code),
        any(reference.access is Access.ABSOLUTE for reference in plain),
        any(_holds_address(graph, atom, reference) for atom, reference in data),
        any(_is_direct(graph, reference) for reference in plain),
        any(_is_direct_external(graph, reference) for reference in plain),
        any(
            reference.access is Access.BRANCH and _is_own(graph, reference.symbol)
            for reference in plain
        ),
        any(
            reference.variant in ("gotpcrel", "plt") and _is_own(graph, reference.symbol)
            for reference in code
        ),
    )


def _is_own(graph: Graph, name: str) -> bool:
    """Whether a symbol of this unit could be another one's in a shared library."""
    symbol = graph.symbol(name)
    return (
        symbol.atom is not None
        and symbol.binding is Binding.GLOBAL
        and symbol.visibility == "default"
        and symbol.type != "gnu_indirect_function"  # reached through the PLT always
    )


def _holds_address(graph: Graph, atom: int, reference: Reference) -> bool:
    section = graph.unit.atoms[atom].section
    return reference.access is Access.ABSOLUTE and "w" not in section.flags


def _is_direct(graph: Graph, reference: Reference) -> bool:
    return reference.access in _DIRECT and _is_own(graph, reference.symbol)


def _is_direct_external(graph: Graph, reference: Reference) -> bool:
    symbol = graph.symbol(reference.symbol)
    if symbol.atom is not None or symbol.visibility != "default":
        return False
    return reference.access in _DIRECT


def check_alone(graph: Graph) -> None:
    """Raises AsmError for a unit that can be neither base nor donor."""
    unit = graph.unit
    if unit.machine is not Machine.X86_64:
        raise AsmError(f"splicing is not understood for {unit.machine.value}")
    if unit.has_debug:
        raise AsmError("debug information cannot be spliced")
    for index, atom in enumerate(unit.atoms):
        if atom.kind is not AtomKind.WHOLE and not _finds_its_numeric_labels(graph, index):
            raise AsmError("a numeric label is used from another section or function")


def _finds_its_numeric_labels(graph: Graph, atom: int) -> bool:
    behind: set[str] = set()
    ahead: set[str] = set()
    for statement in graph.unit.statements_of(atom):
        if statement.kind is Kind.LABEL:
            if statement.name.isdigit():
                behind.add(statement.name)
                ahead.discard(statement.name)
            continue
        for label, direction in numeric_references(statement):
            if direction == "f":
                ahead.add(label)
            elif label not in behind:
                return False
    return not ahead


def check_together(base: Graph, donor: Graph) -> None:
    """Raises AsmError if two units cannot be of the same source and the same kind of program."""
    old, new = model_of_unit(base), model_of_unit(donor)
    if old.is_large != new.is_large:
        raise AsmError("the donor has another code model")
    for one, other in ((old, new), (new, old)):
        goes_straight = other.direct or other.called_directly
        if one.preemptible and goes_straight and not other.preemptible:
            raise AsmError("only one of base and donor goes through GOT or PLT to its own symbols")
    for what, facts in _FACTS:
        if facts(base) != facts(donor):
            raise AsmError(f"the donor has {what}")


def check_moved(base: Graph, donor: Graph, atoms: Iterable[int]) -> None:
    """Raises AsmError if atoms of a donor use what the base shows no example of."""
    old, new = model_of_unit(base), model_of(donor, atoms)
    if not new.thread_local <= old.thread_local:
        raise AsmError("the donor has another model of thread-local storage")
    for used, shown, what in (
        (new.absolute_code, old.absolute_code, "absolute addresses in code"),
        (new.absolute_data, old.absolute_data or old.absolute_code, "addresses in constants"),
        (new.direct, old.is_executable, "direct references to its global symbols"),
        (new.direct_external, old.is_executable, "direct references to symbols of other units"),
    ):  # fmt: skip
        if used and not shown:
            raise AsmError(f"the donor has {what}, the base has none")


def features(graph: Graph) -> int:
    """The bits of control-flow protection that the unit's property note promises, 0 without."""
    for index, atom in enumerate(graph.unit.atoms):
        if atom.section.name == ".note.gnu.property" and atom.kind is AtomKind.WHOLE:
            words = numbers(graph.unit.statements_of(index), ".long")
            if _CET_FEATURES in words:
                return words[-1]
    return 0


def _stack(graph: Graph) -> Iterator[str]:
    for piece in graph.unit.pieces:
        if piece.section.name == ".note.GNU-stack":
            yield piece.section.flags


def _frame_sections(graph: Graph) -> Iterator[str]:
    for piece in graph.unit.pieces:
        yield from (row.operands for row in piece.statements if row.name == ".cfi_sections")


_FACTS = (
    ("other control-flow protection", features),
    ("another executable stack", lambda graph: sorted(set(_stack(graph)))),
    ("other sections for frames", lambda graph: sorted(set(_frame_sections(graph)))),
)
