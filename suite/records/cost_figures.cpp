// What networks cost: parameters, multiply-accumulates, activations, and what accuracy that buys.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <ostream>

#include "suite/records/figures.h"

namespace convscope {
namespace {

/// The network of each row, with its input where `costs` has it at several, and with its variant
/// where it has that at several of one input.
std::vector<std::string> labels(const CsvFile& csv, const CsvFile& costs) {
  std::map<std::string, int> rows;
  const auto cost_models = texts(costs, "model"), cost_inputs = texts(costs, "input");
  for (size_t i = 0; i < cost_models.size(); ++i) {
    ++rows[cost_models[i]];
    ++rows[cost_models[i] + " " + cost_inputs[i]];
  }
  std::vector<std::string> names = texts(csv, "model");
  const auto inputs = texts(csv, "input"), variants = texts_if_there(csv, "variant");
  for (size_t i = 0; i < names.size(); ++i) {
    if (rows[names[i]] < 2) continue;
    names[i] += " " + inputs[i];
    if (rows[names[i]] > 1 && !variants[i].empty()) names[i] += " (" + variants[i] + ")";
  }
  return names;
}

/// The finished rows of cost.csv.
CsvFile costs_of(const Records& records) {
  CsvFile csv = records.read_models("cost.csv");
  const size_t status = column_index(csv, "status");
  keep_rows(csv, [&](const CsvRow& row) { return row.fields[status] != "failed"; });
  return csv;
}

std::vector<Figure> no_network(const Records& records, const std::string& figure) {
  records.err << figure << ": cost.csv has no finished network\n";
  return {};
}

/// MACs by kind are in the layers.
std::map<std::string, double> convolution_macs(const Records& records, const CsvFile& costs) {
  const CsvFile layers = records.read_models("layers.csv");
  const auto models = labels(layers, costs), kinds = texts(layers, "kind");
  const auto macs = numbers(layers, "macs");
  std::map<std::string, double> sums;
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == "convolution") sums[models[i]] += macs[i];
  }
  return sums;
}

std::vector<Figure> cost_bars(const Records& records) {
  const CsvFile csv = costs_of(records);
  if (csv.rows.empty()) return no_network(records, "cost_bars");
  const auto models = labels(csv, csv);
  const auto params = numbers(csv, "params"), conv = numbers(csv, "conv_params"),
             linear = numbers(csv, "linear_params"), norm = numbers(csv, "norm_params"),
             macs = numbers(csv, "macs");
  std::map<std::string, double> conv_macs = convolution_macs(records, csv);
  StackedBars bars{{"convolution", "linear", "normalisation"},
                   {{"Parameters (millions)", 1e6}, {"MACs (billions)", 1e9}},
                   {}};
  std::vector<double> others;
  for (size_t i = 0; i < models.size(); ++i) {
    others.push_back(params[i] - conv[i] - linear[i] - norm[i]);
    bars.rows.push_back({models[i],
                         family(models[i]),
                         {{conv[i], linear[i], norm[i]},
                          {conv_macs[models[i]], macs[i] - conv_macs[models[i]], 0}}});
  }
  keep_page(records, "cost_bars", bars.rows);
  // A fourth colour only where somebody could see it.
  const double longest = params.empty() ? 0 : *std::max_element(params.begin(), params.end());
  if (std::any_of(others.begin(), others.end(), [&](double n) { return n > longest / 500; })) {
    bars.kinds.emplace_back("other");
    for (size_t i = 0; i < bars.rows.size(); ++i) {
      bars.rows[i].values[0].push_back(others[i]);
      bars.rows[i].values[1].push_back(0);
    }
  }
  return {{"cost_bars", "What networks hold, and compute for an image", bars,
           "Parameters and multiply-accumulates of one image, by the kind of layer that has them. "
           "Both are exact counts."}};
}

/// Leaves out what a logarithmic axis of MACs cannot show.
void keep_with_macs(const Records& records, const std::string& figure, Bubbles& bubbles) {
  auto& all = bubbles.bubbles;
  const size_t before = all.size();
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Bubbles::Bubble& one) {
                             const bool y_known = bubbles.y.scale == Scale::log
                                                      ? one.y > 0 && std::isfinite(one.y)
                                                      : std::isfinite(one.y);
                             return !(one.x > 0 && std::isfinite(one.x) && y_known &&
                                      one.size >= 0 && std::isfinite(one.size));
                           }),
            all.end());
  if (const size_t left_out = before - all.size(); left_out > 0) {
    records.err << figure << ": " << left_out << (left_out == 1 ? " network" : " networks")
                << " without MACs, parameters or activations left out\n";
  }
}

/// Where there are more families than colours, the smallest share the last one: the names of their
/// networks say which they are.
void share_colours(Bubbles& bubbles) {
  std::map<std::string, int> members;
  for (const Bubbles::Bubble& bubble : bubbles.bubbles) ++members[bubble.group];
  if (members.size() <= Scatter::most_colours) return;
  std::vector<int> sizes;
  for (const auto& [group, size] : members) sizes.push_back(size);
  std::sort(sizes.rbegin(), sizes.rend());
  const int too_small = sizes[Scatter::most_colours - 1];
  for (Bubbles::Bubble& bubble : bubbles.bubbles) {
    if (members[bubble.group] <= too_small) bubble.group = "others";
  }
  auto& groups = bubbles.groups;
  groups.erase(
      std::remove_if(groups.begin(), groups.end(),
                     [&](const std::string& group) { return members[group] <= too_small; }),
      groups.end());
  groups.emplace_back("others");
}

std::vector<Figure> cost_bubbles(const Records& records) {
  const CsvFile csv = costs_of(records);
  if (csv.rows.empty()) return no_network(records, "cost_bubbles");
  const auto models = labels(csv, csv);
  const auto params = numbers(csv, "params"), macs = numbers(csv, "macs"),
             activations = numbers(csv, "activations");
  Bubbles bubbles;
  bubbles.x = {"Multiply-accumulates for one image", Scale::log, TickText::si};
  bubbles.y = {"Parameters", Scale::log, TickText::si};
  bubbles.size_label = "activations";
  bubbles.groups = families(csv);
  for (size_t i = 0; i < models.size(); ++i) {
    const auto same =
        std::find_if(bubbles.bubbles.begin(), bubbles.bubbles.end(), [&](const Bubbles::Bubble& b) {
          return b.x == macs[i] && b.y == params[i] && b.size == activations[i];
        });
    if (same != bubbles.bubbles.end()) {
      same->label += ", " + models[i];
    } else {
      bubbles.bubbles.push_back({models[i], family(models[i]), macs[i], params[i], activations[i]});
    }
  }
  keep_with_macs(records, "cost_bubbles", bubbles);
  share_colours(bubbles);
  if (bubbles.bubbles.empty()) return {};
  return {{"cost_bubbles", "MACs, parameters, and activations as area", bubbles,
           "Each network's multiply-accumulates and parameters, both on logarithmic axes. The area "
           "is the number of activations, the outputs of convolutions and linear layers, which "
           "often tells more of the time than the other two do. Colours are families."}};
}

/// What no other network of the figure beats: from few MACs to many, each more accurate than all
/// before it.
std::vector<size_t> pareto_front(const std::vector<Bubbles::Bubble>& bubbles) {
  std::vector<size_t> order(bubbles.size()), front;
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(bubbles[a].x, -bubbles[a].y) < std::pair(bubbles[b].x, -bubbles[b].y);
  });
  for (const size_t i : order) {
    if (front.empty() || bubbles[i].y > bubbles[front.back()].y) front.push_back(i);
  }
  return front;
}

Bubbles accuracy_figure(const std::string& label, const CsvFile& costs) {
  Bubbles bubbles;
  bubbles.groups = families(costs);
  bubbles.x = {"Multiply-accumulates for one image", Scale::log, TickText::si};
  bubbles.y = {label};
  bubbles.size_label = "parameters";
  return bubbles;
}

void add_front(Bubbles& bubbles) {
  bubbles.front = pareto_front(bubbles.bubbles);
  if (bubbles.front.size() < 2) bubbles.front.clear();
  bubbles.front_label = "Pareto front";
}

constexpr const char* bianco =
    " Area: parameters. The steps join the networks that no other beats with as few "
    "multiply-accumulates, the Pareto front. In the form of Bianco et al. (2018).";

std::vector<Figure> accuracy_published(const Records& records) {
  const CsvFile csv = costs_of(records);
  const auto models = texts(csv, "model"), data = texts_if_there(csv, "top1_data");
  const auto params = numbers(csv, "params"), macs = numbers(csv, "macs"),
             top1 = numbers_if_there(csv, "top1_published");
  Bubbles bubbles = accuracy_figure("Top-1 on ImageNet-1K (%), as published", csv);
  for (size_t i = 0; i < models.size(); ++i) {
    if (data[i] != "ImageNet-1K" || !(top1[i] > 0)) continue;
    bubbles.bubbles.push_back({models[i], family(models[i]), macs[i], top1[i], params[i]});
  }
  if (bubbles.bubbles.empty()) {
    records.err << "accuracy_published: cost.csv has no network with a published accuracy on "
                   "ImageNet\n";
    return {};
  }
  keep_with_macs(records, "accuracy_published", bubbles);
  share_colours(bubbles);
  if (bubbles.bubbles.empty()) return {};
  add_front(bubbles);
  return {{"accuracy_published", "What accuracy the multiply-accumulates buy (published)", bubbles,
           std::string("Top-1 accuracy on ImageNet's 50,000 validation images as the publisher of "
                       "the weights states it (torchvision's first weights of each network), or "
                       "else the paper; not measured here.") +
               bianco}};
}

std::vector<Figure> accuracy_measured(const Records& records) {
  const CsvFile csv = costs_of(records);
  const auto cost_models = texts(csv, "model");
  const auto params = numbers(csv, "params"), macs = numbers(csv, "macs");
  const CsvFile evaluations = records.read_models("evaluation.csv");
  const auto models = texts(evaluations, "model"), data = texts(evaluations, "data"),
             weights = texts(evaluations, "weights");
  const auto top1 = numbers(evaluations, "top1"), low = numbers(evaluations, "top1_low"),
             high = numbers(evaluations, "top1_high");
  Bubbles bubbles =
      accuracy_figure(data.empty() ? "" : "Top-1 on " + dataset_name(data[0]) + " (%)", csv);
  size_t left_out = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    const auto cost = std::find(cost_models.begin(), cost_models.end(), models[i]);
    if (data[i] != data[0] || cost == cost_models.end() || !std::isfinite(top1[i])) {
      ++left_out;
      continue;
    }
    const auto at = static_cast<size_t>(cost - cost_models.begin());
    const bool again = std::count(models.begin(), models.end(), models[i]) > 1;
    std::optional<Spread> interval;
    if (std::isfinite(low[i]) && std::isfinite(high[i])) interval = Spread{low[i], high[i]};
    bubbles.bubbles.push_back({again ? models[i] + " " + weights[i] : models[i], family(models[i]),
                               macs[at], top1[i], params[at], interval});
  }
  if (left_out > 0) {
    records.err << "accuracy_measured: " << left_out
                << (left_out == 1 ? " evaluation" : " evaluations")
                << " of other data, or of networks that cost.csv has not, left out\n";
  }
  if (models.empty()) records.err << "accuracy_measured: evaluation.csv has no evaluation\n";
  keep_with_macs(records, "accuracy_measured", bubbles);
  share_colours(bubbles);
  if (bubbles.bubbles.empty()) return {};
  add_front(bubbles);
  return {{"accuracy_measured", "What accuracy the multiply-accumulates buy", bubbles,
           "Top-1 accuracy as measured here on " + dataset_name(data[0]) +
               ", with Wilson's 95 % intervals as bars." + bianco}};
}

}  // namespace

std::vector<RecordFigure> cost_figures() {
  return {{"cost_bars", {"cost.csv", "layers.csv"}, cost_bars},
          {"cost_bubbles", {"cost.csv"}, cost_bubbles},
          {"accuracy_measured", {"cost.csv", "evaluation.csv"}, accuracy_measured},
          {"accuracy_published", {"cost.csv"}, accuracy_published}};
}

}  // namespace convscope
