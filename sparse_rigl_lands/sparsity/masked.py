"""The masked variant: a network with one fixed mask, for training in a sparse subspace."""

import tf_keras

from sparse_rigl_lands.sparsity import variants
from sparse_rigl_lands.sparsity.layers import masked_layer
from sparse_rigl_lands.sparsity.mask import Mask


def masked_variant(network: tf_keras.Model, mask: Mask) -> tf_keras.Model:
    """A network of kernel * mask wherever the mask has zeros; its other layers are plain.

    Args:
      network: a plain functional model.
      mask: of its kernels.

    Returns:
      The variant, its masks assigned, its weights new.

    Raises:
      InputError: the mask is of another network, or a layer has weights that are not understood.
    """
    mask.check_fit(variants.kernel_shapes(network))

    def replace(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer | None:
        return masked_layer(layer) if f"{layer.name}/kernel" in mask.arrays else None

    model = variants.clone(network, replace)
    for name, variable in variants.named_variables(model).masks.items():
        variable.assign(mask.arrays[name].astype("float32"))
    return model
