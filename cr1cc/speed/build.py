"""The real compilers as the levels of speed use them: text, builds of it, splices of builds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cr1cc.asm.notation import is_x86_64
from cr1cc.emit import contents
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.records import GccToolchain, Plan, Toolchain
from cr1cc.speed.isa import isa_options, name_of, refusal
from cr1cc.speed.table import CLANG, GCC, TRAINING, Build
from cr1cc.util import ending, process

if TYPE_CHECKING:
    from cr1cc.asm.unit import Unit

# Processor time after which a build counts as hung.
_SECONDS = 300

_LANGUAGES = {"c": "cpp-output", "c++": "c++-cpp-output"}

# What text that is to be spliced needs: `asm/splice.py` says why.
_FOR_SPLICING = {
    GCC: ("-fno-ipa-ra", "-fno-ipa-stack-alignment"),
    CLANG: ("-fno-integrated-as",),
}
# What text that another compiler may assemble needs.
_FOR_OTHERS = {GCC: (), CLANG: ("-fno-integrated-as",)}
# Options by which a program says that it has no C library.
_UNHOSTED = ("-ffreestanding", "-fno-hosted", "-nostdinc", "-mcmodel=kernel")
_ASKS_GLIBC = b"""#include <features.h>
#if defined __GLIBC__ && !defined __UCLIBC__
cr1_glibc
#endif
"""
_GLIBC = re.compile(rb"^cr1_glibc$", re.MULTILINE)

_SILENT = {GCC: ("-w",), CLANG: ("-w", "-Qunused-arguments")}


# Windows that no lockfile promises yet: whichever can be proved of what the rules propose, or of
# what the model of assembly proposes besides.
ANY, ASKED = "any", "asked"

# What makes windows of an assembly shorter. Raises EvaluationError if it may not.
Shorten = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Choice:
    """What an object is made of: a build, other builds for single functions, builds for second
    bodies of functions, and the instruction set as a lockfile says it: that of everything, or
    where there are second bodies theirs alone. `windows` that are made shorter in the assembly
    of all that: as a lockfile says it, ANY or ASKED; those of them that are `proposed` besides what
    the rules say."""

    build: Build
    functions: tuple[tuple[str, Build], ...] = ()
    isa: str = ""
    ifunc: tuple[tuple[str, Build], ...] = ()
    windows: str = ""
    proposed: tuple[str, ...] = ()

    @property
    def builds(self) -> list[Build]:
        """All builds that take part, the base first."""
        pairs = (*self.functions, *self.ifunc)
        return list(dict.fromkeys([self.build, *(build for _, build in pairs)]))


def _is_read(plan: Plan, toolchain: Toolchain | GccToolchain) -> bool:
    """Whether the assembly of a command is for x86-64, in the notation of the GNU assembler."""
    own = toolchain.triple if isinstance(toolchain, GccToolchain) else toolchain.default_triple
    return is_x86_64(plan.triple or own, plan.text)


@dataclass(frozen=True)
class Made:
    """An object, and the functions that were to get a second body and did not, with reasons."""

    data: bytes
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Maker:
    """A compiler for preprocessed text. `options` is all that it is told besides level,
    language and the options of a row."""

    command: tuple[str, ...]  # driver and mode
    family: str
    identity: str
    options: tuple[str, ...]
    clang: Toolchain | None = None  # where it has a libLLVM, for recipes


class SpeedCompiler:
    """The user's compiler for one plan, and one of the other family if there is one."""

    def __init__(
        self,
        plan: Plan,
        toolchain: Toolchain | GccToolchain,
        mode: Sequence[str],
        environ: Mapping[str, str],
        other: Maker | None = None,
    ) -> None:
        self.plan = plan
        self.environ = environ
        self.family = GCC if isinstance(toolchain, GccToolchain) else CLANG
        self.reads_assembly = _is_read(plan, toolchain)
        command = (toolchain.driver, *mode)
        clang = toolchain if isinstance(toolchain, Toolchain) else None
        self.own = Maker(command, self.family, toolchain.identity, plan.text, clang)
        self.makers = {self.family: self.own}
        self.profile = ("", "")  # folder and name of the one that profiled builds use
        if other is not None:
            self.makers[other.family] = other

    def original(self) -> int:
        """Run the user's own command; returns its status, or minus the signal that ended it."""
        return process.run([*self.own.command, *self.plan.arguments], env=self.environ)

    def text(self) -> bytes:
        """The preprocessed source; nothing is written. Raises EvaluationError."""
        if self.plan.preprocessed:
            return contents(self.plan.source)
        pch = ("-fpch-preprocess",) if self.family == GCC else ()
        source = ("--", self.plan.source) if self.plan.source.startswith("-") else ()
        command = [
            *self.own.command, *self.plan.frontend, "-E", *pch, *(source or (self.plan.source,)),
        ]  # fmt: skip
        status, text, _ = process.capture(command, self.environ)
        if status or not text:
            raise EvaluationError("the preprocessor gave no text")
        return text

    def build(self, choice: Choice, text: bytes, shorten: Shorten | None = None) -> Made:
        """The object of a choice. Raises EvaluationError: a compiler fails or says something,
        functions cannot be spliced, or the text may not have that instruction set. `shorten` is
        for a choice with windows."""
        if choice.isa and (refused := refusal(text)):
            raise EvaluationError(f"not for another instruction set: {refused}")
        if not choice.functions and not choice.ifunc and not choice.windows:
            made = self._object(*self._job(choice.build, choice.isa, text, "-c"))
            return Made(self._self_contained(made) if choice.build == TRAINING else made)
        if not self.reads_assembly:
            raise EvaluationError(
                "assembly for another machine than x86-64, or in another notation"
            )
        assembly, left_out = self.assembly(choice, text)
        if choice.windows:
            assert shorten is not None
            assembly = shorten(assembly)
        options = [word for word in self.own.options if word.startswith(("-Wa,", "-m64"))]
        command = [*self.own.command, *options, "-c", "-x", "assembler", "-"]
        return Made(self._object(command, assembly), left_out)

    def _self_contained(self, data: bytes) -> bytes:
        from cr1cc.speed.training import self_contained  # for `cr1 tune` alone

        gcc = self.makers[GCC]
        machine = [word for word in gcc.options if word.startswith("-m")]
        path = self.environ.get("PATH", os.defpath)
        return self_contained(
            data, [*gcc.command, *machine], path, lambda command: self._run(command, b"")
        )

    def assemble_plainly(self, assembly: bytes) -> bytes:
        """The object of an assembly, by the user's compiler with no option of the user's."""
        return self._object([self.own.command[0], "-c", "-x", "assembler", "-"], assembly)

    def listing(self, choice: Choice, text: bytes) -> bytes:
        """The assembly that an object of a choice is made of, with its windows as the compilers
        make them. Raises EvaluationError."""
        if choice.functions or choice.ifunc or choice.windows:
            return self.assembly(choice, text)[0]
        return self._listing(choice, text)

    def _listing(self, choice: Choice, text: bytes, *more: str) -> bytes:
        return self._run(*self._job(choice.build, choice.isa, text, "-S", *more, "-o", "-"))

    def assembly(self, choice: Choice, text: bytes) -> tuple[bytes, dict[str, str]]:
        """The assembly of a choice as text that the user's compiler assembles, and what has no
        second body. Raises EvaluationError."""
        if not choice.functions and not choice.ifunc:
            return self._listing(choice, text, *_FOR_OTHERS[choice.build.family]), {}
        from cr1cc.asm.ifunc import with_second_bodies  # most decisions are whole objects
        from cr1cc.asm.printer import print_unit
        from cr1cc.asm.splice import splice

        isa = "" if choice.ifunc else choice.isa
        plain = dict.fromkeys((choice.build, *(build for _, build in choice.functions)))
        try:
            units = {build.title: self._unit(build, isa, text) for build in plain}
            unit, refused = units[choice.build.title], dict[str, str]()
            if choice.functions:
                unit = splice(unit, units, {name: one.title for name, one in choice.functions})
            if choice.ifunc:
                second = {one.title: self._unit(one, choice.isa, text) for _, one in choice.ifunc}
                titles = {name: one.title for name, one in choice.ifunc}
                unit, refused = with_second_bodies(unit, second, titles, name_of(choice.isa))
        except AsmError as error:
            raise EvaluationError(f"no splice: {error}") from None
        return print_unit(unit).encode(errors="surrogateescape"), refused

    def has_indirect_functions(self) -> bool:
        """Whether programs of this command have a loader that knows indirect functions: that of
        glibc does; musl has none, nor has a program without C library."""
        if any(word.startswith(_UNHOSTED) for word in (*self.plan.text, *self.plan.frontend)):
            return False
        language = "c" if self.plan.language == "c" else "c++"
        command = [*self.own.command, *self.plan.frontend, "-w", "-E", "-x", language, "-"]
        try:
            return _GLIBC.search(self._run(command, _ASKS_GLIBC)) is not None
        except EvaluationError:  # no such header
            return False

    def _unit(self, build: Build, isa: str, text: bytes) -> Unit:
        from cr1cc.asm.reader import read_unit

        extra = _FOR_SPLICING[build.family]
        made = self._run(*self._job(build, isa, text, "-S", *extra, "-o", "-"))
        return read_unit(made.decode(errors="surrogateescape"))

    def takes_recipes(self) -> bool:
        """Whether there is a clang for this command that has its libLLVM."""
        maker = self.makers.get(CLANG)
        return maker is not None and maker.clang is not None and maker.clang.libllvm is not None

    def _job(self, build: Build, isa: str, text: bytes, *mode: str) -> tuple[list[str], bytes]:
        """What makes a build of the text: a command, and its standard input."""
        maker = self.makers.get(build.family)
        if maker is None:
            raise EvaluationError(f"there is no {build.family} for this command")
        start, spelled = self._start(build, maker, isa), self._spelled(build, text)
        read = ("-x", _LANGUAGES[self.plan.language], "-")
        if not build.recipe:
            return [*start, *mode, *read], spelled
        from cr1cc.driver.commands import FROM_BITCODE, TO_BITCODE
        from cr1cc.speed.recipe import optimised  # most builds have no recipe

        if maker.clang is None:
            raise EvaluationError("recipes are for clang")
        bitcode = self._run([*start, *TO_BITCODE, *read, "-o", "-"], spelled)
        module = optimised(bitcode, build.recipe, maker.clang, maker.options)
        return [*start, *FROM_BITCODE, *mode, "-x", "ir", "-"], module

    def _start(self, build: Build, maker: Maker, isa: str) -> list[str]:
        profile: tuple[str, ...] = ()
        if build.profiled:
            from cr1cc.speed import training  # most builds have no profile

            profile = training.options(*self.profile)
        level = build.level or f"-O{self.plan.level.value}"
        return [
            *maker.command, level, *build.options, *maker.options,
            *isa_options(isa, self.plan.text), *profile, *_SILENT[build.family],
        ]  # fmt: skip

    def _spelled(self, build: Build, text: bytes) -> bytes:
        """The text in words that the compiler of the build accepts."""
        if build.family == self.family:
            return text
        from cr1cc.donors.clang_text import for_clang, refusal
        from cr1cc.speed.foreign import for_gcc

        if refused := refusal(text):
            raise EvaluationError(f"not for {build.family}: {refused}")
        return for_clang(text) if build.family == CLANG else for_gcc(text)

    def _object(self, command: Sequence[str], text: bytes) -> bytes:
        output = f"{self.plan.output}.cr1-{os.getpid()}.donor.tmp"
        with ending.removed(output):
            self._run([*command, "-o", output], text)
            try:
                return contents(output)
            except OSError as error:
                raise EvaluationError(f"the build left no object: {error.strerror}") from None

    def _run(self, command: Sequence[str], text: bytes) -> bytes:
        source = process.memory_file(text)
        try:
            status, out, said = process.capture(
                command, self.environ, stdin=source, seconds=_SECONDS
            )
        except OSError as error:  # such as a compiler that was just removed
            raise EvaluationError(f"{command[0]}: {error.strerror}") from None
        finally:
            os.close(source)
        if status or said:
            words = said.decode(errors="replace").strip().split("\n")[0]
            raise EvaluationError(f"{command[0]} ended with status {status} {words}"[:500].strip())
        return out
