"""Protects: the bands of figures are the intervals that they are said to be."""

import numpy as np
import pandas as pd
import pytest

from sparse_rigl_lands.reporting.finished_path import FinishedPath


def _path(fitting):
    table = pd.DataFrame({"t": [0.0, 1.0], "error": [0.1, 0.0]})
    result = {"confidence_of_each_look": 0.95, "independent_units": {"count": 9}, "settings": {"fitting": fitting}}
    return FinishedPath(table, result)


def test_margins_are_students():
    """A table of t says 2.306 for 95 % and eight degrees of freedom."""
    np.testing.assert_allclose(_path(None).margin, [0.2306, 0.0], atol=1e-5)


@pytest.mark.parametrize(("fitting", "manifold"), [(None, ""), ({"manifold": "sparse", "steps": 3}, "sparse")])
def test_a_line_has_no_manifold(fitting, manifold):
    assert _path(fitting).manifold == manifold
