"""What is stored, as JSON, and back with nothing taken on trust.

A stored entry may be anything: bits that rotted, an older form, or what somebody
wrote there on purpose. Decoding gives the record or None, never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cr1cc.outcome import Kind, Outcome
from cr1cc.records import (
    Answer,
    Decision,
    Failure,
    FunctionChange,
    Recipe,
    Rewrite,
    Rewritten,
    Turn,
)

# Raises an exception if the recipe is not one that may be applied.
CheckRecipe = Callable[[Recipe], object]
# The same for the text of a function's tail pipeline.
CheckTail = Callable[[str], object]

_MOST_BYTES = 1 << 40
_MOST_TEXT = 1 << 16  # characters of one name or pipeline (mangled names grow long)
_MOST_ITEMS = 1 << 20


@dataclass(frozen=True)
class FunctionAnswer:
    """The best known tail of one function. `tail` is "" where nothing was better."""

    tail: str
    before: int  # st_size without the tail
    after: int
    origin: str = ""  # "store" or "pack", where it was found


@dataclass(frozen=True)
class StoredObject:
    """An object file as it was made, and by which decision (`key` of its module)."""

    key: str
    outcome: Outcome
    bytes_before: int
    bytes_after: int
    data: bytes


def anything(_: object) -> None:
    """The check of a caller that looks at what it gets by itself."""


class _InvalidError(Exception):
    """The entry is not what it should be."""


def encode_decision(decision: Decision) -> bytes:
    """The canonical JSON text of a decision."""
    rewritten = decision.rewritten
    return _dump(
        {
            "answer": decision.answer.value,
            "outcome": decision.outcome.counter,
            "stages": decision.recipe.stages,
            "options": decision.recipe.options,
            "tails": decision.tails,
            "proposer": decision.proposer,
            "machine": decision.machine,
            "evaluations": decision.evaluations,
            "bytes": [decision.bytes_before, decision.bytes_after],
            "ic": [decision.ic_before, decision.ic_after],
            "evidence": decision.evidence,
            "functions": [
                [f.name, f.before, f.after, f.tail, f.origin] for f in decision.functions
            ],
            "trace": [
                [t.action, t.recipe.stages, t.recipe.options, t.before, t.after]
                for t in decision.trace
            ],
            **({"rewritten": _of_rewritten(rewritten)} if rewritten else {}),
        }
    )


def decode_decision(
    data: bytes, answer: Answer, check_recipe: CheckRecipe, check_tail: CheckTail
) -> Decision | None:
    """The decision in `data`, stored as one of kind `answer`; None if it is not one."""
    try:
        decision = _decision(_object(data))
        if decision.answer is not answer:
            return None
        if answer is Answer.BETTER:  # the others have none
            check_recipe(decision.recipe)
        for tail in {tail for _, tail in decision.tails}:
            check_tail(tail)
    # Whatever a check raises at hostile text, the entry is useless.
    except Exception:
        return None
    return decision


def encode_function(answer: FunctionAnswer) -> bytes:
    """The canonical JSON text of a function's answer; its origin is not stored."""
    return _dump({"tail": answer.tail, "before": answer.before, "after": answer.after})


def decode_function(
    data: bytes, better: bool, origin: str, check_tail: CheckTail
) -> FunctionAnswer | None:
    """The answer in `data`, stored as a better tail or as nothing better."""
    try:
        fields = _object(data)
        answer = FunctionAnswer(
            _text(fields["tail"]), _count(fields["before"]), _count(fields["after"]), origin
        )
        if bool(answer.tail) is not better:
            return None
        if better:
            check_tail(answer.tail)
    except Exception:  # as above
        return None
    return answer


def encode_failure(failure: Failure) -> bytes:
    """The canonical JSON text of a candidate's failure."""
    return _dump({"failure": failure.name.lower()})


def decode_failure(data: bytes) -> Failure | None:
    """The failure in `data`; None if it is not one."""
    try:
        return Failure[_text(_object(data)["failure"]).upper()]
    except Exception:  # as above
        return None


def encode_object(stored: StoredObject) -> bytes:
    """One line of JSON, then the object."""
    head = {
        "key": stored.key,
        "outcome": stored.outcome.counter,
        "bytes": [stored.bytes_before, stored.bytes_after],
    }
    return _dump(head) + b"\n" + stored.data


def decode_object(data: bytes) -> StoredObject | None:
    """The object in `data`; None if it is not one."""
    try:
        head, newline, body = data.partition(b"\n")
        fields = _object(head)
        before, after = (_count(value) for value in _pair(fields["bytes"]))
        outcome = Outcome[_text(fields["outcome"]).upper()]
        if not newline or not body or outcome.kind is Kind.PASSTHROUGH:
            return None
        return StoredObject(_text(fields["key"]), outcome, before, after, body)
    except Exception:  # as above
        return None


def _decision(fields: dict[str, object]) -> Decision:
    outcome = Outcome[_text(fields["outcome"]).upper()]
    before, after = (_count(value) for value in _pair(fields["bytes"]))
    ic_before, ic_after = (_count(value) for value in _pair(fields["ic"]))
    decision = Decision(
        answer=Answer(_text(fields["answer"])),
        outcome=outcome,
        recipe=Recipe(_texts(fields["stages"]), _texts(fields["options"])),
        tails=tuple((_text(a), _text(b)) for a, b in map(_pair, _list(fields["tails"]))),
        proposer=_text(fields["proposer"]),
        evaluations=_count(fields["evaluations"]),
        bytes_before=before,
        bytes_after=after,
        ic_before=ic_before,
        ic_after=ic_after,
        evidence=_text(fields["evidence"]),
        functions=tuple(_change(item) for item in _list(fields["functions"])),
        trace=tuple(_turn(item) for item in _list(fields["trace"])),
        machine=_text(fields["machine"]),
        rewritten=_rewritten(fields["rewritten"]) if "rewritten" in fields else None,
    )
    _consistent(decision)
    return decision


def _of_rewritten(one: Rewritten) -> list[object]:
    rows = [[r.function, r.by, r.windows, r.saved, r.questions, r.tested] for r in one.rewrites]
    return [rows, one.functions, one.tried, one.unknown, one.left, one.reason]


def _rewritten(item: object) -> Rewritten:
    rows, functions, tried, unknown, left, reason = _list(item)
    rewrites = []
    for row in _list(rows):
        function, by, windows, saved, questions, tested = _list(row)
        counts = (_count(windows), _count(saved), _count(questions))
        rewrites.append(Rewrite(_text(function), _text(by), *counts, _text(tested)))
    counts = (_count(functions), _count(tried), _count(unknown))
    return Rewritten(tuple(rewrites), *counts, _count(left), _text(reason))


def _turn(item: object) -> Turn:
    """For people only: what a turn names is never applied."""
    action, stages, options, before, after = _list(item)
    recipe = Recipe(_texts(stages), _texts(options))
    return Turn(_text(action), recipe, _count(before), None if after is None else _count(after))


def _consistent(decision: Decision) -> None:
    """A better answer is smaller and replaces; the two others change nothing."""
    if decision.answer is Answer.BETTER:
        fits = decision.outcome.kind is Kind.REPLACED
        fits = fits and decision.bytes_after < decision.bytes_before
    else:
        fits = decision.outcome.kind is Kind.BASELINE
        fits = fits and not decision.tails and decision.recipe == Recipe()
    names = [name for name, _ in decision.tails]
    if not fits or len(set(names)) != len(names):
        raise _InvalidError


def _change(item: object) -> FunctionChange:
    fields = _list(item)
    if len(fields) != 5:
        raise _InvalidError
    name, before, after, tail, origin = fields
    return FunctionChange(_text(name), _count(before), _count(after), _text(tail), _text(origin))


def _dump(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _object(data: bytes) -> dict[str, object]:
    fields = json.loads(data)
    if not isinstance(fields, dict):
        raise _InvalidError
    return fields


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise _InvalidError
    return value


def _pair(value: object) -> list[object]:
    items = _list(value)
    if len(items) != 2:
        raise _InvalidError
    return items


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise _InvalidError
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_BYTES:
        raise _InvalidError
    return value
