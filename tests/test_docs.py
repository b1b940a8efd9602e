"""Protects: that the documentation is built without a warning, has no dead link, and that its examples run."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from docs.check_links import dead_links
from tests.commands import ROOT, copy_commands
from tests.test_architecture import COMMON, ROOMS

DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"(?:^`(?P<name>\w+\.\w+)`:\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_MOST_LINES = 30
_OF_PRUNED = ("--gin_file=gin/digits/pruned.gin", "--gin_file=my_network.gin")


def _blocks(page):
    """The blocks of a page in their order: the name of a file, where they have one, the language and the text."""
    return [match.group("name", "language", "text") for match in _BLOCK.finditer((DOCS / page).read_text())]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["extend.md", "results.md"])
def test_a_page_runs_from_its_top_to_its_end(commands, tmp_path, page):
    """Files are written as they are named, programs run, and commands with settings that make them short."""
    checkout = copy_commands(tmp_path)
    drops = "--gin_param=WarmupStepDecay.drops=(7, 8)"
    pruned = [f"--gin_param=PruningSchedule.{name}" for name in ("begin_step=2", "end_step=5", "frequency=1")]
    shorter = {
        "train.py": ["--gin_param=Recipe.steps=10", "--gin_param=WarmupStepDecay.warmup_steps=5", drops],
        "interpolate.py": ["--gin_param=interpolate.num_points=3", "--gin_param=Sample.images=256"],
        "scripts/solutions.py": ["--gin_param=describe_solution.gradient_batches=1"],
    }
    ran = 0
    for name, language, text in _blocks(page):
        if name:
            (checkout / name).write_text(text)
        elif language == "python":
            (checkout / "program.py").write_text(text)
            commands.run("program.py", cwd=checkout)
            ran += 1
        elif language == "bash":
            for script, *arguments in (shlex.split(line)[1:] for line in text.splitlines()):
                settings = shorter[script] + pruned * (arguments[0] in _OF_PRUNED and script == "train.py")
                settings += ["--gin_param=BUDGET=8"] * ("--gin_file=my_curve.gin" in arguments)
                commands.run(script, *arguments, *settings, cwd=checkout)
                ran += 1
    assert ran >= 4


def test_examples_are_short():
    examples = [(name, text) for name, _, text in _blocks("extend.md") if name]
    assert [name for name, _ in examples] == [
        f"my_{what}.{suffix}" for what in ("network", "dataset", "mask", "curve") for suffix in ("py", "gin")
    ]
    assert all(len(text.splitlines()) < _MOST_LINES for _, text in examples)


def test_the_diagram_has_every_room_and_nothing_else():
    texts = re.findall(r"<text [^>]*>([^<]*)<", (DOCS / "architecture.svg").read_text())
    titles = ["train.py, interpolate.py, scripts/", *reversed(ROOMS), "common"]
    assert [text for text in texts if text in titles] == titles
    *_, common = " ".join(texts).partition(" common ")
    told, _, _ = common.partition(" used by every room")
    assert set(told.replace(",", "").split()) == COMMON


@pytest.mark.slow
def test_the_documentation_is_built_and_its_links_lead_somewhere(tmp_path):
    copy_commands(tmp_path)
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("_build", "api"))
    shutil.copy(ROOT / "README.md", tmp_path)
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", tmp_path / "docs", tmp_path / "html"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    count, dead = dead_links(tmp_path / "html")
    assert count > 1000
    assert dead == []


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there">x</a> <a href="https://example.org/">x</a>')
    (tmp_path / "b.html").write_text('<p id="there"><a href="#there">x</a> <img src="c.png"> <a href="a.html#no">x</a>')
    assert dead_links(tmp_path) == (4, ["b.html: c.png", "b.html: a.html#no"])
