"""Entry of the compilers: `cr1-clang`, `cr1-clang++`, `cr1-gcc`, `cr1-g++`, or
`python -m cr1cc.wrapper NAME`."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn


def clang() -> NoReturn:
    """Entry point of `cr1-clang`."""
    _run("clang", _own_path())


def clangxx() -> NoReturn:
    """Entry point of `cr1-clang++`."""
    _run("clang++", _own_path())


def gcc() -> NoReturn:
    """Entry point of `cr1-gcc`."""
    _run("gcc", _own_path())


def gxx() -> NoReturn:
    """Entry point of `cr1-g++`."""
    _run("g++", _own_path())


def _run(name: str, own: str) -> NoReturn:
    # Ctrl-C while modules are loaded must not print where.
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cr1cc.command import Command
    from cr1cc.util import ending

    ending.handle_signals()
    Command(name, own, sys.argv[1:]).run()


def _own_path() -> str:
    return os.path.abspath(sys.argv[0]) if os.sep in sys.argv[0] else sys.argv[0]


if __name__ == "__main__":
    if sys.argv[1:2] not in (["clang"], ["clang++"], ["gcc"], ["g++"]):
        sys.exit("usage: python -m cr1cc.wrapper clang|clang++|gcc|g++ ARGUMENTS…")
    _run(sys.argv.pop(1), _own_path())
