"""The assembly that a compile's object was made of, and that of the user's own command, made anew
by the same compilers: for people, who want to see what a decision came to.

Nothing is written, the dependency file of the command included.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cr1cc.assembly.source import model_of, sources
from cr1cc.config import Config
from cr1cc.driver.argv import parse
from cr1cc.driver.clang import CLANG as CLANG_DIALECT
from cr1cc.driver.commands import emission_command, front_end_command, listing_command
from cr1cc.driver.gcc import GCC as GCC_DIALECT
from cr1cc.emit import RealCompiler
from cr1cc.errors import EvaluationError, UserError
from cr1cc.lock import Locked
from cr1cc.records import RELAYED, RENAMED, Decision, Level, Plan, Toolchain
from cr1cc.rewrite.change import Change
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.toolchain.find import CLANG, family_of, mode_arguments
from cr1cc.util import process


@dataclass(frozen=True)
class Listings:
    """Assembly by the user's own command, and of what was decided; windows of that which were
    made shorter."""

    before: bytes
    after: bytes
    changes: tuple[Change, ...] = ()


class Recorded:
    """A command of the past, as the journal has it."""

    def __init__(self, words: Sequence[str], config: Config, environ: Mapping[str, str]) -> None:
        """`words`: name, driver, folder and arguments. Raises UserError if they are no compile."""
        if len(words) < 4:
            raise UserError("the journal does not say by which command it was made")
        self.name, self.driver, self.folder, *arguments = words
        self.config = config
        self.environ = environ
        self.family = family_of(self.name)
        if not os.path.isdir(self.folder):
            raise UserError(f"{self.folder}: the folder is gone")
        dialect = CLANG_DIALECT if self.family is CLANG else GCC_DIALECT
        found = parse(arguments, cxx=self.name == self.family.cxx, cwd=self.folder, dialect=dialect)
        if not isinstance(found, Plan):
            raise UserError(f"its command would pass through now: {found.outcome.sentence}")
        self.plan = replace(found, dependency=())
        self.mode = mode_arguments(self.name, self.driver)

    def listings(self, decision: Decision | None, locked: Locked | None, lock: str) -> Listings:
        """What was decided and what was there before; `lock` is the path of the lockfile.
        Raises UserError, EvaluationError and what else a compile may raise.
        """
        place = os.getcwd()
        os.chdir(self.folder)  # where its names of files lead
        try:
            if locked is not None:
                return self._of_lock(locked, lock)
            if decision is None or not isinstance(self.plan.level, Level):
                raise UserError("its decision is gone")
            return self._of_gcc(decision) if self.family is not CLANG else self._of_clang(decision)
        finally:
            os.chdir(place)

    def _of_lock(self, locked: Locked, lock: str) -> Listings:
        from cr1cc.compile_speed import CompileSpeed
        from cr1cc.speed.build import Choice
        from cr1cc.speed.table import OWN, build_of

        ask = describe if self.family is CLANG else describe_gcc
        toolchain = ask(self.driver, cache_dir=self.config.cache_dir, environ=self.environ)
        made = CompileSpeed(
            self.plan, toolchain, self.config, self.environ, self.folder, lock, self.mode
        )
        text = made.compiler.text()
        own = Choice(build_of(f"{made.compiler.family}:{OWN}"))
        before = made.compiler.listing(own, text)
        return Listings(before, *made.listing(made.choice_of(locked), text))

    def _of_gcc(self, decision: Decision) -> Listings:
        from cr1cc.compile_gcc import CompileGcc
        from cr1cc.donors.known import assembly_of

        gcc = describe_gcc(self.driver, cache_dir=self.config.cache_dir, environ=self.environ)
        compiler = CompileGcc(self.plan, gcc, self.config, self.environ, self.folder).compiler
        text, _ = compiler.text()
        chosen = assembly_of(compiler, text, decision)
        if not decision.rewritten or not decision.rewritten.rewrites:
            return Listings(compiler.own_assembly(text), chosen)
        own = compiler.own_assembly(text)
        return self._shortened(decision, own, chosen, compiler.assemble_plainly, gcc.identity)

    def _of_clang(self, decision: Decision) -> Listings:
        clang = describe(self.driver, cache_dir=self.config.cache_dir, environ=self.environ)
        own = self._run(listing_command(self.plan))
        chosen = own
        if decision.recipe.stages or decision.tails:
            bitcode = self._run(front_end_command(self.plan, "-", with_dependencies=False))
            optimised = self._optimised(clang, bitcode, decision)
            command = emission_command(self.plan, "-", "-", decision.recipe.options, what="-S")
            chosen = self._run(command, optimised)
        if not decision.rewritten or not decision.rewritten.rewrites:
            return Listings(own, chosen)
        compiler = RealCompiler(self.plan, self.driver, self.mode, self.environ)
        return self._shortened(decision, own, chosen, compiler.assemble_plainly, clang.identity)

    def _shortened(
        self,
        decision: Decision,
        own: bytes,
        chosen: bytes,
        assemble: Callable[[bytes], bytes],
        tool: str,
    ) -> Listings:
        """With what became shorter in the chosen assembly."""
        from cr1cc.rewrite.shorten import Shortener
        from cr1cc.storage.store import DecisionStore

        assert isinstance(self.plan.level, Level)
        by = {row.by for row in decision.rewritten.rewrites} if decision.rewritten else set()
        model = model_of(self.config, self.environ, "clang" if self.family is CLANG else "gcc")
        with DecisionStore(self.config) as store, sources(model) as more:
            made = Shortener(
                self.plan.level,
                assemble,
                tool,
                store.local,
                more,
                names=RENAMED in by,
                rules=bool(by - {RENAMED, RELAYED}),
            ).shorten(chosen)
        if not made.assembly:
            raise UserError("its windows cannot be proved again")
        return Listings(own, made.assembly, made.changes)

    def _optimised(self, clang: Toolchain, bitcode: bytes, decision: Decision) -> bytes:
        from cr1cc.evaluate.evaluator import Evaluator
        from cr1cc.evaluate.worker import Subject
        from cr1cc.llvm.library import Library
        from cr1cc.llvm.target import TargetSpec, code_model
        from cr1cc.passes.macros import macros_for

        assert isinstance(self.plan.level, Level)
        if clang.libllvm is None:
            raise UserError(clang.libllvm_problem)
        macros = macros_for(clang.major, self.plan.level)
        subject = Subject(bitcode, macros, TargetSpec(code_model(self.plan.codegen)))
        with Evaluator(Library(clang.libllvm), subject) as evaluator:
            return evaluator.apply(decision.recipe, decision.tails)

    def _run(self, arguments: Sequence[str], given: bytes = b"") -> bytes:
        source = process.memory_file(given)
        try:
            command = [self.driver, *self.mode, *arguments]
            status, out, said = process.capture(command, self.environ, stdin=source)
        except OSError as error:
            raise EvaluationError(f"{self.driver}: {error.strerror}") from None
        finally:
            os.close(source)
        if status:
            words = said.decode(errors="replace").strip().split("\n")[0]
            raise EvaluationError(f"{self.driver} ended with status {status} {words}"[:300].strip())
        return out
