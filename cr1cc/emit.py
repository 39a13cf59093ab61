"""The real compiler as we use it: source to bitcode, bitcode to object, its own command."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cr1cc.driver.commands import (
    debugged_command,
    emission_command,
    emitted_split_dwarf,
    front_end_command,
    listing_command,
)
from cr1cc.errors import EvaluationError
from cr1cc.records import Plan
from cr1cc.util import ending, process
from cr1cc.util.atomic import replace_file

_FROM_TEXT = ("-c", "-x", "assembler", "-", "-o", "-")


@dataclass(frozen=True)
class Emitted:
    """An object and, with -gsplit-dwarf, the debug data that belongs to it; the bitcode that it
    was made of."""

    data: bytes
    debug: bytes = b""
    bitcode: bytes = b""


class RealCompiler:
    """The user's compiler, for one plan. `mode` is what makes the driver compile the
    language of the command's name."""

    def __init__(
        self, plan: Plan, driver: str, mode: tuple[str, ...], environ: Mapping[str, str]
    ) -> None:
        self.plan = plan
        self.environ = environ
        self._start = [driver, *mode]

    def original(self) -> int:
        """Run the user's own command; returns its status, or minus the signal that ended it."""
        return process.run([*self._start, *self.plan.arguments], env=self.environ)

    def front_end(self) -> tuple[bytes, bytes]:
        """Bitcode as it enters the optimiser, and what the front end had to say.

        Raises EvaluationError if there is no bitcode.
        """
        command = front_end_command(self.plan, "-", with_dependencies=True)
        status, bitcode, diagnostics = process.capture([*self._start, *command], self.environ)
        if status or not bitcode:
            raise EvaluationError("the front end gave no bitcode")
        return bitcode, diagnostics

    def emit(self, bitcode: bytes, options: Sequence[str]) -> Emitted:
        """The object of an optimised module, with code-generation options.

        Raises EvaluationError if the compiler fails or has anything to say.
        """
        source = process.memory_file(bitcode)
        # Split debug data needs a name beside the object's; all else goes through memory.
        output = f"{self.plan.output}.cr1-{os.getpid()}.tmp" if self.plan.split_dwarf else "-"
        files = (output, emitted_split_dwarf(output)) if self.plan.split_dwarf else ()
        with ending.removed(*files):
            try:
                command = emission_command(self.plan, "-", output, options)
                status, data, diagnostics = process.capture(
                    [*self._start, *command], self.environ, stdin=source
                )
            finally:
                os.close(source)
            if status or diagnostics:
                raise EvaluationError("the real compiler did not take the module silently")
            found, debug = map(contents, files) if files else (data, b"")
            return Emitted(found, debug, bitcode)

    def listing(self, emitted: Emitted | None, options: Sequence[str]) -> bytes:
        """The assembly of what was emitted with those options, or of the user's own command.

        Raises EvaluationError if the compiler fails or has anything to say.
        """
        if emitted is None:
            return self._silently(listing_command(self.plan))
        return self._silently(
            emission_command(self.plan, "-", "-", options, what="-S"), emitted.bitcode
        )

    def debugged(self) -> bytes:
        """An object of the source with debug data, in which every function is as it is written.
        Raises EvaluationError so."""
        return self._silently(debugged_command(self.plan))

    def assemble(self, assembly: bytes) -> bytes:
        """The object of an assembly, with the user's options. Raises EvaluationError so."""
        return self._silently(["-Qunused-arguments", *self.plan.codegen, *_FROM_TEXT], assembly)

    def assemble_plainly(self, assembly: bytes) -> bytes:
        """The same for the user's target with no other option, so that it depends on the compiler
        alone."""
        target = [f"--target={self.plan.triple}"] if self.plan.triple else []
        return self._silently([*target, *_FROM_TEXT], assembly)

    def _silently(self, arguments: Sequence[str], given: bytes = b"") -> bytes:
        source = process.memory_file(given)
        try:
            status, data, said = process.capture(
                [*self._start, *arguments], self.environ, stdin=source
            )
        finally:
            os.close(source)
        if status or said or not data:
            raise EvaluationError("the real compiler did not make assembly or take it silently")
        return data

    def replace(self, emitted: Emitted, mode: int = 0o666) -> None:
        """Put an object in the place of the user's. Raises OSError."""
        if self.plan.split_dwarf:
            replace_file(self.plan.split_dwarf, emitted.debug, mode)
        replace_file(self.plan.output, emitted.data, mode)

    def say(self, diagnostics: bytes) -> None:
        """Give the front end's words to standard error as the real command would."""
        if not diagnostics:
            return
        if os.isatty(2):
            # Colours and widths are the compiler's business: let it speak again, itself.
            command = front_end_command(self.plan, os.devnull, with_dependencies=False)
            process.run([*self._start, *command], env=self.environ)
            return
        view = memoryview(diagnostics)
        while view:
            view = view[os.write(2, view) :]


def contents(path: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    with open(path, "rb") as file:
        return file.read()
