// Images as files in a folder, whose folders or names say the class.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "suite/data/datasets.h"

namespace convscope {

/// How a folder's images are labelled: by the folder each lies in, or by the WordNet id that its
/// name begins with ("n01440764_tench.JPEG"); `none` where neither is so.
enum class Labelling { none, folders, wordnet };
Labelling labelling_of(const std::filesystem::path& folder);

/// The folders in it, sorted by their bytes, as torchvision's ImageFolder numbers the classes.
std::vector<std::string> class_folders(const std::filesystem::path& folder);

/// The images of `folder`, JPEG and PNG, at any depth below a class. Labels are places in
/// `options.classes`, or else in `known`: the classes of the training images, which those of other
/// splits must be among. Files that are no images are refused, or left out with
/// `options.skip_broken`; hidden ones do not count. Throws std::invalid_argument that names the
/// file or folder. The order of the files is that of their names' bytes.
std::unique_ptr<Dataset> folder_dataset(const std::filesystem::path& folder,
                                        const std::vector<std::string>& known,
                                        const DatasetOptions& options);

/// These images in this order, without labels: all are of the one class "".
std::unique_ptr<Dataset> image_files(const std::vector<std::filesystem::path>& files,
                                     int64_t channels);

/// The entries of a folder that are not hidden, sorted by their names' bytes.
std::vector<std::filesystem::directory_entry> entries_of(const std::filesystem::path& folder);

/// By its name: .jpg, .jpeg or .png in any case.
bool is_image_name(const std::filesystem::path& file);

}  // namespace convscope
