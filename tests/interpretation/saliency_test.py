"""Saliency maps and unit gradients against torchvision's networks in Python, with its hooks and loops.

Called as: saliency_test.py PROBE WEIGHTS_FOLDER IMAGES_FOLDER. Where the folders are not there, the
networks have random weights and the images are noise.
"""
import math
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    import torch.nn.functional as F
    import torchvision
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PROBE, WEIGHTS, IMAGES = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
torch.set_num_threads(1)


def image_values(name, seed):
    path = IMAGES / name
    if not path.exists():
        return torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(seed))
    from PIL import Image
    from torchvision import transforms

    read = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    return read(Image.open(path).convert("RGB")).unsqueeze(0)


def gradient(model, images, index):
    images = images.clone().requires_grad_()
    return torch.autograd.grad(model(images)[:, index].sum(), images)[0]


def guided(model, image, index):
    """By a rectifier of its own in the place of each one."""

    class Guided(torch.autograd.Function):
        @staticmethod
        def forward(context, x, most):
            context.save_for_backward(x)
            context.most = most
            return x.clamp(0, most)

        @staticmethod
        def backward(context, above):
            (x,) = context.saved_tensors
            return above * (x > 0) * (x < context.most) * (above > 0), None

    class GuidedModule(torch.nn.Module):
        def __init__(self, most):
            super().__init__()
            self.most = most

        def forward(self, x):
            return Guided.apply(x, self.most)

    def exchanged(module):
        for name, child in module.named_children():
            if isinstance(child, torch.nn.ReLU6):
                setattr(module, name, GuidedModule(6.0))
            elif isinstance(child, torch.nn.ReLU):
                setattr(module, name, GuidedModule(math.inf))
            else:
                exchanged(child)

    import copy
    other = copy.deepcopy(model)
    exchanged(other)
    return gradient(other, image, index)


def integrated(model, image, index, points=200):
    """The midpoint rule with many points."""
    total = torch.zeros_like(image)
    shares = (torch.arange(points) + 0.5) / points
    for some in shares.split(10):
        total += gradient(model, some.view(-1, 1, 1, 1) * image, index).sum(0, keepdim=True)
    return total / points * image


def grad_cam(model, layer, image, index):
    kept = {}

    def keep(module, inputs, output):
        kept["maps"] = output.clone()
        kept["maps"].retain_grad()
        return kept["maps"].clone()

    handle = layer.register_forward_hook(keep)
    model(image.clone().requires_grad_())[0, index].backward()
    handle.remove()
    maps, slopes = kept["maps"], kept["maps"].grad
    cam = torch.relu((maps * slopes.mean(dim=(2, 3), keepdim=True)).sum(1, keepdim=True))
    return F.interpolate(cam, image.shape[2:], mode="bilinear", align_corners=False)[0, 0].detach()


def occlusion(model, image, index, side=28, stride=14):
    with torch.no_grad():
        whole = model(image)[0, index].item()
        height, width = image.shape[2:]
        sums, times = numpy.zeros((height, width)), numpy.zeros((height, width))
        begins = list(range(0, height - side, stride)) + [height - side]
        for top in begins:
            for left in begins:
                covered = image.clone()
                covered[:, :, top:top + side, left:left + side] = 0
                sums[top:top + side, left:left + side] += whole - model(covered)[0, index].item()
                times[top:top + side, left:left + side] += 1
    return torch.from_numpy(sums / times)


def deletion(model, image, saliency, index, steps=4):
    """Squares of 8 pixels in the order of their means, blurred by scipy."""
    from scipy.ndimage import gaussian_filter1d

    blurred = image.double().numpy()
    for axis in (2, 3):
        blurred = gaussian_filter1d(blurred, 8.0, axis=axis, mode="nearest", radius=None, truncate=3.0)
    blurred = torch.from_numpy(blurred).float()
    means = saliency.reshape(28, 8, 28, 8).mean(axis=(1, 3)).ravel()
    order = numpy.argsort(-means, kind="stable")
    curve, left = [], image.clone()
    with torch.no_grad():
        done = 0
        for step in range(steps + 1):
            while done < step * len(order) // steps:
                row, column = divmod(int(order[done]), 28)
                part = (..., slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8))
                left[part] = blurred[part]
                done += 1
            curve.append(model(left)[0].double().softmax(0)[index].item())
    return numpy.array(curve)


def unit_norm(model, layer, image):
    """For each pixel the root of the sum over units of the squared gradient, by a loop over the units."""
    kept = {}
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.update(maps=output.clone()))
    images = image.clone().requires_grad_()
    model(images)
    handle.remove()
    units = kept["maps"][0, :, kept["maps"].shape[2] // 2, kept["maps"].shape[3] // 2]
    squares = torch.zeros(image.shape[2:])
    for unit in units:
        squares += torch.autograd.grad(unit, images, retain_graph=True)[0].square().sum((0, 1))
    return squares.sqrt()


def difference(ours, theirs):
    theirs = theirs.detach().double().numpy().ravel() if torch.is_tensor(theirs) else theirs
    return float(numpy.abs(ours - theirs).max() / numpy.abs(theirs).max())


NETWORKS = [
    # network, its file, the module that makes the last maps, a layer for its unit's gradient
    ("mobilenet_v2", "mobilenet_v2-from-qnnpack-int8.zip.pth", lambda m: m.features[18], "features.4.conv.2"),
    ("squeezenet1_0", "squeezenet1_0-from-deep-compression.zip.pth", lambda m: m.classifier[2], "features.3.squeeze"),
    ("resnet18", "", lambda m: m.layer4[1].relu, "layer1.1.conv2"),
]
PICTURES = ["n02391049_zebra.JPEG", "n02128925_jaguar.JPEG"]


def module_of(model, name):
    for part in name.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model




failures = 0
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    for seed, (name, file, last_maps, unit_layer) in enumerate(NETWORKS):
        torch.manual_seed(seed)
        model = getattr(torchvision.models, name)(weights=None).eval()
        if file and (WEIGHTS / file).exists():
            model.load_state_dict(torch.load(WEIGHTS / file))
        else:
            # Statistics of a batch, or no image would make a difference after some dozens of layers.
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = 1.0
            with torch.no_grad():
                model.train()(torch.randn(4, 3, 224, 224))
            model.eval()
        torch.save(model.state_dict(), folder / "weights.pth")
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        image = image_values(PICTURES[seed % len(PICTURES)], seed)
        index = int(model(image)[0].argmax())
        image.numpy().astype("float32").tofile(folder / "values")
        subprocess.run([PROBE, name, folder / "weights.pth", folder / "values", str(index), unit_layer,
                        folder / "out"], check=True)
        ours = numpy.fromfile(folder / "out")
        pixels = 224 * 224
        maps = [ours[i * pixels:(i + 1) * pixels] for i in range(5)]
        curve, units = ours[5 * pixels:5 * pixels + 5], ours[5 * pixels + 5:]
        checks = {
            "gradient": (difference(maps[0], gradient(model, image, index)[0].abs().amax(0)), 1e-3),
            "guided": (difference(maps[1], guided(model, image, index)[0].abs().amax(0)), 1e-3),
            "integrated": (difference(maps[2], integrated(model, image, index)[0].sum(0)), 0.05),
            "Grad-CAM": (difference(maps[3], grad_cam(model, last_maps(model), image, index)), 1e-3),
            "deletion": (difference(curve, deletion(model, image, maps[3], index)), 1e-3),
        }
        if seed == 1:  # two hundred passes: once is enough
            checks["occlusion"] = (difference(maps[4], occlusion(model, image, index)), 1e-3)
        with torch.no_grad():
            zero = torch.zeros_like(image)
            expected = (model(image) - model(zero))[0, index].item()
        checks["completeness"] = (abs(maps[2].sum() - expected) / abs(expected), 0.01)
        # Random signs: the mean of the magnitude's square over them is the sum of squares over units.
        theirs = unit_norm(model, module_of(model, unit_layer), image).numpy().ravel()
        checks["support of a unit"] = (float(((theirs > 0) != (units > 0)).sum()), 0)
        ratio = units.sum() / theirs.sum()
        checks["size of a unit's gradient"] = (abs(math.log(ratio)), math.log(2))
        if name == "mobilenet_v2" and not (WEIGHTS / file).exists():
            print("skipped: mobilenet_v2, integrated gradients: untrained, its logit is too rough along the path")
            checks.pop("integrated"), checks.pop("completeness")
        for what, (found, allowed) in checks.items():
            good = found <= allowed
            failures += not good
            print(f"{'ok' if good else 'FAILED'}: {name}, {what}: {found:.2g} (at most {allowed:g})")
sys.exit(1 if failures else 0)
