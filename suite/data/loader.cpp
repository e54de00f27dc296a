#include "suite/data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>

#include "suite/data/random.h"
#include "suite/data/transforms.h"

namespace convscope {

namespace {

std::string times(Size size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

/// The bytes that the network sees of an image; adds to `seen` what they were made from.
Image viewed(const Dataset& dataset, size_t index, const LoaderOptions& options, Seen& seen) {
  const Preprocessing& preprocessing = options.preprocessing;
  Random random(options.seed, options.epoch, index);
  std::optional<View> view;
  const auto choose = [&](Size size) {
    // Once: the decoder may ask again, and chance would answer otherwise.
    if (!view) {
      view = options.augmentation ? random_view(*options.augmentation, preprocessing, size, random)
                                  : centre_view(preprocessing, size);
    }
    return needed(*view, size, preprocessing.interpolation);
  };
  const Image image = dataset.image(index, choose);
  choose(image.full);
  if (image.channels != static_cast<int64_t>(preprocessing.mean.size())) {
    throw std::invalid_argument(
        dataset.name(index) + ": expected " + std::to_string(preprocessing.mean.size()) +
        " channels, as the preprocessing has means, found " + std::to_string(image.channels) +
        "; open the dataset with as many channels");
  }
  seen.grey = image.grey;
  seen.enlarged =
      view->resized.height > view->source.height && view->resized.width > view->source.width;
  Image result = render(image, *view, preprocessing.interpolation);
  if (options.augmentation) jitter(result, *options.augmentation, random);
  return result;
}

/// What became of an image.
struct Outcome {
  Size size = {0, 0};
  Seen seen;
  bool broken = false;
  std::string reason;
  std::exception_ptr error;
};

/// A batch that is being filled, each image by any thread.
struct Filling {
  Batch batch;
  std::vector<Outcome> outcomes;
  size_t begin = 0;    ///< in the order of the epoch
  size_t missing = 0;  ///< images that are not there yet
  bool shaped = false;
};

}  // namespace

struct Loader::State {
  const Dataset& dataset;
  const LoaderOptions options;
  std::vector<size_t> order;
  size_t batch_count = 0;
  std::vector<Skipped> skipped;
  Seen seen;
  double waited = 0;

  // All below is guarded by the mutex, but for the values of images that are being filled in.
  std::mutex mutex;
  std::condition_variable room, filled;
  std::vector<Filling> ring;  ///< batch b is in ring[b % ring.size()]
  size_t taken = 0;           ///< images that a thread has taken on
  size_t given = 0;           ///< batches that next() is done with
  bool stopping = false;
  std::vector<std::thread> threads;

  State(const Dataset& data, LoaderOptions chosen) : dataset(data), options(std::move(chosen)) {}

  Filling& filling(size_t batch) { return ring[batch % ring.size()]; }

  void begin(size_t number) {
    if (number >= batch_count) return;
    const size_t most = static_cast<size_t>(options.batch);
    Filling& filling_now = filling(number);
    filling_now.begin = number * most;
    filling_now.missing = std::min(most, order.size() - filling_now.begin);
    filling_now.shaped = false;
    filling_now.outcomes.assign(filling_now.missing, {});
    Batch& batch = filling_now.batch;
    batch.size = static_cast<int64_t>(filling_now.missing);
    batch.labels.resize(filling_now.missing);
    batch.indices.resize(filling_now.missing);
  }

  /// The images that may be begun now end here.
  size_t end_of_room() const {
    return std::min(std::min(given + ring.size(), batch_count) * static_cast<size_t>(options.batch),
                    order.size());
  }

  /// Reads the next image into its place. `lock` is held when it is called and when it returns.
  void take_one(std::unique_lock<std::mutex>& lock) {
    const size_t position = taken++;
    Filling& into = filling(position / static_cast<size_t>(options.batch));
    lock.unlock();

    const size_t place = position - into.begin, index = order[position];
    Outcome outcome;
    try {
      into.batch.indices[place] = index;
      into.batch.labels[place] = dataset.label(index);
      const Image image = viewed(dataset, index, options, outcome.seen);
      outcome.size = {image.part.height, image.part.width};
      const size_t length =
          static_cast<size_t>(image.channels * outcome.size.height * outcome.size.width);
      if (shape(into, image)) {
        normalise(image, options.preprocessing, &into.batch.values[place * length]);
      }
    } catch (const BrokenImage& error) {
      outcome.broken = options.skip_broken;
      outcome.reason = error.what();
      outcome.error = std::current_exception();
    } catch (...) {
      outcome.error = std::current_exception();
    }

    lock.lock();
    into.outcomes[place] = std::move(outcome);
    if (--into.missing == 0) filled.notify_one();
  }

  /// The first image gives the batch its shape; whether this one has the same.
  bool shape(Filling& into, const Image& image) {
    const std::lock_guard lock(mutex);
    Batch& batch = into.batch;
    if (!into.shaped) {
      batch.channels = image.channels;
      batch.height = image.part.height;
      batch.width = image.part.width;
      batch.values.resize(
          static_cast<size_t>(batch.size * batch.channels * batch.height * batch.width));
      into.shaped = true;
    }
    return batch.height == image.part.height && batch.width == image.part.width;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      room.wait(lock, [&] { return stopping || taken < end_of_room() || taken == order.size(); });
      if (stopping || taken == order.size()) return;
      take_one(lock);
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    room.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void require_equal_sizes(const Filling& full) const {
    const Outcome* first = nullptr;
    for (const Outcome& outcome : full.outcomes) {
      if (outcome.broken) continue;
      if (first == nullptr) first = &outcome;
      if (outcome.size.height == first->size.height && outcome.size.width == first->size.width) {
        continue;
      }
      const auto named = [&](const Outcome* of) {
        return dataset.name(order[full.begin + static_cast<size_t>(of - full.outcomes.data())]) +
               " gives " + times(of->size);
      };
      throw std::invalid_argument("expected images of one size in a batch, but " + named(first) +
                                  " and " + named(&outcome) +
                                  "; choose a crop, or batches of one image");
    }
  }

  /// Closes the gaps of broken images.
  void leave_out_broken(Filling& full) {
    Batch& batch = full.batch;
    const size_t length = static_cast<size_t>(batch.channels * batch.height * batch.width);
    size_t kept = 0;
    for (size_t i = 0; i < full.outcomes.size(); ++i) {
      if (full.outcomes[i].broken) {
        skipped.push_back(skipped_because(dataset.name(batch.indices[i]), full.outcomes[i].reason));
        continue;
      }
      if (kept != i) {
        std::copy_n(&batch.values[i * length], length, &batch.values[kept * length]);
        batch.labels[kept] = batch.labels[i];
        batch.indices[kept] = batch.indices[i];
      }
      ++kept;
    }
    if (kept == full.outcomes.size()) return;
    batch.size = static_cast<int64_t>(kept);
    batch.values.resize(kept * length);
    batch.labels.resize(kept);
    batch.indices.resize(kept);
  }

  /// Exchanges `out` for the batch that is next; false if there is none.
  bool give(Batch& out) {
    std::unique_lock lock(mutex);
    if (given == batch_count) return false;
    Filling& full = filling(given);
    const auto start = std::chrono::steady_clock::now();
    if (threads.empty()) {
      while (full.missing > 0) take_one(lock);
    } else {
      filled.wait(lock, [&] { return full.missing == 0; });
    }
    waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    // In order, so that which of two errors is thrown does not depend on who was faster.
    for (const Outcome& outcome : full.outcomes) {
      if (outcome.error && !outcome.broken) std::rethrow_exception(outcome.error);
    }
    require_equal_sizes(full);
    for (const Outcome& outcome : full.outcomes) {
      seen.grey += outcome.seen.grey;
      seen.enlarged += outcome.seen.enlarged;
    }
    leave_out_broken(full);
    std::swap(out, full.batch);
    begin(given + ring.size());
    ++given;
    lock.unlock();
    room.notify_all();
    return true;
  }
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options)
    : state_(std::make_unique<State>(dataset, options)) {
  if (options.batch < 1) {
    throw std::invalid_argument("expected batches of at least one image, found " +
                                std::to_string(options.batch));
  }
  if (options.workers < 0) {
    throw std::invalid_argument("expected 0 threads or more to load images, found " +
                                std::to_string(options.workers));
  }
  State& state = *state_;
  state.order.resize(dataset.size());
  std::iota(state.order.begin(), state.order.end(), size_t{0});
  if (options.shuffle) {
    // No image has the index ~0, so this is the order's own chance.
    Random random(options.seed, options.epoch, ~uint64_t{0});
    shuffle(state.order, random);
  }
  const size_t batch = static_cast<size_t>(options.batch);
  if (options.drop_last) state.order.resize(state.order.size() / batch * batch);
  const size_t had = static_cast<size_t>(std::max<int64_t>(0, options.first_batch)) * batch;
  state.order.erase(state.order.begin(),
                    state.order.begin() + static_cast<long>(std::min(had, state.order.size())));
  state.batch_count = (state.order.size() + batch - 1) / batch;
  // One batch to give, one to fill; more where batches are too small to occupy the threads.
  const size_t threads = static_cast<size_t>(options.workers);
  state.ring.resize(threads == 0 ? 1 : 1 + (std::max(batch, 2 * threads) + batch - 1) / batch);
  for (size_t i = 0; i < state.ring.size(); ++i) state.begin(i);
  try {
    for (size_t i = 0; i < threads; ++i) state.threads.emplace_back([&state] { state.work(); });
  } catch (...) {
    state.stop();
    throw;
  }
}

Loader::~Loader() { state_->stop(); }

bool Loader::next(Batch& batch) {
  while (state_->give(batch)) {
    if (batch.size > 0) return true;
  }
  return false;
}

int64_t Loader::batches() const { return static_cast<int64_t>(state_->batch_count); }
const std::vector<Skipped>& Loader::skipped() const { return state_->skipped; }
const Seen& Loader::seen() const { return state_->seen; }
double Loader::waited_seconds() const { return state_->waited; }

}  // namespace convscope
