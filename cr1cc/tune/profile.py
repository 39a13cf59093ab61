"""Where a benchmark spends its time: by function, then by object.

Three ways, the first one that works: `perf` samples the clock of the processor; `valgrind
--tool=callgrind` counts instructions, slowly but repeatably; without both nothing is known, and
all objects count alike.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cr1cc.tune.shell import Shell
from cr1cc.tune.units import Place, Unit

_SAMPLE = re.compile(r"^\s*([0-9.]+)%\s+\[\.\]\s+(\S+)", re.MULTILINE)
_NAME = re.compile(r"^fn=(?:\((\d+)\))?(?: ?(.*))?$")
_COST = re.compile(r"^[+\-*\d]\S* (\d+)")


@dataclass(frozen=True)
class Profile:
    """Shares of the time, 0 to 1, of functions by name; `source` says where from, "" if there
    is no profile."""

    source: str
    functions: Mapping[str, float]


@dataclass(frozen=True)
class Heat:
    """A unit with its share of the time, and those of its functions, hottest first."""

    unit: Unit
    share: float
    functions: tuple[tuple[str, float], ...]


def profile(shell: Shell, command: str) -> Profile:
    """Run the benchmark once more and look where its time goes."""
    with tempfile.TemporaryDirectory(prefix="cr1-tune-") as folder:
        for name, look in (("perf", _perf), ("valgrind", _callgrind)):
            if shutil.which(name, path=shell.environ.get("PATH")) is None:
                continue
            if functions := look(shell, command, folder):
                return Profile(name, functions)
    return Profile("", {})


def heats(units: Sequence[Unit], found: Profile) -> list[Heat]:
    """The units that take time, hottest first; without a profile all of them, the one with
    most code first."""
    owners: dict[str, list[Place]] = defaultdict(list)
    sizes = {}
    for unit in units:
        sizes[unit.place] = unit.functions()
        for name in {_plain(name) for name in sizes[unit.place]}:
            owners[name].append(unit.place)
    if not found.source:
        total = sum(map(sum, (one.values() for one in sizes.values()))) or 1
        shares = {place: sum(one.values()) / total for place, one in sizes.items()}
        inside: dict[Place, dict[str, float]] = {place: {} for place in shares}
    else:
        shares = dict.fromkeys(sizes, 0.0)
        inside = {place: defaultdict(float) for place in sizes}
        for name, share in found.functions.items():
            places = owners.get(_plain(name), [])
            for place in places:
                shares[place] += share / len(places)
                inside[place][_plain(name)] += share / len(places)
    ranked = [
        Heat(
            unit, shares[unit.place],
            tuple(sorted(inside[unit.place].items(), key=lambda pair: (-pair[1], pair[0]))),
        )
        for unit in units
        if shares[unit.place] > 0
    ]  # fmt: skip
    return sorted(ranked, key=lambda heat: (-heat.share, heat.unit.place))


def _plain(name: str) -> str:
    """A function's name without what gcc adds to its copies: f.constprop.0, f.cold."""
    return name.partition(".")[0] or name


def _perf(shell: Shell, command: str, folder: str) -> dict[str, float]:
    data = shlex.quote(os.path.join(folder, "perf.data"))
    text = os.path.join(folder, "report")
    # Of cpu-clock, because virtual machines often have no counters.
    ran = shell.run(
        f"perf record -q -e cpu-clock -F 997 -o {data} -- /bin/sh -c {shlex.quote(command)}"
    )
    if ran.status:
        return {}
    options = "--stdio -q --no-demangle --sort sym -F overhead,sym"
    if shell.run(f"perf report -i {data} {options} > {shlex.quote(text)}").status:
        return {}
    with open(text, encoding="utf-8", errors="replace") as file:
        shares: dict[str, float] = defaultdict(float)
        for share, name in _SAMPLE.findall(file.read()):
            shares[name] += float(share) / 100
    return dict(shares)


def _callgrind(shell: Shell, command: str, folder: str) -> dict[str, float]:
    out = shlex.quote(os.path.join(folder, "callgrind.%p"))
    tool = "valgrind -q --tool=callgrind --demangle=no --trace-children=yes"
    ran = shell.run(f"{tool} --callgrind-out-file={out} /bin/sh -c {shlex.quote(command)}")
    if ran.status:
        return {}
    costs: dict[str, int] = defaultdict(int)
    for name in os.listdir(folder):
        if name.startswith("callgrind."):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                for function, cost in _self_costs(file.read()).items():
                    costs[function] += cost
    total = sum(costs.values()) or 1
    return {name: cost / total for name, cost in costs.items()}


def _self_costs(text: str) -> dict[str, int]:
    """Instructions of each function itself (Valgrind's manual, "Callgrind Format
    Specification"): the line behind `calls=` has those of the called one."""
    names: dict[str, str] = {}
    costs: dict[str, int] = defaultdict(int)
    current, skipped = "", False
    for line in text.splitlines():
        if line.startswith("fn="):
            if match := _NAME.match(line):
                number, name = match[1] or "", match[2] or ""
                if number and name:
                    names[number] = name
                current = name or names.get(number, "")
        elif line.startswith("calls="):
            skipped = True
        elif match := _COST.match(line):
            if not skipped:
                costs[current] += int(match[1])
            skipped = False
    return costs
