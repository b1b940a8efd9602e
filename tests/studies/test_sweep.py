"""Protects: which runs a sweep makes, from what, and what it says of them."""

import csv
import dataclasses

import gin
import pytest

from sparse_rigl_lands import files, gin_files, storage
from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.sparsity.pruned import PruningSchedule
from sparse_rigl_lands.studies import sweep as sweeps
from sparse_rigl_lands.studies.sweep import Sweep
from tests.commands import ROOT
from tests.studies.finished_study import EVALUATION


def _by_name(sweep):
    return {run.name: run for run in sweep.runs()}


def test_lottery_and_scratch_share_the_pruned_run_of_their_sparsity_and_seed():
    runs = _by_name(Sweep("test", "gin/digits", sparsities=(0.8, 0.99), seeds=(6, 7)))
    assert len(runs) == 2 * (1 + 2 * 3)
    for name in ("lottery", "scratch"):
        run = runs[f"sparsity-0.99/{name}-seed7"]
        assert run.needs == ("sparsity-0.99/pruned-seed7",)
        assert (run.method, run.seed, run.sparsity, run.bindings) == (name, 7, 0.99, ())
    assert runs["sparsity-0.99/pruned-seed7"].bindings == ("uniform.sparsity = 0.99",)
    assert runs["dense-seed6"].needs == ()
    names = list(runs)
    assert all(names.index(need) < names.index(name) for name, run in runs.items() for need in run.needs)


def test_the_pruned_run_is_made_where_only_lottery_is_asked_for():
    assert list(_by_name(Sweep("test", "gin", methods=("lottery",), sparsities=(0.9,)))) == [
        "sparsity-0.9/pruned-seed0",
        "sparsity-0.9/lottery-seed0",
    ]


def test_what_differs_by_sparsity_differs_for_all_methods_alike():
    more = {0.95: ("PruningSchedule.end_step = 17000", "Objective.label_smoothing = 0.0")}
    runs = _by_name(Sweep("test", "gin", sparsities=(0.9, 0.95), bindings_of_sparsity=more))
    assert runs["sparsity-0.95/pruned-seed0"].bindings == ("uniform.sparsity = 0.95", *more[0.95])
    assert runs["sparsity-0.95/scratch-seed0"].bindings == more[0.95]
    assert runs["sparsity-0.9/scratch-seed0"].bindings == runs["dense-seed0"].bindings == ()


def test_every_schedule_of_the_papers_sweep_meets_its_target():
    gin.parse_config_file(str(ROOT / "gin/sweep.gin"))
    sweep = sweeps.Sweep()
    assert len(sweep.runs()) == 23
    ends = {}
    for run in sweep.runs():
        gin.clear_config()
        gin.parse_config_files_and_bindings([str(ROOT / sweep.gin_file(run))], run.bindings)
        if run.method == "pruned":
            schedule = PruningSchedule(**gin.get_bindings("PruningSchedule"))
            schedule.validate(gin.query_parameter("Recipe.steps"))
            ends[gin.query_parameter("uniform.sparsity")] = schedule.end_step
    assert ends == {0.5: 25000, 0.7: 25000, 0.8: 25000, 0.9: 19000, 0.95: 17000, 0.98: 25000}


def test_a_fraction_of_zero_is_the_dense_run():
    runs = _by_name(Sweep("test", "gin", methods=(), zeroed_fractions=(0, 0.9), sparsity_parameter="per_layer.default"))
    assert list(runs) == ["dense-seed0", "zeroed-0.9/zeroed_init-seed0"]
    run = runs["zeroed-0.9/zeroed_init-seed0"]
    assert (run.method, run.zeroed_fraction, run.sparsity) == ("zeroed_init", 0.9, 0.0)
    assert run.bindings == ("per_layer.default = 0.9",)


def _jobs(tmp_path, **settings):
    sweep = Sweep("test", "gin/digits", sparsities=(0.8,), zeroed_fractions=(0.9,), **settings)
    return sweeps.jobs_of(sweep, files.SweepFiles(tmp_path), gin_files.configuration)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bindings": ["uniform.sparsity = 0.5"]}, "pruned-seed0: a binding sets uniform.sparsity to 0.5, not to 0.8"),
        (
            {"bindings_of_sparsity": {0.8: ["other/uniform.sparsity = 0.5"]}},
            "a binding sets uniform.sparsity to 0.8 and 0.5, not to 0.8",
        ),
        (
            {"sparsity_parameter": "erdos_renyi_kernel.sparsity"},
            "pruned.gin has no use for erdos_renyi_kernel.sparsity: Pruned.distribution is @uniform",
        ),
        (
            {
                "sparsity_parameter": "erdos_renyi_kernel.sparsity",
                "bindings": ["Pruned.distribution = @erdos_renyi_kernel"],
            },
            "zeroed_init.gin has no use for erdos_renyi_kernel.sparsity: ZeroedInit.distribution is @uniform",
        ),
    ],
)
def test_a_sparsity_that_would_not_be_met_is_refused(tmp_path, settings, words):
    """Else every run of it would be told of by a sparsity that it has not."""
    with pytest.raises(InputError, match=words):
        _jobs(tmp_path, **settings)


def test_a_sparsity_may_be_a_macro(tmp_path):
    bindings = ["uniform.sparsity = %SPARSITY"]
    _, pruned, *_ = _jobs(tmp_path, sparsity_parameter="SPARSITY", bindings=bindings)
    assert "--gin_param=SPARSITY = 0.8" in pruned.command
    with pytest.raises(InputError, match="a binding sets SPARSITY to 0.5, not to 0.8"):
        _jobs(tmp_path, sparsity_parameter="SPARSITY", bindings=[*bindings, "SPARSITY = 0.5"])


@pytest.mark.parametrize("method", ["@Pruned()", "%METHOD"])
@pytest.mark.parametrize("parameter", ["uniform.sparsity", "sparse_rigl_lands.uniform.sparsity"])
def test_a_distribution_that_is_the_default_need_not_be_bound(method, parameter):
    run = sweeps.SweepRun("a", "pruned", 0, sparsity=0.8)
    configuration = f"METHOD = @Pruned()\ntrain.method = {method}\nuniform.sparsity = 0.8\n"
    run.check_sparsity("pruned.gin", configuration, parameter)
    with pytest.raises(InputError, match="to 0.8, not to 0.9"):
        dataclasses.replace(run, sparsity=0.9).check_sparsity("pruned.gin", configuration, parameter)


def test_a_sparsity_may_be_that_of_another_distribution(tmp_path):
    use = [f"{method}.distribution = @erdos_renyi_kernel" for method in ("Pruned", "ZeroedInit")]
    imports = ["import sparse_rigl_lands.sparsity.distributions", "import sparse_rigl_lands.training.methods"]
    jobs = _jobs(tmp_path, sparsity_parameter="erdos_renyi_kernel.sparsity", bindings=[*imports, *use])
    by_name = {job.name: job for job in jobs}
    for name, value in (("sparsity-0.8/pruned-seed0", 0.8), ("zeroed-0.9/zeroed_init-seed0", 0.9)):
        assert f"--gin_param=erdos_renyi_kernel.sparsity = {value}" in by_name[name].command


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"methods": ("pruned", "grown")}, "names 'grown'; known are dense, pruned, lottery, scratch"),
        ({"sparsities": (0.9, 0)}, "sparsities names 0; it must be a number above 0 and below 1"),
        ({"sparsities": (1.0,)}, "sparsities names 1.0"),
        ({"zeroed_fractions": (-0.1,)}, "zeroed_fractions names -0.1; it must be a number of at least 0"),
        ({"sparsities": 0.9}, "sparsities is 0.9; it must be a list"),
        ({"seeds": (0, 1, 0), "sparsities": (0.9,)}, "seeds names something twice"),
        ({"seeds": (0.5,), "sparsities": (0.9,)}, "seeds names 0.5; it must be a whole number"),
        (
            {"seeds": (2**63,), "sparsities": (0.9,)},
            f"Sweep.seeds names {2**63}; .* that 64 bits hold",
        ),
        ({"methods": ("pruned",)}, "the sweep has no runs"),
        ({"sparsities": (0.9,), "bindings_of_sparsity": {0.8: ()}}, "bindings_of_sparsity names 0.8, which is none of"),
        ({"sparsities": (0.9,), "bindings_of_sparsity": "x"}, "bindings_of_sparsity is 'x'; it must be a dictionary"),
        (
            {"sparsities": (0.9,), "bindings_of_sparsity": {0.9: "x"}},
            r"_sparsity\[0.9\] is 'x'; it must be a list",
        ),
    ],
)
def test_an_impossible_sweep_is_refused(settings, words):
    with pytest.raises(InputError, match=words):
        Sweep("test", "gin/digits", **settings)


@pytest.fixture
def finished(tmp_path):
    """A sweep, where it lies, and the names of its finished runs."""
    sweep = Sweep("test", "gin/digits", sparsities=(0.99,), zeroed_fractions=(0, 0.9), seeds=(0,))
    written = files.SweepFiles(tmp_path)
    for run in sweep.runs():
        layers = [
            {"kernel": name, "shape": [2, units], "nonzero_at_start": nonzero, "units_empty_at_start": empty}
            | {"weights": 2 * units, "kept": 1, "sparsity": 0.98}
            for name, units, nonzero, empty in (("a/kernel", 8, 7, 3), ("b/kernel", 4, 0, 4))
        ]
        written.run(run.name).create()
        storage.write_json(
            written.run(run.name).summary,
            {
                "workload": "digits",
                "first_step": 0,
                "global_step": 2000,
                "sparsity": 0.98,
                "layers": layers,
                "train_augmented": {**EVALUATION, "cross_entropy": 0.25, "cross_entropy_error": 0.01},
                "test": {**EVALUATION, "accuracy": 0.75, "count": 360},
            },
        )
    return sweep, written, [run.name for run in sweep.runs()[:-1]]


def test_results_are_a_row_per_finished_run(finished):
    sweep, written, names = finished
    rows = sweeps.results(sweep, written, names)
    assert [row["run"] for row in rows] == names  # not the last, though it has a summary, of another configuration
    row = rows[-1]
    assert (row["method"], row["sparsity"], row["sparsity_of_all_kernels"]) == ("scratch", 0.99, 0.98)
    assert (row["training_loss"], row["training_loss_error"], row["test_accuracy"]) == (0.25, 0.01, 0.75)
    assert row["test_images"] == 360
    assert (row["smallest_kernel_at_start"], row["its_weights_at_start"]) == ("b/kernel", 0)
    assert (row["kernels_empty_at_start"], row["units_empty_at_start"], row["units"]) == ("b/kernel", 7, 12)
    with written.table.open() as table:
        assert [each["run"] for each in csv.DictReader(table)] == [row["run"] for row in rows]


@pytest.mark.parametrize(("layers", "words"), [([], "it tells of no kernels"), ([{}], "layers.0 lacks kernel")])
def test_a_damaged_summary_is_named(finished, layers, words):
    sweep, written, names = finished
    summary = written.run(names[0]).summary
    storage.write_json(summary, storage.read_json(summary) | {"layers": layers})
    with pytest.raises(InputError, match=f"summary.json is damaged: {words}"):
        sweeps.results(sweep, written, names)


def test_every_run_is_the_command_that_a_person_would_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "software", lambda: "this software")
    sweep = Sweep(
        "test", "gin/digits", methods=("scratch",), sparsities=(0.9,), seeds=(6,), bindings=("Recipe.steps = 7",)
    )
    written = files.SweepFiles(tmp_path / "sweep")
    pruned, scratch = sweeps.jobs_of(sweep, written, gin_files.configuration)
    assert list(pruned.command[2:]) == [
        "--gin_file=gin/digits/pruned.gin",
        "--gin_param=uniform.sparsity = 0.9",
        "--gin_param=Recipe.steps = 7",
        "--seed=6",
        f"--output_dir={tmp_path}/sweep/sparsity-0.9/pruned-seed6",
    ]
    assert scratch.needs == (pruned.name,)
    everything = gin_files.configuration("gin/digits/scratch.gin", ["Recipe.steps = 7"])
    assert scratch.configuration == f"{everything}\nthis software"
    assert scratch.result == files.RunFiles(tmp_path / "sweep/sparsity-0.9/scratch-seed6").summary


def test_an_impossible_configuration_is_refused(tmp_path):
    def refuse(gin_file, bindings):
        raise InputError(gin_file)

    sweep = Sweep("test", "gin/digits", methods=("pruned",), sparsities=(0.9,))
    with pytest.raises(InputError, match="gin/digits/pruned.gin"):
        sweeps.jobs_of(sweep, files.SweepFiles(tmp_path / "sweep"), refuse)
    assert not (tmp_path / "sweep").exists()
