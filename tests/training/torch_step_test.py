#!/usr/bin/python3
"""What `convscope train` does to weights is what PyTorch does: both learn the same few images from
the same weights, and the files, the losses and the rates must be equal but for the order of float
sums. Each step sees all images, so that their order says nothing.

    torch_step_test.py convscope [WORD]          WORD: only the cases with it
"""
import argparse
import copy
import csv
import itertools
import subprocess
import sys
import tempfile
import warnings
from collections import OrderedDict
from pathlib import Path

sys.dont_write_bytecode = True  # of the script beside this one that is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "architectures"))
try:
    import numpy
    import torch
    from PIL import Image
    from torch import nn
    from torch.optim import lr_scheduler
    from torchvision_test import fill, resnet_cifar
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

CLASSES, OF_CLASS = 4, 6
IMAGES = CLASSES * OF_CLASS
MEAN, DEVIATION = 0.5, 0.25

# That the schedule moved before the optimizer did, where batches are accumulated.
warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")

# Network, protocol and options of `train`; what is not said is as its help declares it.
PLAIN = "--schedule constant --lowest-lr 1 --momentum 0 --weight-decay 0"
STEADY = "--schedule constant --lowest-lr 1"
CASES = [
    f"lenet5 finetune {PLAIN} --lr 0.05",
    f"lenet5 finetune {STEADY} --lr 0.02 --weight-decay 0.1",
    f"lenet5 finetune {STEADY} --lr 0.02 --weight-decay 0.1 --nesterov",
    f"lenet5 finetune {STEADY} --lr 0.02 --weight-decay 0.1 --decay-weights-only",
    f"lenet5 finetune {STEADY} --optimizer adamw --weight-decay 0.1",
    f"lenet5 finetune {STEADY} --optimizer adamw --weight-decay 0.1 --decay-weights-only",
    f"lenet5 finetune {STEADY} --optimizer adamw --momentum 0.8",
    f"lenet5 finetune {STEADY} --optimizer rmsprop --weight-decay 0.1",
    f"lenet5 finetune {STEADY} --optimizer rmsprop --weight-decay 0 --momentum 0",
    f"lenet5 finetune {PLAIN} --lr 0.05 --label-smoothing 0.2",
    f"lenet5 finetune {PLAIN} --lr 0.05 --clip 0.3",
    f"lenet5 finetune {PLAIN} --lr 0.05 --average 0.9",
    f"lenet5 finetune {PLAIN} --lr 0.03 --accumulate 2",
    "lenet5 finetune --lr 0.02 --accumulate 3 --clip 0.3 --warm-up 2",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule step --step-epochs 2 --step-factor 0.3",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule cosine",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule one-cycle",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule one-cycle --accumulate 2",
    "lenet5 finetune --lowest-lr 1 --schedule one-cycle --optimizer adamw",
    "lenet5 finetune --lowest-lr 1 --schedule one-cycle --optimizer rmsprop",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule constant --warm-up 3",
    "lenet5 finetune --lr 0.02 --lowest-lr 1 --schedule cosine --warm-up 2 --nesterov",
    "lenet5 finetune",
    "lenet5 finetune --lowest-lr 0.1",
    "lenet5 probe",
    "lenet5 probe --lr 0.1 --optimizer sgd",
    "lenet5 partial --lr 0.05 --top 3",
    "lenet5 gradual --lr 0.05",
    "lenet5 probe-then-finetune --lr 0.05",
    "resnet20 finetune --lr 0.1 --lowest-lr 1",
    "resnet20 finetune --lr 0.1 --lowest-lr 0.1 --weight-decay 0.1 --decay-weights-only",
    "resnet20 finetune --lr 0.1 --lowest-lr 1 --average 0.5 --clip 1",
    "resnet20 finetune --lr 0.01 --lowest-lr 1 --optimizer rmsprop",
    "resnet20 finetune --lr 0.1 --lowest-lr 1 --fixed-statistics",
    "resnet20 probe --lr 0.1 --optimizer sgd",
    "resnet20 partial --lr 0.1",
    "resnet20 partial --lr 0.1 --lowest-lr 1 --bn affine",
    "resnet20 partial --lr 0.1 --lowest-lr 1 --bn train",
    "resnet20 gradual --lr 0.1",
]


# ---- what the command line means


def parser():
    options = argparse.ArgumentParser()
    options.add_argument("network")
    options.add_argument("protocol")
    for name, usual in [
            ("top", 2), ("probe-epochs", 3), ("bn", "frozen"), ("epochs", 6), ("lr", None),
            ("lowest-lr", None), ("optimizer", ""), ("momentum", 0.9), ("weight-decay", None),
            ("schedule", "cosine"), ("warm-up", 0), ("step-epochs", 7), ("step-factor", 0.1),
            ("label-smoothing", 0.0), ("accumulate", 1), ("clip", 0.0), ("average", 0.0)]:
        options.add_argument("--" + name, default=usual, type=float if usual is None else type(usual))
    options.add_argument("--nesterov", action="store_true")
    options.add_argument("--fixed-statistics", action="store_true")
    options.add_argument("--decay-weights-only", action="store_true")
    return options


def recipe_of(case):
    recipe = parser().parse_args(case.split())
    probes = recipe.protocol == "probe"
    recipe.optimizer = recipe.optimizer or ("adamw" if probes else "sgd")
    for name, usual in [("lr", 0.003 if recipe.optimizer == "sgd" else 0.001),
                        ("lowest_lr", 1 if probes else 0.01),
                        ("weight_decay", 0 if probes else 1e-4)]:
        if getattr(recipe, name) is None:
            setattr(recipe, name, usual)
    return recipe


# ---- the networks, and the modules of their stages


def lenet5():
    net = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 6, 5), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        fc1=nn.Linear(400, 120), relu3=nn.ReLU(), fc2=nn.Linear(120, 84), relu4=nn.ReLU(),
        fc3=nn.Linear(84, CLASSES)))
    return net, [[net.conv1], [net.conv2], [net.fc1], [net.fc2], [net.fc3]]


def resnet20():
    net = resnet_cifar(20)
    net.pool = nn.AdaptiveAvgPool2d(1)
    net.linear = nn.Linear(64, CLASSES)
    return net, [[net.conv1, net.bn1], [net.layer1], [net.layer2], [net.layer3], [net.linear]]


# With the side of their images, and how far ours may be from torch's, as a share of how far a
# tensor moved. Where rounding opens or shuts a ReLU, a gradient jumps: twenty layers make that
# likely, small images make it rare.
NETWORKS = {"lenet5": (lenet5, 32, 2e-4), "resnet20": (resnet20, 8, 2e-3)}


def initial(name):
    net, _ = NETWORKS[name][0]()
    with torch.no_grad():
        for key, tensor in net.state_dict().items():
            fill(key, tensor)
    return net.state_dict()


def parameters_of(modules):
    return [parameter for module in modules for parameter in module.parameters()]


def freeze(net, stages, recipe, epoch):
    lowest = {"finetune": 0, "probe": len(stages) - 1, "partial": len(stages) - recipe.top,
              "gradual": max(0, len(stages) - 1 - epoch),
              "probe-then-finetune": len(stages) - 1 if epoch < recipe.probe_epochs else 0}
    net.train().requires_grad_(True)
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.train(not recipe.fixed_statistics)
    for module in sum(stages[:lowest[recipe.protocol]], []):
        module.eval().requires_grad_(False)
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.train(recipe.bn == "train").requires_grad_(recipe.bn != "frozen")


# ---- PyTorch's training


def optimizer_of(stages, recipe):
    groups = []
    rates = numpy.geomspace(recipe.lowest_lr, 1, len(stages)) * recipe.lr
    for rate, modules in zip(rates, stages):
        parameters = parameters_of(modules)
        plain = [p for p in parameters if recipe.decay_weights_only and p.dim() == 1]
        decayed = [p for p in parameters if not any(p is one for one in plain)]
        groups.append(dict(params=decayed, lr=rate, weight_decay=recipe.weight_decay))
        if plain:
            groups.append(dict(params=plain, lr=rate, weight_decay=0))
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, betas=(recipe.momentum, 0.999))
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, alpha=0.9, eps=0.0316, momentum=recipe.momentum)
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum,
                           nesterov=recipe.nesterov)


def scheduler_of(optimizer, recipe):
    """Moves at each batch, as ours does: all counts are of batches."""
    an_epoch = recipe.accumulate
    warm_up = int(recipe.warm_up) * an_epoch
    rest = recipe.epochs * an_epoch - warm_up
    if recipe.schedule == "constant":
        scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 1)
    elif recipe.schedule == "step":
        scheduler = lr_scheduler.StepLR(optimizer, recipe.step_epochs * an_epoch,
                                        recipe.step_factor)
    elif recipe.schedule == "cosine":
        scheduler = lr_scheduler.CosineAnnealingLR(optimizer, rest)
    else:
        # fastai's cycle, which ends one step after the last; torch's ends with it, and peaks a step
        # earlier.
        scheduler = lr_scheduler.OneCycleLR(
            optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=rest + 1,
            pct_start=(rest / 4 + 1) / (rest + 1), div_factor=25, final_div_factor=4000,
            base_momentum=0.85, max_momentum=0.95)
    if warm_up:
        rise = lr_scheduler.LinearLR(optimizer, 0.01, total_iters=warm_up)
        scheduler = lr_scheduler.SequentialLR(optimizer, [rise, scheduler], [warm_up])
    return scheduler


def torch_trained(recipe, start, data):
    """The state dict at the end, and for each epoch what epochs.csv says of it."""
    net, stages = NETWORKS[recipe.network][0]()
    net.load_state_dict(start)
    averaged = copy.deepcopy(net)
    optimizer = optimizer_of(stages, recipe)
    scheduler = scheduler_of(optimizer, recipe)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    images, labels = data["train"]
    rows = []
    for epoch in range(recipe.epochs):
        freeze(net, stages, recipe, epoch)
        losses = []
        for i in range(recipe.accumulate):
            loss = criterion(net(images[i::recipe.accumulate]), labels[i::recipe.accumulate])
            (loss / recipe.accumulate).backward()
            losses.append(loss.item())
            rate = optimizer.param_groups[-1]["lr"]
            if i + 1 == recipe.accumulate:
                if recipe.clip:
                    nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            scheduler.step()
        with torch.no_grad():
            for mean, now in zip(averaged.parameters(), net.parameters()):
                mean.copy_(recipe.average * mean + (1 - recipe.average) * now)
            for kept, now in zip(averaged.buffers(), net.buffers()):
                kept.copy_(now)
            inputs, truth = data["val"]
            judged = nn.functional.cross_entropy(averaged.eval()(inputs), truth).item()
        rows.append({"train_loss": sum(losses) / len(losses), "val_loss": judged, "lr": rate})
    return averaged.state_dict(), rows


# ---- ours


def made_images(folder, side):
    """Noise around a colour for each image, as files and as tensors."""
    generator = numpy.random.default_rng(1)
    data = {}
    for split, of_class in ("train", OF_CLASS), ("val", 2):
        images, labels = [], []
        for label, i in itertools.product(range(CLASSES), range(of_class)):
            noise = generator.integers(-60, 60, (side, side, 3))
            pixels = (noise + generator.integers(60, 190, 3)).astype(numpy.uint8)
            path = folder / split / f"class{label}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
            images.append(torch.from_numpy(pixels).permute(2, 0, 1) / 255)
            labels.append(label)
        data[split] = ((torch.stack(images) - MEAN) / DEVIATION, torch.tensor(labels))
    return data


def our_trained(program, case, recipe, start, data, results):
    weights = results.with_suffix(".pth")
    torch.save(start, weights)
    three = "{0},{0},{0}".format
    network, protocol, *options = case.split()
    command = [program, "train", network, "--protocol", protocol, *options, "--weights", weights,
               "--data", data, "--input", str(NETWORKS[network][1]), "--resize", "0",
               "--mean", three(MEAN), "--std", three(DEVIATION), "--range", "1",
               "--augment", "none", "--batch", str(IMAGES // recipe.accumulate),
               "--epochs", str(recipe.epochs), "--feature-cache", "none",
               "--threads", "1", "--workers", "0", "--name", "x", "--results", results]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    with open(results / "epochs.csv", newline="") as file:
        rows = [{name: float(row[name]) for name in ("train_loss", "val_loss", "lr")}
                for row in csv.DictReader(file)]
    return torch.load(results / f"x-{protocol}-1.pth"), rows


# ---- comparison


def differences(start, ours, theirs):
    """(How far apart as a share of what is right, what) for all that can be compared."""
    (our_end, our_rows), (their_end, their_rows) = ours, theirs
    if list(our_end) != list(their_end) or len(our_rows) != len(their_rows):
        raise RuntimeError(f"{len(our_rows)} epochs of {list(our_end)}, "
                           f"in torch {len(their_rows)} of {list(their_end)}")
    for name, right in their_end.items():
        apart = (our_end[name].double() - right.double()).norm().item()
        moved = (right.double() - start[name].double()).norm().item()
        yield name, apart / moved if moved else float("inf") if apart else 0.0
    for epoch, (ours, right) in enumerate(zip(our_rows, their_rows), 1):
        for name, value in right.items():
            yield f"{name} of epoch {epoch}", abs(ours[name] - value) / value


def furthest(*args):
    # What is not a number is worse than all.
    return max(differences(*args), key=lambda one: (one[1] != one[1], one[1]))


def check(program, case, images, data, results):
    """What is furthest apart, and with what torch began and ended."""
    recipe = recipe_of(case)
    start = initial(recipe.network)
    theirs = torch_trained(recipe, start, data)
    ours = our_trained(program, case, recipe, start, images, results)
    return furthest(start, ours, theirs), (start, theirs)


def main(program, word=""):
    torch.set_num_threads(1)
    done, failed = {}, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = {network: made_images(folder / network, row[1]) for network, row in NETWORKS.items()}
        for number, case in enumerate(CASES):
            if word not in case:
                continue
            network = case.split()[0]
            tolerance = NETWORKS[network][2]
            try:
                (what, apart), ends = check(program, case, folder / network, data[network],
                                            folder / str(number))
                good, sentence = apart <= tolerance, f"{apart:.0e} at {what}"
                # Else the options that differ would say nothing here.
                for other, (_, end) in done.items():
                    if other.split()[0] == network and furthest(*ends, end)[1] < 10 * tolerance:
                        good, sentence = False, f"torch does the same by '{other}'"
                done[case] = ends
            except RuntimeError as error:
                good, sentence = False, str(error)
            failed += not good
            print(f"{'ok' if good else 'FAILED':6} {case}: {sentence}", flush=True)
    print(f"{len(done)} compared, {failed} failed")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
