"""Each rule replaces what it says where what it calls dead is dead, and nowhere else."""

from __future__ import annotations

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.instruction import Label, memory
from cr1cc.rewrite.pattern import Bindings, Part, built, pattern
from cr1cc.rewrite.places import FLAGS, GENERAL, Register
from cr1cc.rewrite.rules import RULES, Rule
from tests.unit.rewrite.functions import rewritten

# No register that a call or a return looks at, and one of the four that byte operations know best.
_NUMBERS = {"r": 1, "s": 6, "t": 7}
_EXCHANGED = {"r": 0, "s": 6}
_CONSTANT = 5
_READERS = {"cf": "setb", "of": "seto", "zf": "sete", "sf": "sets", "pf": "setp"}


def meaning(rule: Rule) -> Bindings:
    """Values for the variables of a rule that fulfil its condition."""
    width = pattern(rule.old)[0].widths
    found: Bindings = {"W": (0, *width)[-1], "i": _CONSTANT, "k": 4, "L": Label(".L1", False)}
    found |= _EXCHANGED if rule.name.startswith("exchange") else _NUMBERS
    found["m"] = memory("16(%rdx)")
    found["x"] = Register(7, int(str(found["W"])) or 8)
    return found


def old_of(rule: Rule) -> list[str]:
    found = meaning(rule)
    parts = pattern(rule.old)
    wide = Part(parts[0].stem, parts[0].widths[-1:], parts[0].operands)
    return [one.text.replace("\t", " ") for one in built((wide, *parts[1:]), found)]


def new_of(rule: Rule) -> list[str]:
    found = meaning(rule)
    found |= {name: value(found) for name, value in rule.values.items()}
    return [one.text.replace("\t", " ") for one in built(pattern(rule.new), found)]


def killed(rule: Rule) -> list[str]:
    """Instructions that give everything new values that the rule calls dead."""
    found = meaning(rule)
    names = [word.partition(">")[0] for word in rule.dead.split()]
    lines = []
    for name in names:
        if name in found or name in GENERAL:
            number = found.get(name, 0)
            assert isinstance(number, int)
            lines.append(f"movl $7, {Register(number, 4)}")
    return ["cmpl %r8d, %r9d", *lines]


def read(rule: Rule, word: str) -> list[str]:
    """Instructions that look at what a word of `dead` means, and at nothing else of it."""
    if word in FLAGS:
        return [f"{_READERS[word]} %al"]
    if word == "flags":
        return ["seto %al"]
    number = meaning(rule).get(word.partition(">")[0], 0)
    assert isinstance(number, int)
    return [f"movq {Register(number, 8)}, %r8", "shrq $63, %r8", "movq %r8, %r10"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_replaces_what_is_dead_behind_it(rule: Rule) -> None:
    old = old_of(rule)
    body = [*old, ".L1:", *killed(rule), "ret"]
    if old[-1].startswith("j"):
        body = [*old, *killed(rule), "ret", ".L1:", *killed(rule), "ret"]
    text = rewritten(";".join(body), Objective.SMALLEST, [rule])
    assert text[: len(new_of(rule))] == new_of(rule)
    assert text != body


@pytest.mark.parametrize(
    ("rule", "word"),
    [(rule, word) for rule in RULES for word in rule.dead.split()],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_rule_leaves_what_is_read_behind_it(rule: Rule, word: str) -> None:
    body = [*old_of(rule), *read(rule, word), *killed(rule), "addq %r8, %rax", "ret"]
    assert rewritten(";".join(body), Objective.SMALLEST, [rule]) == body


def test_names_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_rule_says_why() -> None:
    assert all(len(rule.why) > 5 for rule in RULES)


def test_an_objective_has_the_rules_of_those_before_it() -> None:
    body = "movl $1, %ecx; addq $1, %rbx; xorl %eax, %eax; leaq (%rax,%rcx,8), %rax; ret"
    speed, size, smallest = (rewritten(body, one) for one in Objective)
    assert speed[:2] == ["movl $1, %ecx", "addq $1, %rbx"]
    assert size[:2] == ["movl $1, %ecx", "incq %rbx"]
    assert smallest[:3] == ["xorl %ecx, %ecx", "incl %ecx", "incq %rbx"]
