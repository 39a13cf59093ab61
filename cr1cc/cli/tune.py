"""`cr1 tune`: find donor builds that make the user's own benchmark faster; write cr1.lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import click

from cr1cc.assembly.source import tuning_model_of
from cr1cc.cli import output
from cr1cc.compile_speed import windows_problem
from cr1cc.config import LOCK_FILE, Config, find_lock, load
from cr1cc.emit import contents
from cr1cc.errors import UserError
from cr1cc.lock import Locked, read_lock, write_lock
from cr1cc.speed import training
from cr1cc.speed.isa import NAMES, NATIVE, written
from cr1cc.tune.goal import TIMES, Goal
from cr1cc.tune.profile import heats
from cr1cc.tune.search import Found, Search
from cr1cc.tune.session import Session
from cr1cc.tune.units import Place, locked
from cr1cc.util.atomic import replace_file


@click.command("tune")
@click.option("--build", required=True, help="Builds everything, with our compilers.")
@click.option("--test", default="", help="Succeeds if the programs still do what they must.")
@click.option("--bench", default="", help="What is to become faster, or COMMAND.")
@click.option("--clean", default="", help="Run before each build, where builds need it.")
@click.option("--isa", type=click.Choice(NAMES), help="An instruction set that may be used.")
@click.option("--ifunc", is_flag=True, help="Second bodies for --isa, which the loader picks.")
@click.option(
    "--time",
    default=TIMES[0],
    show_default=True,
    type=click.Choice(TIMES),
    help="What is measured: processor time, what passes, or the last number printed.",
)
@click.option("--rounds", default=21, show_default=True, type=click.IntRange(7, 1001),
              help="Runs of a comparison at most, of each side.")  # fmt: skip
@click.option("--again", is_flag=True, help="Forget what an interrupted session has measured.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("command_words", nargs=-1, metavar="[-- COMMAND...]")
def command(
    build: str, test: str, bench: str, clean: str, isa: str | None, ifunc: bool,
    time: str, rounds: int, again: bool, as_json: bool, command_words: tuple[str, ...],
) -> None:  # fmt: skip
    """Try donor builds on the hot files and functions of a benchmark.

    The project is built here with cr1-gcc or cr1-clang at -O2 or -O3. What makes
    the benchmark faster and passes the test is written to cr1.lock. A session
    that was interrupted goes on when the same command is given again.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it leaves as little as Ctrl-C
    config = load(os.environ, os.getcwd())
    if bool(bench) == bool(command_words):
        raise UserError("say what is to become faster: --bench COMMAND, or -- COMMAND")
    cwd = os.getcwd()
    lock = os.path.abspath(find_lock(config.lock, cwd) or os.path.join(cwd, LOCK_FILE))
    isa = isa or config.isa
    if ifunc and (isa or NATIVE) == NATIVE:
        raise UserError("--ifunc is for a level that a loader can ask for: say --isa x86-64-v3")
    model = None if ifunc else tuning_model_of(config, os.environ)
    if model and model.problem:
        click.echo(f"cr1 tune: no windows by a model: {output.plain(model.problem)}", err=True)
    goal = Goal(
        cwd, lock, build, test, bench or shlex.join(command_words), clean,
        written(isa) if isa else "", time, rounds, ifunc, not windows_problem(config),
        model.version if model else "",
    )  # fmt: skip
    before = read_lock(lock) if os.path.exists(lock) else []
    with _progress() as say:
        session = Session(goal, _place(config, lock), _environ(), say)
        if again:
            session.end()
        found, lines = _tuned(session)
    kept = _merged(before, lines, session)
    if kept or os.path.exists(lock):
        profiles = _keep_profiles(session.profiles, kept, lock)
        write_lock(lock, kept)
        training.remove_others(training.folder_of(lock), profiles)  # no decision names them now
    session.end()
    summary = _Summary(found, lines, session, lock)
    if as_json:
        output.document(summary.document())
    else:
        summary.print()


def _tuned(session: Session) -> tuple[Found, list[Locked]]:
    """The search, with the files of what is kept left behind, or as they were if it fails."""
    kept: Mapping[Place, object] = {}
    found = Found()
    try:
        session.say("building, testing and running what is there")
        if session.begin():
            session.say("going on where the last session stopped")
        session.say("looking where the time goes")
        hot = heats(list(session.units.values()), session.profile())
        if not hot:
            raise UserError("the benchmark spends no time in what the build compiled")
        found = Search(session, hot, session.goal.isa, ifunc=session.goal.ifunc).run()
        kept = found.best
    finally:
        session.restore(found.best if kept else {})
    lines = [
        locked(
            session.units[place], session.followed(place, choice), found.total,
            sum(one.get(place) == choice for one in session.passed),
        )
        for place, choice in found.best.items()
    ]  # fmt: skip
    return found, lines


def _merged(before: list[Locked], lines: list[Locked], session: Session) -> list[Locked]:
    """The new lockfile: what was decided for other sources stays."""
    seen = {(unit.record.source, unit.record.options) for unit in session.units.values()}
    return [*(one for one in before if (one.source, one.options) not in seen), *lines]


def _keep_profiles(found: str, kept: list[Locked], lock: str) -> set[str]:
    """Put the profiles of all decisions beside the lockfile; returns their names."""
    folder = training.folder_of(lock)
    wanted = {one.profile for one in kept if one.profile}
    if wanted:
        os.makedirs(folder, exist_ok=True)
    for name in wanted:
        if training.problem(folder, name) and not training.problem(found, name):
            replace_file(training.file_of(folder, name), contents(training.file_of(found, name)))
    return wanted


def _place(config: Config, lock: str) -> str:
    """The session's own folder."""
    digest = hashlib.blake2b(os.fsencode(lock), digest_size=10).hexdigest()
    place = os.path.join(config.cache_dir, "tune", digest)
    os.makedirs(place, exist_ok=True)
    return place


def _environ() -> dict[str, str]:
    """Our compilers are found, and are the ones that make and configure scripts take."""
    beside = os.path.dirname(os.path.abspath(sys.argv[0]))
    path = os.environ.get("PATH", os.defpath)
    ours = {"CC": "cr1-gcc", "CXX": "cr1-g++", "PATH": f"{path}{os.pathsep}{beside}"}
    return {**ours, **{k: v for k, v in os.environ.items() if k != "PATH"}}


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Says what is done now: in one line that changes on a terminal, else line by line."""
    if not sys.stderr.isatty():
        yield lambda text: click.echo(f"cr1 tune: {output.plain(text)}", err=True)
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    with console.status("") as status:

        def say(text: str) -> None:
            if text.startswith("kept"):
                console.print(escape(output.plain(text)))
            status.update(escape(output.plain(text)))

        yield say


@dataclass
class _Summary:
    """What a session came to."""

    found: Found
    lines: list[Locked]
    session: Session
    lock: str

    def document(self) -> dict[str, object]:
        """For programs."""
        total = self.found.total
        return {
            "lock": self.lock,
            "gain": total.ratio,
            "interval": [total.low, total.high],
            "runs": total.runs,
            "tried": self.found.tried,
            "builds": self.session.builds,
            "decisions": [
                {"source": one.source, "donor": one.donor, "functions": dict(one.functions),
                 "ifunc": dict(one.ifunc), "isa": one.isa, "tests": one.tests,
                 "windows": one.windows}
                for one in self.lines
            ],
            "everywhere": self.found.everywhere,
            "guilty": self.found.guilty,
            "rejected": self.found.rejected,
        }  # fmt: skip

    def print(self) -> None:
        """For people."""
        if self.lines:
            rows = [
                (one.source, _title(one.donor),
                 ", ".join(_bodies(one)) or "-", one.tests)
                for one in self.lines
            ]  # fmt: skip
            output.table(("source", "donor", "functions", "tests"), rows, numbers=(3,))
            click.echo()
        total = self.found.total
        if self.lines:
            click.echo(
                f"{total.ratio:.2f} times as fast ({total.low:.2f} to {total.high:.2f}, "
                f"{total.runs} runs of each); {output.plain(self.lock)} says how"
            )
        else:
            click.echo("nothing was found that is faster for sure; the baseline stays")
        click.echo(
            f"{self.found.tried} comparisons, {self.session.builds} builds, "
            f"{sum(self.found.rejected.values())} candidates rejected"
        )
        for guilty in self.found.guilty:
            click.echo(f"made the tests fail, and is left out: {output.plain(guilty)}")


def _bodies(one: Locked) -> Iterator[str]:
    """What is said of functions whose bodies are not, or not only, the file's donor's."""
    for name, label in one.functions:
        yield f"{name} by {_title(label)}"
    for name, label in one.ifunc:
        yield f"{name} for {one.isa} by {_title(label)}"
    if one.windows:
        yield f"{one.windows.partition(':')[0]} shorter windows"


def _title(label: str) -> str:
    return label.rpartition(":")[0]
