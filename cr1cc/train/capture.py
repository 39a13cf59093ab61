"""A compiler that keeps the bitcode of everything it compiles: `CC` of the corpus builds.

    python -m cr1cc.train.capture CLANG FOLDER TREE ARGUMENTS…

Runs CLANG with the arguments; a compile of one source leaves its module in FOLDER: in
`packages` as `-Oz` would give it to the optimiser, in `paper` as `-O0` leaves it, without
size attributes. Nothing is optimised, so builds are quick. Modules do not say where TREE lies, so
that they are the same wherever a package is unpacked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from dataclasses import replace

from cr1cc.driver.argv import parse
from cr1cc.driver.commands import front_end_command
from cr1cc.records import Plan
from cr1cc.util import process
from cr1cc.util.atomic import replace_file

UNOPTIMISED = ("-O0", "-Xclang", "-disable-O0-optnone")
_LEVEL = re.compile(r"-O\w*$")
_UNPACKED = "/usr/src/packages-from-debian"  # where modules say that their sources lie


def main() -> None:
    clang, folder, tree, *arguments = sys.argv[1:]
    with contextlib.suppress(OSError):
        _capture(clang, folder, tree, arguments)
    plain = [word for word in arguments if not _LEVEL.match(word)]
    os.execv(clang, [clang, "-O0", "-w", *plain])


def _capture(clang: str, folder: str, tree: str, arguments: list[str]) -> None:
    levelled = [word for word in arguments if not _LEVEL.match(word) and word != "-g"]
    plan = parse([*levelled, "-Oz"], cxx="++" in os.path.basename(clang), cwd=os.getcwd())
    if not isinstance(plan, Plan):
        return
    plan, options = _anywhere(plan, tree)
    plain = tuple(word for word in plan.frontend if not _LEVEL.match(word))
    for kind, frontend in (("packages", plan.frontend), ("paper", (*plain, *UNOPTIMISED))):
        command = front_end_command(replace(plan, frontend=frontend), "-", with_dependencies=False)
        status, bitcode, _ = process.capture([clang, "-w", *options, *command], os.environ)
        if status == 0 and bitcode:
            digest = hashlib.blake2b(bitcode, digest_size=6).hexdigest()
            name = os.path.splitext(os.path.basename(plan.source))[0]
            os.makedirs(os.path.join(folder, kind), exist_ok=True)
            replace_file(os.path.join(folder, kind, f"{name}-{digest}.bc"), bitcode)


def _anywhere(plan: Plan, tree: str) -> tuple[Plan, list[str]]:
    """The compile with options for names of files, in debug data and in `__FILE__`. A module has
    the path of its source as its name: it is made relative, but `__FILE__` stays absolute there
    and in headers that lie beside it."""
    options = [f"-ffile-prefix-map={tree}={_UNPACKED}"]
    if not plan.source.startswith(f"{tree}/"):
        return plan, options
    folder, name = os.path.split(plan.source)
    relative = os.path.relpath(folder)
    options.append(f"-fmacro-prefix-map={relative}/={_UNPACKED}{folder.removeprefix(tree)}/")
    return replace(plan, source=f"{relative}/{name}"), options


if __name__ == "__main__":
    main()
