"""The vetted code-generation options: what `clang -mllvm` may be given, and why.

None of them changes the meaning of a program by purpose: they choose between
schedulers and allocators that LLVM ships, or leave out an optimisation.
"""

from __future__ import annotations

from dataclasses import dataclass

from cr1cc.passes.table import NEWEST, OLDEST, Refused

ALL_TARGETS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """One row: an option with its value, as it is written after `-mllvm`.

    `group` names what the option decides; two options of one group conflict.
    `targets` are LLVM target names, empty for all.
    """

    text: str
    group: str
    trust: str
    since: int = OLDEST
    until: int = NEWEST
    targets: tuple[str, ...] = ALL_TARGETS

    def holds_for(self, major: int, target: str) -> bool:
        return self.since <= major <= self.until and (not self.targets or target in self.targets)


_SCHEDULER = "one of the SelectionDAG schedulers; the default of some targets and levels"
_LEFT_OUT = "leaves an optimisation out, as -O0 does"

_HEURISTIC = "moves a threshold of a heuristic; any value is a legal choice"
_ALLOCATION = "chooses between equal register assignments; the allocator checks them all"
_X86 = ("X86",)

OPTIONS: tuple[Option, ...] = (
    Option("-disable-block-placement", "block-placement", _LEFT_OUT),
    Option("-disable-cgp", "cgp", _LEFT_OUT),
    Option("-disable-early-ifcvt", "early-ifcvt", _LEFT_OUT),
    Option("-disable-lsr", "lsr", _LEFT_OUT),
    Option("-disable-machine-cse", "machine-cse", _LEFT_OUT),
    Option("-disable-machine-licm", "machine-licm", _LEFT_OUT),
    Option("-disable-machine-sink", "machine-sink", _LEFT_OUT),
    Option("-disable-phi-elim-edge-splitting", "phi-elim", _LEFT_OUT),
    Option("-disable-x86-lea-opt", "x86-lea", _LEFT_OUT, targets=_X86),
    Option(
        "-enable-machine-outliner=always",
        "outliner",
        "on by default at -Oz on AArch64, ARM and RISC-V; X86 has had it since LLVM 5",
    ),
    Option("-enable-misched=false", "misched", _LEFT_OUT),
    Option("-join-splitedges", "join-splitedges", _ALLOCATION),
    Option("-lsr-insns-cost=false", "lsr", _HEURISTIC),
    Option("-machine-sink-split-probability-threshold=0", "sink-split", _HEURISTIC),
    Option("-machine-sink-split=false", "sink-split", _LEFT_OUT),
    Option("-min-jump-table-entries=8", "jump-tables", _HEURISTIC),
    Option("-phi-elim-split-all-critical-edges", "phi-elim", _HEURISTIC),
    Option("-pre-RA-sched=list-burr", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=list-hybrid", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=list-ilp", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=source", "pre-ra-sched", _SCHEDULER),
    Option("-split-spill-mode=size", "split-spill", _ALLOCATION),
    Option("-tail-merge-size=1", "tail-merge", _HEURISTIC),
    Option("-terminal-rule", "terminal-rule", _ALLOCATION),
)

REFUSED_OPTIONS: tuple[Refused, ...] = (
    Refused(
        "-enable-ipra",
        "14-23",
        "callers of a global function rely on registers that another definition of it, "
        "chosen by the dynamic linker, need not leave alone",
    ),
    Refused("-global-isel", "14-23", "crashes on some inputs"),
    Refused(
        "-pre-RA-sched=linearize",
        "14, 19, 22, 23",
        "miscompiles: csmith programs and a heap sort (soundness campaign, seed 1)",
    ),
    Refused(
        "-regalloc=basic",
        "14-23",
        "the first emission of a process fixes the allocator, so it cannot be scored there",
    ),
    Refused("-regalloc=pbqp", "14-23", "experimental: the default nowhere, hardly tested"),
)

_BY_TEXT = {row.text: row for row in OPTIONS}
_REFUSED = {row.name: row for row in REFUSED_OPTIONS}


def find_option(text: str) -> Option | None:
    """The row of an option, None if it is not vetted."""
    return _BY_TEXT.get(text)


def find_refused_option(text: str) -> Refused | None:
    """The finding against an option, whatever its value."""
    return _REFUSED.get(text) or _REFUSED.get(text.partition("=")[0])


def options_for(major: int, target: str) -> tuple[Option, ...]:
    """The rows that hold for an LLVM major and an LLVM target name, in table order."""
    return tuple(row for row in OPTIONS if row.holds_for(major, target))
