// How far a long piece of work is: on a terminal a bar that redraws itself, elsewhere a line now
// and then. In no colour, so there is nothing for NO_COLOR to turn off.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace convscope {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `total` 0: unknown. `unit` is what is counted: "images", or "bytes", which are printed as MB.
  Progress(std::ostream& err, std::string label, int64_t total, std::string unit);
  /// With another terminal, of so many columns (0: none), and another clock, for tests.
  Progress(std::ostream& err, std::string label, int64_t total, std::string unit, size_t columns,
           std::function<Clock::time_point()> now);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap enough for every batch: prints at most ten times a second. The rate is counted from the
  /// first update on, so that neither the warm-up nor what a resumed download had is in it.
  void update(int64_t done);
  /// For work that learns its total, or another one, on the way.
  void update(int64_t done, int64_t total);
  /// Something to say beside the numbers, from the next update on: "loss 0.71".
  void remark(std::string text) { remark_ = std::move(text); }
  /// Clears the bar. Also what the destructor does.
  void finish();

 private:
  std::string text(int64_t done, Clock::time_point now) const;
  bool line_is_due(int64_t done, Clock::time_point now) const;

  std::ostream& err_;
  std::string label_;
  int64_t total_;
  std::string unit_;
  std::string remark_;
  size_t columns_;
  std::function<Clock::time_point()> now_;
  Clock::time_point shown_at_;
  int64_t shown_ = 0;
  Clock::time_point first_at_;
  int64_t first_ = -1;  ///< done at the first update
  bool drawn_ = false;  ///< a bar is on the terminal
};

}  // namespace convscope
