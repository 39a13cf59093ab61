"""What the corpus holds, in numbers.

FOLDER/corpus.json   for each package its licence, and its modules and functions of every kind;
                     the totals
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from cr1cc.train.corpus import FUNCTIONS, KINDS, modules_of, samples
from cr1cc.train.licences import known
from cr1cc.train.packages import HELD_OUT, PACKAGES
from cr1cc.util.atomic import replace_file

_FORMS = tuple(kind + form for form in ("", FUNCTIONS) for kind in KINDS)


def census(folder: Path) -> dict[str, Any]:
    """Count, write FOLDER/corpus.json, and return what it says.

    A file that several packages have counts once. `learnt` are those that no held-out package
    has or nearly has (`duplicates.py`). Raises UserError if there is no corpus."""
    versions = {package.name: package.version for package in (*PACKAGES, *HELD_OUT)}
    licences = known(folder)
    held = {package.name for package in HELD_OUT}
    counts = {form: Counter(s.package for s in modules_of(folder, form)) for form in _FORMS}
    found = {
        "packages": {
            name: {
                "version": versions.get(name, ""),
                "licence": licences.get(name, ""),
                "held_out": name in held,
                **{form: counts[form][name] for form in _FORMS},
            }
            for name in sorted(set().union(*counts.values()))
        },
        "total": {form: counts[form].total() for form in _FORMS},
        "learnt": {form: len(samples(folder, form)) if counts[form] else 0 for form in _FORMS},
    }
    replace_file(str(folder / "corpus.json"), (json.dumps(found, indent=1) + "\n").encode())
    return found
