// Opens a dataset by its path: which kind it is, and which part of it is meant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "suite/data/dataset.h"

namespace convscope {

/// Classes in the order of their labels. `ids` are what folders and files are called by, such as
/// WordNet's "n01440764"; `names` are for people. The two are equal where a list has only one.
struct ClassList {
  std::vector<std::string> ids, names;
};

/// Reads a list in order of class index: a line each ("tench", "n01440764" or "n01440764 tench"),
/// or JSON ({"0": ["n01440764", "tench"], ...} or ["tench", ...]). Throws std::invalid_argument.
ClassList read_class_list(const std::filesystem::path& path);

/// The same of a file's text; messages call it `name`.
ClassList parse_class_list(const std::string& text, const std::string& name);

struct DatasetOptions {
  /// - a folder with a folder for each class, perhaps below train, val and test;
  /// - a folder of ImageNet's samples, n01440764_tench.JPEG; it needs `classes`;
  /// - idx files (MNIST and its like), or the one with the images of a pair;
  /// - CIFAR-10's or CIFAR-100's binary files, or one of them;
  /// - "procedural" or "procedural:classes=10,size=32,...": see procedural.h.
  std::filesystem::path path;
  /// "train", "val" or "test"; "": the test images, or else the validation images, or else, where
  /// the files are not split, all.
  std::string split;
  ClassList classes;  ///< labels are the places in this list, where it is not empty
  /// The fraction of each class that is taken from the training images, or from all where the files
  /// are not split, to be "val" where the files have none. Nothing given: 0.2 where they have no
  /// "test" either, else 0.
  std::optional<double> held_out;
  uint64_t seed = 0;  ///< of what is held out, and of a procedural dataset
  int64_t channels = 3;
  bool skip_broken = false;  ///< leave files out that are no images, instead of refusing them
};

/// Throws std::invalid_argument: what was looked for, and what is there.
std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options);

/// Text that differs where the images may differ: of what the options say, and of the names, sizes
/// and times of the files. Reads none of them.
std::string fingerprint(const DatasetOptions& options);

/// The splits that can be opened, of "train", "val", "test", in this order.
std::vector<std::string> dataset_splits(const DatasetOptions& options);

}  // namespace convscope
