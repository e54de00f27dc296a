#include "suite/timing/workload.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/cuda.h>
#include <torch/nn.h>
#include <torch/optim.h>

#include <cmath>
#include <iomanip>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "architectures/network.h"
#include "suite/analysis/torchscript.h"
#include "suite/data/datasets.h"
#include "suite/data/folder.h"
#include "suite/data/known_classes.h"
#include "suite/data/loader.h"
#include "suite/inference/frozen.h"
#include "suite/inference/load.h"
#include "suite/inference/state_dict.h"
#include "suite/inference/threads.h"
#include "suite/timing/clock.h"
#include "suite/timing/device.h"
#include "suite/timing/process_memory.h"

namespace convscope {
namespace {

c10::ScalarType type_of(const std::string& precision) {
  if (precision == "bfloat16") return torch::kBFloat16;
  if (precision == "float16") return torch::kHalf;
  return torch::kFloat;  // tf32 is a way to multiply float32
}

/// Weights that keep values of a usual size from layer to layer. Time does not depend on values
/// unless they become denormal or infinite, and drawing 138 million normal ones takes seconds: a
/// short stretch of random numbers is repeated.
void fill(Network& network) {
  const torch::NoGradGuard no_grad;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(/*seed=*/1);
  // A prime length, so that filters of a layer are not copies of each other.
  const torch::Tensor noise = torch::randn({65537}, generator);
  for (const StateTensor& state : state_dict(network)) {
    const torch::Tensor& tensor = state.tensor;
    const auto ends_with = [&](const std::string& end) {
      return state.name.size() >= end.size() &&
             state.name.compare(state.name.size() - end.size(), end.size(), end) == 0;
    };
    if (!tensor.is_floating_point() || ends_with("running_mean") || ends_with("bias")) {
      tensor.zero_();
    } else if (ends_with("running_var")) {
      tensor.fill_(1);
    } else if (tensor.dim() < 2) {
      tensor.fill_(0.7);  // below 1, so that sums of residual branches do not grow
    } else {
      const int64_t fan_in = tensor.numel() / tensor.size(0);
      const torch::Tensor scaled = noise * std::sqrt(2.0 / static_cast<double>(fan_in));
      torch::Tensor flat = tensor.view(-1);
      for (int64_t begin = 0; begin < flat.numel(); begin += scaled.numel()) {
        const int64_t count = std::min(scaled.numel(), flat.numel() - begin);
        flat.narrow(0, begin, count).copy_(scaled.narrow(0, 0, count));
      }
    }
  }
}

/// What every workload with a network has: the network and its input, where and how the case wants
/// them.
struct Prepared {
  explicit Prepared(const BenchCase& c)
      : device(c.device == "cuda" ? "cuda:0" : c.device),
        type(type_of(c.precision)),
        channels_last(c.layout == "channels_last") {
    use_threads(c.threads);
    allow_tf32(c.precision == "tf32");
    at::globalContext().setBenchmarkCuDNN(true);
    network = build_unfilled(c.architecture, c.settings);
    if (script_file(c.architecture).empty()) fill(*network);  // a file has weights of its own
    network->to(device, type);
    if (channels_last) {
      for (const torch::Tensor& parameter : network->parameters()) {
        if (parameter.dim() == 4) parameter.set_data(in_layout(parameter));
      }
    }
    const ImageShape& image = c.settings.image;
    auto generator = at::make_generator<at::CPUGeneratorImpl>(/*seed=*/2);
    images = in_layout(torch::randn({c.batch, image.channels, image.height, image.width}, generator)
                           .to(device, type));
  }

  torch::Tensor in_layout(const torch::Tensor& tensor) const {
    return tensor.detach().contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                    : at::MemoryFormat::Contiguous);
  }

  c10::Device device;
  c10::ScalarType type;
  bool channels_last;
  std::shared_ptr<Network> network;
  torch::Tensor images;
};

class Inference : public Workload {
 public:
  explicit Inference(const BenchCase& c) : prepared_(c), timer_(prepared_.device) {
    prepared_.network->eval();
    if (c.engine == "frozen") {
      frozen_ = std::make_unique<Frozen>(*prepared_.network, prepared_.images);
      steps_ = frozen_->steps();
      prepared_.network.reset();  // not needed any more, and its weights would count as memory
    }
    synchronize(prepared_.device);
  }

  std::vector<std::string> parts() const override { return {"inference"}; }

  Reading run(int64_t iterations) override {
    const c10::InferenceMode no_gradients;
    const Clock::time_point start = Clock::now();
    timer_.start();
    for (int64_t i = 0; i < iterations; ++i) logits_ = forward();
    timer_.stop();
    if (prepared_.device.is_cpu()) return {{nanoseconds_since(start)}};
    const auto enqueued = static_cast<double>(nanoseconds_since(start));
    synchronize(prepared_.device);
    return {{nanoseconds_since(start)}, timer_.elapsed_ns(), enqueued};
  }

  double difference() override {
    if (!frozen_) return -1;
    const torch::Tensor expected = frozen_->expected().to(torch::kFloat);
    const auto largest = expected.abs().max().item<double>();
    return (logits_.to(torch::kFloat) - expected).abs().max().item<double>() / largest;
  }

  void run_watched(std::vector<CallTime>& calls) override {
    const c10::InferenceMode no_gradients;
    if (!prepared_.device.is_cpu()) return Workload::run_watched(calls);
    if (!frozen_) return time_calls([&] { logits_ = forward(); }, calls);
    if (steps_.empty()) {
      throw std::runtime_error(
          "LibTorch's own frozen form runs this network, and it does not tell its steps");
    }
    step_ns_.clear();
    logits_ = frozen_->forward(prepared_.images, &step_ns_);
    for (size_t i = 0; i < step_ns_.size(); ++i) calls.push_back({steps_.at(i).op, step_ns_[i]});
  }

  std::vector<FrozenStep> steps() const override { return steps_; }

  int64_t device_peak_bytes() override { return take_peak_bytes(prepared_.device); }

  /// Waiting for a GPU takes some 20 us.
  double sample_ns() const override {
    return prepared_.device.is_cpu() ? Workload::sample_ns() : 20e6;
  }

 private:
  torch::Tensor forward() {
    return frozen_ ? frozen_->forward(prepared_.images)
                   : prepared_.network->forward(prepared_.images);
  }

  Prepared prepared_;
  DeviceTimer timer_;
  std::unique_ptr<Frozen> frozen_;
  std::vector<FrozenStep> steps_;
  std::vector<int64_t> step_ns_;
  torch::Tensor logits_;
};

class Training : public Workload {
 public:
  explicit Training(const BenchCase& c)
      : prepared_(c),
        labels_(torch::arange(c.batch, torch::kLong)
                    .remainder(c.settings.classes)
                    .to(prepared_.device)),
        // A step so small that weights stay what they are over thousands of them.
        optimizer_(prepared_.network->parameters(), torch::optim::SGDOptions(1e-9).momentum(0.9)) {
    prepared_.network->train();
    synchronize(prepared_.device);
  }

  std::vector<std::string> parts() const override {
    return {"train", "train_forward", "train_backward", "train_optimizer"};
  }

  Reading run(int64_t iterations) override {
    Reading reading{{0, 0, 0, 0}};
    for (int64_t i = 0; i < iterations; ++i) {
      torch::Tensor loss;
      reading.ns[1] += timed([&] { loss = forward(); });
      reading.ns[2] += timed([&] { loss.backward(); });
      reading.ns[3] += timed([&] {
        optimizer_.step();
        optimizer_.zero_grad();
      });
    }
    reading.ns[0] = reading.ns[1] + reading.ns[2] + reading.ns[3];
    return reading;
  }

  int64_t device_peak_bytes() override { return take_peak_bytes(prepared_.device); }

 private:
  torch::Tensor forward() {
    torch::Tensor loss = loss_of(prepared_.network->forward(prepared_.images));
    for (const AuxiliaryLogits& head : prepared_.network->auxiliary) {
      loss = loss + head.loss_weight * loss_of(head.logits);
    }
    return loss;
  }

  /// A dense network's image has its label at each position.
  torch::Tensor loss_of(const torch::Tensor& logits) const {
    torch::Tensor labels = labels_;
    while (labels.dim() < logits.dim() - 1) labels = labels.unsqueeze(-1);
    return torch::nn::functional::cross_entropy(logits, labels.expand_as(logits.select(1, 0)));
  }

  template <class Work>
  int64_t timed(const Work& work) {
    const Clock::time_point start = Clock::now();
    work();
    synchronize(prepared_.device);
    return nanoseconds_since(start);
  }

  Prepared prepared_;
  torch::Tensor labels_;
  torch::optim::SGD optimizer_;
};

std::unique_ptr<Dataset> open_data(const BenchCase& c) {
  DatasetOptions options;
  options.path = c.data;
  options.channels = c.settings.image.channels;
  const bool wordnet = std::filesystem::is_directory(options.path) &&
                       labelling_of(options.path) == Labelling::wordnet;
  if (wordnet) options.classes = imagenet_classes();
  std::unique_ptr<Dataset> dataset = open_dataset(options);
  if (dataset->size() == 0) throw std::invalid_argument(c.data + " has no images");
  return dataset;
}

/// One iteration is one batch: read, decoded and transformed.
class Loading : public Workload {
 public:
  explicit Loading(const BenchCase& c) : dataset_(open_data(c)) {
    loading_.batch = c.batch;
    loading_.preprocessing = usual_preprocessing(c.settings.image);
    loading_.workers = c.threads;
  }

  std::vector<std::string> parts() const override { return {"loader"}; }

  /// Some batches are ready because they were read while another was waited for: it is their mean
  /// that tells the rate.
  double sample_ns() const override { return 100e6; }

  Reading run(int64_t iterations) override {
    const Clock::time_point start = Clock::now();
    for (int64_t i = 0; i < iterations; ++i) next();
    return {{nanoseconds_since(start)}};
  }

 private:
  /// The next batch of full size, over the dataset again and again.
  void next() {
    do {
      while (!loader_ || !loader_->next(batch_)) loader_.emplace(*dataset_, loading_);
    } while (batch_.size < loading_.batch &&
             static_cast<size_t>(loading_.batch) <= dataset_->size());
  }

  std::unique_ptr<Dataset> dataset_;
  LoaderOptions loading_;
  std::optional<Loader> loader_;
  Batch batch_;
};

}  // namespace

std::unique_ptr<Workload> make_workload(const BenchCase& bench_case) {
  for (const std::string& refusal : {refusal_of(bench_case), missing_device(bench_case.device)}) {
    if (!refusal.empty()) throw std::invalid_argument(refusal);
  }
  if (bench_case.mode == "loader") return std::make_unique<Loading>(bench_case);
  if (bench_case.mode == "train") return std::make_unique<Training>(bench_case);
  return std::make_unique<Inference>(bench_case);
}

void require_same_logits(const BenchCase& bench_case, double difference) {
  if (bench_case.engine != "frozen" || difference <= 1e-4) return;
  std::ostringstream text;
  text << std::setprecision(2) << "the frozen network's logits differ from the eager network's by "
       << difference << " of the largest";
  throw std::runtime_error(text.str());
}

void check_data(const BenchCase& bench_case) { open_data(bench_case); }

int64_t available_memory_of(const std::string& device) {
  return device == "cpu" ? available_memory() : free_bytes(c10::Device(device));
}

std::string missing_device(const std::string& name) {
  if (name == "cpu") return "";
  const c10::Device device(name);
  if (!torch::cuda::is_available()) {
    return "there is no CUDA device, or this LibTorch is for CPUs only";
  }
  const auto count = static_cast<int64_t>(torch::cuda::device_count());
  if (device.index() < count) return "";
  return "there is no " + name + ": this machine has " + std::to_string(count) + " CUDA device" +
         (count == 1 ? "" : "s");
}

}  // namespace convscope
