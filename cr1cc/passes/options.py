"""The vetted LLVM options: what `clang -mllvm` may be given, and why.

None of them changes the meaning of a program by purpose: they choose between
schedulers and allocators that LLVM ships, move thresholds, or leave out an
optimisation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cr1cc.passes.rows import NEWEST, OLDEST, Refused

ALL_TARGETS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """One row: an option with its value, as it is written after `-mllvm`.

    `group` names what the option decides; two options of one group conflict.
    `targets` are LLVM target names, empty for all. `tunes`: passes over IR read it, so
    it must be set in the process that runs the stages.
    """

    text: str
    group: str
    trust: str
    since: int = OLDEST
    until: int = NEWEST
    targets: tuple[str, ...] = ALL_TARGETS
    tunes: bool = False

    def holds_for(self, major: int, target: str) -> bool:
        return self.since <= major <= self.until and (not self.targets or target in self.targets)


_SCHEDULER = "one of the SelectionDAG schedulers; the default of some targets and levels"
_LEFT_OUT = "leaves an optimisation out, as -O0 does"

_HEURISTIC = "moves a threshold of a heuristic; any value is a legal choice"
_ALLOCATION = "chooses between equal register assignments; the allocator checks them all"
_PLACEMENT = "chooses between orders of basic blocks"
_SEARCH_LIMIT = "ends a search earlier, with the answer that holds always"
_X86 = ("X86",)

_CODE_GENERATION: tuple[Option, ...] = (
    Option("-aggressive-ext-opt", "ext-opt", _HEURISTIC),
    Option("-aggressive-machine-cse", "machine-cse", _HEURISTIC, since=19),
    Option("-disable-block-placement", "block-placement", _LEFT_OUT),
    Option("-disable-cgp", "cgp", _LEFT_OUT),
    Option("-disable-early-ifcvt", "early-ifcvt", _LEFT_OUT),
    Option("-disable-lsr", "lsr", _LEFT_OUT),
    Option("-disable-machine-cse", "machine-cse", _LEFT_OUT),
    Option("-disable-machine-licm", "machine-licm", _LEFT_OUT),
    Option("-disable-machine-sink", "machine-sink", _LEFT_OUT),
    Option("-disable-phi-elim-edge-splitting", "phi-elim", _LEFT_OUT),
    Option("-disable-x86-lea-opt", "x86-lea", _LEFT_OUT, targets=_X86),
    Option("-enable-ext-tsp-block-placement", "block-placement", _PLACEMENT),
    Option(
        "-enable-machine-outliner=always",
        "outliner",
        "on by default at -Oz on AArch64, ARM and RISC-V; X86 has had it since LLVM 5",
    ),
    Option("-enable-misched=false", "misched", _LEFT_OUT),
    Option(
        "-fast-isel",
        "isel",
        "the instruction selector of -O0; what it does not know goes to the default one",
        targets=_X86,  # elsewhere -O0 uses another one
    ),
    Option("-force-precise-rotation-cost", "block-rotation", _PLACEMENT),
    Option("-greedy-reverse-local-assignment", "local-assignment", _ALLOCATION, since=16),
    Option("-grow-region-complexity-budget=0", "grow-region", _ALLOCATION, since=16),
    Option("-huge-size-for-split=0", "split-size", _ALLOCATION),
    Option("-join-globalcopies=false", "join-globalcopies", _ALLOCATION),
    Option("-join-splitedges", "join-splitedges", _ALLOCATION),
    Option("-lsr-insns-cost=false", "lsr", _HEURISTIC),
    Option("-machine-sink-split-probability-threshold=0", "sink-split", _HEURISTIC),
    Option("-machine-sink-split=false", "sink-split", _LEFT_OUT),
    Option("-min-jump-table-entries=10", "jump-tables", _HEURISTIC),
    Option("-min-jump-table-entries=1000", "jump-tables", _HEURISTIC),
    Option("-min-jump-table-entries=8", "jump-tables", _HEURISTIC),
    Option("-misched-limit=2", "misched", _HEURISTIC),
    Option("-phi-elim-split-all-critical-edges", "phi-elim", _HEURISTIC),
    Option("-post-RA-scheduler", "post-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=list-burr", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=list-hybrid", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=list-ilp", "pre-ra-sched", _SCHEDULER),
    Option("-pre-RA-sched=source", "pre-ra-sched", _SCHEDULER),
    Option("-sink-insts-to-avoid-spills", "sink-spills", _HEURISTIC),
    Option("-split-spill-mode=size", "split-spill", _ALLOCATION),
    Option("-tail-merge-size=1", "tail-merge", _HEURISTIC),
    Option("-terminal-rule", "terminal-rule", _ALLOCATION),
    Option("-use-mbpi=false", "mbpi", _HEURISTIC),
    Option("-x86-br-merging-base-cost=0", "br-merging", _HEURISTIC, since=19, targets=_X86),
    Option("-x86-cmov-converter-force-all", "cmov", _HEURISTIC, since=16, targets=_X86),
)

# Passes over IR read these, those of the standard pipelines among them.
_PASS_TUNING: tuple[Option, ...] = (
    Option("-bonus-inst-threshold=0", "bonus-inst", _HEURISTIC),
    Option("-bonus-inst-threshold=10", "bonus-inst", _HEURISTIC),
    Option("-disable-lftr", "lftr", _LEFT_OUT),
    Option("-dom-tree-reachability-max-bbs-to-explore=2", "reachability", _SEARCH_LIMIT),
    Option("-enable-gvn-memdep=false", "gvn-loads", _LEFT_OUT),
    Option("-enable-load-in-loop-pre=false", "pre", _LEFT_OUT),
    Option("-enable-load-pre=false", "pre", _LEFT_OUT),
    Option("-enable-pre=false", "pre", _LEFT_OUT, until=22),
    Option("-gvn-max-block-speculations=0", "gvn-speculation", _SEARCH_LIMIT),
    Option("-gvn-max-num-deps=0", "gvn-loads", _SEARCH_LIMIT),
    Option("-gvn-max-num-deps=2", "gvn-loads", _SEARCH_LIMIT),
    Option("-indvars-widen-indvars=false", "widen-indvars", _LEFT_OUT),
    Option("-inline-call-penalty=0", "inline-cost", _HEURISTIC),
    Option("-inline-call-penalty=10", "inline-cost", _HEURISTIC),
    Option("-inline-call-penalty=2", "inline-cost", _HEURISTIC),
    Option("-inline-instr-cost=10", "inline-cost", _HEURISTIC, since=16),
    Option("-inline-instr-cost=1000", "inline-cost", _HEURISTIC, since=16),
    Option("-inline-instr-cost=2", "inline-cost", _HEURISTIC, since=16),
    Option("-inline-threshold=10", "inline-cost", _HEURISTIC),
    Option("-inline-threshold=100", "inline-cost", _HEURISTIC),
    Option("-inline-threshold=20", "inline-cost", _HEURISTIC),
    Option("-inline-threshold=200", "inline-cost", _HEURISTIC),
    Option("-inline-threshold=50", "inline-cost", _HEURISTIC),
    Option("-jump-threading-threshold=0", "jump-threading", _HEURISTIC),
    Option("-max-speculation-depth=2", "speculation", _SEARCH_LIMIT),
    Option("-memdep-block-number-limit=2", "gvn-loads", _SEARCH_LIMIT),
    Option("-memdep-block-scan-limit=2", "gvn-loads", _SEARCH_LIMIT),
    Option("-phi-node-folding-threshold=0", "phi-folding", _HEURISTIC),
    Option("-replexitval=never", "exit-values", _HEURISTIC),
    Option("-scalar-evolution-huge-expr-threshold=0", "scev-huge", _SEARCH_LIMIT),
    Option("-sink-common-insts=false", "sink-common", _HEURISTIC),
    Option("-sink-common-insts=true", "sink-common", _HEURISTIC),
    Option("-strncmp-inline-threshold=0", "strncmp", _HEURISTIC, since=19),
    Option("-two-entry-phi-node-folding-threshold=0", "phi-folding", _HEURISTIC),
    Option("-two-entry-phi-node-folding-threshold=2", "phi-folding", _HEURISTIC),
)

OPTIONS = (*_CODE_GENERATION, *(replace(row, tunes=True) for row in _PASS_TUNING))

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
        "-regalloc-eviction-max-interference-cutoff",
        "19",
        "the allocator runs out of registers and ends the process (soundness campaign, seed 4)",
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


def tuning(options: Iterable[str]) -> tuple[str, ...]:
    """Those that passes over IR read, sorted."""
    rows = map(find_option, options)
    return tuple(sorted(row.text for row in rows if row is not None and row.tunes))
