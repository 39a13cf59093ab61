"""What people read agrees with the code, in both directions."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import click
import pytest

from cr1cc.cli.main import SUBCOMMANDS, program
from cr1cc.config import SETTINGS, load
from cr1cc.outcome import Kind, Outcome
from cr1cc.passes.grammar import MANAGERS
from cr1cc.passes.macros import MACROS, expand
from cr1cc.passes.recipe import MAX_OPTIONS, MAX_STAGES, check_recipe, format_recipe, parse_recipe
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.policy.proposers import PROPOSERS
from cr1cc.records import Level
from tests.unit.test_architecture import LAYERS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "wrappers/*.md", "cache/*.md")
    for path in ROOT.glob(pattern)
)

# Written by hand and held to the code; what a run wrote is no description of the code.
REQUIRED = {
    "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "docs/README.md", "docs/architecture.md",
    "docs/autotools.md", "docs/cache.md", "docs/ci.md", "docs/cmake.md", "docs/explain.md",
    "docs/make.md", "docs/meson.md", "docs/recipes.md", "docs/settings.md", "docs/training.md",
}  # fmt: skip

_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    return _FENCE.sub("", text(page))


def fences(page: str, language: str) -> list[str]:
    return [body for name, body in _FENCE.findall(text(page)) if name == language]


def code(page: str) -> Iterator[str]:
    """Every command or name in code: inline spans, lines of shell, prompts of a session."""
    yield from re.findall(r"`([^`\n]+)`", prose(page))
    for body in fences(page, "sh"):
        yield from (line.partition("  #")[0].strip() for line in body.splitlines())
    for body in fences(page, "console"):
        yield from (line[2:] for line in body.splitlines() if line.startswith("$ "))


def all_code() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for span in code(page):
            yield page, span


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The cells of every table row under a heading (or the whole page), by first cell."""
    part = text(page)
    if heading:
        part = re.split(r"^#+ ", part.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    found = {}
    for line in part.splitlines():
        if line.startswith("| `"):
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            found[first.strip("`")] = others
    return found


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def commands() -> dict[str, click.Command]:
    """Every command of `cr1` that does something, by its words: "cache size"."""
    return dict(commands_of(program))


def commands_of(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", row) for inner, row in commands_of(command))
        else:
            yield name, command


def beginnings(words: Sequence[str]) -> list[str]:
    """What the command may be called, the longest first."""
    return [" ".join(words[:count]) for count in (3, 2, 1)]


def called() -> Iterator[tuple[str, list[str]]]:
    """`(page, words after cr1)` for every command of `cr1` in the pages."""
    for page, span in all_code():
        if span.startswith("cr1 "):
            yield page, shlex.split(span)[1:]


def test_the_pages_are_there() -> None:
    assert REQUIRED - set(PAGES) == set()


def test_the_index_names_every_page_of_the_folder() -> None:
    named = set(re.findall(r"\]\(([\w-]+\.md)\)", text("docs/README.md")))
    written = {page.removeprefix("docs/") for page in REQUIRED if page.startswith("docs/")}
    assert written - {"README.md"} <= named


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_resolves(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
        if not (ROOT / path).exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def test_every_file_of_the_project_that_is_named_exists() -> None:
    named = re.compile(r"(?:cr1cc|tests|wrappers|\.ci)/[\w./-]+|\w+(?:/\w+)*\.py")
    places = (ROOT, ROOT / "cr1cc")
    missing = {
        (page, span)
        for page, span in all_code()
        if named.fullmatch(span) and not any((place / span).exists() for place in places)
    }
    assert missing == set()


def test_every_subcommand_that_is_named_exists() -> None:
    known = {*commands(), *(row.name for row in SUBCOMMANDS)}
    known |= {name.rpartition(" ")[0] for name in commands() if " " in name}
    wrong = []
    for page, words in called():
        plain = [word for word in words if re.fullmatch(r"[a-z]+", word)]
        name = next((name for name in beginnings(plain) if name in known), None)
        groups = {one.rpartition(" ")[0] for one in known}
        if name is None or (name in groups and len(plain) > len(name.split())):
            wrong.append((page, words))
    assert wrong == []


def test_every_subcommand_is_named() -> None:
    named = {name for _, words in called() for name in beginnings(words)}
    assert set(commands()) - named == set()


def test_every_option_given_to_a_subcommand_exists() -> None:
    wrong = []
    for page, words in called():
        command = next((commands()[n] for n in beginnings(words) if n in commands()), None)
        options = {o for p in command.params for o in p.opts} if command else set()
        wrong += [(page, w) for w in words if w.startswith("--") and w not in options]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "page"), [("fuzz", "docs/training.md"), ("train coreset", "docs/training.md"),
                       ("train corpus", "docs/training.md"), ("stats", "docs/explain.md")]
)  # fmt: skip
def test_every_option_of_a_subcommand_is_described(name: str, page: str) -> None:
    options = {option for param in commands()[name].params for option in param.opts}
    assert {option for option in options if option not in text(page)} == set()


def targets() -> dict[str, bool]:
    """The targets of the Makefile, and whether `make help` lists them."""
    found = re.findall(r"^([a-z][a-z-]*):[^=\n]*?(##)?[^#\n]*$", text("Makefile"), re.MULTILINE)
    return {name: bool(listed) for name, listed in found}


def test_every_make_target_that_is_named_exists() -> None:
    named = {m[1] for _, span in all_code() if (m := re.fullmatch(r"make ([a-z][a-z-]+)", span))}
    assert named - set(targets()) == set()
    assert len(named) > 5


def test_every_make_target_is_named() -> None:
    named = {m[1] for _, span in all_code() if (m := re.fullmatch(r"make ([a-z][a-z-]+)", span))}
    assert {name for name, listed in targets().items() if listed} - named == set()


def test_the_page_of_settings_and_the_table_of_settings_agree() -> None:
    described = rows("docs/settings.md", "")
    assert list(described) == [row.key for row in SETTINGS]
    assert {key: cells[0] for key, cells in described.items()} == {
        row.key: row.kind for row in SETTINGS
    }


@pytest.mark.parametrize("key", [row.key for row in SETTINGS if row.key != "cache_dir"])
def test_the_default_of_a_setting_is_the_one_described(key: str) -> None:
    (row,) = (row for row in SETTINGS if row.key == key)
    shown = rows("docs/settings.md", "")[key][1].strip("`")
    value = row.default if shown == "empty" else row.read(shown)
    assert value == row.default
    assert (shown == "empty") == (row.default == "")


def test_the_settings_file_of_the_example_is_valid(tmp_path: Path) -> None:
    (example,) = fences("docs/settings.md", "toml")
    (tmp_path / "cr1.toml").write_text(example)
    config = load({"HOME": str(tmp_path)}, str(tmp_path))
    assert config.origins["budget"].startswith("project file")


def test_every_variable_that_is_named_is_read_by_something() -> None:
    settings = {f"CR1_{row.key.upper()}" for row in SETTINGS}
    sources = [
        *ROOT.glob("cr1cc/**/*.py"),
        *ROOT.glob("wrappers/**/*"),
        *ROOT.glob("tests/**/*.py"),
    ]
    rest = " ".join(
        path.read_text() for path in sources if path.is_file() and path != Path(__file__)
    )
    used = set(re.findall(r"\bCR1_[A-Z_]+\b", rest))
    named = {name for page in PAGES for name in re.findall(r"\bCR1_[A-Z_]*[A-Z]\b", text(page))}
    assert named - settings - used == set()


@pytest.mark.parametrize("kind", Kind)
def test_the_page_of_reasons_and_the_table_of_outcomes_agree(kind: Kind) -> None:
    described = {
        name: cells[0]
        for name, cells in rows("docs/explain.md", "## Every reason").items()
        if name in {row.counter for row in Outcome if row.kind is kind}
    }
    assert described == {row.counter: row.sentence for row in Outcome if row.kind is kind}


def test_no_reason_is_described_that_is_not_in_the_table() -> None:
    known = {row.counter for row in Outcome}
    assert set(rows("docs/explain.md", "## Every reason")) - known == set()


@pytest.mark.parametrize("recipe", "\n".join(fences("docs/recipes.md", "recipe")).splitlines())
@pytest.mark.parametrize("major", [OLDEST, 19, NEWEST])
def test_every_recipe_of_the_page_is_vetted_and_round_trips(recipe: str, major: int) -> None:
    parsed = parse_recipe(recipe)
    check_recipe(parsed, major, "X86")
    assert format_recipe(parsed) == recipe


def test_the_macros_of_the_page_are_those_of_the_code() -> None:
    described = rows("docs/recipes.md", "## Macros")
    assert set(described) == set(MACROS)
    for macro, (before, after) in described.items():
        assert f"`{expand(macro, OLDEST, Level.OZ)}`" in before
        assert f"`{expand(macro, OLDEST, Level.OS)}`" in before
        assert f"`{expand(macro, NEWEST, Level.OZ)}`" == after


def test_the_grammar_of_the_page_is_that_of_the_code() -> None:
    described = {
        re.match(r"[a-z-]+", name)[0]  # type: ignore[index]
        for name in rows("docs/recipes.md", "## What is vetted")
    }
    assert described == set(MANAGERS)
    assert f"at most {MAX_STAGES} stages and {MAX_OPTIONS} options" in text("docs/recipes.md")


def test_the_proposers_of_the_page_are_those_of_the_code() -> None:
    assert set(rows("docs/recipes.md", "## Where recipes come from")) == set(PROPOSERS)


def test_the_layers_of_the_page_are_those_of_the_test() -> None:
    (layers,) = fences("docs/architecture.md", "layers")
    assert tuple(tuple(line.split()) for line in layers.splitlines()) == LAYERS


def test_every_module_of_the_top_and_every_package_is_on_the_folder_map() -> None:
    folder_map = fences("docs/architecture.md", "text")[0]
    for path in sorted((ROOT / "cr1cc").iterdir()):
        if path.suffix == ".py" and path.name != "__init__.py":
            assert re.search(rf"^    {re.escape(path.name)} ", folder_map, re.MULTILINE), path.name
        elif path.is_dir() and any(path.glob("*.py")):
            assert re.search(rf"^    {re.escape(path.name)}/ ", folder_map, re.MULTILINE), path.name


def test_the_readme_says_why_each_dependency_is_there() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    packages = {
        re.split(r"[<>=]", line)[0]
        for text_ in lists
        for line in text_.split()
        if re.fullmatch(r"[\w-]+[<>=]=[\d.]+(rc\d+)?(,<[\d.]+)?", line)
    }
    assert packages
    assert packages == set(rows("README.md", "## Requirements"))


def test_the_changelog_has_the_version_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert f"## {setup['metadata']['version']}\n" in text("CHANGELOG.md")
