#include "suite/records/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "suite/records/case_parts.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

std::string where(const Manifest& manifest, const std::string& env) {
  const auto found = manifest.environments.find(env);
  if (found == manifest.environments.end()) return "";
  const auto value = [&](const char* name) {
    const auto fact = found->second.find(name);
    return fact == found->second.end() ? std::string("unknown") : fact->second;
  };
  return fmt::format("{} ({} cores), LibTorch {}, oneDNN {}, {}, convscope {} (commit {})",
                     value("cpu"), value("cores"), value("libtorch"), value("onednn"),
                     value("compiler"), value("version"), value("commit"));
}

std::string count_methods(const Records& records) {
  CsvFile csv = records.read_models("cost.csv");
  const size_t status = column_index(csv, "status");
  keep_rows(csv, [&](const CsvRow& row) { return row.fields[status] != "failed"; });
  std::set<std::string> inputs, models;
  for (const std::string& input : texts(csv, "input")) inputs.insert(input);
  for (const std::string& model : texts(csv, "model")) models.insert(model);
  if (models.empty()) return "";
  return fmt::format(
      "Counting. Parameters, multiply-accumulates, activations, memory and receptive fields of {} "
      "network{} are exact: every operator call of each network's own forward pass is intercepted "
      "for one image ({}). Multiply-accumulates are those of convolutions, linear layers and "
      "matrix "
      "products; biases, normalisation, activation functions and pooling are not among them.",
      models.size(), models.size() == 1 ? "" : "s",
      inputs.size() <= 4 ? joined({inputs.begin(), inputs.end()}) : "sizes in the table");
}

std::string time_methods(const Records& records, const Manifest& manifest,
                         const Manifest::Run& run) {
  const CsvFile csv = records.read_models("bench.csv");
  if (csv.rows.empty()) return "";
  const auto samples = numbers(csv, "samples");
  const auto status = texts(csv, "status");
  double least = HUGE_VAL, most = 0;
  for (const double n : samples) {
    if (!(n > 0) || !std::isfinite(n)) continue;
    least = std::min(least, n);
    most = std::max(most, n);
  }
  const auto noisy = std::count(status.begin(), status.end(), "noisy");
  const auto lows = texts_if_there(csv, "ci_low_ms");
  const bool intervals =
      std::any_of(lows.begin(), lows.end(), [](const std::string& low) { return !low.empty(); });
  const bool quick = run.setting("quick") == "true";
  const std::string machine = where(manifest, run.env);
  std::string text = fmt::format("Timing. {} case{} measured{}, each in a process of its own",
                                 csv.rows.size(), csv.rows.size() == 1 ? " was" : "s were",
                                 machine.empty() ? "" : " on " + machine);
  // What was not recorded is not told.
  if (!run.setting("interleave").empty()) {
    text += fmt::format(", up to {} at a time with their repetitions in random order",
                        run.setting("interleave"));
  }
  text += ". ";
  if (quick) {
    text += "It was a quick look, of 0.3 s of samples each unless said otherwise. ";
  } else if (!run.setting("warmup").empty() && !run.setting("max-noise").empty() &&
             !run.setting("timeout").empty()) {
    text += fmt::format(
        "After a warm-up of {} s or more, until times no longer drifted, repetitions of samples "
        "followed until the 95 % interval of the median was within {} % to either side, or for {} "
        "s. ",
        run.setting("warmup"), run.setting("max-noise"), run.setting("timeout"));
  }
  if (most > 0) {
    text += fmt::format("There are {:.0f}{} samples of each. ", least,
                        most > least ? fmt::format(" to {:.0f}", most) : "");
  }
  text += intervals
              ? "Intervals are between order statistics of the repetitions' medians, whatever "
                "the distribution. "
              : "There were too few repetitions for intervals. ";
  text += "Repetitions that the machine disturbed were measured again, or are marked.";
  if (noisy > 0) {
    text += fmt::format(" {} of {} cases did not reach the interval and are marked noisy.", noisy,
                        csv.rows.size());
  }
  return text;
}

/// The seeds of the run's rows, since its settings need not name any.
std::string seeds_of(const Records& records, const Manifest::Run& run) {
  if (!run.setting("seeds").empty() || !records.has("runs.csv")) return run.setting("seeds");
  const CsvFile csv = records.read("runs.csv");
  const auto runs = texts(csv, "run"), protocols = texts(csv, "protocol"),
             seeds = texts(csv, "seed");
  const std::string name = run.setting("name").empty() ? run.setting("model") : run.setting("name");
  std::vector<std::string> found;
  for (size_t i = 0; i < runs.size(); ++i) {
    const bool of_run =
        protocols[i] == run.setting("protocol") && runs[i].rfind(name + "-", 0) == 0;
    if (of_run && !std::count(found.begin(), found.end(), seeds[i])) found.push_back(seeds[i]);
  }
  return joined(found);
}

std::string training_methods(const Records& records, const Manifest& manifest,
                             const Manifest::Run& run) {
  const auto value = [&](const char* key) { return run.setting(key); };
  std::string text = fmt::format("Training ({}). Network {}, data {}, protocol {}", run.name,
                                 value("model"), value("data"), value("protocol"));
  if (!value("weights").empty()) {
    text += ", starting from " + value("weights");
  } else if (!run.fact("weights_sha256").empty()) {
    text += ", starting from the published weights";
  }
  const std::pair<const char*, const char*> parts[] = {{"epochs", "epochs"},
                                                       {"batch", "images a step"},
                                                       {"lr", "learning rate"},
                                                       {"optimizer", "optimizer"},
                                                       {"schedule", "schedule"},
                                                       {"weight-decay", "weight decay"},
                                                       {"label-smoothing", "label smoothing"},
                                                       {"mixup", "mixup"},
                                                       {"cutmix", "CutMix"},
                                                       {"precision", "precision"}};
  for (const auto& [key, name] : parts) {
    if (!value(key).empty()) text += fmt::format("; {} {}", name, value(key));
  }
  if (const std::string seeds = seeds_of(records, run); !seeds.empty()) text += "; seeds " + seeds;
  text += ".";
  if (!run.fact("weights_sha256").empty()) {
    text += " SHA-256 of the weights: " + run.fact("weights_sha256") + ".";
  }
  const std::string machine = where(manifest, run.env);
  return machine.empty() ? text : text + " On " + machine + ".";
}

std::string evaluation_methods(const Manifest::Run& run) {
  std::string text = fmt::format("Evaluation. {} with the weights {} on {}", run.setting("model"),
                                 run.setting("weights"), run.setting("data"));
  if (!run.fact("weights_sha256").empty()) {
    text += fmt::format(" (SHA-256 {})", run.fact("weights_sha256"));
  }
  return text + "; intervals are Wilson's at 95 %.";
}

std::string transfer_methods(const Manifest::Run& run) {
  return fmt::format(
      "Transfer ({}). After Yosinski et al. (2014): the classes of {} are divided into A and B, a "
      "base network of {} is trained on each, and networks for B take the first stages of one of "
      "them, or of none, frozen or trained on (+). Splits {}, seeds {}. Bars are the range of the "
      "trials.",
      run.name, run.setting("data"), run.setting("model"),
      run.setting("splits").empty() ? "1" : run.setting("splits"),
      run.setting("seeds").empty() ? "1" : run.setting("seeds"));
}

std::string shift_methods(const Records& records) {
  const CsvFile csv = records.read_models("shift.csv");
  if (csv.rows.empty()) return "";
  const auto shifts = integers(csv, "shift"), images = integers(csv, "images");
  const auto [nearest, furthest] = std::minmax_element(shifts.begin(), shifts.end());
  const int64_t most = *std::max_element(images.begin(), images.end());
  return fmt::format(
      "Shifts. What a network sees was moved over {} by {} to {} pixels. Feature maps were "
      "compared "
      "as by Zhang (2019): the cosine distance of the vectors of channels between the moved maps "
      "and those of the moved image, at the image's resolution, over all positions that both have. "
      "{}Other ways of downsampling stood in the place of the network's own with the same weights, "
      "without training.",
      most == 1 ? "one photograph" : fmt::format("{} photographs", most), *nearest, *furthest,
      most == 1 ? "" : "Distances are means over the photographs with Student's 95 % interval. ");
}

std::string field_methods(const Records& records) {
  const CsvFile csv = records.read_models("erf.csv");
  if (csv.rows.empty()) return "";
  const auto images = integers(csv, "images");
  const auto each = texts(csv, "shown");
  const std::set<std::string> shown(each.begin(), each.end());
  return fmt::format(
      "Effective receptive fields. After Luo et al. (2016): the gradient of the unit in the middle "
      "of each layer by the pixels of up to {} images ({}), its maps added up with random signs; "
      "its magnitude over the colours, each image's divided by its sum. The side is that of the "
      "square around the middle that holds 95 % of it, the width the deviation of the Gaussian "
      "that fits its profile best; medians over the images with the interval of order statistics.",
      *std::max_element(images.begin(), images.end()),
      joined({shown.begin(), shown.end()}, " or "));
}

std::string saliency_methods(const Records& records) {
  const CsvFile csv = records.read_models("saliency.csv");
  if (csv.rows.empty()) return "";
  return "Saliency. Maps are of the logit of the class. Gradients (Simonyan et al. 2014), guided "
         "(Springenberg et al. 2015) and SmoothGrad (Smilkov et al. 2017; 32 copies, noise of 15 % "
         "of the image's range) are the largest magnitude of a pixel's colours; integrated "
         "gradients (Sundararajan et al. 2017) and occlusion (Zeiler and Fergus 2014) have the "
         "mean colour as baseline; Grad-CAM (Selvaraju et al. 2017) is of the last feature maps "
         "unless told otherwise. Deletion curves (Samek et al. 2017, Petsiuk et al. 2018): the "
         "image is divided into 28 squares to a side, which are blurred in the order of their mean "
         "saliency; the area is the mean probability that is left. Gap is how far integrated "
         "gradients are from their sum.";
}

/// What stands in few words.
std::string machine_methods(const Manifest::Run& run) {
  if (run.name == "bench --layers") {
    return "Layers. Each operator call of the forward pass was timed on its own; what bounds it is "
           "the roofline of the calibrated machine.";
  }
  if (run.name == "bench --operators") {
    return "Operators. The work of one layer was done by different operators, in turns, on the "
           "same "
           "input; ratios are to the standard convolution.";
  }
  if (run.command() == "calibrate") {
    return "Calibration. A peak is the best of many short tries; its spread is how far their "
           "median "
           "is from it.";
  }
  return "";
}

}  // namespace

std::vector<std::string> methods(const Records& records, const Manifest& manifest) {
  std::vector<std::string> paragraphs;
  const auto add = [&](const std::string& paragraph) {
    if (!paragraph.empty()) paragraphs.push_back(paragraph);
  };
  if (records.has("cost.csv")) add(count_methods(records));
  if (records.has("erf.csv")) add(field_methods(records));
  if (records.has("saliency.csv")) add(saliency_methods(records));
  if (records.has("shift.csv")) add(shift_methods(records));
  for (const Manifest::Run& run : manifest.runs) {
    const std::string command = run.command();
    if (command == "bench" && run.name == "bench" && records.has("bench.csv")) {
      add(time_methods(records, manifest, run));
    }
    if (command == "train" && run.name.find("find-lr") == std::string::npos) {
      paragraphs.push_back(training_methods(records, manifest, run));
    }
    if (command == "evaluate") paragraphs.push_back(evaluation_methods(run));
    if (command == "transfer") paragraphs.push_back(transfer_methods(run));
    add(machine_methods(run));
  }
  if (manifest.runs.empty()) {
    paragraphs.emplace_back(
        "There is no manifest.json beside these records, so how they were made is not known.");
  }
  return paragraphs;
}

}  // namespace convscope
