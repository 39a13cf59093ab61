"""The real gcc as we use it: its own command, source to text, text to object."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cr1cc.donors.table import APART, CLANG, GCC, PASSES, Donor
from cr1cc.driver.commands import DEBUGGED
from cr1cc.emit import contents
from cr1cc.errors import EvaluationError
from cr1cc.records import GccToolchain, Plan
from cr1cc.util import ending, process
from cr1cc.util.atomic import replace_file

# Processor time after which a donor build counts as hung; a plain compile of the largest
# sources takes less than a minute.
_SECONDS = 300

_LANGUAGES = {"c": "cpp-output", "c++": "c++-cpp-output"}


# Options of the user, by their beginning, whose assembly is not spliced.
_WHOLE_ONLY = ("-fipa-ra", "-fipa-stack-alignment", "-m16", "-m32", "-masm=", "-mx32")


@dataclass(frozen=True)
class Build:
    """What a donor build gave: an object, and the assembly that it was made of, empty
    if its functions are not to be had one by one."""

    donor: Donor
    data: bytes
    assembly: bytes = b""


@dataclass(frozen=True)
class Clang:
    """A clang that may make objects for one plan of gcc."""

    driver: str
    identity: str
    major: int
    options: tuple[str, ...]  # what it is told besides level and language
    granted: frozenset[str]  # functions that its objects may need anew


class RealGcc:
    """The user's compiler, for one plan, and a clang to help if there is one."""

    def __init__(
        self,
        plan: Plan,
        toolchain: GccToolchain,
        environ: Mapping[str, str],
        clang: Clang | None = None,
    ) -> None:
        self.plan = plan
        self.toolchain = toolchain
        self.environ = environ
        self.clang = clang

    def original(self) -> tuple[int, bool]:
        """Run the user's own command. Returns its status, or minus the signal that ended it,
        and whether it was silent."""
        said = os.memfd_create("stderr")
        try:
            command = [self.toolchain.driver, *self.plan.arguments]
            status = process.run(command, env=self.environ, stderr=said)
            words = os.pread(said, os.fstat(said).st_size, 0)
        finally:
            os.close(said)
        if words and os.isatty(2):
            # Colours and widths are the compiler's business: let it speak again, itself.
            return process.run(command, env=self.environ), False
        view = memoryview(words)
        while view:
            view = view[os.write(2, view) :]
        return status, not words

    def text(self) -> tuple[bytes, bool]:
        """The preprocessed source, and whether nothing was said about it.

        Writes the dependency file of the own command, if that writes one.
        Raises EvaluationError if there is no text.
        """
        if self.plan.preprocessed:
            return contents(self.plan.source), True
        command = [
            self.toolchain.driver, *self.plan.frontend, *self.plan.dependency,
            "-E", "-fpch-preprocess", self.plan.source,
        ]  # fmt: skip
        status, text, said = process.capture(command, self.environ)
        if status or not text:
            raise EvaluationError("the preprocessor gave no text")
        return text, not said

    @property
    def splices(self) -> bool:
        """Whether functions of several builds may be put together for this command. Debug
        information describes the code of one build, and its parts refer to each other by
        numbers: there is no taking out what belongs to one function."""
        return (
            "__x86_64__" in self.toolchain.defaults
            and not self.plan.debug
            and not any(word.startswith(_WHOLE_ONLY) for word in self.plan.codegen)
        )

    def build(self, donor: Donor, text: bytes) -> Build:
        """The object that a donor build makes of the text, by way of assembly if its functions
        may be spliced.

        Raises EvaluationError if a compiler fails or has anything to say.
        """
        if not self.splices:
            return Build(donor, self.whole(donor, text))
        assembly = self.assembly(donor, text)
        return Build(donor, self.assemble(assembly), assembly)

    def whole(self, donor: Donor, text: bytes) -> bytes:
        """The object of a build whose functions stay together, which needs no more than its own
        options. Raises EvaluationError as `build`."""
        driver, words, text = self._command(donor, text, apart=False)
        return self._object([driver, *words, "-c"], text)

    def assembly(self, donor: Donor, text: bytes, *, apart: bool = True) -> bytes:
        """The assembly that a donor build makes of the text, with `apart` so that functions may
        be taken from it if that may be at all. Raises EvaluationError as `build`."""
        driver, words, text = self._command(donor, text, apart=apart and self.splices)
        return self._assembly([driver, *words, "-S", "-o", "-"], text)

    def own_assembly(self, text: bytes) -> bytes:
        """The assembly that the user's own command makes. Raises EvaluationError as `build`."""
        level = f"-O{self.plan.level.value}"
        words = donor_command(self.plan, self.toolchain, Donor(GCC, level, (), "as it is"))
        return self._assembly([self.toolchain.driver, *words, "-S", "-o", "-"], text)

    def debugged(self, text: bytes) -> bytes:
        """An object of the text with debug data, in which every function is as it is written.
        Raises EvaluationError as `build`."""
        plainly = Donor(GCC, "-O0", (), "as it is written")
        words = donor_command(self.plan, self.toolchain, plainly)
        return self._object([self.toolchain.driver, *words, *DEBUGGED], text)

    def assemble(self, assembly: bytes) -> bytes:
        """The object of an assembly, by the user's gcc. Raises EvaluationError as `build`."""
        command = [self.toolchain.driver, *self.plan.codegen, "-c", "-x", "assembler", "-"]
        return self._object(command, assembly)

    def assemble_plainly(self, assembly: bytes) -> bytes:
        """The same with no option of the user's, so that it depends on the compiler alone."""
        return self._object([self.toolchain.driver, "-c", "-x", "assembler", "-"], assembly)

    def _command(self, donor: Donor, text: bytes, *, apart: bool) -> tuple[str, list[str], bytes]:
        """The compiler, its arguments but for what to make, and its input."""
        more = APART[donor.family] if apart else ()
        if donor.family != CLANG:
            words = donor_command(self.plan, self.toolchain, donor, more)
            return self.toolchain.driver, words, text
        from cr1cc.donors.clang_text import for_clang  # most compiles do not need it

        if self.clang is None:
            raise EvaluationError("there is no clang for this command")
        return self.clang.driver, clang_command(self.clang, donor, more), for_clang(text)

    def _assembly(self, command: Sequence[str], text: bytes) -> bytes:
        status, made, said = self._run(command, text)
        if status or said or not made:
            raise EvaluationError(_complaint(status, said))
        return made

    def _object(self, command: Sequence[str], text: bytes) -> bytes:
        # An assembler needs a name to write to.
        output = f"{self.plan.output}.cr1-{os.getpid()}.donor.tmp"
        with ending.removed(output):
            status, _, said = self._run([*command, "-o", output], text)
            if status or said:
                raise EvaluationError(_complaint(status, said))
            try:
                return contents(output)
            except OSError as error:
                raise EvaluationError(f"the build left no object: {error.strerror}") from None

    def _run(self, command: Sequence[str], text: bytes) -> tuple[int, bytes, bytes]:
        source = process.memory_file(text)
        try:
            return process.capture(command, self.environ, stdin=source, seconds=_SECONDS)
        except OSError as error:  # such as a compiler that was just removed
            raise EvaluationError(f"{command[0]}: {error.strerror}") from None
        finally:
            os.close(source)

    def replace(self, data: bytes, mode: int = 0o666) -> None:
        """Put an object in the place of the user's. Raises OSError."""
        replace_file(self.plan.output, data, mode)


def donor_command(
    plan: Plan, toolchain: GccToolchain, donor: Donor, more: Sequence[str] = ()
) -> list[str]:
    """Arguments by which gcc compiles text on standard input as a donor does; `more` of them.

    The options of the row come first: where the user has named one, the last one wins.
    """
    return [
        donor.level_option(toolchain.major),
        *donor.options,
        *more,
        *plan.codegen,
        "-w",  # warnings are the own command's business, and may be errors
        "-pipe",
        "-x",
        _LANGUAGES[plan.language],
        "-",
    ]


def clang_command(clang: Clang, donor: Donor, more: Sequence[str] = ()) -> list[str]:
    """The same for clang and C."""
    return [
        donor.level_option(0),
        *donor.options,
        *(word for option in llvm_options(donor, clang.major) for word in ("-mllvm", option)),
        *more,
        *clang.options,
        "-w",
        "-Qunused-arguments",
        "-x",
        _LANGUAGES["c"],
        "-",
    ]


def llvm_options(donor: Donor, major: int) -> list[str]:
    """What that clang is told with `-mllvm`, for x86-64, where alone it makes donors."""
    from cr1cc.passes.options import find_option

    rows = {option: find_option(option) for option in donor.llvm}
    return [o for o, row in rows.items() if o in PASSES or (row and row.holds_for(major, "X86"))]


def _complaint(status: int, said: bytes) -> str:
    words = said.decode(errors="replace").strip().split("\n")[0]
    ended = f"ended with status {status}" if status >= 0 else f"was ended by signal {-status}"
    return f"the build {ended}{': ' if words else ''}{words}"[:500]
