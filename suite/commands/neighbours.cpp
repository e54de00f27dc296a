// convscope neighbours: which images of a folder look alike to a network, and a map of all of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <ostream>
#include <set>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/neighbour_images.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/subject.h"
#include "suite/inference/evaluation.h"
#include "suite/inference/threads.h"
#include "suite/interpretation/feature_space.h"
#include "suite/records/figures.h"
#include "suite/report/table.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t components = 8, most_queries = 50, most_nearest = 20;

size_t count_of(const Invocation& invocation, const std::string& option, size_t most) {
  const auto number = static_cast<size_t>(positive_integer(invocation, option));
  if (number <= most) return number;
  throw UsageError("--" + option + ": expected from 1 to " + std::to_string(most));
}

/// The columns of neighbours.csv.
struct NeighbourRow {
  std::string query, query_class;
  int64_t rank;
  std::string image, of_class;
  double similarity;
};

std::vector<Column<NeighbourRow>> neighbour_columns() {
  using R = NeighbourRow;
  return {
      {"query", "Query", Human::plain, [](const R& r) { return Cell(r.query); }},
      {"query_class", "Its class", Human::plain, [](const R& r) { return Cell(r.query_class); }},
      {"rank", "Rank", Human::plain, [](const R& r) { return Cell(r.rank); }},
      {"image", "Image", Human::plain, [](const R& r) { return Cell(r.image); }},
      {"class", "Class", Human::plain, [](const R& r) { return Cell(r.of_class); }},
      {"similarity", "Similarity", Human::plain, [](const R& r) { return Cell(r.similarity); }}};
}

Table neighbour_table(const SeenImages& data, const Queries& queries,
                      const std::vector<std::vector<Neighbour>>& neighbours) {
  std::vector<NeighbourRow> rows;
  for (size_t q = 0; q < neighbours.size(); ++q) {
    int64_t rank = 0;
    for (const Neighbour& neighbour : neighbours[q]) {
      rows.push_back({queries.images.name(q), queries.images.class_of(q), ++rank,
                      data.name(neighbour.index), data.class_of(neighbour.index),
                      neighbour.similarity});
    }
  }
  return make_table(neighbour_columns(), rows);
}

/// What the records say of where their numbers are from.
struct Origin {
  std::string model, weights, input, layer, data;

  std::vector<std::string> network() const { return {model, weights, input}; }
};

/// How often the neighbours' class is the image's own.
struct AccuracyRow {
  Origin origin;
  int64_t k, images, right;
  double chance;
};

std::vector<Column<AccuracyRow>> accuracy_columns() {
  using R = AccuracyRow;
  const auto top1 = [](const R& r) { return share(r.right, r.images); };
  return {{"model", "Network", Human::plain, [](const R& r) { return Cell(r.origin.model); }},
          {"weights", "", Human::none, [](const R& r) { return Cell(r.origin.weights); }},
          {"input", "", Human::none, [](const R& r) { return Cell(r.origin.input); }},
          {"layer", "Features", Human::plain, [](const R& r) { return Cell(r.origin.layer); }},
          {"data", "", Human::none, [](const R& r) { return Cell(r.origin.data); }},
          {"k", "Neighbours", Human::plain, [](const R& r) { return Cell(r.k); }},
          {"images", "Images", Human::plain, [](const R& r) { return Cell(r.images); }},
          {"right", "", Human::none, [](const R& r) { return Cell(r.right); }},
          {"top1", "Top-1 %", Human::plain, [=](const R& r) { return percent(top1(r).value); }},
          {"top1_low", "from", Human::plain, [=](const R& r) { return percent(top1(r).low); }},
          {"top1_high", "to", Human::plain, [=](const R& r) { return percent(top1(r).high); }},
          {"chance", "Chance %", Human::plain, [](const R& r) { return percent(r.chance); }}};
}

/// Of each image by the others; none where no class has two images to be told from others.
std::vector<AccuracyRow> accuracies(const Invocation& invocation, const Origin& origin,
                                    const SeenImages& data, size_t most) {
  std::map<int64_t, int64_t> images_of;
  for (const int64_t label : data.labels) ++images_of[label];
  int64_t largest = 0;
  for (const auto& [label, images] : images_of) largest = std::max(largest, images);
  if (images_of.size() < 2 || largest < 2) return {};
  std::vector<size_t> each(data.count());
  std::iota(each.begin(), each.end(), size_t{0});
  const auto images = static_cast<int64_t>(each.size());
  Progress progress(invocation.err, "neighbours", images, "images");
  const auto neighbours = nearest(data.features, data.features, each, most, [&](size_t found) {
    progress.update(static_cast<int64_t>(found));
  });
  std::vector<AccuracyRow> rows;
  for (const size_t k : std::set<size_t>{1, most}) {
    int64_t right = 0;
    for (const size_t i : each) {
      if (majority(neighbours[i], data.labels, k) == data.labels[i]) ++right;
    }
    rows.push_back({origin, static_cast<int64_t>(k), images, right,
                    static_cast<double>(largest) / static_cast<double>(images)});
  }
  return rows;
}

/// In the place of this network's rows, whose first columns tell whose they are.
void write_table(const fs::path& folder, const std::string& file, const Origin& origin,
                 const Table& table, std::ostream& err) {
  const auto record =
      open_record_without(folder, file, column_names(table), err, {origin.network()});
  for (const auto& row : table.rows) record->write(row);
}

/// With the columns that tell whose rows these are.
Table of_network(const Origin& origin, Table table) {
  table.columns.insert(table.columns.begin(),
                       {{"model", "Network"}, {"weights", "Weights"}, {"input", "Input"}});
  const auto network = origin.network();
  for (auto& row : table.rows) row.insert(row.begin(), network.begin(), network.end());
  return table;
}

Table components_table(const Origin& origin, const PrincipalComponents& found) {
  Table table{{{"model", "Network"},
               {"weights", "Weights"},
               {"input", "Input"},
               {"layer", "Features"},
               {"data", "Data"},
               {"component", "Component"},
               {"variance_percent", "Variance (%)"}},
              {}};
  for (size_t c = 0; c < found.count; ++c) {
    table.rows.push_back({origin.model, origin.weights, origin.input, origin.layer, origin.data,
                          static_cast<int64_t>(c + 1), percent(found.shares[c])});
  }
  return table;
}

/// In the digits that a float holds, whatever its size.
double as_float(double value) { return std::stod(fmt::format("{:.7g}", value)); }

Table map_table(const SeenImages& data, const PrincipalComponents& found) {
  Table table{{{"index", "Index"}, {"image", "Image"}, {"class", "Class"}}, {}};
  for (size_t c = 1; c <= found.count; ++c) {
    table.columns.push_back({"pc" + std::to_string(c), "Component " + std::to_string(c)});
  }
  for (size_t i = 0; i < data.count(); ++i) {
    auto& row = table.rows.emplace_back();
    row = {static_cast<int64_t>(data.indices[i]), data.name(i), data.class_of(i)};
    for (size_t c = 0; c < found.count; ++c) {
      row.emplace_back(as_float(found.scores[i * found.count + c]));
    }
  }
  return table;
}

std::string layer_words(const FeaturePlace& place) {
  return place.named + (place.maps ? ", averaged over positions" : "");
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  const size_t most = count_of(invocation, "nearest", most_nearest);
  const size_t wanted = count_of(invocation, "queries", most_queries);
  std::vector<fs::path> asked;
  if (invocation.values.count("query")) asked = images_of(invocation, "query");
  if (!asked.empty() && !invocation.values["queries"].defaulted()) {
    throw UsageError(
        "neighbours: --query names the images, and --queries chooses some of the "
        "data; give one of them");
  }
  if (asked.size() > most_queries) {
    throw UsageError(fmt::format("--query: {} images do not fit a sheet; name at most {}",
                                 asked.size(), most_queries));
  }
  Output output(invocation);
  const Subject seen = subject(invocation, Needed::body);
  const WeightedNetwork& weighted = seen.weighted;
  const FeaturePlace place =
      asked_for_at([&] { return feature_place(seen.network.graph, invocation.text("at")); });
  const Speed chosen = speed(invocation, weighted);
  use_threads(chosen.threads);
  check_picture_options(invocation);

  const SeenImages data =
      seen_images(invocation, seen, place, chosen, images_of_data(invocation, weighted));
  if (data.count() <= most) {
    throw UsageError(fmt::format("--nearest {}: an image of {} has only {} other{}", most,
                                 invocation.text("data"), data.count() - 1,
                                 data.count() == 2 ? "" : "s"));
  }
  const Queries queries = asked.empty()
                              ? chosen_queries(data, wanted, seed_of(invocation))
                              : named_queries(invocation, seen, place, chosen, data, asked);
  const auto neighbours = nearest(data.features, queries.images.features, queries.itself, most);
  const Origin origin{seen.name(), seen.weights, to_string(seen.network.settings.image),
                      layer_words(place), invocation.text("data")};
  const std::vector<AccuracyRow> accuracy = accuracies(invocation, origin, data, most);
  const PrincipalComponents found = principal_components(data.features, components);

  const fs::path folder = results_folder(invocation);
  const auto write = [&](const std::string& file, const Table& table) {
    write_table(folder, file, origin, table, invocation.err);
  };
  write("neighbours.csv", of_network(origin, neighbour_table(data, queries, neighbours)));
  write("neighbours_accuracy.csv", make_table(accuracy_columns(), accuracy));
  write("features_components.csv", components_table(origin, found));
  write("features_map.csv", of_network(origin, map_table(data, found)));
  auto facts = facts_of(seen);
  facts.emplace_back("features", origin.layer);
  record_run(folder, invocation, started, seen.name(), facts);

  std::vector<Figure> figures = figures_of_records(invocation, "features_map", seen.name());
  figures.insert(figures.begin(), neighbour_sheet(seen, origin.layer, data, queries, neighbours));
  draw_pictures(invocation, figures);
  invocation.err << data.count() << " images, " << place.size << " numbers each at " << origin.layer
                 << "\n";
  if (!accuracy.empty() || !output.for_people()) {
    output.print(make_table(accuracy_columns(), accuracy));
  } else {
    invocation.err << "note: no class has two images beside those of others, so there is no "
                      "accuracy\n";
  }
  return done;
}

}  // namespace

Command neighbours_command() {
  Command command{"neighbours",
                  "images that look alike to a network, and a map of all of them",
                  "convscope neighbours mobilenet_v2 --weights mobilenet_v2.pth --data photos",
                  {},
                  {"model"},
                  run};
  add_weights_options(command.options);
  command.options.add_options()("untrained", po::bool_switch(),
                                "the weights that training begins with, by --seed");
  add_data_options(command.options);
  command.options.add_options()  //
      ("at", text_value(),
       "LAYER: as 'cost --layers' names it; maps are averaged over positions (default: what the "
       "last layer with weights takes)")("nearest,k", text_value("7"),
                                         "so many images for each query, 1 to 20")(
          "query", list_value(), "images, or folders of images (default: some of the data)")(
          "queries", text_value("8"), "without --query, so many of the data, by --seed");
  add_speed_options(command.options);
  add_picture_options(command.options);
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
