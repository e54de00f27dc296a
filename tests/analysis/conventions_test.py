#!/usr/bin/python3
"""What hooks see depends on whether a network calls a module or a function, which the program reads
from a C++ network and the tools from torchvision's. Here torchvision's are counted by hooks and by
functions put in place of others, as ptflops and torchinfo do it, and the program must agree.

    conventions_test.py convscope [NETWORK ...]          default: all that torchvision has
"""
import csv
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    import torchvision
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SIDE = 96  # every convolutional network takes it, and it is soon computed

# Counts do not depend on weights.
for name in dir(nn.init):
    if name.endswith("_") and not name.startswith("_"):
        setattr(nn.init, name, lambda tensor, *_, **__: tensor)

ACTIVATIONS = nn.ReLU, nn.ReLU6, nn.ELU, nn.PReLU, nn.LeakyReLU, nn.GELU
NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm
POOLS = tuple(getattr(nn, f"{kind}Pool{rank}d") for kind in (
    "Max", "Avg", "AdaptiveAvg", "AdaptiveMax") for rank in (1, 2, 3))
FUNCTIONS = [name for name in dir(functional) if "_pool" in name and name[-1] == "d"
             and "_with_indices" not in name] + "relu prelu elu relu6 gelu silu softmax".split()


class Counter:
    def __init__(self, net):
        self.modules = self.functions = self.torchinfo = 0
        for module in net.modules():
            if not list(module.children()):
                module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        # A layer's own products and biases: each parameter meets each position.
        per_position = sum(p.numel() for p in module.parameters(recurse=False))
        kind = type(module)
        if isinstance(module, nn.Conv2d):
            layer = per_position * output.shape[2:].numel()
        elif isinstance(module, nn.Linear):
            layer = per_position * output.shape[:-1].numel()
        else:
            self.torchinfo += per_position
            layer = 0
        self.torchinfo += layer
        self.modules += layer
        if kind in ACTIVATIONS:
            self.modules += output.numel()
        if kind in NORMS:
            self.modules += inputs[0].numel() * (2 if getattr(module, "affine", False) else 1)
        if kind in POOLS:
            self.modules += inputs[0].numel()

    def replace(self, owner, name, count):
        original = getattr(owner, name)

        def counted(*arguments, **options):
            self.functions += count(*arguments)
            return original(*arguments, **options)

        setattr(owner, name, counted)
        return lambda: setattr(owner, name, original)

    def run(self, net, images):
        undo = [self.replace(functional, name, lambda x, *_: x.numel()) for name in FUNCTIONS]
        for owner in torch, torch.Tensor:
            for name in "add", "mul":
                undo.append(self.replace(owner, name, lambda x, other: max(
                    n.numel() for n in (x, other) if torch.is_tensor(n))))
        with torch.no_grad():
            net(images)
        for step in undo:
            step()


def build(name):
    maker = getattr(torchvision.models, name)
    if name in ("googlenet", "inception_v3"):
        return maker(aux_logits=False, init_weights=False)
    return maker()


def table(program, *arguments):
    printed = subprocess.run([program, *arguments, "--format", "csv"], check=False, text=True,
                             stdout=subprocess.PIPE).stdout
    return list(csv.DictReader(printed.splitlines()))


def expected_of(net):
    counter = Counter(net)
    counter.run(net, torch.zeros(1, 3, SIDE, SIDE))
    return {"ptflops": counter.modules + counter.functions,
            "ptflops-modules": counter.modules, "torchinfo": counter.torchinfo}


def counts(program, *arguments):
    """By network and convention."""
    found = {}
    for row in table(program, "cost", *arguments, "--input", str(SIDE),
                     "--convention", "ptflops,ptflops-modules,torchinfo"):
        found.setdefault(row["model"], {})[row["convention"]] = row
    return found


def main():
    program, *picked = sys.argv[1:]
    known = [row["model"] for row in table(program, "list")]
    names = picked or [name for name in known
                       if inspect.isfunction(getattr(torchvision.models, name, None))]
    failed = compared = 0

    def compare(name, rows, expected):
        nonlocal failed, compared
        found = {convention: int(row["count"]) for convention, row in rows.items()}
        compared += 1
        if found != expected:
            print(f"{name}: {found}, expected {expected}")
            failed += 1

    for name, rows in counts(program, *names).items():
        status = {row["status"] for row in rows.values()}
        if status != {"ok"}:
            print(f"{name}: left out, {', '.join(sorted(status))}: {rows['ptflops']['reason']}")
            continue
        compare(name, rows, expected_of(build(name).eval()))
    with tempfile.TemporaryDirectory() as folder:
        for name in set(names) & {"inception_v3", "mobilenet_v2", "convnext_tiny"}:
            net = build(name).eval()
            files = {"scripted": torch.jit.script(net),
                     "traced": torch.jit.trace(net, torch.zeros(1, 3, SIDE, SIDE))}
            expected = expected_of(net)
            for how, script in files.items():
                path = Path(folder, f"{name}-{how}.pt")
                script.save(str(path))
                for rows in counts(program, "--module", str(path)).values():
                    compare(path.name, rows, expected)
    print(f"{compared} networks compared, {failed} differ")
    return 1 if failed or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
