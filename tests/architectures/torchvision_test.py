#!/usr/bin/python3
"""Every network against an independent one of the same name: torchvision's where it has it, else
one made here from torch. Names, shapes and order of all tensors must be equal, and when both sides
fill them by the same formula, so must what they compute.

    torchvision_test.py forward_probe [NETWORK ...]
"""
import subprocess
import sys
from collections import OrderedDict
from itertools import zip_longest

try:
    import numpy
    import torch
    import torchvision
    from torch import nn
    from torchvision.models.googlenet import Inception, InceptionAux
    from torchvision.models.resnet import BasicBlock, Bottleneck
    from torchvision.models.segmentation.deeplabv3 import _deeplabv3_resnet
    from torchvision.ops import StochasticDepth
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

IMAGES = 3
TOLERANCE = 1e-4  # of how much the logits of one image differ from those of another

# Everything is filled below.
for name in dir(nn.init):
    if name.endswith("_") and not name.startswith("_"):
        setattr(nn.init, name, lambda tensor, *_, **__: tensor)


# ---- networks that torchvision does not have


def resnet50_v1():
    net = torchvision.models.resnet50()
    for block in net.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return net


def dilated_resnet50(*layers):
    return torchvision.models.resnet50(replace_stride_with_dilation=layers)


class OptionA(nn.Module):
    def forward(self, x):
        half = x.shape[1] // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))


def resnet_cifar(depth):
    def stage(channels, stride):
        first = BasicBlock(channels // stride, channels, stride, OptionA() if stride == 2 else None)
        rest = [BasicBlock(channels, channels) for _ in range((depth - 2) // 6 - 1)]
        return nn.Sequential(first, *rest)

    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 16, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(16), relu=nn.ReLU(),
        layer1=stage(16, 1), layer2=stage(32, 2), layer3=stage(64, 2),
        pool=nn.AvgPool2d(8), flatten=nn.Flatten(), linear=nn.Linear(64, 10)))


class Preact(nn.Module):
    """Normalises and activates, adds the sum of what a list of layers and a shortcut make of it, or
    where the shortcut is the identity of what came in."""

    def __init__(self, channels, width, out, stride, kernels, strided, first, padded):
        super().__init__()
        if not first:
            self.bn1 = nn.BatchNorm2d(channels)
        self.count = len(kernels)
        before = channels
        for i, kernel in enumerate(kernels, 1):
            after = out if i == self.count else width
            if i > 1:
                setattr(self, f"bn{i}", nn.BatchNorm2d(before))
            by = stride if i == strided else 1
            setattr(self, f"conv{i}", nn.Conv2d(before, after, kernel, by, kernel // 2, bias=False))
            before = after
        self.padded = OptionA() if padded and stride == 2 else None
        if not padded and channels != out:
            self.downsample = nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        active = self.bn1(x).relu() if hasattr(self, "bn1") else x
        y = self.conv1(active)
        for i in range(2, self.count + 1):
            y = getattr(self, f"conv{i}")(getattr(self, f"bn{i}")(y).relu())
        if hasattr(self, "downsample"):
            return y + self.downsample(active)
        return y + (self.padded(x) if self.padded else x)


def preact_resnet(depths, width, kernels, strided, widening):
    padded = widening == 1
    stem = dict(conv1=nn.Conv2d(3, width, 7, 2, 3, bias=False) if len(depths) == 4 else
                nn.Conv2d(3, width, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(width), relu=nn.ReLU())
    if len(depths) == 4:
        stem["maxpool"] = nn.MaxPool2d(3, 2, 1)
    channels, layers = width, {}
    for number, depth in enumerate(depths, 1):
        blocks = []
        for block in range(depth):
            stride = 2 if block == 0 and number > 1 else 1
            blocks.append(Preact(channels, width, widening * width, stride, kernels, strided,
                                 number == 1 and block == 0, padded))
            channels = widening * width
        layers[f"layer{number}"] = nn.Sequential(*blocks)
        width *= 2
    classes = 1000 if len(depths) == 4 else 10
    return nn.Sequential(OrderedDict(
        **stem, **layers, bn=nn.BatchNorm2d(channels), last=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, classes)))


def nin(*parts):
    """From Caffe's words for it: conv or cccp with channels (and kernel, stride, padding), pool."""
    layers, channels, counts = [("features", [])], 3, {"conv": 0, "cccp": 0}
    for kind, *numbers in parts:
        if kind == "classes":
            layers.append(("classifier", []))
            kind = "cccp"
        if kind in counts:
            counts[kind] += 1
            out, kernel, stride, padding = (numbers + [1, 1, 0])[:4]
            conv = nn.Conv2d(channels, out, kernel, stride, padding)
            layers[-1][1].extend([(f"{kind}{counts[kind]}", conv),
                                  (f"relu{len(layers[-1][1])}", nn.ReLU())])
            channels = out
        else:
            layer = {"max": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
                     "average": lambda: nn.AvgPool2d(3, 2, ceil_mode=True),
                     "dropout": nn.Dropout}[kind]()
            layers[-1][1].append((f"{kind}{len(layers[-1][1])}", layer))
    parts = OrderedDict((name, nn.Sequential(OrderedDict(part))) for name, part in layers)
    return nn.Sequential(OrderedDict(
        **parts, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten()))


def nin_imagenet():
    return nin(("conv", 96, 11, 4, 0), ("cccp", 96), ("cccp", 96), ("max",),
               ("conv", 256, 5, 1, 2), ("cccp", 256), ("cccp", 256), ("max",),
               ("conv", 384, 3, 1, 1), ("cccp", 384), ("cccp", 384), ("max",), ("dropout",),
               ("conv", 1024, 3, 1, 1), ("cccp", 1024), ("classes", 1000))


def nin_cifar10():
    return nin(("conv", 192, 5, 1, 2), ("cccp", 160), ("cccp", 96), ("max",), ("dropout",),
               ("conv", 192, 5, 1, 2), ("cccp", 192), ("cccp", 192), ("average",), ("dropout",),
               ("conv", 192, 3, 1, 1), ("cccp", 192), ("classes", 10))


def xception():
    def separable(channels, out):
        return nn.Sequential(OrderedDict(
            conv1=nn.Conv2d(channels, channels, 3, 1, 1, groups=channels, bias=False),
            pointwise=nn.Conv2d(channels, out, 1, bias=False)))

    class Flow(nn.Module):
        def __init__(self, *channels, stride=2, relu=True):
            super().__init__()
            if stride == 2:
                self.skip = nn.Conv2d(channels[0], channels[-1], 1, 2, bias=False)
                self.skipbn = nn.BatchNorm2d(channels[-1])
            parts = []
            for before, after in zip(channels, channels[1:]):
                parts += [nn.ReLU(), separable(before, after), nn.BatchNorm2d(after)]
            parts = parts if relu else parts[1:]
            self.rep = nn.Sequential(*parts, *[nn.MaxPool2d(3, 2, 1)] * (stride == 2))

        def forward(self, x):
            return self.rep(x) + (self.skipbn(self.skip(x)) if hasattr(self, "skip") else x)

    blocks = [Flow(64, 128, 128, relu=False), Flow(128, 256, 256), Flow(256, 728, 728),
              *[Flow(728, 728, 728, 728, stride=1) for _ in range(8)], Flow(728, 728, 1024)]
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 32, 3, 2, bias=False), bn1=nn.BatchNorm2d(32), relu1=nn.ReLU(),
        conv2=nn.Conv2d(32, 64, 3, bias=False), bn2=nn.BatchNorm2d(64), relu2=nn.ReLU(),
        **{f"block{i}": block for i, block in enumerate(blocks, 1)},
        conv3=separable(1024, 1536), bn3=nn.BatchNorm2d(1536), relu3=nn.ReLU(),
        conv4=separable(1536, 2048), bn4=nn.BatchNorm2d(2048), relu4=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(2048, 1000)))


def alexnet_2012(groups):
    def pool():
        return nn.MaxPool2d(3, 2)

    def norm():
        return nn.LocalResponseNorm(5, 1e-4, 0.75, 1)

    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 96, 11, 4), relu1=nn.ReLU(), norm1=norm(), pool1=pool(),
        conv2=nn.Conv2d(96, 256, 5, 1, 2, groups=groups), relu2=nn.ReLU(), norm2=norm(),
        pool2=pool(),
        conv3=nn.Conv2d(256, 384, 3, 1, 1), relu3=nn.ReLU(),
        conv4=nn.Conv2d(384, 384, 3, 1, 1, groups=groups), relu4=nn.ReLU(),
        conv5=nn.Conv2d(384, 256, 3, 1, 1, groups=groups), relu5=nn.ReLU(), pool5=pool(),
        flatten=nn.Flatten(), fc6=nn.Linear(9216, 4096), relu6=nn.ReLU(),
        fc7=nn.Linear(4096, 4096), relu7=nn.ReLU(), fc8=nn.Linear(4096, 1000)))


def googlenet_2014(aux_logits):
    """torchvision's, with what it changed put back."""
    class Convolution(nn.Module):
        def __init__(self, channels, out, **options):
            super().__init__()
            self.conv = nn.Conv2d(channels, out, **options)

        def forward(self, x):
            return self.conv(x).relu()

    class Head(InceptionAux):
        def forward(self, x):
            x = self.conv(nn.functional.avg_pool2d(x, 5, 3)).flatten(1)
            return self.fc2(self.dropout(self.fc1(x).relu()))

    blocks = [Convolution, lambda *n: Inception(*n, Convolution),
              lambda *n, **p: Head(*n, Convolution, **p)]
    net = torchvision.models.GoogLeNet(
        aux_logits=aux_logits, init_weights=False, blocks=blocks)
    for block in net.modules():
        if isinstance(block, Inception):
            third = block.branch3[1].conv
            block.branch3[1].conv = nn.Conv2d(third.in_channels, third.out_channels, 5, padding=2)
    net.maxpool4.kernel_size = 3
    norm = nn.LocalResponseNorm(5, 1e-4, 0.75, 1)
    for layer in net.maxpool1, net.conv3:
        layer.register_forward_hook(lambda _, __, output: norm(output))
    return net


def mnist_tutorial():
    def stage(channels, out, *dropout):
        return [nn.Conv2d(channels, out, 5), *dropout, nn.MaxPool2d(2), nn.ReLU()]

    names = "conv1 pool1 relu1 conv2 drop2 pool2 relu2 flatten fc1 relu3 drop3 fc2".split()
    layers = [*stage(1, 10), *stage(10, 20, nn.Dropout2d()), nn.Flatten(), nn.Linear(320, 50),
              nn.ReLU(), nn.Dropout(), nn.Linear(50, 10)]
    return nn.Sequential(OrderedDict(zip(names, layers)))


def mobilenet_v1(width):
    def layer(channels, out, stride, groups=1):
        kernel = 1 if groups == 1 and channels != 3 else 3
        conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out), nn.ReLU()]

    def stage(channels, *rows):
        for out, stride in rows:
            channels, before = int(out * width), channels
            yield nn.Sequential(*layer(before, before, stride, before), *layer(before, channels, 1))

    c = [int(n * width) for n in (32, 256, 512, 1024)]
    return nn.Sequential(OrderedDict(
        stage1=nn.Sequential(nn.Sequential(*layer(3, c[0], 2)), *stage(
            c[0], (64, 1), (128, 2), (128, 1), (256, 2), (256, 1))),
        stage2=nn.Sequential(*stage(c[1], (512, 2), *[(512, 1)] * 5)),
        stage3=nn.Sequential(*stage(c[2], (1024, 2), (1024, 1))),
        avg=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(c[3], 1000)))


def deeplab_v3(output_stride, rates, aux):
    body = torchvision.models.resnet50(
        replace_stride_with_dilation=[False, output_stride == 8, True])
    net = _deeplabv3_resnet(body, 21, aux)
    for branch, rate in zip(net.classifier[0].convs[1:4], rates):
        branch[0].dilation = branch[0].padding = (rate, rate)
    forward = net.forward

    def as_logits(images):
        outputs = forward(images)
        return tuple(outputs.values()) if net.training and aux else outputs["out"]

    net.forward = as_logits
    return net


class SCells(nn.Module):
    def __init__(self, channels, out, padding, r):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(out, channels, 5, 5))
        self.b = nn.Parameter(torch.zeros(out, 1, 1))
        self.register_buffer("c", torch.zeros(1, channels, 5, 5))
        self.padding, self.r = padding, r

    def forward(self, u):
        excited = nn.functional.conv2d(u, self.a, padding=self.padding)
        seen = nn.functional.conv2d(u ** 2, self.c, padding=self.padding).relu().sqrt()
        inhibited = 2 * self.r / (1 + self.r) * self.b * seen
        return self.r * ((1 + excited) / (1 + inhibited) - 1).relu()


class CCells(nn.Module):
    def __init__(self, planes, side, stride=1, padding=(0, 0)):
        super().__init__()
        self.register_buffer("d", torch.zeros(planes, 1, side, side))
        self.stride, self.padding = stride, padding * 2

    def forward(self, u):
        u = nn.functional.pad(u, self.padding)
        seen = nn.functional.conv2d(u, self.d, stride=self.stride, groups=u.shape[1])
        x = ((1 + seen) / (1 + seen.mean(1, keepdim=True)) - 1).relu()
        return x / (0.5 + x)


def neocognitron():
    return nn.Sequential(OrderedDict(
        s1=SCells(1, 24, 2, 4), c1=CCells(24, 5, 2, (3, 4)),
        s2=SCells(24, 24, 1, 1.5), c2=CCells(24, 5, 1, (1, 1)),
        s3=SCells(24, 24, 0, 1.5), c3=CCells(24, 2), flatten=nn.Flatten()))


class NormWithinChannel(nn.Module):
    def forward(self, x):
        return x / (1 + 5e-5 * nn.functional.avg_pool2d(x ** 2, 3, 1, 1)) ** 0.75


class Pyramid(nn.Module):
    def forward(self, x):
        def level(n):  # by the paper's borders of bin i: floor(i w / n) and ceil((i + 1) w / n)
            borders = [[(i * w // n, -(-(i + 1) * w // n)) for i in range(n)] for w in x.shape[2:]]
            bins = [x[:, :, top:bottom, left:right].amax((2, 3))
                    for top, bottom in borders[0] for left, right in borders[1]]
            return torch.stack(bins, 2).flatten(1)

        return torch.cat([level(n) for n in (1, 2, 3, 6)], 1)


def spp_net():
    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 96, 7, 2, 1), relu1=nn.ReLU(), norm1=NormWithinChannel(), pool1=pool(),
        conv2=nn.Conv2d(96, 256, 5, 2), relu2=nn.ReLU(), norm2=NormWithinChannel(), pool2=pool(),
        conv3=nn.Conv2d(256, 384, 3, 1, 1), relu3=nn.ReLU(),
        conv4=nn.Conv2d(384, 384, 3, 1, 1), relu4=nn.ReLU(),
        conv5=nn.Conv2d(384, 256, 3, 1, 1), relu5=nn.ReLU(), pyramid=Pyramid(),
        fc6=nn.Linear(12800, 4096), relu6=nn.ReLU(), drop6=nn.Dropout(),
        fc7=nn.Linear(4096, 4096), relu7=nn.ReLU(), drop7=nn.Dropout(), fc8=nn.Linear(4096, 1000)))


class WaveNet(nn.Module):
    class Layer(nn.Module):
        def __init__(self, dilation, last):
            super().__init__()
            self.filter = nn.Conv1d(32, 32, 2, dilation=dilation)
            self.gate = nn.Conv1d(32, 32, 2, dilation=dilation)
            self.skip = nn.Conv1d(32, 1024, 1)
            if not last:
                self.residual = nn.Conv1d(32, 32, 1)

    def __init__(self):
        super().__init__()
        self.start = nn.Conv1d(256, 32, 1)
        self.layers = nn.ModuleList(self.Layer(2 ** (i % 10), i == 29) for i in range(30))
        self.end1 = nn.Conv1d(1024, 512, 1)
        self.end2 = nn.Conv1d(512, 256, 1)

    def forward(self, images):
        x, skips = self.start(images[:, :, 0]), 0
        for layer in self.layers:
            past = nn.functional.pad(x, (*layer.filter.dilation, 0))
            y = layer.filter(past).tanh() * layer.gate(past).sigmoid()
            skips = skips + layer.skip(y)
            x = x + layer.residual(y) if hasattr(layer, "residual") else x
        return self.end2(self.end1(skips.relu()).relu())[:, :, None]


# ---- all networks: name, image side (large variants of a family on less than their own), with
# auxiliary heads, reference


def networks():
    def of_torchvision(name, **options):
        return lambda: getattr(torchvision.models, name)(**options)

    for name in ("alexnet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
                 "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
                 "squeezenet1_0", "squeezenet1_1",
                 "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5",
                 "shufflenet_v2_x2_0", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3",
                 "efficientnet_b0"):
        yield name, 224, False, of_torchvision(name)
    for name, side in (("vit_b_16", 224), ("vit_b_32", 64), ("vit_l_16", 32), ("vit_l_32", 32)):
        yield name, side, False, of_torchvision(name, image_size=side)
    for name, side in (("convnext_tiny", 224), ("convnext_small", 64), ("convnext_base", 64),
                       ("convnext_large", 64)):
        yield name, side, False, of_torchvision(name)
    for form in "b1", "b2", "b3", "b4", "b5", "b6", "b7", "v2_s", "v2_m", "v2_l":
        yield f"efficientnet_{form}", 96, False, of_torchvision(f"efficientnet_{form}")
    for depth in 11, 13, 16, 19:
        yield f"vgg{depth}", 224, False, of_torchvision(f"vgg{depth}")
        yield f"vgg{depth}_bn", 224, False, of_torchvision(f"vgg{depth}_bn")
    for aux in False, True:
        options = {"aux_logits": aux, "init_weights": False}
        yield "googlenet", 224, aux, of_torchvision("googlenet", **options)
        yield "googlenet_2014", 224, aux, lambda aux=aux: googlenet_2014(aux)
        yield "inception_v3", 299, aux, of_torchvision("inception_v3", **options)
    for aux in False, True:
        yield "deeplabv3_resnet50", 65, aux, lambda aux=aux: deeplab_v3(8, (12, 24, 36), aux)
    yield "deeplabv3_resnet50_os16", 65, True, lambda: deeplab_v3(16, (6, 12, 18), True)
    yield "resnet50_v1", 224, False, resnet50_v1
    yield "resnext50_32x4d", 224, False, of_torchvision("resnext50_32x4d")
    for name in "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2":
        yield name, 64, False, of_torchvision(name)
    yield "resnet50_os16", 128, False, lambda: dilated_resnet50(False, False, True)
    yield "resnet50_os8", 128, False, lambda: dilated_resnet50(False, True, True)
    for depth, side in (121, 224), (161, 96), (169, 96), (201, 96):
        yield f"densenet{depth}", side, False, of_torchvision(f"densenet{depth}")
    for depth, blocks in (50, [3, 4, 6, 3]), (101, [3, 4, 23, 3]), (152, [3, 8, 36, 3]), (
            200, [3, 24, 36, 3]):
        yield f"preact_resnet{depth}", 224 if depth == 50 else 64, False, (
            lambda blocks=blocks: preact_resnet(blocks, 64, (1, 3, 1), 2, 4))
    yield "preact_resnet110", 32, False, lambda: preact_resnet([18] * 3, 16, (3, 3), 1, 1)
    for depth in 164, 1001:
        yield f"preact_resnet{depth}", 32, False, (
            lambda blocks=depth // 9: preact_resnet([blocks] * 3, 16, (1, 3, 1), 1, 4))
    yield "nin", 224, False, nin_imagenet
    yield "nin_cifar10", 32, False, nin_cifar10
    yield "xception", 299, False, xception
    for depth in 20, 32, 44, 56, 110, 1202:
        yield f"resnet{depth}", 32, False, lambda depth=depth: resnet_cifar(depth)
    yield "alexnet_2012", 227, False, lambda: alexnet_2012(2)
    yield "alexnet_2012_ungrouped", 227, False, lambda: alexnet_2012(1)
    yield "mnist_tutorial", 28, False, mnist_tutorial
    yield "neocognitron", 16, False, neocognitron
    for side in 180, 224:
        yield "spp_net", side, False, spp_net
    yield "wavenet", 64, False, WaveNet
    for width, end in (1, ""), (0.75, "_x0_75"), (0.5, "_x0_5"), (0.25, "_x0_25"):
        yield "mobilenet_v1" + end, 224, False, lambda width=width: mobilenet_v1(width)


# ---- the formula of forward_probe.cpp

PRIME = 65537
CUBES = numpy.array([x ** 3 % PRIME for x in range(PRIME)]) / 32768 - 1


def noise(name, shape, centre=0.0, scale=1.0):
    start = 0
    for letter in name:
        start = (31 * start + ord(letter)) % PRIME
    period = (centre + scale * numpy.roll(CUBES, -start)).astype(numpy.float32)
    return torch.from_numpy(numpy.resize(period, shape))


def fill(name, tensor):
    if not tensor.is_floating_point():
        return
    centre, scale = 0.0, 0.25
    if tensor.dim() > 1:
        scale = (6.0 * tensor.shape[0] / tensor.numel()) ** 0.5
        if name.endswith((".a", ".b", ".c", ".d")):
            centre = scale
    elif name.endswith("bn2.weight"):
        centre = 0.25
    elif name.endswith(("weight", "running_var")):
        centre = 1.0
    tensor.copy_(noise(name, tuple(tensor.shape), centre, scale))


# ---- comparison


class Different(Exception):
    pass


def describe(net):
    for kind, tensors in ("parameter", net.named_parameters()), ("buffer", net.named_buffers()):
        for name, tensor in tensors:
            yield " ".join([kind, name, *map(str, tensor.shape)])


def fill_and_run(net, shape):
    """The numbers that forward_probe prints: for each title a list of tensors."""
    for tensors in net.named_parameters(), net.named_buffers():
        for name, tensor in tensors:
            fill(name, tensor)
    images = noise("images", shape)
    results = {"evaluation": [net.eval()(images)]}
    for module in net.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d, StochasticDepth)):
            module.p = 0.0
    outputs = net.train()(images)
    # With heads a tuple: the logits, then the heads from below, whatever GoogLeNet calls them.
    results["training"] = list(outputs) if isinstance(outputs, tuple) else [outputs]
    results["statistics"] = [b.mean() for b in net.buffers() if b.is_floating_point()]
    return results


def largest_error(title, found, expected):
    if len(found) != len(expected):
        raise Different(f"{len(found)} x {title}, the reference has {len(expected)}")
    errors = [0.0]
    for ours, theirs in zip(found, expected):
        ours, theirs = torch.tensor(ours).double().reshape(theirs.shape), theirs.double()
        scale = theirs.abs() if title == "statistics" else (theirs - theirs.mean(0)).std()
        errors.append(float((ours - theirs).abs().max() / scale))
    worst = float(torch.tensor(errors).max())  # NaN if any is
    if not worst <= TOLERANCE:
        raise Different(f"{title} off by {worst:.0e}")
    return worst


def check(probe, name, side, heads, make):
    """A sentence about what is equal; raises Different."""
    command = [probe, name, str(int(heads)), str(IMAGES), str(side)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise Different(run.stderr.splitlines()[0])
    lines = run.stdout.splitlines()
    net = make()
    ours = [line for line in lines if line.startswith(("parameter ", "buffer "))]
    for mine, theirs in zip_longest(ours, describe(net)):
        if mine != theirs:
            raise Different(f"{mine}, the reference has {theirs}")
    sentence = f"{sum(p.numel() for p in net.parameters())} parameters"
    shape = [int(n) for line in lines if line.startswith("images ") for n in line.split()[1:]]
    with torch.no_grad():
        results = fill_and_run(net, shape)
    for title, expected in results.items():
        found = [[float(word) for word in line.split()[1:]]
                 for line in lines if line.startswith(title + " ")]
        worst = largest_error(title, found, expected)
        if expected:
            sentence += f", {title} {worst:.0e}"
    return sentence


def main(probe, *wanted):
    passed = failed = 0
    for name, side, heads, make in networks():
        if wanted and name not in wanted:
            continue
        try:
            verdict, sentence = "ok", check(probe, name, side, heads, make)
            passed += 1
        except Different as difference:
            verdict, sentence = "FAILED", difference
            failed += 1
        print(f"{verdict:6} {name}{' with heads' if heads else ''}: {sentence}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
