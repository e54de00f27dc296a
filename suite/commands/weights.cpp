// convscope weights: what a file of weights holds and which network it fits; other formats of it;
// the files that others have published.
#include <algorithm>
#include <ostream>
#include <set>
#include <sstream>

#include "architectures/catalogue.h"
#include "architectures/nearest.h"
#include "suite/analysis/graph.h"
#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/inference/network_tensors.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/weights/fetch.h"
#include "suite/weights/preprocessing_record.h"
#include "suite/weights/published.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// A row of 'weights inspect --against': what the network has, and what the file has in its place.
struct Difference {
  std::string what, network, network_shape, file, file_shape;
};

std::vector<Difference> differences(const Fit& fit, const WeightsFile& file) {
  const auto row = [&](const std::string& what, const NetworkTensor* own,
                       const StoredTensor* stored) {
    return Difference{what, own ? own->name : "", own ? to_string(own->shape) : "",
                      stored ? stored->name : "", stored ? to_string(stored->shape) : ""};
  };
  const Match& match = fit.match;
  std::vector<Difference> rows;
  for (const Match::Pair& pair : match.misshapen) {
    const NetworkTensor& own = fit.tensors[pair.network];
    rows.push_back(
        row(own.class_axis >= 0 ? "new head" : "other shape", &own, &file.tensors[pair.stored]));
  }
  std::set<size_t> renamed, renamed_in_file;
  for (const Match::Pair& pair : match.likely) {
    rows.push_back(row("perhaps renamed", &fit.tensors[pair.network], &file.tensors[pair.stored]));
    renamed.insert(pair.network);
    renamed_in_file.insert(pair.stored);
  }
  for (const size_t i : match.missing) {
    if (!renamed.count(i)) rows.push_back(row("missing", &fit.tensors[i], nullptr));
  }
  for (const size_t i : match.unexpected) {
    if (!renamed_in_file.count(i)) rows.push_back(row("unexpected", nullptr, &file.tensors[i]));
  }
  return rows;
}

Table difference_table(const std::vector<Difference>& rows) {
  using R = Difference;
  return make_table<R>(
      {{"difference", "Difference", Human::plain, [](const R& r) { return Cell(r.what); }},
       {"network_tensor", "Network", Human::plain, [](const R& r) { return Cell(r.network); }},
       {"network_shape", "Shape", Human::plain, [](const R& r) { return Cell(r.network_shape); }},
       {"file_tensor", "File", Human::plain, [](const R& r) { return Cell(r.file); }},
       {"file_shape", "Shape in file", Human::plain,
        [](const R& r) { return Cell(r.file_shape); }}},
      rows);
}

Table tensor_table(const WeightsFile& file) {
  using R = StoredTensor;
  return make_table<R>(
      {{"tensor", "Tensor", Human::plain, [](const R& r) { return Cell(r.name); }},
       {"type", "Type", Human::plain, [](const R& r) { return Cell(to_string(r.type)); }},
       {"shape", "Shape", Human::plain, [](const R& r) { return Cell(to_string(r.shape)); }},
       {"elements", "Elements", Human::plain, [](const R& r) { return Cell(r.elements()); }}},
      file.tensors);
}

bool is_counter(const StoredTensor& tensor) {
  const std::string end = "num_batches_tracked";
  return tensor.name.size() >= end.size() &&
         tensor.name.compare(tensor.name.size() - end.size(), end.size(), end) == 0;
}

/// "resnet18, or with another head", ...: the networks of the catalogue that the file fills.
std::string fitting_networks(const WeightsFile& file) {
  std::string fitting, nearest;
  size_t most = 0;
  for (const Architecture& architecture : catalogue()) {
    const Fit found = fit(architecture, architecture.settings, file, /*keep_classes=*/false);
    const Match& match = found.match;
    const bool all_used = std::all_of(match.unexpected.begin(), match.unexpected.end(),
                                      [&](size_t i) { return is_counter(file.tensors[i]); });
    if (match.complete()) {
      std::string how;
      if (found.settings.classes != architecture.settings.classes) {
        how += "with " + std::to_string(found.settings.classes) + " classes";
      }
      if (match.by_order) how += std::string(how.empty() ? "" : ", ") + "by order and shape";
      if (!all_used) {
        how += std::string(how.empty() ? "" : ", ") + "leaving out " +
               std::to_string(match.unexpected.size()) + " tensors";
      }
      fitting +=
          (fitting.empty() ? "" : ", ") + architecture.name + (how.empty() ? "" : " (" + how + ")");
    } else if (match.pairs.size() > most) {
      most = match.pairs.size();
      nearest = architecture.name;
    }
  }
  if (!fitting.empty()) return fitting;
  if (most == 0) return "none of the networks that 'convscope list' shows";
  return "none; the nearest is " + nearest + ", with " + std::to_string(most) +
         " tensors in common ('--against " + nearest + "' shows the rest)";
}

/// What stands in a file is anybody's: it must not move the cursor.
std::string printable_lines(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += printable(line) + "\n";
  return result;
}

std::string summary(const WeightsFile& file) {
  int64_t elements = 0, bytes = 0;
  for (const StoredTensor& tensor : file.tensors) {
    elements += is_counter(tensor) ? 0 : tensor.elements();
    bytes += tensor.elements() * bytes_of(tensor.type);
  }
  std::ostringstream text;
  text << "file        " << file.path.string() << "\n"
       << "format      " << to_string(file.format) << "\n"
       << "tensors     " << file.tensors.size() << ", " << elements << " values, " << bytes
       << " bytes\n";
  if (!file.wrapped_in.empty()) text << "found under " << file.wrapped_in << "\n";
  for (const auto& [key, value] : file.beside)
    text << "beside      " << key << ": " << value << "\n";
  if (const PublishedWeights* published = published_weights_in(file)) {
    text << "published   " << published->name << " by " << published->source << ", top-1 "
         << published->top1 << " % of " << published->dataset << "\n"
         << "images      " << to_string(published->preprocessing) << "\n";
  }
  text << "fits        " << fitting_networks(file) << "\n";
  return printable_lines(text.str());
}

bool is_new_head(const Difference& difference) { return difference.what == "new head"; }

std::string sentence_about(const std::string& network, const Fit& fit,
                           const std::vector<Difference>& rows) {
  const auto counters = [&](const auto& places) {
    return std::count_if(places.begin(), places.end(), [&](const Match::Pair& pair) {
      return fit.tensors[pair.network].counter;
    });
  };
  const auto wanted = std::count_if(fit.tensors.begin(), fit.tensors.end(),
                                    [](const NetworkTensor& tensor) { return !tensor.counter; });
  const auto found = static_cast<int64_t>(fit.match.pairs.size()) - counters(fit.match.pairs);
  std::ostringstream text;
  text << found << " of " << wanted << " tensors of " << network << " are in the file";
  if (!fit.match.prefix.empty()) text << ", without the prefix '" << fit.match.prefix << "'";
  if (fit.match.by_order) text << ", by order and shape";
  text << ".\n";
  if (rows.empty()) {
    text << "Nothing is missing, unexpected or of another shape.\n";
  } else if (std::all_of(rows.begin(), rows.end(), is_new_head)) {
    text << "The backbone fits; the head is new: it is for another number of classes.\n";
  }
  return text.str();
}

void print_both(Output& output, const std::string& text, const Table& table) {
  if (output.format() != Format::table) return output.print(table);
  std::ostringstream all;
  all << text;
  if (!table.rows.empty()) {
    all << "\n";
    write(table, Format::table, all);
  }
  output.print(all.str());
}

/// The one file that the words after the action name.
fs::path one_file(const Invocation& invocation, const std::string& action) {
  const auto& values = invocation.values;
  if (values.count("file")) {
    const auto& words = values["file"].as<std::vector<std::string>>();
    if (words.size() == 1) return words[0];
  }
  throw UsageError("weights " + action + ": name one file");
}

int inspect(const Invocation& invocation) {
  const std::string& network = invocation.text("against");
  Output output(invocation);
  const WeightsFile file = read_weights(one_file(invocation, "inspect"));
  if (network.empty()) {
    print_both(output, summary(file), tensor_table(file));
    return done;
  }
  const Architecture& architecture = find_architecture(network);
  const Fit found = fit(architecture, architecture.settings, file, /*keep_classes=*/true);
  const std::vector<Difference> rows = differences(found, file);
  print_both(output, sentence_about(network, found, rows), difference_table(rows));
  const bool fits = found.match.missing.empty() &&
                    std::all_of(found.match.misshapen.begin(), found.match.misshapen.end(),
                                [&](const Match::Pair& pair) {
                                  return found.tensors[pair.network].class_axis >= 0;
                                });
  return fits ? done : some_failed;
}

/// The file's tensors under the names of a network.
std::vector<StoredTensor> renamed(const std::string& network, const WeightsFile& file,
                                  std::ostream& err) {
  const Architecture& architecture = find_architecture(network);
  const Fit found = fit(architecture, architecture.settings, file, /*keep_classes=*/false);
  if (!found.match.complete()) {
    throw UsageError(file.path.string() + " does not fit " + network + ": " +
                     "'weights inspect FILE --against " + network + "' shows why");
  }
  std::vector<std::string> left_out;
  for (const size_t i : found.match.unexpected) left_out.push_back(file.tensors[i].name);
  if (!left_out.empty()) {
    err << "warning: " << network << " has no place for " << printable(some_of(left_out)) << "\n";
  }
  std::vector<Match::Pair> pairs = found.match.pairs;
  std::sort(pairs.begin(), pairs.end(),
            [](const auto& a, const auto& b) { return a.network < b.network; });
  std::vector<StoredTensor> tensors;
  for (const Match::Pair& pair : pairs) {
    tensors.push_back(file.tensors[pair.stored]);
    tensors.back().name = found.tensors[pair.network].name;
  }
  return tensors;
}

int convert(const Invocation& invocation) {
  const fs::path out = invocation.text("out");
  const std::string extension = out.extension().string();
  if (out.empty()) throw UsageError("weights convert: name the file to write with --out");
  if (extension != ".safetensors" && extension != ".pth" && extension != ".pt") {
    throw UsageError("weights convert: --out '" + out.string() +
                     "' must end in .safetensors, .pth or .pt, which says the format");
  }
  const WeightsFile file = read_weights(one_file(invocation, "convert"));
  const std::string& network = invocation.text("against");
  const std::vector<StoredTensor> tensors =
      network.empty() ? file.tensors : renamed(network, file, invocation.err);
  const bool from_safetensors = file.format == WeightsFormat::safetensors;
  if (extension == ".safetensors") {
    std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
    if (from_safetensors) metadata = file.beside;
    if (!recorded_preprocessing(file)) {
      if (const PublishedWeights* published = published_weights_in(file)) {
        metadata.emplace_back("preprocessing", preprocessing_record(published->preprocessing));
      }
    }
    write_safetensors(out, tensors, metadata);
  } else {
    write_torch_zip(out, tensors);
    if (from_safetensors && !file.beside.empty()) {
      invocation.err << "warning: a " << extension << " file has no place for the metadata of "
                     << file.path.filename().string() << "\n";
    }
  }
  invocation.err << out.string() << ": " << tensors.size() << " tensors\n";
  return done;
}

int print_published(const Invocation& invocation) {
  Output output(invocation);
  using R = PublishedWeights;
  output.print(make_table<R>(
      {{"name", "Name", Human::plain, [](const R& r) { return Cell(r.name); }},
       {"model", "Network", Human::plain, [](const R& r) { return Cell(r.architecture); }},
       {"dataset", "Dataset", Human::plain, [](const R& r) { return Cell(r.dataset); }},
       {"top1", "Top-1 %", Human::plain, [](const R& r) { return Cell(r.top1); }},
       {"top5", "Top-5 %", Human::plain,
        [](const R& r) { return r.top5 > 0 ? Cell(r.top5) : Cell(); }},
       {"source", "Published by", Human::plain, [](const R& r) { return Cell(r.source); }},
       {"preprocessing", "Images", Human::none,
        [](const R& r) { return Cell(to_string(r.preprocessing)); }},
       {"url", "Address", Human::none, [](const R& r) { return Cell(r.url); }}},
      published_weights()));
  return done;
}

int fetch_all(const Invocation& invocation) {
  if (!invocation.values.count("file")) return print_published(invocation);
  std::vector<const PublishedWeights*> wanted;
  for (const std::string& name : invocation.values["file"].as<std::vector<std::string>>()) {
    wanted.push_back(&find_published(name));
  }
  if (wanted.size() > 1 && !invocation.text("url").empty()) {
    throw UsageError("weights fetch: --url is one address, so name one file's weights");
  }
  int code = done;
  for (const PublishedWeights* weights : wanted) {
    FetchOptions options;
    options.url = invocation.text("url");
    if (invocation.flag("dry-run")) {
      invocation.out << to_string(plan_fetch(*weights, options)) << "\n";
      continue;
    }
    try {
      Progress progress(invocation.err, weights->name, 0, "bytes");
      options.progress = [&](int64_t bytes, int64_t total) { progress.update(bytes, total); };
      const Fetched fetched = fetch(*weights, options);
      progress.finish();
      invocation.out << fetched.path.string() << "\n";
    } catch (const std::runtime_error& error) {
      if (wanted.size() == 1) throw;
      invocation.err << "convscope: " << error.what() << "\n";
      code = some_failed;
    }
  }
  return code;
}

int run(const Invocation& invocation) {
  const std::string& action = invocation.text("action");
  if (action == "inspect") return inspect(invocation);
  if (action == "convert") return convert(invocation);
  if (action == "fetch") return fetch_all(invocation);
  const std::vector<std::string> actions = {"inspect", "convert", "fetch"};
  throw UsageError(action.empty() ? "weights: say inspect, convert or fetch first"
                                  : "weights: '" + action + "' is not inspect, convert or fetch" +
                                        did_you_mean(action, actions));
}

}  // namespace

Command weights_command() {
  Command command{"weights",
                  "files of weights: inspect FILE, convert FILE, fetch NAME",
                  "convscope weights inspect resnet18-f37072fd.pth --against resnet18",
                  {},
                  {"action", "file"},
                  run};
  command.options.add_options()  //
      ("action", text_value(),
       "inspect: what a file holds and which networks it fits; convert: write it in another "
       "format; fetch: download published weights, or list them where none is named")(
          "file", list_value(), "the file; of 'fetch', names of published weights")(
          "against", text_value(),
          "MODEL: what differs from this network; of 'convert', take its names")(
          "url", text_value(), "of 'fetch': download from here instead")(
          "dry-run", po::bool_switch(), "of 'fetch': say what would be downloaded");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
