"""The vetted passes: what a pipeline may consist of, and why each pass is trusted.

The safe core is what the pipelines `default<O1>` … `default<Oz>` of LLVM 14 to 23
run themselves (`opt -passes='default<Oz>' -print-pipeline-passes`, or
`clang -mllvm -print-pipeline-passes`). What those pipelines run only to lower
coroutines, to instrument, to emit remarks or to carry debug data is left out: it
has a fixed place in a pipeline and nothing to give to a size objective.
"""

from __future__ import annotations

from cr1cc.passes.rows import Parameter, Pass, PassLevel, Refused

_MODULE = (PassLevel.MODULE,)
_CGSCC = (PassLevel.CGSCC,)
_FUNCTION = (PassLevel.FUNCTION,)
_LOOP = (PassLevel.LOOP,)
_LOOPS = (PassLevel.LOOP, PassLevel.LOOP_MSSA)
_MSSA = (PassLevel.LOOP_MSSA,)

_OZ = "run by default<Oz>"
_O1 = "run by default<O1>"
_O3 = "run by default<O3>"
_CAMPAIGN = "held up by the soundness campaign (docs/soundness.md)"
_CODEGEN = "run by the code generator's own IR pipeline at -O1 and above"

_SIMPLIFYCFG = (
    Parameter("bonus-inst-threshold", negatable=False, low=0, high=8),
    Parameter("forward-switch-cond"),
    Parameter("hoist-common-insts"),
    Parameter("hoist-loads-stores-with-cond-faulting", since=22),
    Parameter("keep-loops"),
    Parameter("simplify-cond-branch", since=19),
    Parameter("sink-common-insts"),
    Parameter("speculate-blocks", since=19),
    Parameter("speculate-unpredictables", since=19),
    Parameter("switch-range-to-icmp"),
    Parameter("switch-to-arithmetic", since=22),
    Parameter("switch-to-lookup"),
)

_GVN = (
    Parameter("load-pre"),
    Parameter("pre", until=22),
    Parameter("scalar-pre", since=23),
    Parameter("split-backedge-load-pre"),
)

_UNROLL = (
    *(Parameter(f"O{n}", negatable=False) for n in range(4)),
    Parameter("full-unroll-max", negatable=False, low=0, high=64),
    Parameter("partial"),
    Parameter("peeling"),
    Parameter("profile-peeling"),
    Parameter("runtime"),
    Parameter("upperbound"),
)

PASSES: tuple[Pass, ...] = (
    Pass("adce", _FUNCTION, _OZ),
    Pass("aggressive-instcombine", _FUNCTION, _O3),
    Pass("alignment-from-assumptions", _FUNCTION, _OZ),
    Pass("always-inline", _MODULE, "run by default<Oz> of 19 and above, by default<O0> before"),
    Pass("argpromotion", _CGSCC, _O3),
    Pass("bdce", _FUNCTION, _OZ),
    Pass("called-value-propagation", _MODULE, _OZ),
    Pass("callsite-splitting", _FUNCTION, _O3, grows=True),
    Pass("canon-freeze", _LOOPS, _CODEGEN),
    Pass("consthoist", _FUNCTION, _CODEGEN),
    Pass("constmerge", _MODULE, _OZ),
    Pass("constraint-elimination", _FUNCTION, _OZ, since=19),
    Pass("correlated-propagation", _FUNCTION, _OZ),
    Pass("dce", _FUNCTION, "a part of adce, without control dependence"),
    Pass("deadargelim", _MODULE, _OZ),
    Pass("dfa-jump-threading", _FUNCTION, "run by default<O2> of 23", since=23, grows=True),
    Pass("div-rem-pairs", _FUNCTION, _OZ),
    Pass("drop-unnecessary-assumes", _FUNCTION, _OZ, since=22),
    Pass("dse", _FUNCTION, _OZ),
    Pass(
        "early-cse",
        _FUNCTION,
        _OZ,
        parameters=(Parameter("memssa", negatable=False),),
        forms=("", "memssa"),
    ),
    Pass("elim-avail-extern", _MODULE, _OZ),
    Pass("expand-memcmp", _FUNCTION, _CODEGEN, since=19, grows=True),
    Pass("float2int", _FUNCTION, _OZ),
    Pass(
        "function-attrs",
        _CGSCC,
        _OZ,
        parameters=(Parameter("skip-non-recursive-function-attrs", since=19, negatable=False),),
    ),
    Pass(
        "function-simplification",
        _FUNCTION,
        "the function part of the default pipelines under a name of its own",
        since=19,
        parameters=(
            Parameter("O1", negatable=False),
            Parameter("O2", negatable=False),
            Parameter("O3", negatable=False),
            Parameter("Os", until=22, negatable=False),
            Parameter("Oz", until=22, negatable=False),
        ),
        forms=("Oz", "Os", "O2", "O1"),
    ),
    Pass("globaldce", _MODULE, _OZ),
    Pass("globalopt", _MODULE, _OZ),
    Pass(
        "gvn",
        _FUNCTION,
        _OZ,
        parameters=_GVN,
        forms=("", "no-pre", "no-load-pre", "no-pre;no-load-pre", "no-scalar-pre;no-load-pre"),
    ),
    Pass("indvars", _LOOPS, _OZ),
    Pass("infer-alignment", _FUNCTION, _OZ, since=19),
    Pass("inferattrs", _MODULE, _OZ),
    Pass(
        "inline",
        _CGSCC,
        _OZ,
        parameters=(Parameter("only-mandatory", negatable=False),),
        forms=("", "only-mandatory"),
    ),
    Pass(
        "instcombine",
        _FUNCTION,
        _OZ,
        parameters=(
            Parameter("max-iterations", since=19, negatable=False, low=1, high=8),
            Parameter("no-verify-fixpoint", since=19, negatable=False),
        ),
        forms=(
            "",
            "no-verify-fixpoint",
            "max-iterations=1;no-verify-fixpoint",
            "max-iterations=3;no-verify-fixpoint",
        ),
        # As text it verifies its fixpoint otherwise, and ends the process where there is none.
        required=("no-verify-fixpoint", 19),
    ),
    Pass("instsimplify", _FUNCTION, _OZ),
    Pass(
        "ipsccp",
        _MODULE,
        _OZ,
        parameters=(Parameter("no-func-spec", since=16, negatable=False),),
        forms=("", "no-func-spec"),
    ),
    Pass("iroutliner", _MODULE, _CAMPAIGN, largest=100_000),
    Pass("jump-table-to-switch", _FUNCTION, "run by default<O2> of 23", since=23, grows=True),
    Pass("jump-threading", _FUNCTION, _OZ),
    Pass("lcssa", _FUNCTION, "run before every loop pass of every pipeline"),
    Pass("libcalls-shrinkwrap", _FUNCTION, _O3, grows=True),
    Pass(
        "licm",
        _MSSA,
        _OZ,
        parameters=(Parameter("allowspeculation", since=16),),
        forms=("", "allowspeculation", "no-allowspeculation"),
    ),
    Pass("loop-deletion", _LOOPS, _OZ),
    Pass("loop-distribute", _FUNCTION, _OZ, grows=True),
    Pass("loop-idiom", _LOOPS, _OZ),
    Pass("loop-instsimplify", _LOOPS, _OZ),
    Pass("loop-load-elim", _FUNCTION, _OZ),
    Pass("loop-reduce", _LOOP, _CODEGEN),
    Pass(
        "loop-rotate",
        _LOOPS,
        _OZ,
        parameters=(
            Parameter("check-exit-count", since=23),
            Parameter("header-duplication", since=19),
            Parameter("prepare-for-lto", since=19),
        ),
        forms=("", "no-header-duplication", "header-duplication"),
    ),
    Pass("loop-simplify", _FUNCTION, "run before every loop pass of every pipeline"),
    Pass("loop-simplifycfg", _LOOPS, _OZ),
    Pass("loop-sink", _FUNCTION, _OZ),
    Pass(
        "loop-unroll",
        _FUNCTION,
        _OZ,
        parameters=_UNROLL,
        forms=("", "O2", "O1;no-runtime;no-partial"),
        grows=True,
    ),
    Pass("loop-unroll-full", _LOOP, _OZ),
    Pass(
        "loop-vectorize",
        _FUNCTION,
        _OZ,
        parameters=(Parameter("interleave-forced-only"), Parameter("vectorize-forced-only")),
        grows=True,
    ),
    Pass("lower-constant-intrinsics", _FUNCTION, _OZ),
    Pass("lower-expect", _FUNCTION, _OZ),
    Pass("mem2reg", _FUNCTION, _OZ),
    Pass("memcpyopt", _FUNCTION, _OZ),
    Pass("mergefunc", _MODULE, "run at every level of rustc and by `clang -fmerge-functions`"),
    Pass("mergeicmps", _FUNCTION, _CODEGEN),
    Pass("mergereturn", _FUNCTION, _CAMPAIGN, until=22),
    Pass(
        "mldst-motion",
        _FUNCTION,
        _OZ,
        parameters=(Parameter("split-footer-bb"),),
        forms=("", "split-footer-bb"),
    ),
    Pass("move-auto-init", _FUNCTION, _OZ, since=19),
    Pass(
        "nary-reassociate",
        _FUNCTION,
        "run by the AMDGPU and NVPTX code generators at -O1 and above",
    ),
    Pass("partially-inline-libcalls", _FUNCTION, _CODEGEN, grows=True),
    Pass("reassociate", _FUNCTION, _OZ),
    Pass("rel-lookup-table-converter", _MODULE, _OZ),
    Pass("rpo-function-attrs", _MODULE, _OZ),
    Pass(
        "scc-oz-module-inliner", _MODULE, "the inliner part of the Oz pipeline under its own name"
    ),
    Pass("sccp", _FUNCTION, _OZ),
    Pass(
        "separate-const-offset-from-gep",
        _FUNCTION,
        "run by the AMDGPU, NVPTX and (at -O3) AArch64 code generators",
    ),
    Pass(
        "simple-loop-unswitch",
        _LOOPS,
        _OZ,
        parameters=(Parameter("nontrivial"), Parameter("trivial")),
        forms=("", "no-nontrivial;trivial"),
    ),
    Pass(
        "simplifycfg",
        _FUNCTION,
        _OZ,
        parameters=_SIMPLIFYCFG,
        forms=(
            "",
            "bonus-inst-threshold=0",
            "bonus-inst-threshold=2;no-keep-loops;hoist-common-insts;sink-common-insts",
            "forward-switch-cond;switch-range-to-icmp;switch-to-lookup;no-keep-loops;"
            "hoist-common-insts;sink-common-insts",
            "hoist-common-insts",
            "keep-loops",
            "keep-loops;hoist-common-insts;sink-common-insts",
            "no-keep-loops;hoist-common-insts;sink-common-insts",
            "no-keep-loops;switch-range-to-icmp;hoist-common-insts;sink-common-insts",
            "no-keep-loops;switch-to-lookup;hoist-common-insts;sink-common-insts",
            "sink-common-insts",
            "switch-range-to-icmp",
            "switch-range-to-icmp;keep-loops",
            "switch-range-to-icmp;keep-loops;hoist-common-insts;sink-common-insts",
            "switch-to-arithmetic",
            "no-speculate-blocks",
        ),
    ),
    Pass("sink", _FUNCTION, "run by the AMDGPU code generator at -O1 and above"),
    Pass("slp-vectorizer", _FUNCTION, "run by default<Os> and default<O2>", grows=True),
    Pass("slsr", _FUNCTION, "run by the AMDGPU and NVPTX code generators at -O1 and above"),
    Pass(
        "speculative-execution",
        _FUNCTION,
        _OZ,
        parameters=(Parameter("only-if-divergent-target", since=19, negatable=False),),
        forms=("", "only-if-divergent-target"),
        grows=True,
    ),
    Pass(
        "sroa",
        _FUNCTION,
        _OZ,
        parameters=(
            Parameter("modify-cfg", since=16, negatable=False),
            Parameter("preserve-cfg", since=16, negatable=False),
        ),
        forms=("", "modify-cfg", "preserve-cfg"),
    ),
    Pass("tailcallelim", _FUNCTION, _OZ),
    Pass("vector-combine", _FUNCTION, _OZ),
)


_EXPERIMENTAL = "experimental or unmaintained: crashes and miscompiles on random orders"

REFUSED: tuple[Refused, ...] = (
    Refused("attributor", "14-23", _EXPERIMENTAL),
    Refused("attributor-cgscc", "14-23", _EXPERIMENTAL),
    Refused("guard-widening", "14-23", _EXPERIMENTAL),
    Refused("gvn-hoist", "14-23", _EXPERIMENTAL),
    Refused("gvn-sink", "14-23", _EXPERIMENTAL),
    Refused("internalize", "14-23", "changes the linkage of symbols that other objects need"),
    Refused("irce", "14-23", _EXPERIMENTAL),
    Refused("loop-fusion", "14-23", _EXPERIMENTAL),
    Refused("loop-reroll", "14-16", _EXPERIMENTAL),
    Refused("lower-atomic", "14-23", "drops atomicity: wrong in a program with threads"),
    Refused("metarenamer", "14-23", "renames symbols"),
    Refused("newgvn", "14-23", _EXPERIMENTAL),
    Refused("reg2mem", "14-23", _EXPERIMENTAL),
    Refused("scalarizer", "14-23", _EXPERIMENTAL),
    Refused("strip", "14-23", "drops debug data and symbol names"),
    Refused("strip-dead-debug-info", "14-23", "drops debug data"),
    Refused("strip-debug-declare", "14-23", "drops debug data"),
    Refused("strip-nondebug", "14-23", "drops symbol names"),
    Refused("strip-nonlinetable-debuginfo", "14-23", "drops debug data"),
    Refused("structurizecfg", "19", "miscompiles functions that contain a switch"),
    Refused("unify-loop-exits", "14-23", _EXPERIMENTAL),
)

_BY_NAME = {row.name: row for row in PASSES}
_REFUSED = {row.name: row for row in REFUSED}


def find_pass(name: str) -> Pass | None:
    """The row of a pass, None if it is not vetted."""
    return _BY_NAME.get(name)


def find_refused(name: str) -> Refused | None:
    return _REFUSED.get(name)


def passes_for(major: int, *, size_only: bool = True) -> tuple[Pass, ...]:
    """The rows that hold for an LLVM major, in table order."""
    return tuple(row for row in PASSES if row.holds_for(major) and not (size_only and row.grows))
