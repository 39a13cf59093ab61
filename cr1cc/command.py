"""One command line given to one of the compilers.

Whatever is not understood, and whatever goes wrong, becomes the real compiler's own
command line, in this very process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cr1cc import config as settings
from cr1cc.errors import Cr1Error, ToolchainError, UserError
from cr1cc.outcome import Kind, Outcome
from cr1cc.storage import journal
from cr1cc.toolchain.find import CLANG, family_of, find_compiler, mode_arguments
from cr1cc.util import ending

if TYPE_CHECKING:
    from cr1cc.driver.dialect import Dialect
    from cr1cc.journey import Report
    from cr1cc.records import Plan

_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".C", ".i", ".ii", ".s", ".S", ".ll", ".bc")

ACTIVE = "CR1_ACTIVE"  # set for everything that we start: a wrapper below us steps aside


class Command:
    """One command line given to one of the compilers."""

    def __init__(self, name: str, own: str, arguments: Sequence[str]) -> None:
        self.name = name
        self.family = family_of(name)
        self.own = own
        self.arguments = list(arguments)
        self.started = time.monotonic()
        self.environ = dict(os.environ)
        self.cwd = _working_directory()
        self.plan: Plan | None = None
        self.driver = ""
        self.lock: str | None = None

    def run(self) -> NoReturn:
        """Ends this process: as the real compiler, or with its exit status."""
        try:
            config, problem = settings.load(self.environ, self.cwd), ""
        except UserError as error:
            config, problem = self._readable_settings(), str(error)
        c_setting, cxx_setting = (getattr(config, key) for key in self.family.settings)
        setting = cxx_setting if self.name == self.family.cxx and cxx_setting else c_setting
        try:
            self.driver = find_compiler(
                self.name, setting=setting or None, environ=self.environ, own=self.own
            )
        except ToolchainError as error:
            print(f"cr1-{self.name}: error: {error}", file=sys.stderr)
            sys.exit(127)
        self.mode = mode_arguments(self.name, self.driver)
        if problem:
            self.pass_through(Outcome.BAD_SETTINGS, problem)
        self._look_at(config)
        self._compile(config)

    def _readable_settings(self) -> settings.Config:
        """Which compiler is meant must be known even where another setting is nonsense."""
        others = {k: v for k, v in self.environ.items() if not k.startswith("CR1_")}
        try:
            config = settings.load(others, self.cwd)
        except UserError:
            config = settings.Config()
        stated = {key: self.environ.get(f"CR1_{key.upper()}") for key in self.family.settings}
        paths: dict[str, Any] = {key: path for key, path in stated.items() if path}
        return config._replace(**paths)

    def _look_at(self, config: settings.Config) -> None:
        """Pass the command through unless it is a compile that we have a plan for."""
        if self.environ.get(ACTIVE):
            self.pass_through(Outcome.RECURSION)
        self.environ[ACTIVE] = self.own
        if not config.enabled:
            self.pass_through(Outcome.DISABLED)
        for_size = any(map(_may_ask_for_size, self.arguments))
        for_speed = any(map(_may_ask_for_speed, self.arguments))
        if not for_size and not for_speed:
            self.pass_through(Outcome.NO_OPTIMISATION)
        self.lock = settings.find_lock(config.lock, self.cwd) if for_speed else None
        if not for_size and self.lock is None:
            self.pass_through(Outcome.NO_LOCK)
        try:
            # Here, because the tables of options take longer to load than all of the above.
            from cr1cc.driver.argv import environment_outcome, parse
            from cr1cc.records import Passthrough, Speed

            dialect, cxx = self._dialect(), self.name == self.family.cxx
            parsed = environment_outcome(self.environ, dialect) or parse(
                self.arguments, cxx=cxx, cwd=self.cwd, dialect=dialect
            )
        except Exception as error:  # a defect of ours must not break a build
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        if isinstance(parsed, Passthrough):
            self.pass_through(parsed.outcome, parsed.detail)
        if isinstance(parsed.level, Speed):
            if self.lock is None:
                self.pass_through(Outcome.NO_LOCK)
        elif config.frozen:
            self.pass_through(Outcome.FROZEN)
        self.plan = parsed

    def _dialect(self) -> Dialect:
        """How the compiler reads its command lines; the tables of the others stay unread."""
        if self.family is CLANG:
            from cr1cc.driver.clang import CLANG as DIALECT
        else:
            from cr1cc.driver.gcc import GCC as DIALECT
        return DIALECT

    def pass_through(self, outcome: Outcome, detail: str = "") -> NoReturn:
        """Become the real compiler with the original command line."""
        self._note(outcome, detail)
        # Python ignores them; a compiler expects to be ended by them.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        ending.handle_no_more()
        try:
            os.execve(self.driver, [self.driver, *self.mode, *self.arguments], self.environ)
        except OSError as error:
            print(f"cr1-{self.name}: error: {self.driver}: {error.strerror}", file=sys.stderr)
            sys.exit(127)

    def _compile(self, config: settings.Config) -> NoReturn:
        try:
            # Here, because a passed-through command needs none of it.
            from cr1cc.journey import Fallback
        except Exception as error:  # a defect of ours must not break a build
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        try:
            report = self._report(config)
        except Fallback as fallback:
            self.pass_through(fallback.outcome, fallback.detail)
        except (Cr1Error, OSError, MemoryError, RecursionError) as error:
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        except Exception as error:  # a defect of ours must not break a build
            self.pass_through(Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        self._note(report.outcome, report.detail, report)
        if report.status < 0:
            ending.end_by(-report.status)
        os._exit(report.status)

    def _report(self, config: settings.Config) -> Report:
        """How the compile ends. Raises Fallback, and what a defect of ours raises."""
        assert self.plan is not None
        from cr1cc.records import Level

        if not isinstance(self.plan.level, Level):
            return self._report_speed(config, self.plan)
        if self.family is CLANG:
            from cr1cc.compile import Compile
            from cr1cc.toolchain.describe import describe

            toolchain = describe(self.driver, cache_dir=config.cache_dir, environ=self.environ)
            return Compile(self.plan, toolchain, config, self.environ, self.mode).run()
        from cr1cc.compile_gcc import CompileGcc
        from cr1cc.toolchain.describe_gcc import describe_gcc

        gcc = describe_gcc(self.driver, cache_dir=config.cache_dir, environ=self.environ)
        return CompileGcc(self.plan, gcc, config, self.environ, self.cwd).run()

    def _report_speed(self, config: settings.Config, plan: Plan) -> Report:
        """The same where the objective is time."""
        from cr1cc.compile_speed import CompileSpeed
        from cr1cc.toolchain.describe import describe
        from cr1cc.toolchain.describe_gcc import describe_gcc

        ask = describe if self.family is CLANG else describe_gcc
        toolchain = ask(self.driver, cache_dir=config.cache_dir, environ=self.environ)
        assert self.lock is not None
        return CompileSpeed(
            plan, toolchain, config, self.environ, self.cwd, self.lock, self.mode
        ).run()

    def _note(self, outcome: Outcome, detail: str, report: Report | None = None) -> None:
        """One line in the journal, for `cr1 stats` and `cr1 explain`."""
        source, output = _named_files(self.arguments)
        if self.plan is not None:
            source, output = self.plan.source, self.plan.output
        event = journal.Event(
            outcome=outcome.counter,
            detail=detail,
            source=os.path.join(self.cwd, source) if source else "",
            output=os.path.join(self.cwd, output) if output else "",
            milliseconds=round((time.monotonic() - self.started) * 1e3, 1),
        )
        if report is not None:
            decision = report.decision
            event = event._replace(
                key=report.key,
                bytes_before=report.sizes[0],
                bytes_after=report.sizes[1],
                proposer=decision.proposer if decision else "",
                evaluations=decision.evaluations if decision and not report.hit else 0,
                hit=report.hit,
                store_problem=report.store_problem,
                daemon_problem=report.daemon_problem,
                model_problem=report.model_problem,
            )
            if (rewritten := report.rewritten) is not None:
                event = event._replace(verdicts=rewritten.verdicts, rewritten=len(rewritten.names))
            if report.outcome.kind is Kind.REPLACED:  # for bodies that are shown side by side
                words = (self.name, self.driver, self.cwd, *self.arguments)
                event = event._replace(command=journal.joined(words))
        journal.append(settings.state_home(self.environ), event)


def _may_ask_for_size(word: str) -> bool:
    """Whether a word is a size level or, as a response file, may hold one."""
    return word in ("-Oz", "-Os") or word.startswith(("@", "--optimize"))


def _may_ask_for_speed(word: str) -> bool:
    """The same of a level for speed."""
    return word in ("-O2", "-O3") or word.startswith(("@", "--optimize"))


def _named_files(arguments: Sequence[str]) -> tuple[str, str]:
    """Source and output of a command that was not understood, as far as they are plain."""
    source = output = ""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "-o":
            output = following
        elif not word.startswith("-") and word.endswith(_SOURCES):
            source = word
    return source, output


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed: the real compiler says what it thinks of that
        return "/"
