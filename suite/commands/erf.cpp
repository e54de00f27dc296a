// convscope erf: how much of its receptive field a unit really uses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

#include "suite/analysis/receptive_field.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/subject.h"
#include "suite/interpretation/unit_gradients.h"
#include "suite/pictures/field_map.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

/// What was measured of a layer: the sum over the images of its gradients, each image's divided by
/// its own sum, and how each of them lies.
struct LayerField {
  const MapLayer* layer;
  std::vector<double> magnitudes;
  std::vector<double> sides, widths, gaussians;  ///< of each image that the unit depends on
};

struct FieldRow {
  const Subject* subject;
  std::string shown;  ///< "noise" or "photographs"
  const LayerField* field;

  CentreUnit unit() const { return centre_unit(*field->layer); }
  bool clipped() const {
    const ImageShape& image = subject->network.settings.image;
    return unit().clipped(image.height, image.width);
  }
};

const std::vector<Column<FieldRow>>& columns() {
  using R = FieldRow;
  static const std::vector<Column<FieldRow>> all = {
      {"model", "Network", Human::none,
       [](const R& r) { return Cell(r.subject->network.architecture.name); }},
      {"weights", "Weights", Human::plain, [](const R& r) { return Cell(r.subject->weights); }},
      {"input", "Input", Human::none,
       [](const R& r) { return Cell(to_string(r.subject->network.settings.image)); }},
      {"shown", "Shown", Human::none, [](const R& r) { return Cell(r.shown); }},
      {"layer", "Layer", Human::plain, [](const R& r) { return Cell(r.field->layer->name); }},
      {"op", "Operator", Human::none, [](const R& r) { return Cell(r.field->layer->op); }},
      {"depth", "Depth", Human::plain,
       [](const R& r) { return Cell(int64_t{r.field->layer->depth}); }},
      {"rf", "RF", Human::plain,
       [](const R& r) { return Cell(to_string(r.field->layer->sides, &Field::size)); },
       Align::right},
      {"erf_side", "95 % within", Human::plain,
       [](const R& r) { return median_of(r.field->sides); }},
      {"erf_side_low", "from", Human::plain,
       [](const R& r) { return median_end(r.field->sides, &Interval::low); }},
      {"erf_side_high", "to", Human::plain,
       [](const R& r) { return median_end(r.field->sides, &Interval::high); }},
      {"erf_share", "Share of RF's area", Human::plain,
       [](const R& r) {
         return r.field->sides.empty() ? Cell()
                                       : Cell(share_of_field(median(r.field->sides), r.unit()));
       }},
      {"width", "Width", Human::plain, [](const R& r) { return median_of(r.field->widths); }},
      {"width_low", "from", Human::plain,
       [](const R& r) { return median_end(r.field->widths, &Interval::low); }},
      {"width_high", "to", Human::plain,
       [](const R& r) { return median_end(r.field->widths, &Interval::high); }},
      {"gaussian", "Gaussian", Human::plain,
       [](const R& r) { return median_of(r.field->gaussians); }},
      {"images", "Images", Human::none,
       [](const R& r) { return Cell(static_cast<int64_t>(r.field->sides.size())); }},
      {"clipped", "Clipped", Human::plain, [](const R& r) { return Cell(r.clipped()); }},
      {"status", "Status", Human::none,
       [](const R& r) { return Cell(std::string(r.field->sides.empty() ? "failed" : "ok")); }},
      {"reason", "Reason", Human::none, [](const R& r) {
         return r.field->sides.empty()
                    ? Cell(std::string("the unit in the middle depends on no pixel of any image"))
                    : Cell();
       }}};
  return all;
}

/// Adds one image's gradients to what is known of each layer.
void add(std::vector<LayerField>& fields, const std::vector<std::vector<double>>& gradients,
         int64_t image, const ImageShape& shape) {
  const int64_t pixels = shape.height * shape.width;
  for (size_t i = 0; i < fields.size(); ++i) {
    const double* of_image = gradients[i].data() + image * pixels;
    double sum = 0;
    for (int64_t p = 0; p < pixels; ++p) sum += of_image[p];
    if (!(sum > 0) || !std::isfinite(sum)) continue;  // every path to the unit is cut by a ReLU
    const GradientSpread spread =
        gradient_spread(of_image, shape.height, shape.width, centre_unit(*fields[i].layer));
    fields[i].sides.push_back(spread.side);
    if (std::isfinite(spread.width)) fields[i].widths.push_back(spread.width);
    fields[i].gaussians.push_back(spread.gaussian);
    fields[i].magnitudes.resize(static_cast<size_t>(pixels));
    for (int64_t p = 0; p < pixels; ++p) {
      fields[i].magnitudes[static_cast<size_t>(p)] += of_image[p] / sum;
    }
  }
}

/// The images that are named, or else noise.
class ShownImages {
 public:
  ShownImages(const Invocation& invocation, const Subject& subject)
      : subject_(subject), seed_(seed_of(invocation)) {
    if (invocation.values.count("image")) {
      if (!invocation.values["noise"].defaulted()) {
        throw UsageError("erf: --noise counts images of noise, and images are named");
      }
      photographs_ = images_of(invocation);
      count_ = static_cast<int64_t>(photographs_.size());
    } else {
      count_ = positive_integer(invocation, "noise");
    }
  }

  int64_t count() const { return count_; }
  std::string kind() const { return photographs_.empty() ? "noise" : "photographs"; }
  /// Why an image could not be read; once for each.
  const std::map<std::string, std::string>& failures() const { return failures_; }

  /// Those of `most` images from number `first` on that can be read.
  std::vector<float> values(int64_t first, int64_t most) {
    if (photographs_.empty()) {
      return noise_images(subject_.network.settings.image, most, seed_, first);
    }
    std::vector<float> all;
    for (int64_t i = first; i < first + most; ++i) {
      const std::filesystem::path& path = photographs_[static_cast<size_t>(i)];
      try {
        const Photograph taken = photograph(path, subject_.weighted);
        all.insert(all.end(), taken.values.begin(), taken.values.end());
      } catch (const UsageError& error) {
        failures_[path.string()] = error.what();
        if (static_cast<int64_t>(failures_.size()) == count_) throw;
      }
    }
    return all;
  }

 private:
  const Subject& subject_;
  uint64_t seed_;
  std::vector<std::filesystem::path> photographs_;
  std::map<std::string, std::string> failures_;
  int64_t count_;
};

std::vector<LayerField> measured(const Invocation& invocation, const Subject& subject,
                                 const std::vector<MapLayer>& layers, ShownImages& shown) {
  const ImageShape& shape = subject.network.settings.image;
  const auto seed = seed_of(invocation);
  const int64_t together = images_together(shape),
                size = shape.channels * shape.height * shape.width;
  std::vector<LayerField> fields;
  for (const MapLayer& layer : layers) fields.push_back({&layer, {}, {}, {}, {}});
  Progress progress(invocation.err, subject.name() + ", " + subject.weights, shown.count(),
                    "images");
  for (int64_t first = 0; first < shown.count(); first += together) {
    const int64_t most = std::min(together, shown.count() - first);
    const std::vector<float> values = shown.values(first, most);
    const int64_t count = static_cast<int64_t>(values.size()) / size;
    if (count > 0) {
      const auto gradients = unit_gradients(subject.network, layers, values, count, seed, first);
      for (int64_t image = 0; image < count; ++image) add(fields, gradients, image, shape);
    }
    progress.update(first + most);
  }
  progress.finish();
  return fields;
}

/// Of many layers some, evenly through the depth, the last one among them.
std::vector<const LayerField*> some_of_them(const std::vector<LayerField>& fields) {
  constexpr size_t most = 12;
  std::vector<const LayerField*> there, chosen;
  for (const LayerField& field : fields) {
    if (!field.sides.empty()) there.push_back(&field);
  }
  const size_t count = std::min(most, there.size());
  for (size_t i = 0; i < count; ++i) {
    chosen.push_back(there[count == 1 ? there.size() - 1 : i * (there.size() - 1) / (count - 1)]);
  }
  return chosen;
}

Figure sheet_of(const Subject& subject, const std::vector<LayerField>& fields,
                const std::string& shown) {
  const ImageShape& shape = subject.network.settings.image;
  Sheet sheet;
  for (const LayerField* field : some_of_them(fields)) {
    const CentreUnit unit = centre_unit(*field->layer);
    const FieldFrame frame{static_cast<double>(unit.top), static_cast<double>(unit.left),
                           static_cast<double>(unit.field_height),
                           static_cast<double>(unit.field_width)};
    const double side = median(field->sides);
    const FieldFrame core{frame.top + (frame.height - side) / 2,
                          frame.left + (frame.width - side) / 2, side, side};
    sheet.tiles.push_back(
        tile(fmt::format("{}\n{:.0f} of {}", field->layer->name, side,
                         to_string(field->layer->sides, &Field::size)),
             field_picture(field->magnitudes.data(), shape.height, shape.width, frame, core)));
  }
  sheet.key = "Black: the receptive field; orange: 95 % of the gradient; grey: beyond the image.";
  return {
      file_name("erf_" + subject.name() + (shown == "photographs" ? "_photographs" : "") +
                subject.name_end()),
      fmt::format("Effective receptive fields of {}{}", subject.name(),
                  subject.untrained ? subject.title_end() : ", trained"),
      sheet,
      fmt::format("How strongly the unit in the middle of each layer depends on each pixel: the "
                  "magnitude of the gradient, averaged over {} images ({}); each by its own "
                  "largest. Under it the side in pixels of the square that holds 95 % of it, "
                  "and that of the receptive field. Grey lies beyond the image.",
                  fields.front().sides.size(), shown)};
}

void note_clipped(const Invocation& invocation, const std::vector<FieldRow>& rows) {
  const auto clipped =
      std::count_if(rows.begin(), rows.end(), [](const FieldRow& row) { return row.clipped(); });
  if (clipped == 0) return;
  int64_t longest = 0;
  for (const FieldRow& row : rows) {
    for (const Field& side : row.field->layer->sides) longest = std::max(longest, side.size);
  }
  invocation.err << "note: the receptive fields of " << clipped << " of " << rows.size()
                 << " layers reach beyond the image, up to " << longest
                 << " pixels: --input shows them more\n";
}

/// Rows of other networks, sizes and images stay.
void write_record(const Invocation& invocation, const std::filesystem::path& folder,
                  const std::vector<FieldRow>& rows) {
  std::vector<std::vector<std::string>> replaced;
  for (const FieldRow& row : rows) {
    const LoadedNetwork& network = row.subject->network;
    replaced.push_back({network.architecture.name, row.subject->weights,
                        to_string(network.settings.image), row.shown});
  }
  const auto record =
      open_record_without(folder, "erf.csv", column_names(columns()), invocation.err, replaced);
  for (const FieldRow& row : rows) record->write(cells(columns(), row));
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  const Subject trained = subject(invocation, Needed::layers);
  std::vector<Subject> subjects = {trained};
  if (invocation.flag("control")) {
    if (invocation.flag("untrained")) {
      throw UsageError("erf: --control compares with the untrained network, and this is it");
    }
    subjects.push_back(untrained_subject(invocation, trained.weighted));
  }
  ShownImages shown(invocation, trained);
  const std::vector<MapLayer> layers = map_layers_asked_for(invocation, trained.network.graph);
  check_picture_options(invocation);
  const std::filesystem::path folder = results_folder(invocation);
  open_record(folder, "erf.csv", column_names(columns()), /*resume=*/true, invocation.err);

  std::vector<std::vector<LayerField>> fields;
  for (const Subject& one : subjects) fields.push_back(measured(invocation, one, layers, shown));
  std::vector<FieldRow> rows;
  std::vector<Figure> figures;
  for (size_t i = 0; i < subjects.size(); ++i) {
    for (const LayerField& field : fields[i]) rows.push_back({&subjects[i], shown.kind(), &field});
    if (!some_of_them(fields[i]).empty()) {
      figures.push_back(sheet_of(subjects[i], fields[i], shown.kind()));
    }
  }
  write_record(invocation, folder, rows);
  record_run(folder, invocation, started, trained.name(), facts_of(trained));
  output.print(make_table(columns(), rows));
  note_clipped(invocation, rows);
  for (Figure& figure : figures_of_records(invocation, "effective_fields", trained.name())) {
    figures.push_back(std::move(figure));
  }
  draw_pictures(invocation, figures);
  const bool all = std::none_of(rows.begin(), rows.end(),
                                [](const FieldRow& row) { return row.field->sides.empty(); });
  for (const auto& [image, reason] : shown.failures()) {
    invocation.err << "convscope: " << reason << "; it is left out\n";
  }
  return all && shown.failures().empty() ? done : some_failed;
}

}  // namespace

Command erf_command() {
  Command command{"erf",
                  "how much of its receptive field a unit uses",
                  "convscope erf mobilenet_v2 --weights mobilenet_v2.pth --control",
                  {},
                  {"model", "image"},
                  run};
  add_subject_options(command.options);
  add_threads_option(command.options);
  command.options.add_options()  //
      ("image", list_value(), "images, or folders of images (default: noise)")(
          "noise", text_value("16"), "so many images of noise, where none are named")(
          "at", list_value(), "LAYER: only these (default: all convolutions and poolings)")(
          "control", po::bool_switch(), "the same of the untrained network, too");
  add_output_options(command.options);
  add_picture_options(command.options);
  return command;
}

}  // namespace convscope
