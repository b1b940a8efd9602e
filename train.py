"""Trains a network to one of the paper's solutions.

    python train.py --gin_file=gin/digits/pruned.gin

Kill it at any moment and run it again: it goes on, and ends with the same bits. With --dry_run it checks everything,
tells what it would do and what that takes, and writes nothing.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Check everything and print the plan and its cost; write nothing.")


def main() -> None:
    import rich

    from sparse_rigl_lands import distribution, storage
    from sparse_rigl_lands.reporting import plans, tables
    from sparse_rigl_lands.training.plan import plan_of
    from sparse_rigl_lands.training.run import prepare_run, train
    from sparse_rigl_lands.training.summary import Summary
    from sparse_rigl_lands.workers import Workers

    commandline.parse_gin("train")
    strategy = distribution.strategy()  # before anything else of TensorFlow
    prepared = prepare_run(commandline.OUTPUT_DIR.value, strategy, needs_data=not _DRY_RUN.value)
    if _DRY_RUN.value:
        rich.print(plans.training_table(plan_of(prepared)))
        prepared.workload.dataset.check_there()  # it would not begin without
        return
    run = train(prepared)
    if not Workers(strategy).is_chief:
        return
    summary = storage.read_json(run.summary, Summary)
    rich.print(tables.sparsity_table(summary))
    for data in ("train_augmented", "test"):
        result = summary[data]
        print(
            f"{data}: cross-entropy {result['cross_entropy']:.4f}, "
            f"accuracy {result['accuracy']:.4f} on {result['count']:,} images"
        )
    print(f"checkpoint: {run.checkpoint(summary['global_step'])}")


if __name__ == "__main__":
    commandline.run(main, required=["gin_file"])
