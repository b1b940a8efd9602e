"""Protects: what gin files and bindings amount to, and what is made under them."""

import gin
import pytest

from sparse_rigl_lands import gin_files, project
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.training import run  # noqa: F401  (registers what the bindings name)
from sparse_rigl_lands.training.recipe import Recipe
from tests.commands import ROOT


@pytest.mark.parametrize("path", [*(ROOT / "gin").rglob("*.gin")], ids=str)
def test_every_gin_file_configures(path):
    assert gin_files.configuration(str(path.relative_to(ROOT)), [])


def test_a_configuration_is_told_apart_by_everything_it_binds():
    file = "gin/digits/pruned.gin"
    configuration = gin_files.configuration(file, ["uniform.sparsity = 0.9"])
    assert "uniform.sparsity = 0.9" in configuration
    assert "Recipe.batch_size = 128" in configuration  # of an included file
    assert configuration == gin_files.configuration(file, ["uniform.sparsity = 0.9"])
    assert configuration != gin_files.configuration(file, ["uniform.sparsity = 0.8"])
    with pytest.raises(InputError, match="close names: steps"):
        gin_files.configuration(file, ["Recipe.step = 1"])
    with pytest.raises(InputError, match=r"gin: .*gin/nowhere.gin"):
        gin_files.configuration("gin/nowhere.gin", [])


def test_what_is_made_under_a_configuration_leaves_none_behind():
    recipe = gin_files.configured("gin/digits/pruned.gin", ["Recipe.steps = 7"], Recipe)
    assert (recipe.steps, recipe.batch_size) == (7, 128)
    assert "Recipe.steps" not in gin.config_str()


def test_what_is_made_of_itself_is_refused():
    with pytest.raises(InputError, match="gin: something is bound to be made of itself, without end"):
        gin_files.configured("gin/digits/pruned.gin", ["Recipe.steps = @Recipe()"], Recipe)

    def without_end():
        return without_end()

    with pytest.raises(RecursionError):  # a defect, and not of a gin file
        gin_files.configured("gin/digits/pruned.gin", [], without_end)


def test_the_project_is_looked_through_once_however_often_gin_is_configured():
    for _ in range(3):
        with pytest.raises(InputError, match="nowhere.gin") as refused:
            gin_files.configuration("nowhere.gin", [])
    assert str(refused.value).count(f"'{project.DIRECTORY}'") == 1
