// How long an image takes to become what a network sees, stage by stage, on one thread:
//   image_benchmark                 one made image of 500 x 375, as ImageNet's are
//   image_benchmark --images=DIR    and all JPEGs and PNGs of a folder, by turns
// tests/data/pillow_test.py --time compares with Python.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "suite/data/augmentation.h"
#include "tests/data/made_images.h"

namespace convscope {
namespace {

const Preprocessing imagenet = {
    256, 224, Interpolation::bilinear, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};

Bytes made_file() {
  JpegKind kind;
  kind.horizontal = kind.vertical = 2;
  return made_jpeg(375, 500, kind);
}

View view_of(Size size) { return centre_view(imagenet, size); }

Region wanted_of(Size size) { return needed(view_of(size), size, imagenet.interpolation); }

void decode_files(benchmark::State& state, const std::vector<Bytes>& files,
                  const WantedRegion& wanted) {
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(decode(files[i++ % files.size()], 3, wanted));
}

void resize_and_crop(benchmark::State& state) {
  const auto interpolation = static_cast<Interpolation>(state.range(0));
  const Image image = decode(made_file());
  for (auto _ : state) benchmark::DoNotOptimize(render(image, view_of(image.full), interpolation));
}

void values(benchmark::State& state) {
  const Image image = {{224, 224}, {0, 0, 224, 224}, 3, made_pixels(224, 224, 3)};
  std::vector<float> out(image.pixels.size());
  for (auto _ : state) {
    normalise(image, imagenet, out.data());
    benchmark::ClobberMemory();
  }
}

void colour_jitter(benchmark::State& state) {
  Image image = {{224, 224}, {0, 0, 224, 224}, 3, made_pixels(224, 224, 3)};
  Augmentation augmentation;
  augmentation.brightness = augmentation.contrast = augmentation.saturation = 0.4;
  augmentation.hue = 0.1;
  Random random(1);
  for (auto _ : state) jitter(image, augmentation, random);
}

void prepare(const Bytes& file, std::vector<float>& out) {
  View view;
  const Image image = decode(file, 3, [&](Size size) {
    view = view_of(size);
    return needed(view, size, imagenet.interpolation);
  });
  normalise(render(image, view, imagenet.interpolation), imagenet, out.data());
}

void prepare_files(benchmark::State& state, const std::vector<Bytes>& files) {
  std::vector<float> out(3 * 224 * 224);
  size_t i = 0;
  for (auto _ : state) prepare(files[i++ % files.size()], out);
}

std::vector<Bytes> files_in(const std::string& folder) {
  std::vector<Bytes> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    Bytes file((std::istreambuf_iterator<char>(stream)), {});
    try {
      decode(file);
      files.push_back(std::move(file));
    } catch (const BrokenImage& broken) {
      std::cerr << entry.path().string() << ' ' << broken.what() << '\n';
    }
  }
  return files;
}

}  // namespace
}  // namespace convscope

int main(int argc, char** argv) {
  using namespace convscope;
  constexpr auto unit = benchmark::kMicrosecond;
  const auto register_files = [](const std::string& of, const std::vector<Bytes>& files) {
    benchmark::RegisterBenchmark(("decode_whole/" + of).c_str(), decode_files, files, nullptr)
        ->Unit(unit);
    benchmark::RegisterBenchmark(("decode_needed/" + of).c_str(), decode_files, files, wanted_of)
        ->Unit(unit);
    benchmark::RegisterBenchmark(("prepare/" + of).c_str(), prepare_files, files)->Unit(unit);
  };
  register_files("made", {made_file()});
  for (const auto& [name, interpolation] :
       std::map<std::string, Interpolation>{{"nearest", Interpolation::nearest},
                                            {"bilinear", Interpolation::bilinear},
                                            {"bicubic", Interpolation::bicubic}}) {
    benchmark::RegisterBenchmark(("resize/" + name).c_str(), resize_and_crop)
        ->Arg(static_cast<int>(interpolation))
        ->Unit(unit);
  }
  benchmark::RegisterBenchmark("normalise", values)->Unit(unit);
  benchmark::RegisterBenchmark("jitter", colour_jitter)->Unit(unit);
  const std::string option = "--images=";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.compare(0, option.size(), option) != 0) continue;
    const std::vector<Bytes> files = files_in(argument.substr(option.size()));
    if (files.empty()) return 1;
    register_files("folder", files);
    std::rotate(argv + i, argv + i + 1, argv + argc);
    --argc;
    --i;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
