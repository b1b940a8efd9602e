"""Runs the whole study: all solutions, the paths between them, figures, and a verdict on each of the paper's claims.

    python scripts/reproduce.py --gin_file=gin/digits/study.gin --output_dir=runs/study

Finished steps are recognised: kill it at any moment and run it again. Every step is one call of train.py,
interpolate.py or scripts/solutions.py, whose output is in logs/; Study.processes says how many run side by side. With
--only it makes what a figure needs and nothing else; with --dry_run it tells what it would do, and writes nothing.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Print the plan and its cost; write nothing.")
_ONLY = flags.DEFINE_multi_enum(
    "only",
    None,
    ["figure1", "figure2", "figure3", "figure4", "figure5", "solutions"],
    "Make what this needs; may repeat. All is made where it is not given.",
)


def main() -> None:
    import rich

    from sparse_rigl_lands import files, gin_files
    from sparse_rigl_lands.reporting import plans, tables, verdicts
    from sparse_rigl_lands.reporting.report import write_report
    from sparse_rigl_lands.studies import claims, jobs, study_jobs, study_plan, study_results
    from sparse_rigl_lands.studies.study import Study

    commandline.parse_gin("Study")
    study = Study()  # type: ignore[call-arg]  # gin has the arguments
    written = files.StudyFiles(commandline.OUTPUT_DIR.value or files.default_study_directory(study.name))
    steps = study_jobs.jobs_of(study, written, gin_files.configuration)
    wanted = jobs.needed_for(study_jobs.needs_of(study, _ONLY.value), steps) if _ONLY.value else steps
    if _DRY_RUN.value:
        stages = study_plan.plan_of(study, {step.name for step in wanted}, gin_files.configured)
        rich.print(plans.study_table(stages))
        print("", f"{len(wanted)} commands, {study.processes} at a time; nothing was written:", sep="\n")
        print("\n".join(step.shell for step in wanted))
        return
    with written.alone():
        written.discard_results()
        outcome = jobs.run_jobs(wanted, written.logs, study.processes, study.name)
        done = outcome.done | jobs.recognised(steps, written.logs)  # what was made before is told, too
        found = study_results.collect(study, written, steps, done, outcome.failures)
        judged = claims.judge(study, found.runs, found.paths)
        claims.write(judged, written)
        pictures = write_report(study, written, found, judged, steps, commandline.given_flags())
    print(tables.markdown(verdicts.claims_cells(judged)))
    print("\n".join(str(path) for path in (*written.told(bool(found.solutions)), *pictures)))
    outcome.check()


if __name__ == "__main__":
    commandline.run(main, required=["gin_file"])
