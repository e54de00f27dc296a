// convscope predict: what a network with weights takes images for.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/output.h"
#include "suite/commands/subject.h"
#include "suite/data/folder.h"
#include "suite/inference/evaluation.h"
#include "suite/report/table.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct Prediction {
  std::string image;
  std::vector<Guess> top;  ///< none if the image could not be read
  std::string reason;      ///< why not
};

struct GuessRow {
  const Prediction* of;
  int64_t rank;  ///< 0: there is no guess
  Guess guess;
  std::string name;
};

/// As the contract says: an array of {"image", "top": [{"index", "name", "logit", "probability"}]};
/// an image that could not be read has an empty "top" and a "reason".
std::string json_text(const WeightedNetwork& network, const std::vector<Prediction>& predictions) {
  using nlohmann::ordered_json;
  ordered_json all = ordered_json::array();
  for (const Prediction& prediction : predictions) {
    ordered_json top = ordered_json::array();
    for (const Guess& guess : prediction.top) {
      top.push_back({{"index", guess.index},
                     {"name", class_name(network, guess.index)},
                     {"logit", guess.logit},
                     {"probability", guess.probability}});
    }
    ordered_json one = {{"image", prediction.image}, {"top", top}};
    one["status"] = prediction.reason.empty() ? "ok" : "failed";
    if (!prediction.reason.empty()) one["reason"] = prediction.reason;
    all.push_back(one);
  }
  return all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Table guess_table(const WeightedNetwork& network, const std::vector<Prediction>& predictions) {
  std::vector<GuessRow> rows;
  bool any_failed = false;
  for (const Prediction& prediction : predictions) {
    int64_t rank = 0;
    for (const Guess& guess : prediction.top) {
      rows.push_back({&prediction, ++rank, guess, class_name(network, guess.index)});
    }
    if (prediction.top.empty()) rows.push_back({&prediction, 0, {}, ""});
    any_failed = any_failed || prediction.top.empty();
  }
  using R = GuessRow;
  const auto if_there = [](auto value) {
    return [value](const R& r) { return r.rank > 0 ? Cell(value(r)) : Cell(); };
  };
  const Human if_failed = any_failed ? Human::plain : Human::none;
  return make_table<R>(
      {{"image", "Image", Human::plain, [](const R& r) { return Cell(r.of->image); }},
       {"rank", "Rank", Human::plain, if_there([](const R& r) { return r.rank; })},
       {"index", "Index", Human::plain, if_there([](const R& r) { return r.guess.index; })},
       {"name", "Class", Human::plain, if_there([](const R& r) { return r.name; })},
       {"probability", "Probability", Human::plain,
        if_there([](const R& r) { return r.guess.probability; })},
       {"logit", "Logit", Human::plain, if_there([](const R& r) { return r.guess.logit; })},
       {"status", "Status", if_failed,
        [](const R& r) { return Cell(std::string(r.rank > 0 ? "ok" : "failed")); }},
       {"reason", "Reason", if_failed,
        [](const R& r) { return r.rank > 0 ? Cell() : Cell(r.of->reason); }}},
      rows);
}

int run(const Invocation& invocation) {
  Output output(invocation);
  const std::vector<fs::path> images = images_of(invocation);
  const WeightedNetwork network = weighted_network(invocation, Needed::answers);
  const Speed chosen = speed(invocation, network);
  Classifier classifier(network.architecture, network.fit, network.file, chosen.threads);
  const auto dataset = image_files(images, network.fit.settings.image.channels);
  LoaderOptions options = loader_options(invocation, network, chosen);
  options.skip_broken = true;  // and an error, below: the others are not lost
  options.workers = std::min<int64_t>(options.workers, static_cast<int64_t>(images.size()));
  Loader loader(*dataset, options);

  std::vector<Prediction> predictions;
  for (const fs::path& image : images) predictions.push_back({image.string(), {}, ""});
  if (images.size() >= worth_freezing) classifier.freeze_batches_of(options.batch);
  for (Batch batch; loader.next(batch);) {
    const std::vector<float> logits = classifier.logits(batch.values, batch.size);
    for (int64_t i = 0; i < batch.size; ++i) {
      Prediction& prediction = predictions[batch.indices[static_cast<size_t>(i)]];
      const float* of_image = logits.data() + i * classifier.classes();
      if (all_finite(of_image, classifier.classes())) {
        prediction.top = likeliest(of_image, classifier.classes(), 5);
      } else {
        prediction.reason = "the network computes no finite number for it";
      }
    }
  }
  report_images(invocation, network, *dataset, loader);
  bool all_there = true;
  auto reason = loader.skipped().begin();  // in the order of the images
  for (Prediction& prediction : predictions) {
    if (prediction.top.empty() && prediction.reason.empty()) prediction.reason = (reason++)->reason;
    all_there = all_there && !prediction.top.empty();
  }
  if (output.format() == Format::json) {
    output.print(json_text(network, predictions));
  } else {
    output.print(guess_table(network, predictions));
  }
  return all_there ? done : some_failed;
}

}  // namespace

Command predict_command() {
  Command command{"predict",
                  "the five likeliest classes of images",
                  "convscope predict mobilenet_v2 --weights mobilenet_v2.pth dog.jpg cat.png",
                  {},
                  {"model", "image"},
                  run};
  add_weights_options(command.options);
  add_speed_options(command.options);
  command.options.add_options()("image", list_value(), "images, or folders of images");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
