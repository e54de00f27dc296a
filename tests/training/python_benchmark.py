#!/usr/bin/python3
"""Images per second of training, ours and the same recipe in Python (torchvision, Pillow, its
DataLoader), in turn: reading, decoding, augmenting, forward, backward, step, and no validation.
Each side is a new process in each round, and they take turns to begin. Prints the ratio of each
round and the median.

    python_benchmark.py build/convscope mobilenet_v2 WEIGHTS FOLDER    fine-tuned, 224x224
    python_benchmark.py build/convscope resnet20 none FOLDER           from scratch, 32x32

FOLDER has a folder train with a folder for each class; WEIGHTS are torchvision's.
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

SMALL = {"resnet20": 20, "resnet32": 32, "resnet44": 44, "resnet56": 56, "resnet110": 110}
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
RATE, MOMENTUM, DECAY = 0.01, 0.9, 1e-4


def our_rate(asked):
    """Images per second and the last epoch's loss."""
    small = asked.network in SMALL
    with tempfile.TemporaryDirectory() as folder:
        command = [asked.program, "train", asked.network, "--data", asked.folder, "--skip-broken",
                   "--augment", "crop" if small else "resized", "--lr", str(RATE),
                   "--momentum", str(MOMENTUM), "--weight-decay", str(DECAY), "--lowest-lr", "1",
                   "--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, DEVIATION)),
                   "--batch", str(asked.batch), "--epochs", str(asked.epochs),
                   "--threads", str(asked.threads), "--workers", str(asked.workers),
                   "--results", folder]
        if asked.weights != "none":
            command += ["--protocol", "finetune", "--weights", asked.weights]
        if asked.per_class:
            command += ["--per-class", str(asked.per_class)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        with open(Path(folder) / "epochs.csv", newline="") as file:
            epochs = list(csv.DictReader(file))
    seconds = [float(epoch["seconds"]) for epoch in epochs]
    images = [float(epoch["images_per_s"]) * s for epoch, s in zip(epochs, seconds)]
    return sum(images) / sum(seconds), float(epochs[-1]["train_loss"]), round(images[0])


def python_rate(asked):
    # Only here, so that each round has a process without torch to begin with.
    import torch
    import torchvision
    from torch import nn
    from torchvision import transforms

    torch.set_num_threads(asked.threads)
    view = ([transforms.RandomCrop(32, padding=4)] if asked.network in SMALL
            else [transforms.RandomResizedCrop(224)])
    images = torchvision.datasets.ImageFolder(Path(asked.folder) / "train", transforms.Compose(
        [*view, transforms.RandomHorizontalFlip(), transforms.ToTensor(),
         transforms.Normalize(MEAN, DEVIATION)]))
    classes = len(images.classes)
    if asked.per_class:
        left = {label: asked.per_class for label in range(classes)}
        places = []
        for place, label in enumerate(images.targets):
            left[label] -= 1
            if left[label] >= 0:
                places.append(place)
        images = torch.utils.data.Subset(images, places)
    network = network_of(asked, classes, torch, torchvision, nn)
    if asked.channels_last:
        network.to(memory_format=torch.channels_last)
    loader = torch.utils.data.DataLoader(images, asked.batch, shuffle=True,
                                         num_workers=asked.workers)
    optimizer = torch.optim.SGD(network.parameters(), RATE, MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, asked.epochs * len(loader))
    network.train()
    start = time.perf_counter()
    for _ in range(asked.epochs):
        loss_sum = right = 0
        for x, labels in loader:
            if asked.channels_last:
                x = x.contiguous(memory_format=torch.channels_last)
            logits = network(x)
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(labels)
            right += (logits.argmax(1) == labels).sum().item()
    seconds = time.perf_counter() - start
    return asked.epochs * len(images) / seconds, loss_sum / len(images), len(images)


def network_of(asked, classes, torch, torchvision, nn):
    small = asked.network in SMALL
    if small:
        sys.dont_write_bytecode = True  # of the test that is imported, which undoes nn.init
        sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "architectures"))
        initialise = dict(vars(nn.init))
        from torchvision_test import resnet_cifar
        vars(nn.init).update(initialise)
        network = resnet_cifar(SMALL[asked.network])
    else:
        network = getattr(torchvision.models, asked.network)()
    if asked.weights != "none":
        network.load_state_dict(torch.load(asked.weights, map_location="cpu"))
    name, head = [(name, module) for name, module in network.named_modules()
                  if isinstance(module, nn.Linear)][-1]
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Linear(head.in_features, classes))
    for layer in network.modules():
        if small and asked.weights == "none" and isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
    return network


def in_new_process(work, asked):
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(work, asked).result()


def main():
    parser = argparse.ArgumentParser()
    for name in "program", "network", "weights", "folder":
        parser.add_argument(name)
    for name, usual in [("rounds", 3), ("threads", 1), ("workers", 1), ("batch", 32),
                        ("epochs", 1), ("per-class", 0)]:
        parser.add_argument("--" + name, type=int, default=usual)
    parser.add_argument("--channels-last", action="store_true", help="Python's images, as ours are")
    asked = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = str(asked.threads)  # torch.set_num_threads fails to
    sides = {"ours": our_rate, "Python": python_rate}
    ratios = []
    for number in range(asked.rounds):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        found = {side: in_new_process(sides[side], asked) for side in order}
        rates = {side: rate for side, (rate, _, _) in found.items()}
        ratios.append(rates["ours"] / rates["Python"])
        print(f"round {number + 1}: " + ", ".join(
            f"{side} {rate:.1f} images/s of {images} (loss {loss:.3f})"
            for side, (rate, loss, images) in sorted(found.items())[::-1])
              + f", ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
