"""The standard size pipeline as a recipe, pass by pass, and thinner ones: where searches begin.

Written after what LLVM 19 prints (`opt -passes='default<Oz>' -print-pipeline-passes`), in
three stages, without what only lowers, instruments or remarks, and without unrolling and
vectorising. `adapt` fits it to other versions. On modules with size attributes it makes what
`default<Oz>` makes; without them that one unrolls and vectorises.
"""

from __future__ import annotations

from functools import cache

from cr1cc.passes.macros import START
from cr1cc.passes.pipeline import nest
from cr1cc.passes.recipe import adapt
from cr1cc.passes.rows import PassLevel
from cr1cc.records import Recipe

_COMBINE = "instcombine<max-iterations=1;no-verify-fixpoint>"
_KEEPING = "simplifycfg<keep-loops>"
_SWITCHES = "simplifycfg<switch-range-to-icmp;keep-loops>"
_SINKING = "simplifycfg<switch-range-to-icmp;keep-loops;hoist-common-insts;sink-common-insts>"
_LATE = (
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-lookup;no-keep-loops;"
    "hoist-common-insts;sink-common-insts>"
)
_EARLY = (
    _KEEPING, "sroa<modify-cfg>", "early-cse", "ipsccp", "called-value-propagation", "globalopt",
    "mem2reg", _COMBINE, _SWITCHES,
)  # fmt: skip
_FUNCTION = (
    "sroa<modify-cfg>", "early-cse<memssa>", "jump-threading", "correlated-propagation",
    _SWITCHES, _COMBINE, "aggressive-instcombine", "tailcallelim", _SWITCHES, "reassociate",
    "constraint-elimination", "loop-instsimplify", "loop-simplifycfg", "licm<no-allowspeculation>",
    "loop-rotate<no-header-duplication>", "licm<allowspeculation>",
    "simple-loop-unswitch<no-nontrivial;trivial>", _SWITCHES, _COMBINE, "loop-idiom", "indvars",
    "loop-deletion", "sroa<modify-cfg>", "vector-combine", "mldst-motion", "gvn", "sccp", "bdce",
    _COMBINE, "jump-threading", "correlated-propagation", "adce", "memcpyopt", "dse",
    "move-auto-init", "licm<allowspeculation>", _SINKING, _COMBINE,
)  # fmt: skip
_REST = (
    "deadargelim", "globalopt", "globaldce", "elim-avail-extern", "rpo-function-attrs",
    "float2int", "lower-constant-intrinsics", "loop-rotate<no-header-duplication>",
    "loop-deletion", "infer-alignment", "loop-load-elim", _COMBINE, _LATE, "vector-combine",
    _COMBINE, "sroa<preserve-cfg>", "infer-alignment", _COMBINE, "licm<allowspeculation>",
    "alignment-from-assumptions", "loop-sink", "instsimplify", "div-rem-pairs", "tailcallelim",
    _SWITCHES, "globaldce", "constmerge", "rel-lookup-table-converter",
)  # fmt: skip

# What a thinner pipeline goes without, and what stands in the place of what.
_LOADS = {"gvn": "gvn<no-pre;no-load-pre>"}
_STILL = ("licm", "indvars")
_NO_LOOPS = (*_STILL, "loop", "simple-loop-unswitch")
_BARE = (*_NO_LOOPS, "reassociate", "aggressive-instcombine", "jump-threading")
_FOLD = ("mergefunc,iroutliner",)


@cache
def seeds(major: int, target: str) -> tuple[Recipe, ...]:
    """The standard pipeline, thinner ones, and these with equal code made common."""
    thinner = [_recipe(without, _LOADS) for without in ((), _STILL, _NO_LOOPS, _BARE)]
    folding = [Recipe((*recipe.stages, *_FOLD)) for recipe in thinner]
    return tuple(adapt(r, major, target) for r in (_recipe((), {}), *thinner, *folding))


def _recipe(without: tuple[str, ...], instead: dict[str, str]) -> Recipe:
    def left(passes: tuple[str, ...]) -> list[str]:
        return [instead.get(text, text) for text in passes if not text.startswith(without)]

    simplify = nest(left(_FUNCTION), level=PassLevel.FUNCTION)
    calls = f"cgscc(devirt<4>(inline,function-attrs,{simplify}))"
    return Recipe((START, nest(left(_EARLY)), calls, nest(left(_REST))))
