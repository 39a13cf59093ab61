"""What the model may say about a window: instructions of known forms over what the window names.

Whatever is drawn under these masks can be restored and assembled: registers, vectors, symbols and
opaque numbers are those of the window, numbers fit their place, memory is accessed only if the
window does, and there is a jump at the end if and only if the window has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cr1cc.assembly import vocabulary
from cr1cc.assembly.forms import Form
from cr1cc.assembly.names import Names
from cr1cc.assembly.normal import SIZE
from cr1cc.assembly.vocabulary import (
    FORM_OF,
    IDS,
    KEPT,
    LABEL,
    NOTHING,
    NUMBERS,
    REGISTERS,
    SEGMENTS,
    SHAPES,
    SLOTS,
    SYMBOLS,
    TOKENS,
    VECTORS,
)
from cr1cc.model.choices import may_say
from cr1cc.model.vocabulary import END

LONGEST = 8  # tokens of an instruction: imul with a number and memory
LENGTH = SIZE * LONGEST + 1  # tokens of an answer
_RANGES = {
    "ib": (-(1 << 7), 1 << 8), "iw": (-(1 << 15), 1 << 16), "il": (-(1 << 31), 1 << 32),
    "iq": (-(1 << 31), 1 << 31), "id": (-(1 << 31), 1 << 31), "Q": (-(1 << 63), 1 << 64),
    "c5": (0, 1 << 5), "c6": (0, 1 << 6), "k": (0, 1 << 8),
}  # fmt: skip


@dataclass(frozen=True, eq=False)  # large: told apart by identity
class Scope:
    """What a window has. `tokens`: those that may stand for each kind of field; `forms`: of
    instructions, its own lines too; `lines`: how many there may be; `jumps`: whether one ends
    it, and `leap` is the token of that line."""

    tokens: tuple[tuple[str, tuple[int, ...]], ...]
    forms: tuple[int, ...]
    lines: int
    leap: int | None

    @property
    def jumps(self) -> bool:
        return self.leap is not None

    def is_jump(self, token: int) -> bool:
        return token == self.leap or (token in FORM_OF and FORM_OF[token].jumps)

    @cached_property
    def fields(self) -> dict[str, tuple[int, ...]]:
        return dict(self.tokens)

    @cached_property
    def beginnings(self) -> dict[tuple[int, bool], tuple[int, ...]]:
        """What may stand between instructions, by how many may still come (0, 1, 2 for more) and
        whether there was a jump."""
        return {(room, jumped): self._beginnings(room, jumped)
                for room in range(3) for jumped in (False, True)}  # fmt: skip

    def _beginnings(self, room: int, jumped: bool) -> tuple[int, ...]:
        if jumped:
            return (IDS[END],)
        last = room == 1 and self.jumps
        found = [
            token for token in self.forms
            if room and (self.jumps if self.is_jump(token) else not last)
        ]  # fmt: skip
        return tuple(found if self.jumps else sorted([IDS[END], *found]))


def scope(lines: tuple[str, ...], names: Names) -> Scope:
    """Of normalised lines and what their names stand for. One line more than there are may come
    of them. Raises AsmError for lines that have no tokens."""
    old = vocabulary.encode(lines)
    used = {TOKENS[token] for token in old}
    forms = [FORM_OF[token] for token in old if token in FORM_OF]
    named = {name[1:] for name in names if name.startswith("%")}
    ids = {
        "r": _ids(one for one in REGISTERS if one in named),
        "index": _ids(one for one in REGISTERS if one in named and one != "rsp"),
        "v": _ids(one for one in VECTORS if one in named),
        "S": _ids(one for one in SYMBOLS if one in used),
        "L": _ids([LABEL]),
    }
    ids["base"] = ids["r"]
    ids |= {kind: (*_ids(_slots(kind, names)), *written) for kind, written in _WRITTEN.items()}
    ids["add"] = tuple(sorted([IDS[NOTHING], *ids["id"]]))
    ids["segment"] = _ids(_shapes(ids, used))
    ids["m"] = (*_ids(one for one in SEGMENTS if one in used), *ids["segment"])
    accesses = any(form.accesses for form in forms)
    allowed = [
        token
        for (kinds, needs, accessing), tokens in _GROUPS.items()
        if all(ids[kind] for kind in kinds) and named >= needs and (accesses or not accessing)
        for token in tokens
    ]
    kept = [IDS[KEPT[number]] for number in range(len(lines))]
    leap = kept[-1] if forms[-1].jumps else None
    count = min(len(lines) + 1, SIZE)
    return Scope(tuple(ids.items()), tuple(sorted(kept + allowed)), count, leap)


def _ids(words: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted(IDS[word] for word in words))


def _waiting(form: Form) -> tuple[str, ...]:
    return tuple("r" if kind[0] == "r" else kind for kind in form.kinds if kind != "cl")


# Tokens of numbers by the kind of field; all slots have smaller ones.
_WRITTEN = {
    kind: _ids(f"${number}" for number in NUMBERS if low <= number < high)
    for kind, (low, high) in _RANGES.items()
}

# Forms by what they ask of a window: kinds of fields, registers, whether it accesses memory.
_GROUPS: dict[tuple[frozenset[str], frozenset[str], bool], list[int]] = {}
for _token, _form in FORM_OF.items():
    _asked = frozenset(_waiting(_form)), frozenset(_form.needs), _form.accesses
    _GROUPS.setdefault(_asked, []).append(_token)


def _slots(kind: str, names: Names) -> Iterator[str]:
    low, high = _RANGES[kind]
    for slot in SLOTS:
        name = slot.removeprefix("-")
        if name in names and low <= int(names[name]) * (1 if name == slot else -1) < high:
            yield slot


def _shapes(ids: Mapping[str, tuple[int, ...]], used: set[str]) -> Iterator[str]:
    for shape, parts in SHAPES.items():
        if shape in ("m:0", "m:g"):
            if shape in used:
                yield shape
        elif all(ids[part] for part in parts if part != "add"):
            yield shape


@dataclass(frozen=True)
class State:
    """An answer in the making, as `cr1cc.model.choices.Choices` wants it. `waiting`: the kinds of
    the fields that the present instruction still lacks; `count`: instructions so far."""

    scope: Scope
    waiting: tuple[str, ...] = ()
    count: int = 0
    jumped: bool = False
    done: bool = False

    @property
    def left(self) -> int:
        """Tokens that may still come, at most."""
        if self.done:
            return 0
        return (self.scope.lines - self.count) * LONGEST + LONGEST + 1

    @property
    def said(self) -> str:
        return ""

    def mask_key(self) -> tuple[object, ...]:
        if self.waiting:
            return (self.scope, self.waiting[0])
        return (self.scope, self._room, self.jumped, self.done)

    @property
    def _room(self) -> int:
        """Instructions that may still come: 0, 1, or 2 for more."""
        return min(self.scope.lines - self.count, 2)

    def allowed(self) -> tuple[int, ...]:
        """Ids of the tokens that may follow, ascending."""
        if self.done:
            return ()
        if self.waiting:
            return self.scope.fields[self.waiting[0]]
        return self.scope.beginnings[self._room, self.jumped]

    def step(self, token: int) -> State:
        """The state behind an allowed token."""
        word = TOKENS[token]
        if word == END:
            return replace(self, done=True)
        if self.waiting:
            rest = self.waiting[1:]
            if word in SEGMENTS:
                rest = ("segment", *rest)
            return replace(self, waiting=(*SHAPES.get(word, ()), *rest))
        waiting = _waiting(FORM_OF[token]) if token in FORM_OF else ()
        return replace(
            self, waiting=waiting, count=self.count + 1, jumped=self.scope.is_jump(token)
        )


def fits(scope: Scope, tokens: Iterable[int]) -> bool:
    """Whether an answer is one that may be said."""
    return may_say(State(scope), tokens)
