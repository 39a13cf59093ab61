"""`cr1 prove`: whether one body of a function may stand for another one."""

from __future__ import annotations

import os

import click

from cr1cc.errors import GateError, UserError
from cr1cc.gate.dwarf import signature_of
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import CodeUnit, assemble
from cr1cc.prove.explore import Limits
from cr1cc.prove.instructions import INSTRUCTIONS
from cr1cc.prove.proof import Settings, check_installed, prove
from cr1cc.prove.solver import Effort

_ISA = sorted({row.isa for row in INSTRUCTIONS.values() if row.isa})


@click.command("prove")
@click.argument("original", metavar="A.s")
@click.argument("new", metavar="B.s")
@click.argument("function")
@click.option("--signature", metavar="PROTOTYPE", help="As 'int f(const char *, int)'.")
@click.option(
    "--steps", type=click.IntRange(min=1), default=Limits.steps, show_default=True,
    help="Instructions that are followed, on all paths of a body together.",
)  # fmt: skip
@click.option(
    "--paths", type=click.IntRange(min=1), default=Limits.paths, show_default=True,
    help="Paths of a body that are followed.",
)  # fmt: skip
@click.option(
    "--conflicts", type=click.IntRange(min=1), default=Effort.conflicts, show_default=True,
    help="How long each solver searches for one answer.",
)  # fmt: skip
@click.option(
    "--isa", multiple=True, type=click.Choice(_ISA),
    help="An extension that B.s may use although A.s does not.",
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    original: str,
    new: str,
    function: str,
    signature: str | None,
    steps: int,
    paths: int,
    conflicts: int,
    isa: tuple[str, ...],
) -> None:
    """Say whether FUNCTION of B.s does all that FUNCTION of A.s does, and nothing else.

    The last line is the verdict: `proved`, `refuted: INPUT` or `unknown: REASON`; exit status 0
    says that it is proved. Debug data in either file says what the function takes and returns;
    without it, or for types that are passed otherwise, --signature does.
    """
    check_installed()
    units = [assemble(path, os.environ) for path in (original, new)]
    bodies = [unit.body(function) for unit in units]
    prototype = _signature(units, function, signature)
    limits = Limits(steps=steps, paths=paths)
    settings = Settings(limits, Effort(conflicts=conflicts), frozenset(isa))
    judgement = prove(bodies[0], bodies[1], prototype, settings)
    if judgement.verdict is Verdict.REFUTED:
        click.echo(f"{prototype}: {judgement.reason}")
    click.echo(_verdict(judgement))
    ctx.exit(0 if judgement.verdict is Verdict.PROVED else 1)


def _verdict(judgement: Judgement) -> str:
    word = judgement.verdict.word
    if judgement.verdict is Verdict.REFUTED:
        return f"{word}: {judgement.input}"
    return word if judgement.verdict is Verdict.PROVED else f"{word}: {judgement.reason}"


def _signature(units: list[CodeUnit], function: str, told: str | None) -> Signature:
    """What debug data and --signature say, which must not be two things."""
    found, why = [], ""
    for unit in units:
        try:
            found.append(signature_of(unit.data, function))
        except GateError as error:
            why = why or str(error)
    if told is not None:
        given = parse_prototype(told)
        if given.name != function:
            raise UserError(f"--signature is of {given.name}, not of {function}")
        found.insert(0, given)
    if not found:
        raise UserError(f"say with --signature what {function} takes and returns: {why}")
    for other in found[1:]:
        if _shape(other) != _shape(found[0]):
            raise UserError(f"is it {found[0]}, or {other}?")
    return found[0]


def _shape(signature: Signature) -> tuple[object, ...]:
    """What the ABI sees of a signature."""
    types = [signature.result, *(one.type for one in signature.parameters)]
    return tuple((one.kind, one.size, one.signed) for one in types)
