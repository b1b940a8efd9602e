"""Trains methods x sparsities x seeds, and draws accuracy and training loss against them.

    python scripts/sweep.py --gin_file=gin/digits/sweep.gin

Finished runs are recognised: kill it at any moment and run it again, or ask for more seeds in the same
directory. Every run is one call of train.py, whose output is in logs/; Sweep.processes says how many run side
by side.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them


def main() -> None:
    from sparse_rigl_lands import files, gin_files, storage
    from sparse_rigl_lands.reporting import sweep_figures, tables
    from sparse_rigl_lands.studies import jobs
    from sparse_rigl_lands.studies import sweep as sweeps

    commandline.parse_gin("Sweep")
    sweep = sweeps.Sweep()  # type: ignore[call-arg]  # gin has the arguments
    written = files.SweepFiles(commandline.OUTPUT_DIR.value or files.default_study_directory(sweep.name))
    trainings = sweeps.jobs_of(sweep, written, gin_files.configuration)
    with written.alone():
        written.discard_results()
        outcome = jobs.run_jobs(trainings, written.logs, sweep.processes, "sweep")
        rows = sweeps.results(sweep, written, outcome.done)
        if rows:
            pictures = sweep_figures.draw_sweep(written)
            text = tables.markdown(tables.sweep_cells(rows))
            storage.write_text(written.markdown, text + "\n")
            print(text)
            print("\n".join(str(file) for file in (written.table, written.markdown, *pictures)))
    outcome.check()


if __name__ == "__main__":
    commandline.run(main, required=["gin_file"])
