"""The benchmark's figures, and the two files that hold them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """What all projects together show. Shares are of 1; time ratios are of the summed times."""
    reductions = [share for row in rows for share in row["reductions"]]
    plain = sum(row["bytes_plain"] for row in rows)
    return {
        "files": sum(row["files"] for row in rows),
        "mean_reduction": statistics.fmean(reductions) if reductions else 0.0,
        "total_reduction": 1 - sum(row["bytes_ours"] for row in rows) / plain if plain else 0.0,
        "objects_larger": sum(len(row["larger"]) for row in rows),
        "objects_unmatched": sum(len(row["unmatched"]) for row in rows),
        "objects_warm_differing": sum(len(row["warm_differs"]) for row in rows),
        # Not compiled by us a second time: then a warm build's time would mean nothing.
        "objects_warm_unhandled": sum(len(row["warm_unhandled"]) for row in rows),
        "tests_failing": sum(row["test_passed_plain"] and not row["test_passed"] for row in rows),
        "outputs_differing": sum(row["outputs_differ"] for row in rows),
        "warm_ratio": _ratio(rows, "seconds_warm"),
        "cold_ratio": _ratio(rows, "seconds_cold"),
    }


def sound(result: Row) -> bool:
    """Whether everything held that must hold on every machine; times are not among it."""
    found = result["figures"]
    wrong = ("objects_larger", "objects_unmatched", "objects_warm_differing",
             "objects_warm_unhandled", "tests_failing", "outputs_differing")  # fmt: skip
    return not result["broken"] and not any(found[name] for name in wrong)


def write(result: Row, folder: Path) -> None:
    """projects.json and projects.md in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "projects.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "projects.md").write_text(markdown(result))


def markdown(result: Row) -> str:
    """The page for people."""
    found = result["figures"]
    parts = [
        "# Real projects, `-Oz`",
        f"{result['date']}; {result['machine']}; {result['compiler']}; -j{result['jobs']}; "
        f"medians of {result['repeat']} plain and warm builds that took turns, one cold build.",
        _table(("what", "figure"), _summary(found, result["costs"])),
        "Loadable bytes: allocated sections that are not NOBITS. Memory: the largest sum of the "
        "proportional set sizes (PSS) of a compile and its workers, without resident processes, "
        "sampled every 10 ms or more.",
        "## Projects",
        _table(
            ("project", "built by", "files", "clang -Oz", "cr1-clang", "total", "mean of files",
             "cold", "warm", "own test", "outputs"),
            [_line(row) for row in result["projects"]],
        ),
        "Cold and warm are wall time of the build against plain clang's.",
    ]  # fmt: skip
    for title, sentences in (("Not measured", result["skipped"]), ("Failed", result["broken"])):
        if sentences:
            parts += [f"## {title}", "\n".join(f"- {_first_line(item)}" for item in sentences)]
    return "\n\n".join(parts) + "\n"


def _summary(found: Row, costs: Row) -> list[tuple[str, str]]:
    lines = [
        ("files", str(found["files"])),
        ("loadable bytes saved, mean over files", _percent(found["mean_reduction"])),
        ("loadable bytes saved, in total", _percent(found["total_reduction"])),
        ("objects larger than the baseline", str(found["objects_larger"])),
        ("project tests failing", str(found["tests_failing"])),
        ("projects whose outputs differ", str(found["outputs_differing"])),
        ("objects of a warm build that differ from the cold one's",
         str(found["objects_warm_differing"])),
        ("warm build against plain clang", f"{found['warm_ratio']:.2f}"),
        ("cold build against plain clang", f"{found['cold_ratio']:.2f}"),
    ]  # fmt: skip
    for name, cost in costs.items():
        if name == "memory":
            lines += [
                (f"memory, {file}",
                 f"{peak['ours'] / 1e6:.0f} MB (plain clang {peak['plain'] / 1e6:.0f} MB)")
                for file, peak in cost.items()
            ]  # fmt: skip
        else:
            text = f"{cost['above_ms']:.1f} ms above {cost['plain_ms']:.1f} ms"
            lines.append((f"passed-through `clang {name}`", text))
    return lines


def _line(row: Row) -> tuple[str, ...]:
    share = 1 - row["bytes_ours"] / row["bytes_plain"] if row["bytes_plain"] else 0.0
    mean = statistics.fmean(row["reductions"]) if row["reductions"] else 0.0
    return (
        f"{row['name']} {row['version']}", row["system"], str(row["files"]),
        f"{row['bytes_plain']:,}", f"{row['bytes_ours']:,}", _percent(share), _percent(mean),
        f"{_ratio([row], 'seconds_cold'):.2f}", f"{_ratio([row], 'seconds_warm'):.2f}",
        _test_word(row), "differ" if row["outputs_differ"] else "equal",
    )  # fmt: skip


def _test_word(row: Row) -> str:
    if row["test_passed"]:
        return "passed"
    return "FAILED" if row["test_passed_plain"] else "fails with clang, too"


def _ratio(rows: Sequence[Row], name: str) -> float:
    plain = sum(row["seconds_plain"] for row in rows)
    return float(sum(row[name] for row in rows) / plain) if plain else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
