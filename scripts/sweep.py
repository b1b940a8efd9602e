"""Trains methods x sparsities x seeds, and draws accuracy and training loss against them.

    python scripts/sweep.py --gin_file=gin/digits/sweep.gin

Finished runs are recognised: kill it at any moment and run it again, or ask for more seeds in the same
directory. Every run is one call of train.py, which its log begins with; add --processes to share the work.
"""

import pathlib

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them
_PROCESSES = flags.DEFINE_integer("processes", 2, "How many runs are trained side by side.")


def main() -> None:
    from sparse_rigl_lands import files
    from sparse_rigl_lands.errors import InputError
    from sparse_rigl_lands.reporting import sweep_figures, tables
    from sparse_rigl_lands.studies import sweep as sweeps

    commandline.parse_gin("Sweep")
    sweep = sweeps.Sweep()  # type: ignore[call-arg]  # gin has the arguments
    directory = commandline.OUTPUT_DIR.value or f"runs/{pathlib.Path(sweep.experiments).name}-sweep"
    written = files.SweepFiles(directory)
    outcome = sweeps.train_all(sweep, written, _PROCESSES.value, commandline.gin_configuration)
    rows = sweeps.results(sweep, written, outcome.done)
    pictures = sweep_figures.draw_sweep(written) if rows else []
    if rows:
        text = tables.sweep_table(rows)
        files.write_text(written.markdown, text + "\n")
        print(text)
        print("\n".join(str(file) for file in (written.table, written.markdown, *pictures)))
    if outcome.failures:
        first, failed = outcome.failures[0], len(outcome.failures)
        raise InputError(
            f"{failed} runs failed and {len(sweep.runs()) - len(rows) - failed} were not started; "
            f"the first: {first.name}: {first.reason} ({first.log})"
        )


if __name__ == "__main__":
    commandline.run(main, required=["gin_file"])
