#!/usr/bin/python3
"""Decoding, resizing, cropping, normalising and changing colours, against Pillow and torchvision:
every byte and every bit of a float must be equal.

    pillow_test.py image_probe [FOLDER]          FOLDER: more images, at any depth
    pillow_test.py image_probe FOLDER --time     milliseconds an image, both sides by turns
"""
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time

try:
    import numpy
    import torch
    import torchvision.transforms.functional as functional
    from PIL import Image, ImageOps, features
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
INTERPOLATIONS = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR,
                  "bicubic": InterpolationMode.BICUBIC}
ORIENTATION = 0x0112


class Probe:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *request):
        self.process.stdin.write((" ".join(str(word) for word in request) + "\n").encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def image(self, channels, *request):
        said = self.ask(*request)
        if said.startswith("error"):
            raise ValueError(said)
        height, width = map(int, said.split())
        return self.read(numpy.uint8, height, width, channels)

    def read(self, kind, *shape):
        size = int(numpy.prod(shape)) * numpy.dtype(kind).itemsize
        return numpy.frombuffer(self.process.stdout.read(size), kind).reshape(shape)


def smooth(generator, height, width, channels):
    """Colours that change slowly, with noise: a JPEG of noise alone says little."""
    y, x = numpy.mgrid[:height, :width]
    planes = [128 + 90 * numpy.sin(x / (7.0 + 5 * c) + y / 23.0 + c) for c in range(channels)]
    noise = generator.normal(0, 25, (height, width, channels))
    pixels = numpy.clip(numpy.stack(planes, 2) + noise, 0, 255).astype(numpy.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels,
                           {1: "L", 3: "RGB", 4: "CMYK"}[channels])


def made_images(folder):
    """A file of each kind, for several sizes."""
    generator = numpy.random.default_rng(1)
    sizes = [(1, 1), (1, 17), (19, 1), (8, 8), (64, 48), (97, 131), (233, 150), (500, 375)]
    for height, width in sizes:
        def save(image, kind, extension, **options):
            path = os.path.join(folder, f"{kind}-{height}x{width}.{extension}")
            image.save(path, **options)
            return path

        colour, grey = smooth(generator, height, width, 3), smooth(generator, height, width, 1)
        cmyk = smooth(generator, height, width, 4)
        for subsampling, progressive in itertools.product((0, 1, 2), (False, True)):
            yield save(colour, f"colour-{subsampling}-{progressive}", "jpg", quality=85,
                       subsampling=subsampling, progressive=progressive)
        yield save(colour, "optimised", "jpg", quality=30, optimize=True)
        yield save(grey, "grey", "jpg", quality=90)
        yield save(grey, "grey-progressive", "jpg", progressive=True)
        yield save(cmyk, "cmyk", "jpg", quality=90)
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            yield save(colour, f"turned-{orientation}", "jpg", exif=exif, quality=80)
        yield save(colour, "colour", "png")
        yield save(grey, "grey", "png")
        alpha = colour.copy()
        alpha.putalpha(grey)
        yield save(alpha, "alpha", "png")
        grey_alpha = grey.copy()
        grey_alpha.putalpha(grey)
        yield save(grey_alpha, "grey-alpha", "png")
        for colours in (2, 4, 16, 256):
            yield save(colour.quantize(colours), f"palette-{colours}", "png")
        yield save(colour.quantize(16), "palette-transparent", "png", transparency=3)
        yield save(grey.convert("1"), "one-bit", "png")
        yield save(colour, "transparent", "png", transparency=(1, 2, 3))


def pillow_image(path, channels):
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        return upright.convert("RGB").convert("L") if channels == 1 else upright.convert("RGB")


def pixels_of(image):
    pixels = numpy.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


failures = []


def expect(equal, what):
    if not equal:
        failures.append(what)
        print("differs:", what)


def compare_decoding(probe, path):
    for channels in (1, 3):
        ours = probe.image(channels, "decode", path, channels)
        theirs = pixels_of(pillow_image(path, channels))
        expect(ours.shape == theirs.shape and (ours == theirs).all(), f"decode {path} {channels}")


def compare_preparation(probe, path, channels, resize, crop, interpolation, scale=1, bgr=0):
    request = ("prepare", path, channels, resize, crop, interpolation, scale, bgr)
    ours = probe.image(channels, *request)
    values = probe.read(numpy.float32, channels, *ours.shape[:2])
    image = pillow_image(path, channels)
    if resize:
        image = transforms.Resize(resize, INTERPOLATIONS[interpolation])(image)
    if crop:
        image = transforms.CenterCrop(crop)(image)
    theirs = pixels_of(image)
    if ours.shape != theirs.shape or (ours != theirs).any():
        expect(False, f"{request}: shapes {ours.shape} {theirs.shape}")
        return
    tensor = transforms.ToTensor()(image)
    tensor = tensor.flip(0) if bgr else tensor
    normalised = transforms.Normalize(MEAN[:channels], DEVIATION[:channels])(tensor * scale)
    expect(normalised.numpy().tobytes() == values.tobytes(), f"{request}: values")


def compare_random_sizes(probe, folder, count):
    generator, chance = numpy.random.default_rng(2), random.Random(3)
    path = os.path.join(folder, "random.png")
    for _ in range(count):
        high, wide = (int(2 ** chance.uniform(0, 9.5)) for _ in range(2))
        channels = chance.choice([1, 3])
        # Noise, and black and white alone, where bicubic goes beyond the range.
        pixels = generator.integers(0, 256, (high, wide, 3), numpy.uint8)
        if chance.random() < 0.5:
            pixels = (pixels // 128 * 255).astype(numpy.uint8)
        Image.fromarray(pixels, "RGB").save(path, compress_level=1)
        # Resizing a narrow strip makes a long one.
        most = max(1, int(3000 * min(high, wide) / max(high, wide)))
        resize = chance.choice([0, 1, chance.randint(1, min(most, 600))])
        crop = chance.choice([0, 0, 1, 7, 32, 224, chance.randint(1, 300)])
        for interpolation in INTERPOLATIONS:
            compare_preparation(probe, path, channels, min(resize, most), crop, interpolation)


def compare_colours(probe, path):
    image = pillow_image(path, 3)
    factors = [0, 0.3, 0.77, 1, 1.25, 1.9]
    cases = {"brightness": (functional.adjust_brightness, factors),
             "contrast": (functional.adjust_contrast, factors),
             "saturation": (functional.adjust_saturation, factors),
             "hue": (functional.adjust_hue, [-0.5, -0.21, -0.1, 0, 0.05, 0.33, 0.5])}
    for name, (adjust, values) in cases.items():
        for value in values:
            ours = probe.image(3, "adjust", path, name, value)
            theirs = numpy.asarray(adjust(image, value))
            expect((ours == theirs).all(), f"adjust {name} {value} {path}")


def images_in(folder):
    for directory, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.lower().endswith((".jpg", ".jpeg", ".png")) and " " not in directory + name:
                yield os.path.join(directory, name)


def measure(probe, folder, rounds=7):
    torch.set_num_threads(1)
    rest = transforms.Compose([transforms.CenterCrop(224), transforms.ToTensor(),
                               transforms.Normalize(MEAN, DEVIATION)])
    resize = transforms.Resize(256)
    paths = list(images_in(folder))
    ours, theirs = [], []
    for _ in range(rounds):
        mine, other = numpy.zeros(3), numpy.zeros(3)
        for path in paths:
            mine += [float(word) for word in probe.ask("time", path, 1).split()]
            start = time.perf_counter()
            with Image.open(path) as file:
                image = file.convert("RGB")
            decoded = time.perf_counter()
            image = resize(image)
            resized = time.perf_counter()
            rest(image)
            other += [decoded - start, resized - decoded, time.perf_counter() - resized]
        ours.append(mine / len(paths) * 1000)
        theirs.append(other / len(paths) * 1000)
    print(f"{len(paths)} images, {rounds} rounds, medians, milliseconds an image")
    print("          decode  resize    rest     all")
    for name, times in (("convscope", ours), ("Python", theirs)):
        times = numpy.array(times)
        parts = [*numpy.median(times, 0), numpy.median(times.sum(1))]
        print(f"{name:9}" + "".join(f"{part:8.3f}" for part in parts))
    ratios = numpy.array(theirs).sum(1) / numpy.array(ours).sum(1)
    print(f"Python / convscope {numpy.median(ratios):.2f}, "
          f"of the rounds {ratios.min():.2f} to {ratios.max():.2f}")


def main():
    probe = Probe(sys.argv[1])
    shared = sys.argv[2] if len(sys.argv) > 2 else None
    if "--time" in sys.argv:
        measure(probe, shared)
        return 0
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as folder:
        made = list(made_images(folder))
        for path in made:
            compare_decoding(probe, path)
            compare_preparation(probe, path, chance.choice([1, 3]), chance.choice([0, 20, 37, 64]),
                                chance.choice([0, 16, 33]), chance.choice(list(INTERPOLATIONS)))
        large = os.path.join(folder, "colour-2-False-500x375.jpg")
        compare_preparation(probe, large, 3, 256, 224, "bilinear", 255, 1)
        compare_preparation(probe, large, 3, 256, 224, "bicubic", 1, 1)
        compare_preparation(probe, large, 1, 256, 224, "bilinear", 255, 0)
        compare_random_sizes(probe, folder, 300)
        for name in ("colour-97x131.png", "palette-4-64x48.png", "colour-1x17.png"):
            compare_colours(probe, os.path.join(folder, name))
    found = list(images_in(shared)) if shared else []
    for path in found:
        compare_decoding(probe, path)
        compare_preparation(probe, path, 3, 256, 224, "bilinear")
    for path in found[:3]:
        compare_colours(probe, path)
    print(f"{len(made)} made and {len(found)} found images, Pillow {Image.__version__}, libjpeg "
          f"{features.version('jpg')}: {len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
