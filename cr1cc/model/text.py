"""What a foreign model may say: the text protocol, spelt with the pieces of its vocabulary.

    <tool_call>{"name": "instrcount", "arguments": {"optimization_flags": ["sroa", "licm"]}}</tool_call>
    <tool_call>{"name": "find_best_pass_sequence", "arguments": {}}</tool_call>
    <answer>["sroa", "licm", "-disable-lsr"]</answer>

A text is a row of segments: the opening, then one for each item with what stands behind
it. A segment is one of some strings of which none begins another, and no token crosses
from one segment into the next. As every character of the protocol has a token of its own,
there is always a way on, and the tokens that are left always suffice for a good end.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile

from cr1cc.errors import ModelError
from cr1cc.model.choices import Action
from cr1cc.model.decoding import Rules
from cr1cc.passes.macros import SIZE
from cr1cc.passes.options import OPTIONS
from cr1cc.passes.pipeline import nest
from cr1cc.passes.rows import forms_for
from cr1cc.passes.table import PASSES
from cr1cc.records import Recipe

LENGTH = 192  # tokens of one text; where every token is a character there are fewer items
MOST_ITEMS = 12
OPENINGS = {
    Action.MEASURE: '<tool_call>{"name": "instrcount", "arguments": {"optimization_flags": ["',
    Action.SEARCH: '<tool_call>{"name": "find_best_pass_sequence", "arguments": {}}</tool_call>',
    Action.ANSWER: '<answer>["',
}
CLOSINGS = {Action.MEASURE: '"]}}</tool_call>', Action.SEARCH: "", Action.ANSWER: '"]</answer>'}
BETWEEN = '", "'


class Pieces:
    """The pieces of a vocabulary: tokens by their bytes, and the other way round."""

    def __init__(self, pieces: Iterable[tuple[int, bytes]]) -> None:
        """Of equal pieces the first one counts."""
        self.tokens: dict[bytes, int] = {}
        for token, piece in pieces:
            self.tokens.setdefault(piece, token)
        self.pieces = {token: piece for piece, token in self.tokens.items()}
        self._longest = max(map(len, self.tokens), default=0)
        self._heads: dict[bytes, frozenset[int]] = {}

    def heads(self, text: bytes) -> frozenset[int]:
        """Every token that `text` may begin with."""
        known = self._heads.get(text)
        if known is None:
            ends = range(1, min(len(text), self._longest) + 1)
            found = (self.tokens.get(text[:end]) for end in ends)
            known = self._heads[text] = frozenset(token for token in found if token is not None)
        return known

    def check(self) -> None:
        """Raises ModelError if a character of the protocol has no token of its own."""
        for character in _alphabet():
            if character.encode() not in self.tokens:
                raise ModelError(f"its vocabulary cannot spell {character!r}")


@dataclass(frozen=True)
class Spelling:
    """What a foreign model is to say: one of these actions, under these rules.

    The beginning that all of them share is not left to the model: it ends the prompt.
    """

    rules: Rules
    actions: tuple[Action, ...]

    @property
    def begun(self) -> str:
        return beginning(self.actions)

    def start(self, pieces: Pieces) -> TextState:
        """Raises ModelError if these pieces cannot spell the protocol."""
        pieces.check()
        return TextState(pieces, self, self.begun.encode())._completed()


@dataclass(frozen=True)
class TextState:
    """A text in the making, as `decoding.State` is a recipe in the making."""

    pieces: Pieces
    spelling: Spelling
    typed: bytes = b""  # of the present segment
    action: Action | None = None  # None: in the opening
    items: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()  # what the options among the items decide
    left: int = LENGTH
    done: bool = False

    @property
    def said(self) -> str:
        return write(self.action, self.items) if self.action and self.done else ""

    def mask_key(self) -> tuple[object, ...]:
        room = min(self.left, _longest(self.spelling.rules))
        full = len(self.items) + 1 >= MOST_ITEMS
        return (self.spelling, self.typed, self.action, full, self.groups, room, self.done)

    def allowed(self) -> tuple[int, ...]:
        """Every token that one of the strings of the segment may go on with."""
        at = len(self.typed)
        texts = (text[at:] for text in self._segment() if text.startswith(self.typed))
        return tuple(sorted(frozenset().union(*map(self.pieces.heads, texts))))

    def step(self, token: int) -> TextState:
        typed = self.typed + self.pieces.pieces[token]
        return replace(self, typed=typed, left=self.left - 1)._completed()

    def _completed(self) -> TextState:
        """The next segment's beginning if this one is complete."""
        typed = self.typed.decode(errors="replace")
        if self.action is None:
            for action in self.spelling.actions:
                if typed == OPENINGS[action]:
                    return replace(self, typed=b"", action=action, done=not CLOSINGS[action])
            return self
        closing = CLOSINGS[self.action]
        for end in (BETWEEN, closing):
            if typed.endswith(end):
                items = (*self.items, typed[: -len(end)])
                groups = self.groups | {_groups(self.spelling.rules)[items[-1]]} - {""}
                return replace(self, typed=b"", items=items, groups=groups, done=end == closing)
        return self

    def _segment(self) -> Iterable[bytes]:
        """The strings that the present segment may be, as far as there is room for them."""
        if self.done:
            return
        if self.action is None:
            yield from (OPENINGS[action].encode() for action in self.spelling.actions)
            return
        rules, room = self.spelling.rules, self.left + len(self.typed)
        full = len(self.items) + 1 >= MOST_ITEMS
        for group, last, between in _endings(rules, self.action):
            if group in self.groups:
                continue
            if len(last) <= room:
                yield last
            if not full and len(between) + _least(rules, self.action) <= room:
                yield between


def beginning(actions: Sequence[Action]) -> str:
    """What the texts of these actions have in common."""
    columns = zip(*(OPENINGS[action] for action in actions), strict=False)
    same = takewhile(lambda column: len(set(column)) == 1, columns)
    return "".join(column[0] for column in same)


def write(action: Action, items: Sequence[str]) -> str:
    """The text of an action."""
    return OPENINGS[action] + BETWEEN.join(items) + CLOSINGS[action]


def read(text: str) -> tuple[Action, tuple[str, ...]]:
    """The action and the items of a text that was written so."""
    for action, opening in OPENINGS.items():
        closing = CLOSINGS[action]
        if text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : len(text) - len(closing)]
            return action, tuple(inner.split(BETWEEN)) if inner else ()
    raise ModelError(f"{text[:60]!r} is not of the protocol")


def recipe_of(items: Sequence[str]) -> Recipe:
    """Passes behind the standard pipeline, as they come, and options, sorted."""
    stage = nest([item for item in items if not item.startswith("-")])
    options = sorted(item for item in items if item.startswith("-"))
    return Recipe((SIZE, stage) if stage else (SIZE,), tuple(options))


@cache
def _groups(rules: Rules) -> dict[str, str]:
    """Every item that these rules allow, with what it decides if it is an option."""
    passes = [text for row in rules.passes() for text in forms_for(row, rules.major)]
    return dict.fromkeys(passes, "") | {row.text: row.group for row in rules.code_options()}


@cache
def _endings(rules: Rules, action: Action) -> tuple[tuple[str, bytes, bytes], ...]:
    """For every item its group, and how it is spelt as the last one and before another one."""
    return tuple(
        (group, f"{item}{CLOSINGS[action]}".encode(), f"{item}{BETWEEN}".encode())
        for item, group in _groups(rules).items()
    )


@cache
def _least(rules: Rules, action: Action) -> int:
    """Characters of the shortest last item; a pass, as passes may come again."""
    return min(len(last) for group, last, _ in _endings(rules, action) if not group)


@cache
def _longest(rules: Rules) -> int:
    """Tokens from which on there is room for whatever the tables allow."""
    least = max(_least(rules, action) for action in (Action.MEASURE, Action.ANSWER))
    return max(map(len, OPENINGS.values())) + max(map(len, _groups(rules))) + 4 + least


@cache
def _alphabet() -> tuple[str, ...]:
    """Every character that a text can have, whatever the rules are."""
    rows = [row.name + "".join(row.forms) for row in PASSES]
    texts = [*rows, *(row.text for row in OPTIONS), *OPENINGS.values(), *CLOSINGS.values()]
    return tuple(sorted(set("".join(texts) + BETWEEN + "<>;")))
