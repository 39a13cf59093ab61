"""`cr1 lock`: look after the lockfile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import click

from cr1cc.cli import output
from cr1cc.compile_speed import windows_problem
from cr1cc.config import Config, find_lock, load
from cr1cc.errors import ToolchainError, UserError
from cr1cc.lock import Locked, read_lock
from cr1cc.records import GccToolchain, Toolchain
from cr1cc.speed import isa, training
from cr1cc.speed.circumstances import compiler_label
from cr1cc.speed.table import CLANG, GCC, build_of
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.toolchain.find import find_compiler


@click.group("lock")
def command() -> None:
    """Look after the lockfile, which says how objects for -O2 and -O3 are built."""


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Say which decisions can hold here; exit status 1 if one cannot.

    Whether a source is still the one that a decision was made for, the next
    build tells: `cr1 stats` counts it, and `cr1 explain` says it of a file.
    """
    config = load(os.environ, os.getcwd())
    path = find_lock(config.lock, os.getcwd())
    if path is None:
        raise UserError("there is no cr1.lock here or above")
    decisions = read_lock(path)
    compilers = dict(_compilers(config))
    problems = [next(_problems(one, path, compilers, config), "") for one in decisions]
    pairs = list(zip(decisions, problems, strict=True))
    if as_json:
        rows = [{**vars(one), "problem": why} for one, why in pairs]
        output.document({"lock": path, "decisions": rows})
    else:
        output.table(
            ("source", "donor", "gain", "state"),
            [
                (one.source, one.donor.rpartition(":")[0], one.gain or "-", why or "ok")
                for one, why in pairs
            ],
        )
    ctx.exit(1 if any(problems) else 0)


def _problems(
    one: Locked, path: str, compilers: Mapping[str, Toolchain | GccToolchain], config: Config
) -> Iterator[str]:
    """Why a decision cannot hold here."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.exists(os.path.join(folder, one.source)):
        yield "there is no such source"
    recipes = False
    for label in (one.donor, *(label for _, label in (*one.functions, *one.ifunc))):
        try:
            recipes |= bool(build_of(label).recipe)
        except ValueError as error:
            yield str(error)
    for label in filter(None, (one.compiler, one.other)):
        found = compilers.get(label)
        if found is None:
            yield f"decided with {label}, which is not the one here"
        elif recipes and isinstance(found, Toolchain) and found.libllvm is None:
            yield f"its recipe needs a libLLVM: {found.libllvm_problem}"
    if why := isa.problem(one.isa, os.uname().machine):
        yield why
    if one.profile and (why := training.problem(training.folder_of(path), one.profile)):
        yield why
    if one.windows and (why := windows_problem(config)):
        yield why


def _compilers(config: Config) -> Iterator[tuple[str, Toolchain | GccToolchain]]:
    """The compilers that commands would be served by, with their labels."""
    rows = (
        (GCC, "gcc", config.gcc),
        (GCC, "g++", config.gxx or config.gcc),
        (CLANG, "clang", config.clang),
        (CLANG, "clang++", config.clangxx or config.clang),
    )
    for family, name, setting in rows:
        try:
            driver = find_compiler(name, setting=setting or None, environ=os.environ, own="")
            describing = describe_gcc if family == GCC else describe
            found = describing(driver, cache_dir=config.cache_dir)
            yield compiler_label(family, found), found
        except ToolchainError:
            continue
