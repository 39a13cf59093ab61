"""The order of the coreset, from labels: many more modules than it was mined on.

Labels know what each recipe of it makes of a module. The greedy cover is made once more of
them; recipes that it does not take stay behind, in the order that they had.
"""

from __future__ import annotations

import json
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.passes.recipe import format_recipe, parse_recipe
from cr1cc.records import Metric
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
    rows = [row for one in lessons if (row := _row(one, texts))]
    if not rows:
        raise UserError(f"{folder}: no label knows all of {path}")
    chosen, means, totals = cover_recipes(texts, rows, len(texts))
    part["recipes"] = [*chosen, *(text for text in texts if text not in chosen)]
    part["mean_gain_by_size"] = [round(x, 5) for x in means]
    part["total_gain_by_size"] = [round(x, 5) for x in totals]
    replace_file(str(path), (json.dumps(data, indent=1, sort_keys=True) + "\n").encode())
    return len(rows), means


def _row(lesson: Lesson, texts: list[str]) -> Row:
    """As `cover_recipes` takes it; {} if a value is missing."""
    values = {format_recipe(recipe): value for recipe, value in lesson.values.items()}
    known = [format_recipe(parse_recipe(text)) for text in texts]
    if not values.keys() >= set(known):
        return {}
    sizes = [lesson.base if values[text] is None else values[text] for text in known]
    return {"bytes": lesson.base, "sizes": sizes}
