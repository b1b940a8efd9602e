#!/usr/bin/env bash
# Runs the project on a Cloud TPU VM, with the gcloud command; docs/tpu.md tells what for. See --help.
set -euo pipefail
readonly tensorflow=2.20.0 # the newest tensorflow-tpu
readonly libtpu=0.0.14     # its own: what pip would take, 0.0.52, ends Python when tensorflow is imported
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
    cat <<'END'
usage: scripts/cloud_tpu.sh [SETTING...] STEP [ARGUMENT...]

steps:
  create            the data disk, unless it exists; the TPU VM; the disk is mounted
  install           the last commit of this project and its environment, on the VM
  prepare           ImageNet, by TensorFlow Datasets, from its two tars in a bucket
  train FLAG...     train.py with these flags, detached; its log is followed
  interpolate FLAG...
                    interpolate.py, likewise
  fetch             copy the results back
  delete            the VM, not the disk
  all TRAIN_FLAG... -- INTERPOLATE_FLAG...
                    all of these in order

settings, each as --NAME=VALUE before the step or in the environment as TPU_NAME=VALUE (TPU_ZONE for --zone):
  --project         the Google Cloud project (needed)
  --zone            such as europe-west4-a (needed)
  --name            of the VM; default: sparse-rigl-lands
  --type            accelerator type; default: v3-8. More than 8 cores are a pod, whose VMs share no disk
  --version         TPU software version; default for v2, v3 and v4: tpu-ubuntu2204-base, for their pods
                    tpu-vm-tf-2.20.0-pod-pjrt. gcloud compute tpus tpu-vm versions list --zone=ZONE shows all
  --spot            (TPU_SPOT=yes) cheaper, and may be preempted
  --disk            name of the data disk; default: NAME-data
  --disk_size       default: 500GB
  --device          what the disk is on the VM; default: /dev/sdb
  --work_dir        on the VM; default: /mnt/disks/DISK; on a pod sparse-rigl-lands, on worker 0's boot disk
  --data_dir        of TensorFlow Datasets; default: WORK_DIR/tensorflow_datasets; a pod needs gs://...
  --tars            gs://... with ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar (needed by prepare)
  --results         where fetch copies to; default: runs/NAME
  --dry-run         print the commands and run none
END
}

fail() { # STATUS MESSAGE
    echo "error: $2" >&2
    exit "$1"
}

# The words as a shell reads them back. (printf %q would do, but less legibly.)
quote() {
    local word quoted="'\\''" line=
    for word; do
        [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]] || word="'${word//\'/$quoted}'"
        line+="$word "
    done
    printf '%s' "${line% }"
}

# Runs a line of shell, or prints it: what a dry run shows is what a real run does.
run() {
    if [[ $dry_run ]]; then
        printf '%s\n' "$1"
    else
        printf '+ %s\n' "$1" >&2
        eval "$1"
    fi
}

tpu() { quote gcloud compute tpus tpu-vm "$@" --project="$TPU_PROJECT" --zone="$TPU_ZONE"; }

# Worker 0 is the only one of a single machine, and the one from which a pod is driven.
remote() { run "$(tpu ssh "$TPU_NAME" --worker=0 --command="$1")"; }

in_project() { remote "cd $(quote "$TPU_WORK_DIR/project") && $1"; }

create() {
    local disk=(gcloud compute disks) place=(--project="$TPU_PROJECT" --zone="$TPU_ZONE") options=()
    local path="projects/$TPU_PROJECT/zones/$TPU_ZONE/disks/$TPU_DISK"
    if [[ ! $pod ]]; then
        run "$(quote "${disk[@]}" describe "$TPU_DISK" "${place[@]}") >/dev/null 2>&1 || $(quote "${disk[@]}" create \
            "$TPU_DISK" "${place[@]}" --size="$TPU_DISK_SIZE" --type=pd-balanced)"
        options+=(--data-disk="source=$path,mode=read-write")
    fi
    [[ ! $TPU_SPOT ]] || options+=(--spot)
    run "$(tpu describe "$TPU_NAME" --format='value(state)') 2>/dev/null | grep -qx READY || $(tpu create "$TPU_NAME" \
        --accelerator-type="$TPU_TYPE" --version="$TPU_VERSION" ${options[@]+"${options[@]}"})"
    [[ $pod ]] || mount_disk
}

# Formats a disk that holds nothing yet. Another VM may know its owner by another number.
mount_disk() {
    local device directory
    device=$(quote "$TPU_DEVICE") directory=$(quote "$TPU_WORK_DIR")
    remote "mountpoint -q $directory || { sudo mkdir -p $directory && { sudo blkid $device || \
sudo mkfs.ext4 -q -m 0 $device; } && sudo mount -o discard $device $directory && sudo chown -R \"\$USER\" $directory; }"
}

install() {
    local archive="${TMPDIR:-/tmp}/$TPU_NAME.tar.gz" python=.venv/bin/python project
    local check='import os, tensorflow as tf, tf_keras, tensorflow_model_optimization
tf.distribute.cluster_resolver.TPUClusterResolver.connect(os.environ["TPU_NAME"])
print("TensorFlow", tf.__version__, "with", len(tf.config.list_logical_devices("TPU")), "TPU cores")'
    project=$(quote "$TPU_WORK_DIR/project")
    run "$(quote git -C "$root" archive --output="$archive" HEAD)"
    run "$(tpu scp "$archive" "$TPU_NAME:project.tar.gz" --worker=0)"
    remote "mkdir -p $project && tar -xzf project.tar.gz -C $project"
    in_project "{ command -v make || sudo apt-get install -y make; } && make TENSORFLOW=$tensorflow .venv/installed"
    # Both bring the same modules, so that tensorflow has to go before tensorflow-tpu comes.
    in_project "$python -m pip uninstall -y tensorflow && $python -m pip install --force-reinstall --no-deps \
tensorflow-tpu==$tensorflow libtpu==$libtpu${pod:+ && $python -m pip install cloud-tpu-client}"
    in_project "$(quote "${environment[@]}" $python -c "${check//$'\n'/; }")"
}

# NAME COMMAND...: one that may take hours, and that neither a broken connection nor a preemption must lose.
detached() { in_project "$(quote "${environment[@]}" scripts/detached.sh "$@")"; }

prepare() {
    local manual="$TPU_DATA_DIR/downloads/manual/" build copy
    copy=$(quote gcloud storage cp --no-clobber "${TPU_TARS%/}"/ILSVRC2012_img_{train,val}.tar "$manual")
    [[ $manual == gs://* ]] || copy="$(quote mkdir -p "$manual") && $copy"
    build='import tensorflow_datasets as tfds; tfds.builder("imagenet2012:5.1.0").download_and_prepare()'
    # Nothing of it needs the TPU.
    detached prepare env TPU_LOAD_LIBRARY=0 bash -c "$copy && $(quote .venv/bin/python -c "$build")"
}

train() { detached train .venv/bin/python train.py "$@"; }

interpolate() { detached interpolate .venv/bin/python interpolate.py "$@"; }

fetch() {
    run "$(quote mkdir -p "$TPU_RESULTS")"
    run "$(tpu scp --recurse "$TPU_NAME:$TPU_WORK_DIR/project/runs/*" "$TPU_RESULTS" --worker=0)"
}

delete() { run "$(tpu delete "$TPU_NAME" --quiet)"; }

all() {
    local train_flags=()
    while (($#)) && [[ $1 != -- ]]; do
        train_flags+=("$1")
        shift
    done
    (($#)) || fail 2 "all needs the flags of train.py, then --, then those of interpolate.py"
    create
    install
    prepare
    train ${train_flags[@]+"${train_flags[@]}"}
    interpolate "${@:2}"
    fetch
    delete
}

dry_run=
while (($#)); do
    case $1 in
        --help) usage && exit ;;
        --dry-run) dry_run=yes ;;
        --spot) TPU_SPOT=yes ;;
        --project=* | --zone=* | --name=* | --type=* | --version=* | --disk=* | --disk_size=* | --device=* | \
            --work_dir=* | --data_dir=* | --tars=* | --results=*)
            name=${1%%=*}
            printf -v "TPU_$(tr '[:lower:]' '[:upper:]' <<<"${name#--}")" %s "${1#*=}"
            ;;
        -*) fail 2 "unknown setting $1 (see --help)" ;;
        *) break ;;
    esac
    shift
done
step=${1:-}
shift || fail 2 "a step is missing (see --help)"
case $step in
    train | interpolate | all) (($#)) || fail 2 "$step needs the flags of its command (see --help)" ;;
    create | install | prepare | fetch | delete)
        (($# == 0)) || fail 2 "$step takes no arguments, but got $1; settings come before the step" ;;
    *) fail 2 "unknown step $step (see --help)" ;;
esac

for name in PROJECT ZONE; do
    name=TPU_$name
    [[ ${!name:-} ]] || fail 2 "$name is not set, and neither is its flag (see --help)"
done
: "${TPU_NAME:=sparse-rigl-lands}" "${TPU_TYPE:=v3-8}" "${TPU_SPOT:=}" "${TPU_TARS:=}" "${TPU_DEVICE:=/dev/sdb}"
: "${TPU_DISK:=$TPU_NAME-data}" "${TPU_DISK_SIZE:=500GB}" "${TPU_RESULTS:=runs/$TPU_NAME}"
[[ $TPU_TYPE =~ ^(v[0-9]+)[a-z]*-([0-9]+)$ ]] || fail 2 "the type is $TPU_TYPE, but should be like v3-8"
generation=${BASH_REMATCH[1]} pod=
((BASH_REMATCH[2] <= 8)) || pod=yes
if [[ $pod ]]; then
    [[ ${TPU_DATA_DIR:-} == gs://* ]] || fail 2 "$TPU_TYPE is a pod, whose VMs share no disk: give --data_dir=gs://..."
    : "${TPU_WORK_DIR:=sparse-rigl-lands}"
    default_version=tpu-vm-tf-$tensorflow-pod-pjrt
    environment=(env TPU_NAME="$TPU_NAME" TPU_LOAD_LIBRARY=0)
else
    : "${TPU_WORK_DIR:=/mnt/disks/$TPU_DISK}"
    default_version=tpu-ubuntu2204-base
    environment=(env TPU_NAME=local)
fi
: "${TPU_DATA_DIR:=$TPU_WORK_DIR/tensorflow_datasets}"
environment+=(TFDS_DATA_DIR="$TPU_DATA_DIR")
[[ ${TPU_VERSION:-} || $generation == v[234] ]] || fail 2 "give --version for $TPU_TYPE (see --help)"
: "${TPU_VERSION:=$default_version}"
[[ $TPU_TARS == gs://* || ! $step =~ ^(prepare|all)$ ]] || fail 2 "$step needs --tars=gs://... (see --help)"
[[ $dry_run ]] || command -v gcloud >/dev/null || fail 1 "gcloud is missing: https://cloud.google.com/sdk"
"$step" "$@"
