"""A proof that one body may stand in for another one, from their paths to a judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cr1cc.errors import ProofError
from cr1cc.gate.signature import Signature, Type
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove import engines
from cr1cc.prove import term as t
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.compare import Duty, duties, extended, given, promised, unfilled
from cr1cc.prove.concrete import Valuation
from cr1cc.prove.emulate import STACK, Layout
from cr1cc.prove.example import example_of
from cr1cc.prove.explore import Explorer, Limits
from cr1cc.prove.lifter import Lifter
from cr1cc.prove.machine import Machine, address_of, entry
from cr1cc.prove.samples import Inputs
from cr1cc.prove.solver import Answer, Effort, Solvers
from cr1cc.prove.term import Term
from cr1cc.prove.witness import Pair, Shown, confirmed

BY = "proof"
_SAMPLES = 24
_SMALL = 10  # whether a path exists is asked with this part of the effort
_OPEN = 3  # paths that may exist or not


@dataclass(frozen=True)
class Settings:
    """`isa`: extensions of the instruction set that the new body may use besides those that the
    original uses. `table`: solvers, by name, instead of the usual ones."""

    limits: Limits = field(default_factory=Limits)
    effort: Effort = field(default_factory=Effort)
    isa: frozenset[str] = frozenset()
    table: Mapping[str, Callable[..., engines.Reply]] | None = None


def check_installed() -> None:
    """Raises ProofError with how to install what proofs need, if it is missing."""
    engines.load()
    Lifter()


def prove(
    original: Body, new: Body, signature: Signature, settings: Settings | None = None
) -> Judgement:
    """Judge a new body against the original: proved, refuted with an input, or unknown.

    The judgement is the same every time. Never raises for what a body is or does.
    """
    t.forget()
    try:
        engines.load()
        return _Proof(original, new, signature, settings or Settings()).judge()
    except ProofError as error:
        return Judgement(Verdict.UNKNOWN, BY, str(error))
    except (RecursionError, MemoryError) as error:
        return Judgement(Verdict.UNKNOWN, BY, f"too large: {type(error).__name__}")


class _Proof:
    def __init__(self, original: Body, new: Body, signature: Signature, settings: Settings) -> None:
        self._bodies, self._signature, self._settings = (original, new), signature, settings
        self._lifter = Lifter()
        self._layout = Layout()
        self._solvers = Solvers(settings.effort, dict(settings.table) if settings.table else None)
        self._constants: dict[Term, Reference] = {}
        self._promised = promised(signature)
        self._inputs = Inputs(self._constants, self._layout)
        self._samples = [Valuation(self._inputs.sample(number)) for number in range(_SAMPLES)]
        self._pair = Pair(original, new, signature, self._lifter, self._layout)
        for reference in self._pair.references():
            self._layout.address(reference)
        self._open = 0  # paths of which no solver knows whether they exist

    def judge(self) -> Judgement:
        if any(_volatile(one.type) for one in self._signature.parameters):
            raise ProofError("it takes something volatile, whose accesses count themselves")
        paths = [self._explore(body, side) for body, side in zip(self._bodies, "ab", strict=True)]
        for one in paths[0]:
            if names := unfilled(one, self._signature):
                raise ProofError(
                    f"the original uses {', '.join(names)}, which no argument fills:"
                    " is the signature right?"
                )
        allowed = set(self._settings.isa).union(*(one.isas for one in paths[0]))
        if more := set().union(*(one.isas for one in paths[1])) - allowed:
            raise ProofError(f"it needs {', '.join(sorted(more))}, which the original does not")
        if not any(self._happens(one) for one in paths[0]):
            raise ProofError("no input reaches an end of the original without a fault")
        for original in paths[0]:
            for new in paths[1]:
                if refuted := self._compare(original, new):
                    return refuted
        evidence = {
            "paths": f"{len(paths[0])}/{len(paths[1])}", "questions": str(self._solvers.questions)
        }  # fmt: skip
        return Judgement(Verdict.PROVED, BY, evidence=tuple(evidence.items()))

    def _explore(self, body: Body, side: str) -> list[Machine]:
        name = {"a": "original", "b": "new body"}[side]
        explorer = Explorer(body, self._lifter, self._settings.limits, self._possible)
        try:
            paths = explorer.paths(entry(side, self._constants))
            # Of the original it is the compiler's; in a new body it is data, or a mistake.
            if side == "b" and explorer.has_more_code():
                raise ProofError("it has code that nothing executes")
            return paths
        except ProofError as error:
            raise ProofError(f"{name}: {error}") from None

    # Inputs that are tried before a solver is asked ------------------------------------------

    def _holds(self, sample: Valuation, truths: Sequence[Term]) -> bool:
        return all(sample.of(one) for one in truths)

    def _possible(self, conditions: Sequence[Term]) -> bool:
        if any(self._holds(sample, conditions) for sample in self._samples):
            return True
        answer = self._ask(conditions, part=_SMALL)
        if answer is Answer.OPEN:
            self._open += 1
            if self._open > _OPEN:
                raise ProofError("too many paths of which no solver knows whether they exist")
        return answer is not Answer.NONE

    def _ask(self, formulas: Sequence[Term], part: int = 1) -> Answer:
        if self._solvers.questions >= self._settings.limits.questions:
            raise ProofError(f"more than {self._settings.limits.questions} questions")
        return self._solvers.ask(self._facts(formulas), part)

    def _facts(self, formulas: Sequence[Term]) -> list[Term]:
        """Formulas, with what is known of the constants that they read."""
        known = []
        for reference in self._constants.values():
            if (bits := reference.alignment.bit_length() - 1) > 0:
                low = t.extract(address_of(reference), bits - 1, 0)
                known.append(t.equal(low, t.const(0, bits)))
        read = [one for one in t.reachable(formulas) if one.operation == "memory"]
        for one in read:
            for reference in self._constants.values():
                if reference.name == one.data and reference.constant is not None:
                    for at, byte in enumerate(reference.constant):
                        place = t.const(at, 64)
                        known.append(t.equal(t.select(one, place, 1), t.const(byte, 8)))
        return [*formulas, *known]

    # One pair of paths ------------------------------------------------------------------------

    def _happens(self, original: Machine) -> bool:
        """Whether an input takes this path. If none took any, all would be proved of nothing."""
        presumed = [*self._promised, *given(original, len(original.calls))]
        if any(self._holds(sample, presumed) for sample in self._samples):
            return True
        return self._ask(presumed) is Answer.SOME

    def _compare(self, original: Machine, new: Machine) -> Judgement | None:
        """None if every duty holds on these paths. Raises ProofError where it is not known."""
        # Not a set: in which order new terms are made may be seen in formulas.
        both = dict.fromkeys(one.truth for one in (*original.conditions, *new.conditions))
        if any(t.invert(one) in both for one in both):
            return None
        by_calls: dict[int, list[Duty]] = {}
        for calls, duty in duties(original, new, self._signature):
            if not (duty.truth.constant and duty.truth.data):
                by_calls.setdefault(calls, []).append(duty)
        for calls, found in sorted(by_calls.items()):
            presumed = [*self._promised, *given(original, calls)]
            presumed += [one.truth for one in new.conditions]
            if refuted := self._check(presumed, found):
                return refuted
        return None

    def _check(self, presumed: list[Term], found: list[Duty]) -> Judgement | None:
        proper = [*presumed, *extended(self._signature)]
        for sample in self._samples:
            broken = [one for one in found if one.firm and not sample.of(one.truth)]
            if broken and self._holds(sample, proper):
                if shown := confirmed(self._pair, sample.given):
                    return _refuted(shown)
                raise ProofError(f"perhaps {broken[0].what}, which running it did not show")
        wrong = t.any_of(t.invert(one.truth) for one in found)
        answer = self._ask([*presumed, wrong])
        if answer is Answer.NONE:
            return None
        if answer is Answer.OPEN:
            raise ProofError(self._no_answer())
        return self._search(proper, found)

    def _search(self, proper: list[Term], found: list[Duty]) -> Judgement:
        """Some input breaks a duty: look for one that shows it."""
        firm = t.any_of(t.invert(one.truth) for one in found if one.firm)
        fixed = [t.equal(one, t.const(value, 64)) for one, value in self._addresses()]
        formulas = self._facts([*proper, firm, *fixed])
        answer = self._solvers.ask(formulas)
        if answer is Answer.NONE:
            raise ProofError(self._soft(proper, found))
        example = (
            example_of(formulas, self._solvers, self._inputs) if answer is Answer.SOME else None
        )
        if example is None:
            raise ProofError(self._no_answer())
        sample = Valuation(example)
        if shown := confirmed(self._pair, example):
            return _refuted(shown)
        broken = next((one.what for one in found if not sample.of(one.truth)), "a difference")
        raise ProofError(f"perhaps {broken}, which running it did not show")

    def _soft(self, presumed: list[Term], found: list[Duty]) -> str:
        """Which duty is broken, if not one that makes a program behave otherwise."""
        for duty in found:
            formulas = [*presumed, t.invert(duty.truth)]
            if not duty.firm and self._ask(formulas) is not Answer.NONE:
                return f"perhaps {duty.what}"
        return "it depends on how narrow arguments are extended, or on where objects lie"

    def _addresses(self) -> Iterator[tuple[Term, int]]:
        """Where running the bodies puts the stack and what they refer to."""
        yield t.STACK, STACK
        for reference in self._pair.references():
            if reference.constant is None:
                yield address_of(reference), self._layout.address(reference)

    def _no_answer(self) -> str:
        failures = self._solvers.failures
        ended = [f"{name} ended {count} times" for name, count in sorted(failures.items())]
        return "; ".join(["the solvers found no answer within their limits", *ended])


def _refuted(shown: Shown) -> Judgement:
    if not shown.registers:
        return Judgement(Verdict.REFUTED, BY, shown.what, shown.input)
    registers = " ".join(shown.registers)
    reason = f"{shown.what}, where what no argument fills is {registers}"
    return Judgement(Verdict.REFUTED, BY, reason, shown.input, (("registers", registers),))


def _volatile(type_: Type) -> bool:
    return type_.volatile or (type_.element is not None and _volatile(type_.element))
