"""Entry of the compilers: `cr1-clang`, `cr1-clang++`, or `python -m cr1cc.wrapper NAME`.

Whatever is not understood, and whatever goes wrong, becomes the real compiler's own
command line, in this very process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from cr1cc import config as settings
from cr1cc.driver.argv import environment_outcome, parse
from cr1cc.errors import Cr1Error, ToolchainError, UserError
from cr1cc.outcome import Outcome
from cr1cc.records import Decision, Passthrough, Plan
from cr1cc.storage import journal
from cr1cc.toolchain.find import find_compiler, mode_arguments

ACTIVE = "CR1_ACTIVE"  # set for everything that we start: a wrapper below us steps aside


class Command:
    """One command line given to one of the compilers."""

    def __init__(self, name: str, own: str, arguments: Sequence[str]) -> None:
        self.name = name
        self.own = own
        self.arguments = list(arguments)
        self.started = time.monotonic()
        self.environ = dict(os.environ)
        self.cwd = _working_directory()
        self.plan: Plan | None = None
        self.driver = ""

    def run(self) -> NoReturn:
        """Ends this process: as the real compiler, or with its exit status."""
        try:
            config, problem = settings.load(self.environ, self.cwd), None
        except UserError as error:
            config, problem = settings.Config(), Passthrough(Outcome.BAD_SETTINGS, str(error))
        setting = config.clangxx if self.name == "clang++" and config.clangxx else config.clang
        try:
            self.driver = find_compiler(
                self.name, setting=setting or None, environ=self.environ, own=self.own
            )
        except ToolchainError as error:
            print(f"cr1-{self.name}: error: {error}", file=sys.stderr)
            sys.exit(127)
        self.mode = mode_arguments(self.name, self.driver)
        passed = problem or self._passed_through(config)
        if passed:
            self.pass_through(passed.outcome, passed.detail)
        self._compile(config)

    def _passed_through(self, config: settings.Config) -> Passthrough | None:
        if self.environ.get(ACTIVE):
            return Passthrough(Outcome.RECURSION)
        self.environ[ACTIVE] = self.own
        if not config.enabled:
            return Passthrough(Outcome.DISABLED)
        parsed = environment_outcome(self.environ) or parse(
            self.arguments, cxx=self.name == "clang++", cwd=self.cwd
        )
        if isinstance(parsed, Passthrough):
            return parsed
        self.plan = parsed
        return None

    def pass_through(
        self, outcome: Outcome, detail: str = "", key: str = "", hit: str = ""
    ) -> NoReturn:
        """Become the real compiler with the original command line."""
        self._note(outcome, detail, key, hit)
        sys.stdout.flush()
        sys.stderr.flush()
        # Python ignores it; a compiler expects to be ended by it.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            os.execve(self.driver, [self.driver, *self.mode, *self.arguments], self.environ)
        except OSError as error:
            print(f"cr1-{self.name}: error: {self.driver}: {error.strerror}", file=sys.stderr)
            sys.exit(127)

    def _compile(self, config: settings.Config) -> NoReturn:
        # Here, because a passed-through command needs none of it.
        from cr1cc.compile import Compile, Fallback
        from cr1cc.toolchain.describe import describe

        assert self.plan is not None
        try:
            toolchain = describe(self.driver, cache_dir=config.cache_dir, environ=self.environ)
            report = Compile(self.plan, toolchain, config, self.environ, self.mode).run()
        except Fallback as fallback:
            self.pass_through(fallback.outcome, fallback.detail, fallback.key, fallback.hit)
        except (Cr1Error, OSError, MemoryError, RecursionError) as error:
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        except Exception as error:  # a defect of ours must not break a build
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        self._note(report.outcome, report.detail, report.key, report.hit, report.decision)
        if report.status < 0:
            _end_by_signal(-report.status)
        sys.stdout.flush()
        os._exit(report.status)

    def _note(
        self,
        outcome: Outcome,
        detail: str = "",
        key: str = "",
        hit: str = "",
        decision: Decision | None = None,
    ) -> None:
        """One line in the journal, for `cr1 stats` and `cr1 explain`."""
        plan = self.plan
        event = journal.Event(
            outcome=outcome.counter,
            detail=detail,
            source=os.path.join(self.cwd, plan.source) if plan else "",
            output=os.path.join(self.cwd, plan.output) if plan else "",
            key=key,
            bytes_before=decision.bytes_before if decision else 0,
            bytes_after=decision.bytes_after if decision else 0,
            proposer=decision.proposer if decision else "",
            evaluations=decision.evaluations if decision and not hit else 0,
            hit=hit,
            milliseconds=round((time.monotonic() - self.started) * 1e3, 1),
        )
        journal.append(settings.state_home(self.environ), event)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed: the real compiler says what it thinks of that
        return "/"


def _end_by_signal(number: int) -> NoReturn:
    """End as the compiler did, so that make sees the same."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _run(name: str, own: str, arguments: Sequence[str]) -> NoReturn:
    def stop(number: int, _frame: object) -> NoReturn:
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        Command(name, own, arguments).run()
    except Interrupted as interruption:
        _end_by_signal(interruption.number)


class Interrupted(BaseException):
    """A signal asked us to end: clean up on the way out, then end by that signal."""

    def __init__(self, number: int) -> None:
        self.number = number


def clang() -> NoReturn:
    """Entry point of `cr1-clang`."""
    _run("clang", _own_path(), sys.argv[1:])


def clangxx() -> NoReturn:
    """Entry point of `cr1-clang++`."""
    _run("clang++", _own_path(), sys.argv[1:])


def _own_path() -> str:
    return os.path.abspath(sys.argv[0]) if os.sep in sys.argv[0] else sys.argv[0]


if __name__ == "__main__":
    if sys.argv[1:2] not in (["clang"], ["clang++"]):
        sys.exit("usage: python -m cr1cc.wrapper clang|clang++ ARGUMENTS…")
    _run(sys.argv[1], os.path.abspath(__file__), sys.argv[2:])
