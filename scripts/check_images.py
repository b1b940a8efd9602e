"""Looks whether every image of a dataset can be decoded, counts and names those that cannot.

    python scripts/check_images.py --gin_file=gin/pruned.gin

The dataset is that of a training's gin file. What is damaged is listed in skip.json of --output_dir, which
--gin_param='ImageNet.skip="runs/images/imagenet/skip.json"' leaves out from then on.
"""

from absl import flags

from sparse_rigl_lands import commandline

flags.adopt_module_key_flags(commandline)  # so that --help lists them


def main() -> None:
    from sparse_rigl_lands.studies.image_check import check_images

    commandline.parse_gin("train", bindings=["check_images.workload = @Workload()"])
    file, damaged = check_images(commandline.OUTPUT_DIR.value)
    for split, faults in damaged.items():
        print(f"{split}: {len(faults)} damaged")
        for name, fault in faults.items():
            print(f"  {name}: {fault}")
    print(file)


if __name__ == "__main__":
    commandline.run(main, required=["gin_file"])
