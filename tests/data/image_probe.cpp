// What pillow_test.py asks: a request in each line of standard input, for each a line that says
// height and width, or what is wrong, and then the bytes.
//   decode PATH CHANNELS
//   prepare PATH CHANNELS RESIZE CROP INTERPOLATION RANGE BGR    bytes, then floats
//   adjust PATH WHAT FACTOR
//   time PATH REPEATS    seconds of the stages of prepare at 256 and 224, instead of a size
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "suite/data/augmentation.h"
#include "suite/data/image.h"
#include "suite/data/transforms.h"

namespace convscope {
namespace {

std::vector<char> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<char> bytes(file ? static_cast<size_t>(file.tellg()) : 0);
  file.seekg(0).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

Image decode(const std::vector<char>& file, int64_t channels, const WantedRegion& wanted = {}) {
  return decode_image(reinterpret_cast<const std::byte*>(file.data()), file.size(), channels,
                      wanted);
}

void answer(const Image& image) {
  std::cout << image.part.height << ' ' << image.part.width << '\n';
  std::cout.write(reinterpret_cast<const char*>(image.pixels.data()),
                  static_cast<std::streamsize>(image.pixels.size()));
}

Image prepare(const std::vector<char>& file, const Preprocessing& preprocessing) {
  View view;
  const Image image = decode(file, static_cast<int64_t>(preprocessing.mean.size()), [&](Size size) {
    view = centre_view(preprocessing, size);
    return needed(view, size, preprocessing.interpolation);
  });
  return render(image, view, preprocessing.interpolation);
}

Preprocessing preprocessing_for(int64_t channels) {
  Preprocessing result = {256, 224, Interpolation::bilinear, {0.485}, {0.229}};
  if (channels == 3) {
    result.mean = {0.485, 0.456, 0.406};
    result.deviation = {0.229, 0.224, 0.225};
  }
  return result;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void time_stages(const std::string& path, int repeats) {
  const Preprocessing preprocessing = preprocessing_for(3);
  std::vector<float> values(3 * 224 * 224);
  double stages[3] = {};
  for (int i = 0; i < repeats; ++i) {
    const double start = seconds();
    const std::vector<char> file = read(path);
    View view;
    const Image image = decode(file, 3, [&](Size size) {
      view = centre_view(preprocessing, size);
      return needed(view, size, preprocessing.interpolation);
    });
    const double decoded = seconds();
    const Image rendered = render(image, view, preprocessing.interpolation);
    const double resized = seconds();
    normalise(rendered, preprocessing, values.data());
    stages[0] += decoded - start;
    stages[1] += resized - decoded;
    stages[2] += seconds() - resized;
  }
  for (const double stage : stages) std::cout << stage / repeats << ' ';
  std::cout << '\n';
}

void handle(const std::string& request) {
  std::istringstream in(request);
  std::string what, path;
  in >> what >> path;
  if (what == "decode") {
    int64_t channels = 0;
    in >> channels;
    answer(decode(read(path), channels));
  } else if (what == "prepare") {
    static const std::map<std::string, Interpolation> interpolations = {
        {"nearest", Interpolation::nearest},
        {"bilinear", Interpolation::bilinear},
        {"bicubic", Interpolation::bicubic}};
    int64_t channels = 0, resize = 0, crop = 0;
    std::string interpolation;
    double range = 1;
    bool bgr = false;
    in >> channels >> resize >> crop >> interpolation >> range >> bgr;
    Preprocessing preprocessing = preprocessing_for(channels);
    preprocessing.resize = resize;
    preprocessing.crop = crop;
    preprocessing.interpolation = interpolations.at(interpolation);
    preprocessing.range = range;
    preprocessing.bgr = bgr;
    const Image image = prepare(read(path), preprocessing);
    std::vector<float> values(image.pixels.size());
    normalise(image, preprocessing, values.data());
    answer(image);
    std::cout.write(reinterpret_cast<const char*>(values.data()),
                    static_cast<std::streamsize>(values.size() * sizeof(float)));
  } else if (what == "adjust") {
    static const std::map<std::string, void (*)(Image&, double)> adjustments = {
        {"brightness", adjust_brightness},
        {"contrast", adjust_contrast},
        {"saturation", adjust_saturation},
        {"hue", adjust_hue}};
    std::string which;
    double factor = 0;
    in >> which >> factor;
    Image image = decode(read(path), 3);
    adjustments.at(which)(image, factor);
    answer(image);
  } else if (what == "time") {
    int repeats = 1;
    in >> repeats;
    time_stages(path, repeats);
  }
}

}  // namespace
}  // namespace convscope

int main() {
  for (std::string request; std::getline(std::cin, request);) {
    try {
      convscope::handle(request);
    } catch (const std::exception& error) {
      std::cout << "error: " << error.what() << '\n';
    }
    std::cout.flush();
  }
  return 0;
}
