#include "suite/data/subset.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

#include "suite/data/random.h"

namespace convscope {
namespace {

class Subset : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, const std::vector<int64_t>& classes,
         std::optional<int64_t> per_class, uint64_t seed)
      : whole_(std::move(whole)) {
    const auto count = static_cast<int64_t>(whole_->classes().size());
    std::vector<int64_t> place(static_cast<size_t>(count), -1);
    for (const int64_t one : classes) {
      if (one < 0 || one >= count) {
        throw std::invalid_argument("there is no class " + std::to_string(one) + " among " +
                                    std::to_string(count));
      }
      if (place[static_cast<size_t>(one)] >= 0) {
        throw std::invalid_argument("class " + std::to_string(one) + " is named twice");
      }
      place[static_cast<size_t>(one)] = static_cast<int64_t>(names_.size());
      names_.push_back(whole_->classes()[static_cast<size_t>(one)]);
    }
    std::vector<std::vector<size_t>> members(names_.size());
    for (size_t i = 0; i < whole_->size(); ++i) {
      const int64_t label = place[static_cast<size_t>(whole_->label(i))];
      if (label >= 0) members[static_cast<size_t>(label)].push_back(i);
    }
    for (size_t label = 0; label < members.size(); ++label) {
      std::vector<size_t>& of_class = members[label];
      if (per_class && static_cast<size_t>(*per_class) < of_class.size()) {
        Random random(seed, label);
        shuffle(of_class, random);
        of_class.resize(static_cast<size_t>(*per_class));
      }
      for (const size_t index : of_class) images_.emplace_back(index, label);
    }
    // As they are in the whole, so that a subset of everything is the whole.
    std::sort(images_.begin(), images_.end());
  }

  size_t size() const override { return images_.size(); }
  Image image(size_t index, const WantedRegion& wanted) const override {
    return whole_->image(images_.at(index).first, wanted);
  }
  int64_t label(size_t index) const override {
    return static_cast<int64_t>(images_.at(index).second);
  }
  std::string name(size_t index) const override { return whole_->name(images_.at(index).first); }
  const std::vector<std::string>& classes() const override { return names_; }
  std::vector<Skipped> skipped() const override { return whole_->skipped(); }

 private:
  std::shared_ptr<const Dataset> whole_;
  std::vector<std::string> names_;
  std::vector<std::pair<size_t, size_t>> images_;  ///< index in the whole, label here
};

/// Of an image that is kept: one of 64x64 pixels.
constexpr size_t most_bytes = 64 * 64 * 3;

class KeptDecoded : public Dataset {
 public:
  explicit KeptDecoded(std::shared_ptr<const Dataset> source)
      : source_(std::move(source)), images_(source_->size()) {}
  ~KeptDecoded() override {
    for (std::atomic<const Image*>& image : images_) delete image.load();
  }

  size_t size() const override { return source_->size(); }
  Image image(size_t index, const WantedRegion& wanted) const override {
    std::atomic<const Image*>& place = images_.at(index);
    if (const Image* kept = place.load()) return *kept;
    auto image = std::make_unique<const Image>(source_->image(index, wanted));
    const Region& part = image->part;
    const bool whole = part.height == image->full.height && part.width == image->full.width;
    if (!whole || image->pixels.size() > most_bytes) return *image;
    const Image* none = nullptr;
    // Another thread may have decoded it meanwhile, to the same bytes.
    if (place.compare_exchange_strong(none, image.get())) return *image.release();
    return *image;
  }
  int64_t label(size_t index) const override { return source_->label(index); }
  std::string name(size_t index) const override { return source_->name(index); }
  const std::vector<std::string>& classes() const override { return source_->classes(); }
  std::vector<Skipped> skipped() const override { return source_->skipped(); }

 private:
  std::shared_ptr<const Dataset> source_;
  mutable std::vector<std::atomic<const Image*>> images_;
};

}  // namespace

std::unique_ptr<Dataset> subset(std::shared_ptr<const Dataset> dataset,
                                const std::vector<int64_t>& classes,
                                std::optional<int64_t> per_class, uint64_t seed) {
  return std::make_unique<Subset>(std::move(dataset), classes, per_class, seed);
}

std::unique_ptr<Dataset> kept_decoded(std::shared_ptr<const Dataset> dataset) {
  return std::make_unique<KeptDecoded>(std::move(dataset));
}

}  // namespace convscope
