"""The order of the coreset, from labels: many more modules than it was mined on.

Labels know what each recipe of it makes of a module. The greedy cover is made once more of
them; recipes that it does not take stay behind, in the order that they had.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.passes.recipe import canonical, parse_recipe
from cr1cc.records import Metric, Recipe
from cr1cc.train.cover import Row, cover_recipes
from cr1cc.train.lessons import learnt
from cr1cc.train.trajectories import Lesson
from cr1cc.util.atomic import replace_file


def order(folder: Path, metric: Metric, path: Path) -> tuple[int, tuple[float, ...]]:
    """Rewrite the coreset in `path`; the number of modules, and mean gains of its prefixes.
    Raises UserError if the labels in FOLDER do not know it."""
    data = json.loads(path.read_text())
    part = data[metric.value]
    texts: list[str] = part["recipes"]
    lessons = [one for one in learnt(folder, "features") if one.request.metric is metric]
    recipes = [canonical(parse_recipe(text)) for text in texts]
    rows = [_row(one, recipes) for one in lessons if one.values.keys() >= set(recipes)]
    if not rows:
        raise UserError(f"{folder}: no label knows all of {path}")
    chosen, means, totals = cover_recipes(texts, rows, len(texts))
    part["recipes"] = [*chosen, *(text for text in texts if text not in chosen)]
    part["mean_gain_by_size"] = [round(x, 5) for x in means]
    part["total_gain_by_size"] = [round(x, 5) for x in totals]
    replace_file(str(path), (json.dumps(data, indent=1, sort_keys=True) + "\n").encode())
    return len(rows), means


def _row(lesson: Lesson, recipes: Sequence[Recipe]) -> Row:
    """As `cover_recipes` takes it: what could not be measured saves nothing."""
    values = [lesson.values[recipe] for recipe in recipes]
    return {"bytes": lesson.base, "sizes": [lesson.base if v is None else v for v in values]}
