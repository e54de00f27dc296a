// Downloads from a server on this machine that misbehaves as servers and networks do.
#include "suite/weights/fetch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "suite/weights/cache_folder.h"
#include "suite/weights/sha256.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string path;
  int64_t from = 0;  ///< the first byte of the range; 0 where none was asked for
};

struct Answer {
  std::string bytes;     ///< status line, headers, body
  bool silence = false;  ///< afterwards, instead of closing the connection
};

/// Answers one request after another, on a port of its own.
class Server {
 public:
  explicit Server(std::function<Answer(const Request&)> answer) : answer_(std::move(answer)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 8) != 0) {
      throw std::runtime_error("the test's server cannot listen");
    }
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    stopped_ = true;
    thread_.join();
    close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url;

  std::vector<Request> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  bool readable(int descriptor) const {
    pollfd wanted = {descriptor, POLLIN, 0};
    while (!stopped_) {
      if (poll(&wanted, 1, 20) > 0) return true;
    }
    return false;
  }

  void serve() {
    while (readable(listener_)) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) converse(connection);
      close(connection);
    }
  }

  void converse(int connection) {
    std::string text;
    char piece[4096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!readable(connection)) return;
      const ssize_t size = recv(connection, piece, sizeof(piece), 0);
      if (size <= 0) return;
      text.append(piece, static_cast<size_t>(size));
    }
    Request request;
    const size_t begin = text.find(' ') + 1;
    request.path = text.substr(begin, text.find(' ', begin) - begin);
    const size_t range = text.find("Range: bytes=");
    if (range != std::string::npos) request.from = std::stoll(text.substr(range + 13));
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = answer_(request);
    size_t sent = 0;
    while (sent < answer.bytes.size()) {
      const ssize_t size =
          send(connection, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return;
      sent += static_cast<size_t>(size);
    }
    if (answer.silence) readable(connection);  // until the client gives up
  }

  std::function<Answer(const Request&)> answer_;
  int listener_ = -1;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

std::string head(const std::string& status, const std::string& more, size_t length) {
  return "HTTP/1.1 " + status + "\r\n" + more + "Content-Length: " + std::to_string(length) +
         "\r\nConnection: close\r\n\r\n";
}

/// Gives a variable of the environment its value back.
class KeptVariable {
 public:
  explicit KeptVariable(const char* name) : name_(name) {
    if (const char* value = std::getenv(name)) value_ = value;
  }
  ~KeptVariable() { value_ ? setenv(name_, value_->c_str(), 1) : unsetenv(name_); }
  KeptVariable(const KeptVariable&) = delete;
  KeptVariable& operator=(const KeptVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> value_;
};

TEST(KeptVariables, HaveTheirOldValuesAfterwards) {
  const KeptVariable outer("CONVSCOPE_KEPT");
  unsetenv("CONVSCOPE_KEPT");
  {
    const KeptVariable inner("CONVSCOPE_KEPT");
    setenv("CONVSCOPE_KEPT", "new", 1);
  }
  EXPECT_EQ(std::getenv("CONVSCOPE_KEPT"), nullptr);
  setenv("CONVSCOPE_KEPT", "old", 1);
  {
    const KeptVariable inner("CONVSCOPE_KEPT");
    unsetenv("CONVSCOPE_KEPT");
  }
  EXPECT_STREQ(std::getenv("CONVSCOPE_KEPT"), "old");
}

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    setenv("no_proxy", "*", 1);
    for (size_t i = 0; i < 100000; ++i) body += static_cast<char>(i * i % 251);
    put(folder.path / "original", body);
    weights.sha256_prefix = sha256_of(folder.path / "original").substr(0, 8);
    weights.file = "tiny-" + weights.sha256_prefix + ".pth";
    path = folder.path / "cache" / weights.file;
    part = folder.path / "cache" / (weights.file + ".part");
    options.folder = path.parent_path();
    options.pause_s = 0.001;
    options.attempts = 3;
    options.stalled_s = 1;
  }

  /// As a good server answers.
  Answer whole(const Request& request) const {
    if (request.from == 0) return {head("200 OK", "", body.size()) + body};
    const auto from = static_cast<size_t>(request.from);
    if (from >= body.size()) {
      return {head("416 Range Not Satisfiable",
                   "Content-Range: bytes */" + std::to_string(body.size()) + "\r\n", 0)};
    }
    return {head("206 Partial Content",
                 "Content-Range: bytes " + std::to_string(from) + "-" +
                     std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n",
                 body.size() - from) +
            body.substr(from)};
  }

  /// The answer without its last `missing` bytes.
  static Answer cut(Answer answer, size_t missing) {
    answer.bytes.resize(answer.bytes.size() - missing);
    return answer;
  }

  Fetched fetch_from(const Server& server) {
    weights.url = server.url + "/" + weights.file;
    return fetch(weights, options);
  }

  /// What it says after "cannot download URL: ".
  std::string error_from(const Server& server) {
    const std::string said = message_of<std::runtime_error>([&] { fetch_from(server); });
    const std::string start = "cannot download " + weights.url + ": ";
    EXPECT_EQ(said.substr(0, start.size()), start);
    return said.substr(std::min(said.size(), start.size()));
  }

  void put_part(const std::string& bytes) {
    fs::create_directories(part.parent_path());
    put(part, bytes);
  }

  void expect_whole() const {
    EXPECT_TRUE(contents(path) == body);
    EXPECT_FALSE(fs::exists(part));
  }

  TemporaryFolder folder;
  PublishedWeights weights;
  FetchOptions options;
  fs::path path, part;
  std::string body;
};

TEST_F(Fetch, BringsAFileOnceAndThenFindsIt) {
  const Server server([&](const Request& request) { return whole(request); });
  const Fetched first = fetch_from(server);
  expect_whole();
  EXPECT_EQ(first.path, path);
  EXPECT_EQ(first.sha256, sha256_of(folder.path / "original"));
  EXPECT_EQ(first.received, 100000);
  EXPECT_EQ(fetch_from(server).received, 0);
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].path, "/" + weights.file);
}

TEST_F(Fetch, ReportsProgressUpToTheTotal) {
  const Server server([&](const Request& request) { return whole(request); });
  put_part(body.substr(0, 40000));
  std::vector<int64_t> seen;
  options.progress = [&](int64_t done, int64_t total) {
    seen.push_back(done);
    EXPECT_EQ(total, 100000);
  };
  fetch_from(server);
  EXPECT_EQ(seen.front(), 40000);
  EXPECT_EQ(seen.back(), 100000);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(Fetch, ContinuesAfterTheConnectionWasCut) {
  int answers = 0;
  const Server server([&](const Request& request) {
    return ++answers == 1 ? cut(whole(request), 70000) : whole(request);
  });
  EXPECT_EQ(fetch_from(server).received, 100000) << "no byte comes twice";
  expect_whole();
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[1].from, 30000);
}

TEST_F(Fetch, GivesUpAConnectionThatIsAlwaysCutAndSaysThatItContinuesLater) {
  const Server server([&](const Request& request) {
    return cut(whole(request), request.from == 0 ? 70000 : 69999);
  });
  EXPECT_EQ(error_from(server),
            "the connection was cut, the last of 3 attempts; run again to "
            "continue after the 30001 bytes that are there");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(contents(part) == body.substr(0, 30001));
  const Server better([&](const Request& request) { return whole(request); });
  EXPECT_EQ(fetch_from(better).received, 100000 - 30001);
  expect_whole();
}

TEST_F(Fetch, StartsAnewWhereTheServerKnowsNoRanges) {
  const Server server([&](const Request& request) { return whole({request.path, 0}); });
  put_part(body.substr(0, 40000));
  EXPECT_EQ(fetch_from(server).received, 100000);
  expect_whole();
}

TEST_F(Fetch, EndsWhereAServerWithoutRangesAlwaysCuts) {
  body.resize(3 << 20, 'x');
  const Server server([&](const Request&) { return cut(whole({"", 0}), 1 << 20); });
  EXPECT_NE(error_from(server).find("the connection was cut"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 3u) << "none but the first got further";
}

TEST_F(Fetch, StartsAnewWhereTheServerSendsAnotherRange) {
  const Server server([&](const Request& request) {
    Answer answer = whole(request);
    const size_t place = answer.bytes.find("bytes 40000-");
    if (place != std::string::npos) answer.bytes.replace(place, 12, "bytes 40001-");
    return answer;
  });
  put_part(body.substr(0, 40000));
  fetch_from(server);
  expect_whole();
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[1].from, 0);
}

TEST_F(Fetch, RangeThatNobodyAskedForIsAnError) {
  const Server server([&](const Request&) { return whole({"", 40000}); });
  EXPECT_EQ(error_from(server), "expected the file, found an answer with HTTP code 206");
  EXPECT_EQ(contents(part), "");
}

TEST_F(Fetch, PartThatIsLongerThanTheFileIsThrownAway) {
  const Server server([&](const Request& request) { return whole(request); });
  put_part(body + "and more");
  fetch_from(server);
  expect_whole();
}

TEST_F(Fetch, PartThatIsAlreadyWholeIsKept) {
  const Server server([&](const Request& request) { return whole(request); });
  put_part(body);
  EXPECT_EQ(fetch_from(server).received, 0);
  expect_whole();
}

TEST_F(Fetch, WrongHashLeavesNothing) {
  const Server server([&](const Request&) { return Answer{head("200 OK", "", 5) + "hello"}; });
  EXPECT_EQ(error_from(server),
            "expected a file whose SHA-256 begins with " + weights.sha256_prefix +
                ", found 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824; it was "
                "removed, so run again to download it anew");
  EXPECT_TRUE(fs::is_empty(path.parent_path()));
}

TEST_F(Fetch, DamagedFileInTheCacheIsReplaced) {
  const Server server([&](const Request& request) { return whole(request); });
  fs::create_directories(path.parent_path());
  put(path, "damaged");
  EXPECT_EQ(fetch_from(server).received, 100000);
  expect_whole();
}

TEST_F(Fetch, FollowsRedirects) {
  const Server server([&](const Request& request) {
    if (request.path == "/elsewhere") return whole(request);
    return Answer{head("302 Found", "Location: /elsewhere\r\n", 4) + "away"};
  });
  put_part(body.substr(0, 40000));
  EXPECT_EQ(fetch_from(server).received, 60000);
  expect_whole();
}

TEST_F(Fetch, EndlessRedirectsAreAnError) {
  const Server server(
      [&](const Request&) { return Answer{head("302 Found", "Location: /again\r\n", 0)}; });
  EXPECT_EQ(error_from(server),
            "the server redirects more than 5 times; the address may have changed");
  EXPECT_EQ(server.requests().size(), 6u);
}

TEST_F(Fetch, RedirectToAnotherProtocolIsRefused) {
  put(folder.path / "secret", body);
  const Server server([&](const Request&) {
    return Answer{
        head("302 Found", "Location: file://" + (folder.path / "secret").string() + "\r\n", 0)};
  });
  EXPECT_NE(error_from(server).find("leads away from http and https"), std::string::npos);
  EXPECT_FALSE(fs::exists(path));
  weights.url = "file://" + (folder.path / "secret").string();
  EXPECT_THROW(fetch(weights, options), std::runtime_error);
}

TEST_F(Fetch, ServersRefusalIsOneSentence) {
  std::string status = "404 Not Found";
  const Server server([&](const Request&) { return Answer{head(status, "", 9) + "<html>no\n"}; });
  EXPECT_EQ(error_from(server),
            "the server has no such file (HTTP 404); the address may have changed");
  status = "500 Internal Server Error";
  EXPECT_EQ(error_from(server), "the server cannot give it now (HTTP 500); try again later");
  status = "403 Forbidden";
  EXPECT_EQ(error_from(server), "the server refuses to give it (HTTP 403)");
  put_part(body.substr(0, 40000));
  EXPECT_NE(error_from(server), "");
  EXPECT_TRUE(contents(part) == body.substr(0, 40000)) << "an error page is no part of the file";
}

TEST_F(Fetch, SilentServerIsGivenUp) {
  options.attempts = 1;
  const Server server([&](const Request& request) {
    Answer answer = cut(whole(request), 70000);
    answer.silence = true;
    return answer;
  });
  EXPECT_EQ(error_from(server),
            "nothing came for 1 s; run again to continue after the 30000 bytes that are "
            "there");
}

TEST_F(Fetch, NobodyListeningIsAnErrorAfterAFewAttempts) {
  weights.url = "http://127.0.0.1:1/" + weights.file;
  const std::string said = message_of<std::runtime_error>([&] { fetch(weights, options); });
  EXPECT_NE(said.find("the last of 3 attempts"), std::string::npos) << said;
}

TEST_F(Fetch, FullDiskKeepsWhatIsThere) {
  // A limit on the size of files, in a process of its own, is as good as a full disk.
  const Server server([&](const Request& request) { return whole(request); });
  weights.url = server.url;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {30000, 30000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string said = message_of<std::invalid_argument>([&] { fetch(weights, options); });
    _exit(said == "cannot write " + part.string() +
                      ": File too large; make room and run again, which continues after the "
                      "30000 bytes that are there"
              ? 0
              : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child's message was another one";
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(contents(part) == body.substr(0, 30000));
}

TEST_F(Fetch, KilledRunIsContinued) {
  const Server server([&](const Request& request) {
    Answer answer = request.from == 0 ? cut(whole(request), 70000) : whole(request);
    answer.silence = request.from == 0;
    return answer;
  });
  weights.url = server.url;
  const pid_t child = fork();
  if (child == 0) {
    options.progress = [](int64_t done, int64_t) {
      if (done == 30000) kill(getpid(), SIGKILL);
    };
    fetch(weights, options);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(fetch(weights, options).received, 70000);
  expect_whole();
}

TEST_F(Fetch, ProgressMayStopTheDownload) {
  const Server server([&](const Request& request) { return whole(request); });
  options.progress = [](int64_t done, int64_t) {
    if (done > 0) throw std::domain_error("enough");
  };
  EXPECT_EQ(message_of<std::domain_error>([&] { fetch_from(server); }), "enough");
  EXPECT_GT(fs::file_size(part), 0u);
  options.progress = nullptr;
  fetch_from(server);
  expect_whole();
}

TEST_F(Fetch, SecondRunWaitsForTheFirst) {
  const Server server([&](const Request& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return whole(request);
  });
  weights.url = server.url;
  auto first = std::async(std::launch::async, [&] { return fetch(weights, options); });
  auto second = std::async(std::launch::async, [&] { return fetch(weights, options); });
  EXPECT_EQ(first.get().received + second.get().received, 100000);
  EXPECT_EQ(server.requests().size(), 1u);
  expect_whole();
}

TEST_F(Fetch, UnwritableFolderSaysWhichAndWhy) {
  put(folder.path / "file", "");
  options.folder = folder.path / "file" / "cache";
  EXPECT_EQ(message_of<std::invalid_argument>([&] { fetch(weights, options); }),
            "cannot create the folder " + options.folder.string() + ": Not a directory");
}

TEST_F(Fetch, PlanSaysWhatWouldHappen) {
  weights.url = "https://example.org/tiny.pth";
  EXPECT_EQ(to_string(plan_fetch(weights, options)),
            "would download https://example.org/tiny.pth (size unknown) to " + path.string());
  put_part("12345");
  EXPECT_EQ(to_string(plan_fetch(weights, options)),
            "would download https://example.org/tiny.pth (size unknown) to " + path.string() +
                "; 5 bytes are there already");
  put(path, body);
  EXPECT_EQ(to_string(plan_fetch(weights, options)),
            path.string() + " is there already, nothing to download");
}

TEST_F(Fetch, CacheIsWhereTheUserKeepsCaches) {
  const KeptVariable home("HOME");
  const KeptVariable cache("XDG_CACHE_HOME");
  setenv("XDG_CACHE_HOME", "/some/cache", 1);
  EXPECT_EQ(cache_folder("weights"), "/some/cache/convscope/weights");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(cache_folder("weights"), "/home/someone/.cache/convscope/weights");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(message_of<std::invalid_argument>([] { cache_folder("weights"); }),
            "no folder for the cache: expected an absolute path in XDG_CACHE_HOME or HOME, found "
            "neither; set one of them");
}

}  // namespace
}  // namespace convscope
