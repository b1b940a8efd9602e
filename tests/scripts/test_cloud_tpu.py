"""Protects: what is run on a Cloud TPU VM, by its dry run and by a gcloud that only writes down what it was asked."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from tests.commands import ROOT

SCRIPT = ROOT / "scripts" / "cloud_tpu.sh"
PLACE = ["--project=my-project", "--zone=my-zone"]
TARS = "--tars=gs://tars"
NAMED = "--gin_param=Workload.name='it is \"his own\"; $HOME'"
ALL = ["all", "--gin_file=gin/pruned.gin", NAMED, "--", "--start=a", "--end=b"]

_GCLOUD = """#!/usr/bin/env bash
printf '%s\\0' "$@" >>"$CALLS"; printf '\\n\\0' >>"$CALLS"
case " $* " in
    *" describe "*) echo "$STATE"; [[ $STATE ]] ;;
    *" ssh "*)
        for argument; do [[ $argument != --command=* ]] || command=${argument#--command=}; done
        [[ $command != *"$REMOTE_FAILS"* ]] || exit 3
        [[ ! $RUN_REMOTELY ]] || bash -c "$command" ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Runs the script with the gcloud above first in PATH, which records its arguments in ``calls``."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gcloud").write_text(_GCLOUD)
    (tmp_path / "bin/gcloud").chmod(0o755)

    def run(*arguments, status=0, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TPU_")}
        given = {"CALLS": str(tmp_path / "calls"), "STATE": "", "RUN_REMOTELY": "", "REMOTE_FAILS": "nothing"}
        path = {"PATH": f"{tmp_path / 'bin'}:{clean['PATH']}", "TMPDIR": str(tmp_path)}
        process = subprocess.run(
            [shutil.which("bash"), SCRIPT, *arguments],
            env=clean | path | given | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert process.returncode == status, process.stderr
        return process

    return run


@pytest.fixture
def dry_run(run, tmp_path):
    def dry_run(*arguments, **environment):
        lines = run("--dry-run", *arguments, **environment).stdout.splitlines()
        assert not (tmp_path / "calls").exists()
        return lines

    return dry_run


def _commands(line):
    """The commands of a line of shell, without redirections."""
    words, commands = shlex.split(line), [[]]
    for word in words:
        if word in ("||", "|"):
            commands.append([])
        elif not re.fullmatch("[12]?>.*", word):
            commands[-1].append(word)
    return commands


def _gclouds(lines):
    commands = [command for line in lines for command in _commands(line)]
    return [command[1:] for command in commands if command[0] == "gcloud"]


def _remote(line):
    """The words of what a line runs on the VM."""
    (command,) = [word.removeprefix("--command=") for word in shlex.split(line) if word.startswith("--command=")]
    return shlex.split(command)


def _calls(tmp_path):
    calls = (tmp_path / "calls").read_text().split("\n\0")
    return [call.split("\0")[:-1] for call in calls[:-1]]


def test_all_takes_the_steps_in_order(dry_run):
    lines = dry_run(*PLACE, TARS, *ALL)
    steps = [
        dry_run(*PLACE, TARS, *step)
        for step in (
            ["create"],
            ["install"],
            ["prepare"],
            ["train", "--gin_file=gin/pruned.gin", NAMED],
            ["interpolate", "--start=a", "--end=b"],
            ["fetch"],
            ["delete"],
        )
    ]
    assert lines == [line for step in steps for line in step]


def test_create_makes_disk_and_vm_and_mounts_the_one_on_the_other(dry_run):
    settings = ["--name=mine", "--type=v4-8", "--version=some-version", "--spot", "--disk=ours", "--disk_size=1TB"]
    disk, vm, mount = dry_run(*PLACE, *settings, "--device=/dev/sdc", "create")
    assert _commands(disk)[1][1:] == [
        *["compute", "disks", "create", "ours"],
        *PLACE,
        "--size=1TB",
        "--type=pd-balanced",
    ]
    wanted = {"--accelerator-type=v4-8", "--version=some-version", "--spot", *PLACE}
    wanted |= {"--data-disk=source=projects/my-project/zones/my-zone/disks/ours,mode=read-write"}
    assert _commands(vm)[-1][:6] == ["gcloud", "compute", "tpus", "tpu-vm", "create", "mine"]
    assert set(_commands(vm)[-1][6:]) == wanted
    assert shlex.split(mount)[:6] == ["gcloud", "compute", "tpus", "tpu-vm", "ssh", "mine"]
    remote = " ".join(_remote(mount))
    assert remote.startswith("mountpoint -q /mnt/disks/ours ||")
    assert "sudo blkid /dev/sdc || sudo mkfs.ext4 -q -m 0 /dev/sdc;" in remote  # never what holds anything
    assert "sudo mount -o discard /dev/sdc /mnt/disks/ours" in remote


def test_the_environment_names_settings_and_flags_override(dry_run):
    environment = {"TPU_PROJECT": "a", "TPU_ZONE": "b", "TPU_NAME": "c", "TPU_TYPE": "v2-8", "TPU_SPOT": "yes"}
    lines = dry_run("--zone=d", "create", **environment)
    assert all("--project=a --zone=d" in line for line in lines)
    assert "create c --accelerator-type=v2-8 --version=tpu-ubuntu2204-base" in lines[1]
    assert "--spot" in shlex.split(lines[1])
    assert "c-data" in lines[0]


def test_install_takes_tensorflow_away_before_tensorflow_tpu_comes(dry_run):
    archive, copy, *remotes, check = dry_run(*PLACE, "install")
    assert shlex.split(archive)[:4] == ["git", "-C", str(ROOT), "archive"]
    assert shlex.split(copy)[4:7] == ["scp", archive.split("=")[1].split()[0], "sparse-rigl-lands:project.tar.gz"]
    text = "\n".join(" ".join(_remote(line)) for line in remotes)
    order = ["tar -xzf", "make TENSORFLOW=2.20.0 .venv/installed", "uninstall -y tensorflow &&", "tensorflow-tpu=="]
    assert sorted(order, key=text.index) == order
    python = _remote(check)
    compile(python[python.index("-c") + 1], "check", "exec")
    assert "TPU_NAME=local" in python
    pin = re.search(r"libtpu==[\d.]+", text)[0]
    for path in ("pyproject.toml", "docs/tpu.md"):
        assert re.search(r"libtpu==[\d.]+", (ROOT / path).read_text())[0] == pin


def test_prepare_copies_both_tars_and_lets_tensorflow_datasets_read_them(dry_run):
    (line,) = dry_run(*PLACE, TARS, "--work_dir=/w", "prepare")
    words = _remote(line)
    assert words[:2] == ["cd", "/w/project"]
    assert "TFDS_DATA_DIR=/w/tensorflow_datasets" in words
    inner = shlex.split(words[-1])
    tars = [f"gs://tars/ILSVRC2012_img_{split}.tar" for split in ("train", "val")]
    assert inner[:3] == ["mkdir", "-p", "/w/tensorflow_datasets/downloads/manual/"]
    assert inner[4:11] == [
        *["gcloud", "storage", "cp", "--no-clobber"],
        *tars,
        "/w/tensorflow_datasets/downloads/manual/",
    ]
    compile(inner[-1], "build", "exec")
    (line,) = dry_run(*PLACE, TARS, "--data_dir=gs://data", "prepare")
    assert shlex.split(_remote(line)[-1])[0] == "gcloud"


@pytest.mark.parametrize("step", ["train", "interpolate"])
def test_flags_reach_the_command_as_they_were_given(dry_run, step):
    flags = [NAMED, "--gin_param=Sweep.bindings=['a = 1', 'b']", "--output_dir=my runs", "--name=not-a-setting"]
    (line,) = dry_run(*PLACE, step, *flags)
    words = _remote(line)
    assert words[words.index("scripts/detached.sh") :] == [
        "scripts/detached.sh",
        step,
        ".venv/bin/python",
        f"{step}.py",
        *flags,
    ]


def test_a_pod_is_driven_from_worker_0_and_has_no_disk(dry_run):
    pod = [*PLACE, TARS, "--name=mine", "--type=v4-32", "--data_dir=gs://data"]
    (vm,) = dry_run(*pod, "create")
    assert "--version=tpu-vm-tf-2.20.0-pod-pjrt" in shlex.split(vm)
    assert "disk" not in vm
    (line,) = dry_run(*pod, "train", "--gin_file=a")
    assert {"TPU_NAME=mine", "TPU_LOAD_LIBRARY=0", "TFDS_DATA_DIR=gs://data"} <= set(_remote(line))
    lines = dry_run(*pod, *ALL)
    assert all("--worker=0" in line for line in lines if " ssh " in line or " scp " in line)
    assert any("cloud-tpu-client" in line for line in lines)


def test_a_real_run_does_what_the_dry_run_shows(run, dry_run, tmp_path):
    settings = [*PLACE, TARS, f"--results={tmp_path / 'my results'}"]
    lines = dry_run(*settings, *ALL)
    process = run(*settings, *ALL)
    assert process.stderr.splitlines() == [f"+ {line}" for line in lines]
    assert _calls(tmp_path) == _gclouds(lines)
    assert (tmp_path / "my results").is_dir()
    assert (tmp_path / "sparse-rigl-lands.tar.gz").stat().st_size > 0


def test_what_exists_is_not_created(run, tmp_path):
    run(*PLACE, "create", STATE="READY")
    assert [[word for word in call if word in ("describe", "create", "ssh")] for call in _calls(tmp_path)] == [
        ["describe"],
        ["describe"],
        ["ssh"],
    ]


def test_a_preempted_vm_is_not_taken_for_a_running_one(run, tmp_path):
    run(*PLACE, "create", STATE="PREEMPTED")
    assert "create" in _calls(tmp_path)[2]


def test_a_step_that_fails_is_the_last_and_the_vm_stays(run, tmp_path):
    run(*PLACE, TARS, *ALL, status=3, REMOTE_FAILS="train.py")
    assert any("train.py" in word for word in _calls(tmp_path)[-1])


def test_train_runs_again_while_it_exits_with_75(run, tmp_path):
    """The very command that the VM would get, with another Python."""
    project = tmp_path / "work/project"
    (project / ".venv/bin").mkdir(parents=True)
    (project / "scripts").symlink_to(ROOT / "scripts")
    python = project / ".venv/bin/python"
    python.write_text(
        '#!/usr/bin/env bash\nprintf "%s\\n" "$TFDS_DATA_DIR" "$@" >>calls\n[[ $(wc -l <calls) -ge 8 ]] || exit 75\n'
    )
    python.chmod(0o755)
    run(*PLACE, f"--work_dir={tmp_path / 'work'}", "train", NAMED, "a  b", RUN_REMOTELY="yes")
    once = [f"{tmp_path / 'work/tensorflow_datasets'}", "train.py", NAMED, "a  b"]
    assert (project / "calls").read_text().splitlines() == once * 2
    python.write_text("#!/usr/bin/env bash\necho once >>calls; exit 1\n")
    run(*PLACE, f"--work_dir={tmp_path / 'work'}", "train", NAMED, status=1, RUN_REMOTELY="yes")
    assert (project / "calls").read_text().splitlines() == [*once * 2, "once"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*PLACE], "a step is missing"),
        ([*PLACE, "start"], "unknown step start"),
        (["--zones=a", "create"], "unknown setting --zones=a"),
        (["--project=a", "create"], "TPU_ZONE is not set"),
        (["--zone=a", "create"], "TPU_PROJECT is not set"),
        ([*PLACE, "create", "--spot"], "settings come before the step"),
        ([*PLACE, "train"], "train needs the flags of its command"),
        ([*PLACE, "prepare"], "prepare needs --tars=gs://..."),
        ([*PLACE, "--tars=/tars", "prepare"], "prepare needs --tars=gs://..."),
        ([*PLACE, *ALL], "all needs --tars=gs://..."),
        ([*PLACE, TARS, "all", "--gin_file=a"], "all needs the flags of train.py, then --"),
        ([*PLACE, "--type=v3", "create"], "the type is v3"),
        ([*PLACE, "--type=v5litepod-8", "create"], "give --version for v5litepod-8"),
        ([*PLACE, "--type=v4-32", "create"], "give --data_dir=gs://..."),
    ],
)
def test_wrong_usage(run, tmp_path, arguments, words):
    process = run(*arguments, status=2)
    assert words in process.stderr
    assert process.stderr.startswith("error: ")
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "calls").exists()


def test_without_gcloud_only_a_dry_run_is_possible(run, tmp_path):
    (tmp_path / "tools").mkdir()
    for name in ("dirname", "tr"):
        (tmp_path / "tools" / name).symlink_to(shutil.which(name))
    process = run(*PLACE, "delete", status=1, PATH=str(tmp_path / "tools"))
    assert process.stderr.startswith("error: gcloud is missing")
    assert run("--dry-run", *PLACE, "delete", PATH=str(tmp_path / "tools")).stdout.startswith("gcloud ")


def test_the_help_names_every_setting(run):
    text = run("--help").stdout
    script = SCRIPT.read_text()
    assert all(f"  {setting} " in text for setting in set(re.findall(r"(--\w+)=\*", script)))
    assert "--dry-run" in text


def test_the_commands_of_the_documentation_are_valid(dry_run):
    text = (ROOT / "docs" / "tpu.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("scripts/cloud_tpu.sh ") and "--help" not in line]
    assert len(lines) > 5
    for line in lines:
        assert dry_run(*shlex.split(line)[1:], TPU_PROJECT="a", TPU_ZONE="b", TPU_TARS="gs://c")
