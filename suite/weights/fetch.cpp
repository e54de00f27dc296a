#include "suite/weights/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "suite/weights/cache_folder.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

std::invalid_argument unwritable(const fs::path& path, int error, const std::string& mend = "") {
  return std::invalid_argument("cannot write " + path.string() + ": " + reason(error) + mend);
}

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// FILE.part, open, and locked against other processes as long as this lives. A process that dies
/// loses the lock and leaves a valid part, since bytes are only ever written behind the last one.
class PartFile {
 public:
  /// Waits for the process that has the lock; `waiting` is told how many bytes that one has.
  PartFile(const fs::path& path, const std::function<void(int64_t)>& waiting) : path_(path) {
    while (!open_and_lock()) {
      const int64_t there = bytes();
      close();
      waiting(there);
      sleep_for(0.1);
    }
  }
  ~PartFile() { close(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const fs::path& path() const { return path_; }

  int64_t bytes() const {
    struct stat status = {};
    return fstat(descriptor_, &status) == 0 ? int64_t{status.st_size} : 0;
  }

  /// Returns 0 or errno.
  int append(const char* data, size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return written < 0 ? errno : ENOSPC;
      data += written;
      size -= static_cast<size_t>(written);
    }
    return 0;
  }

  void clear() {
    if (ftruncate(descriptor_, 0) != 0) throw unwritable(path_, errno);
  }

  void remove() { unlink(path_.c_str()); }

  /// On the disk before it has its name: the name promises a whole file, also after a power cut.
  void rename_to(const fs::path& path) {
    if (fsync(descriptor_) != 0) throw unwritable(path_, errno);
    if (std::rename(path_.c_str(), path.c_str()) != 0) throw unwritable(path, errno);
  }

 private:
  bool open_and_lock() {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw unwritable(path_, errno);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      if (error == EWOULDBLOCK || error == EINTR) return false;
      close();
      throw std::invalid_argument("cannot lock " + path_.string() + ": " + reason(error) +
                                  "; put the cache on a file system that has locks");
    }
    // The process that had the lock may have renamed or removed the file that was just opened.
    struct stat here = {}, there = {};
    return fstat(descriptor_, &here) == 0 && stat(path_.c_str(), &there) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
  }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  fs::path path_;
  int descriptor_ = -1;
};

/// "bytes 100-199/200" as numbers; total 0 where the server writes "*".
struct ContentRange {
  long long first = -1, last = -1, total = 0;
};

ContentRange content_range(const std::string& value) {
  ContentRange range;
  if (std::sscanf(value.c_str(), " bytes %lld-%lld/%lld", &range.first, &range.last, &range.total) <
      2) {
    return {};
  }
  return range;
}

using Clock = std::chrono::steady_clock;

/// One request and what became of it.
struct Transfer {
  CURL* curl;
  PartFile& part;
  const FetchOptions& options;
  int64_t offset;  ///< the first byte that is asked for

  ContentRange range = {};  ///< of the response that is being read
  bool begun = false;       ///< the first byte of that response was looked at
  bool usable = false;
  int64_t done = 0, total = 0, received = 0;
  int write_error = 0;
  std::exception_ptr thrown = nullptr;
  Clock::time_point last_news = Clock::now();
  bool stalled = false;

  /// Whether the response is the file, from `offset` on or from the start.
  void begin() {
    begun = true;
    long code = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (code == 200) {  // a server may ignore that a range was asked for
      if (offset > 0) part.clear();
      done = 0;
      total = std::max<int64_t>(length, 0);
    } else if (code == 206 && offset > 0 && range.first == offset) {
      done = offset;
      total = range.total;
    } else {
      return;
    }
    usable = true;
    report();
  }

  void report() const {
    if (options.progress) options.progress(done, total);
  }
};

size_t take_header(char* data, size_t, size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::string line(data, size), name = "content-range:";
  transfer.last_news = Clock::now();
  if (line.rfind("HTTP/", 0) == 0) transfer.range = {};  // another response after a redirect
  if (strncasecmp(line.c_str(), name.c_str(), name.size()) == 0) {
    transfer.range = content_range(line.substr(name.size()));
  }
  return size;
}

size_t take_bytes(char* data, size_t, size_t size, void* user) {
  constexpr size_t stop = 0;
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.last_news = Clock::now();
  try {
    if (!transfer.begun) transfer.begin();
    if (!transfer.usable) return stop;
    transfer.write_error = transfer.part.append(data, size);
    if (transfer.write_error != 0) return stop;
    transfer.done += static_cast<int64_t>(size);
    transfer.received += static_cast<int64_t>(size);
    transfer.report();
    return size;
  } catch (...) {  // libcurl is C
    transfer.thrown = std::current_exception();
    return stop;
  }
}

/// libcurl asks about once a second whether to go on. Its own limit for slow transfers looks at an
/// average over five seconds more.
int give_up(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::chrono::duration<double> silence = Clock::now() - transfer.last_news;
  transfer.stalled = silence.count() > static_cast<double>(transfer.options.stalled_s);
  return transfer.stalled ? 1 : 0;
}

/// The address in a sentence about what went wrong there.
std::runtime_error failed(const std::string& url, const std::string& what) {
  return std::runtime_error("cannot download " + url + ": " + what);
}

/// Whether trying again can help: the connection is to blame, not the question or the answer.
bool passing(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

std::string http_failure(long code) {
  const std::string number = std::to_string(code);
  if (code == 404 || code == 410) {
    return "the server has no such file (HTTP " + number + "); the address may have changed";
  }
  if (code == 401 || code == 403) return "the server refuses to give it (HTTP " + number + ")";
  if (code == 429 || code >= 500) {
    return "the server cannot give it now (HTTP " + number + "); try again later";
  }
  return "expected the file, found an answer with HTTP code " + number;
}

std::string curl_failure(CURLcode code, const FetchOptions& options, const char* details) {
  switch (code) {
    case CURLE_TOO_MANY_REDIRECTS:
      return "the server redirects more than 5 times; the address may have changed";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "it leads away from http and https, or from https to http, which is not followed";
    case CURLE_PARTIAL_FILE:
      return "the connection was cut";
    case CURLE_ABORTED_BY_CALLBACK:
      return "nothing came for " + std::to_string(options.stalled_s) + " s";
    case CURLE_OPERATION_TIMEDOUT:
      return "no connection within " + std::to_string(options.connect_s) + " s";
    default:
      return *details ? details : curl_easy_strerror(code);
  }
}

enum class Outcome { whole, cut, range_refused };

/// One request for the bytes that `part` lacks. `received` and `said` tell what came of it.
Outcome attempt(const std::string& url, PartFile& part, const FetchOptions& options,
                int64_t& received, std::string& said) {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) throw std::runtime_error("libcurl cannot be initialised");
  CURL* curl = handle.get();
  Transfer transfer{curl, part, options, part.bytes()};
  char details[CURL_ERROR_SIZE] = "";
  const std::string range = std::to_string(transfer.offset) + "-";
  const bool secure = strncasecmp(url.c_str(), "https:", 6) == 0;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "convscope");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_s));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, give_up);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  // Not CURLOPT_RESUME_FROM, with which libcurl makes a server that sends the whole file an error.
  if (transfer.offset > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());

  const CURLcode code = curl_easy_perform(curl);
  received = transfer.received;
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (transfer.write_error != 0) {
    throw std::invalid_argument("cannot write " + part.path().string() + ": " +
                                reason(transfer.write_error) +
                                "; make room and run again, which continues after the " +
                                std::to_string(part.bytes()) + " bytes that are there");
  }
  long http = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
  if (code == CURLE_OK && !transfer.begun) transfer.begin();  // an answer without a byte
  if (transfer.usable && code == CURLE_OK) return Outcome::whole;
  if (transfer.stalled || passing(code)) {
    said = curl_failure(code, options, details);
    return Outcome::cut;
  }
  if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
    throw failed(url, curl_failure(code, options, details));
  }
  if (transfer.offset > 0 && (http == 206 || http == 416)) return Outcome::range_refused;
  throw failed(url, http_failure(http));
}

bool has_digits(const std::string& sha256, const PublishedWeights& weights) {
  return sha256.compare(0, weights.sha256_prefix.size(), weights.sha256_prefix) == 0;
}

/// Until all bytes are in `part`. Returns how many came.
int64_t download(const PublishedWeights& weights, const FetchPlan& plan, PartFile& part,
                 const FetchOptions& options) {
  constexpr int64_t worth_it = 1 << 20;  // an attempt that got so much further does not count
  int64_t all = 0, furthest = part.bytes();
  int failures = 0;
  while (true) {
    int64_t received = 0;
    std::string said;
    const Outcome outcome = attempt(plan.url, part, options, received, said);
    all += received;
    if (outcome == Outcome::whole) return all;
    if (outcome == Outcome::range_refused) {
      // The part may be the whole file, from a run that was killed before it could rename it.
      if (has_digits(sha256_of(plan.part), weights)) return all;
      part.clear();
      continue;
    }
    if (part.bytes() >= furthest + worth_it) {
      furthest = part.bytes();
      failures = 0;
    }
    if (++failures >= options.attempts) {
      throw failed(
          plan.url,
          said + (failures > 1 ? ", the last of " + std::to_string(failures) + " attempts" : "") +
              "; run again to continue after the " + std::to_string(part.bytes()) +
              " bytes that are there");
    }
    sleep_for(options.pause_s * (1 << (failures - 1)));
  }
}

}  // namespace

FetchPlan plan_fetch(const PublishedWeights& weights, const FetchOptions& options) {
  const fs::path folder = options.folder.empty() ? cache_folder("weights") : options.folder;
  FetchPlan plan;
  plan.url = options.url.empty() ? weights.url : options.url;
  plan.path = folder / weights.file;
  plan.part = folder / (weights.file + ".part");
  std::error_code missing;
  plan.there = fs::exists(plan.path, missing);
  const auto bytes = fs::file_size(plan.part, missing);
  if (!missing) plan.part_bytes = static_cast<int64_t>(bytes);
  return plan;
}

std::string to_string(const FetchPlan& plan) {
  if (plan.there) return plan.path.string() + " is there already, nothing to download";
  return "would download " + plan.url + " (size unknown) to " + plan.path.string() +
         (plan.part_bytes > 0 ? "; " + std::to_string(plan.part_bytes) + " bytes are there already"
                              : "");
}

Fetched fetch(const PublishedWeights& weights, const FetchOptions& options) {
  FetchPlan plan = plan_fetch(weights, options);
  std::error_code error;
  fs::create_directories(plan.path.parent_path(), error);
  if (error) {
    throw std::invalid_argument("cannot create the folder " + plan.path.parent_path().string() +
                                ": " + error.message());
  }
  const auto in_cache = [&](Fetched& fetched) {
    if (!fs::exists(plan.path, error)) return false;
    fetched.sha256 = sha256_of(plan.path);
    return has_digits(fetched.sha256, weights);
  };
  Fetched fetched{plan.path, "", 0};
  if (in_cache(fetched)) return fetched;

  PartFile part(plan.part, [&](int64_t bytes) {
    if (options.progress) options.progress(bytes, 0);
  });
  if (in_cache(fetched)) {  // another process brought it while this one waited
    part.remove();
    return fetched;
  }
  fetched.received = download(weights, plan, part, options);
  fetched.sha256 = sha256_of(plan.part);
  if (!has_digits(fetched.sha256, weights)) {
    part.remove();
    throw failed(plan.url, "expected a file whose SHA-256 begins with " + weights.sha256_prefix +
                               ", found " + fetched.sha256 +
                               "; it was removed, so run again to download it anew");
  }
  part.rename_to(plan.path);
  return fetched;
}

}  // namespace convscope
