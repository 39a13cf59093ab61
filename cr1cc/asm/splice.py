"""One unit from several compilations of one source: a base, and functions of donors in it.

The result defines what the base defines. The bodies of the chosen functions come from donors,
with all that is theirs: local functions, constants, jump tables, exception tables. Variables,
other functions, constructors, notes and everything that has no name stay the base's.

What text cannot show is the caller's duty:

- All units are compiled from the same source with the same macros and the same options for
  language, ABI, instrumentation and kind of program. Other may be: optimisation, the compiler.
- gcc's units, base and donors, are compiled with `-fno-ipa-ra -fno-ipa-stack-alignment`: callers
  else rely on registers and on a stack that a callee of the same compilation leaves as they are.
- Units with -fPIC for a library whose functions others may replace: clang's ones are compiled with
  `-fsemantic-interposition`, as gcc's are by default.
- clang passes no defined value in a parameter that a global function of its unit does not use.
  The base's function must not use it either, which any optimised one does not.

Everything that is not known to be right is refused with an AsmError whose text is the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cr1cc.asm.compose import compose
from cr1cc.asm.graph import Function, Graph, graph_of
from cr1cc.asm.model import check_alone, check_moved, check_together
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.signature import counterparts
from cr1cc.asm.statics import Statics
from cr1cc.asm.transplant import Host, Transplant
from cr1cc.asm.unit import AtomKind, Unit
from cr1cc.errors import AsmError


def splice(
    base: Unit,
    donors: Mapping[str, Unit],
    choice: Mapping[str, str],
    granted: frozenset[str] = frozenset(),
) -> Unit:
    """The base with the functions named in `choice` from the donors that it names for them.

    `donors` gives units by any names. The result may need what is `granted` although the base
    does not. Raises AsmError for what cannot be done.
    """
    graph = graph_of(base)
    check_alone(graph)
    host = Host(graph, Statics(graph), granted=granted)
    host.names |= base.symbols.keys() | graph.mentioned
    transplants, replaced = [], set[int]()
    for index, name in enumerate(sorted(set(choice.values())), 1):
        if name not in donors:
            raise AsmError(f"no donor {name}")
        donor = graph_of(donors[name])
        check_alone(donor)
        check_together(graph, donor)
        wanted = {function for function, from_ in choice.items() if from_ == name}
        pairs = _pairs(graph, donor, wanted)
        replaced |= {atom for old, _ in pairs for atom in old.atoms}
        transplant = Transplant(host, donor, index)
        transplant.move(pairs)
        check_moved(graph, donor, transplant.atoms)
        transplants.append(transplant)
    kept = _kept(graph, replaced, host.used, frozenset(choice))
    text = print_unit(compose(host, transplants, kept))
    result = read_unit(text, base.machine)
    _check_result(host, Graph(result))
    return result


def _pairs(base: Graph, donor: Graph, wanted: set[str]) -> list[tuple[Function, Function]]:
    """The parts of the wanted functions in base and donor. Raises AsmError if functions that
    share parts are not wanted together."""
    pairs = dict[tuple[Function, Function], None]()
    for name in sorted(wanted):
        before, after = counterparts(base, donor, name)
        pairs[before, after] = None
        for graph, function in ((base, before), (donor, after)):
            others = {
                entry
                for entry in function.entries
                if not (graph.symbol(entry).is_local and entry.startswith(name + "."))
            }
            if not others <= wanted:
                raise AsmError(f"{name} shares parts with {min(others - wanted)}")
    return list(pairs)


def _kept(
    graph: Graph, replaced: set[int], used: Iterable[str], chosen: frozenset[str]
) -> set[int]:
    """The base's atoms that stay: all but the replaced ones and what only they needed.

    Raises AsmError if something that stays refers into a replaced function.
    """
    everything = set(range(len(graph.unit.atoms)))
    needed_by_replaced = {atom for atom in graph.reach(replaced) if _is_removable(graph, atom)}
    roots = everything - replaced - needed_by_replaced
    roots |= {atom for name in used if (atom := graph.symbol(name).atom) is not None}
    roots -= replaced
    kept = graph.reach(roots, stop=replaced) | roots
    for atom in sorted(kept):
        for reference in graph.references[atom]:
            if graph.symbol(reference.symbol).atom in replaced and reference.symbol not in chosen:
                raise AsmError(f"{reference.symbol} of a replaced function is used elsewhere")
    return {
        atom
        for atom in kept
        if graph.unit.atoms[atom].kind is not AtomKind.DECLARATION
        or _stays_declared(graph, graph.unit.atoms[atom].labels[0], kept, chosen)
    }


def _stays_declared(graph: Graph, name: str, kept: set[int], chosen: frozenset[str]) -> bool:
    atom = graph.symbol(name).atom
    return atom is None or atom in kept or name in chosen


def _is_removable(graph: Graph, atom: int) -> bool:
    """Whether nothing but references makes an atom stay."""
    function = graph.function_of(atom)
    parts = function.atoms if function else (atom,)
    labels = [label for part in parts for label in graph.unit.atoms[part].labels]
    kinds = {graph.unit.atoms[part].kind for part in parts}
    return bool(
        labels
        and all(graph.symbol(label).is_local for label in labels)
        and kinds <= {AtomKind.CODE, AtomKind.DATA, AtomKind.COMMON, AtomKind.ALIAS}
    )


def _check_result(host: Host, result: Graph) -> None:
    """Raises AsmError unless the result defines and needs what the base does."""
    base = host.graph
    before, after = dict(visible(base)), dict(visible(result))
    if before != after:
        name = min(before.items() ^ after.items())[0]
        raise AsmError(f"{name} would not be as in the base")
    for name in sorted(result.mentioned):
        if result.symbol(name).atom is not None or host.may_need(name):
            continue
        if name not in base.mentioned or base.symbol(name).atom is not None:
            raise AsmError(f"{name} would be undefined")


def visible(graph: Graph) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What other units see of each symbol that a unit defines for them."""
    for name, symbol in graph.unit.symbols.items():
        if symbol.atom is not None and not symbol.is_local:
            yield name, (symbol.binding, symbol.visibility, symbol.type)
