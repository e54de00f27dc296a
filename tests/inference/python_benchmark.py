#!/ usr / bin / python3
"""Images per second of an evaluation, ours and the same in Python (torchvision, Pillow), in turn, on
one thread: reading, decoding, resizing, network. Prints the ratios of each round and their medians,
for Python with batches of 32 images, the usual size, and of 4, which suit a CPU better.

    python_benchmark.py build/convscope mobilenet_v2 WEIGHTS FOLDER [ROUNDS]

FOLDER holds ImageNet samples, n01440764_tench.JPEG; WEIGHTS are torchvision's.
"""
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # torch.set_num_threads does not reach it
import torch
import torchvision
from PIL import Image
from torchvision import transforms

PREPARE = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


class Images(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.files = sorted(Path(folder).glob("*.JPEG"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return PREPARE(Image.open(self.files[i]).convert("RGB"))


def python_rate(network, images, batch):
    start = time.perf_counter()
    with torch.no_grad():
        for x in torch.utils.data.DataLoader(images, batch):
            network(x).topk(5)
    return len(images) / (time.perf_counter() - start)


def our_rate(program, model, weights, folder):
    command = [program, "evaluate", model, "--weights", weights, "--data", folder, "--threads", "1",
               "--workers", "0", "--format", "csv"]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                         text=True)
    return float(next(csv.DictReader(run.stdout.splitlines()))["images_per_s"])


def main(program, model, weights, folder, rounds="5"):
    torch.set_num_threads(1)
    network = getattr(torchvision.models, model)().eval()
    network.load_state_dict(torch.load(weights, map_location="cpu"))
    images = Images(folder)
    ratios = {32: [], 4: []}
    for _ in range(int(rounds)):
        ours = our_rate(program, model, weights, folder)
        for batch, of_batch in ratios.items():
            theirs = python_rate(network, images, batch)
            of_batch.append(ours / theirs)
            print(f"ours {ours:.1f}, Python by {batch} {theirs:.1f} images/s, "
                  f"ratio {of_batch[-1]:.2f}", flush=True)
    for batch, of_batch in ratios.items():
        print(f"median ratio to Python by {batch}: {statistics.median(of_batch):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
