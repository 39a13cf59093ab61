"""The names that decisions are stored under: hashes of all that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import Enum

from cr1cc.records import Recipe

SCHEMA = 1  # raised when the meaning or the form of what is stored changes

KEY_BYTES = 20


class Shelf(Enum):
    """What is stored apart and counted apart: `(word in names, code in packs)`."""

    MODULE_BETTER = "module.better", 1
    MODULE_NOTHING = "module.nothing", 2
    MODULE_FAILED = "module.failed", 3
    FUNCTION_BETTER = "function.better", 4
    FUNCTION_NOTHING = "function.nothing", 5
    CANDIDATE_FAILED = "candidate.failed", 6
    OBJECT = "object", 7
    VERDICT = "verdict", 8  # of the gate; never in a pack

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def code(self) -> int:
        return self.value[1]

    def name_of(self, key: str) -> str:
        """The name that the entry with that key has on this shelf."""
        return f"{self.word}/{key}"


MODULES = (Shelf.MODULE_BETTER, Shelf.MODULE_NOTHING, Shelf.MODULE_FAILED)
FUNCTIONS = (Shelf.FUNCTION_BETTER, Shelf.FUNCTION_NOTHING)


def split_name(name: str) -> tuple[Shelf, str]:
    """The shelf and the key in a name. Raises ValueError if it is not a name."""
    word, _, key = name.partition("/")
    for shelf in Shelf:
        if shelf.word == word and len(key) == 2 * KEY_BYTES and not set(key) - _HEX:
            return shelf, key
    raise ValueError(f"not the name of an entry: {name!r}")


_HEX = set("0123456789abcdef")


@dataclass(frozen=True)
class Basis:
    """What every decision of one version with one configuration depends on."""

    passes: str  # version of the tables and of the way to decide
    proposer: str  # its name and its version
    budget: int
    tail_budget: int


@dataclass(frozen=True)
class KeyContext:
    """What every decision of one compile depends on, besides the code itself.

    Shipped packs are not in here: the store adds their digest (`local_key`),
    because a pack cannot name itself.
    """

    compiler: str  # Toolchain.identity
    triple: str
    flags: tuple[str, ...]  # Plan.key
    basis: Basis


def module_key(context: KeyContext, fingerprint: str) -> str:
    """The key of the decision for the module with that fingerprint."""
    return _key("module", context, fingerprint)


def function_key(
    context: KeyContext, fingerprint: str, pipelines: Sequence[str], tuning: Sequence[str] = ()
) -> str:
    """The key of the best of `pipelines` for the function with that fingerprint, run in a
    process with the options `tuning`."""
    return _key("function", context, fingerprint, list(pipelines), list(tuning))


def candidate_key(context: KeyContext, fingerprint: str, recipe: Recipe) -> str:
    """The key of the failure of one recipe on the module with that fingerprint."""
    return _key("candidate", context, fingerprint, recipe.stages, recipe.options)


def object_key(context: KeyContext, bitcode: bytes, command: Sequence[str], machine: str) -> str:
    """The key of the object that a decision made of exactly this bitcode by `command`, with a
    proposer that depends on `machine` besides."""
    digest = hashlib.blake2b(bitcode, digest_size=KEY_BYTES).hexdigest()
    return _key("object", context, digest, machine, *command)


def rewritten_key(key: str, rewriting: str) -> str:
    """The key of a decision whose object was made shorter in its assembly; `rewriting` names what
    that depends on."""
    return _hash(["rewritten", key, rewriting])


def local_key(key: str, packs: str) -> str:
    """`key` bound to the digest of the shipped packs that were consulted first.

    Without packs it is the key itself, so what is exported from a cache that was
    filled without packs can be shipped as a pack.
    """
    return _hash(["packs", packs, key]) if packs else key


def _key(kind: str, context: KeyContext, *parts: object) -> str:
    return _hash([SCHEMA, kind, *astuple(context), *parts])


def _hash(parts: list[object]) -> str:
    # JSON separates and quotes, so no two different lists have one encoding.
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()
