"""Tells of the solutions of finished runs: loss, gradient, accuracy, and distance to the pruned one.

    python scripts/solutions.py runs/digits/pruned-seed0 runs/digits/lottery-seed0 runs/digits/scratch-seed0

Prints a table and writes it to solutions.csv and solutions.md in --output_dir. The workload of a run is
read from the gin configuration in its directory; --gin_file and --gin_param override. The pruned solution
that a run is compared with is that of its seed beside it, unless PrunedRun.directory names another. All
are described under the strategy of the first.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them


def main(*names: str) -> None:
    from sparse_rigl_lands import digests, distribution, files, progress, storage
    from sparse_rigl_lands.reporting import tables
    from sparse_rigl_lands.studies.solutions import describe_solution

    bindings = ["describe_solution.workload = @Workload()", "describe_solution.recipe = @Recipe()"]
    runs = [files.finished_run(name) for name in names]
    strategy, rows = None, []
    with progress.Progress("solutions", len(runs), "run") as bar:
        for run in runs:
            digests.check(run.digests, [run.config, run.summary], are_all=False)
            commandline.parse_gin("describe_solution", [run.config], bindings)
            strategy = strategy or distribution.strategy()  # before anything else of TensorFlow, and once
            rows.append(describe_solution(run, strategy))
            bar.advance(1, rows[-1]["point"])
    written = files.SolutionFiles(commandline.OUTPUT_DIR.value or files.default_solutions_directory())
    text = tables.markdown(tables.solutions_cells(rows))
    with written.alone():
        storage.write_csv(written.table, rows)
        storage.write_text(written.markdown, text + "\n")
    print(text)
    print("\n".join(str(file) for file in (written.table, written.markdown)))


if __name__ == "__main__":
    commandline.run(main, operands="RUN")
