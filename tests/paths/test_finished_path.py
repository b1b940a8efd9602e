"""Protects: a finished path is judged again as it was judged, and more carefully where more is asked for.

The bands of figures are the intervals that they are said to be.
"""

import shutil

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands import files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.paths.finished_path import FinishedPath


@pytest.fixture(scope="module")
def path(commands, small_run, tmp_path_factory):
    """A line that was evaluated by the command, looked at on a growing sample."""
    directory = tmp_path_factory.mktemp("path")
    settings = ["interpolate.num_points=5", "interpolate.batch_size=32", "interpolate.confidence=0.9"]
    settings += ["Sample.images='until_decided'", "Sample.first=256"]
    start = files.RunFiles(small_run).checkpoint(0)
    flags = [f"--start={start}", f"--end={small_run}", f"--output_dir={directory}"]
    commands.run("interpolate.py", *flags, *(f"--gin_param={each}" for each in settings))
    return files.PathFiles(directory)


def test_the_same_confidence_gives_the_same_judgement(path):
    """Up to the digits of decimal numbers: the covariance is read from a table."""
    told, again = storage.read_json(path.result), FinishedPath.read(path).judge(0.9)
    assert len(told["settings"]["looks"]) > 1
    assert again.verdict == told["verdict"]
    assert again.confidence == pytest.approx(told["confidence_of_each_look"])
    assert again.critical_value == pytest.approx(told["critical_value"], rel=1e-6)
    for name in ("barrier", "largest_rise"):
        climb = getattr(again, name)
        for of_climb in ("height", "start", "end", "lower", "upper"):
            assert getattr(climb, of_climb) == pytest.approx(told[name][of_climb], abs=1e-9)


def test_more_confidence_gives_wider_bounds(path):
    less, more = FinishedPath.read(path).judge(0.9), FinishedPath.read(path).judge(0.99)
    assert more.critical_value > less.critical_value
    assert more.largest_rise.upper > less.largest_rise.upper
    assert more.largest_rise.lower <= less.largest_rise.lower


@pytest.fixture
def damaged(path, tmp_path):
    """A copy of the path, to be damaged."""
    return files.PathFiles(shutil.copytree(path.directory, tmp_path / "path"))


def test_tables_of_different_places_are_refused(damaged):
    """A row that is missing would move all that follow it."""
    lines = damaged.table.read_text().splitlines(keepends=True)
    damaged.table.write_text("".join(lines[:-1]))
    with pytest.raises(InputError, match="path_covariance.csv is damaged: it is not of the 4 places of path.csv"):
        FinishedPath.read(damaged).judge(0.9)


def test_a_damaged_file_is_named(damaged):
    result = storage.read_json(damaged.result)
    storage.write_json(damaged.result, {**result, "independent_units": {"count": "12"}})
    with pytest.raises(InputError, match="path.json is damaged: independent_units.count is '12': "):
        FinishedPath.read(damaged).judge(0.9)
    storage.write_json(damaged.result, result)
    damaged.covariance.write_text(damaged.covariance.read_text().replace("0.25", "text"))
    with pytest.raises(InputError, match="path_covariance.csv is damaged: .* is not finite numbers"):
        FinishedPath.read(damaged).judge(0.9)


def _of_nothing_but(fitting):
    table = pd.DataFrame({"t": [0.0, 1.0], "error": [0.1, 0.0]})
    result = {"confidence_of_each_look": 0.95, "independent_units": {"count": 9}, "settings": {"fitting": fitting}}
    return FinishedPath(files.PathFiles("path"), table, result)


def test_margins_are_students():
    """A table of t says 2.306 for 95 % and eight degrees of freedom."""
    np.testing.assert_allclose(_of_nothing_but(None).margin, [0.2306, 0.0], atol=1e-5)


@pytest.mark.parametrize(("fitting", "manifold"), [(None, ""), ({"manifold": "sparse", "steps": 3}, "sparse")])
def test_a_line_has_no_manifold(fitting, manifold):
    assert _of_nothing_but(fitting).manifold == manifold
