// Activation maximisation, where the maximum is known by hand, and by what must hold of any.
#include "suite/interpretation/dream.h"

#include <gtest/gtest.h>

#include <cmath>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/analysis/graph_layers.h"
#include "suite/data/random.h"
#include "suite/interpretation/cosine_basis.h"

namespace convscope {
namespace {

constexpr int64_t side = 8;

/// Two units, each of which is one kernel over the whole image; perhaps with a rectifier.
struct WholeImageKernels : Network {
  WholeImageKernels(const Settings& settings, double bias, bool rectified)
      : kernels(register_module("kernels", torch::nn::Conv2d(torch::nn::Conv2dOptions(
                                               settings.image.channels, 2, side)))),
        rectified_(rectified) {
    const torch::NoGradGuard plain;
    kernels->bias.fill_(bias);
  }

  torch::Tensor forward(torch::Tensor images) override {
    images = kernels->forward(images);
    return (rectified_ ? images.relu() : images).flatten(1);
  }

  torch::nn::Conv2d kernels;
  bool rectified_;
};

LoadedNetwork kernels_of(int64_t channels, double bias = 0, bool rectified = false) {
  const Architecture architecture = {
      "kernels", 2026, "", "", {{channels, side, side}, 2, 0}, [=](const Settings& settings) {
        return std::make_shared<WholeImageKernels>(settings, bias, rectified);
      }};
  return initial_network(architecture, architecture.settings, 3);
}

const Preprocessing colours = {
    side, side, Interpolation::bilinear, {0.4, 0.5, 0.6}, {0.2, 0.25, 0.3}};

/// The most that a unit of kernels_of() can be: white where its weights are above 0, else black.
double highest(const LoadedNetwork& network, int64_t unit, const Preprocessing& seen) {
  const std::vector<float> weights = tensor_values(network, "kernels.weight");
  double sum = tensor_values(network, "kernels.bias")[static_cast<size_t>(unit)];
  const int64_t channels = network.settings.image.channels, pixels = side * side;
  for (int64_t i = 0; i < channels * pixels; ++i) {
    const double weight = weights[static_cast<size_t>(unit * channels * pixels + i)];
    const auto channel = static_cast<size_t>(i / pixels);
    sum += weight * ((weight > 0 ? seen.range : 0) - seen.mean[channel]) / seen.deviation[channel];
  }
  return sum;
}

size_t result_of(const LoadedNetwork& network) { return network.graph.calls.size() - 1; }

DreamOptions in_pixels(int64_t steps) {
  DreamOptions options;
  options.domain = DreamDomain::pixels;
  options.steps = steps;
  return options;
}

double variation(const Image& image) {
  const int64_t height = image.part.height, width = image.part.width, channels = image.channels;
  const auto at = [&](int64_t y, int64_t x, int64_t c) {
    return double{image.pixels[static_cast<size_t>((y * width + x) * channels + c)] / 255.0};
  };
  double sum = 0;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        if (x > 0) sum += std::abs(at(y, x, c) - at(y, x - 1, c));
        if (y > 0) sum += std::abs(at(y, x, c) - at(y - 1, x, c));
      }
    }
  }
  return sum;
}

double contrast(const Image& image) {
  double sum = 0;
  for (const uint8_t byte : image.pixels) sum += std::pow(byte / 255.0 - 0.5, 2);
  return sum / static_cast<double>(image.pixels.size());
}

class LeNet : public testing::Test {
 protected:
  Dream of(int64_t unit, const DreamOptions& options, const std::string& layer = "fc3") const {
    return dream(network, seen, last_call_of(network.graph, layer), unit, options);
  }
  DreamOptions options() const {
    DreamOptions some;
    some.steps = 40;
    some.jitter = 2;
    return some;
  }

  LoadedNetwork network =
      initial_network(find_architecture("lenet5"), find_architecture("lenet5").settings, 1);
  Preprocessing seen = usual_preprocessing(network.settings.image);
};

TEST(CosineBasis, ItsRowsAreOrthonormal) {
  for (const int64_t size : {1, 2, 7, 32, 240}) {
    const torch::Tensor basis = torch::tensor(cosine_basis(size)).reshape({size, size});
    const torch::Tensor product = basis.matmul(basis.t());
    EXPECT_LT((product - torch::eye(size)).abs().max().item<double>(), 1e-5) << size;
  }
}

TEST(CosineBasis, ARowIsTheCosineOfTheTextbook) {
  const std::vector<float> basis = cosine_basis(4);
  // Row 0 is 1/2; row 1 is sqrt(1/2) times the cosines of 22.5, 67.5, 112.5 and 157.5 degrees.
  const std::vector<double> expected = {0.5,      0.5,      0.5,       0.5,
                                        0.653281, 0.270598, -0.270598, -0.653281};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(basis[i], expected[i], 1e-6) << i;
}

TEST(CosineBasis, TheSpectrumFallsAsOneOverTheFrequency) {
  const std::vector<float> spectrum = natural_spectrum(16, 16);
  double squares = 0;
  for (const float value : spectrum) squares += value * value;
  EXPECT_NEAR(squares / 256, 1, 1e-5);
  EXPECT_NEAR(spectrum[4] / spectrum[8], 2, 1e-5);  // along a row
  EXPECT_NEAR(spectrum[4 * 16] / spectrum[8 * 16], 2, 1e-5);
  EXPECT_NEAR(spectrum[3 * 16 + 4] / spectrum[10], 2, 1e-5);  // 3, 4 and 5
  EXPECT_EQ(spectrum[0], spectrum[1]);                        // no more below one turn
  EXPECT_EQ(spectrum[0], spectrum[2]);
}

TEST(CosineBasis, ABlurredPointIsAGaussian) {
  constexpr int64_t size = 64;
  const double deviation = 2;
  const torch::Tensor basis = torch::tensor(cosine_basis(size)).reshape({size, size});
  torch::Tensor point = torch::zeros({size});
  point[30] = 1;
  const torch::Tensor shares = torch::tensor(blurred_spectrum(1, size, deviation));
  const torch::Tensor blurred = basis.t().mv(basis.mv(point) * shares);
  for (int64_t i = 20; i <= 40; ++i) {
    const double away = static_cast<double>(i - 30) / deviation;
    const double expected =
        std::exp(-away * away / 2) / (deviation * std::sqrt(2 * std::acos(-1.0)));
    EXPECT_NEAR(blurred[i].item<double>(), expected, 1e-5) << i;
  }
}

TEST(Dream, OfAKernelIsNearlyItsHighestValue) {
  const LoadedNetwork network = kernels_of(3, 0.1);
  for (const int64_t unit : {0, 1}) {
    const double most = highest(network, unit, colours);
    const Dream found = dream(network, colours, result_of(network), unit, in_pixels(200));
    EXPECT_GT(found.end, 0.95 * most);
    EXPECT_LT(found.end, 1.001 * most);
    EXPECT_LT(found.start, 0.5 * most);
    DreamOptions cosines = in_pixels(300);
    cosines.domain = DreamDomain::frequency;
    EXPECT_GT(dream(network, colours, result_of(network), unit, cosines).end, 0.8 * most);
  }
}

TEST(Dream, RangesAndDeviationsAreThoseOfThePreprocessing) {
  const LoadedNetwork network = kernels_of(1);
  const Preprocessing bytes = {side, side, Interpolation::bilinear, {100}, {50}, 255};
  const Dream found = dream(network, bytes, result_of(network), 0, in_pixels(200));
  const double most = highest(network, 0, bytes);
  EXPECT_GT(found.end, 0.95 * most);
  EXPECT_LT(found.end, 1.001 * most);
}

TEST(Dream, WhereBlueIsFirstThePictureIsInItsColoursAllTheSame) {
  LoadedNetwork network = kernels_of(3);
  {
    const torch::NoGradGuard plain;
    network.network->parameters()[0].zero_();
    network.network->parameters()[0].select(1, 0).fill_(1);  // wants the first channel
  }
  Preprocessing blue_first = colours;
  blue_first.bgr = true;
  for (const bool bgr : {false, true}) {
    const Image picture =
        dream(network, bgr ? blue_first : colours, result_of(network), 0, in_pixels(100)).picture;
    EXPECT_GT(picture.pixels[bgr ? 2 : 0], 240);
    EXPECT_NEAR(picture.pixels[bgr ? 0 : 2], 127.5, 4);
  }
}

TEST(Dream, AUnitThatIsOffIsTurnedOn) {
  const LoadedNetwork probe = kernels_of(3);
  const double most = highest(probe, 0, colours);
  const LoadedNetwork network = kernels_of(3, -0.6 * most, /*rectified=*/true);
  const Dream found = dream(network, colours, result_of(network), 0, in_pixels(200));
  EXPECT_EQ(found.start, 0);
  EXPECT_GT(found.end, 0.3 * most);
}

TEST_F(LeNet, ItAnswersMoreToItsDreamThanToAnyOf200NoiseImages) {
  const int64_t unit = 4;
  DreamOptions longer = options();
  longer.steps = 128;
  const Dream found = of(unit, longer);
  Random random(11);
  double most = -1e9;
  for (int image = 0; image < 200; ++image) {
    torch::Tensor noise = torch::empty({1, 3, 32, 32});
    for (int64_t i = 0; i < noise.numel(); ++i) {
      noise.data_ptr<float>()[i] = static_cast<float>((random.uniform() - 0.45) / 0.226);
    }
    most = std::max(most, network.network->forward(noise)[0][unit].item<double>());
  }
  EXPECT_GT(found.end - found.start, 2 * (most - found.start));
  EXPECT_GT(found.end, most);
}

TEST_F(LeNet, TheEndIsWhatTheNetworkComputesFromThePicturesBytes) {
  const Dream found = of(3, options());
  torch::Tensor image = torch::empty({1, 3, 32, 32});
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t x = 0; x < 32; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const double value =
            found.picture.pixels[static_cast<size_t>((y * 32 + x) * 3 + c)] / 255.0;
        const auto channel = static_cast<size_t>(c);
        image[0][c][y][x] = (value - seen.mean[channel]) / seen.deviation[channel];
      }
    }
  }
  EXPECT_NEAR(network.network->forward(image)[0][3].item<double>(), found.end, 1e-4);
}

TEST_F(LeNet, TheSameSeedGivesTheSameBytesWhateverElseIsDreamedOf) {
  const Dream alone = of(2, options());
  of(0, options());
  const Dream after = of(2, options());
  EXPECT_EQ(alone.picture.pixels, after.picture.pixels);
  EXPECT_EQ(alone.start, after.start);
  EXPECT_EQ(alone.end, after.end);
  DreamOptions other = options();
  other.seed = 1;
  EXPECT_NE(of(2, other).picture.pixels, alone.picture.pixels);
}

TEST_F(LeNet, EachRegulariserDoesWhatItsNameSays) {
  for (const DreamDomain domain : {DreamDomain::frequency, DreamDomain::pixels}) {
    DreamOptions none = options();
    none.domain = domain;
    const Image free = of(1, none).picture;
    DreamOptions smooth = none, blurred = none, pale = none;
    smooth.total_variation = 0.5;
    EXPECT_LT(variation(of(1, smooth).picture), 0.7 * variation(free));
    blurred.blur = 1;
    EXPECT_LT(variation(of(1, blurred).picture), 0.7 * variation(free));
    pale.decay = 2;
    EXPECT_LT(contrast(of(1, pale).picture), 0.7 * contrast(free));
  }
}

TEST_F(LeNet, JitterMakesADreamThatCanBeMoved) {
  // Moved by two pixels, the answer suffers less if the dream was.
  const auto moved = [&](const Image& picture) {
    torch::Tensor image = torch::empty({3, 32, 32});
    for (int64_t i = 0; i < image.numel(); ++i) {
      const double value = picture.pixels[static_cast<size_t>(i % 1024 * 3 + i / 1024)] / 255.0;
      const auto channel = static_cast<size_t>(i / 1024);
      image.data_ptr<float>()[i] =
          static_cast<float>((value - seen.mean[channel]) / seen.deviation[channel]);
    }
    return network.network->forward(image.roll({2, 1}, {1, 2}).unsqueeze(0))[0][1].item<double>();
  };
  DreamOptions still = options();
  still.jitter = 0;
  const Dream fixed = of(1, still), jittered = of(1, options());
  EXPECT_LT(jittered.end - moved(jittered.picture), fixed.end - moved(fixed.picture));
}

TEST_F(LeNet, TheMiddleOfAMapSeesOnlyItsOwnField) {
  DreamOptions middle = in_pixels(20);
  middle.objective = DreamObjective::centre;
  const Image picture = of(0, middle, "conv1").picture;
  // conv1 is 5x5 without padding, 28x28; its middle is at 14, 14, and sees 14 to 18.
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t x = 0; x < 32; ++x) {
      const bool inside = y >= 14 && y <= 18 && x >= 14 && x <= 18;
      const int red = picture.pixels[static_cast<size_t>((y * 32 + x) * 3)];
      if (inside) continue;
      EXPECT_NEAR(red, 127.5, 4) << y << " " << x;
    }
  }
  EXPECT_GT(contrast(picture), 1e-4);
}

TEST_F(LeNet, ItIsToldHowFarItIs) {
  std::vector<int64_t> steps;
  DreamOptions three = options();
  three.steps = 3;
  dream(network, seen, last_call_of(network.graph, "fc3"), 0, three,
        [&](int64_t step) { steps.push_back(step); });
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(LeNet, WrongInputsAreOneClearLine) {
  const auto error = [&](int64_t unit, const DreamOptions& some, const Preprocessing& p) {
    try {
      dream(network, p, last_call_of(network.graph, "conv1"), unit, some);
    } catch (const std::invalid_argument& wrong) {
      return std::string(wrong.what());
    }
    return std::string();
  };
  EXPECT_EQ(error(6, options(), seen), "there is no unit 6: there are 0 to 5");
  EXPECT_NE(error(-1, options(), seen), "");
  Preprocessing grey = seen;
  grey.mean = grey.deviation = {1};
  EXPECT_NE(error(0, options(), grey), "");
  DreamOptions negative = options();
  negative.decay = -1;
  EXPECT_NE(error(0, negative, seen), "");
  const LoadedNetwork two = kernels_of(2);
  Preprocessing of_two = colours;
  of_two.mean = of_two.deviation = {1, 1};
  EXPECT_THROW(dream(two, of_two, result_of(two), 0, options()), std::invalid_argument);
}

}  // namespace
}  // namespace convscope
