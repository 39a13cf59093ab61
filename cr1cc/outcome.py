"""Every way a command can end, in one table.

A member is at once the counter in `cr1 stats`, the word in `--json` output and
the sentence in `cr1 explain`. New reasons are added here and nowhere else.
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What became of the command as a whole."""

    REPLACED = "replaced"  # our object stands where the baseline was
    BASELINE = "baseline"  # understood, but the user's own object stays
    PASSTHROUGH = "passed through"  # the real compiler got the original command line


class Outcome(Enum):
    """`(kind, sentence)`; the member's name in lower case is its counter."""

    kind: Kind
    sentence: str

    def __new__(cls, kind: Kind, sentence: str) -> Outcome:
        member = object.__new__(cls)
        member._value_ = f"{kind.value}: {sentence}"
        member.kind = kind
        member.sentence = sentence
        return member

    @property
    def counter(self) -> str:
        return self.name.lower()

    # The object was replaced.
    SMALLER = Kind.REPLACED, "a recipe gave a smaller object that passed every check"

    LOCKED = Kind.REPLACED, "what the lockfile says was built anew and passed every check"

    # Understood, and the user's own object stays.
    LOCK_FAILED = Kind.BASELINE, "what the lockfile says could not be built or was refused"
    NOTHING_BETTER = Kind.BASELINE, "no candidate gave a smaller valid object"
    NO_CODE = Kind.BASELINE, "the module defines no function"
    BASELINE_FAILED = Kind.BASELINE, "the real compiler failed"
    FRONT_END_FAILED = Kind.BASELINE, "the front end gave nothing to go on with"
    CANDIDATES_FAILED = Kind.BASELINE, "every candidate failed or was refused by a check"
    BACKEND_DIAGNOSTICS = Kind.BASELINE, "the back end may have something to say about this module"
    UNSUPPORTED_OBJECT = Kind.BASELINE, "the object file is not ELF as we know it"
    INTERNAL_ERROR = Kind.BASELINE, "an internal error; the real compiler's object stays"

    # The real compiler got the original command line.
    NO_INPUT = Kind.PASSTHROUGH, "no source file on the command line"
    SEVERAL_INPUTS = Kind.PASSTHROUGH, "several source files on one command line"
    STDIN_INPUT = Kind.PASSTHROUGH, "the source is read from standard input"
    STDOUT_OUTPUT = Kind.PASSTHROUGH, "the output is not a regular file"
    PROBE = Kind.PASSTHROUGH, "a build system tries the compiler; the object is thrown away"
    LINK = Kind.PASSTHROUGH, "the command links"
    NOT_A_COMPILATION = Kind.PASSTHROUGH, "the command does not make an object file"
    QUERY = Kind.PASSTHROUGH, "the command only asks the compiler something"
    NO_OPTIMISATION = Kind.PASSTHROUGH, "no level for size or speed was asked for"
    NO_LOCK = Kind.PASSTHROUGH, "a level for speed (-O2 or -O3) where no lockfile is"
    LOCK_MISSING = Kind.PASSTHROUGH, "the lockfile has no decision for this source"
    LOCK_STALE = Kind.PASSTHROUGH, "the lockfile's decision was made for something else"
    LOCK_UNUSABLE = Kind.PASSTHROUGH, "a lockfile that cannot be used"
    FROZEN = Kind.PASSTHROUGH, "by the setting `frozen` nothing but the lockfile decides"
    LANGUAGE = Kind.PASSTHROUGH, "the source is in a language that is not handled"
    LTO = Kind.PASSTHROUGH, "link-time optimisation"
    PRECOMPILED_HEADER = Kind.PASSTHROUGH, "precompiled headers or modules"
    SANITIZER = Kind.PASSTHROUGH, "sanitizers"
    PROFILE = Kind.PASSTHROUGH, "profiling, coverage or instrumentation"
    SAVE_TEMPS = Kind.PASSTHROUGH, "intermediate files were asked for"
    PLUGIN = Kind.PASSTHROUGH, "compiler plugins"
    REMARKS = Kind.PASSTHROUGH, "optimisation remarks or back-end reports were asked for"
    OFFLOAD = Kind.PASSTHROUGH, "several architectures or offloading"
    UNSUPPORTED_OPTION = Kind.PASSTHROUGH, "an option that must go through untouched"
    UNKNOWN_OPTION = Kind.PASSTHROUGH, "an option that is not in the table"
    RESPONSE_FILE = Kind.PASSTHROUGH, "a response file that cannot be read"
    MISSING_SOURCE = Kind.PASSTHROUGH, "the source file cannot be read"
    DISABLED = Kind.PASSTHROUGH, "switched off by the setting `enabled`"
    BAD_SETTINGS = Kind.PASSTHROUGH, "a settings file that cannot be used"
    RECURSION = Kind.PASSTHROUGH, "called by another cr1 compiler"
    NO_LIBLLVM = Kind.PASSTHROUGH, "no usable libLLVM belongs to this compiler"
    UNSUPPORTED_TARGET = Kind.PASSTHROUGH, "libLLVM was built without this target"
    UNSUPPORTED_VERSION = Kind.PASSTHROUGH, "this version of the compiler is not in the table"
