"""What a session has measured, in a file, so that an interrupted one goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass
class Memory:
    """The answers so far, and the file that they are kept in."""

    path: str
    identity: str
    answers: dict[str, object] = field(default_factory=dict)

    def load(self) -> bool:
        """Whether answers of the same session were there."""
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
        except OSError:
            return False
        if _read(lines[0]) != self.identity:
            return False
        for answer in map(_read, lines[1:]):
            if isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], str):
                self.answers[answer[0]] = answer[1]
        return bool(self.answers)

    def put(self, key: str, value: object) -> None:
        """Remember an answer."""
        fresh = not self.answers
        self.answers[key] = value
        with open(self.path, "w" if fresh else "a", encoding="utf-8") as file:
            if fresh:
                file.write(json.dumps(self.identity))
            # The newline in front ends a line that an interruption has torn.
            file.write("\n" + json.dumps((key, value)))


def _read(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
