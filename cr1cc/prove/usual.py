"""The usual gate: with proofs where the extra `prove` is installed, else with the driver alone."""

from __future__ import annotations

from collections.abc import Mapping

from cr1cc.gate.gate import Gate
from cr1cc.prove.proof import Settings
from cr1cc.prove.prover import Prover, is_installed
from cr1cc.storage.local import LocalStore


def usual_gate(
    env: Mapping[str, str],
    compiler: str,
    store: LocalStore | None = None,
    extensions: frozenset[str] = frozenset(),
) -> Gate:
    """The gate that judges bodies for a build.

    `compiler`: the path of the gcc or clang that builds drivers; `store`: where verdicts are
    kept; `extensions`: instruction sets that new bodies may use besides the original's. Loads
    none of the packages of the extra: a verdict that is known needs none.
    """
    prover = Prover(env, Settings(isa=extensions)) if is_installed() else None
    return Gate(env, compiler, prover, store, extensions=extensions)
