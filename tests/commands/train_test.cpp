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
  refused({"--data", few_images, "--classes", "5"}, "the images have 4: leave it out");
  refused({"--data", few_images, "--stage-decay", "0.6", "--lowest-lr", "0.1"}, "give one");
  refused({"--data", few_images, "--keep", "first"}, "--keep 'first' is none of: last, best");
  refused({"--data", few_images, "--precision", "bfloat"}, "did you mean 'bfloat16'?");
  refused({"--data", few_images, "--mixup", "-1"}, "--mixup '-1' is no number from 0 to 100");
  refused({"--data", few_images, "--only-classes", "0"}, "there is one class only");
  refused({"--data", few_images, "--only-classes", "0,7"}, "the data have no class '7'");
  refused({"--data", few_images, "--only-classes", "0,1,0-2"},
          "--only-classes names a class twice");
  refused({"--data", few_images, "--per-class", "0"}, "--per-class '0' is no whole number");
  refused({"--data", few_images, "--seed", "x"}, "--seed 'x' is no whole number");
  refused({"--data", few_images, "--feature-cache", "much"}, "--feature-cache 'much' is no size");
  refused({"--data", few_images, "--name", "a/b"}, "--name 'a/b' names a folder");
  refused({"--data", "procedural:classes=4,train=1"}, "too few images");
  refused({"--data", few_images, "--seeds", "1,2,1"}, "lenet5-scratch-1 would run twice");
  refused({"--data", few_images, "--find-lr", "--lr", "0"}, "a learning rate of 0 cannot grow");
}

TEST(TrainCommand, SomeClassesAndFewImagesOfEach) {
  const TemporaryFolder folder;
  const Result result =
      convscope_with(words(folder.path / "r", {"--only-classes", "3,1", "--per-class", "8"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(contains(result.err, "images: 16 to train on")) << result.err;
  const CsvFile predictions = read_csv(folder.path / "r" / "predictions.csv");
  EXPECT_EQ(predictions.rows.size(), 24u);  // of two of four classes
  const CsvFile confusion = read_csv(folder.path / "r" / "confusion.csv");
  int64_t images = 0;
  for (const int64_t count : integers(confusion, "images")) images += count;
  EXPECT_EQ(images, 24);
  int64_t right = 0;
  for (const int64_t one : integers(predictions, "right")) right += one;
  const double top1 = numbers(read_csv(folder.path / "r" / "runs.csv"), "top1")[0];
  EXPECT_NEAR(top1, 100.0 * static_cast<double>(right) / 24, 1e-4);
}

TEST(TrainCommand, GrowingRatesSuggestOne) {
  const TemporaryFolder folder;
  const Result result =
      convscope_with({"train", "lenet5", "--data", few_images, "--find-lr", "-t", "1", "-b", "16",
                      "--results", folder.path.string(), "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(contents(folder.path / "lr_suggestions.csv"), result.out);
  EXPECT_EQ(texts(read_csv(folder.path / "lr_suggestions.csv"), "rule"),
            (std::vector<std::string>{"valley", "slide", "minimum/10", "steep"}));
  EXPECT_GT(read_csv(folder.path / "lr_range.csv").rows.size(), 50u);
  EXPECT_FALSE(std::filesystem::exists(folder.path / "runs.csv"));
}

TEST(TrainCommand, WeightsOfAnEarlierRunAreFoundInTheResults) {
  const TemporaryFolder folder;
  const auto results = folder.path / "r";
  ASSERT_EQ(convscope_with(words(results, {"--name", "base"})).code, 0);
  const Result result =
      convscope_with(words(results, {"--weights", "base-scratch-1.safetensors", "--protocol",
                                     "probe", "--resume", "--feature-cache", "none"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(contains(result.err, "frozen: conv1, conv2, fc1, fc2")) << result.err;
}

TEST(TransferCommand, SharesTheBasesGoesOnAndReports) {
  const TemporaryFolder folder;
  const auto transfer = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {"transfer", "lenet5", "--data",    few_images,
                                    "--splits", "1,2",    "--cuts",    "1,4",
                                    "--epochs", "1",      "--threads", "1",
                                    "--format", "csv",    "--results", folder.path.string()};
    all.insert(all.end(), more.begin(), more.end());
    return convscope_with(all);
  };
  const Result result = transfer({});
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile runs = read_csv(folder.path / "runs.csv");
  EXPECT_EQ(runs.rows.size(), 2u * (2 + 2 * 5));
  const auto names = texts(runs, "run");
  EXPECT_EQ(names[0], "lenet5-s1-baseA-1");
  EXPECT_EQ(names[6], "lenet5-s1-R1B-1");
  const CsvFile transfers = read_csv(folder.path / "transfer.csv");
  EXPECT_EQ(transfers.rows.size(), 20u);
  for (const double base : numbers(transfers, "base_top1")) EXPECT_GE(base, 0);
  EXPECT_EQ(read_csv(folder.path / "transfer_findings.csv").rows.size(), 6u);
  // What is only measured leaves its rows, what is shared its weights.
  EXPECT_TRUE(std::filesystem::exists(folder.path / "lenet5-s1-baseA-1.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder.path / "lenet5-s1-A1B-1.safetensors"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path / "checkpoints"));

  EXPECT_EQ(transfer({}).code, 2);
  const Result again = transfer({"--resume"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, result.out);
  EXPECT_EQ(read_csv(folder.path / "runs.csv").rows.size(), 24u);
  EXPECT_EQ(read_csv(folder.path / "transfer.csv").rows.size(), 20u);
}

TEST(TransferCommand, HalvesMayDifferInSize) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& name) {
    return convscope_with({"transfer", "lenet5", "--data",
                           "procedural:classes=5,train=100,val=25,test=25", "--half-a", "0,1",
                           "--cuts", "4", "--epochs", "1", "--threads", "1", "--results",
                           (folder.path / name).string()});
  };
  const Result result = run("a");
  EXPECT_EQ(result.code, 0) << result.err;
  // A head that nothing initialises would have other values each time.
  EXPECT_EQ(run("b").code, 0);
  EXPECT_EQ(numbers(read_csv(folder.path / "a" / "runs.csv"), "loss"),
            numbers(read_csv(folder.path / "b" / "runs.csv"), "loss"));
}

TEST(TransferCommand, WrongWordsAreOneLineAndCode2) {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> more, const std::string& why) {
    std::vector<std::string> all = {"transfer", "lenet5", "--data", few_images};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = convscope_with(all);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_TRUE(contains(result.err, why)) << result.err;
  };
  const std::string results = folder.path.string();
  refused({}, "transfer needs --results");
  refused({"--results", results, "--weights", "w.pth"}, "--weights does nothing here");
  refused({"--results", results, "--cuts", "5"}, "so the last cut is 4");
  refused({"--results", results, "--half-a", "0-2"}, "each half needs two classes");
  refused({"--results", results, "--half-a", "0,1", "--splits", "2"}, "--seeds repeats it");
}

TEST(TrainCommand, AFinishedRunWithOtherSettingsIsNotTakenForThisOne) {
  const TemporaryFolder folder;
  const auto results = folder.path / "r";
  ASSERT_EQ(convscope_with(words(results)).code, 0);
  EXPECT_EQ(convscope_with(words(results, {"--resume"})).code, 0);
  const Result other = convscope_with(words(results, {"--resume", "--lr", "0.010000001"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(contains(other.err, "was finished with other settings or images")) << other.err;
}

TEST(TrainCommand, ABrokenImageFailsItsRunAndIsNamed) {
  const TemporaryFolder folder;
  for (const char* name : {"train/a", "train/b", "val/a", "val/b"}) {
    std::filesystem::create_directories(folder.path / name);
    for (int i = 0; i < 3; ++i) {
      put(folder.path / name / (std::to_string(i) + ".png"), "no picture");
    }
  }
  const Result result = convscope_with({"train", "lenet5", "--data", folder.path.string(),
                                        "--threads", "1", "--seeds", "1,2", "--format", "csv"});
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_TRUE(contains(result.err, ".png")) << result.err;
  EXPECT_TRUE(contains(result.out, "lenet5-scratch-2")) << result.out;
}

TEST(TrainCommand, ALossThatIsNoNumberFailsTheRunAndKeepsTheOthers) {
  const TemporaryFolder folder;
  const Result result =
      convscope_with(words(folder.path / "r", {"--lr", "100", "--format", "csv"}));
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_TRUE(contains(result.err, "the loss is no number any more: epoch ")) << result.err;
  const CsvFile runs = read_csv(folder.path / "r" / "runs.csv");
  EXPECT_EQ(texts(runs, "status"), std::vector<std::string>{"failed"});
  const Result again = convscope_with(words(folder.path / "r", {"--lr", "100", "--resume"}));
  EXPECT_EQ(again.code, 1) << again.err;
  EXPECT_EQ(read_csv(folder.path / "r" / "runs.csv").rows.size(), 1u);
}

// CONVSCOPE_KILLS=50 makes a longer run of it.
TEST(TrainCommand, AKilledRunEndsWithTheSameBits) {
  const TemporaryFolder folder;
  const auto whole = folder.path / "whole", killed = folder.path / "killed";
  const std::vector<std::string> go_on = {"--resume", "--save-every", "0"};
  ASSERT_EQ(convscope_with(words(whole)).code, 0);
  EXPECT_TRUE(contains(convscope_with(words(whole)).err, "--resume goes on with it"));
  const char* asked = std::getenv("CONVSCOPE_KILLS");
  const int kills = asked ? std::atoi(asked) : 5;
  std::mt19937 random(1);
  for (int i = 0; i < kills; ++i) {
    if (i % 5 == 0) std::filesystem::remove_all(killed);
    const pid_t child = started(words(killed, go_on), "/dev/null");
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random() % 700));
    kill(child, i % 3 == 2 ? SIGTERM : SIGKILL);
    waitpid(child, nullptr, 0);
    if (i % 5 != 4 && i + 1 != kills) continue;
    const Result result = convscope_with(words(killed, go_on));
    ASSERT_EQ(result.code, 0) << result.err;
    for (const char* file : {"lenet5-scratch-1.safetensors", "lenet5-scratch-1.pth"}) {
      EXPECT_EQ(contents(whole / file), contents(killed / file)) << i;
    }
    const CsvFile epochs = read_csv(killed / "epochs.csv");
    EXPECT_EQ(integers(epochs, "epoch"), (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(numbers(epochs, "train_loss"), numbers(read_csv(whole / "epochs.csv"), "train_loss"));
    EXPECT_EQ(read_csv(killed / "runs.csv").rows.size(), 1u);
    EXPECT_EQ(contents(killed / "predictions.csv"), contents(whole / "predictions.csv"));
    EXPECT_EQ(contents(killed / "confusion.csv"), contents(whole / "confusion.csv"));
  }
}

}  // namespace
}  // namespace convscope
