"""What all of reinforcement learning shares: answers are drawn, measured and rewarded.

A step takes some modules and draws a group of answers for each, under the same masks as in use.
Either an answer is one recipe, which the evaluator measures; or it is a conversation, in which
names of the coreset are measured, as the labels know, and the best of them is the answer. The
reward is that of Compiler-R1 (arXiv:2506.15701):

    w_f R_format + w_a R_answer    R_format = 1.5 for a well-formed answer of vetted passes
                                   R_answer = alpha (value of -Oz - value) / value of -Oz

Masks make R_format the same for all answers; it stays in the figures to show that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from cr1cc import decide
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.meter import Meter
from cr1cc.model import vocabulary
from cr1cc.model.decoding import Rules, State
from cr1cc.model.vocabulary import ANSWER, FIRST_NAME, IDS, TOKENS
from cr1cc.passes.recipe import BASELINE, format_recipe, parse_recipe
from cr1cc.records import Metric, Recipe, Score, value_of
from cr1cc.train import drawing, simulate
from cr1cc.train.corpus import FUNCTIONS, KIND, Sample
from cr1cc.train.drawing import Drawn
from cr1cc.train.network import Network
from cr1cc.train.packing import Packed, pack
from cr1cc.train.pytorch import Tensor, torch
from cr1cc.train.tasks import Task
from cr1cc.train.trajectories import Branch, Example, Lesson

_WORST = -0.2  # shares below this are no worse: one explosion would drown all else


@dataclass(frozen=True)
class Reward:
    """How answers are rewarded."""

    format_weight: float = 0.5
    answer_weight: float = 0.5
    alpha: float = 30.0

    def of(self, vetted: bool, saved: float | None) -> float:
        """`saved`: share of the baseline; None: the answer could not be measured."""
        share = max(saved if saved is not None else _WORST, _WORST)
        form = 1.5 if vetted else 0.0
        return self.format_weight * form + self.answer_weight * self.alpha * share


@dataclass(frozen=True)
class Batch:
    """A step's answers. Tokens are those that were said, in order of answers."""

    packed: Packed
    allowed: Tensor  # (tokens, vocabulary) bool
    owner: Tensor  # (tokens,) which answer a token belongs to
    group: Tensor  # (answers,) which module an answer is for
    rewards: Tensor  # (answers,)
    saved: Tensor  # (answers,) share of the baseline, 0 where it could not be measured

    def to(self, device: str) -> Batch:
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})

    def logarithms(self, network: Network) -> tuple[Tensor, Tensor]:
        """Of the probabilities of what was said, among what was allowed, (tokens,); and the
        states behind which it was said, (tokens, width)."""
        packed = self.packed
        states = network.states(packed.tokens, packed.positions, packed.seen)[packed.learnt]
        logits = network.logits(states).masked_fill(~self.allowed, -torch.inf)
        taken = packed.targets[packed.learnt].unsqueeze(1)
        return logits.log_softmax(-1).gather(1, taken).squeeze(1), states


def draw(
    network: Network, lessons: Sequence[Lesson], group: int, generator: torch.Generator
) -> tuple[list[list[Drawn]], Tensor]:
    """`group` answers for each lesson, and the table of masks, (masks, vocabulary) bool."""
    rows = [lesson for lesson in lessons for _ in range(group)]
    prompts = [[*vocabulary.prompt(one.request), IDS[ANSWER]] for one in rows]
    states = [State(Rules.of(lesson.request)) for lesson in rows]
    drawn, masks = drawing.draw(network, prompts, states, generator)
    return [drawn[i : i + group] for i in range(0, len(drawn), group)], masks


def collect(
    network: Network, task: Task, folder: Path, lessons: Sequence[Lesson], group: int,
    turns: int, reward: Reward, pool: Executor, generator: torch.Generator,
) -> Batch:  # fmt: skip
    """Draw, measure and reward `group` answers for each lesson: conversations of so many turns,
    or recipes if that is 0."""
    if turns:
        return _talks(network, lessons, group, turns, reward, generator)
    answers, masks = draw(network, lessons, group, generator)
    flat = [one for some in answers for one in some]
    recipes = [[_said(one, task) for one in some] for some in answers]
    metrics = [lesson.request.metric.value for lesson in lessons]
    files = [_file(folder, lesson) for lesson in lessons]
    unknown = [_unknown(lesson, some) for lesson, some in zip(lessons, recipes, strict=True)]
    texts = [list(map(format_recipe, some)) for some in unknown]
    found = pool.map(_measured, [task] * len(lessons), files, metrics, texts)
    saved = [
        share
        for lesson, some, new, shares in zip(lessons, recipes, unknown, found, strict=True)
        for share in _shares(lesson, some, dict(zip(new, shares, strict=True)))
    ]
    vetted = [task.holds(recipe) for some in recipes for recipe in some]
    examples = [
        Example(tuple(vocabulary.prompt(lesson.request)), tuple(map(_branch, some)))
        for lesson, some in zip(lessons, answers, strict=True)
    ]
    counts = torch.tensor([len(one.allowed) for one in flat])
    return Batch(
        pack(examples),
        masks[torch.tensor([number for one in flat for number in one.allowed])],
        torch.arange(len(flat)).repeat_interleave(counts),
        torch.arange(len(lessons)).repeat_interleave(group),
        torch.tensor([reward.of(*pair) for pair in zip(vetted, saved, strict=True)]),
        torch.tensor([share or 0.0 for share in saved]),
    )


def _talks(
    network: Network, lessons: Sequence[Lesson], group: int, turns: int, reward: Reward,
    generator: torch.Generator,
) -> Batch:  # fmt: skip
    rows = [lesson for lesson in lessons for _ in range(group)]
    drawn = simulate.play(
        network, rows, turns,
        lambda logits: torch.multinomial(logits.softmax(-1), 1, generator=generator).squeeze(1),
    )  # fmt: skip
    length = drawn.tokens.shape[1]
    learnt = tuple(place % (length // turns) == 1 for place in range(length))  # the names
    branches = [Branch(tuple(tokens), learnt) for tokens in drawn.tokens.tolist()]
    examples = [
        Example(tuple(vocabulary.prompt(one.request)), tuple(branches[at * group :][:group]))
        for at, one in enumerate(lessons)
    ]
    allowed = torch.zeros(len(rows) * turns, len(TOKENS), dtype=torch.bool)
    allowed[:, FIRST_NAME:] = drawn.open.flatten(0, 1)
    best = drawn.best[:, -1]
    return Batch(
        pack(examples),
        allowed,
        torch.arange(len(rows)).repeat_interleave(turns),
        torch.arange(len(lessons)).repeat_interleave(group),
        torch.tensor([reward.of(True, share) for share in best.tolist()]),
        best,
    )


def _said(answer: Drawn, task: Task) -> Recipe:
    return vocabulary.decode_for(answer.tokens[1:], task.major, task.target)


def _branch(answer: Drawn) -> Branch:
    return Branch(answer.tokens, (False, *(True for _ in answer.allowed)))


def _file(folder: Path, lesson: Lesson) -> str:
    """A lesson is of a module, or of a function that is one."""
    kind = KIND[lesson.request.metric]
    paths = [folder / form / lesson.module for form in (kind, kind + FUNCTIONS)]
    return str(next((path for path in paths if path.exists()), paths[0]))


def _unknown(lesson: Lesson, recipes: Sequence[Recipe]) -> list[Recipe]:
    """Those that the labels have no value of."""
    values = lesson.values
    return [recipe for recipe in dict.fromkeys(recipes) if recipe not in values]


def _shares(
    lesson: Lesson, recipes: Sequence[Recipe], measured: Mapping[Recipe, float | None]
) -> list[float | None]:
    """The share of the baseline that each recipe saves."""
    shares = {
        recipe: None if value is None else 1 - value / lesson.base
        for recipe, value in lesson.values.items()
    }
    return [(shares | dict(measured))[recipe] for recipe in recipes]


def _measured(task: Task, file: str, metric: str, texts: Sequence[str]) -> list[float | None]:
    """The share of the baseline that each recipe saves; None: it could not be measured."""
    path, by = Path(file), Metric(metric)
    if not texts:
        return []
    try:
        sample = Sample(path.parent.name, path)
        with task.evaluator(sample, by) as evaluator:
            meter = Meter(evaluator, len(texts) + 1, emit=by is Metric.BYTES)
            base = meter.measure([BASELINE])[0]
            before = value_of(base, by)
            if not before or not isinstance(base, Score):
                return [None for _ in texts]
            meter.against(base, base.ic * decide.CEILING)
            values = [value_of(r, by) for r in meter.measure(list(map(parse_recipe, texts)))]
            return [None if value is None else 1 - value / before for value in values]
    except (EvaluationError, OSError):
        return [None for _ in texts]
