"""Functions with two bodies, of which the loader picks one: the plain one of the base, and one of
a donor for a higher level of x86-64.

    f           as before, but all that it does is to jump through a pointer
    f.picked    an indirect function: the loader calls it, and keeps what it gives as that pointer
    f.plain     the base's body
    f.x86_64_v3 the donor's body

`f` itself is no indirect function. Its address would be that of an entry of the procedure linkage
table for one reference and that of a body for another one: GNU ld, gold and mold all do so in
programs with -pie (measured with a pointer in data and one in code). So it stays what it is to all
others, in a library, too, and only `f.picked`, which is local, is new to the linker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cr1cc.asm.graph import Graph, graph_of
from cr1cc.asm.levels import detector
from cr1cc.asm.model import check_alone, features, model_of_unit
from cr1cc.asm.printer import lines_of, print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.reference import renamed
from cr1cc.asm.section import TEXT
from cr1cc.asm.splice import splice, visible
from cr1cc.asm.statement import Kind, Machine, Statement
from cr1cc.asm.unit import AtomKind, Binding, Piece, Unit
from cr1cc.errors import AsmError

PLAIN, PICKED = ".plain", ".picked"


def ending(level: str) -> str:
    """What the name of a body for a level ends with."""
    return "." + level.replace("-", "_")


def with_second_bodies(
    base: Unit, donors: Mapping[str, Unit], choice: Mapping[str, str], level: str
) -> tuple[Unit, dict[str, str]]:
    """The base with second bodies for the functions named in `choice`, each from the donor that
    it names, compiled for `level`; and of those that keep one body the reason.

    What `splice` asks of units holds here, too. Raises AsmError if no function gets a second body.
    """
    graph = graph_of(base)
    check_alone(graph)
    refused = {name: why for name in sorted(choice) if (why := _refusal(graph, name, level))}
    wanted = {name: donor for name, donor in choice.items() if name not in refused}
    taken: dict[str, str] = {}
    try:
        made = _spliced(base, donors, wanted) if wanted else base
        taken = wanted
    except AsmError:
        made = base
        for name in sorted(wanted):  # who is in the way keeps one body
            try:
                made = _spliced(base, donors, {**taken, name: wanted[name]})
                taken[name] = wanted[name]
            except AsmError as error:
                refused[name] = str(error)
    if not taken:
        raise AsmError("; ".join(f"{name}: {why}" for name, why in refused.items()))
    return _finished(made, sorted(taken), level), refused


def _refusal(graph: Graph, name: str, level: str) -> str:
    """Why a function must have one body only, "" if nothing is known against two."""
    symbol, function = graph.symbol(name), graph.function(name)
    if function is None or symbol.binding is not Binding.GLOBAL:
        return "not a global function with a body here"
    atom = graph.unit.atoms[symbol.atom or 0]
    entries = [entry for entry in function.entries if not _is_part(entry, name)]
    labels = [label for part in function.atoms for label in graph.unit.atoms[part].labels]
    known = graph.unit.symbols.keys() | graph.mentioned
    for is_so, why in (
        (atom.section.group, "it is in a section group"),
        (name.startswith('"'), "its name is quoted"),
        (entries != [name], "it shares parts with other functions"),
        (
            any(not graph.symbol(one).is_local for one in labels if one != name),
            "another global symbol is in its code",
        ),
        (_local_aliases(graph, name), "it has a name of its own in this unit"),
        (model_of_unit(graph).is_large, "the code model is not the small one"),
        (
            known & {name + PLAIN, name + PICKED, name + ending(level)},
            "a name that it would get is taken",
        ),
    ):
        if is_so:
            return why
    return ""


def _is_part(entry: str, name: str) -> bool:
    return entry == name + ".cold"


def _local_aliases(graph: Graph, name: str) -> bool:
    """Whether something that only this unit knows stands for the function: it would still mean
    what the compiler took it for, one body."""
    return any(
        graph.symbol(atom.labels[0]).is_local
        and any(reference.symbol == name for reference in graph.references[index])
        for index, atom in enumerate(graph.unit.atoms)
        if atom.kind is AtomKind.ALIAS
    )


def _spliced(base: Unit, donors: Mapping[str, Unit], wanted: Mapping[str, str]) -> Unit:
    """The base with the donor's bodies under the functions' names, and its own ones under names
    that end in `.plain`."""
    pieces = _renamed_bodies(base, wanted, PLAIN, with_placeholders=True)
    return splice(read_unit(print_unit(replace(base, pieces=pieces)), base.machine), donors, wanted)


def _finished(unit: Unit, names: Iterable[str], level: str) -> Unit:
    """The bodies under the names of functions renamed, and what picks in their place."""
    detects = "cr1" + ending(level) + ".here"
    graph = Graph(unit)
    pieces = _renamed_bodies(unit, names, ending(level), with_placeholders=False)
    added = [line for name in names for line in _picking(graph, name, level, detects)]
    lines = [*lines_of(pieces), *added, TEXT.spelled, "\t.p2align 4"]
    result = read_unit("\n".join([*lines, *detector(detects, level), ""]), unit.machine)
    if dict(visible(graph)) != dict(visible(Graph(result))):
        raise AsmError("other units would see other symbols")
    return result


def _renamed_bodies(
    unit: Unit, names: Iterable[str], end: str, *, with_placeholders: bool
) -> tuple[Piece, ...]:
    """The pieces of a unit with another, local name for the bodies of functions. References to
    the functions stay: they mean whatever will have their names.

    A placeholder comes before everything of its function: what takes its place must not stand
    between the parts of one, whose tables count from where the first one begins.
    """
    graph = Graph(unit)
    owner: dict[int, str] = {}
    for name in names:
        function = graph.function(name)
        assert function is not None
        owner |= dict.fromkeys(function.atoms, name)
    pieces, missing = [], set(names) if with_placeholders else set()
    for piece in unit.pieces:
        name = owner.get(piece.atom, "")
        if name in missing:
            missing.discard(name)
            home = graph.symbol(name).atom or 0
            rows = _placeholder(name, framed=_has_frame(graph, name))
            pieces.append(Piece(unit.atoms[home].section, home, rows))
        if name:
            rows = tuple(_renamed(piece.statements, name, name + end, unit.machine))
            piece = piece._replace(statements=rows)
        pieces.append(piece)
    return tuple(pieces)


def _renamed(
    rows: Iterable[Statement], old: str, new: str, machine: Machine
) -> Iterator[Statement]:
    for row in rows:
        if row.kind is Kind.LABEL and row.name == old:
            yield Statement(Kind.DIRECTIVE, ".type", f"{new}, @function")
        says_where = row.kind is Kind.LABEL or row.name == ".size"
        yield renamed(row, {old: new}, machine) if says_where else row


def _placeholder(name: str, *, framed: bool) -> tuple[Statement, ...]:
    """A function of the same kind, for the donor's one to take its place."""
    body = [Statement(Kind.INSTRUCTION, "ret", "")]
    if framed:
        begin, end = (
            Statement(Kind.DIRECTIVE, one, "") for one in (".cfi_startproc", ".cfi_endproc")
        )
        body = [begin, *body, end]
    size = Statement(Kind.DIRECTIVE, ".size", f"{name}, .-{name}")
    return (Statement(Kind.LABEL, name, ""), *body, size)


def _has_frame(graph: Graph, name: str) -> bool:
    function = graph.function(name)
    return function is not None and any(
        row.name == ".cfi_startproc"
        for atom in function.atoms
        for row in graph.unit.statements_of(atom)
    )


def _picking(graph: Graph, name: str, level: str, detects: str) -> Iterator[str]:
    """Lines of the function itself, and of what tells the loader where it shall jump.

    The second one may run before relocation is done, so it refers to places here only."""
    atom = graph.atom_of(name)
    assert atom is not None
    marks = ["\tendbr64"] if features(graph) else []
    frame = _has_frame(graph, name)
    yield from (atom.section.spelled, "\t.p2align 4", f"{name}:")
    yield from (["\t.cfi_startproc"] if frame else [])
    yield from (*marks, f"\tjmp\t*{name}{PICKED}@GOTPCREL(%rip)")
    yield from (["\t.cfi_endproc"] if frame else [])
    yield f"\t.size\t{name}, .-{name}"
    yield from (f"\t.type\t{name}{PICKED}, @gnu_indirect_function", f"{name}{PICKED}:", *marks)
    yield from (f"\tcall\t{detects}", "\ttestl\t%eax, %eax")
    yield from (f"\tleaq\t{name}{PLAIN}(%rip), %rdx", f"\tleaq\t{name}{ending(level)}(%rip), %rax")
    yield from ("\tcmove\t%rdx, %rax", "\tret", f"\t.size\t{name}{PICKED}, .-{name}{PICKED}")
