#include "suite/data/datasets.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/data/bytes.h"
#include "suite/data/cifar.h"
#include "suite/data/folder.h"
#include "suite/data/idx.h"
#include "suite/data/procedural.h"
#include "suite/data/random.h"

namespace convscope {

namespace fs = std::filesystem;

namespace {

using OpenPart = std::function<std::unique_ptr<Dataset>()>;

/// A dataset as its files divide it: "train", "val", "test"; or "" where they do not.
using Parts = std::map<std::string, OpenPart>;

const std::vector<std::string> all_splits = {"train", "val", "test"};

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

/// "train" of "train-", "emnist-letters-train-", "training": what people call the splits.
std::string split_named(const std::string& text) {
  for (const auto& [part, split] : {std::pair("train", "train"), std::pair("val", "val"),
                                    std::pair("test", "test"), std::pair("t10k", "test")}) {
    if (text.find(part) != std::string::npos) return split;
  }
  return {};
}

/// The folder itself, and those in it that archives unpack to.
std::vector<fs::path> with_usual_folders(const fs::path& folder,
                                         const std::vector<std::string>& usual) {
  std::vector<fs::path> folders = {folder};
  for (const std::string& name : usual) {
    if (fs::is_directory(folder / name)) folders.push_back(folder / name);
  }
  return folders;
}

// The kinds of dataset. Each function gives no parts where the path is not of its kind.

const std::string made_up = "procedural";

Parts procedural_parts(const DatasetOptions& options) {
  const std::string text = options.path.string();
  if (text != made_up && text.rfind(made_up + ":", 0) != 0) return {};
  ProceduralOptions defaults;
  defaults.seed = options.seed;
  defaults.channels = options.channels;
  const ProceduralOptions chosen = parse_procedural(
      text.size() > made_up.size() ? text.substr(made_up.size() + 1) : std::string(), defaults);
  Parts parts;
  for (const std::string& split : all_splits) {
    parts[split] = [chosen, split] { return procedural_dataset(chosen, split); };
  }
  return parts;
}

/// The parts of an idx file's name: what is before "images", and whether it is compressed.
const std::regex idx_images("(.*)images[-.]idx3-ubyte(\\.gz)?");

fs::path labels_beside(const fs::path& folder, const std::string& prefix) {
  const std::string plain = prefix + "labels-idx1-ubyte", dotted = prefix + "labels.idx1-ubyte";
  for (const std::string& name : {plain, dotted, plain + ".gz", dotted + ".gz"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  throw std::invalid_argument(folder.string() + ": expected " + plain +
                              " or the same with .gz beside the images, found neither");
}

OpenPart open_idx(const fs::path& images, const std::string& prefix,
                  const DatasetOptions& options) {
  std::vector<std::string> classes = options.classes.names;
  // MNIST's own names, and those of its drop-in replacements: ten classes.
  if (classes.empty() && (prefix == "train-" || prefix == "t10k-")) {
    for (int i = 0; i < 10; ++i) classes.push_back(std::to_string(i));
  }
  return [=, channels = options.channels] {
    return idx_dataset(read_file(images), read_file(labels_beside(images.parent_path(), prefix)),
                       classes, channels);
  };
}

Parts idx_parts(const DatasetOptions& options) {
  std::smatch match;
  Parts parts;
  if (!fs::is_directory(options.path)) {
    const std::string name = options.path.filename().string();
    if (std::regex_match(name, match, idx_images)) {
      parts[""] = open_idx(options.path, match[1], options);
    }
    return parts;
  }
  for (const fs::path& folder : with_usual_folders(options.path, {"raw"})) {
    std::map<std::string, fs::path> taken;
    for (const fs::directory_entry& entry : entries_of(folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory() || !std::regex_match(name, match, idx_images)) continue;
      const std::string prefix = match[1], split = split_named(prefix);
      const auto other = taken.emplace(split, entry.path());
      // The same file, plain and compressed: the plain one comes first.
      if (!other.second && match[2].matched && fs::exists(folder / entry.path().stem())) continue;
      if (!other.second) {
        throw std::invalid_argument(folder.string() + ": expected one set of idx files, found " +
                                    other.first->second.filename().string() + " and " + name +
                                    "; give the path of one of them");
      }
      parts[split] = open_idx(entry.path(), prefix, options);
    }
    if (!parts.empty()) return parts;
  }
  return parts;
}

OpenPart open_cifar(const std::vector<fs::path>& paths, Cifar kind, const DatasetOptions& options) {
  std::vector<std::string> classes = options.classes.names;
  const fs::path names =
      paths[0].parent_path() / (kind == Cifar::ten ? "batches.meta.txt" : "fine_label_names.txt");
  return [=, channels = options.channels] {
    std::vector<NamedBytes> files;
    for (const fs::path& path : paths) files.push_back(read_file(path));
    return cifar_dataset(
        std::move(files), kind,
        classes.empty() && fs::exists(names) ? read_class_list(names).names : classes, channels);
  };
}

Parts cifar_parts(const DatasetOptions& options) {
  Parts parts;
  if (!fs::is_directory(options.path)) {
    if (options.path.extension() != ".bin") return parts;
    const std::string name = options.path.filename().string();
    std::error_code ignored;
    const auto size = fs::file_size(options.path, ignored);
    const bool hundred =
        name == "train.bin" || name == "test.bin" ||
        (size % record_size(Cifar::ten) != 0 && size % record_size(Cifar::hundred) == 0);
    parts[""] = open_cifar({options.path}, hundred ? Cifar::hundred : Cifar::ten, options);
    return parts;
  }
  for (const fs::path& folder :
       with_usual_folders(options.path, {"cifar-10-batches-bin", "cifar-100-binary"})) {
    std::vector<fs::path> batches;
    for (const fs::directory_entry& entry : entries_of(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("data_batch_", 0) == 0 && entry.path().extension() == ".bin") {
        batches.push_back(entry.path());
      }
    }
    if (!batches.empty()) parts["train"] = open_cifar(batches, Cifar::ten, options);
    for (const auto& [name, split, kind] : {std::tuple("test_batch.bin", "test", Cifar::ten),
                                            std::tuple("train.bin", "train", Cifar::hundred),
                                            std::tuple("test.bin", "test", Cifar::hundred)}) {
      if (fs::exists(folder / name)) parts[split] = open_cifar({folder / name}, kind, options);
    }
    if (!parts.empty()) return parts;
  }
  return parts;
}

Parts folder_parts(const DatasetOptions& options) {
  Parts parts;
  if (!fs::is_directory(options.path) || labelling_of(options.path) == Labelling::none) {
    return parts;
  }
  static const std::map<std::string, std::string> split_folders = {
      {"train", "train"},    {"training", "train"}, {"val", "val"},     {"valid", "val"},
      {"validation", "val"}, {"test", "test"},      {"testing", "test"}};
  const std::vector<std::string> below = class_folders(options.path);
  std::map<std::string, fs::path> found;
  for (const std::string& name : below) {
    const auto split = split_folders.find(name);
    if (split == split_folders.end()) continue;
    // A class may be called "train" as well, but it has no classes below it.
    if (labelling_of(options.path / name) == Labelling::none) continue;
    found[split->second] = options.path / name;
  }
  if (found.empty()) {
    if (below.size() == 1 && options.classes.names.empty()) {
      throw std::invalid_argument(
          options.path.string() + ": expected a folder for each class, found only '" + below[0] +
          "'; is " + (options.path / below[0]).string() + " the folder of the dataset?");
    }
    parts[""] = [options, below] { return folder_dataset(options.path, below, options); };
    return parts;
  }
  // Files that begin with WordNet ids do not tell the classes, so they are no reference.
  std::vector<std::string> known;
  for (const std::string& split : all_splits) {
    const auto folder = found.find(split);
    if (folder == found.end() || labelling_of(folder->second) != Labelling::folders) continue;
    known = class_folders(folder->second);
    break;
  }
  for (const auto& [split, folder] : found) {
    parts[split] = [=, path = folder] { return folder_dataset(path, known, options); };
  }
  return parts;
}

/// "2 folders, 3 .txt files and 1 file": what a folder holds, for people who gave the wrong one.
std::string what_is_in(const fs::path& folder) {
  std::map<std::string, size_t> counts;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    const std::string extension = entry.path().extension().string();
    ++counts[entry.is_directory() ? "folder" : extension.empty() ? "file" : extension + " file"];
  }
  std::vector<std::string> items;
  for (const auto& [kind, count] : counts) {
    items.push_back(std::to_string(count) + " " + kind + (count > 1 ? "s" : ""));
  }
  return items.empty() ? "nothing" : listed(items);
}

[[noreturn]] void refuse_path(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    throw std::invalid_argument("cannot read " + path.string() +
                                ": no such file or folder; a dataset is a folder, a file, or '" +
                                made_up + "'");
  }
  const std::string name = path.filename().string();
  if (fs::is_directory(status)) {
    const bool python = fs::exists(path / "data_batch_1") || fs::exists(path / "batches.meta");
    throw std::invalid_argument(
        path.string() +
        ": expected folders of classes (perhaps below train, val, test), files that begin with "
        "WordNet ids, idx files (train-images-idx3-ubyte) or CIFAR's (data_batch_1.bin), found " +
        what_is_in(path) +
        (python ? "; these are CIFAR's files for Python, download the binary version" : ""));
  }
  if (std::regex_search(name, std::regex("\\.(tar|tgz|zip|tar\\.[a-z0-9]+)$"))) {
    throw std::invalid_argument(path.string() +
                                ": expected a folder, found an archive; unpack it first");
  }
  throw std::invalid_argument(
      path.string() +
      ": expected a folder, an idx file of images (train-images-idx3-ubyte) or a .bin file of "
      "CIFAR, found another file" +
      (name.find("idx1") != std::string::npos ? "; these are labels, give the images" : ""));
}

Parts parts_of(const DatasetOptions& options) {
  if (options.channels != 1 && options.channels != 3) {
    throw std::invalid_argument("expected 1 or 3 channels of a dataset's images, found " +
                                std::to_string(options.channels));
  }
  if (options.held_out && !(*options.held_out >= 0 && *options.held_out < 1)) {
    throw std::invalid_argument("expected a fraction from 0 to below 1 to be held out, found " +
                                std::to_string(*options.held_out));
  }
  for (const auto find : {procedural_parts, idx_parts, cifar_parts, folder_parts}) {
    Parts parts = find(options);
    if (!parts.empty()) return parts;
  }
  refuse_path(options.path);
}

/// Some of the images of another dataset.
struct Subset : Dataset {
  std::unique_ptr<Dataset> whole;
  std::vector<size_t> indices;

  size_t size() const override { return indices.size(); }
  Image image(size_t index, const WantedRegion& wanted) const override {
    return whole->image(indices[index], wanted);
  }
  int64_t label(size_t index) const override { return whole->label(indices[index]); }
  std::string name(size_t index) const override { return whole->name(indices[index]); }
  const std::vector<std::string>& classes() const override { return whole->classes(); }
  std::vector<Skipped> skipped() const override { return whole->skipped(); }
};

/// The part of each class that is held out, or what it leaves; in the order of `whole`.
std::unique_ptr<Dataset> divide(std::unique_ptr<Dataset> whole, double fraction, uint64_t seed,
                                bool held_out) {
  std::vector<std::vector<size_t>> of_class(whole->classes().size());
  for (size_t i = 0; i < whole->size(); ++i) {
    of_class[static_cast<size_t>(whole->label(i))].push_back(i);
  }
  auto subset = std::make_unique<Subset>();
  for (size_t label = 0; label < of_class.size(); ++label) {
    std::vector<size_t>& indices = of_class[label];
    Random random(seed, label);
    shuffle(indices, random);
    const auto middle =
        indices.begin() + static_cast<std::ptrdiff_t>(
                              std::floor(fraction * static_cast<double>(indices.size()) + 0.5));
    subset->indices.insert(subset->indices.end(), held_out ? indices.begin() : middle,
                           held_out ? middle : indices.end());
  }
  std::sort(subset->indices.begin(), subset->indices.end());
  subset->whole = std::move(whole);
  return subset;
}

double held_out_of(const DatasetOptions& options, const Parts& parts) {
  if (parts.count("val")) return 0;
  return options.held_out.value_or(parts.count("test") ? 0 : 0.2);
}

std::vector<std::string> splits_of(const DatasetOptions& options, const Parts& parts) {
  const bool divided = held_out_of(options, parts) > 0;
  std::vector<std::string> splits;
  for (const std::string& split : all_splits) {
    const bool from_training = parts.count("train") || parts.count("");
    const bool there = parts.count(split) || (split == "train" && parts.count("")) ||
                       (split == "val" && from_training && divided);
    if (there) splits.push_back(split);
  }
  return splits;
}

std::unique_ptr<Dataset> open_split(const DatasetOptions& options) {
  const Parts parts = parts_of(options);
  const std::string& split = options.split;
  const auto check = [&](std::unique_ptr<Dataset> dataset) {
    if (dataset->size() > 0) return dataset;
    throw std::invalid_argument(options.path.string() + ": expected images" +
                                (split.empty() ? "" : " in the split '" + split + "'") +
                                ", found none; is too little or too much held out?");
  };
  if (split.empty()) {
    for (const char* choice : {"test", "val", "", "train"}) {
      const auto part = parts.find(choice);
      if (part != parts.end()) return check(part->second());
    }
  }
  const std::vector<std::string> splits = splits_of(options, parts);
  if (std::find(splits.begin(), splits.end(), split) == splits.end()) {
    const std::string near = did_you_mean(split, splits);
    throw std::invalid_argument(
        options.path.string() + ": expected one of its splits, " + listed(splits) + ", found '" +
        split + "'" + near +
        (split == "val" ? "; choose a fraction to hold out, and it is taken from the training "
                          "images"
                        : ""));
  }
  const double fraction = held_out_of(options, parts);
  if (parts.count(split) && !(split == "train" && fraction > 0)) return check(parts.at(split)());
  const OpenPart& source = parts.count("train") ? parts.at("train") : parts.at("");
  if (fraction == 0) return check(source());
  return check(divide(source(), fraction, options.seed, split == "val"));
}

/// What the file system refuses is told as every other error is.
template <class Function>
auto naming_the_path(Function function) {
  try {
    return function();
  } catch (const fs::filesystem_error& error) {
    throw std::invalid_argument("cannot read " + error.path1().string() + ": " +
                                error.code().message());
  }
}

}  // namespace

std::vector<std::string> dataset_splits(const DatasetOptions& options) {
  return naming_the_path([&] { return splits_of(options, parts_of(options)); });
}

std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options) {
  return naming_the_path([&] { return open_split(options); });
}

std::string fingerprint(const DatasetOptions& options) {
  std::ostringstream text;
  text << options.path.string() << ' ' << options.split << ' ' << options.held_out.value_or(-1)
       << ' ' << options.seed << ' ' << options.channels << ' ' << options.skip_broken;
  for (const std::string& id : options.classes.ids) text << ' ' << id;
  // Beside one file there may be another with its labels.
  const fs::path folder = fs::is_directory(options.path) || !fs::exists(options.path)
                              ? options.path
                              : fs::absolute(options.path).parent_path();
  std::error_code error;
  std::vector<fs::directory_entry> files;
  const auto how = fs::directory_options::follow_directory_symlink |
                   fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator file(folder, how, error), end; file != end && !error;
       file.increment(error)) {
    files.push_back(*file);
  }
  std::sort(files.begin(), files.end());
  for (const fs::directory_entry& file : files) {
    std::error_code gone;  // a link that leads nowhere has no size
    if (!file.is_regular_file(gone)) continue;
    text << '\n'
         << file.path().string() << ' ' << file.file_size(gone) << ' '
         << file.last_write_time(gone).time_since_epoch().count();
  }
  return text.str();
}

}  // namespace convscope
