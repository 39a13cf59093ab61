"""Source archives by the user's own apt, without root and without touching the system.

A private directory holds apt's lists and cache, and a copy of the system's
configured sources in which every binary source is turned into a source-code one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from cr1cc.errors import UserError

_ARCHIVE = re.compile(r"\.orig\.tar\.(gz|bz2|xz)$")
_PACKAGING = re.compile(r"\.debian\.tar\.(gz|bz2|xz)$")
_UPDATE_SECONDS = 300
_DOWNLOAD_SECONDS = 300


def source_stanzas(text: str) -> str:
    """The enabled stanzas of a deb822 `.sources` file, each for source packages only.

    Fields that span lines (a key in `Signed-By`) stay; architectures, which mean
    nothing for sources, go.
    """
    stanzas = []
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if line and not line.startswith("#")]
        fields = stanza_fields(lines)
        if "types" not in fields or _value(fields.get("enabled", ["yes"])) in ("no", "false"):
            continue
        kept = [
            line
            for name, field in fields.items()
            if name not in ("types", "architectures", "enabled")
            for line in field
        ]
        stanzas.append("\n".join(["Types: deb-src", *kept]) + "\n")
    return "\n".join(dict.fromkeys(stanzas))


def source_lines(text: str) -> str:
    """The `deb` and `deb-src` lines of a one-line-style `.list` file, as `deb-src` lines."""
    lines = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].strip()
        found = re.match(r"deb(?:-src)?\s+(\[[^]]*\]\s+)?(.+)$", words)
        if found:
            options = re.sub(r"\barch=\S*?(?=[\s\]])\s*", "", found.group(1) or "")
            options = "" if re.fullmatch(r"\[\s*\]\s*", options) else options
            lines.append(f"deb-src {options}{found.group(2)}\n")
    return "".join(dict.fromkeys(lines))


class PrivateApt:
    """apt-get with its state in `directory`; the lists are fetched on first use."""

    def __init__(self, directory: Path, system: Path = Path("/etc/apt")) -> None:
        self.directory = directory
        self.system = system
        self._alone = threading.Lock()  # one apt at a time has the lists

    def download(self, package: str, target: Path) -> Path:
        """Download the upstream archive of source package `package` into `target`.

        Raises UserError if apt is missing, not reachable or does not know the package.
        """
        return self._download(package, target, "--tar-only", _ARCHIVE)

    def packaging(self, package: str, target: Path) -> Path:
        """The same of what Debian adds to it."""
        return self._download(package, target, "--diff-only", _PACKAGING)

    def _download(self, package: str, target: Path, part: str, form: re.Pattern[str]) -> Path:
        if shutil.which("apt-get") is None:
            raise UserError("apt-get is not installed")
        with self._alone:
            self._prepare()
            if not any((self.directory / "lists").glob("*_Sources*")):
                self._update()
            failure = self._source(package, target, part)
            if failure and not _archives(target, form):
                self._update()  # the lists may be older than what the mirror still has
                failure = self._source(package, target, part)
        found = _archives(target, form)
        if not found:
            reason = failure or f"none ends in {form.pattern}"
            raise UserError(f"apt has no source archive of {package}: {reason}")
        return found[0]

    def _prepare(self) -> None:
        parts = self.directory / "parts"
        for folder in (
            parts,
            self.directory / "lists/partial",
            self.directory / "archives/partial",
        ):
            folder.mkdir(parents=True, exist_ok=True)
        stanzas, lines = [], []
        single = self.system / "sources.list"
        found = [single, *sorted((self.system / "sources.list.d").glob("*"))]
        for path in (path for path in found if path.is_file()):
            text = path.read_text("utf-8", "replace")
            if path.suffix == ".sources":
                stanzas.append(source_stanzas(text))
            elif path.suffix == ".list":
                lines.append(source_lines(text))
        (parts / "cr1cc.sources").write_text("\n".join(stanzas))
        (parts / "cr1cc.list").write_text("".join(lines))

    def _update(self) -> None:
        # A third-party repository without sources makes apt fail although the others came.
        self._run(["update"], self.directory, _UPDATE_SECONDS)
        if not any((self.directory / "lists").glob("*_Sources*")):
            raise UserError("apt could not fetch a list of source packages")

    def _source(self, package: str, target: Path, part: str) -> str:
        command = ["source", "--download-only", part, package]
        return self._run(command, target, _DOWNLOAD_SECONDS)

    def _run(self, command: list[str], directory: Path, seconds: int) -> str:
        """Run apt-get; "" or the first line of its complaint."""
        options = {
            "Dir::Etc::sourcelist": os.devnull,
            "Dir::Etc::sourceparts": self.directory / "parts",
            "Dir::State::lists": self.directory / "lists",
            "Dir::Cache": self.directory,
            "APT::Get::List-Cleanup": "0",
            # As root, apt would drop to a user that cannot write to a private directory.
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "APT::Update::Post-Invoke::": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
        }
        flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        environ: Mapping[str, str] = {**os.environ, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ["apt-get", "-q", *flags, *command],
                cwd=directory, env=environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"apt-get {command[0]} took longer than {seconds} s"
        if done.returncode == 0:
            return ""
        output = done.stdout.decode("utf-8", "replace").splitlines()
        return next((line for line in output if line.startswith("E:")), "apt-get failed")


def _archives(directory: Path, form: re.Pattern[str]) -> list[Path]:
    """Archives of a form in `directory`: apt may bring component archives as well."""
    return sorted(path for path in directory.iterdir() if form.search(path.name))


def stanza_fields(lines: list[str]) -> dict[str, list[str]]:
    """The lines of each field of a stanza in Debian's format, by name in lower case."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line and not line[0].isspace():
            name = line.partition(":")[0].strip().lower()
            fields[name] = []
        if name:
            fields[name].append(line)
    return fields


def _value(field: list[str]) -> str:
    return field[0].partition(":")[2].strip().lower()
