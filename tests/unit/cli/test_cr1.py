"""The cr1 command, in this process and as a real one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cr1cc.cli.main import SUBCOMMANDS, main, program
from cr1cc.config import Config, cache_home, state_home
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, FunctionChange, Recipe, Turn
from cr1cc.storage import journal
from cr1cc.storage.journal import Event
from cr1cc.storage.store import DecisionStore

KEY = "ab" * 20

Cr1 = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cr1(tmp_path: Path) -> Cr1:
    root = Path(__file__).parents[3]

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cr1cc.cli.main", *arguments]
        environ = os.environ | {"PYTHONPATH": str(root)}
        return subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, **options
        )

    return run


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A journal with four commands and a store with the decision of one; the source."""
    source = tmp_path / "a.c"
    source.write_text("int f;\n")
    events = [
        Event("smaller", "", str(source), str(tmp_path / "a.o"), KEY, 1000, 900, "coreset", 32),
        Event("smaller", "", "/s/b.c", "/s/b.o", "cd" * 20, 100, 90, "coreset", 32, "module"),
        Event(
            "unknown_option",
            "-fodd",
            "/s/c.c",
            store_problem="the disk is full",
            daemon_problem="gone",
        ),
        Event("of_the_future", verdicts="proved=4 unknown=1 doubted=9 tested=x", rewritten=2),
    ]
    for event in events:
        journal.append(state_home(os.environ), event)
    decision = Decision(
        Answer.BETTER,
        Outcome.SMALLER,
        Recipe(("@size",), ("-disable-lsr",)),
        (("f", "dce"),),
        "coreset",
        32,
        1000,
        900,
        evidence="all checks passed",
        functions=(FunctionChange("f[red]", 80, 20, "dce", "search"),),
        trace=(
            Turn(Turn.MEASURED, Recipe(("@size",)), 1000, None),
            Turn(Turn.ANSWERED, Recipe(("@size",), ("-disable-lsr",)), 1000, 900),
        ),
    )
    with DecisionStore(Config(cache_dir=cache_home(os.environ))) as store:
        store.put_module(KEY, decision)
    return source


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments, catch_exceptions=False)


def test_subcommands_are_sorted_loadable_and_in_the_help() -> None:
    names = [row.name for row in SUBCOMMANDS]
    assert names == sorted(set(names))
    text = invoke("--help").output
    for row in SUBCOMMANDS:
        assert row.help in text
        assert invoke(row.name, "--help").exit_code == 0


def test_help_loads_no_subcommand(cr1: Cr1) -> None:
    program_ = (
        "import sys; from cr1cc.cli.main import main; main(['--help'])\n"
        "sys.exit(bool({'rich', 'cr1cc.cli.stats', 'diskcache'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program_], cwd=root, capture_output=True)
    assert done.returncode == 0


def test_version_names_the_program(cr1: Cr1) -> None:
    done = cr1("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("cr1 ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["bogus"], 2, "No such command"),
        (["stats", "--bogus"], 2, "--bogus"),
        (["explain"], 2, "FILE"),
        (["explain", "nowhere.c"], 1, "nowhere.c: no command with this file has been recorded"),
        (["cache", "import", "nowhere.pack"], 1, "nowhere.pack: No such file"),
        (["cache", "export", "/proc/x/y.pack"], 1, "/proc/x/y.pack: No such file"),
    ],
)
def test_errors_are_one_line(cr1: Cr1, arguments: list[str], status: int, said: str) -> None:
    done = cr1(*arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith("cr1: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_nonsense_in_settings_is_one_line(cr1: Cr1, tmp_path: Path) -> None:
    (tmp_path / "cr1.toml").write_text("budget = 'much'\n")
    done = cr1("config")
    assert done.returncode == 1
    assert done.stderr == f"cr1: {tmp_path}/cr1.toml: budget: {done.stderr.split('budget: ')[1]}"
    assert done.stderr.count("\n") == 1


def test_an_unforeseen_error_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("cr1cc.cli.config.load", fail)
    assert main(["config"]) == 1
    assert capsys.readouterr().err == "cr1: internal error: RuntimeError: two lines\n"


def test_an_interrupt_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cr1cc.cli.config.load", interrupt)
    assert main(["config"]) == 130
    assert capsys.readouterr().err == "\ncr1: interrupted\n"  # below the terminal's ^C


def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "cr1cc.cli.main", "config"]
    done = subprocess.run(command, cwd=root, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_config_prints_every_value_with_its_origin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CR1_BUDGET", "7")
    Path("cr1.toml").write_text("tail_budget = 3\n")
    shown = json.loads(invoke("config", "--json").output)
    assert shown["budget"] == {"value": 7, "origin": "environment CR1_BUDGET"}
    assert shown["tail_budget"] == {"value": 3, "origin": f"project file {tmp_path}/cr1.toml"}
    assert shown["enabled"] == {"value": True, "origin": "default"}
    text = invoke("config").output
    assert all(name in text for name in shown)


def test_stats_as_json_has_the_same_fields_with_and_without_commands(recorded: Path) -> None:
    full = json.loads(invoke("stats", "--json").output)
    empty = json.loads(invoke("stats", "--json", "--zero").output)
    assert list(full) == list(empty)
    assert full["commands"] == 4
    assert full["outcomes"] == {"smaller": 2, "unknown_option": 1, "of_the_future": 1}
    assert full["kinds"] == {"replaced": 2, "baseline": 0, "passthrough": 1}
    assert full["details"] == {"unknown_option": {"-fodd": 1}}
    assert full["hits"] == {"object": 0, "module": 1, "pack": 0, "none": 1}
    assert (full["bytes_before"], full["bytes_after"], full["evaluations"]) == (1100, 990, 32)
    assert full["verdicts"] == {"proved": 4, "tested": 0, "unknown": 1, "refuted": 0}
    assert full["functions_rewritten"] == 2
    assert full["store_problems"] == {"the disk is full": 1}
    assert full["daemon_problems"] == {"gone": 1}
    assert (empty["commands"], empty["since"], empty["outcomes"]) == (0, None, {})


def test_stats_for_people_give_the_reasons(recorded: Path) -> None:
    text = invoke("stats").output
    assert "an option that is not in the table" in text
    assert "-fodd (1)" in text
    assert "1100 -> 990 loadable bytes (10.00 % smaller)" in text
    assert "4 proved, 0 tested, 1 unknown, 0 refuted; 2 functions" in text
    assert invoke("stats", "--zero").output == "No command has been recorded yet.\n"


@pytest.mark.parametrize("suffix", [".c", ".o"])
def test_explain_tells_the_decision_by_source_and_by_object(recorded: Path, suffix: str) -> None:
    file = str(recorded.with_suffix(suffix))
    text = invoke("explain", file).output
    for said in ("@size", "-disable-lsr", "1000 -> 900", "all checks passed", "f[red]", "dce"):
        assert said in text
    shown = json.loads(invoke("explain", "--json", file).output)
    assert shown["outcome"] == "smaller"
    assert shown["decision"]["tails"] == {"f": "dce"}
    assert shown["decision"]["functions"][0]["after"] == 20


def test_explain_shows_every_turn(recorded: Path) -> None:
    lines = invoke("explain", "--trace", str(recorded)).output.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("TURN"))
    assert lines[head + 1].split() == ["1", "instrcount", "-", "failed", "@size"]
    assert lines[head + 2].split()[:5] == ["2", "answer", "900", "10.00", "%"]
    assert "TURN" not in invoke("explain", str(recorded)).output


def test_explain_tells_the_reason_for_passing_through(recorded: Path) -> None:
    text = invoke("explain", "/s/c.c").output
    assert "passed through: an option that is not in the table" in text
    assert "-fodd" in text


def test_explain_says_when_the_decision_is_gone(recorded: Path) -> None:
    assert "no longer in the cache" in invoke("explain", "/s/b.c").output


def test_cache_tells_its_path_and_what_is_in_it(recorded: Path) -> None:
    assert invoke("cache", "path").output == cache_home(os.environ) + "\n"
    shown = json.loads(invoke("cache", "size", "--json").output)
    assert shown["entries"]["module.better"] == 1
    assert sum(shown["entries"].values()) == 1
    assert 0 < shown["bytes"] < shown["limit"]
    assert "module.better" in invoke("cache", "size").output


def test_cache_moves_through_a_pack(recorded: Path, tmp_path: Path, cr1: Cr1) -> None:
    assert cr1("cache", "export", "all.pack").stdout == "1 entries written to all.pack\n"
    assert cr1("cache", "clear").returncode == 0
    assert "no longer in the cache" in cr1("explain", "a.c").stdout
    assert cr1("cache", "import", "all.pack").stdout == "1 entries read from all.pack\n"
    assert "@size" in cr1("explain", "a.c").stdout


def test_cache_verify_removes_what_is_damaged_and_says_so(recorded: Path, cr1: Cr1) -> None:
    import sqlite3

    assert cr1("cache", "verify").returncode == 0
    with sqlite3.connect(os.path.join(cache_home(os.environ), "cache.db")) as connection:
        connection.execute("UPDATE Cache SET value = X'00'")
    connection.close()
    done = cr1("cache", "verify")
    assert done.returncode == 1
    assert "1 damaged entries were removed" in done.stderr
    assert cr1("cache", "verify").returncode == 0


def test_doctor_reports_each_part_and_its_status_says_whether_all_is_well(cr1: Cr1) -> None:
    done = cr1("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["well"] else 1)
    subjects = {finding["subject"] for finding in report["findings"]}
    assert {"settings", "cr1-clang", "cr1-clang++", "cache", "journal"} <= subjects
    for compiler in report["compilers"]:
        assert os.path.isabs(compiler["driver"])
        assert compiler["libllvm"] or compiler["problems"]


def test_doctor_names_what_is_wrong(
    cr1: Cr1, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CR1_CLANG", str(tmp_path / "nowhere"))
    monkeypatch.setenv("CR1_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    done = cr1("doctor", "--json")
    bad = {f["subject"] for f in json.loads(done.stdout)["findings"] if not f["well"]}
    assert done.returncode == 1
    assert {"cr1-clang", "cr1-clang++", "cache", "journal"} <= bad
    (tmp_path / "cr1.toml").write_text("nonsense")
    text = cr1("doctor").stdout
    assert "cr1.toml: not TOML" in text


def test_a_terminal_gets_a_ruled_table(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    root = Path(__file__).parents[3]
    environ = os.environ | {"COLUMNS": "120", "TERM": "xterm"}
    command = [sys.executable, "-m", "cr1cc.cli.main", "config"]
    done = subprocess.run(command, cwd=root, env=environ, stdout=follower, stderr=subprocess.PIPE)
    os.close(follower)
    text = b""
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:
        pass  # the end of a pseudo terminal
    os.close(leader)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "┃".encode() in text or "│".encode() in text


def test_progress_is_silent_when_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    from cr1cc.cli.progress import track

    assert list(track([1, 2, 3], "work")) == [1, 2, 3]
    assert capfd.readouterr() == ("", "")
