"""Archives come whole and checked, once, and another version is told."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.projects import fetch as fetching
from tests.projects.errors import FetchError
from tests.projects.table import PROJECTS, Project


def archive_bytes() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in ("thing-1.0/a.c", "thing-1.0/sub/b.c"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"int"))
    return stream.getvalue()


class Mirror:
    """Stands for apt: serves one archive and counts how often it was asked."""

    def __init__(self, content: bytes, version: str = "1.0") -> None:
        self.content, self.version, self.asked = content, version, 0

    def __call__(self, project: Project, directory: Path, staging: Path) -> Path:
        self.asked += 1
        path = staging / f"thing_{self.version}.orig.tar.gz"
        path.write_bytes(self.content)
        return path


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    mirror = Mirror(archive_bytes())
    monkeypatch.setattr(fetching, "_from_apt", mirror)
    return mirror


@pytest.fixture
def project(mirror: Mirror) -> Project:
    digest = hashlib.sha256(mirror.content).hexdigest()
    return replace(
        PROJECTS["zlib"], name="thing", pypi="", version="1.0", sha256=digest,
        size=len(mirror.content),
    )  # fmt: skip


def test_the_second_fetch_comes_from_the_cache(
    project: Project, mirror: Mirror, tmp_path: Path
) -> None:
    warnings: list[str] = []
    first = fetching.fetch(project, tmp_path, warnings.append)
    assert fetching.fetch(project, tmp_path, warnings.append) == first
    assert (mirror.asked, warnings, first.recorded) == (1, [], True)


def test_a_torn_archive_in_the_cache_is_fetched_again(
    project: Project, mirror: Mirror, tmp_path: Path
) -> None:
    path = fetching.fetch(project, tmp_path).path
    path.write_bytes(mirror.content[:40])
    assert fetching.fetch(project, tmp_path).path.read_bytes() == mirror.content
    assert mirror.asked == 2


def test_the_recorded_version_with_other_content_is_refused(
    project: Project, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.content = b"other"
    with pytest.raises(FetchError, match="not the archive that the table records"):
        fetching.fetch(project, tmp_path)
    assert not (tmp_path / "thing").exists()


def test_another_version_is_accepted_with_one_line(
    project: Project, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.version = "1.1"
    mirror.content += b"\0"
    warnings: list[str] = []
    archive = fetching.fetch(project, tmp_path, warnings.append)
    assert (archive.version, archive.recorded) == ("1.1", False)
    assert warnings == ["thing: version 1.1 here, 1.0 in the table"]


def test_a_project_that_nobody_offers_says_why(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unreachable(project: Project, directory: Path, staging: Path) -> Path:
        raise FetchError("apt is not reachable")

    monkeypatch.setattr(fetching, "_from_apt", unreachable)
    with pytest.raises(FetchError, match="no source of thing: apt is not reachable"):
        fetching.fetch(project, tmp_path)


def test_unpacking_leaves_out_the_single_folder(project: Project, tmp_path: Path) -> None:
    tree = fetching.unpack(fetching.fetch(project, tmp_path), tmp_path / "place" / "tree")
    assert sorted(path.name for path in tree.iterdir()) == ["a.c", "sub"]
    assert [path.name for path in tree.parent.iterdir()] == ["tree"]


def test_an_archive_that_is_none_is_a_sentence(project: Project, tmp_path: Path) -> None:
    archive = fetching.fetch(project, tmp_path)
    archive.path.write_bytes(b"not a tar")
    with pytest.raises(FetchError, match="cannot be unpacked"):
        fetching.unpack(archive, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
