#include "suite/report/csv_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

// Reads in this thread: its reader thread pays only for files much larger than ours.
#define CSV_IO_NO_THREAD
// g++ 12 warns of its strncpy, which ends its texts by hand, even in a system header.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#endif
#include <libfccp/csv.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& path, int error) {
  throw std::runtime_error(
      fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

// Closes a descriptor unless it is released.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// The bytes [begin, end) of a file.
std::string read_range(int fd, int64_t begin, int64_t end, const fs::path& path) {
  std::string bytes(static_cast<size_t>(end - begin), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n =
        ::pread(fd, &bytes[done], bytes.size() - done, begin + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    if (n == 0)
      throw std::runtime_error(fmt::format("cannot read {}: it became shorter", path.string()));
    done += static_cast<size_t>(n);
  }
  return bytes;
}

int64_t file_size(int fd, const fs::path& path) {
  struct stat status;
  if (::fstat(fd, &status) != 0) fail("read", path, errno);
  return status.st_size;
}

constexpr int64_t chunk = 1 << 16;

// The position after the last line feed before `end`; 0 if there is none.
int64_t start_of_last_line(int fd, int64_t end, const fs::path& path) {
  while (end > 0) {
    const int64_t begin = std::max<int64_t>(0, end - chunk);
    const size_t found = read_range(fd, begin, end, path).rfind('\n');
    if (found != std::string::npos) return begin + static_cast<int64_t>(found) + 1;
    end = begin;
  }
  return 0;
}

// A line without the line feed, or carriage return and line feed, that ends it.
std::string without_end(std::string line) {
  if (!line.empty() && line.back() == '\n') line.pop_back();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

// The first line without its end, and without a byte order mark.
std::string first_line(int fd, int64_t size, const fs::path& path) {
  std::string line;
  for (int64_t begin = 0; begin < size; begin += chunk) {
    line += read_range(fd, begin, std::min(size, begin + chunk), path);
    if (const size_t end = line.find('\n'); end != std::string::npos) {
      line.resize(end);
      break;
    }
  }
  if (line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);
  return without_end(line);
}

// Splits a line by RFC 4180; false if a quote does not end or is followed by anything but a comma.
// The strings of the line before are used again, since to allocate them takes most of the time.
bool split(std::string_view line, std::vector<std::string>& fields) {
  size_t count = 0;
  for (size_t i = 0;;) {
    if (count == fields.size()) fields.emplace_back();
    std::string& field = fields[count++];
    field.clear();
    if (i < line.size() && line[i] == '"') {
      for (++i;; ++i) {
        if (i >= line.size()) return false;
        if (line[i] == '"' && (i + 1 >= line.size() || line[i + 1] != '"')) break;
        if (line[i] == '"') ++i;
        field += line[i];
      }
      if (++i < line.size() && line[i] != ',') return false;
    } else {
      const size_t end = std::min(line.find(',', i), line.size());
      field.assign(line, i, end - i);
      i = end;
    }
    if (i >= line.size()) break;
    ++i;
  }
  fields.resize(count);
  return true;
}

// A text of a file in a message of one line: its beginning, since the file may be anybody's.
std::string excerpt(std::string_view text) {
  constexpr size_t longest = 60;
  return printable(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

bool starts_with(const std::vector<std::string>& longer, const std::vector<std::string>& shorter) {
  return longer.size() >= shorter.size() &&
         std::equal(shorter.begin(), shorter.end(), longer.begin());
}

std::string names_from(const std::vector<std::string>& columns, size_t first) {
  constexpr size_t most = 40;
  std::string names;
  for (size_t i = first; i < columns.size() && i < first + most; ++i)
    names += (i == first ? "" : ", ") + excerpt(columns[i]);
  if (columns.size() > first + most)
    names += fmt::format(" and {} more", columns.size() - first - most);
  return names;
}

void check_header(const fs::path& path, const std::string& line,
                  const std::vector<std::string>& wanted) {
  std::vector<std::string> found;
  if (!split(line, found))
    throw std::runtime_error(
        fmt::format("cannot append to {}: its header is not CSV", path.string()));
  if (found == wanted) return;
  const std::string fix = "move it away or choose another folder, and the run starts a new file";
  if (starts_with(wanted, found))
    throw std::runtime_error(fmt::format(
        "cannot append to {}: an older version wrote it, without the columns at the end ({}); {}",
        path.string(), names_from(wanted, found.size()), fix));
  if (starts_with(found, wanted))
    throw std::runtime_error(fmt::format(
        "cannot append to {}: a newer version wrote it, with more columns at the end ({}); {}",
        path.string(), names_from(found, wanted.size()), fix));
  size_t first = 0;
  while (found[first] == wanted[first]) ++first;
  throw std::runtime_error(
      fmt::format("cannot append to {}: its column {} is '{}' where '{}' is expected; {}",
                  path.string(), first + 1, excerpt(found[first]), wanted[first], fix));
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// The part of a file before a torn last line, for LineReader: its version in Debian 12 looks one
// byte beyond the data when the last line has no line feed.
class WholeLines : public io::ByteSourceBase {
 public:
  WholeLines(File file, int64_t size, fs::path path)
      : file_(std::move(file)), left_(size), path_(std::move(path)) {}

  int read(char* buffer, int size) override {
    const auto wanted = static_cast<size_t>(std::min<int64_t>(size, left_));
    if (std::fread(buffer, 1, wanted, file_.get()) != wanted) {
      if (std::ferror(file_.get())) fail("read", path_, EIO);
      throw std::runtime_error(fmt::format("cannot read {}: it became shorter", path_.string()));
    }
    left_ -= static_cast<int64_t>(wanted);
    // LineReader would end a line at a zero byte, and what follows it would be lost.
    const std::string_view bytes(buffer, wanted);
    const std::string_view text = bytes.substr(0, bytes.find('\0'));
    line_ += std::count(text.begin(), text.end(), '\n');
    if (text.size() < bytes.size())
      throw std::runtime_error(
          fmt::format("{} line {}: expected CSV in UTF-8, found a zero byte, as binary files and "
                      "UTF-16 have it",
                      path_.string(), line_));
    return static_cast<int>(wanted);
  }

 private:
  File file_;
  int64_t left_;
  fs::path path_;
  int64_t line_ = 1;
};

void check_names(const fs::path& path, const std::vector<std::string>& columns) {
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < columns.size(); ++i)
    if (const auto [before, is_new] = places.emplace(columns[i], i); !is_new)
      throw std::runtime_error(fmt::format("cannot read {}: columns {} and {} are both called '{}'",
                                           path.string(), before->second + 1, i + 1,
                                           excerpt(columns[i])));
}

template <class Number>
bool parse(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

[[noreturn]] void fail_field(const CsvFile& file, const CsvRow& row, const std::string& column,
                             const char* expected, const std::string& found) {
  throw std::runtime_error(fmt::format("{} line {}, column '{}': expected {}, found '{}'",
                                       file.path.string(), row.line, column, expected,
                                       excerpt(found)));
}

}  // namespace

CsvWriter::CsvWriter(const fs::path& path, std::vector<std::string> columns, Existing existing)
    : path_(path), columns_(std::move(columns)) {
  for (size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].empty() || columns_[i].find_first_of("\r\n") != std::string::npos ||
        std::count(columns_.begin(), columns_.end(), columns_[i]) > 1)
      throw std::invalid_argument(
          fmt::format("column {} of {} is '{}': names must be there, on one line, and differ",
                      i + 1, path_.string(), printable(columns_[i])));
  std::error_code error;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), error);
  if (error) fail("create the folder", path_.parent_path(), error.value());
  const int mode = existing == Existing::replace ? O_TRUNC : 0;
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | mode, 0666);
  if (file_ < 0) fail("write", path_, errno);
  Descriptor guard{file_};  // the destructor does not run if what follows throws
  continue_file();
  guard.fd = -1;
}

CsvWriter::~CsvWriter() { ::close(file_); }

// Brings the file to the state of a header and whole rows.
void CsvWriter::continue_file() {
  const int64_t size = file_size(file_, path_);
  const std::string header = csv_line(columns_);
  const std::string found = first_line(file_, size, path_);
  // A run that died in its very first write left a part of the header, or nothing. Any other file
  // is ours to cut only if the header says so.
  int64_t keep = start_of_last_line(file_, size, path_);
  if (keep > 0 || header.compare(0, found.size(), found) != 0) check_header(path_, found, columns_);
  if (keep == size && size > 0) {
    const int64_t begin = start_of_last_line(file_, size - 1, path_);
    std::vector<std::string> fields;
    const bool whole = split(without_end(read_range(file_, begin, size, path_)), fields);
    if (begin > 0 && (!whole || fields.size() != columns_.size())) keep = begin;
  }
  dropped_bytes_ = size - keep;
  if (keep < size && ::ftruncate(file_, keep) != 0) fail("write", path_, errno);
  if (keep == 0) write_line(header);
}

void CsvWriter::write(const std::vector<Cell>& row) {
  if (row.size() != columns_.size())
    throw std::invalid_argument(fmt::format("a row of {} has {} cells for {} columns",
                                            path_.string(), row.size(), columns_.size()));
  std::string line = csv_line(row);
  if (line.find_first_of("\r\n") != std::string::npos)
    throw std::invalid_argument(
        fmt::format("a row of {} has a text with a line break, which its readers do not expect: {}",
                    path_.string(), printable(line)));
  write_line(std::move(line));
}

void CsvWriter::write_line(std::string line) {
  line += '\n';
  const int64_t before = file_size(file_, path_);
  for (size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(file_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      // If this fails as well, the next run finds and drops the torn row.
      if (done > 0 && ::ftruncate(file_, before) != 0) fail("repair", path_, error);
      fail("write", path_, error);
    }
    done += static_cast<size_t>(n);
  }
}

CsvReader::CsvReader(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) fail("read", path, EISDIR);
  File file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail("read", path, errno);

  file_.path = path;
  const int64_t size = file_size(::fileno(file.get()), path);
  const int64_t whole = start_of_last_line(::fileno(file.get()), size, path);
  file_.dropped_bytes = size - whole;
  if (whole == 0)
    throw std::runtime_error(
        fmt::format("cannot read {}: {}", path.string(),
                    size == 0 ? "it is empty" : "it has no header line that ends in a line feed"));
  lines_ = std::make_unique<io::LineReader>(
      path.c_str(), std::make_unique<WholeLines>(std::move(file), whole, path));
  CsvRow header;
  if (!next(header))
    throw std::runtime_error(fmt::format("cannot read {}: it has no header", path.string()));
  check_names(path, header.fields);
  file_.columns = std::move(header.fields);
}

CsvReader::~CsvReader() = default;

// fast-cpp-csv-parser fixes the number of columns when it is compiled, while this class reads any
// of our files: so its LineReader, which is its fast part, gives the lines, and they are split
// here.
bool CsvReader::next(CsvRow& row) {
  const char* text = nullptr;
  do {
    try {
      text = lines_->next_line();
    } catch (const io::error::line_length_limit_exceeded&) {
      throw std::runtime_error(fmt::format("{} line {}: expected a row of less than 16 MiB",
                                           file_.path.string(), lines_->get_file_line()));
    }
    if (text == nullptr) return false;
  } while (*text == '\0');
  row.line = lines_->get_file_line();
  const std::string_view line(text);
  if (!split(line, row.fields))
    throw std::runtime_error(
        fmt::format("{} line {}: a quoted field does not end as CSV wants, in '{}'",
                    file_.path.string(), row.line, excerpt(line)));
  if (!file_.columns.empty() && row.fields.size() != file_.columns.size())
    throw std::runtime_error(fmt::format("{} line {}: expected {} fields, found {}, in '{}'",
                                         file_.path.string(), row.line, file_.columns.size(),
                                         row.fields.size(), excerpt(line)));
  return true;
}

CsvFile read_csv(const fs::path& path) {
  CsvReader reader(path);
  CsvFile result = reader.file();
  for (CsvRow row; reader.next(row);) result.rows.push_back(row);
  return result;
}

size_t column_index(const CsvFile& file, const std::string& column) {
  const auto found = std::find(file.columns.begin(), file.columns.end(), column);
  if (found == file.columns.end())
    throw std::runtime_error(fmt::format("{} has no column '{}'; it has {}", file.path.string(),
                                         excerpt(column), names_from(file.columns, 0)));
  return static_cast<size_t>(found - file.columns.begin());
}

std::vector<std::string> texts(const CsvFile& file, const std::string& column) {
  const size_t index = column_index(file, column);
  std::vector<std::string> values;
  values.reserve(file.rows.size());
  for (const CsvRow& row : file.rows) values.push_back(row.fields[index]);
  return values;
}

std::vector<int64_t> integers(const CsvFile& file, const std::string& column) {
  const size_t index = column_index(file, column);
  std::vector<int64_t> values;
  values.reserve(file.rows.size());
  for (const CsvRow& row : file.rows)
    if (!parse(row.fields[index], values.emplace_back()))
      fail_field(file, row, column, "an integer", row.fields[index]);
  return values;
}

std::vector<double> numbers(const CsvFile& file, const std::string& column) {
  const size_t index = column_index(file, column);
  std::vector<double> values;
  values.reserve(file.rows.size());
  for (const CsvRow& row : file.rows) {
    double& value = values.emplace_back(std::numeric_limits<double>::quiet_NaN());
    if (!row.fields[index].empty() && !parse(row.fields[index], value))
      fail_field(file, row, column, "a number", row.fields[index]);
  }
  return values;
}

}  // namespace convscope
