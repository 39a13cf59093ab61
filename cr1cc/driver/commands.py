"""The two commands that stand for one compile: source → bitcode → object.

Both are argument lists for the same driver that the user called.
"""

from __future__ import annotations

from collections.abc import Sequence

from cr1cc.records import Plan

# The module as it enters the optimiser. Use lists are kept in order, since some
# passes walk them: with it the same recipe more often gives the same code.
TO_BITCODE = (
    "-c",
    "-emit-llvm",
    "-Xclang",
    "-disable-llvm-passes",
    "-Xclang",
    "-emit-llvm-uselists",
)

DEBUGGED = ("-g", "-gno-split-dwarf", "-c")  # behind the options of a command

FROM_BITCODE = ("-Qunused-arguments", "-Xclang", "-disable-llvm-passes")


def front_end_command(plan: Plan, bitcode: str, *, with_dependencies: bool) -> list[str]:
    """Arguments that turn the source into `bitcode`.

    The run prints what the front end of the real command prints. With
    `with_dependencies` it also writes the dependency file of the real command,
    if that writes one.
    """
    dependency = plan.dependency if with_dependencies else ()
    return [
        *plan.frontend,
        *dependency,
        *TO_BITCODE,
        "-o",
        bitcode,
        *_source(plan.source),
    ]


def emission_command(
    plan: Plan, bitcode: str, output: str, options: Sequence[str], *, what: str = "-c"
) -> list[str]:
    """Arguments that turn `bitcode` into the object `output`, with no pass run on it; with "-S"
    as `what`, into its assembly.

    `options` are code-generation options as `-mllvm` takes them. If the plan has
    `split_dwarf`, the debug data goes to `emitted_split_dwarf(output)`.
    """
    return [
        what,
        *FROM_BITCODE,
        *plan.codegen,
        *(word for option in options for word in ("-mllvm", option)),
        *_split_dwarf_output(plan, output),
        "-x",
        "ir",
        bitcode,
        "-o",
        output,
    ]


def listing_command(plan: Plan) -> list[str]:
    """Arguments that turn the source into the assembly of the user's own command, on standard
    output; no other file is written."""
    return [*plan.frontend, "-w", "-S", "-o", "-", *_source(plan.source)]


def debugged_command(plan: Plan) -> list[str]:
    """Arguments that turn the source into an object with debug data, on standard output."""
    return [*plan.frontend, "-w", "-O0", *DEBUGGED, "-o", "-", *_source(plan.source)]


def emitted_split_dwarf(output: str) -> str:
    """Where the emission of `output` leaves the debug data that belongs to it.

    It is to be renamed over `plan.split_dwarf`, the name recorded in the object,
    before `output` is renamed over `plan.output`.
    """
    return output + ".dwo"


def _split_dwarf_output(plan: Plan, output: str) -> tuple[str, ...]:
    if not plan.split_dwarf:
        return ()
    return "-Xclang", "-split-dwarf-output", "-Xclang", emitted_split_dwarf(output)


def _source(source: str) -> tuple[str, ...]:
    return ("--", source) if source.startswith("-") else (source,)
