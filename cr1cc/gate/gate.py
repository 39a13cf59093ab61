"""The gate: the order in which a new body is judged, and what may pass.

Read and assemble, static checks, a quick run of the driver to refute what is plainly wrong, the
proof if there is a prover, and the driver in full if there is no proof. Nothing raises: whatever
cannot be judged is *unknown*, and *unknown* is rejected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from cr1cc.errors import Cr1Error, GateError, ToolchainError
from cr1cc.gate import driver, statics
from cr1cc.gate.body import Body, read_body
from cr1cc.gate.driver import Driver
from cr1cc.gate.inputs import parse_input
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict, format_judgement, parse_judgement
from cr1cc.storage import envelope
from cr1cc.storage.keys import KEY_BYTES, Shelf
from cr1cc.storage.local import LocalStore

VERSION = 2  # raised when the gate judges otherwise

BY = "gate"


class Prover(Protocol):
    """What proves or refutes. Its budgets are counted in steps and conflicts, never in seconds.

    `version` names all that its judgements depend on: tools, their versions, budgets. A call
    gives *proved*, *refuted* with an input, or *unknown*, and raises nothing but Cr1Error.
    """

    @property
    def version(self) -> str: ...

    def __call__(self, original: Body, new: Body, signature: Signature) -> Judgement: ...


@dataclass(frozen=True)
class Gate:
    """`compiler`: the path of the gcc or clang that builds drivers; `extensions`: instruction
    sets that bodies may use besides the original's; `store`: where verdicts are kept."""

    env: Mapping[str, str]
    compiler: str
    prover: Prover | None = None
    store: LocalStore | None = None
    pairs: int = driver.PAIRS
    quick_pairs: int = driver.QUICK_PAIRS
    seed: int = 0
    extensions: frozenset[str] = field(default_factory=frozenset)

    def judge_texts(self, original: str, new: str, signature: Signature) -> Judgement:
        """The judgement on the function of that signature in two assembly texts."""
        try:
            before = read_body(original, signature.name)
        except Cr1Error as error:
            return Judgement(Verdict.UNKNOWN, BY, _line(f"the original: {error}"))
        try:
            after = read_body(new, signature.name)
        except Cr1Error as error:
            return Judgement(Verdict.UNKNOWN, BY, _line(error))
        return self.judge(before, after, signature)

    def judge(self, original: Body, new: Body, signature: Signature) -> Judgement:
        """The judgement on a new body for an original one, from the store if it is known."""
        name = Shelf.VERDICT.name_of(self._key(original, new, signature))
        known = self._known(name)
        if known is not None:
            return known
        try:
            found = self._judged(original, new, signature)
        except ToolchainError as error:  # of this machine at this time: not to be remembered
            return Judgement(Verdict.UNKNOWN, BY, _line(error))
        except Cr1Error as error:
            found = Judgement(Verdict.UNKNOWN, BY, _line(error))
        if self.store is not None:
            payload = format_judgement(found).encode("ascii", "backslashreplace")
            self.store.put({name: envelope.seal(name, payload)})
        return found

    def _judged(self, original: Body, new: Body, signature: Signature) -> Judgement:
        if original.digest == new.digest:
            return Judgement(Verdict.PROVED, BY, evidence=(("text", "equal"),))
        rejected = statics.check(original, new, signature, self.env, self.extensions)
        if rejected is not None:
            return rejected
        try:
            made = driver.make_driver(original, new, signature, self.env, self.compiler)
        except GateError as error:
            untested = Judgement(Verdict.UNKNOWN, driver.BY, _line(error))
            return self._proved(original, new, signature) or untested
        with made:
            quick = made.test(self.quick_pairs, self.seed)
            if quick.verdict is Verdict.REFUTED:
                return quick
            proved = self._proved(original, new, signature)
            if proved is not None and proved.verdict is Verdict.REFUTED:
                return _called(made, proved)
            if proved is not None and proved.verdict is Verdict.PROVED:
                return proved
            return made.test(self.pairs, self.seed)

    def _proved(self, original: Body, new: Body, signature: Signature) -> Judgement | None:
        """What the prover says, None without one."""
        if self.prover is None:
            return None
        return self.prover(original, new, signature)

    def _known(self, name: str) -> Judgement | None:
        data = self.store.get([name]).get(name) if self.store is not None else None
        payload = envelope.unseal(name, data)
        if payload is None:
            return None
        try:
            return parse_judgement(payload.decode())
        except ValueError:
            return None

    def _key(self, original: Body, new: Body, signature: Signature) -> str:
        """A hash of all that a judgement depends on."""
        parts = [
            VERSION,
            str(signature),
            original.digest,
            new.digest,
            self.prover.version if self.prover else "",
            [self.pairs, self.quick_pairs, self.seed],
            sorted(self.extensions),
        ]
        text = json.dumps(parts, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()


def _called(made: Driver, refuted: Judgement) -> Judgement:
    """A refutation with what the bodies really do on its input, where the driver can call them:
    *unknown* if they agree, for then the proof is wrong somewhere, and nothing may rest on it.
    Registers that no argument fills hold what the driver puts there, not what the proof wants."""
    if "registers" in dict(refuted.evidence):
        return refuted
    try:
        called = made.call(parse_input(made.signature, refuted.input))
    except GateError:
        return refuted
    if called.verdict is Verdict.REFUTED:
        return replace(refuted, evidence=(*refuted.evidence, ("called", "differ")))
    if called.verdict is Verdict.UNKNOWN:
        return refuted
    reason = f"perhaps {refuted.reason}, on {refuted.input}, but called with it both do the same"
    evidence = (*refuted.evidence, ("called", "agree"))
    return Judgement(Verdict.UNKNOWN, refuted.by, reason, evidence=evidence)


def is_admitted(judgement: Judgement, admit: str) -> bool:
    """Whether a body with that judgement may be linked; `admit` is the setting: "proved", or
    "tested", which lets what is tested pass, too."""
    least = Verdict.TESTED if admit == "tested" else Verdict.PROVED
    return judgement.verdict >= least


def _line(text: object) -> str:
    return " ".join(str(text).split())
