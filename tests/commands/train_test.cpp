// convscope train from the outside: its records, what it refuses, and that a run which is killed at
// any moment ends as if nothing had happened.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "suite/report/csv_file.h"
#include "tests/commands/convscope_with.h"
#include "tests/commands/started.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

const std::string few_images = "procedural:classes=4,train=128,val=32,test=48";

std::vector<std::string> words(const std::filesystem::path& results,
                               std::vector<std::string> more = {}) {
  std::vector<std::string> all = {"train",   "lenet5",    "--data",    few_images,      "--epochs",
                                  "6",       "--threads", "1",         "--workers",     "0",
                                  "--batch", "16",        "--results", results.string()};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(TrainCommand, RecordsHaveTheContractsColumnsAndARowForEachEpoch) {
  const TemporaryFolder folder;
  const Result result =
      convscope_with(words(folder.path / "r", {"--seeds", "1,2", "--format", "csv"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile epochs = read_csv(folder.path / "r" / "epochs.csv");
  const std::vector<std::string> contract = {
      "run",          "model",       "dataset",  "protocol",   "seed",     "epoch",
      "train_loss",   "train_top1",  "val_loss", "val_top1",   "val_top5", "lr",
      "images_per_s", "data_wait_s", "seconds",  "peak_bytes", "status"};
  EXPECT_EQ(epochs.columns, contract);
  EXPECT_EQ(epochs.rows.size(), 12u);
  EXPECT_EQ(integers(epochs, "epoch"), (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  const CsvFile runs = read_csv(folder.path / "r" / "runs.csv");
  EXPECT_EQ(contents(folder.path / "r" / "runs.csv"), result.out);
  EXPECT_EQ(texts(runs, "split"), (std::vector<std::string>{"test", "test"}));
  EXPECT_EQ(integers(runs, "images"), (std::vector<int64_t>{48, 48}));
  for (const char* file :
       {"lenet5-scratch-1.safetensors", "lenet5-scratch-2.pth", "manifest.json"}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path / "r" / file)) << file;
  }
  // What was trained is what evaluate finds in the file.
  const Result again = convscope_with({"evaluate", "lenet5", "--weights",
                                       (folder.path / "r" / "lenet5-scratch-1.pth").string(),
                                       "--data", few_images, "--format", "csv"});
  ASSERT_EQ(again.code, 0) << again.err;
  put(folder.path / "again.csv", again.out);
  EXPECT_EQ(numbers(read_csv(folder.path / "again.csv"), "top1")[0], numbers(runs, "top1")[0]);
}

TEST(TrainCommand, WrongWordsAreOneLineAndCode2) {
  const auto refused = [](std::vector<std::string> more, const std::string& why) {
    std::vector<std::string> all = {"train", "lenet5"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = convscope_with(all);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_TRUE(contains(result.err, why)) << result.err;
    EXPECT_EQ(result.out, "");
  };
  refused({}, "name the images with --data");
  refused({"--data", few_images, "--protocol", "finetuning"}, "did you mean 'finetune'?");
  refused({"--data", few_images, "--protocol", "probe"}, "no weights are published for lenet5");
  refused({"--data", few_images, "--lr", "fast"}, "--lr 'fast' is no number");
  refused({"--data", few_images, "--schedule", "cosinus"}, "did you mean 'cosine'?");
  refused({"--data", few_images, "--nesterov", "--momentum", "0"}, "--nesterov is of sgd");
  refused({"--data", few_images, "--split", "val"}, "--split does nothing here");
  refused({"--data", few_images, "--resume"}, "--resume needs --results");
  refused({"--data", few_images, "--controls"}, "--controls are what a transfer is compared with");
}

TEST(TrainCommand, ALossThatIsNoNumberFailsTheRunAndKeepsTheOthers) {
  const TemporaryFolder folder;
  const Result result =
      convscope_with(words(folder.path / "r", {"--lr", "100", "--format", "csv"}));
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_TRUE(contains(result.err, "the loss is no number any more: epoch ")) << result.err;
  const CsvFile runs = read_csv(folder.path / "r" / "runs.csv");
  EXPECT_EQ(texts(runs, "status"), std::vector<std::string>{"failed"});
}

// CONVSCOPE_KILLS=50 makes a longer run of it.
TEST(TrainCommand, AKilledRunEndsWithTheSameBits) {
  const TemporaryFolder folder;
  const auto whole = folder.path / "whole", killed = folder.path / "killed";
  ASSERT_EQ(convscope_with(words(whole)).code, 0);
  EXPECT_TRUE(contains(convscope_with(words(whole)).err, "--resume goes on with it"));
  const char* asked = std::getenv("CONVSCOPE_KILLS");
  const int kills = asked ? std::atoi(asked) : 5;
  std::mt19937 random(1);
  for (int i = 0; i < kills; ++i) {
    if (i % 5 == 0) std::filesystem::remove_all(killed);
    const pid_t child = started(words(killed, {"--resume"}), "/dev/null");
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random() % 700));
    kill(child, i % 3 == 2 ? SIGTERM : SIGKILL);
    waitpid(child, nullptr, 0);
    if (i % 5 != 4 && i + 1 != kills) continue;
    const Result result = convscope_with(words(killed, {"--resume"}));
    ASSERT_EQ(result.code, 0) << result.err;
    for (const char* file : {"lenet5-scratch-1.safetensors", "lenet5-scratch-1.pth"}) {
      EXPECT_EQ(contents(whole / file), contents(killed / file)) << i;
    }
    const CsvFile epochs = read_csv(killed / "epochs.csv");
    EXPECT_EQ(integers(epochs, "epoch"), (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(numbers(epochs, "train_loss"), numbers(read_csv(whole / "epochs.csv"), "train_loss"));
    EXPECT_EQ(read_csv(killed / "runs.csv").rows.size(), 1u);
  }
}

}  // namespace
}  // namespace convscope
