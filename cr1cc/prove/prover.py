"""What the gate asks for a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cr1cc.errors import Cr1Error
from cr1cc.gate.body import Body
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import unit_of
from cr1cc.prove.installed import PACKAGES, version_of
from cr1cc.prove.proof import BY, Settings, prove

VERSION = 5  # raised when proofs come out otherwise


def is_installed() -> bool:
    """Whether all packages are there that proofs need. Loads none of them."""
    return None not in map(version_of, PACKAGES)


@dataclass(frozen=True)
class Prover:
    """Proves or refutes one body for another one (`gate.gate.Prover`)."""

    env: Mapping[str, str]
    settings: Settings = field(default_factory=Settings)

    @property
    def version(self) -> str:
        """All that a judgement depends on."""
        words = [str(VERSION), str(self.settings.limits), str(self.settings.effort)]
        words += sorted(self.settings.isa)
        words += [f"{name} {version_of(name)}" for name in PACKAGES]
        return ", ".join(words)

    def __call__(self, original: Body, new: Body, signature: Signature) -> Judgement:
        """Proved, refuted with an input, or unknown with its reason."""
        try:
            bodies = [
                unit_of(name, body.text(body.name), self.env).body(body.name)
                for name, body in (("the original", original), ("the new body", new))
            ]
        except Cr1Error as error:
            return Judgement(Verdict.UNKNOWN, BY, " ".join(str(error).split()))
        return prove(bodies[0], bodies[1], signature, self.settings)
