"""Where the time goes: the tools' own output, and whose functions those are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.compile_speed import Record
from cr1cc.tune import profile
from cr1cc.tune.shell import Shell
from cr1cc.tune.units import Unit

HOT = """
static int __attribute__((noinline)) helper(int n) {
    volatile int s = 0;
    for (int i = 0; i < n; i++) s += i;
    return s;
}
int hot(int n) { return helper(n); }
"""
COLD = "int cold(int n) { return n + 1; }\n"
MAIN = "int hot(int); int cold(int); int main(void) { return hot(20000000) == cold(3); }\n"


@pytest.fixture
def units(tmp_path: Path) -> list[Unit]:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")
    found = []
    for name, text in {"hot": HOT, "cold": COLD, "main": MAIN}.items():
        source, obj = tmp_path / f"{name}.c", tmp_path / f"{name}.o"
        source.write_text(text)
        subprocess.run(["gcc", "-O2", "-c", source, "-o", obj], check=True)
        record = Record(f"{name}.c", "O2", "", "", "", "", str(obj), "", (), "")
        found.append(Unit(record))
    objects = [unit.record.output for unit in found]
    subprocess.run(["gcc", *objects, "-o", tmp_path / "program"], check=True)
    return found


@pytest.mark.parametrize("tool", ["perf", "valgrind"])
def test_the_hot_function_is_found(tmp_path: Path, units: list[Unit], tool: str) -> None:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is missing")
    tools = tmp_path / "tools"
    tools.mkdir()
    # A script and no link: Debian's valgrind looks for its parts beside its name.
    (tools / tool).write_text(f'#!/bin/sh\nexec {path} "$@"\n')
    (tools / tool).chmod(0o755)
    found = profile.profile(Shell(str(tmp_path), {"PATH": str(tools)}), "./program")
    if tool == "perf" and not found.source:
        pytest.skip("perf may not sample here")
    assert found.source == tool
    first = profile.heats(units, found)[0]
    assert first.unit.record.source == "hot.c"
    assert first.functions[0][0] == "helper"
    assert 0.8 < first.share <= 1.001


def test_without_a_profile_all_files_with_code_count(tmp_path: Path, units: list[Unit]) -> None:
    empty = Shell(str(tmp_path), {"PATH": str(tmp_path)})
    found = profile.profile(empty, "./program")
    assert found.source == ""
    ranked = profile.heats(units, found)
    assert {heat.unit.record.source for heat in ranked} == {"hot.c", "cold.c", "main.c"}
    assert sum(heat.share for heat in ranked) == pytest.approx(1)


def test_copies_of_a_function_count_as_the_function(units: list[Unit]) -> None:
    found = profile.Profile("perf", {"helper.constprop.0": 0.5, "hot.cold": 0.2, "memcpy": 0.3})
    (heat,) = profile.heats(units, found)
    assert dict(heat.functions) == {"helper": 0.5, "hot": 0.2}
    assert heat.share == pytest.approx(0.7)
