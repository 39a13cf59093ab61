"""Pipeline text as a tree: parse, print, normalise, check.

The grammar is that of `llvm/lib/Passes/PassBuilder.cpp` (parsePipelineText):
elements separated by commas, each a name, optional parameters in angle brackets
and, for a manager, a nested pipeline in parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cr1cc.errors import RecipeError
from cr1cc.passes.rows import PassLevel, parameter_problem
from cr1cc.passes.table import find_pass, find_refused


@dataclass(frozen=True)
class Node:
    """A pass (`children` is None) or a manager. `parameters` is None without brackets."""

    name: str
    parameters: str | None = None
    children: tuple[Node, ...] | None = None

    def __str__(self) -> str:
        text = self.name if self.parameters is None else f"{self.name}<{self.parameters}>"
        return text if self.children is None else f"{text}({format_pipeline(self.children)})"


Pipeline = tuple[Node, ...]

# manager: the level of what it holds, the levels it may stand in, its parameter forms
MANAGERS: dict[str, tuple[PassLevel, tuple[PassLevel, ...], re.Pattern[str]]] = {
    "cgscc": (PassLevel.CGSCC, (PassLevel.MODULE,), re.compile(r"(?!)")),
    "devirt": (PassLevel.CGSCC, (PassLevel.CGSCC,), re.compile(r"[0-8]")),
    "function": (
        PassLevel.FUNCTION,
        (PassLevel.MODULE, PassLevel.CGSCC, PassLevel.FUNCTION),
        re.compile(r"eager-inv"),
    ),
    "loop": (PassLevel.LOOP, (PassLevel.FUNCTION,), re.compile(r"(?!)")),
    "loop-mssa": (PassLevel.LOOP_MSSA, (PassLevel.FUNCTION,), re.compile(r"(?!)")),
    "module": (PassLevel.MODULE, (PassLevel.MODULE,), re.compile(r"(?!)")),
}

MAX_TEXT = 16384  # characters: a longer text is no recipe of ours
_MAX_DEPTH = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_PARAMETERS = re.compile(r"[A-Za-z0-9=;-]*")


def parse_pipeline(text: str) -> Pipeline:
    """The tree of a pipeline text. Raises RecipeError where the text is malformed."""
    if len(text) > MAX_TEXT:
        raise RecipeError("the pipeline is too long")
    nodes, end = _parse_list(text, 0, 0)
    if end != len(text):
        raise RecipeError(f"unexpected {text[end]!r} at character {end + 1} of {text[:60]!r}")
    return nodes


def _parse_list(text: str, at: int, depth: int) -> tuple[Pipeline, int]:
    if depth > _MAX_DEPTH:
        raise RecipeError("the pipeline is nested too deeply")
    nodes = []
    while True:
        node, at = _parse_node(text, at, depth)
        nodes.append(node)
        if not text.startswith(",", at):
            return tuple(nodes), at
        at += 1


def _parse_node(text: str, at: int, depth: int) -> tuple[Node, int]:
    match = _NAME.match(text, at)
    if not match:
        raise RecipeError(f"a pass name is missing at character {at + 1} of {text[:60]!r}")
    name, at, parameters = match.group(), match.end(), None
    if text.startswith("<", at):
        match = _PARAMETERS.match(text, at + 1)
        assert match is not None
        if not text.startswith(">", match.end()):
            raise RecipeError(f"the parameters of {name} are malformed")
        parameters, at = match.group(), match.end() + 1
    if not text.startswith("(", at):
        return Node(name, parameters), at
    children, at = _parse_list(text, at + 1, depth + 1)
    if not text.startswith(")", at):
        raise RecipeError(f"a closing parenthesis of {name} is missing")
    return Node(name, parameters, children), at + 1


def format_pipeline(pipeline: Iterable[Node]) -> str:
    return ",".join(map(str, pipeline))


def check_pipeline(pipeline: Pipeline, major: int, level: PassLevel = PassLevel.MODULE) -> None:
    """Raises RecipeError naming the first element that is not vetted for the LLVM major
    or not legal where it stands. `level` is the level of the outermost elements."""
    for node in pipeline:
        if node.children is None:
            _check_pass(node, major, level)
        else:
            check_pipeline(node.children, major, check_manager(node, level))


def check_manager(node: Node, level: PassLevel) -> PassLevel:
    """The level of what a manager holds. Raises RecipeError if it cannot stand here."""
    manager = MANAGERS.get(node.name)
    if manager is None:
        raise RecipeError(f"{node.name} is not a pass manager")
    inner, outer, parameters = manager
    if level not in outer:
        raise RecipeError(f"{node.name}(…) cannot stand in a {level.value} pipeline")
    if node.parameters is None:
        if node.name == "devirt":
            raise RecipeError("devirt(…) needs its count")
    elif not parameters.fullmatch(node.parameters):
        raise RecipeError(f"{node.name}<{node.parameters}>(…) is not vetted")
    return inner


def _check_pass(node: Node, major: int, level: PassLevel) -> None:
    row = find_pass(node.name)
    if row is None:
        refused = find_refused(node.name)
        why = f"is refused: {refused.finding}" if refused else "is not a vetted pass"
        raise RecipeError(f"{node.name} {why}")
    if not row.holds_for(major):
        raise RecipeError(f"{node.name} is not vetted for LLVM {major}")
    if level not in row.levels:
        raise RecipeError(f"{node.name} cannot stand in a {level.value} pipeline")
    problem = parameter_problem(row, node.parameters or "", major)
    if problem:
        raise RecipeError(problem)
    if not node.parameters and "" not in row.forms:
        raise RecipeError(f"{node.name} needs parameters")


def normalise(pipeline: Pipeline) -> Pipeline:
    """The same pipeline with fewer managers.

    Drops empty managers, `module(…)` in a module pipeline, and merges adjacent
    `function(…)` with equal parameters: function passes see one function only, so
    their order over functions does not matter. Adjacent `cgscc(…)` and `loop(…)`
    stay apart, because merging them changes the order in which passes visit.
    Empty brackets go, and so does an empty part at the end of parameters.
    """
    while (simpler := _normalise(pipeline, "module")) != pipeline:
        pipeline = simpler
    return pipeline


def _normalise(pipeline: Pipeline, manager: str) -> Pipeline:
    result: list[Node] = []
    for node in pipeline:
        parameters = (node.parameters or "").strip(";") or None
        if node.children is None:
            result.append(Node(node.name, parameters))
            continue
        children = _normalise(node.children, node.name)
        if not children:
            continue
        if node.name == manager and manager in ("module", "function") and parameters is None:
            result.extend(children)
            continue
        last = result[-1] if result else None
        same_kind = last is not None and (last.name, last.parameters) == ("function", parameters)
        if last and last.children and same_kind and node.name == "function":
            result[-1] = Node("function", parameters, last.children + children)
            continue
        result.append(Node(node.name, parameters, children))
    return tuple(result)


def leaves(pipeline: Iterable[Node]) -> list[str]:
    """The texts of all passes in the order they are written, without managers."""
    texts = []
    for node in pipeline:
        texts.extend([str(node)] if node.children is None else leaves(node.children))
    return texts


def keep(pipeline: Pipeline, wanted: Callable[[int], bool]) -> Pipeline:
    """The pipeline with only those leaves whose index (as in `leaves`) is wanted;
    managers left empty go with their last leaf."""
    counter = iter(range(1 << 30))

    def walk(nodes: Pipeline) -> Pipeline:
        kept = []
        for node in nodes:
            if node.children is None:
                if wanted(next(counter)):
                    kept.append(node)
            elif children := walk(node.children):
                kept.append(Node(node.name, node.parameters, children))
        return tuple(kept)

    return walk(pipeline)
