"""What `cr1 cache` does to the local store and to packs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

from cr1cc.errors import StorageError
from cr1cc.storage import codec, envelope
from cr1cc.storage.keys import Shelf, split_name
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import Pack, write_pack
from cr1cc.storage.store import ANSWERS

_BATCH = 1000  # entries written in one transaction


def count_entries(local: LocalStore) -> dict[str, int]:
    """How many entries there are on each shelf, by its word."""
    found = Counter(name.partition("/")[0] for name, _ in local.rows())
    return {shelf.word: found[shelf.word] for shelf in Shelf}


def damaged_entries(local: LocalStore) -> list[str]:
    """The names of entries that would not be used, because they are not intact."""
    return [name for name, data in local.rows() if _intact(name, data) is None]


def export_entries(local: LocalStore, path: str) -> int:
    """Write all intact decisions to a pack; returns their number. Raises StorageError.

    Objects stay where they are: a pack is read on other machines, and says what to do there,
    whatever their proposers would say. Verdicts stay, too: nobody's word stands for a proof.
    """
    staying = (f"{Shelf.OBJECT.word}/", f"{Shelf.VERDICT.word}/")
    rows = ((name, data) for name, data in local.rows() if not name.startswith(staying))
    found = ((name, _intact(name, data)) for name, data in rows)
    entries = {name: _portable(name, payload) for name, payload in found if payload is not None}
    try:
        write_pack(path, entries)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    return len(entries)


def import_entries(
    local: LocalStore, path: str, watch: Callable[[Iterable[int], int], Iterable[int]]
) -> int:
    """Store the entries of a pack; returns their number. `watch` shows the progress.

    Raises StorageError if the pack is damaged (nothing is stored then) or the local
    store cannot be written.
    """
    with Pack(path) as pack:
        pack.verify()
        items = pack.items()
        stored = 0
        for _ in watch(range(0, len(pack), _BATCH), -(-len(pack) // _BATCH)):
            batch = dict(islice(items, _BATCH))
            for name, payload in batch.items():
                if not _decodes(name, payload) or split_name(name)[0] is Shelf.VERDICT:
                    raise StorageError(f"{path}: {name} is not a decision")
            if not local.put({name: envelope.seal(name, data) for name, data in batch.items()}):
                raise StorageError(
                    f"{local.directory}: {next(iter(local.problems), 'not written')}"
                )
            stored += len(batch)
        return stored


def _portable(name: str, payload: bytes) -> bytes:
    """A decision as one that holds on every machine."""
    answer = ANSWERS.get(split_name(name)[0])
    if answer is None:
        return payload
    decision = codec.decode_decision(payload, answer, codec.anything, codec.anything)
    return codec.encode_decision(replace(decision, machine="")) if decision else payload


def _intact(name: str, data: bytes) -> bytes | None:
    payload = envelope.unseal(name, data)
    return payload if payload is not None and _decodes(name, payload) else None


def _decodes(name: str, payload: bytes) -> bool:
    try:
        shelf, _ = split_name(name)
    except ValueError:
        return False
    if shelf in ANSWERS:
        answer = ANSWERS[shelf]
        return codec.decode_decision(payload, answer, codec.anything, codec.anything) is not None
    if shelf is Shelf.OBJECT:
        return codec.decode_object(payload) is not None
    if shelf is Shelf.CANDIDATE_FAILED:
        return codec.decode_failure(payload) is not None
    if shelf is Shelf.VERDICT:  # what its words mean, the gate says
        return payload.isascii() and b"\n" not in payload
    better = shelf is Shelf.FUNCTION_BETTER
    return codec.decode_function(payload, better, "", codec.anything) is not None
