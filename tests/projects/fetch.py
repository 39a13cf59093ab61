"""Bring the sources of a project into a cache directory: once, whole and checked.

From the distribution by apt where there is one, else as a source distribution of
the Python package index by pip. Both verify what they download against their own
signed or hashed lists; the table records the archive that the project is known by.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.train.apt import PrivateApt
from tests.projects.errors import FetchError
from tests.projects.table import Project

CHECKOUT = Path(__file__).resolve().parents[2]
_PIP_SECONDS = 300

# Python 3.11 before 3.11.4 has no filters.
_filter = getattr(tarfile, "data_filter", None)


@dataclass(frozen=True)
class Archive:
    """A source archive at hand. `recorded` says whether it is the one in the table."""

    path: Path
    version: str
    size: int
    sha256: str
    recorded: bool


def cache_directory() -> Path:
    """CR1_PROJECTS_DIR, or cr1cc-projects under XDG_CACHE_HOME, or build/projects here."""
    if os.environ.get("CR1_PROJECTS_DIR"):
        return Path(os.environ["CR1_PROJECTS_DIR"]).absolute()
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]).absolute() / "cr1cc-projects"
    return CHECKOUT / "build" / "projects"


def missing(project: Project) -> str:
    """What the project's own build needs and this machine lacks: "" or a sentence."""
    lacking = [name for name in project.needs if shutil.which(name) is None]
    if "setup.py" in project.build:
        check = [sys.executable, "-c", "import setuptools, sysconfig, os; "
                 "os.stat(sysconfig.get_path('include') + '/Python.h')"]  # fmt: skip
        if subprocess.run(check, capture_output=True, check=False).returncode:
            lacking.append("setuptools and Python's headers")
    return f"{project.name} needs {', '.join(lacking)}" if lacking else ""


def fetch(
    project: Project,
    directory: Path | None = None,
    warn: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> Archive:
    """The project's archive, from the cache or from the network.

    Another version than the recorded one is a line for `warn`; the recorded version
    with other content is an error. Raises FetchError.
    """
    directory = directory or cache_directory()
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory / ".lock"):
        archive = _cached(directory / project.name) or _download(project, directory)
    if not archive.recorded:
        warn(f"{project.name}: version {archive.version} here, {project.version} in the table")
    return archive


def unpack(archive: Archive, directory: Path) -> Path:
    """Unpack into `directory`, which must not exist; returns it as the source tree.

    A single folder that holds everything else is left out of the path.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".unpack-", dir=directory.parent))
    try:
        with tarfile.open(archive.path) as tar:
            tar.extraction_filter = _filter
            tar.extractall(staging)
        entries = list(staging.iterdir())
        single = len(entries) == 1 and entries[0].is_dir()
        (entries[0] if single else staging).rename(directory)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FetchError(f"{archive.path.name} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return directory


def _cached(directory: Path) -> Archive | None:
    """What an earlier call left, if it is still whole."""
    try:
        note = json.loads((directory / "source.json").read_text())
        archive = Archive(**{**note, "path": directory / note["path"]})
        return archive if archive.sha256 == _sha256(archive.path) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _download(project: Project, directory: Path) -> Archive:
    reasons = []
    for origin in (_from_apt, _from_index):
        staging = Path(tempfile.mkdtemp(prefix=f".{project.name}-", dir=directory))
        try:
            path = origin(project, directory, staging)
            archive = _identify(project, path)
            return _keep(archive, staging, directory / project.name)
        except (FetchError, UserError) as error:
            reasons.append(str(error))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    raise FetchError(f"no source of {project.name}: {'; '.join(filter(None, reasons))}")


def _from_apt(project: Project, directory: Path, staging: Path) -> Path:
    if not project.debian:
        raise FetchError("")
    return PrivateApt(directory / ".apt").download(project.debian, staging)


def _from_index(project: Project, directory: Path, staging: Path) -> Path:
    if not project.pypi:
        raise FetchError("")
    wanted = f"{project.pypi}=={project.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--no-binary", ":all:", "--dest", str(staging), wanted]  # fmt: skip
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_PIP_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FetchError(f"pip took longer than {_PIP_SECONDS} s for {wanted}") from None
    found = sorted(staging.glob("*.tar.gz"))
    if done.returncode or not found:
        raise FetchError(f"pip has no source distribution of {wanted}")
    return found[0]


def _identify(project: Project, path: Path) -> Archive:
    found = re.search(r"[_-](?P<version>\d[^_/]*?)(\.orig)?\.tar\.\w+$", path.name)
    version = found.group("version") if found else "unknown"
    digest, size = _sha256(path), path.stat().st_size
    recorded = (digest, size) == (project.sha256, project.size)
    if version == project.version and not recorded:
        raise FetchError(
            f"{path.name} is not the archive that the table records: {size} bytes, sha256 {digest}"
        )
    return Archive(path, version, size, digest, recorded)


def _keep(archive: Archive, staging: Path, home: Path) -> Archive:
    for path in staging.iterdir():
        if path != archive.path:
            path.unlink()
    note = {**asdict(archive), "path": archive.path.name}
    (staging / "source.json").write_text(json.dumps(note, indent=1) + "\n")
    shutil.rmtree(home, ignore_errors=True)
    staging.chmod(0o755)
    staging.rename(home)
    return Archive(**{**asdict(archive), "path": home / archive.path.name})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One fetch at a time for all processes that share the cache directory."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
