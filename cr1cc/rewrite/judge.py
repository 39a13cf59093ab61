"""What is known of windows: the bytes that they save, and what the prover says.

Verdicts are kept, in memory and in a store, by both normalised texts and what is live. What is not
known is assembled and proved in a process of its own, so a compile with a store that knows all its
windows loads none of the packages of the extra `prove`, and no crash in them is the compiler's.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cr1cc.errors import ProofError
from cr1cc.gate.verdict import Judgement, Verdict, format_judgement, parse_judgement
from cr1cc.prove.installed import MISSING
from cr1cc.prove.runs import Assemble, Pair, pairs
from cr1cc.rewrite.places import described
from cr1cc.rewrite.version import proofs
from cr1cc.rewrite.windows import Texts
from cr1cc.storage import envelope
from cr1cc.storage.keys import KEY_BYTES, Shelf
from cr1cc.storage.local import LocalStore
from cr1cc.util import ending
from cr1cc.util.confine import die_with, limit_time, silence
from cr1cc.util.messages import read_message, write_message

_SECONDS = 600  # of processor time for a process that proves: only what is hung takes so long
_TOGETHER = 500  # windows that one process judges
_BY = "proof of a window"

Key = tuple[Texts, int]  # both texts, and the places that are compared


class Known(NamedTuple):
    """Bytes that a window saves and, if any, what the prover says. `lasting`: it says so each
    time; not so where something crashed."""

    saved: int
    judgement: Judgement | None
    lasting: bool = True


class Judge:
    """Judges windows. `tool` names the assembler; without a store nothing is kept."""

    def __init__(self, assemble: Assemble, tool: str = "", store: LocalStore | None = None) -> None:
        """Raises ProofError without the extra `prove`."""
        if not proofs():
            raise ProofError(MISSING)
        self._assemble = assemble
        self._about = (proofs(), tool)
        self._store = store
        self._known: dict[Key, Known] = {}

    def judge(self, keys: Sequence[Key]) -> Mapping[Key, Known]:
        """What is known of those windows, of others too."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._known]
        self._known.update(self._stored(wanted))
        left = [key for key in wanted if key not in self._known]
        for start in range(0, len(left), _TOGETHER):
            found = dict(self._found(left[start : start + _TOGETHER]))
            self._known.update(found)
            self._keep(found)
        return self._known

    def _found(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Known]]:
        """What is found of windows; only those that would be shorter are proved."""
        shorter = {}
        found = pairs([texts for texts, _ in keys], self._assemble)
        for key, pair in zip(keys, found, strict=True):
            saved = pair.saved if pair else 0
            if pair and saved > 0:
                shorter[key] = pair
            else:
                yield key, Known(saved, None)
        if shorter:
            asked = [(pair, places) for (_, places), pair in shorter.items()]
            yield from zip(shorter, _apart(asked), strict=True)

    def _stored(self, keys: Sequence[Key]) -> dict[Key, Known]:
        if self._store is None:
            return {}
        names = {key: self._name(key) for key in keys}
        data = self._store.get(list(names.values()))
        payloads = {key: envelope.unseal(name, data.get(name)) for key, name in names.items()}
        read = {key: _read(payload) for key, payload in payloads.items() if payload is not None}
        return {key: known for key, known in read.items() if known is not None}

    def _keep(self, found: Mapping[Key, Known]) -> None:
        if self._store is None:
            return
        items = {}
        for key, known in found.items():
            if known.lasting:
                name = self._name(key)
                items[name] = envelope.seal(name, _written(known))
        if items:
            self._store.put(items)

    def _name(self, key: Key) -> str:
        text = json.dumps([*self._about, *key], separators=(",", ":"))
        digest = hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()
        return Shelf.VERDICT.name_of(digest)


def _written(known: Known) -> bytes:
    judgement = format_judgement(known.judgement) if known.judgement else ""
    return f"{known.saved} {judgement}".encode("ascii", "backslashreplace")


def _read(payload: bytes) -> Known | None:
    try:
        saved, _, judgement = payload.decode().partition(" ")
        return Known(int(saved), parse_judgement(judgement) if judgement else None)
    except ValueError:
        return None


def _apart(asked: Sequence[tuple[Pair, int]]) -> Iterator[Known]:
    """What the prover says of each window, in a process of its own; of those that it did not come
    to, no more than that."""
    parent = os.getpid()
    read, write = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(read)
        os.close(write)
        raise
    if not pid:
        try:
            os.close(read)
            die_with(parent)
            ending.handle_no_more()
            silence()
            limit_time(_SECONDS)
            for known in _proved(asked):
                write_message(write, known)
        finally:
            os._exit(0)  # what it did not say is told by its absence
    os.close(write)
    try:
        for pair, _ in asked:
            yield _answer(read) or Known(pair.saved, _failed(), lasting=False)
    finally:
        os.close(read)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _answer(descriptor: int) -> Known | None:
    try:
        known: Known | None = read_message(descriptor)
    except (OSError, EOFError, ValueError):
        return None
    return known


def _failed() -> Judgement:
    return Judgement(Verdict.UNKNOWN, _BY, "the process that proves ended")


def _proved(asked: Sequence[tuple[Pair, int]]) -> Iterator[Known]:
    from cr1cc.prove.window import WindowProver

    prover = WindowProver()
    for pair, compared in asked:
        found = prover.judge(*pair, described(compared))
        yield Known(pair.saved, found, "failures" not in dict(found.evidence))
