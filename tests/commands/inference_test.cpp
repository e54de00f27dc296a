// evaluate, predict, features and weights as their user meets them, with weights and images that
// the test makes itself.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/inference/state_dict.h"
#include "suite/report/csv_file.h"
#include "suite/weights/preprocessing_record.h"
#include "suite/weights/weights_file.h"
#include "tests/commands/convscope_with.h"
#include "tests/data/made_images.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// A network of the catalogue with the weights that its paper begins with.
std::shared_ptr<Network> untrained(const std::string& name, int64_t classes = 0) {
  torch::manual_seed(1);
  const Architecture& architecture = find_architecture(name);
  Settings settings = architecture.settings;
  if (classes > 0) settings.classes = classes;
  auto network = architecture.build(settings);
  network->eval();
  return network;
}

std::vector<StoredTensor> tensors_of(const Network& network, const std::string& prefix = "") {
  std::vector<StoredTensor> tensors;
  for (const StateTensor& own : state_dict(network)) {
    tensors.push_back({prefix + own.name,
                       own.tensor.is_floating_point() ? ScalarType::float32 : ScalarType::int64,
                       own.tensor.sizes().vec(), own.tensor.strides().vec(),
                       static_cast<const std::byte*>(own.tensor.data_ptr())});
  }
  return tensors;
}

class Inference : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder.path / name).string(); }

  /// Weights of a network in a file.
  std::string weights(const std::string& network, int64_t classes = 0,
                      const std::string& file = "weights.pth") const {
    write_torch_zip(path(file), tensors_of(*untrained(network, classes), "module."));
    return path(file);
  }

  std::string image(const std::string& name, int64_t height, int64_t width,
                    const JpegKind& kind = {}) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    const Bytes bytes = made_jpeg(height, width, kind);
    put(path(name), {bytes.begin(), bytes.end()});
    return path(name);
  }

  static void expect_usage_error(const std::vector<std::string>& arguments,
                                 const std::string& words) {
    const Result result = convscope_with(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    const size_t last = result.err.rfind("convscope: ");
    ASSERT_NE(last, std::string::npos) << result.err;
    EXPECT_TRUE(contains(result.err.substr(last), words)) << result.err;
  }

  TemporaryFolder folder;
};

const std::string digits = "procedural:classes=10,size=28,test=60";

TEST_F(Inference, EvaluateCountsEachImageOnce) {
  const Result result =
      convscope_with({"evaluate", "mnist_tutorial", "--weights", weights("mnist_tutorial"),
                      "--data", digits, "--results", path("results"), "--format", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto row = nlohmann::json::parse(result.out).at(0);
  EXPECT_EQ(row["images"], 60);
  EXPECT_EQ(row["skipped"], 0);
  EXPECT_LE(row["top1_low"], row["top1"]);
  EXPECT_GE(row["top1_high"], row["top1"]);

  const CsvFile confusion = read_csv(path("results/confusion-mnist_tutorial.csv"));
  const CsvFile classes = read_csv(path("results/classes.csv"));
  ASSERT_EQ(confusion.rows.size(), 10u);
  int64_t all = 0, diagonal = 0;
  for (size_t i = 0; i < 10; ++i) {
    int64_t sum = 0;
    for (size_t j = 1; j <= 10; ++j) sum += std::stoll(confusion.rows[i].fields[j]);
    EXPECT_EQ(sum, integers(classes, "images")[i]);
    EXPECT_EQ(confusion.rows[i].fields[i + 1], texts(classes, "right")[i]);
    all += sum;
    diagonal += std::stoll(confusion.rows[i].fields[i + 1]);
  }
  EXPECT_EQ(all, 60);
  EXPECT_DOUBLE_EQ(row["top1"], std::round(1e6 * double(diagonal) / 60) / 1e4);
  EXPECT_TRUE(contains(contents(path("results/manifest.json")), "weights_sha256"));
}

TEST_F(Inference, ThreadsWorkersAndBatchChangeNothing) {
  const std::string file = weights("mnist_tutorial");
  const auto loss = [&](const std::vector<std::string>& speed) {
    std::vector<std::string> arguments = {"evaluate", "mnist_tutorial", "--weights", file,
                                          "--data",   digits,           "--format",  "json"};
    arguments.insert(arguments.end(), speed.begin(), speed.end());
    const auto row = nlohmann::json::parse(convscope_with(arguments).out).at(0);
    return row["loss"].get<double>();
  };
  const double expected = loss({});
  EXPECT_NEAR(loss({"-j", "0", "-t", "1"}), expected, 1e-6);
  EXPECT_NEAR(loss({"-j", "2", "-b", "7"}), expected, 1e-6);
  EXPECT_NEAR(loss({"-b", "64"}), expected, 1e-6);
}

TEST_F(Inference, TheNumberOfClassesIsTheFilesOwn) {
  const std::string file = weights("mnist_tutorial", 4);
  const Result result = convscope_with(
      {"evaluate", "mnist_tutorial", "-w", file, "--data", "procedural:classes=4,size=28,test=8"});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", digits},
                     "has 10 classes, and mnist_tutorial with these weights tells apart 4");
  expect_usage_error(
      {"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "--classes", "10"},
      "'fc2.weight' and 'fc2.bias' have other shapes");
}

TEST_F(Inference, OtherWeightsAreRefusedByName) {
  expect_usage_error({"evaluate", "resnet20", "-w", weights("mnist_tutorial"), "--data", digits},
                     "these are not the weights of resnet20");
}

TEST_F(Inference, WrongInputsAreOneClearLine) {
  const std::string file = weights("mnist_tutorial");
  expect_usage_error({"evaluate"}, "name a network");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", path("none.pth"), "--data", digits},
                     "there is no such file");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file}, "name the images with --data");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", path("nowhere")},
                     "nowhere");
  expect_usage_error({"evaluate", "mnist*", "lenet5", "-w", file, "--data", digits},
                     "one network at one size");
  expect_usage_error(
      {"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "--interpolation", "cubic"},
      "bicubic");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "--std", "0"},
                     "above 0");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "--mean", "1,2"},
                     "one number");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "--mean", "nan"},
                     "no number");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", file, "--data", digits, "-t", "99999"},
                     "more than 1024");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", "resnt18", "--data", digits}, "resnet18");
  expect_usage_error({"weights", "fetch", "resnet18", "resnet34", "--url", "http://127.0.0.1:1/"},
                     "one address");
  expect_usage_error({"predict", "mnist_tutorial", "-w", file}, "name images");
  expect_usage_error({"predict", "mnist_tutorial", "-w", file, path("no.jpg")}, "no image");
  expect_usage_error({"features", "mnist_tutorial", "-w", file, "--data", digits}, "--at");
  expect_usage_error({"features", "mnist_tutorial", "-w", file, "--data", digits, "--at", "conv3",
                      "--out", path("f.safetensors")},
                     "did you mean 'conv");
  expect_usage_error({"weights"}, "say inspect, convert or fetch");
  expect_usage_error({"weights", "inspekt"}, "did you mean 'inspect'?");
  expect_usage_error({"weights", "inspect"}, "name one file");
  expect_usage_error({"weights", "fetch", "resnet51"}, "resnet50");
  expect_usage_error({"weights", "convert", file, "--out", path("x.bin")}, ".safetensors");
  put(path("page.pth"), "<html>Not Found</html>");
  expect_usage_error({"weights", "inspect", path("page.pth")}, "page.pth");
}

TEST_F(Inference, PredictGivesFiveClassesOfEachImageAsJson) {
  const std::string file = weights("resnet20");
  const std::string one = image("one.jpg", 40, 60), two = image("two.jpg", 32, 32);
  const Result result =
      convscope_with({"predict", "resnet20", "-w", file, one, two, "--format", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto predictions = nlohmann::json::parse(result.out);
  ASSERT_EQ(predictions.size(), 2u);
  EXPECT_EQ(predictions[0]["image"], one);
  EXPECT_EQ(predictions[1]["image"], two);
  ASSERT_EQ(predictions[0]["top"].size(), 5u);
  double before = 2, sum = 0;
  for (const auto& guess : predictions[0]["top"]) {
    EXPECT_LE(guess["probability"], before);
    before = guess["probability"];
    sum += before;
  }
  EXPECT_LE(sum, 1);
  const int index = predictions[0]["top"][0]["index"];
  const std::vector<std::string> names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                          "dog",      "frog",       "horse", "ship", "truck"};
  EXPECT_EQ(predictions[0]["top"][0]["name"], names.at(static_cast<size_t>(index)));
}

TEST_F(Inference, OneBrokenImageDoesNotLoseTheOthers) {
  const std::string file = weights("resnet20");
  const std::string good = image("good.jpg", 32, 32), bad = path("bad.jpg");
  put(bad, "GIF89a and no more");
  const Result result =
      convscope_with({"predict", "resnet20", "-w", file, good, bad, "--format", "json"});
  EXPECT_EQ(result.code, 1);
  const auto predictions = nlohmann::json::parse(result.out);
  ASSERT_EQ(predictions.size(), 2u);
  EXPECT_EQ(predictions[0]["status"], "ok");
  EXPECT_EQ(predictions[1]["status"], "failed");
  EXPECT_TRUE(predictions[1]["top"].empty());
  EXPECT_TRUE(contains(predictions[1]["reason"], "GIF"));
  EXPECT_TRUE(contains(result.err, bad)) << result.err;
  EXPECT_TRUE(contains(result.err, "GIF")) << result.err;
}

TEST_F(Inference, ABrokenImageOfAFolderIsNamedAndSkippedOnlyIfAsked) {
  const std::string file = weights("resnet20", 2);
  for (const char* name : {"data/ant/1.jpg", "data/ant/2.jpg", "data/bee/1.jpg"})
    image(name, 32, 32);
  put(path("data/bee/2.jpg"), "\xff\xd8\xff and no more");
  const std::vector<std::string> evaluate = {"evaluate", "resnet20",   "-w",       file,
                                             "--data",   path("data"), "--format", "json"};
  expect_usage_error(evaluate, "data/bee/2.jpg");
  std::vector<std::string> skipping = evaluate;
  skipping.push_back("--skip-broken");
  const Result result = convscope_with(skipping);
  ASSERT_EQ(result.code, 0) << result.err;
  const auto row = nlohmann::json::parse(result.out).at(0);
  EXPECT_EQ(row["images"], 3);
  EXPECT_EQ(row["skipped"], 1);
  EXPECT_TRUE(contains(result.err, "data/bee/2.jpg")) << result.err;
}

/// Of four classes the five likeliest are all, so predict tells everything that evaluate counts.
TEST_F(Inference, EvaluateIsTheArithmeticOfPredict) {
  const std::string file = weights("resnet20", 4);
  const std::vector<std::string> classes = {"ant", "bee", "cat", "dog"};
  std::vector<std::string> predict = {"predict", "resnet20", "-w", file, "--format", "json"};
  std::vector<std::string> labels;
  for (const std::string& name : classes) {
    for (const int size : {32, 40, 56}) {
      JpegKind kind;
      kind.quality = size;
      predict.push_back(
          image("data/" + name + "/" + std::to_string(size) + ".jpg", size, size, kind));
      labels.push_back(name);
    }
  }
  const auto predictions = nlohmann::json::parse(convscope_with(predict).out);
  double loss = 0;
  int right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int label = int(std::find(classes.begin(), classes.end(), labels[i]) - classes.begin());
    const auto& top = predictions[i]["top"];
    right += top[0]["index"] == label;
    for (const auto& guess : top) {
      if (guess["index"] == label) loss -= std::log(guess["probability"].get<double>());
    }
  }
  const auto row =
      nlohmann::json::parse(convscope_with({"evaluate", "resnet20", "-w", file, "--data",
                                            path("data"), "--format", "json"})
                                .out)
          .at(0);
  EXPECT_EQ(row["images"], 12);
  EXPECT_NEAR(row["loss"], loss / 12, 1e-5);
  EXPECT_NEAR(row["top1"], 100.0 * right / 12, 1e-3);
  EXPECT_EQ(row["top5"], 100);
}

TEST_F(Inference, ACropThatALayerDependsOnIsFittedAndNotWrittenBeyond) {
  Preprocessing smaller = usual_preprocessing({1, 28, 28});
  smaller.crop = smaller.resize = 16;
  write_safetensors(path("w.safetensors"), tensors_of(*untrained("mnist_tutorial")),
                    {{"preprocessing", preprocessing_record(smaller)}});
  expect_usage_error(
      {"predict", "mnist_tutorial", "-w", path("w.safetensors"), image("a.jpg", 28, 28)},
      "'fc1.weight' has another shape");
}

TEST_F(Inference, EvaluationsOfOneFolderStayAndTheSameOneIsReplaced) {
  const std::string file = weights("mnist_tutorial");
  const auto evaluate = [&](const std::string& data) {
    const Result result = convscope_with(
        {"evaluate", "mnist_tutorial", "-w", file, "--data", data, "--results", path("results")});
    EXPECT_EQ(result.code, 0) << result.err;
  };
  evaluate(digits);
  evaluate("procedural:classes=10,size=28,test=20");
  evaluate(digits);
  const CsvFile record = read_csv(path("results/evaluation.csv"));
  EXPECT_EQ(texts(record, "images"), (std::vector<std::string>{"20", "60"}));
  EXPECT_EQ(read_csv(path("results/classes.csv")).rows.size(), 20u);
}

TEST_F(Inference, AnExperimentMayEvaluateSeveralTimes) {
  put(path("two.ini"),
      "[evaluate]\nmodel = mnist_tutorial\nweights = " + weights("mnist_tutorial") + "\ndata = " +
          digits + "\n[evaluate]\nmodel = resnet20\nweights = " + weights("resnet20", 0, "r.pth") +
          "\ndata = procedural:classes=10,size=32,test=20\n");
  const Result result = convscope_with({"run", path("two.ini"), "--results", path("results")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(texts(read_csv(path("results/evaluation.csv")), "model"),
            (std::vector<std::string>{"mnist_tutorial", "resnet20"}));
  expect_usage_error({"evaluate", "--config", path("two.ini")}, "a second section [evaluate]");
}

TEST_F(Inference, LogitsThatAreNoNumbersAreNeverRight) {
  const auto network = untrained("resnet20");
  {
    const torch::NoGradGuard no_grad;
    network->named_parameters()["linear.bias"].fill_(std::nanf(""));
  }
  write_torch_zip(path("nan.pth"), tensors_of(*network));
  const std::string data = "procedural:classes=10,size=32,test=20";
  const Result evaluated = convscope_with(
      {"evaluate", "resnet20", "-w", path("nan.pth"), "--data", data, "--format", "json"});
  EXPECT_EQ(evaluated.code, 1);
  EXPECT_EQ(nlohmann::json::parse(evaluated.out).at(0)["top1"], 0);
  EXPECT_TRUE(contains(evaluated.err, "no finite number for 20")) << evaluated.err;
  const Result predicted =
      convscope_with({"predict", "resnet20", "-w", path("nan.pth"), image("a.jpg", 32, 32)});
  EXPECT_EQ(predicted.code, 1);
}

TEST_F(Inference, DigitsAreNoClassesOfImageNet) {
  const std::string file = weights("squeezenet1_1");
  expect_usage_error(
      {"evaluate", "squeezenet1_1", "-w", file, "--data", "procedural:classes=10,size=32,test=20"},
      "has 10 classes, and squeezenet1_1 with these weights tells apart 1000");
}

TEST_F(Inference, TheResultsFolderIsTriedBeforeTheWork) {
  put(path("no-folder"), "a file");
  expect_usage_error({"evaluate", "mnist_tutorial", "-w", weights("mnist_tutorial"), "--data",
                      digits, "--results", path("no-folder")},
                     "no-folder");
}

TEST_F(Inference, DumpedSettingsOfPredictNameEachImage) {
  const std::string file = weights("resnet20");
  const std::string one = image("a,b.jpg", 32, 32), two = image("c.jpg", 32, 32);
  const Result dumped =
      convscope_with({"predict", "resnet20", "-w", file, one, two, "--dump-config"});
  put(path("again.ini"), dumped.out);
  const Result again =
      convscope_with({"predict", "--config", path("again.ini"), "--format", "json"});
  EXPECT_EQ(again.code, 0) << again.err << dumped.out;
  EXPECT_EQ(nlohmann::json::parse(again.out).size(), 2u);
}

TEST_F(Inference, TheClassesOfARecordAreTheDatas) {
  const Result result =
      convscope_with({"evaluate", "mnist_tutorial", "-w", weights("mnist_tutorial"), "--data",
                      digits, "--per-class", "--format", "csv"});
  EXPECT_FALSE(contains(result.out, "\n0,0,")) << result.out;
}

TEST_F(Inference, WhatDoesNotBelongToTheWeightsIsAWarningThatNamesIt) {
  Preprocessing own = usual_preprocessing({3, 32, 32});
  own.mean = {0.5, 0.5, 0.5};
  const auto network = untrained("resnet20");
  write_safetensors(path("w.safetensors"), tensors_of(*network),
                    {{"preprocessing", preprocessing_record(own)}});
  JpegKind grey;
  grey.components = 1;
  const std::string file = path("w.safetensors");
  const Result as_made =
      convscope_with({"predict", "resnet20", "-w", file, image("a.jpg", 40, 40)});
  EXPECT_FALSE(contains(as_made.err, "warning")) << as_made.err;
  const Result other =
      convscope_with({"predict", "resnet20", "-w", file, image("g.jpg", 20, 20, grey), "--mean",
                      "0.4,0.4,0.4", "--input", "48"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_TRUE(contains(other.err, "mean 0.4 0.4 0.4 instead of 0.5 0.5 0.5")) << other.err;
  EXPECT_TRUE(contains(other.err, "crop 48 instead of crop 32")) << other.err;
  EXPECT_TRUE(contains(other.err, "grey")) << other.err;
  EXPECT_TRUE(contains(other.err, "enlarged")) << other.err;
}

TEST_F(Inference, FeaturesOfTheLastLayerAreTheLogits) {
  const std::string file = weights("resnet20"), data = "procedural:classes=10,size=32,test=12";
  const auto features = [&](const std::string& layer) {
    const Result result = convscope_with({"features", "resnet20", "-w", file, "--data", data,
                                          "--at", layer, "--out", path(layer + ".safetensors")});
    EXPECT_EQ(result.code, 0) << result.err;
    return read_weights(path(layer + ".safetensors"));
  };
  const auto values = [](const StoredTensor& tensor) {
    std::vector<float> all(static_cast<size_t>(tensor.elements()));
    copy_values(tensor, all.data());
    return torch::from_blob(all.data(), tensor.shape).clone();
  };
  const WeightsFile logits = features("linear"), maps = features("layer3");
  ASSERT_EQ(logits.tensors.size(), 3u);
  EXPECT_EQ(logits.tensors[0].shape, (std::vector<int64_t>{12, 10}));
  EXPECT_EQ(maps.tensors[0].shape, (std::vector<int64_t>{12, 64, 8, 8}));
  // From the last maps to the logits by hand: pooling and the linear layer.
  const auto network = untrained("resnet20");
  const auto parameters = network->named_parameters();
  const torch::NoGradGuard no_grad;
  const torch::Tensor expected = torch::linear(
      values(maps.tensors[0]).mean({2, 3}), parameters["linear.weight"], parameters["linear.bias"]);
  EXPECT_TRUE(torch::allclose(values(logits.tensors[0]), expected, 1e-4, 1e-4));
}

TEST_F(Inference, WeightsSurviveConversionToEachFormat) {
  const std::string file = weights("resnet20");
  const Result there = convscope_with(
      {"weights", "convert", file, "--out", path("w.safetensors"), "--against", "resnet20"});
  ASSERT_EQ(there.code, 0) << there.err;
  const Result back =
      convscope_with({"weights", "convert", path("w.safetensors"), "--out", path("w.pt")});
  ASSERT_EQ(back.code, 0) << back.err;
  const WeightsFile first = read_weights(file), last = read_weights(path("w.pt"));
  ASSERT_EQ(first.tensors.size(), last.tensors.size());
  for (size_t i = 0; i < first.tensors.size(); ++i) {
    EXPECT_EQ(first.tensors[i].name, "module." + last.tensors[i].name);
    const auto bytes = [](const StoredTensor& tensor) {
      std::string all(static_cast<size_t>(tensor.elements() * bytes_of(tensor.type)), '\0');
      copy_values(tensor, all.data());
      return all;
    };
    EXPECT_EQ(bytes(first.tensors[i]), bytes(last.tensors[i])) << last.tensors[i].name;
  }
}

TEST_F(Inference, InspectSaysWhichNetworksFitAndWhatDiffers) {
  const std::string file = weights("resnet20", 7);
  const Result summary = convscope_with({"weights", "inspect", file});
  EXPECT_EQ(summary.code, 0) << summary.err;
  EXPECT_TRUE(contains(summary.out, "resnet20 (with 7 classes)")) << summary.out;
  EXPECT_TRUE(contains(summary.out, "module.conv1.weight")) << summary.out;
  const Result against = convscope_with({"weights", "inspect", file, "--against", "resnet20"});
  EXPECT_EQ(against.code, 0);
  EXPECT_TRUE(contains(against.out, "The backbone fits; the head is new")) << against.out;
  const Result deeper = convscope_with({"weights", "inspect", file, "--against", "resnet32"});
  EXPECT_EQ(deeper.code, 1);
  EXPECT_TRUE(contains(deeper.out, "missing")) << deeper.out;
}

TEST_F(Inference, PublishedWeightsAreKnownByTheirBytesUnderAnyName) {
  const fs::path real = fs::path(CONVSCOPE_SHARED) / "data/weights/resnet20-12fca82f.th";
  if (!fs::exists(real)) GTEST_SKIP() << "no real weights at " << real;
  fs::copy_file(real, path("mine.th"));
  const Result result = convscope_with({"weights", "inspect", path("mine.th")});
  EXPECT_TRUE(contains(result.out, "resnet20 by akamaster")) << result.out;
}

TEST_F(Inference, FetchSaysWhatItWouldDoAndListsWhatThereIs) {
  const Result plan = convscope_with({"weights", "fetch", "resnet18", "--dry-run"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_TRUE(contains(plan.out, "resnet18-f37072fd.pth")) << plan.out;
  const Result list = convscope_with({"weights", "fetch", "--format", "csv"});
  EXPECT_TRUE(contains(list.out, "inception_v3")) << list.out;
}

TEST_F(Inference, FiltersAreDrawnFromAFileOrAsTrainingBegins) {
  const Result stored = convscope_with({"filters", "lenet5", "--weights", weights("lenet5"),
                                        "--results", path("results"), "--image-format", "svg"});
  ASSERT_EQ(stored.code, 0) << stored.err;
  const std::string svg = contents(fs::path(path("results")) / "figures/filters_lenet5_conv1.svg");
  EXPECT_TRUE(contains(svg, "The 6 kernels of conv1 of lenet5"));
  EXPECT_TRUE(contains(svg, "data:image/png;base64,"));
  const Result untrained_one =
      convscope_with({"filters", "lenet5", "--untrained", "--at", "conv2", "--most", "4",
                      "--results", path("results"), "--image-format", "svg"});
  ASSERT_EQ(untrained_one.code, 0) << untrained_one.err;
  EXPECT_TRUE(
      contains(contents(fs::path(path("results")) / "figures/filters_lenet5_conv2_untrained.svg"),
               "4 of the 16 kernels of conv2 of lenet5, untrained"));
  expect_usage_error({"filters", "lenet5", "--untrained", "--at", "conv9"},
                     "no convolution 'conv9'; did you mean 'conv1'");
  expect_usage_error({"filters", "lenet5", "--untrained", "--most", "0"}, "--most");
  expect_usage_error({"filters", "lenet5", "--untrained", "--weights", "w.pth"}, "--untrained");
}

TEST_F(Inference, MapsOfALayerAreDrawnBesideTheirImage) {
  const std::string w = weights("lenet5"), photo = image("photo.jpg", 40, 50);
  const Result result = convscope_with({"maps", "lenet5", photo, "--weights", w, "--at", "conv1",
                                        "--results", path("results"), "--image-format", "svg"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string svg =
      contents(fs::path(path("results")) / "figures/maps_lenet5_conv1_photo.svg");
  EXPECT_TRUE(contains(svg, "All 6 maps of conv1 of lenet5"));
  EXPECT_TRUE(contains(svg, ">input</text>"));
  expect_usage_error({"maps", "lenet5", photo, "--weights", w}, "there are conv1");
  expect_usage_error({"maps", "lenet5", photo, "--weights", w, "--at", "fc1"}, "computes no maps");
  expect_usage_error({"maps", "lenet5", path("none.jpg"), "--weights", w, "--at", "conv1"},
                     "cannot read the image");
  expect_usage_error({"maps", "lenet5", w, "--weights", w, "--at", "conv1"}, "weights.pth: ");
}

TEST_F(Inference, MapsOfAHandWrittenKernelPrintTheTextbooksNumbers) {
  std::string edge;
  for (int row = 0; row < 5; ++row) edge += "255 255 0 0 0\n";
  put(path("edge.txt"), edge);
  const Result result = convscope_with({"maps", path("edge.txt"), "--filter", "sobel-x",
                                        "--results", path("results"), "--image-format", "svg"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "-1020  -1020  0")) << result.out;
  EXPECT_TRUE(contains(result.out, "2x2 max pooling, 1x1")) << result.out;
  EXPECT_TRUE(fs::exists(fs::path(path("results")) / "figures/filtered_sobel-x_edge.svg"));
  put(path("kernel.csv"), "0,0\n0,2\n");
  const Result own = convscope_with({"maps", path("edge.txt"), "--filter", path("kernel.csv"),
                                     "--results", path("results"), "--image-format", "svg"});
  ASSERT_EQ(own.code, 0) << own.err;
  EXPECT_TRUE(contains(own.out, "510")) << own.out;
  expect_usage_error({"maps", path("edge.txt"), "--filter", "sobel"}, "no filter 'sobel'");
  put(path("text.dat"), "no image");
  expect_usage_error({"maps", path("text.dat"), "--filter", "gauss"}, "text.dat: ");
}

}  // namespace
}  // namespace convscope
