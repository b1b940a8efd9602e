"""Protects: what a person is told when a gin name or a flag is wrong."""

import subprocess
import sys

import gin
import pytest
from absl import flags

from sparse_rigl_lands import commandline
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training import run  # noqa: F401  (registers what the bindings name)
from sparse_rigl_lands.training.recipe import Recipe
from tests.commands import ROOT


@pytest.fixture
def parse():
    def parse_with(*arguments):
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["test", *arguments])
        commandline.parse_gin("train")

    yield parse_with
    flags.FLAGS.unparse_flags()


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("Recipee.steps=1", r"No configurable matching 'Recipee'.*close names: Recipe$"),
        ("Recipe.step=1", r"doesn't have a parameter named 'step'.*close names: steps"),
        ("train.method=@Prund()", r"No configurable matching reference '@Prund.*close names: Pruned"),
        ("Recipe.steps=[", "gin: "),
        ("Recipe.steps", "gin: "),
        ("Recipe.keep_steps={[]: 1}", "gin: unhashable type: 'list'"),
        ("Recipe.keep_steps=" + "[" * 999 + "]" * 999, "gin: maximum recursion depth exceeded"),
        ("Recipe.precision=mixed_bfloat16", "a string needs quotes of its own"),
        ("train.output_dir='x'", "output_dir"),
        ("import sparse_rigl_lands.nowhere", "No module named 'sparse_rigl_lands.nowhere'"),
    ],
)
def test_bad_bindings(parse, binding, message):
    with pytest.raises(InputError, match=message) as error:
        parse(f"--gin_param={binding}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("path", [*(ROOT / "gin").rglob("*.gin")], ids=str)
def test_every_gin_file_configures(path):
    assert commandline.gin_configuration(str(path.relative_to(ROOT)), [])


def test_missing_gin_file(parse):
    with pytest.raises(InputError, match=r"gin: .*gin/nowhere.gin"):
        parse("--gin_file=gin/nowhere.gin")


def test_later_bindings_override_earlier_ones(parse):
    parse("--gin_file=gin/digits/pruned.gin", "--gin_param=Recipe.steps=5", "--gin_param=Recipe.steps=6", "--seed=7")
    assert gin.query_parameter("train.seed") == 7
    assert gin.query_parameter("Recipe.steps") == 6
    assert gin.query_parameter("Recipe.batch_size") == 128


def test_a_configuration_is_told_apart_by_everything_it_binds():
    file = "gin/digits/pruned.gin"
    configuration = commandline.gin_configuration(file, ["uniform.sparsity = 0.9"])
    assert "uniform.sparsity = 0.9" in configuration
    assert "Recipe.batch_size = 128" in configuration  # of an included file
    assert configuration == commandline.gin_configuration(file, ["uniform.sparsity = 0.9"])
    assert configuration != commandline.gin_configuration(file, ["uniform.sparsity = 0.8"])
    with pytest.raises(InputError, match="close names: steps"):
        commandline.gin_configuration(file, ["Recipe.step = 1"])
    with pytest.raises(InputError, match=r"gin: .*gin/nowhere.gin"):
        commandline.gin_configuration("gin/nowhere.gin", [])


def test_what_is_made_under_a_configuration_leaves_none_behind():
    recipe = commandline.configured("gin/digits/pruned.gin", ["Recipe.steps = 7"], Recipe)
    assert (recipe.steps, recipe.batch_size) == (7, 128)
    assert "Recipe.steps" not in gin.config_str()


def test_what_is_made_of_itself_is_refused():
    with pytest.raises(InputError, match="gin: something is bound to be made of itself, without end"):
        commandline.configured("gin/digits/pruned.gin", ["Recipe.steps = @Recipe()"], Recipe)

    def without_end():
        return without_end()

    with pytest.raises(RecursionError):  # a defect, and not of a gin file
        commandline.configured("gin/digits/pruned.gin", [], without_end)


def test_what_was_given_is_told_as_it_is_typed(parse):
    parse("--gin_file=gin/digits/pruned.gin", "--seed=3", "--gin_param=Recipe.steps = 7", "--output_dir=runs/a")
    assert commandline.given() == [
        "--gin_file=gin/digits/pruned.gin",
        "--gin_param=Recipe.steps = 7",
        "--seed=3",
        "--output_dir=runs/a",
    ]


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_asking_for_help_is_no_failure(flag):
    process = subprocess.run([sys.executable, "train.py", flag], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0
    assert process.stdout.startswith("Trains a network to one of the paper's solutions.")
