#!/usr/bin/python3
"""Our table of published weights against torchvision's own metadata.

    published_test.py published_probe
"""
import json
import subprocess
import sys

try:
    import torch
    import torchvision.models
    import torchvision.models.segmentation
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

if not hasattr(torchvision.models, "ResNet50_Weights"):
    print(f"skipped: torchvision {torchvision.__version__} has no metadata of weights")
    sys.exit(77)


SUFFIXES = {"IMAGENET1K_V1": "", "IMAGENET1K_V2": "-v2", "IMAGENET1K_SWAG_E2E_V1": "-swag",
            "IMAGENET1K_SWAG_LINEAR_V1": "-swag-linear", "COCO_WITH_VOC_LABELS_V1": ""}

# torchvision 0.14 has other digits in these names than in the files' hashes and could not load them;
# its next versions have the names of ours (pytorch/vision, issue 7744).
RENAMED = {"3dd342df": "7f5810bc", "533bc792": "bac287d4", "bcdf34b7": "c35c1473",
           "cf984f9c": "b3899882", "7eb33cd5": "23ab8bcd", "b6417697": "1a07897c",
           "c76e70fd": "24a108a5", "dcc49843": "c5b4e57e"}


def url_of(weights):
    digits = weights.url.rsplit("-", 1)[1].split(".")[0]
    return weights.url.replace(digits, RENAMED.get(digits, digits))


def published():
    """Every weights of torchvision for ImageNet-1K and segmentation, by network and by what our
    names add to it."""
    sets = {name.lower(): value for models in (torchvision.models, torchvision.models.segmentation)
            for name, value in vars(models).items() if name.endswith("_Weights")}
    return {name[:-len("_weights")] + SUFFIXES[member.name]: member
            for name, members in sets.items() for member in members if member.name in SUFFIXES}


def undone(name, transforms):
    """Mean and deviation of what the network itself sees: torchvision's GoogLeNet and Inception
    take the images in another normalisation than their transforms give when they have weights."""
    mean, deviation = transforms.mean, transforms.std
    if name not in ("googlenet", "inception_v3"):
        return mean, deviation
    network = getattr(torchvision.models, name)(
        weights=None, init_weights=False, transform_input=True)
    values = torch.tensor([0.0, 1.0])  # of black and white
    normalised = torch.stack([(values - m) / d for m, d in zip(mean, deviation)])
    black, white = network._transform_input(normalised.reshape(1, 3, 1, 2)).flatten(1).reshape(
        3, 2).unbind(1)
    deviation = 1 / (white - black)
    return (-black * deviation).tolist(), deviation.tolist()


def near(found, expected):
    return all(abs(a - b) < 1e-6 for a, b in zip(found, expected)) and len(found) == len(expected)


def differences(row, weights):
    transforms = weights.transforms()
    metrics = weights.meta["_metrics"] if "_metrics" in weights.meta else weights.meta["metrics"]
    metrics = metrics.get("ImageNet-1K", {})  # of segmentation it has other figures
    mean, deviation = undone(row["name"], transforms)
    comparisons = [
        ("url", row["url"], url_of(weights)),
        ("top-1", row["top1"], metrics.get("acc@1", 0)),
        ("top-5", row["top5"], metrics.get("acc@5", 0)),
        ("resize", [row["resize"]], transforms.resize_size),
        ("crop", [row["crop"]], getattr(transforms, "crop_size", transforms.resize_size)),
        ("bilinear", row["bilinear"], transforms.interpolation.value == "bilinear"),
    ]
    found = [f"{what} {ours}, torchvision has {theirs}"
             for what, ours, theirs in comparisons if ours != theirs]
    if not near(row["mean"], mean) or not near(row["deviation"], deviation):
        found.append(f"mean {row['mean']}, deviation {row['deviation']}, "
                     f"torchvision's network sees {mean}, {deviation}")
    if row["range"] != 1 or row["bgr"]:
        found.append("torchvision's images are RGB in 0..1")
    if f"-{row['sha256_prefix']}." not in row["url"] or len(row["sha256_prefix"]) not in (8, 10):
        found.append(f"the digits {row['sha256_prefix']} are not in {row['url']}")
    return found


def main(probe):
    rows = json.loads(subprocess.run([probe], check=True, capture_output=True, text=True).stdout)
    theirs = published()
    ours = [row for row in rows if row["source"] == "torchvision"]
    failed = 0
    for row in ours:
        found = differences(row, theirs[row["name"]])
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok':6} {row['name']} {'; '.join(found)}".rstrip())
    for network in {row["architecture"] for row in ours}:
        for name in (network + suffix for suffix in SUFFIXES.values()):
            if name in theirs and name not in {row["name"] for row in ours}:
                failed += 1
                print(f"FAILED {name}: torchvision has it, our table has not")
    print(f"{len(ours)} rows, {failed} failed")
    return 1 if failed or not ours else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
