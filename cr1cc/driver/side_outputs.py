"""Files that a compile writes beside its object: dependencies and split debug data.

The driver derives their names from `-o`, which is another file when the front
end and the emission run separately; so they are stated here in full.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cr1cc.driver.option import Meaning
from cr1cc.driver.words import Word

# Options of `-g` that say something about debug data but do not ask for any.
_ASKS_FOR_NOTHING = (
    "-gcolumn-info",
    "-gdwarf-aranges",
    "-gdwarf32",
    "-gdwarf64",
    "-gembed-source",
    "-ggnu-pubnames",
    "-ginline-line-tables",
    "-gkey-instructions",
    "-gno-",
    "-gpubnames",
    "-gsimple-template-names",
    "-gsplit-dwarf",
    "-gstrict-dwarf",
    "-gstructor-decl-linkage-names",
    "-gtemplate-alias",
    "-gz",
)


def dependency_options(
    words: Sequence[Word], source: str, output: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What makes a run with another `-o` write the same dependency file.

    `output` is the value of `-o`, None without one. The second result holds the
    options as given if they write no file: they are then kept for the sake of
    the diagnostics they cause.
    """
    given = [word for word in words if word.meaning is Meaning.DEPENDENCY]
    texts = tuple(text for word in given for text in word.texts)
    names = {word.spelling for word in given}
    if not names & {"-MD", "-MMD"}:
        return (), texts
    if "-MF" not in names:
        texts += ("-MF", _beside(source, output, ".d"))
    if not names & {"-MT", "-MQ"}:
        # The driver quotes its own target as it quotes that of -MQ.
        texts += ("-MQ", output if output is not None else _beside(source, None, ".o"))
    return texts, ()


def asks_for_debug(words: Sequence[Word]) -> bool:
    """Whether debug data is asked for: the last option of `-g` that says so decides."""
    for word in reversed(words):
        text = word.texts[0]
        if text.startswith("-g") and not text.startswith(_ASKS_FOR_NOTHING):
            return text not in ("-g0", "-ggdb0")
    return False


def split_dwarf(
    words: Sequence[Word], source: str, output: str | None
) -> tuple[str, tuple[str, ...]]:
    """The .dwo file of the object, "" if it has none, and what both runs must be told.

    The object names the file that holds its debug data (itself, in the mode
    `single`); the driver would derive that name from `-o`.
    """
    last = ""
    for word in words:
        if word.texts[0].startswith(("-gsplit-dwarf", "-gno-split-dwarf")):
            last = word.texts[0]
    if last in ("", "-gno-split-dwarf") or not asks_for_debug(words):
        return "", ()
    single = last == "-gsplit-dwarf=single"
    name = _beside(source, output, ".o" if single and output is None else ".dwo")
    if single and output is not None:
        name = output
    return "" if single else name, ("-Xclang", "-split-dwarf-file", "-Xclang", name)


def _beside(source: str, output: str | None, suffix: str) -> str:
    """`output` with another suffix; without it, the source's base name in the
    current directory."""
    name = os.path.basename(source) if output is None else output
    return os.path.splitext(name)[0] + suffix
