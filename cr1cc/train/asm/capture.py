"""A compiler that keeps the assembly of everything it compiles: `CC` of the builds of this corpus.

    python -m cr1cc.train.asm.capture GCC CLANG FOLDER ARGUMENTS…

A compile of one C source leaves FOLDER/VARIANT/NAME.s for each row of `variants.py` that the
compilers can make; the object is made by CLANG without optimisation, so builds are quick.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Sequence

from cr1cc.driver.argv import parse
from cr1cc.driver.clang import CLANG as CLANG_DIALECT
from cr1cc.driver.commands import listing_command
from cr1cc.driver.gcc import GCC as GCC_DIALECT
from cr1cc.records import Plan
from cr1cc.train.asm.variants import GCC, VARIANTS, Variant
from cr1cc.util import process
from cr1cc.util.atomic import replace_file

_LEVEL = re.compile(r"-O\w*$")
# Debug data and processors make other windows; words for one compiler fail in the other.
_UNWANTED = re.compile(r"-O\w*$|-g\w*$|-flto|-march=|-mtune=|-fprofile|-Q|-W(?!p,)|-pedantic")


def main() -> None:
    gcc, clang, folder, *arguments = sys.argv[1:]
    with contextlib.suppress(OSError):
        _capture({"gcc": gcc, "clang": clang}, folder, arguments)
    plain = [word for word in arguments if not _LEVEL.match(word)]
    os.execv(clang, [clang, "-O0", "-w", *plain])


def _capture(compilers: dict[str, str], folder: str, arguments: Sequence[str]) -> None:
    texts = {}
    for variant in VARIANTS:
        command = _command(variant, compilers[variant.family], arguments)
        if command:
            status, text, _ = process.capture(command, os.environ)
            if status == 0 and text:
                texts[variant.name] = text
    if VARIANTS[0].name not in texts:
        return
    source = next(word for word in arguments if word.endswith(".c"))
    digest = hashlib.blake2b(texts[VARIANTS[0].name], digest_size=6).hexdigest()
    name = f"{os.path.splitext(os.path.basename(source))[0]}-{digest}.s"
    for row, text in texts.items():
        os.makedirs(os.path.join(folder, row), exist_ok=True)
        replace_file(os.path.join(folder, row, name), text)


def _command(variant: Variant, driver: str, arguments: Sequence[str]) -> list[str]:
    """The command that prints the assembly, empty if this is no compile of one C source."""
    words = [word for word in arguments if not _UNWANTED.match(word)]
    dialect = GCC_DIALECT if variant.family == GCC else CLANG_DIALECT
    plan = parse([*words, *variant.options], cxx=False, cwd=os.getcwd(), dialect=dialect)
    if not isinstance(plan, Plan) or plan.language != "c" or not plan.source.endswith(".c"):
        return []
    return [driver, *listing_command(plan)]


if __name__ == "__main__":
    main()
