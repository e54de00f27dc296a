#include "suite/commands/inference_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>
#include <thread>

#include "architectures/nearest.h"
#include "suite/commands/network_options.h"
#include "suite/data/folder.h"
#include "suite/data/known_classes.h"
#include "suite/report/text.h"
#include "suite/timing/environment.h"
#include "suite/weights/fetch.h"
#include "suite/weights/preprocessing_record.h"
#include "suite/weights/published.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// --weights FILE, one of them in --results, --weights NAME of published ones, or nothing: those
/// published for the network.
fs::path weights_path(const Invocation& invocation, const std::string& network) {
  const std::string& given = invocation.text("weights");
  const bool is_path = given.find_first_of("./") != std::string::npos;
  if (!given.empty() && fs::exists(given) && !fs::is_directory(given)) return given;
  if (invocation.command.options.find_nothrow("results", false)) {
    fs::path own = fs::path(invocation.text("results")) / given;
    if (is_path && fs::exists(own) && !fs::is_directory(own)) return own;
  }
  if (is_path) {
    throw UsageError("--weights '" + given + "' is " +
                     (fs::exists(given) ? "a folder" : "not there: there is no such file"));
  }
  const auto& all = published_weights();
  if (given.empty() && std::none_of(all.begin(), all.end(), [&](const PublishedWeights& weights) {
        return weights.architecture == network;
      })) {
    throw UsageError("no weights are published for " + network + " here: give --weights FILE");
  }
  const PublishedWeights& published = find_published(given.empty() ? network : given);
  const FetchPlan plan = plan_fetch(published);
  if (plan.there) return plan.path;
  throw UsageError("the weights " + published.name + " are not in the cache: run 'convscope " +
                   "weights fetch " + published.name + "', or give --weights FILE");
}

std::vector<double> decimals(const Invocation& invocation, const std::string& option,
                             size_t wanted) {
  std::vector<double> numbers;
  for (const std::string& text : invocation.list(option)) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      throw UsageError("--" + option + " '" + text + "' is no number");
    }
    numbers.push_back(number);
  }
  if (numbers.size() == 1) numbers.resize(wanted, numbers[0]);
  if (!numbers.empty() && numbers.size() != wanted) {
    throw UsageError("--" + option + " takes one number, or one for each of the " +
                     std::to_string(wanted) + " channels, not " + std::to_string(numbers.size()));
  }
  return numbers;
}

/// More threads than any machine has are a slip of the finger.
void check_threads(const std::string& option, int64_t number) {
  constexpr int64_t most = 1024;
  if (number <= most) return;
  throw UsageError("--" + option + " " + std::to_string(number) + " is more than " +
                   std::to_string(most));
}

/// What the user changed of the preprocessing that belongs to the weights.
Preprocessing chosen(const Invocation& invocation, const Settings& settings, bool sized,
                     Preprocessing p) {
  const auto channels = static_cast<size_t>(settings.image.channels);
  if (sized) {
    if (settings.image.height != settings.image.width) {
      throw UsageError("--input: images are cropped to squares, so height and width must be equal");
    }
    const int64_t side = settings.image.height;
    if (p.crop > 0 && p.resize > 0) p.resize = (side * p.resize + p.crop / 2) / p.crop;
    if (p.resize == 0) p.resize = side;
    p.crop = side;
  }
  if (p.mean.size() != channels) {
    const Preprocessing usual = usual_preprocessing(settings.image);
    p.mean = usual.mean;
    p.deviation = usual.deviation;
  }
  if (!invocation.text("resize").empty()) p.resize = integer_from_0(invocation, "resize");
  const std::string& interpolation = invocation.text("interpolation");
  if (!interpolation.empty()) p.interpolation = parse_interpolation(interpolation);
  if (const auto mean = decimals(invocation, "mean", channels); !mean.empty()) p.mean = mean;
  if (const auto std = decimals(invocation, "std", channels); !std.empty()) p.deviation = std;
  for (const double deviation : p.deviation) {
    if (!(deviation > 0)) throw UsageError("--std must be above 0");
  }
  const std::string& range = invocation.text("range");
  if (!range.empty()) p.range = static_cast<double>(positive_integer(invocation, "range"));
  if (invocation.flag("bgr")) p.bgr = true;
  return p;
}

/// What a person should know of how the file and the network came together.
void report_match(const Invocation& invocation, const WeightedNetwork& network) {
  const Match& match = network.fit.match;
  const std::string file = network.file.path.filename().string();
  invocation.err << "weights: " << network.file.path.string() << ", "
                 << to_string(network.file.format) << ", " << match.pairs.size() << " tensors for "
                 << network.architecture.name
                 << (network.file.wrapped_in.empty() ? "" : ", found under ")
                 << printable(network.file.wrapped_in) << "\n";
  if (match.by_order) {
    const Match::Pair& first = match.pairs.front();
    invocation.err << "warning: " << file << " calls its tensors by other names; they were matched "
                   << "by order and shape, the first being '"
                   << printable(network.file.tensors[first.stored].name) << "' for '"
                   << network.fit.tensors[first.network].name << "'\n";
  }
  std::vector<std::string> unused;
  for (const size_t i : match.unexpected) unused.push_back(network.file.tensors[i].name);
  if (!unused.empty()) {
    invocation.err << "warning: " << network.architecture.name << " has no place for "
                   << unused.size() << " tensors of " << file << ": " << printable(some_of(unused))
                   << "\n";
  }
  const PublishedWeights* published = network.published;
  if (published && published->architecture != network.architecture.name) {
    invocation.err << "warning: " << file << " was published for " << published->architecture
                   << ", not for " << network.architecture.name << "\n";
  }
}

/// The one network that the command is about.
NetworkCase one_network(const Invocation& invocation, Needed needed) {
  const std::vector<std::string> names = invocation.list("model");
  if (names.empty()) {
    throw UsageError(invocation.command.name + ": name a network, as in '" +
                     invocation.command.example + "'");
  }
  const std::vector<NetworkCase> cases = network_cases(invocation);
  if (cases.size() != 1) {
    throw UsageError(invocation.command.name + " takes one network at one size, not " +
                     std::to_string(cases.size()));
  }
  if (!cases[0].refusal.empty()) throw UsageError(cases[0].refusal);
  const Architecture& architecture = cases[0].architecture;
  if (architecture.dense && needed != Needed::layers) {
    throw UsageError(architecture.name + " answers for each position, not once for the image; " +
                     invocation.command.name + " needs a classifier, such as resnet50");
  }
  if (architecture.self_organising && needed == Needed::slopes) {
    throw UsageError(architecture.name + " organises itself; " + invocation.command.name +
                     " needs a network that learns by gradients, such as lenet5");
  }
  return cases[0];
}

/// Those of --class-names, or of the data that such a network is usually for.
ClassList class_list_of(const Invocation& invocation, const Settings& settings) {
  const std::string& list = invocation.text("class-names");
  if (list.empty()) {
    return known_classes(settings.classes, settings.image.channels, settings.image.height);
  }
  ClassList classes = read_class_list(list);
  const auto listed = static_cast<int64_t>(classes.names.size());
  if (listed != settings.classes) {
    throw UsageError(list + " lists " + std::to_string(listed) + " classes, and the network has " +
                     std::to_string(settings.classes));
  }
  return classes;
}

/// What --data and its like say of the images.
DatasetOptions dataset_options(const Invocation& invocation, const WeightedNetwork& network,
                               bool same_classes) {
  DatasetOptions options;
  options.path = invocation.text("data");
  if (options.path.empty()) {
    throw UsageError(invocation.command.name + ": name the images with --data, as in '" +
                     invocation.command.example + "'");
  }
  if (const auto held_out = decimals(invocation, "held-out", 1); !held_out.empty()) {
    options.held_out = held_out[0];
  }
  options.seed = static_cast<uint64_t>(integer_from_0(invocation, "seed"));
  options.channels = network.fit.settings.image.channels;
  options.skip_broken = invocation.flag("skip-broken");
  // ImageNet's order of classes is not that of any folder's names.
  const bool listed =
      network.fit.settings.classes == 1000 || !invocation.text("class-names").empty();
  const Labelling labelling =
      fs::is_directory(options.path) ? labelling_of(options.path) : Labelling::none;
  const bool by_name = labelling == Labelling::folders && same_classes;
  if (listed && (by_name || labelling == Labelling::wordnet)) options.classes = network.classes;
  return options;
}

}  // namespace

void add_weights_options(po::options_description& options) {
  options.add_options()  //
      ("model,m", list_value(), "the network")(
          "weights,w", text_value(),
          "FILE, also one in --results: .pth, .pt, .th, .pth.tar or .safetensors; or the name of "
          "published weights "
          "(default: those that 'weights fetch' brought)")(
          "classes", text_value(),
          "number of classes (default: as many as the weights tell apart)")(
          "width", text_value(), "channel multiplier, for the MobileNets")(
          "input,i", list_value(), "image size: 224 (default: what the weights expect)")(
          "class-names", text_value(), "FILE: the classes in order, one a line, or JSON")(
          "resize", text_value(), "shorter side before the crop; 0: as it is")(
          "interpolation", text_value(), "nearest, bilinear or bicubic")(
          "mean", list_value(), "subtracted from each channel: 0.485,0.456,0.406")(
          "std", list_value(), "each channel is divided by it: 0.229,0.224,0.225")(
          "range", text_value(), "value of white before the mean: 1 or 255")(
          "bgr", po::bool_switch(), "blue first, as Caffe's weights expect");
}

void add_speed_options(po::options_description& options, const std::string& usual_batch) {
  options.add_options()  //
      ("threads,t", text_value(), "of the network (default: the cores that the workers leave)")(
          "workers,j", text_value(),
          "threads that read images; 0: none, in turn with the network (default: a quarter of the "
          "cores)")("batch,b", text_value(),
                    ("images at a time (default: " + usual_batch + ")").c_str());
}

void add_data_options(po::options_description& options) {
  options.add_options()  //
      ("data,d", text_value(),
       "a folder with a folder for each class, of ImageNet samples, of MNIST or CIFAR files; or "
       "procedural:classes=10,size=32")("split", text_value(),
                                        "train, val or test (default: test, else val, else all)")(
          "held-out", list_value(), "fraction that is 'val' where there is no such folder")(
          "seed", text_value("0"), "of what is held out, and of all else that is left to chance")(
          "skip-broken", po::bool_switch(), "leave out what cannot be read, and say so");
}

WeightedNetwork weighted_network(const Invocation& invocation, Needed needed) {
  const NetworkCase picked = one_network(invocation, needed);
  WeightedNetwork network{picked.architecture, {}, {}, {}, nullptr, {}};
  Settings settings = picked.settings;

  network.file = read_weights(weights_path(invocation, network.architecture.name));
  const auto recorded = recorded_preprocessing(network.file);
  const PublishedWeights* published = published_weights_in(network.file);
  network.published = published;
  const Preprocessing expected = recorded ? *recorded
                                 : published
                                     ? published->preprocessing
                                     : usual_preprocessing(network.architecture.settings.image);
  network.preprocessing = chosen(invocation, settings, !invocation.list("input").empty(), expected);
  if (network.preprocessing.crop > 0) {
    settings.image.height = settings.image.width = network.preprocessing.crop;
  }
  // Layers may depend on the size of the image, so that comes first.
  const bool keep_classes = !invocation.text("classes").empty();
  network.fit = fit(network.architecture, settings, network.file, keep_classes);

  require_fit(network.architecture, network.fit, network.file, needed == Needed::answers);

  report_match(invocation, network);
  invocation.err << "images: " << to_string(network.preprocessing)
                 << (recorded || published ? "" : " (the usual; the file does not say)") << "\n";
  if (recorded || published) {
    for (const std::string& difference : differences(network.preprocessing, expected)) {
      invocation.err << "warning: these weights were made for other images: " << difference << "\n";
    }
  }

  network.classes = class_list_of(invocation, network.fit.settings);
  return network;
}

WeightedNetwork untrained_network(const Invocation& invocation, Needed needed) {
  const NetworkCase picked = one_network(invocation, needed);
  WeightedNetwork network{picked.architecture, {}, {}, {}, nullptr, {}};
  network.fit.settings = picked.settings;
  network.preprocessing = chosen(invocation, picked.settings, !invocation.list("input").empty(),
                                 usual_preprocessing(picked.settings.image));
  if (network.preprocessing.crop > 0) {
    network.fit.settings.image.height = network.fit.settings.image.width =
        network.preprocessing.crop;
  }
  network.classes = class_list_of(invocation, network.fit.settings);
  return network;
}

std::string class_name(const WeightedNetwork& network, int64_t index) {
  const auto place = static_cast<size_t>(index);
  if (place < network.classes.names.size()) return network.classes.names[place];
  return "class " + std::to_string(index);
}

int threads_of(const Invocation& invocation, int64_t usual) {
  const bool given = !invocation.text("threads").empty();
  const int64_t threads = given ? positive_integer(invocation, "threads") : usual;
  check_threads("threads", threads);
  // LibTorch's threads spin while they wait for each other, so that a core which another process
  // has holds up all of them: a tenfold loss was measured.
  const double load = load_average();
  if (threads > 1 && load > 0.5) {
    invocation.err << "note: other processes want the cores (load " << std::round(10 * load) / 10
                   << "); --threads 1 may be faster\n";
  }
  return static_cast<int>(threads);
}

Speed speed(const Invocation& invocation, const WeightedNetwork& network) {
  const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
  const auto given = [&](const std::string& option) { return !invocation.text(option).empty(); };
  Speed chosen{};
  chosen.workers = given("workers") ? integer_from_0(invocation, "workers") : cores / 4;
  check_threads("workers", chosen.workers);
  chosen.threads = threads_of(invocation, std::max<int64_t>(1, cores - chosen.workers));
  // Few large images fill the caches; small ones come in numbers, or each call costs more than it
  // computes.
  const ImageShape& image = network.fit.settings.image;
  const int64_t fitting = 4 * 224 * 224 / (image.height * image.width);
  chosen.batch =
      given("batch") ? positive_integer(invocation, "batch") : std::clamp<int64_t>(fitting, 1, 64);
  return chosen;
}

std::unique_ptr<Dataset> open_data(const Invocation& invocation, const WeightedNetwork& network,
                                   bool same_classes) {
  return open_split(invocation, network, invocation.text("split"), same_classes);
}

std::unique_ptr<Dataset> open_split(const Invocation& invocation, const WeightedNetwork& network,
                                    const std::string& split, bool same_classes) {
  DatasetOptions options = dataset_options(invocation, network, same_classes);
  options.split = split;
  auto dataset = open_dataset(options);
  const auto found = static_cast<int64_t>(dataset->classes().size());
  if (same_classes && found != network.fit.settings.classes) {
    throw UsageError(options.path.string() + " has " + std::to_string(found) + " classes, and " +
                     network.architecture.name + " with these weights tells apart " +
                     std::to_string(network.fit.settings.classes));
  }
  return dataset;
}

std::string fingerprint_of_split(const Invocation& invocation, const WeightedNetwork& network,
                                 const std::string& split) {
  DatasetOptions options = dataset_options(invocation, network, /*same_classes=*/false);
  options.split = split;
  return fingerprint(options);
}

std::vector<std::string> splits_of_data(const Invocation& invocation,
                                        const WeightedNetwork& network) {
  return dataset_splits(dataset_options(invocation, network, /*same_classes=*/false));
}

Cell percent(double share) {
  return std::isnan(share) ? Cell() : Cell(std::round(share * 1e6) / 1e4);
}

LoaderOptions loader_options(const Invocation& invocation, const WeightedNetwork& network,
                             const Speed& chosen) {
  LoaderOptions options;
  options.batch = chosen.batch;
  options.workers = chosen.workers;
  options.preprocessing = network.preprocessing;
  options.skip_broken = invocation.command.options.find_nothrow("skip-broken", false) &&
                        invocation.flag("skip-broken");
  return options;
}

int64_t report_images(const Invocation& invocation, const WeightedNetwork& network,
                      const Dataset& dataset, const Loader& loader) {
  const auto warn = [&](int64_t images, const std::string& what) {
    if (images == 0) return;
    invocation.err << "warning: " << images << (images == 1 ? " image is " : " images are ") << what
                   << "\n";
  };
  if (network.preprocessing.mean.size() == 3) {
    warn(loader.seen().grey, "grey, and these weights were made for colours; the grey is repeated");
  }
  warn(loader.seen().enlarged, "smaller than " + std::to_string(network.preprocessing.resize) +
                                   " pixels, to which they were enlarged");
  std::vector<Skipped> skipped = dataset.skipped();
  skipped.insert(skipped.end(), loader.skipped().begin(), loader.skipped().end());
  for (const Skipped& one : skipped) {
    invocation.err << "skipped " << one.name << ": " << one.reason << "\n";
  }
  return static_cast<int64_t>(skipped.size());
}

}  // namespace convscope
