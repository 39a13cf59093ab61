"""What CI systems run: the scripts are run for real, with the files that a runner provides."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.util.data import data_path
from tests.e2e.wrapped import LLAMA_BUILD, run

ROOT = Path(__file__).parents[2]
ACTIONS = ("github/action.yml", "github/summary/action.yml")
SUMMARY = data_path("wrappers", "github/summary/summary.sh")


def part(text: str, key: str, indent: str = "") -> str:
    """What a YAML file as plain as ours has below a key, with that key's indentation."""
    found = re.search(rf"^{indent}{re.escape(key)}:\n((?:{indent} .*\n|\n)+)", text, re.MULTILINE)
    assert found, key
    return found[1]


def steps(text: str) -> list[str]:
    return re.split(r"^    - ", part(part(text, "runs"), "steps", "  "), flags=re.MULTILINE)[1:]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout: an installation leaves files in what it installs from."""
    ignored = shutil.ignore_patterns(
        ".venv", ".git", "build", "*.egg-info", ".*_cache", ".cr1-build", "__pycache__"
    )
    target = tmp_path_factory.mktemp("source") / "cr1cc"
    return Path(shutil.copytree(ROOT, target, symlinks=True, ignore=ignored))


@pytest.fixture(autouse=True)
def installed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was installed must serve, not a checkout that Python was told of."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


def run_or_skip(*argv: str, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True
    )
    if "Temporary failure" in done.stderr or "NewConnectionError" in done.stderr:
        pytest.skip("the package registry is missing")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_has_what_github_requires(name: str) -> None:
    path = Path(data_path("wrappers", name))
    text = path.read_text()
    assert re.search(r"^name: \S", text, re.MULTILINE)
    assert re.search(r"^description: \S", text, re.MULTILINE)
    assert "  using: composite\n" in part(text, "runs")
    assert "\t" not in text
    assert steps(text)
    for step in steps(text):
        # A step of a composite action names its shell, or another action at a version.
        runs = re.search(r"^ +run: ", step, re.MULTILINE)
        assert re.search(r"^ +(shell: \w+$|uses: [\w/-]+@\w+$)", step, re.MULTILINE)
        assert bool(runs) != ("uses: " in step)
        for script in re.findall(r"\$GITHUB_ACTION_PATH/([\w.]+)", step):
            run("sh", "-n", script, cwd=path.parent)


def test_every_input_and_output_of_the_action_is_used_and_described() -> None:
    text = Path(data_path("wrappers", ACTIONS[0])).read_text()
    inputs = re.findall(r"^  (\w+):$", part(text, "inputs"), re.MULTILINE)
    assert set(re.findall(r"inputs\.(\w+)", text)) == set(inputs)
    page = (ROOT / "docs/ci.md").read_text()
    assert [name for name in inputs if f"| `{name}` |" not in page] == []
    outputs = set(re.findall(r"steps\.install\.outputs\.(\w+)", text))
    script = Path(data_path("wrappers", "github/install.sh")).read_text()
    assert outputs == set(re.findall(r'echo "(\w+)=.*>> "\$GITHUB_OUTPUT"', script))


def test_the_summary_shows_the_statistics_as_code(
    project: Path, compilers: Path, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("of the step before\n")
    path = f"{compilers}:{os.environ['PATH']}"
    run(f"{compilers}/cr1-clang", "-Oz", "-c", "words.c", "-o", "words.o", cwd=project)
    run("sh", SUMMARY, cwd=project, PATH=path, GITHUB_STEP_SUMMARY=str(summary))
    shown = run(f"{compilers}/cr1", "stats", cwd=project)
    assert "1 commands since" in shown
    code = "".join(f"    {line}\n" for line in shown.splitlines())
    assert summary.read_text() == f"of the step before\n### cr1cc\n\n{code}\n"


def test_a_job_without_cr1_has_no_summary_and_does_not_fail(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    run("sh", SUMMARY, cwd=tmp_path, PATH="/usr/bin:/bin", GITHUB_STEP_SUMMARY=str(summary))
    assert not summary.exists()


@pytest.mark.long
def test_the_action_installs_and_the_next_steps_compile_and_sum_up(
    source: Path, project: Path, compilers: Path, tmp_path: Path, need: Callable[[str], str]
) -> None:
    # `compilers` for its setting of the clang; the action makes scripts of its own.
    runner = {name: str(tmp_path / name) for name in ("GITHUB_ENV", "GITHUB_PATH",
              "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")}  # fmt: skip
    Path(runner["RUNNER_TEMP"]).mkdir()
    run(f"{compilers}/cr1-clang", "--version", cwd=project)  # of a job before
    script = str(source / "wrappers/github/install.sh")
    run_or_skip("sh", script, cwd=project, CR1_PACKAGE="", CR1_LLVM="false", **runner)

    def given(name: str) -> list[str]:
        return Path(runner[name]).read_text().splitlines()

    (folder,) = given("GITHUB_PATH")
    later = {**runner, "PATH": f"{folder}:{os.environ['PATH']}"}
    assert sorted(path.name for path in Path(folder).iterdir()) == [
        "cr1", "cr1-clang", "cr1-clang++",
    ]  # fmt: skip
    environ = dict(line.split("=", 1) for line in given("GITHUB_ENV"))
    assert environ == {"CC": f"{folder}/cr1-clang", "CXX": f"{folder}/cr1-clang++"}
    assert given("GITHUB_OUTPUT") == [
        f"cache={run('cr1', 'cache', 'path', cwd=project, **later).strip()}"
    ]
    # -e: the environment's compilers, as of a makefile that leaves them to make.
    run(need("make"), "-e", "check", cwd=project, **environ, **later)
    run("sh", SUMMARY, cwd=project, **later)
    assert "3 commands since" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()


@pytest.mark.long
def test_the_lines_of_the_gitlab_job_run_in_bash(
    source: Path, project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    job = part(Path(data_path("wrappers", "gitlab.yml")).read_text(), ".cr1cc")
    variables = {
        name: value.replace("$CI_PROJECT_DIR", str(project))
        for name, value in re.findall(r"(\w+): (.+)", part(job, "variables", "  "))
    }
    assert set(variables) == {"CC", "CXX", "CR1_CACHE_DIR"}
    environ = {**variables, "CR1_PACKAGE": str(source), "CMAKE_ARGS": LLAMA_BUILD}

    def script(key: str) -> str:
        return "\n".join(re.findall(r"^    - (.+)$", part(job, key, "  "), re.MULTILINE))

    bash = [need("bash"), "-e", "-o", "pipefail", "-c"]
    run_or_skip(*bash, script("before_script"), cwd=project, **environ)
    run(*bash, "make -e check", cwd=project, **environ)
    shown = run(*bash, script("after_script"), cwd=project, **environ)
    assert "3 commands since" in shown
    kept = re.findall(r"^      - (.+)$", job, re.MULTILINE)
    assert kept == [".cr1cc/cache", ".cr1cc/stats.txt"]
    assert list((project / kept[0]).iterdir())
    assert (project / kept[1]).read_text() == shown


def test_the_gitlab_job_says_what_it_lacks(tmp_path: Path, need: Callable[[str], str]) -> None:
    text = Path(data_path("wrappers", "gitlab.yml")).read_text()
    (line,) = re.findall(r"^    - (.+pip install.+)$", text, re.MULTILINE)
    done = subprocess.run([need("bash"), "-ec", line], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "CR1_PACKAGE: must say what pip installs" in done.stderr
