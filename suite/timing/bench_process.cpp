#include "suite/timing/bench_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "architectures/catalogue.h"
#include "suite/analysis/torchscript.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"
#include "suite/timing/process_memory.h"

namespace convscope {

using nlohmann::json;

// The messages: one line of JSON each. A double is written so that it reads back the same.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WarmUpRule, seconds, iterations, limit_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WarmUp, first_ns, second_ns, ns, drifting)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Disturbance, seconds, other_cores, steal, waiting, limited,
                                   memory, mhz, throttled, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Block, seconds, iterations, ns, device_ns, enqueue_share,
                                   disturbance)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Preparation, parts, warm_up, difference)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ImageShape, channels, height, width)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Settings, image, classes, width, auxiliary)

namespace {

json to_message(const BenchCase& c) {
  return {{"model", c.architecture.name}, {"module", script_file(c.architecture)},
          {"settings", c.settings},       {"device", c.device},
          {"threads", c.threads},         {"batch", c.batch},
          {"precision", c.precision},     {"layout", c.layout},
          {"engine", c.engine},           {"mode", c.mode},
          {"scenario", c.scenario},       {"data", c.data}};
}

BenchCase from_message(const json& message) {
  const std::string file = message.at("module");
  BenchCase c =
      usual_case(file.empty() ? find_architecture(message.at("model")) : scripted_network(file));
  message.at("settings").get_to(c.settings);
  message.at("device").get_to(c.device);
  message.at("threads").get_to(c.threads);
  message.at("batch").get_to(c.batch);
  message.at("precision").get_to(c.precision);
  message.at("layout").get_to(c.layout);
  message.at("engine").get_to(c.engine);
  message.at("mode").get_to(c.mode);
  message.at("scenario").get_to(c.scenario);
  message.at("data").get_to(c.data);
  return c;
}

/// What people want to know of an exception: LibTorch's have a trace of the stack below that.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class Here : public Measured {
 public:
  Environment program_environment() override { return environment(); }
  void limit_memory(int64_t bytes) override { limit_memory_growth(bytes); }

  Preparation prepare(const BenchCase& bench_case, const WarmUpRule& rule) override {
    restart_peak_memory();
    memory_before_ = private_memory();
    try {
      workload_ = make_workload(bench_case);
    } catch (const std::bad_alloc&) {
      throw std::runtime_error("there is not enough memory");
    } catch (const std::exception& error) {
      throw std::runtime_error(first_line(error.what()));
    }
    watch_ = std::make_unique<MachineWatch>(bench_case.threads, cores());
    restart_peak_memory();
    workload_->device_peak_bytes();
    Preparation preparation{workload_->parts(), warm_up(*workload_, rule), workload_->difference()};
    if (!std::isfinite(preparation.difference)) {
      throw std::runtime_error("its logits are no numbers");
    }
    return preparation;
  }

  Block block(double seconds, int64_t least) override {
    return sample_block(*workload_, *watch_, seconds, least);
  }

  int64_t peak_bytes() override {
    const int64_t device = workload_->device_peak_bytes();
    if (device >= 0) return device;
    const int64_t peak = peak_private_memory();
    return peak < 0 || memory_before_ < 0 ? -1 : peak - memory_before_;
  }

 private:
  /// As the calibration found them, where there is one.
  static Cores cores() {
    std::string ignored;  // bench says it, once
    const auto calibration = find_calibration(environment_id(machine_of(environment())), ignored);
    const Cores told = cores_of_this_process();
    return calibration ? measured_cores(told, *calibration) : told;
  }

  int64_t memory_before_ = -1;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<MachineWatch> watch_;
};

volatile std::sig_atomic_t interrupt_asked = 0;
constexpr std::array<int, 4> handled = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

/// A file descriptor with an owner.
struct Descriptor {
  int number = -1;
  ~Descriptor() { close(); }
  void close() {
    if (number >= 0) ::close(number);
    number = -1;
  }
};

/// False if the reader has ended, which is no signal that ends this process, too.
bool write_all(int file, const std::string& text) {
  sigset_t broken, before;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  const timespec at_once{};
  if (done < text.size()) sigtimedwait(&broken, nullptr, &at_once);  // takes the one that waits
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return done == text.size();
}

/// Lines from a file descriptor; `while_waiting` is called a few times a second.
class LineReader {
 public:
  explicit LineReader(int file) : file_(file) {}
  /// False at the end.
  bool next(std::string& line, void (*while_waiting)()) {
    for (;;) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return true;
      }
      pollfd waiting{file_, POLLIN, 0};
      if (poll(&waiting, 1, 200) <= 0) {
        while_waiting();
        continue;
      }
      std::array<char, 65536> bytes;
      const ssize_t count = ::read(file_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      buffer_.append(bytes.data(), static_cast<size_t>(count));
    }
  }

 private:
  int file_;
  std::string buffer_;
};

/// "killed by signal 9 (Killed)": how a child ended.
std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "its process was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) +
           ")" + (signal == SIGKILL ? ", perhaps for want of memory" : "");
  }
  return "its process ended with exit code " + std::to_string(WEXITSTATUS(status));
}

/// A message as it travels: names of files may be no UTF-8.
std::string text_of(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// What a process answered.
struct Answer {
  json result;
  template <class T>
  T as() const {
    try {
      return result.get<T>();
    } catch (const json::exception& error) {
      throw std::runtime_error(std::string("its process answered something else than was asked: ") +
                               error.what());
    }
  }
};

class Apart : public Measured {
 public:
  explicit Apart(const std::filesystem::path& program) {
    // The link, not what it points to: a program that is built anew meanwhile is still this one.
    const std::string path = program.empty() ? "/proc/self/exe" : program.string();
    if (access(path.c_str(), X_OK) != 0) {
      throw std::runtime_error("cannot start " + path + ": " + std::strerror(errno));
    }
    std::array<int, 2> requests{}, answers{};
    if (pipe2(requests.data(), O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
    requests_.number = requests[1];
    const Descriptor child_in{requests[0]};
    if (pipe2(answers.data(), O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
    answers_.number = answers[0];
    const Descriptor child_out{answers[1]};
    // Between fork and exec only what is safe in a copy of one thread.
    std::string word = "bench-worker";
    std::string name = path;
    std::array<char*, 3> arguments = {name.data(), word.data(), nullptr};
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ < 0) throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));
    if (child_ == 0) {
      // The parent alone decides what Ctrl-C means, and nobody outlives it.
      std::signal(SIGINT, SIG_IGN);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(127);
      dup2(child_in.number, STDIN_FILENO);
      dup2(child_out.number, STDOUT_FILENO);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    reader_ = std::make_unique<LineReader>(answers_.number);
  }

  ~Apart() override { end(); }

  Environment program_environment() override {
    return ask({{"ask", "environment"}}).as<Environment>();
  }
  void limit_memory(int64_t bytes) override { ask({{"ask", "limit"}, {"bytes", bytes}}); }
  Preparation prepare(const BenchCase& bench_case, const WarmUpRule& rule) override {
    return ask({{"ask", "prepare"}, {"case", to_message(bench_case)}, {"rule", rule}})
        .as<Preparation>();
  }
  Block block(double seconds, int64_t least) override {
    return ask({{"ask", "block"}, {"seconds", seconds}, {"least", least}}).as<Block>();
  }
  int64_t peak_bytes() override { return ask({{"ask", "peak"}}).as<int64_t>(); }

 private:
  Answer ask(const json& request) {
    std::string line;
    if (child_ < 0) throw std::runtime_error("its process has ended");
    if (!write_all(requests_.number, text_of(request) + "\n") ||
        !reader_->next(line, InterruptGuard::check)) {
      throw std::runtime_error(end());
    }
    json answer = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!answer.is_object() || !(answer.contains("result") || answer.contains("failed"))) {
      end();
      throw std::runtime_error("its process answered '" + line.substr(0, 80) +
                               "': is it convscope of this version?");
    }
    if (answer.contains("failed")) throw std::runtime_error(answer["failed"].get<std::string>());
    return {std::move(answer["result"])};
  }

  /// Says how it ended, if it did by itself.
  std::string end() {
    if (child_ < 0) return "";
    // One that ended has closed its side; one that is busy is not waited for.
    requests_.close();
    int status = 0;
    pid_t ended = 0;
    for (int i = 0; i < 50 && ended == 0; ++i) {
      ended = waitpid(child_, &status, WNOHANG);
      if (ended == 0) usleep(10'000);
    }
    if (ended == 0) {
      kill(child_, SIGKILL);
      waitpid(child_, &status, 0);
    }
    child_ = -1;
    return how_it_ended(status);
  }

  pid_t child_ = -1;
  Descriptor requests_, answers_;
  std::unique_ptr<LineReader> reader_;
};

json answer_to(const json& request, Measured& measured) {
  const std::string what = request.at("ask");
  if (what == "prepare") {
    return measured.prepare(from_message(request.at("case")), request.at("rule").get<WarmUpRule>());
  }
  if (what == "block") return measured.block(request.at("seconds"), request.at("least"));
  if (what == "environment") return measured.program_environment();
  if (what == "peak") return measured.peak_bytes();
  if (what == "limit") {
    measured.limit_memory(request.at("bytes"));
    return true;
  }
  throw std::runtime_error("no such request: " + what);
}

}  // namespace

std::unique_ptr<Measured> measured_here() { return std::make_unique<Here>(); }

std::unique_ptr<Measured> measured_apart(const std::filesystem::path& program) {
  return std::make_unique<Apart>(program);
}

Environment environment_of(const std::filesystem::path& program) {
  return program.empty() ? environment() : measured_apart(program)->program_environment();
}

int serve_bench_requests() {
  // Answers alone go where the parent reads them; what a library prints goes to stderr.
  const Descriptor answers{fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
  if (answers.number < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  const std::unique_ptr<Measured> measured = measured_here();
  LineReader requests(STDIN_FILENO);
  for (std::string line; requests.next(line, [] {});) {
    json answer;
    try {
      answer["result"] = answer_to(json::parse(line), *measured);
    } catch (const std::bad_alloc&) {
      answer["failed"] = "there is not enough memory";
    } catch (const std::exception& error) {
      answer["failed"] = first_line(error.what());
    }
    if (!write_all(answers.number, text_of(answer) + "\n")) return 1;
  }
  return 0;
}

struct InterruptGuard::Before {
  std::array<struct sigaction, handled.size()> actions;
};

InterruptGuard::InterruptGuard() : before_(std::make_unique<Before>()) {
  interrupt_asked = 0;
  for (size_t i = 0; i < handled.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupt_asked = 1; };
    if (handled[i] == SIGPIPE) action.sa_handler = SIG_IGN;
    sigaction(handled[i], &action, &before_->actions[i]);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < handled.size(); ++i) {
    sigaction(handled[i], &before_->actions[i], nullptr);
  }
}

void InterruptGuard::check() {
  if (interrupt_asked) throw Interrupted();
}

}  // namespace convscope
