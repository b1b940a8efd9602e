"""The difficulty of training sparse neural networks, measured.

The rooms, from the ground up; an import goes downward only:

    data         what is trained on               (TFDS, directories of images, digits)
    networks     plain ``tf_keras`` functional models
    sparsity     masks, distributions, and the variants of a network
    points       points of weight space: what a checkpoint holds
    training     the objective, the methods, the one loop
    paths        curves between points, and the loss along them
    studies      many runs and paths together
    reporting    tables and figures

The files beside them import no room; ``commandline`` is what ``train.py``, ``interpolate.py`` and the scripts share.
"""

__version__ = "0.1.0"
