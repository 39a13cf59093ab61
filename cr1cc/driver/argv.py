"""A command line becomes a `Plan`, or the reason why it goes through untouched."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from cr1cc.driver import response
from cr1cc.driver.dialect import Dialect
from cr1cc.driver.inputs import is_preprocessed, is_probe, language_of, readable_problem
from cr1cc.driver.option import Meaning
from cr1cc.driver.side_outputs import asks_for_debug, dependency_options, split_dwarf
from cr1cc.driver.words import UnknownOptionError, Word, read
from cr1cc.outcome import Outcome
from cr1cc.records import Level, Passthrough, Plan, Speed

# Reasons that say what kind of command it is; they hold whatever its level is.
_KIND_OF_COMMAND = frozenset({Outcome.QUERY, Outcome.NOT_A_COMPILATION, Outcome.UNKNOWN_OPTION})


def environment_outcome(
    environ: Mapping[str, str], dialect: Dialect | None = None
) -> Passthrough | None:
    """The reason to leave every command alone that `environ` gives, if any."""
    for name in (dialect or _of_clang()).variables:
        if name in environ:
            return Passthrough(Outcome.UNSUPPORTED_OPTION, f"${name}")
    return None


def parse(
    arguments: Sequence[str], *, cxx: bool, cwd: str, dialect: Dialect | None = None
) -> Plan | Passthrough:
    """What the command `arguments` (without the compiler's name) asks for.

    `cxx`: the compiler was called as the C++ driver. `cwd`: absolute, what
    relative names on the command line are relative to. `dialect`: how the family of the
    compiler reads its command lines, None: that of clang. Reads response files and
    looks at the source and the output, writes nothing, raises nothing.
    """
    dialect = dialect or _of_clang()
    try:
        words = read(response.expand(arguments, cwd), dialect)
    except response.ResponseFileError as error:
        return Passthrough(Outcome.RESPONSE_FILE, str(error))
    except UnknownOptionError as error:
        return Passthrough(Outcome.UNKNOWN_OPTION, str(error))
    return _refusal(words, cxx, cwd, dialect) or _plan(tuple(arguments), words, cxx, dialect)


def _of_clang() -> Dialect:
    from cr1cc.driver.clang import CLANG  # here, because its tables are no business of gcc

    return CLANG


def _refusal(words: Sequence[Word], cxx: bool, cwd: str, dialect: Dialect) -> Passthrough | None:
    """The first reason why this is no compile that we understand, most general first."""
    reasons = [reason for word in words if (reason := _refused_option(word, dialect)) is not None]
    for reason in reasons:
        if reason.outcome in _KIND_OF_COMMAND:
            return reason
    return (
        _refused_inputs(words, cxx, cwd, dialect)
        or (reasons[0] if reasons else None)
        or _refused_order(words)
    )


def _refused_order(words: Sequence[Word]) -> Passthrough | None:
    """A language stated after the input has no effect but a diagnostic."""
    last = [word.meaning for word in words if word.meaning in (None, Meaning.LANGUAGE)]
    if last[-1] is Meaning.LANGUAGE:
        return Passthrough(Outcome.UNSUPPORTED_OPTION, "-x after the source")
    return None


def _refused_inputs(
    words: Sequence[Word], cxx: bool, cwd: str, dialect: Dialect
) -> Passthrough | None:
    inputs = [word.value for word in words if word.meaning is None]
    if not inputs:
        return Passthrough(Outcome.NO_INPUT)
    if len(inputs) > 1:
        return Passthrough(Outcome.SEVERAL_INPUTS, f"{len(inputs)} inputs")
    if inputs[0] == "-":
        return Passthrough(Outcome.STDIN_INPUT)
    if not any(word.meaning is Meaning.MODE for word in words):
        return Passthrough(Outcome.LINK)
    if language_of(inputs[0], _stated_language(words), cxx) is None:
        return Passthrough(Outcome.LANGUAGE, inputs[0])
    if _level(words, dialect) is None:
        return Passthrough(Outcome.NO_OPTIMISATION)
    problem = readable_problem(os.path.join(cwd, inputs[0]))
    if problem:
        return Passthrough(Outcome.MISSING_SOURCE, f"{inputs[0]}: {problem}")
    output = _output(words, inputs[0])
    path = os.path.join(cwd, output)
    if output in ("", "-") or (os.path.lexists(path) and not os.path.isfile(path)):
        return Passthrough(Outcome.STDOUT_OUTPUT, output)
    if is_probe(path):
        return Passthrough(Outcome.PROBE, output)
    return None


def _refused_option(word: Word, dialect: Dialect) -> Passthrough | None:
    meaning = dialect.disguised.get((word.spelling, word.value), word.meaning)
    if isinstance(meaning, Outcome):
        return Passthrough(meaning, " ".join(word.texts))
    if word.spelling == "-Wp," and word.values[0] in ("-MD", "-MMD"):
        # What the driver did not rewrite: the preprocessor's own way to name a file.
        plain = not dialect.rewrites_dependencies and len(word.values) == 2
        if plain and word.values[1] not in ("", "-"):
            return None
    carried = dialect.carried.get(word.spelling)
    if carried is not None and not all(value.startswith(carried) for value in word.values):
        return Passthrough(Outcome.UNSUPPORTED_OPTION, word.texts[0])
    return None


def _plan(arguments: tuple[str, ...], words: Sequence[Word], cxx: bool, dialect: Dialect) -> Plan:
    (source,) = (word.value for word in words if word.meaning is None)
    stated = _stated_language(words)
    language = language_of(source, stated, cxx)
    level = _level(words, dialect)
    assert language is not None  # `_refusal` has seen to both
    assert level is not None
    given = _option_of(words, Meaning.OUTPUT)
    dependency, unused = dependency_options(words, source, given)
    split_file, split_options = split_dwarf(words, source, given)
    codegen = _texts(words, dialect.emission)
    return Plan(
        arguments=arguments,
        source=source,
        language=language,
        output=_output(words, source),
        level=level,
        frontend=(
            *_texts(words, dialect.front_end),
            *unused,
            *split_options,
            *(("-x", stated) if stated is not None else ()),
        ),
        codegen=(*codegen, *split_options),
        dependency=dependency,
        key=(language, *codegen),
        triple=_option_of(words, Meaning.TARGET),
        debug=asks_for_debug(words),
        split_dwarf=split_file,
        messages=_texts(words, frozenset({Meaning.DIAGNOSTICS})),
        text=_texts(words, dialect.text),
        preprocessed=dialect.rereads_text and is_preprocessed(source, stated),
    )


def _texts(words: Sequence[Word], meanings: frozenset[Meaning]) -> tuple[str, ...]:
    return tuple(text for word in words if word.meaning in meanings for text in word.texts)


def _option_of(words: Sequence[Word], meaning: Meaning) -> str | None:
    """The value of the last option with this meaning."""
    for word in reversed(words):
        if word.meaning is meaning:
            return word.value
    return None


def _output(words: Sequence[Word], source: str) -> str:
    given = _option_of(words, Meaning.OUTPUT)
    if given is not None:
        return given
    return os.path.splitext(os.path.basename(source))[0] + ".o"


def _level(words: Sequence[Word], dialect: Dialect) -> Level | Speed | None:
    return dialect.levels.get(_option_of(words, Meaning.OPTIMISATION) or "")


def _stated_language(words: Sequence[Word]) -> str | None:
    """The last `-x` before the input, None if there is none or it is `none`."""
    stated: str | None = None
    for word in words:
        if word.meaning is None:
            break
        if word.meaning is Meaning.LANGUAGE:
            stated = None if word.value == "none" else word.value
    return stated
