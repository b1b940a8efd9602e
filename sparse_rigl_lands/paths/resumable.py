"""The evaluation of a path in stages, each of which goes on where an earlier process was killed."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from sparse_rigl_lands import files
from sparse_rigl_lands.paths.evaluated_path import EvaluatedPath
from sparse_rigl_lands.paths.evaluator import OfBatches, PathEvaluator, StatisticsOfPlaces
from sparse_rigl_lands.paths.looks import confidence_of_each
from sparse_rigl_lands.paths.partial_sums import Increments, PartialSums, Saving
from sparse_rigl_lands.paths.recalibration import statistics_of
from sparse_rigl_lands.paths.statistics import Judgement, Verdict
from sparse_rigl_lands.progress import Progress
from sparse_rigl_lands.replicas import BatchesOfHost


@dataclasses.dataclass(frozen=True)
class Look:
    """A look at the verdict.

    Args:
      images: how many had been evaluated.
      verdict: what was said then.
    """

    images: int
    verdict: Verdict


@dataclasses.dataclass(frozen=True)
class ResumableEvaluation:
    """The stages of one path's evaluation.

    Args:
      path: where the sums of the stages are saved.
      evaluator: of the path.
      title: of the progress.
      batches: the global batches of the images, from how many images there shall be in all and how many
        batches to pass over.
      global_batch: images per batch.
      saving: when and by whom.
    """

    path: files.PathFiles
    evaluator: PathEvaluator
    title: str
    batches: Callable[[int, int], BatchesOfHost]
    global_batch: int
    saving: Saving

    def recalibrate(self, images: int) -> dict[str, np.ndarray]:
        """BatchNorm's statistics at every place, estimated on the first images: [K, channels] by name."""
        saved = PartialSums(self.path.partial_moments, self.saving)
        with self._progress("statistics", images, saved) as bar:
            increments = self._counting(self.evaluator.recalibration(), images, bar)
            return statistics_of(saved.add_until(self._num_batches(images), increments))

    def evaluate(
        self, statistics: StatisticsOfPlaces, looks: Sequence[int], confidence: float, tolerance: float
    ) -> tuple[EvaluatedPath, Judgement, list[Look]]:
        """Evaluates the path on as many images as its verdict takes.

        Args:
          statistics: what BatchNorm normalizes by along the path, see ``evaluator.path_values``.
          looks: the numbers of images at which the verdict is looked at, increasing; the last one is
            judged whatever comes out.
          confidence: of all looks together.
          tolerance: see ``statistics.judge``.

        Returns:
          The path, what is said of it, and the looks that were made.
        """
        each = confidence_of_each(confidence, len(looks))
        saved = PartialSums(self.path.partial_losses, self.saving)
        made: list[Look] = []
        with self._progress("", looks[-1], saved) as bar:
            increments = self._counting(self.evaluator.losses(statistics), looks[-1], bar)
            for look in looks:
                batches = self._num_batches(look)
                images = min(batches * self.global_batch, looks[-1])
                if batches < saved.items:  # an earlier process has gone on from here
                    made.append(Look(images, "undecided"))
                    continue
                path = self.evaluator.path_of(saved.add_until(batches, increments))
                judgement = path.judge(each, tolerance)
                made.append(Look(images, judgement.verdict))
                if judgement.verdict != "undecided":
                    break
        return path, judgement, made

    def gradients(self, increments: Increments) -> np.ndarray:
        """Adds up the increments of ``gradients.gradient_norms_on_path``: float64 [K, 2, 2]."""
        places = len(self.evaluator.t)
        saved = PartialSums(self.path.partial_gradients, self.saving)
        with Progress(f"{self.title}, gradients", places, "place", saved.items) as bar:

            def counting(first: int) -> Iterator[Mapping[str, np.ndarray]]:
                for increment in increments(first):
                    bar.advance(1)
                    yield increment

            return saved.add_until(places, counting)["gradients"]

    def _counting(self, stage: OfBatches, images: int, bar: Progress) -> Increments:
        """The increments of a stage over the first images, with its progress."""

        def increments(first_batch: int) -> Iterator[Mapping[str, np.ndarray]]:
            done = first_batch * self.global_batch
            for increment in stage(self.batches(images, first_batch)):
                bar.advance(min(self.global_batch, images - done))
                done += self.global_batch
                yield increment

        return increments

    def _progress(self, stage: str, images: int, saved: PartialSums) -> Progress:
        title = f"{self.title}, {stage}" if stage else self.title
        return Progress(title, images, "image", min(saved.items * self.global_batch, images))

    def _num_batches(self, images: int) -> int:
        return math.ceil(images / self.global_batch)
