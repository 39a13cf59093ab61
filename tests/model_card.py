"""`python -m tests.model_card`: what the model that ships was made of and how.

docs/model-card.md and .svg are written from what lies in the repository: the model file, the
numbers of the corpus, labels and curves (`bench/`). Nothing is measured or trained, but the file
is compared with PyTorch.
"""

from __future__ import annotations

import json
import lzma
import sys
from ast import literal_eval
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cr1cc.model import SHIPPED
from cr1cc.model.vocabulary import TOKENS
from cr1cc.train.export import Parity, parity_of
from cr1cc.train.gguf_file import Shape, facts_of
from cr1cc.train.sft import VALIDATION
from tests import plots
from tests.projects.fetch import CHECKOUT

BENCH = CHECKOUT / "bench"
_KINDS = (
    ("packages", "modules, product"), ("paper", "modules, paper"),
    ("packages-functions", "functions, product"), ("paper-functions", "functions, paper"),
)  # fmt: skip

Row = dict[str, Any]


def main() -> int:
    curves = {path.stem: _rows(path.read_bytes()) for path in sorted(BENCH.glob("curves/*.jsonl"))}
    corpus = json.loads((BENCH / "corpus.json").read_text())
    labels = {
        path.name.partition(".")[0]: _labelled(_rows(lzma.decompress(path.read_bytes())))
        for path in sorted(BENCH.glob("labels/*-*.xz"))
    }
    facts, size = facts_of(SHIPPED), Path(SHIPPED).stat().st_size
    found = parity_of(Path(SHIPPED), Shape(**literal_eval(facts["plan"])["shape"]))
    text = card(facts, size, found, corpus, labels, curves)
    (CHECKOUT / "docs/model-card.md").write_text(text)
    (CHECKOUT / "docs/model-card.svg").write_text(plots.curves(curves))
    return 0


def card(
    facts: Mapping[str, str], size: int, found: Parity, corpus: Row,
    labels: Mapping[str, Counter[str]], curves: Mapping[str, Sequence[Row]],
) -> str:  # fmt: skip
    """The page; `labels` are modules by package for each list, `curves` rows for each run."""
    plan = literal_eval(facts["plan"])
    shape = plan["shape"]
    lines = [
        "# Model card",
        "",
        "`python -m tests.model_card` writes this page from the model file and from `bench/`.",
        "[model.md](model.md) says what the model does, [training.md](training.md) how it is made.",
        "",
        "| what | value |",
        "|---|---|",
        f"| file | `cr1cc/model/recipes.gguf`, {size / 1e6:.2f} MB, weights of 8 bits (Q8_0) |",
        f"| shape | {shape['layers']} layers, {shape['heads']} heads, width {shape['width']}, "
        f"feed-forward {shape['hidden']}, context {shape['context']} |",
        f"| vocabulary | {len(TOKENS)} tokens, version {facts['vocabulary']} |",
        f"| llama.cpp and PyTorch | behind {found.places} prompts: divergence of at most "
        f"{found.divergence:.1e} nats, logits within {found.difference:.2g}, "
        f"{found.agreeing:.0%} with one first token |",
        "| use | proposes recipes for C and C++ modules; what it says is measured before it is "
        "used, so a bad answer costs time and nothing else |",
        "",
        "## Training",
        "",
        f"Weights of step {facts['best_step']} of this plan:",
        "",
        "| setting | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in plan.items() if name != "shape"),
        "",
        "Random numbers come from the seed alone. Weights were chosen by what conversations save "
        f"on {len(VALIDATION)} packages that are not learnt from: {', '.join(VALIDATION)}.",
        "",
        "![curves](model-card.svg)",
        "",
        "| run | steps | saved on them at the end (bytes: 1, 4, 7, 16 measurements) | best |",
        "|---|---|---|---|",
        *(_run(name, rows) for name, rows in curves.items()),
        "",
        "The rows are in `bench/curves/`.",
        "",
        "## Data",
        "",
        "Labels say what every recipe of the coreset makes of a module (`bench/labels/`):",
        "",
        "| list | modules | packages |",
        "|---|---|---|",
        *(f"| {name} | {some.total()} | {len(some)} |" for name, some in labels.items()),
        "",
        "They are of modules of this corpus (`bench/corpus.json`). Packages that are held out, and "
        "near duplicates of their code, are not learnt from:",
        "",
        "| what | in all | may be learnt from |",
        "|---|---|---|",
        *(
            f"| {text} | {corpus['total'][kind]:,} | {corpus['learnt'][kind]:,} |"
            for kind, text in _KINDS
        ),
        "",
        "## Packages and licences",
        "",
        "Sources are fetched from Debian when the corpus is made and are no part of this project.",
        "The licence is that of the package's upstream files as `debian/copyright` has it.",
        "",
        "| package | version | licence | held out | modules | functions |",
        "|---|---|---|---|---|---|",
        *(_package(name, one) for name, one in corpus["packages"].items()),
    ]
    return "\n".join(lines) + "\n"


def _run(name: str, rows: Sequence[Row]) -> str:
    saved = [share for row in rows if (share := plots.validated(row))]
    best = max(saved, key=lambda one: sum(map(sum, one.values())))
    end, top = (", ".join(f"{100 * x:.2f} %" for x in one["bytes"]) for one in (saved[-1], best))
    return f"| {name} | {rows[-1]['step']} | {end} | {top} |"


def _package(name: str, one: Row) -> str:
    held = "yes" if one["held_out"] else ""
    licence = one["licence"] or "not said in a form that can be read"
    version = one["version"] or "generated"
    numbers = f"{one['packages']:,} | {one['packages-functions']:,}"
    return f"| {name} | {version} | {licence} | {held} | {numbers} |"


def _labelled(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row["row"]["package"] for row in rows if row.get("row"))


def _rows(data: bytes) -> list[Row]:
    return [json.loads(line) for line in data.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
