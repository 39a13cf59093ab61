"""What the model imitates: turns with the results of real measurements, made from labels.

A module is a prompt with many continuations, its branches. In a branch only what the model
itself has to say is learnt; what a tool answers, and recipes that turned out bad, are context.

    one shot   <answer> recipe
    direct     <measure> good <result> gain <answer> good
    refine     <measure> bad <result> gain <measure> good <result> gain <answer> good
    search     <measure> bad <result> gain <search> <result> best gain <answer> best
    tail       <tail> a pipeline for functions
    walk       <measure> some <result> gain <measure> some <result> gain … <answer> best of them

In a walk the recipes are anything, and what is learnt is what had better been said there: known
is what every recipe of the coreset would have added to the best one before.

The tools are those of Compiler-R1 (arXiv:2506.15701): `instrcount` and
`find_best_pass_sequence`. Good recipes are drawn by what they save: one that saves as much as
the best known one e times as often as one that saves `_SOFTNESS` less of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from random import Random

from cr1cc.errors import RecipeError
from cr1cc.model import vocabulary
from cr1cc.model.decoding import LENGTH, TAIL_LENGTH
from cr1cc.model.vocabulary import ANSWER, END, IDS, MEASURE, RESULT, SEARCH, TAIL
from cr1cc.passes.coreset import known
from cr1cc.passes.recipe import adapt, canonical, parse_recipe
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.records import Level, Metric, ModuleInfo, Recipe, Request
from cr1cc.train.tasks import Row

_SOFTNESS = 0.15
# How often each kind is drawn, where the module has what it takes.
_KINDS = {"walk": 6, "shot": 2, "direct": 0.5, "refine": 0.5, "search": 0.5, "tail": 0.5}
_LONGEST_WALK = 16  # measurements
_IN_ORDER = 0.6  # share of a walk's recipes that are the next ones of the coreset
_HINTED = 0.2  # share of those that are the best ones to take
_ENOUGH = 0.001  # share of the baseline: nothing that adds less is worth a measurement
_SEARCH_ADDS = 0.005  # share of the baseline: what a search must add to be called
_WITH_BAD = ("refine", "search")
_OTHER_VERSION = 0.4  # share of modules that are told as of another LLVM, to learn all versions
_TARGETS = ("X86", "AArch64", "ARM", "RISCV", "other")
_OTHER_TARGET = 0.2
_JITTER = 0.08  # share of features that are told a bucket off: two modules are never alike


@dataclass(frozen=True)
class Branch:
    """Tokens behind the prompt, and which of them the model has to say."""

    tokens: tuple[int, ...]
    learnt: tuple[bool, ...]
    # By place: what had better been said there, instead of the token of the context.
    better: Mapping[int, int] = field(default_factory=dict)
    # By place: the share of the baseline that each of these tokens would add there.
    adds: Mapping[int, Mapping[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One module: its prompt and branches."""

    prompt: tuple[int, ...]
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Lesson:
    """A row of labels, read: what is known of one module."""

    package: str
    module: str  # PACKAGE/FILE
    request: Request
    base: int
    good: tuple[tuple[Recipe, int], ...]  # best first
    bad: tuple[tuple[Recipe, int | None], ...]  # those of the others that save less than half
    fair: tuple[tuple[Recipe, int], ...] = ()  # the rest of the others
    tails: tuple[tuple[str, int], ...] = ()  # with the bytes that each saves by itself

    @cached_property
    def named(self) -> dict[int, float]:
        """Of the recipes of the coreset, by their tokens and in its order: the share of the
        baseline that they save; what could not be measured saves nothing."""
        values = self.values
        return {
            token: 0.0 if values[recipe] is None else 1 - (values[recipe] or 0) / self.base
            for token, recipe in _coreset(self.request.metric).items()
            if recipe in values
        }

    def gain_of(self, token: int) -> int:
        """The token for what a named recipe makes of the baseline."""
        return vocabulary.gain(self.base, self.values[vocabulary.NAMED[token]])

    @cached_property
    def values(self) -> dict[Recipe, int | None]:
        """What is known of recipes; None: it could not be measured."""
        return dict(self.good) | dict(self.bad) | dict(self.fair)

    @staticmethod
    def of(row: Row, told: tuple[int, ...]) -> Lesson:
        """`told`: 56 numbers of the module. Without a good recipe there is nothing to be
        learnt."""
        good = tuple((_read(text), value) for text, value in row["recipes"])
        info = ModuleInfo("", row["triple"], row["ic"], told, 1, False)
        request = Request(info, Level.OZ, row["major"], "X86", 1, Metric(row["metric"]))
        others = [(_read(text), value) for text, value in row["others"]]
        half = (row["base"] + (good[0][1] if good else row["base"])) / 2
        bad = tuple((r, value) for r, value in others if value is None or value > half)
        fair = tuple((r, value) for r, value in others if value is not None and value <= half)
        tails = tuple((text, saved) for text, saved in row.get("tails", ()) if saved > 0)
        return Lesson(row["package"], row["module"], request, row["base"], good, bad, fair, tails)


def example(lesson: Lesson, branches: int, rng: Random) -> Example:
    """A lesson told in one of many ways; `rng` decides which."""
    request = _elsewhere(lesson.request, rng)
    found = []
    kinds = {kind: weight for kind, weight in _KINDS.items() if _tells(lesson, kind)}
    for _ in range(branches):
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        try:
            found.append(_TELL.get(kind, _branch)(lesson, request, kind, rng))
        except RecipeError:  # longer than a recipe may be, or there is nothing to say
            continue
    prompt = [_jittered(token, rng) for token in vocabulary.prompt(request)]
    return Example(tuple(prompt), tuple(found))


def _tells(lesson: Lesson, kind: str) -> bool:
    if kind == "walk":
        return len(lesson.named) > _LONGEST_WALK
    return bool(lesson.tails if kind == "tail" else kind not in _WITH_BAD or lesson.bad)


def _elsewhere(request: Request, rng: Random) -> Request:
    """The same module as another LLVM, level or target would see it."""
    if rng.random() < _OTHER_VERSION:
        request = replace(request, major=rng.randint(OLDEST, NEWEST))
    if rng.random() < _OTHER_TARGET:
        request = replace(request, target=rng.choice(_TARGETS))
    return replace(request, level=rng.choice(list(Level)))


def _jittered(token: int, rng: Random) -> int:
    feature, equals, bucket = vocabulary.TOKENS[token].partition("=")
    if not equals or rng.random() >= _JITTER:
        return token
    near = min(max(int(bucket) + rng.choice((-1, 1)), 0), vocabulary.BUCKETS - 1)
    return IDS[f"{feature}={near}"]


def _branch(lesson: Lesson, request: Request, kind: str, rng: Random) -> Branch:
    good, value = rng.choices(lesson.good, _weights(lesson))[0]
    said, context = True, False
    parts: list[tuple[list[int], bool]] = []
    if kind in ("refine", "search"):
        bad, outcome = rng.choice(lesson.bad)
        parts += [([IDS[MEASURE]], said), (_spelled(bad, request), context)]
        parts.append(([IDS[RESULT], vocabulary.gain(lesson.base, outcome)], context))
    result = [IDS[RESULT], vocabulary.gain(lesson.base, value)]
    if kind == "search":
        good, value = lesson.good[0]
        found = [IDS[RESULT], *_spelled(good, request), vocabulary.gain(lesson.base, value)]
        parts += [([IDS[SEARCH]], said), (found, context)]
    elif kind in ("direct", "refine"):
        parts += [([IDS[MEASURE], *_spelled(good, request)], said), (result, context)]
    parts.append(([IDS[ANSWER], *_spelled(good, request)], said))
    return Branch(
        tuple(token for tokens, _ in parts for token in tokens),
        tuple(learnt for tokens, learnt in parts for _ in tokens),
    )


def _walk(lesson: Lesson, request: Request, kind: str, rng: Random) -> Branch:
    """What is measured is mostly what the coreset has next, as in use, where nothing else is
    known; some of it is anything, some what is best there."""
    tokens: list[int] = []
    learnt: list[bool] = []
    better: dict[int, int] = {}
    adds: dict[int, Mapping[int, float]] = {}
    left = dict(lesson.named)  # what each saves, a share
    best, said, place = 0.0, 0, 0
    order = list(left)
    for _ in range(rng.randint(1, _LONGEST_WALK)):
        gains = {token: max(share - best, 0.0) for token, share in left.items()}
        if max(gains.values()) < _ENOUGH:
            break
        wanted = _drawn(gains, rng)
        while order[place] not in left:
            place += 1
        if rng.random() < _IN_ORDER:
            taken = order[place]
        else:
            taken = wanted if rng.random() < _HINTED else rng.choice(list(left))
        better[len(tokens) + 1] = wanted
        adds[len(tokens) + 1] = gains
        share = left.pop(taken)
        spelt = [IDS[MEASURE], taken, IDS[END], IDS[RESULT], lesson.gain_of(taken)]
        tokens += spelt
        learnt += [True, True, True, False, False]
        if share > best:
            best, said = share, taken
    searched = 1 - lesson.good[0][1] / lesson.base
    if not left or max(left.values()) - best < _ENOUGH:
        if searched - best >= _SEARCH_ADDS:
            tokens.append(IDS[SEARCH])
            learnt.append(True)
        elif said:
            tokens += [IDS[ANSWER], said, IDS[END]]
            learnt += [True] * 3
    elif said:  # the budget is used up
        tokens += [IDS[ANSWER], said, IDS[END]]
        learnt += [False, True, True]
    if not tokens:
        raise RecipeError("there is nothing to measure")
    return Branch(tuple(tokens), tuple(learnt), better, adds)


def _drawn(gains: Mapping[int, float], rng: Random) -> int:
    some = {token: gain for token, gain in gains.items() if gain > 0}
    most = max(some.values())
    weights = [math.exp((gain - most) / most / _SOFTNESS) for gain in some.values()]
    return rng.choices(list(some), weights)[0]


def _tail(lesson: Lesson, request: Request, kind: str, rng: Random) -> Branch:
    text = rng.choices([t for t, _ in lesson.tails], [saved for _, saved in lesson.tails])[0]
    tokens = vocabulary.encode_tail(_fitting_tail(text, request.major))
    if len(tokens) > TAIL_LENGTH:
        raise RecipeError("the pipeline is too long")
    return Branch((IDS[TAIL], *tokens), (True,) * (len(tokens) + 1))


@cache
def _fitting_tail(text: str, major: int) -> str:
    """As far as it holds for this LLVM. Raises RecipeError if nothing is left."""
    stages = adapt(Recipe((text,)), major, "X86").stages
    if not stages:
        raise RecipeError("nothing is left of the pipeline")
    return stages[0]


@cache
def _coreset(metric: Metric) -> dict[int, Recipe]:
    """The recipes that have a token each, by it."""
    recipes = map(canonical, known().recipes[metric])
    tokens = ((vocabulary.encode(recipe), recipe) for recipe in recipes)
    return {said[0]: recipe for said, recipe in tokens if said[0] in vocabulary.NAMED}


@cache
def _read(text: str) -> Recipe:
    return canonical(parse_recipe(text))


def _spelled(recipe: Recipe, request: Request) -> list[int]:
    return _tokens(recipe, request.major, request.target)


@cache
def _tokens(recipe: Recipe, major: int, target: str) -> list[int]:
    tokens = vocabulary.encode_for(recipe, major, target)
    if len(tokens) > LENGTH:
        raise RecipeError("the recipe is too long")
    return tokens


def _weights(lesson: Lesson) -> list[float]:
    most = lesson.base - lesson.good[0][1]
    return [math.exp((lesson.base - value) / most / _SOFTNESS) for _, value in lesson.good]


_TELL: dict[str, Callable[[Lesson, Request, str, Random], Branch]] = {
    "tail": _tail, "walk": _walk,
}  # fmt: skip


def split(lessons: Sequence[Lesson], packages: Sequence[str]) -> tuple[list[Lesson], list[Lesson]]:
    """What to learn from, and what is of the named packages."""
    inside = [lesson for lesson in lessons if lesson.package in packages]
    return [lesson for lesson in lessons if lesson.package not in packages], inside
