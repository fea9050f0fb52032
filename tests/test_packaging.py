"""What is built is what works: the wheel, the source archive and an editable install all explain a model.

Each is tried in an environment of its own that holds the declared dependencies and nothing else, outside the
checkout and without a network: the dependencies are links to those of the running environment. What the
package uses but does not declare is therefore missing there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from symgrad.derive.claim import Answer
from symgrad.problem import Problem

ROOT = Path(__file__).resolve().parent.parent

MODEL = '''\
"""A straight line: what price does a size suggest?"""
import symgrad as sg

n = sg.dims("n")
x = sg.data("x", n, about="the sizes")
y = sg.data("y", n, about="the prices")
w = sg.parameter("w")
b = sg.parameter("b")

r = w * x + b - y
model = w * x + b
loss = sg.mean(r**2)
'''


# ---- building


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed; no setting of the caller's Python or pip reaches it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    env = kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=env, capture_output=True, stdin=subprocess.DEVNULL, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(*what: str, out: Path) -> Path:
    """The folder with what `python -m build` makes of the checkout: an archive and its wheel, or a wheel."""
    out.mkdir()
    run(sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    return only(build("--wheel", out=tmp_path_factory.mktemp("built") / "dist"), "*.whl")


def only(folder: Path, pattern: str) -> Path:
    """The one file of the pattern."""
    (found,) = folder.glob(pattern)
    return found


def names_in(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def requirements_of(wheel: Path) -> list[str]:
    """What a wheel says it needs, extras apart."""
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        declared = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])
    return [text for text in declared if "extra ==" not in text]


# ---- environments


def with_dependencies(requirements: Iterable[str]) -> list[Distribution]:
    """The running environment's distributions of the requirements, of what those require, and so on."""
    found: dict[str, Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        is_wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_wanted and name not in found:
            found[name] = distribution(name)
            waiting += found[name].requires or []
    return list(found.values())


def link(distributions: Iterable[Distribution], site: Path) -> None:
    """Make distributions importable from another site-packages folder, and known to its pip."""
    for one in distributions:
        for top in {PurePosixPath(file).parts[0] for file in one.files or []} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(one.locate_file(top))).resolve())


def environment(folder: Path, requirements: Iterable[str]) -> Path:
    """The scripts folder of a new environment that holds pip and the requirements."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    link(with_dependencies(requirements), only(folder, "lib/python*/site-packages"))
    return folder / "bin"


def place_of(module: str, scripts: Path, cwd: Path) -> Path:
    """Where an environment imports a module from."""
    code = f"import {module}; print({module}.__file__)"
    return Path(run(scripts / "python", "-c", code, cwd=cwd).strip())


# ---- what each of them must be able to do


def assert_explains(scripts: Path, folder: Path) -> None:
    """`symgrad explain` finds its templates: a Markdown page in English, a LaTeX page in Chinese."""
    folder.mkdir()
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    page = run(scripts / "symgrad", "explain", "model.py", cwd=folder)
    assert re.search(r"^# A straight line$", page, re.MULTILINE)
    assert len(re.findall(r"^## .+$", page, re.MULTILINE)) >= 5
    assert r"\boxed" in page
    assert "```python" in page

    run(scripts / "symgrad", "explain", "model.py", "-o", "page.tex", "--lang", "zh", cwd=folder)
    tex = (folder / "page.tex").read_text(encoding="utf-8")
    assert r"\documentclass" in tex
    assert len(re.findall(r"\\section\{.*[\u4e00-\u9fff].*\}", tex)) >= 5
    assert r"\end{document}" in tex

    run(scripts / "symgrad", "new", "started.py", "--like", "sympy", cwd=folder)
    assert (folder / "started.py").read_bytes() == (ROOT / "examples" / "sympy_neuron.py").read_bytes()


def test_the_wheel_explains_outside_the_checkout(wheel, tmp_path):
    scripts = environment(tmp_path / "venv", requirements_of(wheel))
    run(scripts / "python", "-m", "pip", "install", "--no-index", wheel, cwd=tmp_path)
    run(scripts / "python", "-m", "pip", "check", cwd=tmp_path)
    assert place_of("symgrad", scripts, tmp_path).is_relative_to(tmp_path / "venv")
    assert_explains(scripts, tmp_path / "work")


def test_the_source_archive_makes_the_same_wheel(wheel, tmp_path):
    through_archive = build(out=tmp_path / "through")
    assert names_in(only(through_archive, "*.whl")) == names_in(wheel)

    with tarfile.open(only(through_archive, "*.tar.gz")) as archive:
        kept = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"symgrad", "templates", "tests", "examples", "pyproject.toml", "README.md", "LICENSE"} <= kept
    # docs/ is in the archive whenever there is one to put there.
    assert ("docs" in kept) == (ROOT / "docs").is_dir()


def test_the_wheel_holds_the_package_all_templates_and_models_and_nothing_else(wheel):
    names = names_in(wheel)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"symgrad", *(top for top in tops if top.endswith(".dist-info"))}
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*") if path.is_file()}
    assert templates
    assert {name for name in names if name.startswith("symgrad/templates/")} == {f"symgrad/{t}" for t in templates}
    examples = {f"symgrad/examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
    assert {name for name in names if name.startswith("symgrad/examples/")} == examples
    assert "symgrad/py.typed" in names


def test_an_editable_install_explains(wheel, tmp_path):
    declared = requirements_of(wheel)
    scripts = environment(tmp_path / "venv", [*declared, "hatchling"])
    pip = [scripts / "python", "-m", "pip", "install", "--no-index", "--no-build-isolation"]
    run(*pip, "--editable", ROOT, cwd=tmp_path)
    assert place_of("symgrad", scripts, tmp_path) == ROOT / "symgrad" / "__init__.py"
    assert_explains(scripts, tmp_path / "work")


# ---- the mechanics of these tests


def test_an_environment_holds_what_was_asked_for_and_no_more(tmp_path):
    scripts = environment(tmp_path / "venv", ["jinja2"])
    assert place_of("markupsafe", scripts, tmp_path).is_relative_to(tmp_path / "venv")
    for missing in ("symgrad", "pytest"):
        with pytest.raises(AssertionError, match=f"No module named '{missing}'"):
            place_of(missing, scripts, tmp_path)


# ---- what costs nothing until it is used


HELP = "import sys; sys.argv = ['symgrad', '--help']; from symgrad.cli import main; main()"


@pytest.mark.parametrize("code", ["import symgrad", HELP])
def test_the_start_imports_neither_sympy_nor_numpy(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "symgrad" in imported
    assert imported.isdisjoint({"sympy", "mpmath", "numpy"})


# ---- the README


def test_the_commands_of_the_readme_are_the_ones_that_are_run():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start, *_, check = re.findall(r"^```sh\n(.+?)\n```$", readme, re.MULTILINE | re.DOTALL)
    assert check in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    example = start.split()[-1]
    assert (ROOT / example).is_file()
    assert re.search(rf"symgrad explain {re.escape(example)}$", start)


def commands_of(readme: str) -> list[str]:
    """The shell commands of a README without their comments."""
    blocks = re.findall(r"^```sh\n(.+?)\n```$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+# .*| --lang zh", "", line) for block in blocks for line in block.splitlines()]
    return [" ".join(line.split()) for line in lines]


def test_both_readmes_give_the_same_commands_and_link_to_each_other():
    assert commands_of("README.md") == commands_of("README.zh-CN.md")
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    assert "](README.zh-CN.md)" in english
    assert "](README.md)" in chinese
    for text in (english, chinese):
        assert all((ROOT / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", text))


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_readmes_quote_a_whole_step_of_the_page(readme, language):
    text = (ROOT / readme).read_text(encoding="utf-8")
    page = (ROOT / "docs" / "gallery" / language / "softmax_regression.md").read_text(encoding="utf-8")
    quoted = "\n".join(line[2:] for line in text.splitlines() if line.startswith(">"))
    assert quoted.startswith("**")
    assert f"\n{quoted}\n\n**" in page


def test_the_answer_that_the_readmes_check_is_one_for_the_model_that_they_begin_with():
    new, *_, claim = (line for line in commands_of("README.md") if "symgrad new" in line or "--claim" in line)
    assert new.endswith("model.py --like logistic")
    problem = Problem.from_file(str(ROOT / "examples" / "logistic_regression.py"))
    assert problem.check_claim(claim.split('"')[1]).answer is Answer.EQUAL
