// convscope shift: how far feature maps and answers move when the image does, and what another way
// of making maps smaller would change.
#include "suite/interpretation/shift.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <set>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/shift_rows.h"
#include "suite/commands/subject.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

std::vector<int64_t> shifts_asked_for(const Invocation& invocation, int64_t width) {
  std::vector<int64_t> shifts;
  if (invocation.list("shifts").empty()) {
    for (int64_t shift = 0; shift <= std::min<int64_t>(32, width / 4); ++shift) {
      shifts.push_back(shift);
    }
    return shifts;
  }
  shifts = integers_from_0(invocation, "shifts");
  std::sort(shifts.begin(), shifts.end());
  shifts.erase(std::unique(shifts.begin(), shifts.end()), shifts.end());
  if (shifts.back() >= width) {
    throw UsageError("--shifts " + std::to_string(shifts.back()) + ": the network sees " +
                     std::to_string(width) +
                     " pixels, of which none would stay; expected at most " +
                     std::to_string(width - 1));
  }
  return shifts;
}

std::vector<Downsampling> downsamplings_asked_for(const Invocation& invocation,
                                                  const LoadedNetwork& network) {
  std::vector<Downsampling> offered = downsamplings(network.graph);
  const std::vector<std::string> asked = invocation.list("downsampling");
  if (asked.empty()) return offered;
  std::vector<std::string> names;
  for (const Downsampling one : offered) names.push_back(to_string(one));
  std::set<std::string> known;
  for (const Downsampling one : all_downsamplings()) known.insert(to_string(one));
  for (const std::string& name : asked) {
    if (std::count(names.begin(), names.end(), name)) continue;
    throw UsageError("--downsampling: " +
                     (known.count(name)
                          ? network.architecture.name + " is the same with '" + name + "'"
                          : "there is no '" + name + "'" + did_you_mean(name, names)) +
                     "; expected of " + joined(names));
  }
  std::vector<Downsampling> chosen;
  for (const Downsampling one : offered) {
    if (std::count(asked.begin(), asked.end(), to_string(one))) chosen.push_back(one);
  }
  return chosen;
}

void write_record(const Invocation& invocation, const ShiftCase& of,
                  const std::vector<ShiftFound>& found) {
  const Table table = shift_record(of, found);
  const auto record =
      open_record_without(results_folder(invocation), "shift.csv", column_names(table),
                          invocation.err, {{of.model, of.weights, of.input}});
  for (const auto& row : table.rows) record->write(row);
}

/// Goes through the images, one in memory at a time, and returns how many could not be read.
int64_t measure(const Invocation& invocation, const Subject& seen, const ShiftCase& of,
                const std::vector<fs::path>& images, std::vector<ShiftFound>& found) {
  const int64_t wider = of.shifts.back();
  int64_t failed = 0, ends = 0, done_with = 0;
  std::string first_failure;
  {
    Progress progress(invocation.err, of.model, static_cast<int64_t>(images.size()), "images");
    for (const fs::path& path : images) {
      try {
        const Photograph photo = photograph(path, seen.weighted, wider);
        const WideImage image{photo.values, seen.network.settings.image.width + wider};
        ends += photo.ends;
        std::optional<ShiftResponse> as_built;
        for (ShiftFound& one : found) {
          const ShiftResponse response =
              shift_response(seen.network, of.layers, one.downsampling, image, of.shifts);
          const bool itself = one.downsampling == Downsampling::as_built;
          const ShiftResponse* reference = as_built ? &*as_built : nullptr;
          if (one.add(response, itself ? &response : reference) && itself) as_built = response;
        }
      } catch (const UsageError& error) {
        if (failed++ == 0) first_failure = error.what();
      }
      progress.update(++done_with);
    }
  }
  const auto all = static_cast<int64_t>(images.size());
  if (failed == all) throw UsageError(first_failure);
  if (failed > 0) {
    invocation.err << "warning: " << failed << " of " << all
                   << " images left out: " << first_failure << "\n";
  }
  if (ends > 0) {
    invocation.err << "note: " << ends << " of " << all - failed << " images end less than "
                   << wider << " pixels beside what the network sees; what lies beyond is black\n";
  }
  return failed;
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  const std::vector<fs::path> images = images_of(invocation);
  const Subject seen = subject(invocation, Needed::answers);
  const LoadedNetwork& network = seen.network;
  const std::vector<Downsampling> compared = downsamplings_asked_for(invocation, network);
  const ShiftCase of{network.architecture.name,
                     seen.weights,
                     to_string(network.settings.image),
                     map_layers_asked_for(invocation, network.graph),
                     shifts_asked_for(invocation, network.settings.image.width),
                     compared[0] == Downsampling::as_built};
  check_picture_options(invocation);
  open_record(results_folder(invocation), "shift.csv", column_names(shift_record(of, {})),
              /*resume=*/true, invocation.err);
  std::vector<ShiftFound> found;
  for (const Downsampling one : compared) found.emplace_back(of, one);
  const int64_t failed = measure(invocation, seen, of, images, found);
  output.print(shift_summary(of, found));
  write_record(invocation, of, found);
  record_run(results_folder(invocation), invocation, started, of.model, facts_of(seen));
  for (const char* figure : {"shift_layers", "shift_answers"}) {
    draw_pictures(invocation, figures_of_records(invocation, figure, of.model));
  }
  int64_t not_finite = 0;
  for (const ShiftFound& one : found) {
    if (one.not_finite == 0) continue;
    not_finite += one.not_finite;
    invocation.err << "convscope: " << of.model << " (" << to_string(one.downsampling)
                   << ") computes no finite number for " << one.not_finite << " of "
                   << images.size() << " images; they are left out\n";
  }
  return failed > 0 || not_finite > 0 ? some_failed : done;
}

}  // namespace

Command shift_command() {
  Command command{
      "shift",
      "how far feature maps and answers move when the image does: shift.csv and figures",
      "convscope shift mobilenet_v2 --weights mobilenet_v2.pth photo.jpg",
      {},
      {"model", "image"},
      run};
  add_subject_options(command.options);
  add_threads_option(command.options);
  command.options.add_options()  //
      ("image", list_value(), "images, or folders of images")(
          "shifts", list_value(),
          "by how many pixels: 0-32, 0,8,16 (default: 0-32, on small images to a quarter of the "
          "width)")("at", list_value(),
                    "LAYERS: as 'cost --layers' names them, or what they are in (default: every "
                    "convolution and pooling)")(
          "downsampling", list_value(),
          "as-built, max, average, strided, blurred: what stands in the place of pooling and "
          "convolutions with a stride, with the same weights (default: all that change the "
          "network)");
  add_picture_options(command.options);
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
