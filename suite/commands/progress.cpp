#include "suite/commands/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

namespace convscope {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds before_the_first{1}, between_bars{0.1}, between_lines{10};
constexpr double share_between_lines = 0.1;

/// What numbers of about this size are written in.
struct Scale {
  double one;
  int decimals;
  std::string unit;

  std::string number(double count) const { return fmt::format("{:.{}f}", count / one, decimals); }
  std::string with_unit(double count) const { return number(count) + " " + unit; }
};

Scale scale_for(double count, const std::string& unit) {
  if (unit != "bytes") return {1, 0, unit};
  if (count >= 1e9) return {1e9, 2, "GB"};
  if (count >= 1e6) return {1e6, 1, "MB"};
  return {1e3, 0, "kB"};
}

/// "1 h 05 min", "3 min 20 s", "45 s".
std::string duration(double seconds) {
  const int64_t whole = std::llround(seconds);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

/// 0: no terminal.
size_t columns_of(const std::ostream& err) {
  if (&err != &std::cerr || !isatty(STDERR_FILENO)) return 0;
  winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::ostream& err, std::string label, int64_t total, std::string unit)
    : Progress(err, std::move(label), total, std::move(unit), columns_of(err), Clock::now) {}

Progress::Progress(std::ostream& err, std::string label, int64_t total, std::string unit,
                   size_t columns, std::function<Clock::time_point()> now)
    : err_(err),
      label_(std::move(label)),
      total_(total),
      unit_(std::move(unit)),
      columns_(columns),
      now_(std::move(now)),
      shown_at_(now_()) {}

Progress::~Progress() { finish(); }

void Progress::update(int64_t done, int64_t total) {
  total_ = total;
  update(done);
}

void Progress::update(int64_t done) {
  const Clock::time_point now = now_();
  if (first_ < 0 || done < first_) {  // less than before: the work started anew
    first_ = shown_ = done;
    first_at_ = now;
  }
  if (!line_is_due(done, now)) return;
  const std::string line = text(done, now);
  if (columns_ > 0) {
    // A line that wraps could not be drawn over.
    err_ << '\r' << line.substr(0, columns_ - 1) << "\x1b[K" << std::flush;
    drawn_ = true;
  } else {
    err_ << line << std::endl;
  }
  shown_ = done;
  shown_at_ = now;
}

void Progress::finish() {
  if (drawn_) err_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

bool Progress::line_is_due(int64_t done, Clock::time_point now) const {
  const Seconds since = now - shown_at_;
  if (columns_ > 0) return since >= (drawn_ ? between_bars : before_the_first);
  if (done == total_) return false;  // the result follows
  const double share = total_ > 0 ? double(done - shown_) / double(total_) : 0;
  return since >= between_lines || (share >= share_between_lines && since >= before_the_first);
}

/// "weights: [#####---------------] 25 %, 24.4 of 97.8 MB, 12.2 MB/s, 6 s left"
std::string Progress::text(int64_t done, Clock::time_point now) const {
  const double share = total_ > 0 ? std::min(1.0, double(done) / double(total_)) : 0;
  const Scale scale = scale_for(double(std::max(done, total_)), unit_);
  std::string line = total_ > 0
                         ? fmt::format("{:.0f} %, {} of {}", std::floor(share * 100),
                                       scale.number(double(done)), scale.with_unit(double(total_)))
                         : scale.with_unit(double(done));
  const double seconds = Seconds(now - first_at_).count();
  const double rate = seconds > 0 ? double(done - first_) / seconds : 0;
  if (rate > 0) {
    Scale per_second = scale_for(rate, unit_);
    if (rate < 10 * per_second.one) per_second.decimals = std::max(per_second.decimals, 1);
    line += ", " + per_second.with_unit(rate) + "/s";
    if (total_ > done) line += ", " + duration(double(total_ - done) / rate) + " left";
  }
  if (!remark_.empty()) line += ", " + remark_;
  const size_t used = label_.size() + line.size() + 6;  // what stands around them, the last column
  const size_t room = columns_ > used ? std::min<size_t>(columns_ - used, 20) : 0;
  if (total_ > 0 && room >= 5) {
    const auto full = static_cast<size_t>(share * double(room));
    line = "[" + std::string(full, '#') + std::string(room - full, '-') + "] " + line;
  }
  return label_ + ": " + line;
}

}  // namespace convscope
