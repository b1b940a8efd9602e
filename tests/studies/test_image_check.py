"""Protects: that only a dataset of encoded images is looked at; the rest through ``scripts/check_images.py``."""

import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies.image_check import check_images


def test_a_dataset_without_encoded_images_is_refused(tmp_path, workload):
    with pytest.raises(InputError, match="Digits has no encoded images"):
        check_images(str(tmp_path / "out"), workload)
    with pytest.raises(InputError, match="check_images.workload is .*, not a Workload: in a gin file, @Workload"):
        check_images(str(tmp_path / "out"), type(workload))
    assert not (tmp_path / "out").exists()
