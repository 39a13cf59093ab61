"""`cr1 doctor`: whether everything that is needed is there and works."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import click

from cr1cc.assembly.source import Model
from cr1cc.cli import output
from cr1cc.config import Config, cache_home, find_lock, load, state_home
from cr1cc.errors import ResidentError, StorageError, ToolchainError, UserError
from cr1cc.lock import read_lock
from cr1cc.model.describe import describe as describe_model
from cr1cc.policy.proposers import WITH_MODEL
from cr1cc.records import Toolchain
from cr1cc.resident.survey import Running, answers, running
from cr1cc.storage import journal
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import Pack, pack_files
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.describe_gcc import describe_gcc, problem
from cr1cc.toolchain.find import find_compiler
from cr1cc.toolchain.survey import all_compilers, problems
from cr1cc.util.data import data_path


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, whether it is well, what was found."""

    subject: str
    well: bool
    text: str


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Say whether everything that is needed is there; exit status 1 if not."""
    findings, config = _settings()
    findings += _chosen(config)
    findings += _chosen_gcc(config)
    others = all_compilers(os.environ, cache_dir=config.cache_dir)
    findings += _store(config)
    findings += _lock(config)
    findings.append(_resident(config))
    findings += [_model(config), *_asm_model(config)]
    findings += _packs(config)
    well = all(finding.well for finding in findings)
    if as_json:
        output.document(
            {
                "well": well,
                "findings": [vars(finding) for finding in findings],
                "compilers": [_compiler(toolchain) for toolchain in others],
            }
        )
    else:
        rows = [(f.subject, "ok" if f.well else "PROBLEM", f.text) for f in findings]
        output.table(("what", "state", "found"), rows)
        click.echo()
        headings = ("compiler", "version", "libLLVM", "targets", "problems")
        output.table(headings, [_compiler_row(toolchain) for toolchain in others])
    ctx.exit(0 if well else 1)


def _settings() -> tuple[list[Finding], Config]:
    try:
        config = load(os.environ, os.getcwd())
    except UserError as error:
        return [Finding("settings", False, str(error))], Config(cache_dir=cache_home(os.environ))
    changed = [f"{key} ({origin})" for key, origin in config.origins.items() if origin != "default"]
    return [Finding("settings", True, ", ".join(changed) or "all defaults")], config


def _chosen(config: Config) -> list[Finding]:
    """The compilers that cr1-clang and cr1-clang++ start."""
    found = []
    for name, setting in (("clang", config.clang), ("clang++", config.clangxx or config.clang)):
        try:
            driver = find_compiler(name, setting=setting or None, environ=os.environ, own="")
            toolchain = describe(driver, cache_dir=config.cache_dir)
        except ToolchainError as error:
            found.append(Finding(f"cr1-{name}", False, str(error)))
            continue
        wrong = problems(toolchain)
        text = "; ".join((f"{driver}: {toolchain.identity}", *wrong))
        found.append(Finding(f"cr1-{name}", not wrong, text))
    return found


def _chosen_gcc(config: Config) -> list[Finding]:
    """The compilers that cr1-gcc and cr1-g++ start; who has none need not care."""
    found = []
    for name, setting in (("gcc", config.gcc), ("g++", config.gxx or config.gcc)):
        try:
            driver = find_compiler(name, setting=setting or None, environ=os.environ, own="")
        except ToolchainError as error:
            found.append(Finding(f"cr1-{name}", not setting, str(error)))
            continue
        try:
            toolchain = describe_gcc(driver, cache_dir=config.cache_dir)
        except ToolchainError as error:
            found.append(Finding(f"cr1-{name}", False, str(error)))
            continue
        wrong = problem(toolchain)
        text = "; ".join(filter(None, (f"{driver}: {toolchain.identity}", wrong)))
        found.append(Finding(f"cr1-{name}", not wrong, text))
    return found


def _lock(config: Config) -> list[Finding]:
    """The lockfile, where there is one."""
    path = find_lock(config.lock, os.getcwd())
    if path is None:
        return []
    try:
        count = len(read_lock(path))
    except UserError as error:
        return [Finding("lockfile", False, str(error))]
    return [Finding("lockfile", True, f"{path}: {count} decisions")]


def _store(config: Config) -> list[Finding]:
    if not config.cache:
        found = [Finding("cache", True, "switched off")]
    else:
        local = LocalStore(config.cache_dir, config.cache_size)
        well = local.check() == "ok" and local.writable()
        text = f"{local.directory}: {output.size(local.size())} of {output.size(local.size_limit)}"
        found = [Finding("cache", well, "; ".join((text, *local.problems)))]
        local.close()
    state = state_home(os.environ)
    writable = journal.writable(state)
    return [*found, Finding("journal", writable, state + ("" if writable else ": not writable"))]


def _resident(config: Config) -> Finding:
    if not config.daemon:
        return Finding("daemon", True, "switched off")
    try:
        found = running(os.environ)
    except (ResidentError, OSError) as error:
        return Finding("daemon", False, f"cannot be used, compiles go on without it: {error}")
    silent = [process for process in found if process.pid and not answers(process)]
    if silent:
        return Finding("daemon", False, f"no answer, compiles go on without it: {_pids(silent)}")
    return Finding("daemon", True, f"running: {_pids(found)}" if found else "not running")


def _pids(processes: Sequence[Running]) -> str:
    return ", ".join(str(process.pid) for process in processes)


def _asm_model(config: Config) -> list[Finding]:
    """The model of assembly, where one is asked for."""
    if not config.asm_model:
        return []
    found = Model(config.asm_model, config.cache_dir, os.environ)
    return [Finding("asm_model", not found.problem, found.problem or f"{found.path}: usable")]


def _model(config: Config) -> Finding:
    if config.proposer not in WITH_MODEL:
        return Finding("model", True, f"not used: the proposer is {config.proposer}")
    facts = describe_model(config.model, cache_dir=config.cache_dir, environ=os.environ)
    if facts.problem:
        return Finding("model", False, f"cannot be used, the coreset serves: {facts.problem}")
    return Finding("model", True, f"{facts.path}: {facts.about}; {facts.engine}")


def _packs(config: Config) -> list[Finding]:
    if not config.packs:
        return [Finding("packs", True, "switched off")]
    found = []
    for path in pack_files(data_path("cache")):
        try:
            with Pack(path) as pack:
                pack.verify()
                found.append(
                    Finding("pack", True, f"{os.path.basename(path)}: {len(pack)} entries")
                )
        except StorageError as error:
            found.append(Finding("pack", False, str(error)))
    return found or [Finding("packs", True, "none")]


def _compiler(toolchain: Toolchain) -> dict[str, object]:
    return {
        "driver": toolchain.driver,
        "version": ".".join(map(str, toolchain.version)),
        "identity": toolchain.identity,
        "triple": toolchain.default_triple,
        "libllvm": toolchain.libllvm,
        "targets": list(toolchain.targets),
        "problems": problems(toolchain),
    }


def _compiler_row(toolchain: Toolchain) -> tuple[str, str, str, str, str]:
    version = ".".join(map(str, toolchain.version))
    targets = (
        f"{len(toolchain.targets)}" if len(toolchain.targets) > 6 else " ".join(toolchain.targets)
    )
    libllvm = toolchain.libllvm or "-"
    return toolchain.driver, version, libllvm, targets, "; ".join(problems(toolchain)) or "-"
