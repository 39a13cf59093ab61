"""What the compile pipeline asks: packs first, then the local store, never a failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cr1cc.config import Config
from cr1cc.records import Answer, Decision, Failure
from cr1cc.storage import codec, envelope
from cr1cc.storage.codec import CheckRecipe, CheckTail, FunctionAnswer, StoredObject
from cr1cc.storage.keys import FUNCTIONS, MODULES, Shelf, local_key
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import PackSet
from cr1cc.util.data import data_path

__all__ = ["DecisionStore", "FunctionAnswer", "StoredObject"]

_LARGEST_OBJECT = 16 << 20  # bytes; larger ones would drive out too much else

ANSWERS = {
    Shelf.MODULE_BETTER: Answer.BETTER,
    Shelf.MODULE_NOTHING: Answer.NOTHING,
    Shelf.MODULE_FAILED: Answer.FAILED,
}
_SHELVES = {answer: shelf for shelf, answer in ANSWERS.items()}


class DecisionStore:
    """Decisions by key (`storage.keys`). No method raises: at worst nothing is known.

    `problems` counts, by reason, what was wrong with packs and local store.
    `origin` is where the last module was found: "module" (the local store) or "pack".
    """

    def __init__(
        self,
        config: Config,
        check_recipe: CheckRecipe = codec.anything,
        check_tail: CheckTail = codec.anything,
        *,
        packs: str | None = None,
    ) -> None:
        """Nothing is read or made yet but the heads of packs.

        `check_recipe` and `check_tail` raise an exception for what must not be applied;
        an entry with such a text is removed. `packs`: their folder, None: the shipped one.
        """
        folder = data_path("cache") if packs is None else packs
        self._packs = PackSet(folder if config.packs else None)
        self._local = LocalStore(config.cache_dir, config.cache_size) if config.cache else None
        self._check_recipe = check_recipe
        self._check_tail = check_tail
        self._rejected = 0
        self.origin = ""

    def __enter__(self) -> DecisionStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files. The store must not be used any more."""
        self._packs.close()
        if self._local is not None:
            self._local.close()

    @property
    def local(self) -> LocalStore | None:
        """Where verdicts are kept, by those who know what they mean; None without a cache."""
        return self._local

    @property
    def pack_digest(self) -> str:
        """Names the shipped packs that are consulted; "" if there are none."""
        return self._packs.digest

    @property
    def problems(self) -> dict[str, int]:
        found = dict(self._packs.problems)
        found |= self._local.problems if self._local is not None else {}
        if self._rejected:
            found["an entry was rejected"] = self._rejected
        return found

    def module(self, key: str) -> Decision | None:
        """The decision for a module; `origin` says where it was."""
        for payloads, origin in self._sources([key], MODULES, "module"):
            for (shelf, _), payload in payloads.items():
                decision = codec.decode_decision(
                    payload, ANSWERS[shelf], self._check_recipe, self._check_tail
                )
                if decision is not None:
                    self.origin = origin
                    return decision
                self._reject(shelf, key, origin)
        return None

    def put_module(self, key: str, decision: Decision) -> None:
        """Remember the decision for a module."""
        self._put(
            {_SHELVES[decision.answer].name_of(self._bind(key)): codec.encode_decision(decision)}
        )

    def functions(self, keys: Iterable[str]) -> dict[str, FunctionAnswer]:
        """What is known about functions, by key; unknown ones are left out."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, FunctionAnswer] = {}
        for payloads, origin in self._sources(wanted, FUNCTIONS, "store"):
            for (shelf, key), payload in payloads.items():
                if key in found:
                    continue
                better = shelf is Shelf.FUNCTION_BETTER
                answer = codec.decode_function(payload, better, origin, self._check_tail)
                if answer is not None:
                    found[key] = answer
                else:
                    self._reject(shelf, key, origin)
        return found

    def put_functions(self, answers: Mapping[str, FunctionAnswer]) -> None:
        """Remember the tails of functions, by key, at once."""
        entries = {}
        for key, answer in answers.items():
            shelf = Shelf.FUNCTION_BETTER if answer.tail else Shelf.FUNCTION_NOTHING
            entries[shelf.name_of(self._bind(key))] = codec.encode_function(answer)
        self._put(entries)

    def failed(self, key: str) -> Failure | None:
        """How a candidate (`keys.candidate_key`) failed before; None if it is not known to."""
        for payloads, origin in self._sources([key], (Shelf.CANDIDATE_FAILED,), "store"):
            for payload in payloads.values():
                if (failure := codec.decode_failure(payload)) is not None:
                    return failure
                self._reject(Shelf.CANDIDATE_FAILED, key, origin)
        return None

    def put_failed(self, key: str, failure: Failure) -> None:
        """Remember that a candidate failed."""
        self._put({Shelf.CANDIDATE_FAILED.name_of(self._bind(key)): codec.encode_failure(failure)})

    def object(self, key: str) -> StoredObject | None:
        """The object that was made before; local only, packs carry decisions."""
        for payload in self._from_local([(Shelf.OBJECT, key)]).values():
            if (stored := codec.decode_object(payload)) is not None:
                return stored
            self._reject(Shelf.OBJECT, key, "store")
        return None

    def put_object(self, key: str, stored: StoredObject) -> None:
        """Remember an object whole, so that the next build need not make it again."""
        if len(stored.data) <= _LARGEST_OBJECT:
            self._put({Shelf.OBJECT.name_of(self._bind(key)): codec.encode_object(stored)})

    def _sources(
        self, keys: list[str], shelves: tuple[Shelf, ...], local: str
    ) -> Iterable[tuple[dict[tuple[Shelf, str], bytes], str]]:
        """Payloads by shelf and key, first those of the packs, then the local ones."""
        places = [(shelf, key) for shelf in shelves for key in keys]
        packed: dict[tuple[Shelf, str], bytes] = {}
        if self._packs.packs:
            for shelf, key in places:
                if (payload := self._packs.find(shelf.name_of(key))) is not None:
                    packed[shelf, key] = payload
        yield packed, "pack"
        yield self._from_local(places), local

    def _from_local(self, places: list[tuple[Shelf, str]]) -> dict[tuple[Shelf, str], bytes]:
        if self._local is None or not places:
            return {}
        names = {shelf.name_of(self._bind(key)): (shelf, key) for shelf, key in places}
        stored = self._local.get(list(names))
        found, damaged = {}, []
        for name, place in names.items():
            if name not in stored:
                continue
            payload = envelope.unseal(name, stored[name])
            if payload is None:
                damaged.append(name)
            else:
                found[place] = payload
        if damaged:
            self._rejected += len(damaged)
            self._local.remove(damaged)
        return found

    def _put(self, entries: Mapping[str, bytes]) -> None:
        if self._local is not None and entries:
            self._local.put({name: envelope.seal(name, data) for name, data in entries.items()})

    def _reject(self, shelf: Shelf, key: str, origin: str) -> None:
        self._rejected += 1
        if self._local is not None and origin != "pack":
            self._local.remove([shelf.name_of(self._bind(key))])

    def _bind(self, key: str) -> str:
        return local_key(key, self._packs.digest)
