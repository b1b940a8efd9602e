"""Fits curves between two checkpoints, sparsely and densely, and draws the loss along them and along the line.

    python scripts/curves.py --start=runs/digits/scratch-seed0 --end=runs/digits/pruned-seed0 \
        --gin_file=gin/digits/curves.gin

Finished paths are recognised: kill it at any moment and run it again, or ask for more budgets in the same
directory. Every path is one call of interpolate.py, whose output is in logs/; CurveStudy.processes says how many
run side by side. The workload is the one of the end's run, as for interpolate.py.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them
_START = flags.DEFINE_string("start", None, "Checkpoint at t = 0: a prefix or a run's directory.")
_END = flags.DEFINE_string("end", None, "Checkpoint at t = 1: a prefix or a run's directory.")


def main() -> None:
    from sparse_rigl_lands import files, gin_files, storage
    from sparse_rigl_lands.reporting import curve_figures, tables
    from sparse_rigl_lands.studies import curve_study, jobs

    # What the end's run has imported can then be named by CurveStudy.bindings too, as interpolate.py knows it.
    ends = curve_study.Ends(files.checkpoint_prefix(_START.value), files.checkpoint_prefix(_END.value))
    recorded = files.run_of_checkpoint(ends.end).config
    commandline.parse_gin("CurveStudy", [recorded] if recorded.exists() else [])
    study = curve_study.CurveStudy()  # type: ignore[call-arg]  # gin has the arguments
    written = files.CurveStudyFiles(commandline.OUTPUT_DIR.value or files.default_study_directory(study.name))
    fits = curve_study.jobs_of(study, written, ends, gin_files.configuration)
    with curve_study.claimed(written, ends):
        written.discard_results()
        outcome = jobs.run_jobs(fits, written.logs, study.processes, "curves")
        rows = curve_study.results(study, written, outcome.done)
        if rows:
            pictures = curve_figures.draw_curves(written, study.budget)
            text = tables.markdown(tables.curves_cells(rows))
            storage.write_text(written.markdown, text + "\n")
            print(text)
            print("\n".join(str(file) for file in (written.table, written.markdown, *pictures)))
    outcome.check()


if __name__ == "__main__":
    commandline.run(main, required=["start", "end", "gin_file"])
