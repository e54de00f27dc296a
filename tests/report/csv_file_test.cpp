#include "suite/report/csv_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

using testing::Test;

const std::vector<std::string> header = {"model", "params", "latency_ms", "reason"};

struct CsvFileTest : Test {
  TemporaryFolder folder;
  std::filesystem::path path = folder.path / "deep" / "er" / "cost.csv";

  void SetUp() override { std::filesystem::create_directories(path.parent_path()); }
};

const std::vector<Cell> resnet = {Cell("resnet50"), Cell(int64_t{25557032}), Cell(12.5), Cell()};
const std::vector<Cell> lenet = {Cell("lenet5"), Cell(int64_t{62006}), Cell(),
                                 Cell("said \"no\", twice")};
const std::string two_rows =
    "model,params,latency_ms,reason\n"
    "resnet50,25557032,12.5,\n"
    "lenet5,62006,,\"said \"\"no\"\", twice\"\n";

TEST_F(CsvFileTest, WritesHeaderAndRows) {
  std::filesystem::remove_all(folder.path / "deep");
  CsvWriter writer(path, header, Existing::replace);
  writer.write(resnet);
  writer.write(lenet);
  EXPECT_EQ(contents(path), two_rows) << "each row is there before the writer is closed";
}

TEST_F(CsvFileTest, ReadsBackWhatItWrote) {
  { CsvWriter(path, header, Existing::replace).write(lenet); }
  const CsvFile file = read_csv(path);
  EXPECT_EQ(file.columns, header);
  ASSERT_EQ(file.rows.size(), 1u);
  EXPECT_EQ(file.rows[0].line, 2);
  EXPECT_EQ(texts(file, "reason")[0], "said \"no\", twice");
  EXPECT_EQ(integers(file, "params")[0], 62006);
  EXPECT_TRUE(std::isnan(numbers(file, "latency_ms")[0]));
  EXPECT_EQ(file.dropped_bytes, 0);
}

TEST_F(CsvFileTest, AppendContinuesAFile) {
  { CsvWriter(path, header, Existing::append).write(resnet); }
  CsvWriter writer(path, header, Existing::append);
  writer.write(lenet);
  EXPECT_EQ(contents(path), two_rows);
  EXPECT_EQ(writer.dropped_bytes(), 0);
}

TEST_F(CsvFileTest, ReplaceStartsAgain) {
  put(path, "something else\n");
  CsvWriter writer(path, header, Existing::replace);
  EXPECT_EQ(contents(path), "model,params,latency_ms,reason\n");
}

TEST_F(CsvFileTest, TornLastLineIsDropped) {
  // Every place at which a killed run can have cut the last row.
  const size_t first_row_end = two_rows.find('\n', two_rows.find('\n') + 1) + 1;
  for (size_t size = first_row_end + 1; size < two_rows.size(); ++size) {
    put(path, two_rows.substr(0, size));
    CsvWriter writer(path, header, Existing::append);
    EXPECT_EQ(writer.dropped_bytes(), static_cast<int64_t>(size - first_row_end));
    writer.write(lenet);
    EXPECT_EQ(contents(path), two_rows);
  }
}

TEST_F(CsvFileTest, TornHeaderIsWrittenAgain) {
  for (const std::string start : {"", "mod", "model,params,latency_ms,reason"}) {
    put(path, start);
    CsvWriter writer(path, header, Existing::append);
    EXPECT_EQ(writer.dropped_bytes(), static_cast<int64_t>(start.size()));
    EXPECT_EQ(contents(path), "model,params,latency_ms,reason\n");
  }
}

TEST_F(CsvFileTest, LastLineWithAnotherNumberOfFieldsIsDropped) {
  put(path, two_rows + "vgg16,138\n");
  CsvWriter writer(path, header, Existing::append);
  EXPECT_EQ(writer.dropped_bytes(), 10);
  EXPECT_EQ(contents(path), two_rows);
}

TEST_F(CsvFileTest, TornLastLineIsDroppedFromALongFile) {
  // Longer than the piece in which the end of the file is searched.
  std::string rows = "model,params,latency_ms,reason\n";
  for (int i = 0; i < 10000; ++i) rows += "network" + std::to_string(i) + ",1,2,\n";
  put(path, rows + std::string(200000, 'x'));
  EXPECT_EQ(CsvWriter(path, header, Existing::append).dropped_bytes(), 200000);
  EXPECT_EQ(contents(path), rows);
}

TEST_F(CsvFileTest, AnotherHeaderIsNotAppendedTo) {
  const std::string other = "model,macs,latency_ms,reason\nlenet5,1,2,\n";
  put(path, other);
  EXPECT_EQ(message_of<std::runtime_error>([&] { CsvWriter(path, header, Existing::append); }),
            "cannot append to " + path.string() +
                ": its column 2 is 'macs' where 'params' is expected; move it away or choose "
                "another folder, and the run starts a new file");
  EXPECT_EQ(contents(path), other);
}

TEST_F(CsvFileTest, ColumnsAddedSinceAreNamed) {
  put(path, "model,params\nlenet5,62006\n");
  EXPECT_NE(message_of<std::runtime_error>([&] { CsvWriter(path, header, Existing::append); })
                .find("an older version wrote it, without the columns at the end (latency_ms, "
                      "reason); move it away"),
            std::string::npos);
  put(path, two_rows.substr(0, 30) + ",extra\n");
  EXPECT_NE(message_of<std::runtime_error>([&] {
              CsvWriter(path, header, Existing::append);
            }).find("a newer version wrote it, with more columns at the end (extra); move it"),
            std::string::npos);
}

TEST_F(CsvFileTest, FileThatIsNotOursIsLeftAlone) {
  put(path, "a text without a line feed");
  EXPECT_THROW(CsvWriter(path, header, Existing::append), std::runtime_error);
  EXPECT_EQ(contents(path), "a text without a line feed");
}

TEST_F(CsvFileTest, RowThatItsReadersDoNotExpectIsRefused) {
  CsvWriter writer(path, {"model", "reason"}, Existing::replace);
  EXPECT_THROW(writer.write({Cell("a"), Cell("two\nlines")}), std::invalid_argument);
  EXPECT_THROW(writer.write({Cell("a")}), std::invalid_argument);
  EXPECT_EQ(contents(path), "model,reason\n");
}

TEST_F(CsvFileTest, RepeatedColumnIsRefused) {
  EXPECT_THROW(CsvWriter(path, {"model", "model"}, Existing::replace), std::invalid_argument);
}

TEST_F(CsvFileTest, OneEmptyCellIsNotAnEmptyLine) {
  { CsvWriter(path, {"model"}, Existing::replace).write({Cell()}); }
  EXPECT_EQ(read_csv(path).rows.size(), 1u);
}

TEST_F(CsvFileTest, UnwritablePathSaysWhichAndWhy) {
  put(folder.path / "file", "");
  const std::filesystem::path below_a_file = folder.path / "file" / "cost.csv";
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { CsvWriter(below_a_file, header, Existing::replace); }),
      "cannot create the folder " + (folder.path / "file").string() + ": Not a directory");
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { CsvWriter(folder.path, header, Existing::replace); }),
      "cannot write " + folder.path.string() + ": Is a directory");
}

TEST_F(CsvFileTest, FullDiskSaysWhichAndWhy) {
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { CsvWriter("/dev/full", header, Existing::replace); }),
      "cannot write /dev/full: No space left on device");
}

TEST_F(CsvFileTest, RowThatTheDiskCutsOffIsTakenBack) {
  // A limit on the size of files, in a process of its own, is as good as a full disk.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    CsvWriter writer(path, header, Existing::replace);
    writer.write(resnet);
    const rlimit limit = {70, 70};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string said = message_of<std::runtime_error>([&] { writer.write(lenet); });
    _exit(said == "cannot write " + path.string() + ": File too large" ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child's message was another one";
  EXPECT_EQ(contents(path), two_rows.substr(0, two_rows.find("lenet5")));
}

TEST_F(CsvFileTest, FinishedRowsSurviveAKilledRun) {
  const pid_t child = fork();
  if (child == 0) {
    CsvWriter writer(path, header, Existing::replace);
    writer.write(resnet);
    writer.write(lenet);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(contents(path), two_rows);
}

TEST_F(CsvFileTest, ReaderLeavesATornLastLineOut) {
  put(path, two_rows + "vgg16,13");
  const CsvFile file = read_csv(path);
  EXPECT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.dropped_bytes, 8);
}

TEST_F(CsvFileTest, ReaderTakesFilesOfOtherPrograms) {
  put(path, "\xEF\xBB\xBFmodel,\"top,1\"\r\n\r\n\"a \"\"b\"\"\",1\r\n,\r\n");
  const CsvFile file = read_csv(path);
  EXPECT_EQ(file.columns, (std::vector<std::string>{"model", "top,1"}));
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].fields, (std::vector<std::string>{"a \"b\"", "1"}));
  EXPECT_EQ(file.rows[0].line, 3);
  EXPECT_EQ(file.rows[1].fields, (std::vector<std::string>{"", ""}));
}

TEST_F(CsvFileTest, ReaderNamesTheLineThatIsWrong) {
  const auto message = [&](const std::string& bytes) {
    put(path, bytes);
    return message_of<std::runtime_error>([&] { read_csv(path); });
  };
  const std::string name = path.string();
  EXPECT_EQ(message("a,b\n1,2\n1,2,3\n1,2\n"),
            name + " line 3: expected 2 fields, found 3, in '1,2,3'");
  EXPECT_EQ(message("a,b\n1,\"2\n1,2\n"),
            name + " line 2: a quoted field does not end as CSV wants, in '1,\"2'");
  EXPECT_EQ(message("a,b\n1,\"2\"3\n"),
            name + " line 2: a quoted field does not end as CSV wants, in '1,\"2\"3'");
  EXPECT_EQ(message("a,a\n1,2\n"), "cannot read " + name + ": columns 1 and 2 are both called 'a'");
  EXPECT_EQ(message(""), "cannot read " + name + ": it is empty");
  EXPECT_EQ(message("model,par"),
            "cannot read " + name + ": it has no header line that ends in a line feed");
}

TEST_F(CsvFileTest, ReaderGivesOneRowAtATime) {
  put(path, two_rows + "vgg16,13");
  CsvReader reader(path);
  EXPECT_EQ(reader.file().columns, header);
  EXPECT_EQ(reader.file().dropped_bytes, 8) << "known before the rows are read";
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.fields, (std::vector<std::string>{"resnet50", "25557032", "12.5", ""}));
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 3);
  EXPECT_EQ(row.fields, (std::vector<std::string>{"lenet5", "62006", "", "said \"no\", twice"}));
  EXPECT_FALSE(reader.next(row));
  EXPECT_FALSE(reader.next(row));
}

TEST_F(CsvFileTest, RowsBeforeTheOneThatIsWrongAreRead) {
  put(path, "a,b\n1,2\n3\n");
  CsvReader reader(path);
  CsvRow row;
  EXPECT_TRUE(reader.next(row));
  EXPECT_EQ(message_of<std::runtime_error>([&] { reader.next(row); }),
            path.string() + " line 3: expected 2 fields, found 1, in '3'");
}

TEST_F(CsvFileTest, HeaderAloneIsAFileWithoutRows) {
  put(path, "model,params\n");
  const CsvFile file = read_csv(path);
  EXPECT_EQ(file.columns.size(), 2u);
  EXPECT_EQ(numbers(file, "params").size(), 0u);
}

// What read_csv says of the file of these bytes, after the file's name.
struct ForeignFileTest : CsvFileTest {
  std::string message(const std::string& bytes) {
    put(path, bytes);
    const std::string said = message_of<std::runtime_error>([&] { read_csv(path); });
    const size_t name = said.find(path.string());
    return name == std::string::npos ? said : said.substr(name + path.string().size());
  }
};

TEST_F(ForeignFileTest, BinaryFilesAreNamedByTheirFirstZeroByte) {
  using namespace std::string_literals;
  const std::string found =
      ": expected CSV in UTF-8, found a zero byte, as binary files and UTF-16 have it";
  EXPECT_EQ(message("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n"s), " line 3" + found);
  EXPECT_EQ(message("\xFF\xFE"
                    "a\0,\0b\0\n\0"s),
            " line 1" + found);
  EXPECT_EQ(message("a,b\n1,2\0,3\n"s), " line 2" + found) << "the line does not end there";
}

TEST_F(ForeignFileTest, ZeroByteFarIntoTheFileIsFound) {
  using namespace std::string_literals;
  std::string rows = "a,b\n";
  while (rows.size() < 40'000'000) rows += "12345678,12345678\n";
  const auto lines = std::count(rows.begin(), rows.end(), '\n');
  rows += "1,\0\n"s;
  EXPECT_EQ(message(rows).substr(0, 30),
            (" line " + std::to_string(lines + 1) + ": expected CSV in UTF-8").substr(0, 30));
}

TEST_F(ForeignFileTest, JsonIsNoCsv) {
  EXPECT_EQ(message("{\"a\": 1}"), ": it has no header line that ends in a line feed");
  EXPECT_EQ(message("[\n {\"a\": 1, \"b\": 2},\n"),
            " line 2: expected 1 fields, found 3, in ' {\"a\": 1, \"b\": 2},'");
  EXPECT_EQ(message("\"a\": 1\n"),
            " line 1: a quoted field does not end as CSV wants, in '\"a\": 1'");
}

TEST_F(ForeignFileTest, BlankFileHasNoHeader) {
  EXPECT_EQ(message("\n\r\n\n"), ": it has no header");
  EXPECT_EQ(message("\xEF\xBB\xBF\n"), ": it has no header");
  EXPECT_EQ(message("\xEF\xBB\xBF"), ": it has no header line that ends in a line feed");
}

TEST_F(ForeignFileTest, LineFeedWithinQuotesIsRefused) {
  EXPECT_EQ(message("a,b\n1,\"two\nlines\"\n"),
            " line 2: a quoted field does not end as CSV wants, in '1,\"two'");
}

TEST_F(ForeignFileTest, LongLinesAreReadBelowTheLimitAndNamedBeyondIt) {
  const size_t just_below = (16 << 20) - 10;
  put(path, "a,b\n" + std::string(just_below, 'x') + ",2\n3,4\n");
  EXPECT_EQ(read_csv(path).rows[0].fields[0].size(), just_below);
  for (const size_t size : {17'000'000u, 50'000'000u}) {
    EXPECT_EQ(message("a,b\n1,2\n" + std::string(size, 'x') + ",2\n3,4\n"),
              " line 3: expected a row of less than 16 MiB");
  }
}

TEST_F(ForeignFileTest, MessageShowsTheBeginningOfALongText) {
  const std::string beginning(60, 'x');
  EXPECT_EQ(message("a,b\n" + beginning + "yz\n"),
            " line 2: expected 2 fields, found 1, in '" + beginning + "...'");
}

TEST_F(ForeignFileTest, TenThousandColumnsAreRead) {
  std::string names = "c0", fields = "0";
  for (int i = 1; i < 10000; ++i) {
    names += ",c" + std::to_string(i);
    fields += "," + std::to_string(i);
  }
  put(path, names + "\n" + fields + "\n");
  const CsvFile file = read_csv(path);
  EXPECT_EQ(numbers(file, "c9999")[0], 9999);
  const std::string said =
      message_of<std::runtime_error>([&] { column_index(file, std::string(100, 'x')); });
  EXPECT_NE(said.find("; it has c0, c1, "), std::string::npos);
  EXPECT_NE(said.find(", c39 and 9960 more"), std::string::npos) << said;
  EXPECT_LT(said.size(), path.string().size() + 400);
  EXPECT_EQ(message(names + ",c7\n"), ": columns 8 and 10001 are both called 'c7'");
}

TEST_F(CsvFileTest, ReaderSaysWhichFileIsMissing) {
  EXPECT_EQ(message_of<std::runtime_error>([&] { read_csv(path); }),
            "cannot read " + path.string() + ": No such file or directory");
  EXPECT_EQ(message_of<std::runtime_error>([&] { read_csv(folder.path); }),
            "cannot read " + folder.path.string() + ": Is a directory");
}

TEST_F(CsvFileTest, ColumnNamesTheLineAndTheTextThatIsWrong) {
  put(path, "model,macs\nlenet5,1e3\nvgg16,\nvgg19,12 \n");
  const CsvFile file = read_csv(path);
  const std::string name = path.string();
  EXPECT_EQ(message_of<std::runtime_error>([&] { integers(file, "macs"); }),
            name + " line 2, column 'macs': expected an integer, found '1e3'");
  EXPECT_EQ(message_of<std::runtime_error>([&] { numbers(file, "macs"); }),
            name + " line 4, column 'macs': expected a number, found '12 '");
  EXPECT_EQ(message_of<std::runtime_error>([&] { texts(file, "flops"); }),
            name + " has no column 'flops'; it has model, macs");
}

TEST_F(CsvFileTest, NumberIsTheWholeField) {
  const auto number = [&](const std::string& field) {
    put(path, "x,y\n" + field + ",\n");
    return numbers(read_csv(path), "x")[0];
  };
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(number("")));
  EXPECT_TRUE(std::isnan(number("nan")));
  EXPECT_EQ(number("inf"), infinity);
  EXPECT_EQ(number("-inf"), -infinity);
  EXPECT_EQ(number("-1.5e3"), -1500);
  for (const std::string field : {"12abc", " 12", "+1", "0x10", "1.5.2", "\"1,5\"", "1e999", "-"})
    EXPECT_THROW(number(field), std::runtime_error) << field;
}

TEST_F(CsvFileTest, FileThatASpreadsheetSavedIsContinued) {
  put(path, "\xEF\xBB\xBFmodel,params,latency_ms,reason\r\nvgg16,1,2,\r\n");
  { CsvWriter(path, header, Existing::append).write(lenet); }
  EXPECT_EQ(texts(read_csv(path), "model"), (std::vector<std::string>{"vgg16", "lenet5"}));
}

TEST_F(CsvFileTest, NumbersReadBackExactly) {
  const double values[] = {1.0 / 3, 5e-324, 1e300, -0.1};
  {
    CsvWriter writer(path, {"x", "n"}, Existing::replace);
    for (const double value : values) writer.write({Cell(value), Cell(INT64_MIN)});
  }
  const CsvFile file = read_csv(path);
  for (size_t i = 0; i < std::size(values); ++i) {
    EXPECT_EQ(numbers(file, "x")[i], values[i]);
    EXPECT_EQ(integers(file, "n")[i], INT64_MIN);
  }
}

}  // namespace
}  // namespace convscope
