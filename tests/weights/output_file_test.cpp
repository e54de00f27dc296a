#include "suite/weights/output_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct OutputFileTest : testing::Test {
  TemporaryFolder folder;
  fs::path path = folder.path / "written";

  static void write(const fs::path& to, const std::string& bytes) {
    OutputFile file(to);
    file.write(bytes);
    file.commit();
  }
  static std::string error_of(const fs::path& to) {
    return message_of<std::invalid_argument>([&] { write(to, "new"); });
  }
  int64_t files() const {
    return std::distance(fs::directory_iterator(folder.path), fs::directory_iterator());
  }
};

TEST_F(OutputFileTest, ALinkIsFollowedAndStaysALink) {
  const fs::path real = folder.path / "real";
  put(real, "old");
  fs::create_symlink("real", path);
  write(path, "new");
  EXPECT_TRUE(fs::is_symlink(path));
  EXPECT_FALSE(fs::is_symlink(real));
  EXPECT_EQ(contents(real), "new");
  EXPECT_EQ(files(), 2);
}

TEST_F(OutputFileTest, AnUnfinishedFileLiesWhereTheLinkLeads) {
  // A rename does not cross from one disk to another.
  fs::create_directory(folder.path / "elsewhere");
  put(folder.path / "elsewhere" / "real", "old");
  fs::create_symlink("elsewhere/real", path);
  const OutputFile file(path);
  EXPECT_EQ(files(), 2);
}

TEST_F(OutputFileTest, ALinkThatLeadsNowhereIsRefused) {
  fs::create_symlink("none", path);
  EXPECT_EQ(error_of(path), path.string() + ": cannot be written: it is a link that leads nowhere");
  fs::create_symlink("circle", folder.path / "circle");
  EXPECT_NE(error_of(folder.path / "circle"), "");
  EXPECT_TRUE(fs::is_symlink(path));
  EXPECT_EQ(files(), 2);
}

TEST_F(OutputFileTest, APipeIsRefusedAndStaysOneAlsoBehindALink) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error_of(path), path.string() + ": cannot be written: it is not a regular file");
  const fs::path link = folder.path / "link";
  fs::create_symlink("written", link);
  EXPECT_EQ(error_of(link), link.string() + ": cannot be written: it is not a regular file");
  EXPECT_TRUE(fs::is_fifo(path));
  EXPECT_EQ(files(), 2);
}

TEST_F(OutputFileTest, AFolderIsRefused) {
  EXPECT_EQ(error_of(folder.path), folder.path.string() + ": cannot be written: it is a folder");
  EXPECT_EQ(files(), 0);
}

TEST_F(OutputFileTest, TwoWritersOfOnePathDoNotTouchEachOthersUnfinishedFile) {
  OutputFile first(path);
  first.write("first");
  {
    OutputFile second(path);
    second.write("2nd");
    EXPECT_EQ(files(), 2);
    second.commit();
    EXPECT_EQ(contents(path), "2nd");
  }
  first.write(" one");
  first.commit();
  EXPECT_EQ(contents(path), "first one");
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, AnUnfinishedFileOfAKilledProcessIsLeftAlone) {
  const fs::path left = path.string() + "." + std::to_string(getpid()) + "-0.unfinished";
  put(left, "left");
  write(path, "new");
  EXPECT_EQ(contents(path), "new");
  EXPECT_EQ(contents(left), "left");
}

TEST_F(OutputFileTest, NothingIsLeftWithoutCommitOrWhereItFails) {
  { OutputFile(path).write("new"); }
  EXPECT_EQ(files(), 0);
  OutputFile file(path);
  file.write("new");
  fs::create_directory(path);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { file.commit(); }),
            path.string() + ": cannot be written: Is a directory");
  EXPECT_EQ(files(), 1);
  EXPECT_TRUE(fs::is_directory(path));
}

}  // namespace
}  // namespace convscope
