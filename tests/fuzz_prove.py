"""A campaign for the soundness of proofs: random functions, compilers, mutations.

    python -m tests.fuzz_prove [--functions 50] [--seed 0] [--mutations 12] [--pairs 200000]
                               [--journal FILE]

Each function is compiled by every compiler at several levels; pairs of its bodies must not be
refuted. Then bodies are changed at random, in ways that are mostly right and in ways that are
mostly wrong. Whatever is proved is run against the original by the gate's driver, and any
difference is a mistake of the proof. What is refuted is called with its input.

A line is printed after each function. With a journal, a campaign that was ended goes on where
it was.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from cr1cc.errors import Cr1Error
from cr1cc.gate.body import Body, read_body
from cr1cc.gate.driver import Driver, make_driver
from cr1cc.gate.inputs import parse_input
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.explore import Limits
from cr1cc.prove.proof import Settings
from cr1cc.prove.prover import Prover
from cr1cc.prove.solver import Effort
from tests.mutations import broken, kept
from tests.random_c import Source, compiled

SHOWN = {Verdict.REFUTED: "shown", Verdict.TESTED: "not shown", Verdict.UNKNOWN: "not callable"}


class Campaign:
    """Counts what happens; what must not is printed in full."""

    def __init__(self, pairs: int, compiler: str) -> None:
        self.counts: Counter[str] = Counter()
        self._pairs, self._compiler = pairs, compiler
        self._prover = Prover(os.environ, Settings(Limits(paths=24), Effort(conflicts=3000)))

    def function(self, seed: int, mutations: int) -> None:
        """Judge pairs of the function of that seed."""
        prototype, text = Source(seed).function()
        signature = parse_prototype(prototype)
        builds = compiled(text)
        source = random.Random(seed)
        for new in source.sample(builds[1:], min(4, len(builds) - 1)):
            self.judge("compilers", builds[0], new, signature, seed)
        for number in range(mutations):
            kind, change = (("kept", kept), ("kept", kept), ("broken", broken))[number % 3]
            original = source.choice(builds)
            new = change(original, source)
            if new != original:
                self.judge(kind, original, new, signature, seed)

    def judge(self, kind: str, original: str, new: str, signature: Signature, seed: int) -> None:
        """Prove, and compare with what the driver says."""
        try:
            bodies = [read_body(text, signature.name) for text in (original, new)]
        except Cr1Error:
            self.counts[f"{kind} not read"] += 1
            return
        judgement = self._prover(bodies[0], bodies[1], signature)
        self.counts[f"{kind} {judgement.verdict.word}"] += 1
        if judgement.verdict is Verdict.UNKNOWN:
            reason = re.sub(r"[0-9]+|the instruction \w+", "N", judgement.reason)
            self.counts[f"unknown: {reason[:70]}"] += 1
            return
        said = self._called(bodies, signature, judgement, seed)
        self.counts[f"{judgement.verdict.word}, {said}"] += 1
        wrong = judgement.verdict is Verdict.REFUTED and kind == "compilers"
        if said == "differing" or wrong:
            self.counts["MISTAKES"] += 1
        if said in ("differing", "not shown") or wrong:
            print(f"{said}: {judgement}\n{original}\n=====\n{new}", flush=True)

    def _called(
        self, bodies: list[Body], signature: Signature, judgement: Judgement, seed: int
    ) -> str:
        """What real calls show."""
        try:
            with make_driver(bodies[0], bodies[1], signature, os.environ, self._compiler) as driver:
                if "registers" in dict(judgement.evidence):
                    return "by a register that no argument fills"
                if judgement.verdict is Verdict.REFUTED:
                    called = driver.call(parse_input(signature, judgement.input))
                    return SHOWN[called.verdict]
                return self._tested(driver, seed)
        except Cr1Error:
            return "not callable"

    def _tested(self, driver: Driver, seed: int) -> str:
        tested = driver.test(self._pairs, seed)
        if tested.verdict is Verdict.REFUTED:
            print(tested, flush=True)
            return "differing"
        return "equal" if tested.verdict is Verdict.TESTED else "not callable"


class Journal:
    """What is known of functions, a line each, so that a campaign can be ended and gone on with."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.known: dict[str, dict[str, int]] = {}
        if path and path.exists():
            for line in path.read_text(encoding="ascii").splitlines(keepends=True):
                if line.endswith("\n"):  # else it was ended while writing
                    self.known |= json.loads(line)

    def add(self, name: str, counts: Counter[str]) -> None:
        self.known[name] = dict(counts)
        if self._path:
            lines = [json.dumps({key: value}) + "\n" for key, value in self.known.items()]
            new = self._path.with_suffix(".new")
            new.write_text("".join(lines), encoding="ascii")
            new.replace(self._path)


def main() -> int:
    """Print counts; the status says whether there was a mistake."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--functions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutations", type=int, default=12)
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--journal", type=Path)
    options = parser.parse_args()
    compiler = shutil.which("gcc")
    if compiler is None:
        parser.error("there is no gcc")
    journal, total = Journal(options.journal), Counter[str]()
    for number in range(options.functions):
        seed = 1_000_003 * options.seed + number
        name = f"{seed} {options.mutations} {options.pairs}"
        if name not in journal.known:
            campaign = Campaign(options.pairs, compiler)
            campaign.function(seed, options.mutations)
            journal.add(name, campaign.counts)
            print(f"function {number}: {_line(campaign.counts)}", flush=True)
        total.update(journal.known[name])
    for what, many in sorted(total.items()):
        print(f"{many:6} {what}")
    return 1 if total["MISTAKES"] else 0


def _line(counts: Counter[str]) -> str:
    some = (f"{many} {what}" for what, many in sorted(counts.items()) if ":" not in what)
    return "; ".join(some)


if __name__ == "__main__":
    sys.exit(main())
