"""Which tokens may follow: only well-formed recipes of vetted passes can come out.

A state is where a recipe in the making stands. It allows what the tables allow for the
LLVM major, the target and the size of the module, and it always leaves room to close
what is open, so every walk through allowed tokens ends within `LENGTH` tokens in a
recipe that `check_recipe` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cr1cc.model import vocabulary as words
from cr1cc.model.choices import may_say
from cr1cc.model.vocabulary import IDS, TOKENS
from cr1cc.passes.grammar import MANAGERS as KINDS
from cr1cc.passes.grammar import parse_pipeline
from cr1cc.passes.macros import MACROS
from cr1cc.passes.options import Option, find_option, options_for
from cr1cc.passes.recipe import MAX_OPTIONS, MAX_STAGES, passes_of
from cr1cc.passes.rows import Pass, PassLevel, forms_for
from cr1cc.passes.table import PASSES, passes_for
from cr1cc.records import Metric, Recipe, Request

LENGTH = 96  # tokens of a recipe, END included
TAIL_LENGTH = 32  # of a pipeline for functions


@dataclass(frozen=True)
class Rules:
    """What holds for one request."""

    major: int
    target: str
    huge: frozenset[str]  # passes that must not run on a module of that size
    metric: Metric

    @staticmethod
    def of(request: Request) -> Rules:
        huge = {r.name for r in PASSES if r.largest is not None and request.info.ic > r.largest}
        return Rules(request.major, request.target, frozenset(huge), request.metric)

    def passes(self) -> tuple[Pass, ...]:
        return tuple(row for row in passes_for(self.major) if row.name not in self.huge)

    def code_options(self) -> tuple[Option, ...]:
        """None where the metric cannot tell them apart."""
        return options_for(self.major, self.target) if self.metric is Metric.BYTES else ()

    def takes(self, recipe: Recipe) -> bool:
        """Whether a recipe with a name may be said by it."""
        if recipe.options and self.metric is not Metric.BYTES:
            return False
        return not (self.huge and self.huge & passes_of(recipe))


@dataclass(frozen=True)
class State:
    """A recipe in the making: `step` gives the next one, `allowed` what may come."""

    rules: Rules
    left: int = LENGTH
    stages: int = 1
    levels: tuple[PassLevel, ...] = (PassLevel.MODULE,)
    filled: bool = False  # the innermost manager, or the stage, has an element
    macro: bool = False  # the stage is one, or one that a name stands for
    option: int = 0  # the last option's id, OPTION's before the first one, 0 before that
    groups: frozenset[str] = frozenset()
    done: bool = False
    actions: tuple[int, ...] = ()  # what a turn may begin with; () inside of a recipe
    tail: bool = False  # what is spelt is the inside of one function(…), nothing else

    @property
    def said(self) -> str:
        """Tokens say it all."""
        return ""

    def mask_key(self) -> tuple[object, ...]:
        room = min(self.left, len(self.levels) + 3)
        stages = (self.stages == 1, self.stages < MAX_STAGES)
        return (
            self.rules, room, stages, len(self.levels), self.levels[-1], self.filled,
            self.macro, self.option, self.groups, self.done, self.actions,
            self.tail,
        )  # fmt: skip

    def allowed(self) -> tuple[int, ...]:
        """Ids of the tokens that may follow, ascending; nothing after the end."""
        if self.done:
            return ()
        if self.actions:
            return self.actions
        if self.option:
            return self._options()
        depth = len(self.levels) - 1
        found: list[int] = []
        if self.filled:
            found += [IDS[words.CLOSE]] if depth else self._separators()
        elif self.stages == 1 and not self.tail:
            return _beginnings(self.rules)
        if not self.macro:
            # Behind an element there must be room to close all managers and for END.
            if self.left >= depth + 2:
                found += _passes(self.rules, self.levels[-1])
            if self.left >= depth + 4:
                found += _managers(self.levels[-1])
            if not depth and not self.filled and not self.tail:
                found += _macros()
        return tuple(sorted(found))

    def step(self, token: int) -> State:
        """The state behind an allowed token."""
        word = TOKENS[token]
        left = self.left - 1
        if self.actions:  # the search needs no recipe
            return _replace(self, left=left, actions=(), done=word == words.SEARCH)
        if word == words.END:
            return _replace(self, left=left, done=True)
        if word == words.OPTION:
            return _replace(self, left=left, option=token)
        if self.option:
            row = find_option(word)
            assert row is not None
            return _replace(self, left=left, option=token, groups=self.groups | {row.group})
        if word == words.STAGE:
            return _replace(self, left=left, stages=self.stages + 1, filled=False, macro=False)
        if word == words.CLOSE:
            return _replace(self, left=left, levels=self.levels[:-1], filled=True)
        if word in words.MANAGERS:
            inner = KINDS[word.partition("(")[0].partition("<")[0]][0]
            return _replace(self, left=left, levels=(*self.levels, inner), filled=False)
        if token in words.NAMED:
            return self._named(token)
        return _replace(self, left=left, filled=True, macro=word in MACROS)

    def _named(self, token: int) -> State:
        """Behind a name: nothing may follow a whole recipe but the end. No option has a token
        behind those of names."""
        recipe = words.NAMED[token]
        groups = frozenset({"all"} if recipe.options else ())
        return _replace(
            self, left=self.left - 1, stages=len(recipe.stages), filled=True, macro=True,
            option=token if groups else 0, groups=groups,
        )  # fmt: skip

    def _separators(self) -> list[int]:
        """What may follow a complete stage."""
        found = [IDS[words.END]]
        if self.tail:
            return found
        if self.stages < MAX_STAGES and self.left >= 3:
            found.append(IDS[words.STAGE])
        if self.left >= 3 and _option_ids(self.rules):
            found.append(IDS[words.OPTION])
        return found

    def _options(self) -> tuple[int, ...]:
        """Options stand in the order of the table, at most one of a group."""
        found = [IDS[words.END]] if self.groups else []
        if len(self.groups) < MAX_OPTIONS and self.left >= 2:
            found += [
                token
                for token, group in _option_ids(self.rules)
                if token > self.option and group not in self.groups
            ]
        return tuple(found)


def turn(rules: Rules, *actions: str) -> State:
    """A turn of the model: one of these actions, and the recipe that belongs to it."""
    return State(rules, LENGTH + 1, actions=tuple(sorted(IDS[word] for word in actions)))


def tail(rules: Rules) -> State:
    """A pipeline to try on every function."""
    return State(rules, TAIL_LENGTH, levels=(PassLevel.FUNCTION,), tail=True)


def walk(rules: Rules, tokens: Sequence[int]) -> bool:
    """Whether tokens can come out under these rules."""
    return may_say(State(rules), tokens)


def _replace(state: State, **changes: object) -> State:
    return State(**{**state.__dict__, **changes})


@cache
def _passes(rules: Rules, level: PassLevel) -> tuple[int, ...]:
    return tuple(
        IDS[text]
        for row in rules.passes()
        if level in row.levels
        for text in forms_for(row, rules.major)
    )


@cache
def _managers(level: PassLevel) -> tuple[int, ...]:
    kinds = ((text, KINDS[parse_pipeline(f"{text}x)")[0].name]) for text in words.MANAGERS)
    return tuple(IDS[text] for text, (_, outer, _) in kinds if level in outer)


@cache
def _macros() -> tuple[int, ...]:
    return tuple(IDS[macro] for macro in MACROS)


@cache
def _beginnings(rules: Rules) -> tuple[int, ...]:
    """What a recipe may begin with: a macro, or the name of known stages or of all of it."""
    named = (token for token, recipe in words.NAMED.items() if rules.takes(recipe))
    return tuple(sorted((*_macros(), *named)))


@cache
def _option_ids(rules: Rules) -> tuple[tuple[int, str], ...]:
    return tuple((IDS[row.text], row.group) for row in rules.code_options())
