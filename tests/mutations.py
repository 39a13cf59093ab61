"""Changes of assembly at random: some mostly wrong (`broken`), some mostly right (`kept`).

Texts are those of one function in AT&T syntax as compilers write them. Nothing here knows whether
a change is right: that is what is asked.
"""

from __future__ import annotations

import itertools
import random
import re

REGISTERS = (
    ("rax", "eax", "ax", "al"), ("rcx", "ecx", "cx", "cl"), ("rdx", "edx", "dx", "dl"),
    ("rsi", "esi", "si", "sil"), ("rdi", "edi", "di", "dil"), ("r8", "r8d", "r8w", "r8b"),
    ("r9", "r9d", "r9w", "r9b"), ("r10", "r10d", "r10w", "r10b"), ("r11", "r11d", "r11w", "r11b"),
)  # fmt: skip
SWAPS = (
    ("add", "sub"), ("and", "or"), ("xor", "or"), ("shl", "shr"), ("sar", "shr"), ("sall", "shrl"),
    ("jl", "jle"), ("jg", "jge"), ("ja", "jg"), ("jb", "jl"), ("je", "jne"), ("js", "jns"),
    ("setl", "setb"), ("sete", "setne"), ("cmovl", "cmovle"), ("cmovs", "cmovns"),
    ("cmove", "cmovne"), ("movzb", "movsb"), ("movzw", "movsw"), ("movslq", "movl"),
    ("paddd", "psubd"), ("pand", "por"), ("incl", "decl"), ("negl", "notl"), ("adc", "add"),
)  # fmt: skip
_LEAVES = re.compile(r"^\t(j|call|ret|push|pop)", re.MULTILINE)
_R, _N = r"%\w+", r"-?\d+"
# A line, and what often does the same: where flags or upper halves do not matter.
EQUIVALENTS = (
    (rf"xorl\t({_R}), \1", r"movl\t$0, \1"),
    (rf"movl\t\$0, ({_R})", r"xorl\t\1, \1"),
    (rf"test([lq])\t({_R}), \2", r"cmp\1\t$0, \2"),
    (rf"test([lq])\t({_R}), \2", r"or\1\t\2, \2"),
    (rf"test([bwlq])\t({_R}), ({_R})", r"test\1\t\3, \2"),
    (rf"add([lq])\t\$({_N}), ({_R})", r"sub\1\t$-\2, \3"),
    (rf"sub([lq])\t\$({_N}), ({_R})", r"add\1\t$-\2, \3"),
    (rf"add([lq])\t\$({_N}), ({_R})", r"lea\1\t\2(\3), \3"),
    (rf"addl\t\$1, ({_R})", r"incl\t\1"),
    (rf"subl\t\$1, ({_R})", r"decl\t\1"),
    (rf"lea([lq])\t\(({_R}),({_R})\), ({_R})", r"lea\1\t(\3,\2), \4"),
    (rf"lea([lq])\t({_N})\(({_R})\), \3", r"add\1\t$\2, \3"),
    (rf"leal\t\(%r(\w\w),%r(\w\w)\), ({_R})", r"movl\t%e\1, \3\n\taddl\t%e\2, \3"),
    (rf"leaq\t\(({_R}),({_R})\), ({_R})", r"movq\t\1, \3\n\taddq\t\2, \3"),
    (rf"leaq\t\(({_R}),\1,2\), ({_R})", r"imulq\t$3, \1, \2"),
    (r"movzbl\t%([a-d])l, %e\1x", r"andl\t$255, %e\1x"),
    (rf"movzwl\t%([a-d])x, ({_R})", r"movl\t%e\1x, \2\n\tandl\t$65535, \2"),
    (r"movzbl\t%([a-d])l, %e\1x", r"shll\t$24, %e\1x\n\tshrl\t$24, %e\1x"),
    (r"cltq", r"movslq\t%eax, %rax"),
    (r"cqto", r"movq\t%rax, %rdx\n\tsarq\t$63, %rdx"),
    (r"cltd", r"movl\t%eax, %edx\n\tsarl\t$31, %edx"),
    (rf"(?:sal|shl)([lq])\t(?:\$1, )?({_R})", r"add\1\t\2, \2"),
    (rf"(?:sal|shl)([lq])\t\$3, ({_R})", r"imul\1\t$8, \2"),
    (rf"imul([lq])\t\$({_N}), ({_R}), \3", r"imul\1\t$\2, \3"),
    (rf"neg([lq])\t({_R})", r"not\1\t\2\n\tadd\1\t$1, \2"),
    (rf"not([lq])\t({_R})", r"xor\1\t$-1, \2"),
    (rf"movl\t({_R}), \1", r"nop"),
    (r"movl\t%e(\w\w), (%e\w\w)", r"leal\t(%r\1), \2"),
    (rf"sub([lq])\t({_R}), ({_R})", r"not\1\t\3\n\tadd\1\t\2, \3\n\tnot\1\t\3"),
    (rf"(add|and|or|xor|imul)([lq])\t({_R}), ({_R})", r"\1\2\t\4, \3\n\tmov\2\t\3, \4"),
    (rf"({_N}|)\(({_R}),({_R})\)", r"\1(\3,\2)"),
    (rf"({_N}|)\(({_R}),({_R}),1\)", r"\1(\3,\2)"),
    (r"jae\t", r"jnb\t"),
    (r"ja\t", r"jnbe\t"),
    (r"set(ae|nc)\t", r"setnb\t"),
)  # fmt: skip
MIRRORED = {"l": "g", "g": "l", "le": "ge", "ge": "le", "a": "b", "b": "a", "ae": "be", "be": "ae"}
NOTHING = (
    "nop", "xchgw\t%ax, %ax", "nopl\t(%rax)", "movl\t$7, %r11d", "xorl\t%r10d, %r10d",
    "leaq\t(%rdi), %rdi", "movq\t%rsi, %r11", "addq\t$0, %rdx", "testl\t%ecx, %ecx",
)  # fmt: skip


def kept(text: str, source: random.Random) -> str:
    """The text with one to three changes that are often right."""
    for _ in range(source.randrange(1, 4)):
        text = source.choice(WAYS)(text, source)
    return text


def equivalent(text: str, source: random.Random) -> str:
    """An instruction replaced by one or some that do the same, but perhaps for flags."""
    lines, code = _read(text)
    fitting = [
        (at, pattern, new)
        for at in code
        for pattern, new in EQUIVALENTS
        if re.search(rf"(?<=[\t ,]){pattern}", lines[at])
    ]
    if fitting:
        at, pattern, new = source.choice(fitting)
        changed = re.sub(rf"(?<=[\t ,]){pattern}", new, lines[at], count=1)
        lines[at] = changed.replace("$--", "$")
    return _joined(lines)


def reordered(text: str, source: random.Random) -> str:
    """Two instructions in turn exchanged that have no register in common, but perhaps flags."""
    lines, code = _read(text)
    pairs = [
        (a, b)
        for a, b in itertools.pairwise(code)
        if b == a + 1 and not _used(lines[a]) & _used(lines[b])
        and not _LEAVES.search(f"{lines[a]}\n{lines[b]}")
    ]  # fmt: skip
    if pairs:
        a, b = source.choice(pairs)
        lines[a], lines[b] = lines[b], lines[a]
    return _joined(lines)


def renamed(text: str, source: random.Random) -> str:
    """Two registers exchanged everywhere; what is an argument is perhaps moved at the beginning."""
    used = [row for row in REGISTERS[1:] if row in _used(text)]
    if not used:
        return text
    one = source.choice(used)
    other = source.choice([row for row in REGISTERS[1:] if row is not one])
    names = dict(zip(one + other, other + one, strict=True))
    text = re.sub(r"(?<=%)\w+", lambda match: names.get(match[0], match[0]), text)
    if source.random() < 0.7:
        moved = [f"\tmovq\t%{one[0]}, %{other[0]}"]
        if other in used or source.random() < 0.3:
            moved = [f"\txchgq\t%{one[0]}, %{other[0]}"]
        lines, code = _read(text)
        lines[code[0] : code[0]] = moved
        text = _joined(lines)
    return text


def padded(text: str, source: random.Random) -> str:
    """An instruction more that often changes nothing."""
    lines, code = _read(text)
    lines.insert(source.choice(code), f"\t{source.choice(NOTHING)}")
    return _joined(lines)


def addressed(text: str, source: random.Random) -> str:
    """An address in memory computed before it is used."""
    lines, code = _read(text)
    found = re.compile(r"-?\d*\((?!%rip|%rsp)%\w+[^)]*\)")
    some = [at for at in code if found.search(lines[at]) and "\tlea" not in lines[at]]
    if some:
        at = source.choice(some)
        place = found.search(lines[at])
        assert place
        lines[at] = lines[at].replace(place[0], "(%r11)")
        lines.insert(at, f"\tleaq\t{place[0]}, %r11")
    return _joined(lines)


def mirrored(text: str, source: random.Random) -> str:
    """A comparison the other way round, and so the condition that follows."""
    lines, code = _read(text)
    some = [at for at in code if re.match(r"\tcmp[lq]\t%\w+, %\w+$", lines[at])]
    if some:
        at = source.choice(some)
        lines[at] = re.sub(r"(%\w+), (%\w+)", r"\2, \1", lines[at])
        user = re.compile(rf"(?<=\t)(j|set|cmov)({'|'.join(MIRRORED)})(?=\t)")
        for after in range(at + 1, min(at + 4, len(lines))):
            if match := user.search(lines[after]):
                word = match[1] + MIRRORED[match[2]]
                lines[after] = user.sub(word, lines[after])
                break
    return _joined(lines)


WAYS = (
    equivalent,
    equivalent,
    equivalent,
    reordered,
    reordered,
    renamed,
    padded,
    addressed,
    mirrored,
)


def _read(text: str) -> tuple[list[str], list[int]]:
    """All lines, and the numbers of those that are instructions before a return."""
    lines = text.splitlines()
    code = [n for n, line in enumerate(lines) if re.match(r"\t[a-z]", line)]
    return lines, code


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _used(text: str) -> set[tuple[str, ...]]:
    """The registers that are named."""
    names = set(re.findall(r"(?<=%)\w+", text))
    return {row for row in REGISTERS if names & set(row)} | {
        (one,) for one in names if one[0] == "x"
    }


def broken(text: str, source: random.Random) -> str:
    """The text with one instruction of it changed, doubled, left out or put elsewhere."""
    lines = text.splitlines()
    code = [n for n, line in enumerate(lines) if re.match(r"\t[a-z]", line) and "ret" not in line]
    if not code:
        return text
    at = source.choice(code)
    line = lines[at]
    way = source.randrange(7)
    if way == 0:
        lines[at] = ""
    elif way == 1:
        other = source.choice(code)
        lines[at], lines[other] = lines[other], line
    elif way == 2:
        numbers = list(re.finditer(r"(?<=\$)-?\d+|(?<![\w.])-?\d+(?=\()", line))
        if numbers:
            one = source.choice(numbers)
            value = int(one[0]) + source.choice((-1, 1, 2, -8, 128, -int(one[0])))
            lines[at] = line[: one.start()] + str(value) + line[one.end() :]
    elif way in (3, 4):
        names = list(re.finditer(r"(?<=%)[a-z0-9]+", line))
        if names:
            one = source.choice(names)
            size = next((row.index(one[0]) for row in REGISTERS if one[0] in row), None)
            if size is not None:
                new = source.choice(REGISTERS)[size]
                lines[at] = line[: one.start()] + new + line[one.end() :]
    else:
        word = line.split()[0]
        for pair in source.sample(SWAPS, len(SWAPS)):
            for old, new in (pair, pair[::-1]):
                if word.startswith(old) and lines[at] is line:
                    lines[at] = line.replace(old, new, 1)
    return "\n".join(lines) + "\n"
