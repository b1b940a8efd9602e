"""Small images of every kind, and a directory tree of them."""

import io

import numpy as np
import PIL.Image

_BLUES = 10


def encoded(i, kind="JPEG", mode="RGB", size=(40, 50)):
    """A whole file: red rises from left to right, green from top to bottom, blue is 10 i.

    So what an augmented image shows, and of which one, can be read from it.
    """
    height, width = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[..., 2] = _BLUES * i
    stream = io.BytesIO()
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" and mode == "RGB" else {}
    PIL.Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def which(images):
    """The numbers of images."""
    return np.rint(np.array(images)[..., 2].mean((1, 2)) / _BLUES).astype(int)


def plant(root, images):
    """Writes a tree: (split, class, name, content)."""
    for split, of_class, name, content in images:
        path = root / split / of_class / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
