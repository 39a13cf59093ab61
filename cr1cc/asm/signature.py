"""Whether a function of a donor stands for the same symbols as the base's."""

from __future__ import annotations

from cr1cc.asm.graph import Function, Graph
from cr1cc.asm.unit import AtomKind, Symbol
from cr1cc.errors import AsmError


def counterparts(base: Graph, donor: Graph, name: str) -> tuple[Function, Function]:
    """All parts of a function in base and donor. Raises AsmError if there are none, or if
    another unit could see which of them is linked."""
    symbol = base.symbol(name)
    old, new = base.function(name), donor.function(name)
    if old is None:
        raise AsmError(f"{name} is not a function with a body in the base")
    if new is None:
        raise AsmError(f"{name} is not a function with a body in the donor")
    if symbol.is_local:
        raise AsmError(f"{name} is local: it moves with the functions that call it")
    for what, seen in (
        ("binding, visibility or type", lambda graph, _: _seen(graph.symbol(name))),
        ("section", lambda graph, _: _home(graph, name)),
        ("aliases", lambda graph, _: graph.aliases.get(name, frozenset())),
        ("global symbols in its code", _globals),
        ("frame information", _has_frame),
    ):
        if seen(base, old) != seen(donor, new):
            raise AsmError(f"{name} has other {what} in the donor")
    return old, new


def check_symbol(base: Graph, donor: Graph, name: str) -> None:
    """Raises AsmError unless a symbol that is not local in the donor is the same in the base:
    defined or needed by both, with equal attributes."""
    old, new = base.symbol(name), donor.symbol(name)
    if new.atom is None and old.atom is None:
        if name not in base.mentioned:
            raise AsmError(f"the donor needs {name}, the base does not")
    elif new.atom is None or old.atom is None:
        raise AsmError(f"only one of base and donor defines {name}")
    elif _is_data(donor, new) and (new.size, _holds(donor, new)) != (old.size, _holds(base, old)):
        raise AsmError(f"{name} has another size or kind of section in the donor")
    if _referred(old) != _referred(new):
        raise AsmError(f"{name} has other binding, visibility or type in the donor")


def _seen(symbol: Symbol) -> tuple[object, ...]:
    return symbol.binding, symbol.visibility, symbol.type


def _referred(symbol: Symbol) -> tuple[object, ...]:
    """What a reference to a symbol depends on. Whether a definition is weak is no part of it:
    gcc and clang differ for C++, where the language says that all definitions are the same."""
    if symbol.atom is None:  # its type comes from its definition
        return symbol.binding, symbol.visibility
    return symbol.visibility, symbol.type.replace("gnu_unique_object", "object")


def _home(graph: Graph, name: str) -> tuple[object, ...]:
    atom = graph.atom_of(name)
    assert atom is not None
    section = atom.section
    return section.kind_of_code(name), section.attributes, section.group, section.linked_to


def _globals(graph: Graph, function: Function) -> set[str]:
    return {
        label
        for atom in function.atoms
        for label in graph.unit.atoms[atom].labels
        if not graph.symbol(label).is_local
    }


def _has_frame(graph: Graph, function: Function) -> bool:
    return any(
        statement.name == ".cfi_startproc"
        for atom in function.atoms
        for statement in graph.unit.statements_of(atom)
    )


def _is_data(graph: Graph, symbol: Symbol) -> bool:
    assert symbol.atom is not None
    return graph.unit.atoms[symbol.atom].kind in (AtomKind.DATA, AtomKind.COMMON)


def _holds(graph: Graph, symbol: Symbol) -> tuple[object, ...]:
    assert symbol.atom is not None
    atom = graph.unit.atoms[symbol.atom]
    if atom.kind is AtomKind.COMMON:
        return "common", True, False
    return atom.kind.name, graph.is_writable(symbol.atom), "T" in atom.section.flags
