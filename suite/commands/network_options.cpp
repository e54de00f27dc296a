#include "suite/commands/network_options.h"

#include <charconv>
#include <optional>
#include <ostream>
#include <set>

#include "architectures/catalogue.h"
#include "suite/analysis/torchscript.h"
#include "suite/analysis/variants.h"

namespace convscope {
namespace {

constexpr int64_t largest_side = 65536;
constexpr int64_t largest_integer = 1'000'000'000;

std::optional<int64_t> integer(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

[[noreturn]] void not_a_size(const std::string& text) {
  throw UsageError("--input '" + text +
                   "' is no image size: write 224, 224x320 (height x width), 3x224x224 (channels "
                   "first) or a range like 160-320+32 or 32-256*2, up to " +
                   std::to_string(largest_side));
}

int64_t side(const std::string& text, const std::string& whole) {
  const auto number = integer(text);
  if (!number || *number < 1 || *number > largest_side) not_a_size(whole);
  return *number;
}

/// A size as it was typed; 0 channels: the network's own.
ImageShape parse_size(const std::string& text) {
  std::vector<int64_t> numbers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('x', begin), text.size());
    numbers.push_back(side(text.substr(begin, end - begin), text));
    begin = end + 1;
  }
  switch (numbers.size()) {
    case 1:
      return {0, numbers[0], numbers[0]};
    case 2:
      return {0, numbers[0], numbers[1]};
    case 3:
      return {numbers[0], numbers[1], numbers[2]};
    default:
      not_a_size(text);
  }
}

/// "160-320+32", "32-256*2": from, to, and the step; nothing for what is no range, or an empty one.
std::vector<int64_t> range(const std::string& text, int64_t smallest, int64_t largest) {
  const size_t dash = text.find('-');
  const size_t by = dash == std::string::npos ? dash : text.find_first_of("+*", dash);
  if (by == std::string::npos) return {};
  const auto first = integer(text.substr(0, dash));
  const auto last = integer(text.substr(dash + 1, by - dash - 1));
  const auto step = integer(text.substr(by + 1));
  const bool grows = text[by] == '+';
  if (!first || !last || !step || *first < smallest || *last > largest || *step < (grows ? 1 : 2) ||
      (!grows && *first == 0)) {
    return {};
  }
  constexpr size_t most = 100000;  // a slip of the finger should not fill the memory
  std::vector<int64_t> numbers;
  for (int64_t number = *first; number <= *last; number = grows ? number + *step : number * *step) {
    numbers.push_back(number);
    if (numbers.size() > most) throw UsageError("'" + text + "' is more than 100,000 numbers");
  }
  return numbers;
}

std::vector<ImageShape> parse_sizes(const std::string& text) {
  if (text.find('-') == std::string::npos) return {parse_size(text)};
  std::vector<ImageShape> sizes;
  for (const int64_t side : range(text, 1, largest_side)) sizes.push_back({0, side, side});
  if (sizes.empty()) not_a_size(text);
  return sizes;
}

double parse_width(const std::string& text) {
  double width = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
  if (error != std::errc() || end != text.data() + text.size() || !(width > 0) || width > 64) {
    throw UsageError("--width '" + text + "' is no multiplier: write a number above 0, up to 64");
  }
  return width;
}

std::string networks_with_width() {
  std::string names;
  for (const Architecture& architecture : catalogue()) {
    if (architecture.settings.width > 0) names += (names.empty() ? "" : ", ") + architecture.name;
  }
  return names;
}

/// The networks of --module, each with the size that it is run at where nobody says one.
std::vector<Architecture> modules_of(const Invocation& invocation) {
  std::vector<Architecture> modules;
  if (!invocation.values.count("module")) return modules;
  std::set<std::string> names;
  for (const Architecture& known : catalogue()) names.insert(known.name);
  // Not taken apart at commas: a file may have one in its name.
  for (const std::string& file : invocation.values["module"].as<std::vector<std::string>>()) {
    Architecture network = scripted_network(file);
    if (network.name.find(':') != std::string::npos) {
      throw UsageError("--module '" + file +
                       "': ':' parts a network's name from what is asked of "
                       "it; give the file another name");
    }
    if (!names.insert(network.name).second) {
      throw UsageError("--module '" + file + "': another network here is called " + network.name +
                       ", too; give the file another name");
    }
    try {
      network.settings.image = script_image(network);
    } catch (const std::invalid_argument& error) {
      throw UsageError("--module '" + file + "': " + error.what());
    }
    if (invocation.list("input").empty()) {
      invocation.err << "note: " << network.name << ": an image of "
                     << to_string(network.settings.image)
                     << " is assumed; --input gives another size\n";
    }
    modules.push_back(network);
  }
  return modules;
}

/// Why the settings asked for cannot be had; "" if they can.
std::string refusal_of(const Architecture& architecture, const Settings& settings) {
  const Settings& usual = architecture.settings;
  const bool changed = settings.width != usual.width || settings.classes != usual.classes ||
                       settings.auxiliary != usual.auxiliary;
  if (!script_file(architecture).empty() && changed) {
    return architecture.name +
           " stays as it was exported: --width, --classes and --auxiliary build a network of the "
           "catalogue";
  }
  if (settings.width > 0 && usual.width == 0) {
    return architecture.name +
           " has no width multiplier; these networks have: " + networks_with_width();
  }
  return "";
}

std::vector<NetworkCase> cases_of(const Invocation& invocation,
                                  const std::vector<Architecture>& networks) {
  std::vector<ImageShape> sizes;
  for (const std::string& text : invocation.list("input")) {
    for (const ImageShape& size : parse_sizes(text)) sizes.push_back(size);
  }
  const std::string& width_text = invocation.text("width");
  const double width = width_text.empty() ? 0 : parse_width(width_text);
  const int64_t classes =
      invocation.text("classes").empty() ? 0 : positive_integer(invocation, "classes");

  const bool has_heads = invocation.command.options.find_nothrow("auxiliary", false) != nullptr;

  std::vector<NetworkCase> cases;
  for (const Architecture& architecture : networks) {
    NetworkCase a_case{architecture, architecture.settings, ""};
    if (width > 0) a_case.settings.width = width;
    if (classes > 0) a_case.settings.classes = classes;
    a_case.settings.auxiliary = has_heads && invocation.flag("auxiliary");
    a_case.refusal = refusal_of(architecture, a_case.settings);
    if (sizes.empty()) cases.push_back(a_case);
    for (const ImageShape& size : sizes) {
      a_case.settings.image = size;
      if (size.channels == 0) a_case.settings.image.channels = architecture.settings.image.channels;
      cases.push_back(a_case);
    }
  }
  return cases;
}

/// The whole numbers of at least `smallest` that a repeatable option lists.
std::vector<int64_t> integers(const Invocation& invocation, const std::string& option,
                              int64_t smallest, const std::string& such_as) {
  std::vector<int64_t> numbers;
  for (const std::string& text : invocation.list(option)) {
    const bool steps = text.find_first_of("+*") != std::string::npos;
    std::vector<int64_t> some = range(steps ? text : text + "+1", smallest, largest_integer);
    const auto one = integer(text);
    if (one && *one >= smallest && *one <= largest_integer) some = {*one};
    if (some.empty()) {
      throw UsageError("--" + option + " '" + text + "' is no whole number of at least " +
                       std::to_string(smallest) + ": write 8, or a list or range like " + such_as);
    }
    numbers.insert(numbers.end(), some.begin(), some.end());
  }
  return numbers;
}

}  // namespace

void add_network_options(po::options_description& options) {
  options.add_options()  //
      ("model,m", list_value(), "networks, by name or wildcard: resnet50,'vgg*' (default: all)")(
          "input,i", list_value(),
          "image sizes: 224, 224x320, 3x224x224, 160-320+32 (default: the paper's)")(
          "classes", text_value(), "number of classes (default: the paper's)")(
          "width", text_value(), "channel multiplier, for the MobileNets")(
          "auxiliary", po::bool_switch(), "with the heads that only training uses");
}

void add_module_option(po::options_description& options) {
  options.add_options()("module", list_value(),
                        "FILE: a network of your own, saved by Python's torch.jit");
}

void add_variant_options(po::options_description& options, const std::string& table) {
  options.add_options()  //
      ("channels", text_value("64"), ("of " + table).c_str())("kernel", text_value("3"),
                                                              ("of " + table).c_str())(
          "size", text_value("56"), ("of " + table + ": height and width").c_str());
}

std::vector<Architecture> variants_asked_for(const Invocation& invocation) {
  return layer_variants(positive_integer(invocation, "channels"),
                        positive_integer(invocation, "kernel"),
                        positive_integer(invocation, "size"));
}

std::vector<NetworkCase> network_cases(const Invocation& invocation) {
  auto patterns = invocation.list("model");
  const std::vector<Architecture> modules = modules_of(invocation);
  if (patterns.empty() && modules.empty()) patterns = {"*"};
  std::vector<Architecture> networks = match_architectures(patterns);
  networks.insert(networks.end(), modules.begin(), modules.end());
  return cases_of(invocation, networks);
}

std::vector<NetworkCase> network_cases(const Invocation& invocation, const std::string& name) {
  for (const Architecture& module : modules_of(invocation)) {
    if (module.name == name) return cases_of(invocation, {module});
  }
  return cases_of(invocation, match_architectures({name}));
}

std::string to_string(const ImageShape& image) {
  return std::to_string(image.channels) + "x" + std::to_string(image.height) + "x" +
         std::to_string(image.width);
}

ImageShape parse_shape(const std::string& text) {
  const ImageShape shape = parse_size(text);
  if (shape.channels == 0) not_a_size(text);
  return shape;
}

std::vector<int64_t> positive_integers(const Invocation& invocation, const std::string& option) {
  return integers(invocation, option, 1, "1,8,64, 1-5 or 1-16*2");
}

std::vector<int64_t> integers_from_0(const Invocation& invocation, const std::string& option) {
  return integers(invocation, option, 0, "0,3,17, 0-8 or 0-64+8");
}

int64_t positive_integer(const Invocation& invocation, const std::string& option) {
  const std::string& text = invocation.text(option);
  const auto number = integer(text);
  if (!number || *number < 1 || *number > largest_integer) {
    throw UsageError("--" + option + " '" + text + "' is no whole number of at least 1");
  }
  return *number;
}

int64_t integer_from_0(const Invocation& invocation, const std::string& option) {
  const std::string& text = invocation.text(option);
  if (text == "0") return 0;
  try {
    return positive_integer(invocation, option);
  } catch (const UsageError&) {
    throw UsageError("--" + option + " '" + text + "' is no whole number, 0 or above");
  }
}

}  // namespace convscope
