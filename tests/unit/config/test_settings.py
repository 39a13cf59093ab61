"""Settings: who wins, where a value came from, and what nonsense says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cr1cc.config import SETTINGS, Config, load
from cr1cc.errors import UserError


@pytest.fixture
def places(tmp_path: Path) -> tuple[dict[str, str], Path, Path]:
    """An environment, its user file (in a directory that exists) and a project directory."""
    user = tmp_path / "config" / "cr1cc" / "config.toml"
    user.parent.mkdir(parents=True)
    project = tmp_path / "project"
    (project / "src" / "deep").mkdir(parents=True)
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}, user, project


def test_the_table_is_sorted_and_is_what_config_holds() -> None:
    keys = [row.key for row in SETTINGS]
    assert keys == sorted(set(keys))
    assert [*keys, "origins"] == list(Config._fields)
    for row in SETTINGS:
        assert getattr(Config(), row.key) == row.default


def test_without_files_everything_is_default(tmp_path: Path) -> None:
    config = load({"HOME": "/home/somebody"}, str(tmp_path))
    assert set(config.origins.values()) == {"default"}
    assert config.cache_dir == "/home/somebody/.cache/cr1cc"
    assert (config.proposer, config.enabled, config.cache) == ("coreset", True, True)


def test_environment_beats_project_file_beats_user_file(
    places: tuple[dict[str, str], Path, Path],
) -> None:
    environ, user, project = places
    user.write_text("budget = 1\ntail_budget = 2\nproposer = 'random'\n")
    (project / "cr1.toml").write_text("budget = 10\ntail_budget = 20\n")
    config = load(environ | {"CR1_BUDGET": "100"}, str(project / "src" / "deep"))
    assert (config.budget, config.tail_budget, config.proposer) == (100, 20, "random")
    assert config.origins["budget"] == "environment CR1_BUDGET"
    assert config.origins["tail_budget"] == f"project file {project}/cr1.toml"
    assert config.origins["proposer"] == f"user file {user}"


def test_the_nearest_project_file_counts_alone(places: tuple[dict[str, str], Path, Path]) -> None:
    environ, _, project = places
    (project / "cr1.toml").write_text("budget = 10\ntail_budget = 20\n")
    (project / "src" / "cr1.toml").write_text("budget = 11\n")
    config = load(environ, str(project / "src" / "deep"))
    assert (config.budget, config.tail_budget) == (11, Config().tail_budget)


def test_paths_in_a_file_are_relative_to_that_file(
    places: tuple[dict[str, str], Path, Path],
) -> None:
    environ, _, project = places
    (project / "cr1.toml").write_text('cache_dir = "kept"\nclang = "clang-19"\nclangxx = "~/c++"\n')
    config = load(environ, str(project / "src"))
    assert config.cache_dir == f"{project}/kept"
    assert config.clang == "clang-19"
    assert config.clangxx == f"{environ['HOME']}/c++"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1M", 1 << 20),
        ("2G", 2 << 30),
        ("1500K", 1500 << 10),
        ("1048576", 1 << 20),
        ("1GiB", 1 << 30),
    ],
)
def test_sizes_have_suffixes(text: str, value: int, tmp_path: Path) -> None:
    assert load({"HOME": "/", "CR1_CACHE_SIZE": text}, str(tmp_path)).cache_size == value


@pytest.mark.parametrize(
    ("text", "value"), [("0", False), ("off", False), ("TRUE", True), ("yes", True)]
)
def test_booleans_in_the_environment_are_words(text: str, value: bool, tmp_path: Path) -> None:
    assert load({"HOME": "/", "CR1_ENABLED": text}, str(tmp_path)).enabled is value


NONSENSE = [
    ("budget = -1", "budget"),
    ("budget = true", "budget"),
    ("budget = 1.5", "budget"),
    ("enabled = 1", "enabled"),
    ("cache_size = '12 parsecs'", "cache_size"),
    ("cache_size = 10", "cache_size"),
    ("proposer = 'oracle'", "proposer"),
    ("proposer = ['random']", "proposer"),
    ('cache_dir = "a\\u0000b"', "cache_dir"),
    ("colour = 'blue'", "colour"),
    ("[budget]\nx = 1", "budget"),
    ("budget = ", "TOML"),
    ("budget = 1\nbudget = 2", "TOML"),
    ("x = " + "[" * 5000, "TOML"),
]


@pytest.mark.parametrize(("text", "named"), NONSENSE)
def test_nonsense_is_one_line_that_names_the_file_and_the_key(
    text: str, named: str, places: tuple[dict[str, str], Path, Path]
) -> None:
    environ, _, project = places
    (project / "cr1.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        load(environ, str(project))
    message = str(caught.value)
    assert message.startswith(f"{project}/cr1.toml: ")
    assert named in message
    assert "\n" not in message


def test_bytes_that_are_no_text_are_an_error_not_a_crash(
    places: tuple[dict[str, str], Path, Path],
) -> None:
    environ, user, project = places
    user.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not TOML"):
        load(environ, str(project))


def test_a_directory_in_place_of_a_file_is_an_error(
    places: tuple[dict[str, str], Path, Path],
) -> None:
    environ, _, project = places
    (project / "cr1.toml").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        load(environ, str(project))


def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CR1_BUDGET"):
        load({"HOME": "/", "CR1_BUDGET": "many"}, str(tmp_path))


def test_toml_is_loaded_only_where_a_file_exists(tmp_path: Path) -> None:
    program = (
        "import sys; from cr1cc.config import load;"
        f"load({{'HOME': {str(tmp_path)!r}}}, {str(tmp_path)!r});"
        "sys.exit('tomllib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
