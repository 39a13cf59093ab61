"""How a compiler option takes its value, and what it means for a compile.

The tables in `options_*` are lists of `Row`: spelling, form, meaning. A
spelling may hold `[no-]`, as in the compiler's manual: the row then stands for
both options.
"""

from __future__ import annotations

from enum import Enum

from cr1cc.outcome import Outcome


class Form(Enum):
    """How an option takes its value."""

    FLAG = "no value"
    JOINED = "in the same word, may be empty: -std=c11, -O2"
    SEPARATE = "the next word: -include FILE"
    JOINED_OR_SEPARATE = "the rest of the word, or the next word: -oFILE, -o FILE"
    COMMA_JOINED = "in the same word, split at commas: -Wp,-MD,FILE"
    JOINED_AND_SEPARATE = "the rest of the word and the next word: -Xarch_host -O2"


class Meaning(Enum):
    """What a supported option is for, and so on which run it is repeated.

    The front end run turns the source into bitcode; the emission run turns
    optimised bitcode into the object.
    """

    PREPROCESSOR = "front end run; nothing but the text of the module depends on it"
    FRONT_END = "front end run; its effect is recorded in the module"
    CODE_GENERATION = "emission run only"
    BOTH = "both runs: recorded in the module, and read by the back end as well"
    DIAGNOSTICS = "front end run; decides what is printed"
    DEPENDENCY = "front end run; writes the dependency file"
    OUTPUT = "the object file"
    MODE = "compile, do not link"
    TARGET = "both runs; chooses the triple"
    LINKER = "front end run; has no effect without linking but a diagnostic"
    OPTIMISATION = "both runs; the last one is the level"
    LANGUAGE = "the language of the inputs that follow"


Row = tuple[str, Form, Meaning | Outcome]
