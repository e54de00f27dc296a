#!/usr/bin/python3
"""What Python's torch.jit saves is a network like those of the catalogue: the same totals for
torchvision's networks, hand arithmetic for a small one, and one line for what is no such file.

    module_test.py convscope
"""
import csv
import io
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

try:
    import torch
    import torchvision
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

warnings.filterwarnings("ignore")
PROGRAM = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory()
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


def convscope(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)


def rows(*words):
    result = convscope(*words, "--format", "csv")
    expect(result.returncode == 0, f"{words}: {result.stderr}")
    return list(csv.DictReader(io.StringIO(result.stdout)))


def path(name):
    return Path(FOLDER.name) / name


def scripted(name, network):
    torch.jit.script(network.eval()).save(str(path(name)))
    return path(name)


def traced(name, network, image):
    torch.jit.trace(network.eval(), torch.zeros(1, *image)).save(str(path(name)))
    return path(name)


class Own(nn.Module):
    """Functional pooling and activation, a sum, a concatenation, means, a view of a traced size."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 8, 3, padding=1)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(16, 10)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.a(x)), 2)
        y = F.relu(self.bn(self.b(x)) + x)
        y = F.adaptive_avg_pool2d(torch.cat([x, y], 1), (7, 7)).mean([2, 3])
        return self.relu(self.fc(y.view(y.size(0), -1)))


# By hand, of 1x28x28: two 3x3 convolutions at 28x28 and 14x14, and 160 weights.
OWN = {
    "params": 80 + 584 + 16 + 170,
    "macs": 28 * 28 * 8 * 9 + 14 * 14 * 8 * 72 + 160,
    "flops": (2 * 56448 + 6272) + 6272 + 3 * 1568 + (2 * 112896 + 1568) + 2 * 1568 + 1568 + 1568
             + 4 * 784 + 784 + (320 + 10) + 10,
    "rf": 8,
    "rf_stride": 2,
    "depth": 3,
    "buffers": 17,
}
OWN_LAYERS = ["a conv2d", " relu", " max_pool2d", "b conv2d", "bn batch_norm", " add", " relu", " cat",
              " adaptive_avg_pool2d", " mean", " view", "fc linear", "relu relu"]


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return torch.sort(torch.fft.fft2(self.conv(x)).real, 1)[0]


class Normalised(nn.Module):
    """Makes a tensor of numbers and computes with sizes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        mean = torch.tensor([0.4, 0.5, 0.6], device=x.device).view(1, 3, 1, 1)
        return self.conv((x - mean)[:, :, : x.size(2) // 2])


class Lists(nn.Module):
    """The interpreter of TorchScript leaves lists out when it says where it is."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()) for _ in range(2))
        self.ends = nn.ModuleList(nn.ReLU() for _ in range(2))

    def forward(self, x):
        for block, end in zip(self.blocks, self.ends):
            x = end(block(x) + x)
        return x


class Decides(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x = x * 2
        return x


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class Strict(nn.Module):
    def forward(self, x):
        if x.size(2) != 7:
            raise ValueError("seven rows, please")
        return x


def test_torchvision():
    """The rows of scripts and traces are the catalogue's but for the name."""
    models = torchvision.models
    networks = {
        "resnet18": models.resnet18(),
        "mobilenet_v2": models.mobilenet_v2(),
        "mobilenet_v3_large": models.mobilenet_v3_large(),
        "googlenet": models.googlenet(aux_logits=False, init_weights=False),
        "inception_v3": models.inception_v3(aux_logits=False, init_weights=False),
        "squeezenet1_1": models.squeezenet1_1(),
    }
    said = ("model", "variant", "year", "top1_published", "top1_data", "top1_source")
    for name, network in networks.items():
        side = 299 if name == "inception_v3" else 224
        files = [scripted(f"{name}_s.pt", network), traced(f"{name}_t.pt", network, (3, side, side))]
        found = rows("cost", name, "--module", files[0], "--module", files[1], "-i", side)
        expect(len(found) == 3, f"{name}: {len(found)} rows")
        for row in found[1:]:
            for column in row:
                if column not in said:
                    expect(row[column] == found[0][column],
                           f"{row['model']}: {column} is {row[column]}, not {found[0][column]}")
        layers = rows("cost", name, "--module", files[0], "--module", files[1], "-i", side, "--layers")
        # C++ writes some calls differently (addmm for linear), and the poolings of Inception v3 belong
        # to no module, whose place can then only be guessed in C++.
        named = ("out_shape", "flops", "params") + (("layer",) if name != "inception_v3" else ())
        of = {one: [tuple(r[column] for column in named)
                    for r in layers if r["model"] == one and r["kind"] != "movement"]
              for one in (name, files[0].name, files[1].name)}
        for file in files:
            expect(len(of[name]) == len(of[file.name]), f"{file.name}: {len(of[file.name])} layers")
            for ours, theirs in zip(of[name], of[file.name]):
                expect(ours == theirs, f"{file.name}: {theirs}, not {ours}")


def test_own():
    network = Own()
    frozen = path("own_frozen.pt")
    torch.jit.freeze(torch.jit.script(network.eval())).save(str(frozen))
    for file in (scripted("own_s.pt", network), traced("own_t.pt", network, (1, 28, 28)), frozen):
        row = rows("cost", "--module", file, "-i", "28")[0]
        for column, value in OWN.items():
            if file == frozen:  # Python has folded the batch normalisation into the convolution
                value -= {"params": 16, "buffers": 17, "flops": 2 * 1568}.get(column, 0)
            expect(row[column] == str(value), f"{file.name}: {column} is {row[column]}, not {value}")
        if file == frozen:
            continue
        layers = rows("cost", "--module", file, "-i", "28", "--layers")
        named = [f"{r['layer']} {r['op']}" for r in layers]
        expect(named == OWN_LAYERS, f"{file.name}: {named}")
    said = convscope("cost", "--module", path("own_s.pt"))
    expect("an image of 1x224x224 is assumed" in said.stderr, said.stderr)
    told = convscope("cost", "--module", path("own_s.pt"), "-i", "28", "--explain", "b")
    expect(told.returncode == 0 and "112896" in told.stdout.replace(",", ""), told.stdout + told.stderr)
    folded = rows("cost", "--module", path("own_t.pt"), "-i", "28", "--fold-bn")[0]
    expect(folded["flops"] == str(OWN["flops"] - 2 * 1568), f"folded: {folded['flops']}")
    verified = convscope("cost", "--module", path("own_t.pt"), "-i", "28", "--verify-rf")
    expect(verified.returncode == 0, verified.stdout + verified.stderr)


def test_lists():
    for file in (scripted("lists_s.pt", Lists()), traced("lists_t.pt", Lists(), (3, 8, 8))):
        layers = [row["layer"] for row in rows("cost", "--module", file, "-i", "8", "--layers")]
        expect(layers == ["blocks.0.0", "blocks.0.1", "", "ends.0", "blocks.1.0", "blocks.1.1", "", "ends.1"],
               f"{file.name}: {layers}")


def test_sizes():
    for file in (scripted("sizes_s.pt", Normalised()), traced("sizes_t.pt", Normalised(), (3, 64, 64))):
        row = rows("cost", "--module", file, "-i", "64")[0]
        expect(row["macs"] == str(30 * 62 * 4 * 27), f"{file.name}: {row['macs']}")


def test_incomplete():
    result = convscope("cost", "--module", scripted("sorted.pt", Sorted()), "--format", "csv")
    expect(result.returncode == 1 and "aten::_fft_c2c" in result.stderr
           and "aten::sort" in result.stderr and ",incomplete," in result.stdout, str(result))


def test_refused():
    good = path("own_s.pt").read_bytes()
    state = Own().state_dict()
    torch.save(state, path("state.pth"))
    torch.save(state, path("old.pth"), _use_new_zipfile_serialization=False)
    path("text.pt").write_text("no network")
    path("cut.pt").write_bytes(good[: len(good) // 2])
    path("empty.pt").write_bytes(b"")
    path("resnet18").write_bytes(good)
    path("folder").mkdir()
    (path("folder") / "own_s.pt").write_bytes(good)
    for name, record in ("program.pt2", "serialized_exported_program.json"), ("new.pt2", "new/archive_format"):
        with zipfile.ZipFile(path(name), "w") as archive:
            archive.writestr(record, "{}")
    own = path("own_s.pt")
    for words, said in [
        (["none.pt"], "there is no such file"),
        ([path("folder")], "it is a folder"),
        ([path("text.pt")], "no TorchScript"),
        ([path("empty.pt")], "no TorchScript"),
        ([path("cut.pt")], "cut off or broken"),
        ([path("state.pth")], "weights only"),
        ([path("old.pth")], "weights only"),
        ([path("program.pt2")], "torch.export"),
        ([path("new.pt2")], "torch.export"),
        ([scripted("two.pt", Two())], "x: Tensor, y: Tensor"),
        ([scripted("signal.pt", nn.Sequential(nn.Conv1d(1, 2, 3)))], "signals"),
        ([scripted("features.pt", nn.Sequential(nn.Linear(784, 3)))], "rows of features"),
        ([scripted("decides.pt", Decides())], "depends on the image"),
        ([scripted("strict.pt", Strict())], "seven rows, please"),
        ([own, "--width", "0.5"], "as it was exported"),
        ([own, "--classes", "7"], "as it was exported"),
        ([own, "--auxiliary"], "as it was exported"),
        ([own, "-i", "3x28x28"], "a (conv2d)"),
        ([own, "--module", path("folder") / "own_s.pt"], "another network here is called"),
        ([path("resnet18")], "another network here is called"),
    ]:
        result = convscope("cost", "--module", *words)
        lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
        expect(result.returncode == 2 and len(lines) == 1 and said in lines[0] and not result.stdout,
               f"{words}: {result}")


def test_bench():
    results = path("results")
    files = [path("own_s.pt"), traced("own_t.pt", Own(), (1, 28, 28))]
    for where in ["--in-process"], ["--results", results]:
        found = rows("bench", "--module", files[0], "--module", files[1], "-i", "28", "--quick",
                     "--engine", "eager,frozen", "-b", "1,4", *where)
        expect(len(found) == 8, f"{where}: {len(found)} rows")
        for row in found:
            expect(row["status"] in ("quick", "disturbed") and float(row["median_ms"]) > 0, str(row))
    for engine in "eager", "frozen":
        layers = rows("bench", "--module", files[0], "-i", "28", "--quick", "--layers", "--engine", engine)
        expect(any(row["layer"] == "b" for row in layers), str(layers))
    for record in ("bench.csv", "samples.csv"):
        expect(FOLDER.name not in (results / record).read_text(), f"{record} has the path")
    refused = convscope("bench", "--module", files[0], "-i", "28", "--mode", "train")
    expect(refused.returncode == 2 and "inference only" in refused.stderr, refused.stderr)


for test in [test_own, test_lists, test_sizes, test_incomplete, test_refused, test_bench, test_torchvision]:
    test()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
