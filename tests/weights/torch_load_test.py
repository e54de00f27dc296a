#!/usr/bin/python3
"""Files in all forms of torch.save and torch.jit.save, read by our readers and compared with torch,
value by value; and files of our writers, read by torch.

    torch_load_test.py weights_probe
"""
import argparse
import io
import json
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, OrderedDict
from pathlib import Path

try:
    import numpy
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROBE = sys.argv[1]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what}")


def probe(path):
    result = subprocess.run([PROBE, path], capture_output=True)
    if result.returncode:
        raise RuntimeError(result.stderr.decode())
    stream = io.BytesIO(result.stdout)
    about = json.loads(stream.readline())
    tensors = []
    while line := stream.readline():
        tensor = json.loads(line)
        tensors.append((tensor["name"], tensor["type"], tensor["shape"],
                        stream.read(tensor["bytes"])))
    return about, tensors


def values_of(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def described(state_dict):
    return [(name, str(tensor.dtype)[6:], list(tensor.shape), values_of(tensor))
            for name, tensor in state_dict.items() if isinstance(tensor, torch.Tensor)]


def compare(what, path, state_dict, form=None, wrapped_in=""):
    try:
        about, found = probe(path)
    except RuntimeError as error:
        return check(False, f"{what}: {error}")
    expected = described(state_dict)
    check([t[0] for t in found] == [t[0] for t in expected], f"{what}: the names and their order")
    for ours, theirs in zip(found, expected):
        check(ours[:3] == theirs[:3], f"{what}: {ours[:3]} is {theirs[:3]} in torch")
        check(ours[3] == theirs[3], f"{what}: the values of {ours[0]}")
    check(about["wrapped_in"] == wrapped_in, f"{what}: wrapped in {about['wrapped_in']}")
    check(form is None or about["format"].startswith(form), f"{what}: form {about['format']}")
    return dict(about["beside"])


# ---- what is saved


def network():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(
        conv=nn.Conv2d(3, 8, 3), bn=nn.BatchNorm2d(8),
        block=nn.Sequential(nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4)), fc=nn.Linear(4, 10)))


def every_type():
    floats = torch.randn(3, 5) * 100
    types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64,
             torch.int32, torch.int16, torch.int8]
    result = OrderedDict((str(t)[6:], floats.to(t)) for t in types)
    result["uint8"] = (floats.abs() % 200).to(torch.uint8)
    result["bool"] = floats > 0
    return result


def layouts():
    base = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32)
    grid = base.view(2, 3, 4, 5)
    shared = torch.randn(100)
    return OrderedDict(
        whole=grid, transposed=grid.transpose(1, 3), part=grid[1, :, 1:3, ::2],
        channels_last=grid.contiguous(memory_format=torch.channels_last),
        expanded=torch.randn(3, 1).expand(3, 7), first=shared[:40], second=shared[30:].view(7, 10),
        scalar=torch.tensor(3.5), empty=torch.empty(0), none_of_five=torch.empty(0, 5),
        empty_middle=torch.empty(3, 0, 2), one=torch.ones(1, 1, 1), half_part=grid.half()[:, 1],
        long_part=torch.arange(20)[3::4])


def trained():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])
    return model, optimizer, scheduler


def save_tar(path, state_dict):
    """The form before 0.1.12, which no torch of today writes."""
    def dump(value):
        return pickle.dumps(value, protocol=2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return str(id(value)) if isinstance(value, torch.Tensor) else None

    tensors = list(state_dict.values())
    roots = OrderedDict((t.storage().data_ptr(), t) for t in tensors)
    storages = [dump(len(roots))]
    for key, tensor in roots.items():
        flat = torch.empty(0, dtype=tensor.dtype).set_(tensor.storage())
        storages += [dump((key, "cpu", getattr(torch, tensor.storage().pickle_storage_type()))),
                     struct.pack("<q", flat.numel()), flat.numpy().tobytes()]
    # A view of the first half of the first storage under a key of its own.
    root, tensor = next(iter(roots.items()))
    storages.append(dump([(4711, root, 1, 3)]))
    heads = [dump(len(tensors) + 1)]
    rows = [(id(t), t.storage().data_ptr(), t.shape, t.stride(), t.storage_offset())
            for t in tensors]
    view = torch.empty(0, dtype=tensor.dtype).set_(tensor.storage(), 2, (2,), (1,))
    rows.append((id(view), 4711, (2,), (1,), 1))
    for key, storage, shape, stride, offset in rows:
        heads += [dump((key, storage, torch.FloatTensor)), struct.pack("<ii", len(shape), 0),
                  struct.pack(f"<{2 * len(shape) + 1}q", *shape, *stride, offset)]
    saved = OrderedDict(state_dict, view=view)
    main = io.BytesIO()
    Pickler(main, protocol=2).dump(saved)
    system = dict(protocol_version=1000, little_endian=True, type_sizes=dict(short=2, int=4, long=4))
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as tar:
        for name, data in [("sys_info", dump(system)), ("pickle", main.getvalue()),
                           ("tensors", b"".join(heads)), ("storages", b"".join(storages))]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = 1483719550.98
            tar.addfile(info, io.BytesIO(data))
    return saved


def read_safetensors(path):
    data = Path(path).read_bytes()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    check((8 + size) % 8 == 0 and data[8:9] == b"{", "safetensors: the header's place")
    metadata = header.pop("__metadata__", {})
    end = 0
    tensors = []
    names = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
             "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8",
             "BOOL": "bool"}
    for name, entry in header.items():
        begin, stop = entry["data_offsets"]
        check(begin == end, f"safetensors: {name} begins at {begin}, not {end}")
        end = stop
        tensors.append((name, names[entry["dtype"]], entry["shape"],
                        data[8 + size + begin:8 + size + stop]))
    check(8 + size + end == len(data), "safetensors: the file ends with its values")
    return metadata, tensors


def forms(folder, name, content):
    for form, new in [("zip", True), ("pickle stream", False)]:
        path = folder / f"{name}.{'zip' if new else 'legacy'}.pth"
        torch.save(content, path, _use_new_zipfile_serialization=new)
        yield form, path
    path = folder / f"{name}.protocol4.pth"
    torch.save(content, path, pickle_protocol=4)
    yield "zip", path


def main(folder):
    plain = network().state_dict()
    parameters = OrderedDict(network().named_parameters())
    special = nn.Parameter(torch.randn(3))
    special.note = "attributes of a parameter are kept since 1.12"
    parameters["special"] = special
    moved = OrderedDict(("module." + name, tensor) for name, tensor in plain.items())
    for name, content in [("plain", plain), ("types", every_type()), ("layouts", layouts()),
                          ("parameters", parameters), ("module", moved), ("dict", dict(plain)),
                          ("extra", dict(plain, note="text", epoch=3))]:
        for form, path in forms(folder, name, content):
            compare(path.name, path, content, form)

    model, optimizer, scheduler = trained()
    accuracy = numpy.float64(92.6)
    for key in ["state_dict", "model", "net", "model_state_dict", "my_network"]:
        checkpoint = {"epoch": 90, "arch": "resnet18", key: model.state_dict(), "best_acc": accuracy,
                      "best_prec1": 0.1, "optimizer": optimizer.state_dict(),
                      "top5": accuracy.astype("f4"),
                      "scheduler": scheduler.state_dict(), "milestones": Counter([30, 60]),
                      "history": [1.5, 2.5], "sizes": torch.Size([1, 2]), "none": None,
                      "device": torch.device("cpu"), "rng_state": torch.get_rng_state()}
        for form, path in forms(folder, f"wrapped-{key}", checkpoint):
            beside = compare(path.name, path, model.state_dict(), form, key) or {}
            count = sum(len(s) for s in optimizer.state_dict()["state"].values())
            for name, text in [("epoch", "90"), ("arch", "resnet18"), ("best_acc", "92.6"),
                               ("best_prec1", "0.1"), ("top5", "92.6"), ("history", "a list of 2"),
                               ("optimizer", f"{count} tensors"), ("rng_state", "1 tensor")]:
                check(beside.get(name) == text, f"{path.name}: beside, {name} is {beside.get(name)}")
    nested = {"checkpoint": {"state_dict": plain, "step": 7}, "epoch": 1}
    for form, path in forms(folder, "nested", nested):
        beside = compare(path.name, path, plain, form, "checkpoint.state_dict")
        check(beside == {"epoch": "1", "step": "7"}, f"{path.name}: beside is {beside}")

    for name, what in [("a list", [torch.ones(2)]), ("one tensor", torch.ones(2)),
                       ("an empty dict", {}), ("a dict of 1 key: 'epoch'", {"epoch": 3})]:
        for _, path in forms(folder, "nothing", what):
            message = subprocess.run([PROBE, path], capture_output=True, text=True).stderr
            check(name in message, f"{path.name}: {message}")
    for name, what in [("_rebuild_qtensor", {"q": torch.quantize_per_tensor(
                            torch.ones(2), 0.1, 0, torch.qint8)}),
                       ("_rebuild_sparse_tensor", {"s": torch.ones(2).to_sparse()}),
                       ("ComplexFloatStorage", {"c": torch.ones(2, dtype=torch.complex64)}),
                       ("torch.nn.modules.container.Sequential", network()),
                       ("argparse.Namespace", {"state_dict": plain, "args":
                            argparse.Namespace(lr=1)})]:
        for _, path in forms(folder, "refused", what):
            message = subprocess.run([PROBE, path], capture_output=True, text=True).stderr
            check(name in message and message.count("\n") == 1, f"{path.name}: {message}")

    script = torch.jit.script(network().eval())
    path = folder / "script.pt"
    torch.jit.save(script, str(path))
    compare(path.name, path, torch.jit.load(str(path)).state_dict(), "TorchScript")

    tar_content = OrderedDict((name, tensor.clone()) for name, tensor in plain.items())
    tar_content["strided"] = torch.arange(24.).view(4, 6).t()[1:, ::2]
    tar_content["scalar"] = torch.tensor(2.5)
    path = folder / "oldest.pth"
    saved = save_tar(path, tar_content)
    compare("oldest", path, saved, "tar")
    compare("oldest, by torch", path, torch.load(path), "tar")

    for name, content in [("plain", plain), ("types", every_type()), ("layouts", layouts())]:
        source = folder / "source.pth"
        torch.save(content, source)
        for target in [folder / "written.pth", folder / "written.safetensors"]:
            subprocess.run([PROBE, source, target], check=True)
            compare(f"{name} in {target.name}", target, content)
        read = torch.load(folder / "written.pth", weights_only=True)
        check(isinstance(read, OrderedDict), f"{name}: what torch.load gives is an OrderedDict")
        check(described(read) == described(content), f"{name}: torch.load of what was written")
        if name != "types":
            check(described(torch.load(folder / "written.pth")) == described(content),
                  f"{name}: torch.load in full")
        metadata, tensors = read_safetensors(folder / "written.safetensors")
        check(metadata == {"format": "pt"}, f"{name}: the metadata of safetensors")
        check(tensors == described(content), f"{name}: safetensors of what was written")


with tempfile.TemporaryDirectory() as temporary:
    main(Path(temporary))
sys.exit(1 if failures else 0)
