"""What the model reads and writes: one token for each feature bucket, pass, manager, option.

Every recipe of the coreset is one token too, and so are its stages without options: most answers
then take a few tokens instead of a hundred, and choosing among known recipes is one choice.

The tokens are made from the tables, so a changed table or coreset is another vocabulary. A model
names the vocabulary that it was trained with (`VERSION`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from cr1cc.errors import RecipeError
from cr1cc.features import FEATURES
from cr1cc.passes.coreset import known
from cr1cc.passes.grammar import Node, parse_pipeline
from cr1cc.passes.macros import MACROS, is_macro
from cr1cc.passes.options import OPTIONS
from cr1cc.passes.recipe import adapt, canonical, format_recipe, parse_recipe
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.passes.table import PASSES
from cr1cc.records import Level, Metric, Recipe, Request

PAD, UNKNOWN, BEGIN, END = "<pad>", "<unk>", "<begin>", "<end>"
# Turns: a call of a tool (measure this recipe; search for a better one), what it found, the
# answer; a pipeline to try on every function.
MEASURE, SEARCH, RESULT, ANSWER = "<measure>", "<search>", "<result>", "<answer>"
TAIL = "<tail>"
STAGE, OPTION = ";", "|"
CLOSE = ")"
MANAGERS = ("cgscc(", "function(", "function<eager-inv>(", "loop(", "loop-mssa(", "devirt<4>(")
# Shares of the baseline that a recipe saves: no measurement, less than nothing, the same with
# each of these thousandths at least, nothing, then from each of these thousandths on.
_THOUSANDTHS = (1, 3, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480)
_LOST = (5, 20, 80, 320)
GAINS = (
    "gain:failed", "gain:worse", *(f"gain:-{n}" for n in _LOST),
    "gain:none", *(f"gain:{n}" for n in _THOUSANDTHS),
)  # fmt: skip
_NAME = "= "  # in front of a recipe: the token that stands for it
BUCKETS = 18  # 0, then one for each power of two; the last one is open
_TARGETS = ("X86", "AArch64", "ARM", "RISCV", "other")


def _tokens() -> Iterator[str]:
    yield from (PAD, UNKNOWN, BEGIN, END, MEASURE, SEARCH, RESULT, ANSWER, TAIL, *GAINS)
    yield from (f"metric:{metric.value}" for metric in Metric)
    yield from (f"level:{level.value}" for level in Level)
    yield from (f"llvm:{major}" for major in range(OLDEST, NEWEST + 1))
    yield from (f"target:{target}" for target in _TARGETS)
    yield from (f"{n}={bucket}" for n in range(len(FEATURES)) for bucket in range(BUCKETS))
    yield from (STAGE, OPTION, CLOSE, *MACROS, *MANAGERS)
    yield from (_text(row.name, form) for row in PASSES if not row.grows for form in row.forms)
    yield from (row.text for row in OPTIONS)
    yield from sorted(set(_names()))  # so the order of the coreset is not a part of it


def _names() -> Iterator[str]:
    """For recipes of the coreset, and for their stages alone."""
    for metric in Metric:
        for recipe in map(canonical, known().recipes[metric]):
            if len(recipe.stages) > 1:  # else it is a macro, which has a token
                yield _NAME + format_recipe(Recipe(recipe.stages))
            if recipe.options:
                yield _NAME + format_recipe(recipe)


def _text(name: str, form: str) -> str:
    return f"{name}<{form}>" if form else name


TOKENS: tuple[str, ...] = tuple(_tokens())
IDS: dict[str, int] = {token: number for number, token in enumerate(TOKENS)}
NAMED: dict[int, Recipe] = {
    number: parse_recipe(token.removeprefix(_NAME))
    for token, number in IDS.items()
    if token.startswith(_NAME)
}
FIRST_NAME = min(NAMED)  # all tokens from here on are names
VERSION = hashlib.blake2b("\n".join(TOKENS).encode(), digest_size=8).hexdigest()


def bucket(count: int) -> int:
    """0 for nothing, else one more than the floor of the binary logarithm, bounded."""
    return min(count.bit_length(), BUCKETS - 1)


def gain(before: int, after: int | None) -> int:
    """The token for what a recipe makes of `before`; None: it could not be measured."""
    if after is None:
        return IDS["gain:failed"]
    saved = 1000 * (before - after)
    if -saved >= max(1, _LOST[0] * before):
        return IDS[f"gain:-{max(n for n in _LOST if -saved >= n * before)}"]
    if saved < max(1, _THOUSANDTHS[0] * before):
        return IDS["gain:worse" if saved < 0 else "gain:none"]
    return IDS[f"gain:{max(n for n in _THOUSANDTHS if saved >= n * before)}"]


def prompt(request: Request) -> list[int]:
    """The tokens that a request becomes: always as many. What follows is a turn."""
    target = request.target if request.target in _TARGETS else "other"
    words = [
        BEGIN,
        f"metric:{request.metric.value}",
        f"level:{request.level.value}",
        f"llvm:{request.major}",
        f"target:{target}",
        *(f"{n}={bucket(count)}" for n, count in enumerate(request.info.features)),
    ]
    return [IDS[word] for word in words]


PROMPT_LENGTH = 5 + len(FEATURES)


def encode(recipe: Recipe) -> list[int]:
    """The tokens of a recipe, END included. Raises RecipeError for what has no token."""
    return _ids(_words(recipe, recipe))


def encode_for(recipe: Recipe, major: int, target: str) -> list[int]:
    """The tokens of a recipe as far as it holds for an LLVM, END included; the name of one that
    has a name, for that means the same. Raises RecipeError for what has no token."""
    return _ids(_words(recipe, adapt(recipe, major, target)))


def _words(recipe: Recipe, fitting: Recipe) -> list[str]:
    """Of what is left of a recipe, unless the whole or its stages have a name."""
    whole = canonical(recipe)
    if whole.options and _NAME + format_recipe(whole) in IDS:
        return [_NAME + format_recipe(whole)]
    name = _NAME + format_recipe(Recipe(whole.stages))
    words = [name] if name in IDS else []
    for stage in () if words else fitting.stages:
        words += [STAGE] if words else []
        words += [stage] if is_macro(stage) else _nodes(parse_pipeline(stage))
    if fitting.options:
        words += [OPTION, *sorted(fitting.options, key=lambda text: IDS.get(text, 0))]
    return words


def encode_tail(text: str) -> list[int]:
    """The tokens of what is inside of one `function(…)`, END included. Raises RecipeError."""
    (node,) = parse_pipeline(text)
    return _ids(list(_nodes(node.children or ())))


def _ids(words: Sequence[str]) -> list[int]:
    try:
        return [IDS[word] for word in (*words, END)]
    except KeyError as error:
        raise RecipeError(f"{error.args[0]} has no token") from None


def _nodes(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        text = node.name if node.parameters is None else f"{node.name}<{node.parameters}>"
        if node.children is None:
            yield text
        else:
            yield f"{text}("
            yield from _nodes(node.children)
            yield CLOSE


def decode(tokens: Sequence[int]) -> Recipe:
    """The recipe that tokens spell, up to END. Raises RecipeError if they spell none."""
    words = [TOKENS[token] for token in tokens]
    if END not in words:
        raise RecipeError("the recipe has no end")
    words = words[: words.index(END)]
    named = NAMED.get(tokens[0], Recipe())
    if named.options and words[1:]:
        raise RecipeError("something stands behind a whole recipe")
    options = named.options
    if OPTION in words:
        at = words.index(OPTION)
        words, options = words[:at], tuple(sorted(words[at + 1 :]))
    stages: list[list[str]] = [[]]
    for word in words:
        if word == STAGE:
            stages.append([])
        else:
            stages[-1].append(word)
    if named.stages:
        if stages[0][1:]:
            raise RecipeError("something stands behind a name")
        return Recipe((*named.stages, *map(_joined, stages[1:])), options)
    return Recipe(tuple(map(_joined, stages)), options)


def decode_for(tokens: Sequence[int], major: int, target: str) -> Recipe:
    """The same as far as it holds for an LLVM: all of it but for what has a name."""
    return adapt(decode(tokens), major, target)


def decode_tail(tokens: Sequence[int]) -> str:
    """The pipeline that tokens spell, up to END. Raises RecipeError if they spell none."""
    words = [TOKENS[token] for token in tokens]
    if END not in words:
        raise RecipeError("the pipeline has no end")
    return f"function({_joined(words[: words.index(END)])})"


def _joined(words: Sequence[str]) -> str:
    """A stage from its words. Raises RecipeError if it is none."""
    stage = ""
    for word in words:
        comma = "," if stage and not stage.endswith("(") and word != CLOSE else ""
        stage += comma + word
    if not stage:
        raise RecipeError("a stage is empty")
    if not is_macro(stage):
        parse_pipeline(stage)
    return stage
