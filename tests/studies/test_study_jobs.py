"""Protects: the commands of a study, and what each waits for."""

import pytest

from sparse_rigl_lands import files, gin_files
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import jobs, study_jobs
from tests.studies.finished_study import study


@pytest.fixture
def jobs_of(tmp_path):
    """The jobs of a study, by name."""

    def jobs_of(of, configuration=gin_files.configuration):
        return {job.name: job for job in study_jobs.jobs_of(of, files.StudyFiles(tmp_path), configuration)}

    return jobs_of


def test_every_run_path_and_the_table_of_solutions_is_a_job(jobs_of):
    of = study()
    runs = [run.name for sweep in of.sweeps() for run in sweep.runs()]
    assert list(jobs_of(of)) == [*runs, "solutions", *(path.name for path in of.paths())]


def test_a_path_waits_for_the_runs_of_its_ends(jobs_of, tmp_path):
    line = jobs_of(study())["paths/S-I_to_P-S/line-seed1"]
    assert line.needs == ("sparsity-0.99/scratch-seed1", "sparsity-0.99/pruned-seed1")
    assert list(line.command[2:]) == [
        f"--start={tmp_path}/sparsity-0.99/scratch-seed1/checkpoints/step_00000000",
        f"--end={tmp_path}/sparsity-0.99/pruned-seed1",
        "--gin_file=gin/digits/line.gin",
        "--seed=1",
        f"--output_dir={tmp_path}/paths/S-I_to_P-S/line-seed1",
    ]
    assert line.result == files.PathFiles(tmp_path / "paths/S-I_to_P-S/line-seed1").result


def test_a_path_within_one_run_waits_for_it_once(jobs_of):
    assert jobs_of(study())["paths/L-I_to_L-S/line-seed0"].needs == ("sparsity-0.99/lottery-seed0",)


@pytest.mark.parametrize("method", ["pruned", "scratch"])
def test_another_training_of_either_end_is_another_path_and_another_solution(jobs_of, method):
    """Its result may be there still, of the training before."""

    def changed(gin_file, bindings):
        return gin_files.configuration(gin_file, [*bindings, *(method in gin_file) * ["Recipe.steps = 1999"]])

    found = [jobs_of(study()), jobs_of(study(), changed)]
    for name in ("paths/S-S_to_P-S/line-seed0", "solutions"):
        before, after = (each[name] for each in found)
        assert before.command == after.command
        assert before.configuration != after.configuration


def test_a_lottery_that_rewinds_starts_its_lines_there(jobs_of):
    found = jobs_of(study(bindings=("Lottery.rewind_step = 500",)))["paths/L-I_to_P-S/line-seed0"]
    assert found.command[2].endswith("lottery-seed0/checkpoints/step_00000500")


def test_a_rewind_that_cannot_be_read_is_refused(jobs_of):
    with pytest.raises(InputError, match="Lottery.rewind_step is %STEP; a study must find a whole number there"):
        jobs_of(study(bindings=("STEP = 500", "Lottery.rewind_step = %STEP")))


def test_another_distribution_is_told_every_sparsity_and_zeroed_fraction(jobs_of):
    methods = [f"{method}.distribution = @erdos_renyi_kernel" for method in ("Pruned", "ZeroedInit")]
    found = jobs_of(study(sparsity_parameter="erdos_renyi_kernel.sparsity", bindings=methods))
    for name, method, sparsity in (
        ("sparsity-0.99/pruned-seed0", "Pruned", 0.99),
        ("sparsity-0.9/pruned-seed0", "Pruned", 0.9),
        ("zeroed-0.999/zeroed_init-seed0", "ZeroedInit", 0.999),
    ):
        told = found[name].configuration.splitlines()
        assert f"erdos_renyi_kernel.sparsity = {sparsity}" in told
        assert f"{method}.distribution = @erdos_renyi_kernel" in told


def test_the_table_of_solutions_is_of_the_studys_sparsity(jobs_of):
    table = jobs_of(study())["solutions"]
    assert len(table.needs) == 3 * 4
    assert not any("0.9/" in need or "zeroed" in need for need in table.needs)
    assert len(table.command) == 2 + len(table.needs) + 1


def test_a_curve_of_another_manifold_is_refused(jobs_of):
    words = "Study.sparse_curves names 'cubic_dense', which is fitted with Fitting.manifold = 'dense'"
    with pytest.raises(InputError, match=words):
        jobs_of(study(sparse_curves=("cubic_dense",), dense_curves=()))


def test_a_curve_that_does_not_say_its_manifold_is_fitted_with_every_connection(jobs_of):
    def configuration(gin_file, bindings):
        own = gin_files.configuration(gin_file, bindings)
        return own.replace("Fitting.manifold = 'sparse'", "")

    words = "Study.sparse_curves names 'quadratic_sparse', which is fitted with Fitting.manifold = 'dense'"
    with pytest.raises(InputError, match=words):
        jobs_of(study(), configuration)


def test_a_fit_that_does_not_heed_the_budget_is_refused(jobs_of):
    with pytest.raises(InputError, match="BUDGET does not set Fitting.steps, or a binding overrides it"):
        jobs_of(study(path_bindings=("Fitting.steps = 7",)))


def test_a_misspelt_binding_is_refused(jobs_of):
    with pytest.raises(InputError, match="close names: num_points"):
        jobs_of(study(path_bindings=("interpolate.num_point = 7",)))


@pytest.mark.parametrize(
    ("figure", "kinds"),
    [
        ("figure1", {"dense", "pruned", "lottery", "scratch"}),
        ("figure2", {"pruned", "lottery", "scratch"}),
        ("figure3", {"pruned", "lottery", "scratch", "path of 0 steps"}),
        ("figure4", {"pruned", "scratch", "path of 0 steps", "path of 300 steps", "path of 1200 steps"}),
        ("figure5", {"dense", "zeroed_init"}),
        ("solutions", {"dense", "pruned", "lottery", "scratch", "solutions"}),
    ],
)
def test_what_a_figure_is_made_from(jobs_of, figure, kinds):
    of = study()
    every = list(jobs_of(of).values())
    needed = jobs.needed_for(study_jobs.needs_of(of, [figure]), every)
    assert {job.kind for job in needed} == kinds
    assert len(needed) < len(every)
    if figure == "figure2":
        assert len(needed) == 3  # of one seed
