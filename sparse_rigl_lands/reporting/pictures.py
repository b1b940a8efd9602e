"""Pictures on disk: the same figure gives the same file."""

import io
import pathlib
from collections.abc import Iterable
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from sparse_rigl_lands import storage

# Fixed ids and no date.
_REPRODUCIBLE: Any = {"svg.hashsalt": "sparse_rigl_lands", "svg.fonttype": "none"}


def save(figure: Figure, paths: Iterable[pathlib.Path]) -> None:
    """Writes a figure in the format of every path's suffix, each whole or not at all."""
    with matplotlib.rc_context(_REPRODUCIBLE):
        for path in paths:
            picture, kind = io.BytesIO(), path.suffix[1:]
            figure.savefig(picture, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
            storage.write_bytes(path, picture.getvalue())
