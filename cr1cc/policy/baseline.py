"""The proposer that proposes nothing: plain -Oz, for comparisons."""

from __future__ import annotations

from cr1cc.policy.interface import Measure
from cr1cc.records import Proposal, Request


class Baseline:
    name = "baseline"
    machine = ""
    version = "1"

    def propose(self, request: Request, measure: Measure) -> Proposal:
        return Proposal()
