"""Pipelines that are valid by construction: nesting, random ones, and the operators
of a genetic search. Nothing here calls LLVM."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cr1cc.errors import RecipeError
from cr1cc.passes.grammar import (
    MANAGERS,
    Node,
    Pipeline,
    format_pipeline,
    keep,
    leaves,
    normalise,
    parse_pipeline,
)
from cr1cc.passes.rows import Pass, PassLevel, forms_for
from cr1cc.passes.table import find_pass, passes_for

_LOOP_LEVELS = (PassLevel.LOOP, PassLevel.LOOP_MSSA)
_FUNCTION_LEVELS = (PassLevel.FUNCTION, *_LOOP_LEVELS)


def nest(passes: Sequence[str], *, level: PassLevel = PassLevel.MODULE) -> str:
    """A valid pipeline text from pass texts in order, e.g. `["inline", "sroa", "licm"]`.

    Neighbours share managers: loop passes share one loop manager as far as MemorySSA
    allows, function passes one `function(…)`, and what follows a cgscc pass stays in
    its `cgscc(…)` until the next module pass. With `level` FUNCTION the result is a
    tail: one `function(…)`. Raises RecipeError for a pass that is not vetted or that
    the level cannot hold; "" for no passes.
    """
    body: list[Node] = []
    for text in passes:
        node, row = _leaf(text)
        _append(body, node, row, level)
    tree = tuple(body)
    if level is PassLevel.FUNCTION and tree:
        tree = (Node("function", None, tree),)
    return format_pipeline(tree)


def _leaf(text: str) -> tuple[Node, Pass]:
    nodes = parse_pipeline(text)
    row = find_pass(nodes[0].name)
    if len(nodes) != 1 or nodes[0].children is not None or row is None:
        raise RecipeError(f"{text[:60]} is not a vetted pass")
    return nodes[0], row


def _append(body: list[Node], node: Node, row: Pass, level: PassLevel) -> None:
    """Put a leaf behind everything in the body of a manager of `level`."""
    if level in row.levels:
        body.append(node)
        return
    if level is PassLevel.FUNCTION and row.level in _LOOP_LEVELS:
        _append_loop(body, node, row)
        return
    if level is PassLevel.CGSCC and row.level in _FUNCTION_LEVELS:
        _descend(body, node, row, "function", PassLevel.FUNCTION)
    elif level is PassLevel.MODULE and row.level is PassLevel.CGSCC:
        _descend(body, node, row, "cgscc", PassLevel.CGSCC)
    elif level is PassLevel.MODULE and row.level in _FUNCTION_LEVELS:
        if body and body[-1].name == "cgscc":
            _descend(body, node, row, "cgscc", PassLevel.CGSCC)
        else:
            _descend(body, node, row, "function", PassLevel.FUNCTION)
    else:
        raise RecipeError(f"{row.name} cannot stand in a {level.value} pipeline")


def _descend(body: list[Node], node: Node, row: Pass, manager: str, inner: PassLevel) -> None:
    children: list[Node] = []
    if body and body[-1].name == manager and body[-1].children is not None:
        children = list(body.pop().children or ())
    _append(children, node, row, inner)
    body.append(Node(manager, None, tuple(children)))


def _append_loop(body: list[Node], node: Node, row: Pass) -> None:
    last = body[-1] if body else None
    if last is not None and last.children is not None and last.name in ("loop", "loop-mssa"):
        together = (*last.children, node)
        for level in (MANAGERS[last.name][0], *_LOOP_LEVELS):
            if all(level in _row(child).levels for child in together):
                body[-1] = Node(level.value, None, together)
                return
    body.append(Node(row.level.value, None, (node,)))


def _row(node: Node) -> Pass:
    row = find_pass(node.name)
    if row is None:
        raise RecipeError(f"{node.name} is not a vetted pass")
    return row


def random_pass(
    rng: Random, major: int, level: PassLevel = PassLevel.MODULE, *, size_only: bool = True
) -> str:
    """A random pass text that a pipeline of `level` can hold."""
    rows = [
        row
        for row in passes_for(major, size_only=size_only)
        if any(_reachable(level, inner) for inner in row.levels) and forms_for(row, major)
    ]
    return rng.choice(forms_for(rng.choice(rows), major))


def _reachable(outer: PassLevel, inner: PassLevel) -> bool:
    """Whether managers can nest a pass of level `inner` into a pipeline of `outer`."""
    order = {PassLevel.MODULE: 0, PassLevel.CGSCC: 1, PassLevel.FUNCTION: 2}
    return outer is inner or (outer in order and order[outer] < order.get(inner, 3))


def random_pipeline(
    rng: Random,
    major: int,
    length: int,
    level: PassLevel = PassLevel.MODULE,
    *,
    size_only: bool = True,
) -> str:
    """A random valid pipeline of `length` passes; a tail with `level` FUNCTION."""
    passes = [random_pass(rng, major, level, size_only=size_only) for _ in range(length)]
    return nest(passes, level=level)


# --- Operators. Each takes and returns a pipeline text; `level` as for `nest`. ---

_Body = tuple[tuple[int, ...], PassLevel]  # path of child indices to a manager, what it holds


def insert(rng: Random, text: str, major: int, level: PassLevel = PassLevel.MODULE) -> str:
    """One more random pass, anywhere."""
    tree = _tree(text)
    if not tree:
        return random_pipeline(rng, major, 1, level)
    path, inner = rng.choice(_bodies(tree, level))
    wrapped = _wrap(rng, parse_pipeline(random_pass(rng, major, inner))[0], inner)
    return _print(_splice(tree, path, rng.randint(0, len(_at(tree, path))), 0, (wrapped,)))


def delete(rng: Random, text: str) -> str:
    """One random pass less."""
    tree = _tree(text)
    count = len(leaves(tree))
    if not count:
        return text
    victim = rng.randrange(count)
    return _print(keep(tree, lambda index: index != victim))


def thin(rng: Random, text: str, share: float) -> str:
    """Each pass goes with probability `share`."""
    return _print(keep(_tree(text), lambda _: rng.random() >= share))


def replace(rng: Random, text: str, major: int, level: PassLevel = PassLevel.MODULE) -> str:
    """One pass becomes another, or the same with other parameters."""
    tree = _tree(text)
    spots = _leaf_spots(tree, level)
    if not spots:
        return insert(rng, text, major, level)
    path, index, inner = rng.choice(spots)
    old = _at(tree, path)[index]
    forms = [f for f in forms_for(_row(old), major) if f != str(old)]
    if forms and rng.random() < 0.5:
        new = parse_pipeline(rng.choice(forms))[0]
    else:
        new = _wrap(rng, parse_pipeline(random_pass(rng, major, inner))[0], inner)
    return _print(_splice(tree, path, index, 1, (new,)))


def swap(rng: Random, text: str, level: PassLevel = PassLevel.MODULE) -> str:
    """Two elements of one manager change places."""
    tree = _tree(text)
    bodies = [path for path, _ in _bodies(tree, level) if len(_at(tree, path)) > 1]
    if not bodies:
        return text
    path = rng.choice(bodies)
    body = list(_at(tree, path))
    first, second = rng.sample(range(len(body)), 2)
    body[first], body[second] = body[second], body[first]
    return _print(_splice(tree, path, 0, len(body), tuple(body)))


def move(rng: Random, text: str, level: PassLevel = PassLevel.MODULE) -> str:
    """One pass goes to another place, across managers too."""
    tree = _tree(text)
    spots = _leaf_spots(tree, level)
    if len(spots) < 2:
        return text
    victim = rng.randrange(len(spots))
    path, index, _ = spots[victim]
    node = _at(tree, path)[index]
    rest = keep(tree, lambda i: i != victim)
    row = _row(node)
    places = [
        (target, inner)
        for target, inner in _bodies(rest, level)
        if any(_reachable(inner, own) for own in row.levels)
    ]
    if not places:
        return text
    target, inner = rng.choice(places)
    wrapped = _wrap(rng, node, inner)
    return _print(_splice(rest, target, rng.randint(0, len(_at(rest, target))), 0, (wrapped,)))


def crossover(rng: Random, first: str, second: str, level: PassLevel = PassLevel.MODULE) -> str:
    """`first` up to a cut in one of its managers, followed there by what `second` has
    behind a cut in a manager that holds the same level."""
    one, two = _tree(first), _tree(second)
    if not one or not two:
        return first or second
    partners: dict[PassLevel, list[tuple[int, ...]]] = {}
    for path, inner in _bodies(two, level):
        partners.setdefault(inner, []).append(path)
    path, inner = rng.choice([b for b in _bodies(one, level) if b[1] in partners])
    donor = _at(two, rng.choice(partners[inner]))
    body = _at(one, path)
    cut = rng.randint(0, len(body))
    return _print(_splice(one, path, cut, len(body) - cut, donor[rng.randint(0, len(donor)) :]))


def mutate(rng: Random, text: str, major: int, level: PassLevel = PassLevel.MODULE) -> str:
    """One of the operators above, at random."""
    kind = rng.choice(("insert", "insert", "delete", "replace", "replace", "swap", "move"))
    if kind == "insert":
        return insert(rng, text, major, level)
    if kind == "delete":
        return delete(rng, text)
    if kind == "replace":
        return replace(rng, text, major, level)
    return swap(rng, text, level) if kind == "swap" else move(rng, text, level)


def _tree(text: str) -> Pipeline:
    return parse_pipeline(text) if text else ()


def _print(tree: Pipeline) -> str:
    return format_pipeline(normalise(tree))


def _bodies(tree: Pipeline, level: PassLevel) -> list[_Body]:
    """All manager bodies, the outermost one too unless it is that of a tail."""
    found: list[_Body] = [] if level is PassLevel.FUNCTION else [((), level)]

    def walk(nodes: Pipeline, path: tuple[int, ...]) -> None:
        for index, node in enumerate(nodes):
            if node.children is not None:
                found.append(((*path, index), MANAGERS[node.name][0]))
                walk(node.children, (*path, index))

    walk(tree, ())
    return found


def _leaf_spots(tree: Pipeline, level: PassLevel) -> list[tuple[tuple[int, ...], int, PassLevel]]:
    """Every pass in the order of `leaves`: path of its manager, index in it, level of it."""
    found = []

    def walk(nodes: Pipeline, path: tuple[int, ...], inner: PassLevel) -> None:
        for index, node in enumerate(nodes):
            if node.children is None:
                found.append((path, index, inner))
            else:
                walk(node.children, (*path, index), MANAGERS[node.name][0])

    walk(tree, (), level)
    return found


def _at(tree: Pipeline, path: tuple[int, ...]) -> Pipeline:
    for index in path:
        tree = tree[index].children or ()
    return tree


def _splice(
    tree: Pipeline, path: tuple[int, ...], index: int, count: int, new: Pipeline
) -> Pipeline:
    """The tree with `count` elements from `index` on of the body at `path` replaced."""
    if not path:
        return (*tree[:index], *new, *tree[index + count :])
    head = tree[path[0]]
    children = _splice(head.children or (), path[1:], index, count, new)
    node = Node(head.name, head.parameters, children)
    return (*tree[: path[0]], node, *tree[path[0] + 1 :])


def _wrap(rng: Random, node: Node, level: PassLevel) -> Node:
    """The pass within the managers that it needs to stand in a body of `level`."""
    row = _row(node)
    if level in row.levels:
        return node
    if row.level in _LOOP_LEVELS and level is not PassLevel.LOOP:
        node = Node(row.level.value, None, (node,))
        if level is PassLevel.FUNCTION:
            return node
    if row.level is PassLevel.CGSCC:
        return Node("cgscc", None, (node,))
    node = Node("function", None, (node,))
    if level is PassLevel.MODULE and rng.random() < 0.25:
        return Node("cgscc", None, (node,))
    return node
