"""The journey of one compile for speed, by gcc or clang, from a plan to the object.

    lockfile → has it a decision for this source, these options, this compiler?
             → preprocess → is the text the one that the decision was made for?
             → the own command makes the baseline and says what it has to say
             → build what is decided, with windows proved to be the same, validate, replace

Nothing is searched here, and nothing is remembered but verdicts on windows: `cr1 tune` decides,
and whatever does not fit exactly means the baseline. While `cr1 tune` builds, every command
leaves a record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cr1cc.config import Config
from cr1cc.donors.text import Text
from cr1cc.emit import contents
from cr1cc.errors import EvaluationError, UserError
from cr1cc.journey import Fallback, Report
from cr1cc.lock import Locked, name_of, read_lock
from cr1cc.outcome import Outcome
from cr1cc.records import GccToolchain, Plan, Toolchain
from cr1cc.rewrite.version import proofs
from cr1cc.speed import isa
from cr1cc.speed.build import ANY, ASKED, Choice, Made, SpeedCompiler
from cr1cc.speed.circumstances import compiler_label, options_digest, other_maker
from cr1cc.speed.table import TRAINING, build_of, builds_for
from cr1cc.speed.valid import complaint
from cr1cc.util.atomic import replace_file

if TYPE_CHECKING:
    from cr1cc.rewrite.change import Change
    from cr1cc.rewrite.locked import LockedWindows
    from cr1cc.rewrite.windows import Source

RECORD = "CR1_RECORD"  # set by `cr1 tune`: the file to which records are appended


@dataclass(frozen=True)
class Record:
    """What `cr1 tune` must know of a command: the fields of `lock.Locked` that a decision for
    it would have, its files, and the builds that it may be made by."""

    source: str
    level: str
    options: str
    text: str
    compiler: str
    other: str
    output: str  # absolute
    triple: str
    builds: tuple[str, ...]  # labels
    locked: str  # the donor that was used, "" for the baseline
    problem: str = ""  # why a decision was not followed
    one_body: tuple[str, ...] = ()  # functions that were to get a second one and did not
    windows: str = ""  # those that were made shorter, as a lockfile says it
    proposed: tuple[str, ...] = ()  # by a model, the same


class CompileSpeed:
    """One compile of one plan."""

    def __init__(
        self,
        plan: Plan,
        toolchain: Toolchain | GccToolchain,
        config: Config,
        environ: Mapping[str, str],
        cwd: str,
        lock: str,
        mode: tuple[str, ...] = (),
    ) -> None:
        """`lock` is the lockfile's path; `mode` is what makes the driver compile the language
        of the command's name. Raises Fallback if this compiler cannot be served."""
        if isinstance(toolchain, GccToolchain) and "__ELF__" not in toolchain.defaults:
            raise Fallback(Outcome.UNSUPPORTED_TARGET, toolchain.triple)
        if plan.split_dwarf:
            raise Fallback(Outcome.UNSUPPORTED_OPTION, "-gsplit-dwarf")
        self.plan = plan
        self.toolchain = toolchain
        self.config = config
        self.environ = environ
        self.mode = mode
        self.lock = lock
        self.source = name_of(os.path.join(cwd, plan.source), lock)
        self.output = os.path.join(cwd, plan.output)
        self.compiler = SpeedCompiler(plan, toolchain, mode, environ)
        self.one_body: Mapping[str, str] = {}  # functions left with one: why
        self.windows: LockedWindows | None = None
        self.label = compiler_label(self.compiler.family, toolchain)
        self.options = options_digest(plan)
        self.triple = plan.triple or (
            toolchain.triple if isinstance(toolchain, GccToolchain) else toolchain.default_triple
        )

    def run(self) -> Report:
        """Raises Fallback before anything was written."""
        if os.path.exists(self.plan.output) and not os.access(self.plan.output, os.W_OK):
            raise Fallback(Outcome.STDOUT_OUTPUT, "the output cannot be written")
        recording = self.environ.get(RECORD)
        if recording:
            return self._recorded(recording)
        found = self._candidates()
        text = self._text()
        return self._follow(self._decision(found, text), text)

    def _candidates(self) -> list[Locked]:
        """The decisions for this source. Raises Fallback if none can hold."""
        try:
            decisions = read_lock(self.lock)
        except UserError as error:
            raise Fallback(Outcome.LOCK_UNUSABLE, str(error)) from None
        found = [one for one in decisions if one.source == self.source]
        if not found:
            raise Fallback(Outcome.LOCK_MISSING, self.source)
        for what, ours in (("compiler", self.label), ("options", self.options)):
            fitting = [one for one in found if getattr(one, what) == ours]
            if not fitting:
                theirs = getattr(found[0], what)
                raise Fallback(Outcome.LOCK_STALE, f"{what}: decided for {theirs}, this is {ours}")
            found = fitting
        return found

    def _text(self) -> bytes:
        try:
            data = self.compiler.text()
        except EvaluationError as error:
            raise Fallback(Outcome.FRONT_END_FAILED, str(error)) from None
        text = Text(data)
        if text.uses_precompiled_header:
            raise Fallback(Outcome.PRECOMPILED_HEADER)
        if not text.complete:
            raise Fallback(Outcome.LOCK_STALE, "the assembler reads files that cannot be seen")
        return data

    def _decision(self, found: list[Locked], text: bytes) -> Locked:
        fingerprint = Text(text).fingerprint()
        for decision in found:
            if decision.text == fingerprint:
                return decision
        raise Fallback(Outcome.LOCK_STALE, "text: the source or a header has changed")

    def _follow(self, decision: Locked, text: bytes) -> Report:
        """The baseline, then what is decided. Raises Fallback if that cannot be built."""
        choice = self.choice_of(decision)
        status = self.compiler.original()
        if status:
            return Report(status, Outcome.BASELINE_FAILED)
        try:
            baseline = contents(self.plan.output)
            made = self.build(choice, text)
            # What counts is run once, by `cr1 tune`, and needs more than the baseline does.
            refused = choice.build != TRAINING and complaint(
                self.plan, self.compiler.family, choice, baseline, made
            )
            if refused:
                return Report(0, Outcome.LOCK_FAILED, detail=refused)
            mode = os.stat(self.plan.output).st_mode & 0o777
            replace_file(self.plan.output, made.data, mode)
            self.one_body = made.refused
        except (EvaluationError, OSError) as error:
            return Report(0, Outcome.LOCK_FAILED, detail=str(error))
        rewritten = self.windows.record if self.windows else None
        return Report(0, Outcome.LOCKED, detail=decision.donor, rewritten=rewritten)

    def build(self, choice: Choice, text: bytes) -> Made:
        """The object of a choice. Raises EvaluationError."""
        if not choice.windows:
            return self.compiler.build(choice, text)
        with self._shortening(choice, text) as self.windows:
            return self.compiler.build(choice, text, self.windows)

    def listing(self, choice: Choice, text: bytes) -> tuple[bytes, tuple[Change, ...]]:
        """The assembly of a choice, and the windows in it that were made shorter. Raises
        EvaluationError."""
        assembly = self.compiler.listing(choice, text)
        if not choice.windows:
            return assembly, ()
        with self._shortening(choice, text) as windows:
            return windows(assembly), windows.changes

    @contextmanager
    def _shortening(self, choice: Choice, text: bytes) -> Iterator[LockedWindows]:
        from cr1cc.assembly.source import sources, tuning_model_of
        from cr1cc.rewrite.locked import LockedWindows  # most decisions have no windows
        from cr1cc.rewrite.shorten import Shortener
        from cr1cc.storage.store import DecisionStore

        level, identity = self.plan.level, self.toolchain.identity
        is_asked = choice.windows == ASKED
        model = tuning_model_of(self.config, self.environ) if is_asked else None
        with DecisionStore(self.config) as store, sources(model) as asked:

            def shortener(more: Sequence[Source]) -> Shortener:
                return Shortener(
                    level, self.compiler.assemble_plainly, identity, store.local, more,
                    names=Text(text).conventional, rules=bool(proofs()),
                )  # fmt: skip

            promised = "" if choice.windows in (ANY, ASKED) else choice.windows
            yield LockedWindows(shortener, promised, choice.proposed, asked)

    def choice_of(self, decision: Locked) -> Choice:
        """What the decision says, in rows of the table. Raises Fallback."""
        try:
            build = build_of(decision.donor)
            functions, ifunc = (
                tuple((name, build_of(label)) for name, label in pairs)
                for pairs in (decision.functions, decision.ifunc)
            )
        except ValueError as error:
            raise Fallback(Outcome.LOCK_STALE, f"donor: {error}") from None
        if problem := isa.problem(decision.isa, self.triple):
            raise Fallback(Outcome.LOCK_STALE, f"isa: {problem}")
        if ifunc and (problem := self._ifunc_problem(decision.isa)):
            raise Fallback(Outcome.LOCK_STALE, f"ifunc: {problem}")
        if decision.windows and (problem := windows_problem(self.config)):
            raise Fallback(Outcome.LOCK_STALE, f"windows: {problem}")
        if decision.windows == ASKED and RECORD not in self.environ:
            raise Fallback(Outcome.LOCK_STALE, "windows: cr1 tune alone asks a model")
        choice = Choice(
            build, functions, decision.isa, ifunc, decision.windows, decision.proposed
        )  # fmt: skip
        if any(one.profiled for one in choice.builds):
            self._take_profile(choice, decision.profile)
        if any(one.family != self.compiler.family for one in choice.builds):
            other = self._join_other()
            if other != decision.other:
                here = other or "none that may"
                raise Fallback(Outcome.LOCK_STALE, f"donor: made by {decision.other}, here {here}")
        if any(one.recipe for one in choice.builds) and not self.compiler.takes_recipes():
            raise Fallback(Outcome.LOCK_STALE, "donor: clang has no usable libLLVM here")
        return choice

    def _take_profile(self, choice: Choice, name: str) -> None:
        """Let profiled builds read what was counted. Raises Fallback."""
        from cr1cc.speed import training  # most decisions have no profile

        elsewhere = self.environ.get(training.ELSEWHERE)
        folder = elsewhere or training.folder_of(self.lock)
        if TRAINING in choice.builds:
            problem = "" if elsewhere else f"{TRAINING.title} is for cr1 tune alone"
        else:
            problem = training.problem(folder, name)
        if problem:
            raise Fallback(Outcome.LOCK_STALE, f"profile: {problem}")
        self.compiler.profile = folder, name

    def _ifunc_problem(self, name: str) -> str:
        """Why functions may not have two bodies here, "" if they may."""
        if problem := isa.ifunc_problem(name, self.plan.text):
            return problem
        return "" if self.compiler.has_indirect_functions() else "the C library is not glibc"

    def _join_other(self) -> str:
        """Let the compiler of the other family take part; its label, "" if it may not."""
        maker, label = other_maker(self.plan, self.toolchain, self.mode, self.config, self.environ)
        if maker is not None:
            self.compiler.makers[maker.family] = maker
        return label

    def _recorded(self, path: str) -> Report:
        """The same, with a line in the record whatever becomes of it."""
        text = self._text()
        other = self._join_other()
        try:
            report = self._follow(self._decision(self._candidates(), text), text)
        except Fallback as fallback:
            status = self.compiler.original()
            report = Report(status, fallback.outcome, detail=fallback.detail)
        if report.status == 0:
            followed = report.outcome is Outcome.LOCKED
            rows = builds_for(
                self.compiler.family, self.triple, self.plan.text, with_other=bool(other),
                with_recipes=self.compiler.takes_recipes(),
            )  # fmt: skip
            record = Record(
                source=self.source,
                level=f"O{self.plan.level.value}",
                options=self.options,
                text=Text(text).fingerprint(),
                compiler=self.label,
                other=other,
                output=self.output,
                triple=self.triple,
                builds=tuple(row.label for row in rows),
                locked=report.detail if followed else "",
                problem="" if followed else f"{report.outcome.sentence}; {report.detail}",
                one_body=tuple(sorted(self.one_body)),
                windows=self.windows.label if followed and self.windows else "",
                proposed=self.windows.proposed if followed and self.windows else (),
            )
            _append(path, record)
        return report


def windows_problem(config: Config) -> str:
    """Why windows may not be made shorter here, "" if they may."""
    return "the setting `rewrite` is off" if config.rewrite == "off" else ""


def _append(path: str, record: Record) -> None:
    """One write, so that lines of many processes do not mix."""
    line = json.dumps(asdict(record)).encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
