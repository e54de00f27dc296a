#include "suite/data/folder.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/data/bytes.h"

namespace convscope {

namespace fs = std::filesystem;

namespace {

std::string lower_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

/// "n01440764" of "n01440764_tench.JPEG"; empty if the name does not begin so.
std::string wordnet_id(const std::string& file) {
  constexpr size_t length = 9;
  if (file.size() <= length || file[0] != 'n' || (file[length] != '_' && file[length] != '.')) {
    return {};
  }
  const bool digits = std::all_of(file.begin() + 1, file.begin() + length,
                                  [](unsigned char c) { return std::isdigit(c); });
  return digits ? file.substr(0, length) : std::string();
}

/// The label of a class by its id, or else by its name.
class Labels {
 public:
  explicit Labels(const ClassList& classes) : classes_(classes) {
    for (size_t i = 0; i < classes.names.size(); ++i) by_name_[classes.names[i]].push_back(i);
    for (size_t i = 0; i < classes.ids.size(); ++i) by_id_[classes.ids[i]].push_back(i);
  }

  int64_t find(const std::string& text, const fs::path& where) const {
    for (const auto* places : {&by_id_, &by_name_}) {
      const auto found = places->find(text);
      if (found == places->end()) continue;
      if (found->second.size() == 1) return static_cast<int64_t>(found->second[0]);
      throw std::invalid_argument(where.string() + ": the list of classes has '" + text + "' " +
                                  std::to_string(found->second.size()) +
                                  " times; give a list with an id for each class");
    }
    throw std::invalid_argument(where.string() + ": expected one of the " +
                                std::to_string(classes_.names.size()) + " classes ('" +
                                classes_.names.front() + "' to '" + classes_.names.back() +
                                "'), found '" + text + "'" + did_you_mean(text, classes_.names));
  }

 private:
  using Places = std::map<std::string, std::vector<size_t>>;
  const ClassList& classes_;
  Places by_id_, by_name_;
};

struct FolderDataset : Dataset {
  struct File {
    std::string path;  ///< below `folder`
    int64_t label;
  };

  fs::path folder;
  std::vector<File> files;
  std::vector<std::string> names;
  std::vector<Skipped> left_out;
  int64_t channels;

  size_t size() const override { return files.size(); }
  Image image(size_t index, const WantedRegion& wanted) const override {
    NamedBytes file;
    try {
      file = read_file(folder / files[index].path, largest_image_file);
    } catch (const std::invalid_argument& error) {
      throw BrokenImage(error.what());
    }
    try {
      return decode_image(reinterpret_cast<const std::byte*>(file.bytes.data()), file.bytes.size(),
                          channels, wanted);
    } catch (const BrokenImage& error) {
      throw BrokenImage(file.name + ": " + error.what());
    }
  }
  int64_t label(size_t index) const override { return files[index].label; }
  std::string name(size_t index) const override { return (folder / files[index].path).string(); }
  const std::vector<std::string>& classes() const override { return names; }
  std::vector<Skipped> skipped() const override { return left_out; }

  void leave_out(const fs::path& path, const std::string& reason) {
    left_out.push_back(skipped_because(path.string(), reason));
  }

  /// The images at `below` in `folder`, and in its folders.
  void add(const fs::path& below, int64_t label) {
    for (const fs::directory_entry& entry : entries_of(folder / below)) {
      const fs::path name = entry.path().filename();
      // A link to a folder might lead back here.
      if (entry.is_directory() && !entry.is_symlink()) {
        add(below / name, label);
      } else if (!entry.is_regular_file()) {
        leave_out(entry.path(), "no file");
      } else if (!is_image_name(name)) {
        leave_out(entry.path(), "no .jpg, .jpeg or .png file");
      } else {
        files.push_back({(below / name).string(), label});
      }
    }
  }

  void add_class(const std::string& name, int64_t label) {
    const size_t before = files.size();
    add(name, label);
    if (files.size() != before) return;
    throw std::invalid_argument((folder / name).string() +
                                ": expected images of a class, found no .jpg, .jpeg or .png file; "
                                "remove the folder if it is not a class");
  }

  void add_flat(const Labels& labels) {
    for (const fs::directory_entry& entry : entries_of(folder)) {
      const std::string file = entry.path().filename().string();
      const std::string id = wordnet_id(file);
      if (!entry.is_regular_file()) {
        leave_out(entry.path(), "no file");
      } else if (!is_image_name(file)) {
        leave_out(entry.path(), "no .jpg, .jpeg or .png file");
      } else if (id.empty()) {
        leave_out(entry.path(), "its name does not begin with a WordNet id");
      } else {
        files.push_back({file, labels.find(id, entry.path())});
      }
    }
  }
};

}  // namespace

std::unique_ptr<Dataset> image_files(const std::vector<fs::path>& files, int64_t channels) {
  auto dataset = std::make_unique<FolderDataset>();
  dataset->channels = channels;
  dataset->names = {""};
  for (const fs::path& file : files) dataset->files.push_back({file.string(), 0});
  return dataset;
}

std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (it->path().filename().native()[0] != '.') entries.push_back(*it);
  }
  if (error) throw std::invalid_argument("cannot read " + folder.string() + ": " + error.message());
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.path().filename().native() < b.path().filename().native();
  });
  return entries;
}

bool is_image_name(const fs::path& file) {
  const std::string extension = lower_extension(file);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

Labelling labelling_of(const fs::path& folder) {
  Labelling labelling = Labelling::none;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    if (entry.is_directory()) return Labelling::folders;
    const fs::path name = entry.path().filename();
    if (is_image_name(name) && !wordnet_id(name.string()).empty()) labelling = Labelling::wordnet;
  }
  return labelling;
}

std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  return names;
}

std::unique_ptr<Dataset> folder_dataset(const fs::path& folder,
                                        const std::vector<std::string>& known,
                                        const DatasetOptions& options) {
  const bool flat = labelling_of(folder) == Labelling::wordnet;
  const ClassList& given = options.classes;
  if (flat && given.names.empty()) {
    throw std::invalid_argument(folder.string() +
                                ": its files begin with WordNet ids, whose order only a list of "
                                "classes tells; give one, such as imagenet_class_index.json");
  }
  auto dataset = std::make_unique<FolderDataset>();
  dataset->folder = folder;
  dataset->channels = options.channels;
  const ClassList classes = given.names.empty() ? ClassList{known, known} : given;
  if (classes.names.empty()) {
    throw std::invalid_argument(folder.string() +
                                ": expected to know the classes of its images, found neither "
                                "folders of classes nor a list of them; give one");
  }
  dataset->names = classes.names;
  const Labels labels(classes);
  if (flat) {
    dataset->add_flat(labels);
  } else {
    for (const std::string& name : class_folders(folder)) {
      dataset->add_class(name, labels.find(name, folder / name));
    }
    for (const fs::directory_entry& entry : entries_of(folder)) {
      if (!entry.is_directory() && is_image_name(entry.path())) {
        dataset->leave_out(entry.path(), "it lies beside the folders of the classes");
      }
    }
  }

  const std::vector<Skipped>& left_out = dataset->left_out;
  if (!left_out.empty() && !options.skip_broken) {
    const size_t more = left_out.size() - 1;
    throw std::invalid_argument(
        left_out[0].name + " is no image of a class: " + left_out[0].reason +
        (more == 0 ? std::string()
                   : ", and " + std::to_string(more) + " more such file" + (more > 1 ? "s" : "")) +
        "; remove it, or pass --skip-broken");
  }
  return dataset;
}

}  // namespace convscope
