"""Random valid recipes behind the standard pipeline: what any proposer must beat."""

from __future__ import annotations

from itertools import count, islice
from random import Random

from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.passes.macros import SIZE
from cr1cc.passes.options import options_for
from cr1cc.passes.pipeline import random_pipeline
from cr1cc.passes.recipe import fits
from cr1cc.passes.rows import PassLevel
from cr1cc.policy.interface import Measure
from cr1cc.records import Proposal, Recipe, Request

_STAGE_PASSES = 10  # passes of a random stage
_TAIL_PASSES = 4
_PIPELINES = 8  # for tails


class RandomRecipes:
    name = "random"
    machine = ""
    version = "2"

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """Seeded from the module, so that equal modules get equal recipes."""
        rng = Random(request.info.fingerprint)
        recipes = (random_recipe(rng, request) for _ in count())
        fitting = (recipe for recipe in recipes if fits(recipe, request.info.ic))
        chosen = tuple(islice(fitting, request.budget))
        tails = [row.name for row in ATTRIBUTES]
        tails += [
            random_pipeline(rng, request.major, _TAIL_PASSES, PassLevel.FUNCTION)
            for _ in range(_PIPELINES)
        ]
        rng.shuffle(tails)
        return Proposal(chosen, tuple(tails))


def random_recipe(rng: Random, request: Request) -> Recipe:
    """The standard pipeline, a random stage, and sometimes a code-generation option."""
    stage = random_pipeline(rng, request.major, rng.randint(1, _STAGE_PASSES), PassLevel.MODULE)
    options = options_for(request.major, request.target)
    chosen = (rng.choice(options).text,) if options and rng.random() < 0.5 else ()
    return request.suited(Recipe((SIZE, stage), chosen))
