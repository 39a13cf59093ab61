"""What z3 and bitwuzla are asked with. The only module that imports them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cr1cc.errors import ProofError
from cr1cc.prove.installed import MISSING

Reply = tuple[str, list[int]]  # "sat", "unsat" or "unknown", and of "sat" the values

# What z3 counts are elementary steps; in bit-vector problems about so many of them a conflict.
_Z3_STEPS_PER_CONFLICT = 1000


def load() -> None:
    """Load both here, so that child processes need not. Raises ProofError if one is missing."""
    try:
        import bitwuzla  # noqa: F401
        import z3  # noqa: F401
    except ImportError:
        raise ProofError(MISSING) from None


def z3(text: str, names: Sequence[str], conflicts: int) -> Reply:
    """`names`: the constants of the script whose values are wanted."""
    import z3

    solver = z3.SolverFor("QF_ABV")
    solver.set("rlimit", min(conflicts * _Z3_STEPS_PER_CONFLICT, 2**32 - 1))
    solver.from_string(text)
    word = str(solver.check())
    if word != "sat" or not names:
        return word, []
    model = solver.model()
    known = {one.name(): model[one] for one in model.decls()}
    return word, [known[name].as_long() if name in known else 0 for name in names]


def bitwuzla(text: str, names: Sequence[str], conflicts: int) -> Reply:
    """As `z3`. Its SAT solver asks about once a conflict whether it shall go on."""
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, bool(names))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse(text, True, False)
    solver = parser.bitwuzla()
    asked = 0

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return asked > conflicts

    solver.configure_terminator(enough)
    word = str(solver.check_sat())
    if word != "sat" or not names:
        return word, []
    terms = {str(one): one for one in parser.get_declared_funs()}
    return word, [int(solver.get_value(terms[name]).value(10)) for name in names]


TABLE: dict[str, Callable[[str, Sequence[str], int], Reply]] = {"z3": z3, "bitwuzla": bitwuzla}
