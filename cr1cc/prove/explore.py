"""All paths of a body, one instruction after the other.

Both sides of a branch are followed, unless no input goes there: what simple values of the inputs
show, or else a solver, decides. Limits are counted, so that the answer is always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cr1cc.errors import ProofError
from cr1cc.prove import term as t
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.effect import Effect, register
from cr1cc.prove.events import Call, Fact
from cr1cc.prove.lifter import Lifter
from cr1cc.prove.machine import Machine
from cr1cc.prove.substitution import substitution
from cr1cc.prove.term import Term

# System V ABI for x86-64, figure 3.4
ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
VECTOR_ARGUMENTS = tuple(f"xmm{number}" for number in range(8))
CALLEE_SAVED = ("rbx", "rbp", "r12", "r13", "r14", "r15")
_NO_VALUE = (*CALLEE_SAVED, "rax", "r11")  # on entry; pushed to save them, or to align the stack
_RESULTS = ("rax", "rdx", "xmm0", "xmm1")


@dataclass(frozen=True)
class Limits:
    """How much of a body is followed: instructions on all paths together, and paths. How many
    questions the solvers are asked in one proof."""

    steps: int = 4000
    paths: int = 40
    questions: int = 400


@dataclass
class _Job:
    machine: Machine
    place: int


class Explorer:
    """Follows one body. `possible` says whether conditions can hold together."""

    def __init__(
        self, body: Body, lifter: Lifter, limits: Limits, possible: Callable[[Sequence[Term]], bool]
    ) -> None:
        self._body, self._lifter, self._limits, self._possible = body, lifter, limits, possible
        self._code = body.unit.contents(body.section)
        self._relocations = body.unit.relocations(body.section)
        self._steps = 0
        self._executed: set[int] = set()

    def paths(self, machine: Machine) -> list[Machine]:
        """The machine at the end of each path. Raises ProofError for what cannot be judged."""
        jobs, ended = [_Job(machine, self._body.start)], []
        while jobs:
            job = jobs.pop()
            more = self._run(job)
            if job.machine.ending:
                ended.append(job.machine)
            jobs += more
            if len(jobs) + len(ended) > self._limits.paths:
                raise ProofError(f"more than {self._limits.paths} paths")
        return ended

    def has_more_code(self) -> bool:
        """Whether there are bytes that no path executes, other than to align the next ones."""
        place = self._body.start
        while place < self._body.end:
            if place in self._executed:
                place += 1
                continue
            effect = self._lifter.lift(self._code[place : self._body.end], None)
            if effect.mnemonic != "nop":
                return True
            place += effect.size
        return False

    def _run(self, job: _Job) -> list[_Job]:
        """Follow a path to its end or to the next fork."""
        while not job.machine.ending:
            self._steps += 1
            if self._steps > self._limits.steps:
                raise ProofError(f"more than {self._limits.steps} steps")
            forks = self._step(job)
            if forks is not None:
                return forks
        return []

    def _step(self, job: _Job) -> list[_Job] | None:
        """One instruction; of a fork the paths that go on."""
        machine, place = job.machine, job.place
        if place == self._body.end and machine.calls:
            machine.ending = "call that does not return"  # or the compiler had gone on
            return None
        if not self._body.start <= place < self._body.end:
            raise ProofError("it goes on in other code")
        fields = [at for at in range(place, place + 15) if at in self._relocations]
        first = fields[0] - place if fields else None
        effect = self._lifter.lift(self._code[place : self._body.end], first)
        reference = self._reference(place, effect)
        after = place + effect.size
        self._executed.update(range(place, after))
        meaning = machine.apply(effect, reference)
        if effect.kind == "plain":
            job.place = after
        elif effect.kind == "ret":
            self._return(machine)
        elif effect.taken is not None:
            return self._fork(job, meaning, effect, reference)
        elif "call" in effect.kind:
            self._call(machine, self._callee(place, effect, reference, meaning), tail=False)
            job.place = after
        elif effect.kind == "jump" and (inner := self._inner(place, effect, reference)) is not None:
            job.place = inner
        elif effect.kind == "jump" or machine.stack == 0:
            if machine.stack:
                raise ProofError("a jump out of the function with something on the stack")
            self._call(machine, self._callee(place, effect, reference, meaning), tail=True)
            machine.ending = "return"
        else:
            raise ProofError("a jump to a place that is computed")
        return None

    def _reference(self, place: int, effect: Effect) -> Reference | None:
        after = place + effect.size
        found = [self._relocations[at] for at in range(place, after) if at in self._relocations]
        if not found:
            return None
        if len(found) > 1:
            raise ProofError("an instruction with two relocations")
        return self._body.unit.reference(found[0], after)

    def _inner(self, place: int, effect: Effect, reference: Reference | None) -> int | None:
        """Where a jump goes in this body, None if it leaves it."""
        target = None
        if effect.jump is not None:
            target = place + effect.jump
        elif reference is not None and reference.section == self._body.section:
            target = reference.offset
        inside = target is not None and self._body.start <= target < self._body.end
        return target if inside else None

    def _fork(
        self, job: _Job, meaning: dict[str, Term], effect: Effect, reference: Reference | None
    ) -> list[_Job] | None:
        assert effect.taken is not None
        target = self._inner(job.place, effect, reference)
        taken = substitution(meaning)(effect.taken)
        if target is None and not (taken.constant and not taken.data):
            raise ProofError("a conditional jump out of the function")
        after = job.place + effect.size
        if taken.constant:
            job.place = target if taken.data and target is not None else after
            return None
        jobs = []
        for truth, place in ((t.invert(taken), after), (taken, target)):
            fork = job.machine.copy()
            fork.conditions.append(Fact(truth, len(fork.calls)))
            if self._possible([one.truth for one in fork.conditions]):
                assert place is not None
                jobs.append(_Job(fork, place))
        return jobs

    def _return(self, machine: Machine) -> None:
        if machine.stack:
            raise ProofError("it returns with something on the stack")
        machine.ending = "return"

    def _callee(
        self, place: int, effect: Effect, reference: Reference | None, meaning: dict[str, Term]
    ) -> str | Term:
        """The name of a function, or the address that is called."""
        if "indirect" in effect.kind:
            target = substitution(meaning)(effect.registers["target"])
            if target.stacky:
                raise ProofError("a call of something on the stack")
            names = [target.data] if target.operation == "var" else []
            prefix = "address of "
            return next((n[len(prefix) :] for n in names if n.startswith(prefix)), target)
        unit, section = self._body.unit, self._body.section
        if effect.jump is not None:
            return self._named(*unit.function_at(section, place + effect.jump))
        if reference is None:
            raise ProofError("a call whose target is not known")
        if reference.section is not None:
            return self._named(*unit.function_at(reference.section, reference.offset))
        if reference.offset:
            raise ProofError("a call of a place without a name")
        return reference.name

    @staticmethod
    def _named(name: str, local: bool) -> str:
        return f"{name} of the unit" if local else name

    def _call(self, machine: Machine, target: str | Term, *, tail: bool) -> None:
        """The callee may do anything to memory, and nothing to the frame, which it cannot know."""
        stack = machine.stack
        if not tail and stack % 16 != 8:
            raise ProofError("a call with a stack that is not aligned")
        values = [machine.registers[name] for name in (*ARGUMENTS, *VECTOR_ARGUMENTS)]
        if isinstance(target, str) and not target.endswith(" of the unit"):
            values.append(t.extract(machine.registers["rax"], 7, 0))  # how many vectors there are
        else:  # a static chain, or a convention of the unit's own
            values += [machine.registers["rax"], machine.registers["r10"]]
        on_stack = () if tail else tuple(self._stack_arguments(machine, stack))
        if any(one.stacky for one in (*values, *on_stack)):
            raise ProofError("the address of something on the stack gets to a callee")
        machine.calls.append(Call(target, tuple(values), on_stack, machine.memory, tail))
        number = len(machine.calls)
        machine.memory = t.memory(f"memory after call {number}")

        def result(name: str) -> Term | None:
            width = register(name).width
            return t.var(f"{name} after call {number}", width) if name in _RESULTS else None

        machine.forget_after_call(CALLEE_SAVED, result)

    @staticmethod
    def _stack_arguments(machine: Machine, stack: int) -> list[Term]:
        """What lies where a callee's arguments on the stack begin, up to the first part that the
        body has not written or that holds what a register had on entry and means nothing."""
        found: list[Term] = []
        saved = [register(name) for name in _NO_VALUE]
        for at in range(stack, 0, 8):
            parts = [machine.frame.get(at + i) for i in reversed(range(8))]
            value = t.concat([one for one in parts if one is not None]) if all(parts) else None
            if value is None and any(parts):
                value = machine.anything(64)  # half of it written: as an argument it is not equal
            if value is None or value in saved:
                break
            found.append(value)
        return found
