"""The plain records that the stages of a compile hand to each other.

All are frozen; none does anything. Sizes are in bytes, counts are plain
integers, paths are strings as the user gave them unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import ClassVar

from cr1cc.outcome import Outcome


class Level(Enum):
    """The optimisation level that decides: the last `-O` on the command line."""

    OS = "s"
    OZ = "z"


class Speed(Enum):
    """The levels whose objective is time. Apart, because no recipe, key or model knows them."""

    O2 = "2"
    O3 = "3"


class Metric(Enum):
    """What recipes are compared by."""

    BYTES = "bytes"  # loadable bytes of the object
    INSTRUCTIONS = "instructions"  # of the IR: options of code generation change nothing


@dataclass(frozen=True)
class Toolchain:
    """One real clang. `identity` names vendor, version and revision, not the path,
    so that it is equal on two machines that have the same compiler."""

    driver: str  # absolute path that is executed (its name decides C or C++ mode)
    version: tuple[int, int, int]
    identity: str
    default_triple: str
    libllvm: str | None  # absolute path, None if none was found
    libllvm_problem: str = ""  # why not, for `cr1 doctor`
    targets: tuple[str, ...] = ()  # LLVM target names compiled in: "X86", "ARM", ...

    @property
    def major(self) -> int:
        return self.version[0]


@dataclass(frozen=True)
class GccToolchain:
    """One real gcc. `identity` names versions of compiler and assembler and how the compiler
    was configured, not the path, so that it is equal on two machines that have the same."""

    driver: str  # absolute path that is executed (its name decides C or C++ mode)
    version: tuple[int, int, int]
    identity: str
    triple: str
    defaults: tuple[str, ...] = ()  # predefined macros that tell what it does unasked

    @property
    def major(self) -> int:
        return self.version[0]


@dataclass(frozen=True)
class Plan:
    """A compile that we understand: one source, one object, a level for size or speed.

    `frontend` and `codegen` are complete argument lists except for source and
    output: `frontend` turns the source into the bitcode that enters the
    optimiser, `codegen` turns optimised bitcode into the object. Of gcc, they turn the
    source into preprocessed text, and the text into an object (the level is said apart).
    """

    arguments: tuple[str, ...]  # as given, response files not expanded
    source: str
    language: str  # "c" or "c++"
    output: str
    level: Level | Speed
    frontend: tuple[str, ...]
    codegen: tuple[str, ...]
    dependency: tuple[str, ...]  # explicit -MD/-MF/-MT… of the real command, for `frontend`
    key: tuple[str, ...]  # the options that can influence what a recipe is worth
    triple: str | None = None  # from --target, None: the compiler's default
    debug: bool = False
    split_dwarf: str = ""  # the .dwo that belongs to the object, "": there is none
    messages: tuple[str, ...] = ()  # the options that decide what is printed
    preprocessed: bool = False  # the source is the text that is compiled (of gcc only)
    text: tuple[str, ...] = ()  # what is repeated where preprocessed text becomes an object

    @property
    def size_level(self) -> Level:
        """The level of a command whose objective is size; others have their own journey."""
        assert isinstance(self.level, Level)
        return self.level


@dataclass(frozen=True)
class Passthrough:
    """A command that goes to the real compiler as it is, and why."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, order=True)
class Recipe:
    """What to do to a module: `stages` one after the other, then emit with `options`.

    A stage is pipeline text for one run of the pass manager, or a macro such as
    `@size` that `cr1cc.passes` spells for the LLVM version at hand.
    An option is a code-generation option as `clang -mllvm` takes it.
    """

    stages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """One module after one recipe. `loadable` is None where nothing was emitted."""

    ic: int  # IR instructions of all defined functions, debug intrinsics not counted
    loadable: int | None = None  # bytes of allocated sections that are not NOBITS
    functions: tuple[tuple[str, int], ...] = ()  # st_size by symbol name, sorted by name
    exports: str = ""  # digest of the names that the object defines for other objects
    needs: frozenset[str] = frozenset()  # the names that it expects other objects to define

    def links_like(self, base: Score) -> bool:
        """Whether a linker may get this object for that of `base`; one such as `memset` that is
        needed anew may be nowhere. Of what was not emitted nothing is known: it may."""
        return self.exports == base.exports and self.needs <= base.needs


def value_of(result: Score | Failure, metric: Metric) -> int | None:
    """What the metric counts; None of what has no score, or was not emitted."""
    if not isinstance(result, Score):
        return None
    return result.loadable if metric is Metric.BYTES else result.ic


class Failure(Enum):
    """Why a candidate has no score."""

    CRASHED = "crashed"
    TIMED_OUT = "ran out of its processor time"
    MEMORY = "ran out of memory"
    INVALID = "left an invalid module"
    REFUSED = "was refused by LLVM"
    REJECTED = "had too many instructions to be worth emitting"
    SYMBOLS = "defines or needs other symbols than the baseline"


@dataclass(frozen=True)
class FunctionInfo:
    """A function of a module, as the evaluator describes it."""

    name: str
    fingerprint: str  # hex, of the canonical body and everything it refers to
    ic: int


@dataclass(frozen=True)
class ModuleInfo:
    """A module as it enters the optimiser."""

    fingerprint: str  # hex, of the whole module
    triple: str
    ic: int
    features: tuple[int, ...]  # AutoPhase, 56 values (FACTS: Huang et al., 2019)
    function_count: int
    backend_diagnostics: bool  # the module may make the back end print something


@dataclass(frozen=True)
class Request:
    """What a proposer may look at. Equal requests must get equal proposals."""

    info: ModuleInfo
    level: Level
    major: int  # LLVM major version: which passes there are
    target: str  # LLVM target name: which code-generation options hold
    budget: int  # recipes that may be proposed or measured in all
    metric: Metric = Metric.BYTES
    tails: int = 0  # tails that may be tried on every function

    def suited(self, recipe: Recipe) -> Recipe:
        """The recipe as far as the metric can tell: instructions are those of passes alone."""
        return recipe if self.metric is Metric.BYTES else replace(recipe, options=())


@dataclass(frozen=True)
class Turn:
    """One step on the way to an answer: what was done with which recipe, and its result.

    The actions are those of Compiler-R1 (arXiv:2506.15701).
    """

    MEASURED: ClassVar = "instrcount"
    SEARCHED: ClassVar = "find_best_pass_sequence"
    ANSWERED: ClassVar = "answer"

    action: str
    recipe: Recipe
    before: int  # what the metric counts, of the baseline
    after: int | None  # the same of the recipe, None if it failed or was not measured


@dataclass(frozen=True)
class Proposal:
    """Recipes for the module, best first, and tails to try on every function."""

    recipes: tuple[Recipe, ...] = ()
    tails: tuple[str, ...] = ()
    trace: tuple[Turn, ...] = ()  # of a proposer that measures and answers by turns


@dataclass(frozen=True)
class FunctionChange:
    """What a decision did to one function of the object."""

    name: str
    before: int  # st_size in the baseline object; 0: not there
    after: int  # st_size in the new object; 0: not there
    tail: str = ""  # its own attribute, pipeline or donor, "" if it has none
    origin: str = ""  # where the tail came from: "search", "store", "pack"


# Who made a function shorter besides the rules for windows.
RENAMED = "names of registers"
RELAYED = "jumps by way of others"
MODEL = "model"


@dataclass(frozen=True)
class Rewrite:
    """Windows of one function that were replaced alike. `by`: the rule, or who else proposed;
    `saved` in bytes and `questions` to solvers: of all of them together; `tested`: who ran what,
    if they are not proved by themselves nor with their function."""

    function: str
    by: str
    windows: int
    saved: int
    questions: int
    tested: str = ""


@dataclass(frozen=True)
class Rewritten:
    """What became of windows of instructions in the assembly of an object. All that were
    replaced are proved, but for those that are only tested. `functions` were looked at, `tried` of
    them have windows that would be shorter; `unknown` of those are not proved; `left`: windows
    beyond the limit. `reason`: why nothing was done, "" if something was, or there was nothing to
    do."""

    rewrites: tuple[Rewrite, ...] = ()
    functions: int = 0
    tried: int = 0
    unknown: int = 0
    left: int = 0
    reason: str = ""

    @property
    def windows(self) -> int:
        """How many were replaced."""
        return sum(one.windows for one in self.rewrites)

    @property
    def renamed(self) -> int:
        """In how many functions registers have other names; each counts as a window, too."""
        return sum(one.by == RENAMED for one in self.rewrites)

    @property
    def relayed(self) -> int:
        """In how many functions jumps go by way of others; each counts as a window, too."""
        return sum(one.by == RELAYED for one in self.rewrites)

    @property
    def tested(self) -> int:
        """How many of those that were replaced are not proved."""
        return sum(one.windows for one in self.rewrites if one.tested)

    @property
    def names(self) -> frozenset[str]:
        """The functions with such windows."""
        return frozenset(one.function for one in self.rewrites)

    @property
    def verdicts(self) -> str:
        """How many windows got which verdict, as the journal has it."""
        counts = {
            "proved": self.windows - self.tested, "tested": self.tested, "unknown": self.unknown
        }  # fmt: skip
        return " ".join(f"{name}={count}" for name, count in counts.items() if count)


class Answer(Enum):
    """The three kinds of answer that are stored apart."""

    BETTER = "better"
    NOTHING = "nothing"
    FAILED = "failed"


@dataclass(frozen=True)
class Decision:
    """What to do with one module, and on what evidence."""

    answer: Answer
    outcome: Outcome
    recipe: Recipe = Recipe()
    tails: tuple[tuple[str, str], ...] = ()  # (function name, attribute, pipeline or donor)
    proposer: str = ""
    evaluations: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    ic_before: int = 0
    ic_after: int = 0
    evidence: str = ""
    functions: tuple[FunctionChange, ...] = field(default=())
    trace: tuple[Turn, ...] = ()
    machine: str = ""  # on which else it depends (`policy.interface.Proposer`), if on any
    rewritten: Rewritten | None = None  # of its assembly; None: it was not looked at
