"""What the decisions of one version with one configuration depend on.

Apart from `improve.py`, because a compile with a known object needs no more of that.
"""

from __future__ import annotations

from cr1cc.config import Config
from cr1cc.passes import TABLE_VERSION
from cr1cc.policy.interface import Proposer
from cr1cc.storage.keys import Basis

VERSION = "3"  # of `improve.py`: raised when equal inputs would get another decision


def basis(config: Config, proposer: Proposer) -> Basis:
    """What decisions depend on, besides the code and its compiler."""
    return Basis(
        f"{TABLE_VERSION} {VERSION}",
        f"{proposer.name} {proposer.version}",
        config.budget,
        config.tail_budget,
    )
