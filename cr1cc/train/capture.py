"""A compiler that keeps the bitcode of everything it compiles: `CC` of the corpus builds.

    python -m cr1cc.train.capture CLANG FOLDER ARGUMENTS…

Runs CLANG with the arguments; a compile of one source leaves its module in FOLDER: in
`packages` as `-Oz` would give it to the optimiser, in `paper` as `-O0` leaves it, without
size attributes. Nothing is optimised, so builds are quick. The module names its source by the
path from the working directory, so that a tree in another place gives the same one.
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


def main() -> None:
    clang, folder, *arguments = sys.argv[1:]
    with contextlib.suppress(OSError):
        _capture(clang, folder, arguments)
    plain = [word for word in arguments if not _LEVEL.match(word)]
    os.execv(clang, [clang, "-O0", "-w", *plain])


def _capture(clang: str, folder: str, arguments: list[str]) -> None:
    levelled = [word for word in arguments if not _LEVEL.match(word) and word != "-g"]
    plan = parse([*levelled, "-Oz"], cxx="++" in os.path.basename(clang), cwd=os.getcwd())
    if not isinstance(plan, Plan):
        return
    plan = replace(plan, source=os.path.relpath(plan.source))
    plain = tuple(word for word in plan.frontend if not _LEVEL.match(word))
    for kind, frontend in (("packages", plan.frontend), ("paper", (*plain, *UNOPTIMISED))):
        command = front_end_command(replace(plan, frontend=frontend), "-", with_dependencies=False)
        status, bitcode, _ = process.capture([clang, "-w", *command], os.environ)
        if status == 0 and bitcode:
            digest = hashlib.blake2b(bitcode, digest_size=6).hexdigest()
            name = os.path.splitext(os.path.basename(plan.source))[0]
            os.makedirs(os.path.join(folder, kind), exist_ok=True)
            replace_file(os.path.join(folder, kind, f"{name}-{digest}.bc"), bitcode)


if __name__ == "__main__":
    main()
