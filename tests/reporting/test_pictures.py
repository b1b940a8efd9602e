"""Protects: a picture is written whole, in the format of its name, and is the same every time."""

import pytest
from matplotlib.figure import Figure

from sparse_rigl_lands.reporting import pictures


def _figure():
    figure = Figure()
    figure.add_subplot().plot([0, 1], label="words that can be read")
    figure.axes[0].legend()
    return figure


@pytest.mark.parametrize(("name", "starts", "holds"), [("a.png", b"\x89PNG", b""), ("a.svg", b"<?xml", b"words that")])
def test_formats(tmp_path, name, starts, holds):
    pictures.save(_figure(), [tmp_path / name])
    content = (tmp_path / name).read_bytes()
    assert content.startswith(starts)
    assert holds in content
    pictures.save(_figure(), [tmp_path / f"again-{name}"])
    assert (tmp_path / f"again-{name}").read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"again-{name}"]
