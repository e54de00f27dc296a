// How results were made: the commands and the experiment file that make them again.
#include "suite/records/methods.h"

#include <gtest/gtest.h>

#include <sstream>

#include "suite/commands/experiment_file.h"
#include "suite/records/record_tables.h"
#include "suite/records/repeat.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Manifest::Run run(const std::string& name, const std::string& configuration) {
  Manifest::Run made;
  made.name = name;
  made.configuration = configuration;
  return made;
}

struct Methods : testing::Test {
  TemporaryFolder folder;
  std::ostringstream err;

  /// The commands of a record's rows.
  std::vector<std::string> commands(const std::string& file, const std::string& text,
                                    const Manifest& manifest = {}) {
    put(folder.path / file, text);
    Table table = record_table(read_csv(folder.path / file)).table;
    add_commands(file, manifest, table);
    std::vector<std::string> all;
    for (const auto& row : table.rows) all.push_back(raw_text(row.back()));
    return all;
  }

  std::string paragraphs(const Manifest& manifest) {
    std::string all;
    for (const std::string& one : methods({folder.path, err}, manifest)) all += one + "\n";
    return all;
  }
};

TEST_F(Methods, RepeatFileParsesAgainWithoutItsFolder) {
  Manifest manifest;
  manifest.question = "Which is \"quicker\"?\n[cost]";
  manifest.claim = "The second.";
  manifest.runs = {run("cost", "[cost]\nmodel = vgg*\nmodel = alexnet\nresults = results/old\n"),
                   run("bench", "[bench]\nresume = true\nbatch = 1,2\nresults-of = kept\n"),
                   run("plot", "[plot]\nfigure = all\n"), run("report", "[report]\nfigure = all\n"),
                   run("env", "")};
  const std::string file = repeat_file(manifest);
  const auto sections = parse_experiment(file, "repeat.ini");
  ASSERT_EQ(sections.size(), 3u) << file;
  EXPECT_EQ(sections[0].name, "cost");
  ASSERT_EQ(sections[0].settings.size(), 2u);
  EXPECT_EQ(sections[0].settings[1].value, "alexnet");
  EXPECT_EQ(sections[1].name, "bench");
  ASSERT_EQ(sections[1].settings.size(), 2u);
  EXPECT_EQ(sections[1].settings[0].value, "1,2");
  EXPECT_EQ(sections[1].settings[1].key, "results-of");
  EXPECT_EQ(sections[2].name, "report");
  EXPECT_TRUE(sections[2].settings.empty());
  const ExperimentHeader header = parse_header(file);
  EXPECT_EQ(header.question, "Which is \"quicker\"? [cost]");
  EXPECT_EQ(header.claim, "The second.");
}

TEST_F(Methods, NothingThatRanIsNoRepeatFile) {
  Manifest manifest;
  EXPECT_EQ(repeat_file(manifest), "");
  manifest.runs = {run("report", "[report]\n"), run("cost", "")};
  EXPECT_EQ(repeat_file(manifest), "");
}

TEST_F(Methods, CostCommandHasTheVariantsOptions) {
  const auto all = commands("cost.csv",
                            "model,variant,input\n"
                            "lenet5,\"ReLU, max pooling\",3x32x32\n"
                            "mobilenet_v2,\"torchvision, width 0.5, 10 classes\",3x96x96\n"
                            "mobilenet_v1,\"paper, width 1\",3x224x224\n"
                            "googlenet,\"torchvision, auxiliary heads if any, batch norm folded\","
                            "3x224x224\n");
  EXPECT_EQ(all, (std::vector<std::string>{
                     "convscope cost lenet5 -i 3x32x32",
                     "convscope cost mobilenet_v2 --width 0.5 --classes 10 -i 3x96x96",
                     "convscope cost mobilenet_v1 -i 3x224x224",
                     "convscope cost googlenet --auxiliary --fold-bn -i 3x224x224"}));
}

const std::string bench =
    "case,model,input,batch,threads,device,precision,layout,engine,mode,scenario\n";

TEST_F(Methods, BenchCommandHasTheWidthAndTheClassesOfItsCase) {
  const auto all = commands(
      "bench.csv",
      bench +
          "mobilenet_v2:width=0.5:classes=10/3x96x96/cpu/t2/b8/bfloat16/channels_last/eager/"
          "inference/throughput,mobilenet_v2,3x96x96,8,2,cpu,bfloat16,channels_last,eager,"
          "inference,throughput\n"
          "googlenet:auxiliary/3x99x99/cuda/t1/b1/float32/contiguous/frozen/train/latency,"
          "googlenet,3x99x99,1,1,cuda,float32,contiguous,frozen,train forward,latency\n"
          "not of parts,alexnet,3x63x63,1,1,cpu,float32,contiguous,eager,inference,\n");
  EXPECT_EQ(all, (std::vector<std::string>{
                     "convscope bench mobilenet_v2 --width 0.5 --classes 10 -i 3x96x96 -b 8 -t 2 "
                     "--precision bfloat16 --layout channels_last --scenario throughput",
                     "convscope bench googlenet --auxiliary -i 3x99x99 -b 1 -t 1 --device cuda "
                     "--engine frozen --mode train --scenario latency",
                     "convscope bench alexnet -i 3x63x63 -b 1 -t 1"}));
}

TEST_F(Methods, TrainCommandIsTheRunsOwnWithItsSeedAlone) {
  Manifest manifest;
  manifest.runs = {
      run("train lenet5 scratch",
          "[train]\nmodel = lenet5\nprotocol = scratch\ndata = my images\naugment = true\n"
          "seeds = 1,2\nresults = r\nresume = true\ncontrols = true\nformat = csv\n"),
      run("train lenet5 scratch",
          "[train]\nmodel = lenet5\nprotocol = scratch\nname = lenet5-long\nepochs = 9\n")};
  const auto all = commands("runs.csv",
                            "run,model,protocol,seed\nlenet5-scratch-2,lenet5,scratch,2\n"
                            "lenet5-long-scratch-1,lenet5,scratch,1\n"
                            "lenet5-probe-1,lenet5,probe,1\nother-scratch-1,other,scratch,1\n",
                            manifest);
  EXPECT_EQ(all, (std::vector<std::string>{
                     "convscope train --model lenet5 --protocol scratch --data 'my images' "
                     "--augment --seeds 2",
                     "convscope train --model lenet5 --protocol scratch --name lenet5-long "
                     "--epochs 9 --seeds 1",
                     "", ""}))
      << "what no command of the manifest makes has none";
}

TEST_F(Methods, ShellReadsNothingIntoAWord) {
  EXPECT_EQ(shell_word("3x224x224"), "3x224x224");
  EXPECT_EQ(shell_word("procedural:classes=10,train=4"), "procedural:classes=10,train=4");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("my images"), "'my images'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  for (const char* text :
       {"$(date)", "`date`", "a;b", "a&b", "a|b", "*", "~", "\"", "\\", "a\nb", "!x", "#x", "шум"})
    EXPECT_EQ(shell_word(text), "'" + std::string(text) + "'");
}

TEST_F(Methods, ValuesOfARecordAreWordsOfItsCommands) {
  Manifest manifest;
  manifest.runs = {run("train", "[train]\nmodel = $(a)\nprotocol = p\n--x;b = `c`\n")};
  const std::string evil = "$(date)";
  std::vector<std::string> all =
      commands("cost.csv", "model,variant,input\n$(date),\"p, width $(date)\",$(date)\n");
  EXPECT_EQ(all.at(0), "convscope cost '$(date)' --width '$(date)' -i '$(date)'");
  all = commands("bench.csv", bench +
                                  "a:x;y=$(date)/1/c/t1/b1/f/l/e/i/s,a,$(date),$(date),$(date),"
                                  "$(date),$(date),$(date),$(date),$(date),$(date)\n");
  EXPECT_EQ(all.at(0),
            "convscope bench a '--x;y' '$(date)' -i '$(date)' -b '$(date)' -t '$(date)' --device "
            "'$(date)' --precision '$(date)' --layout '$(date)' --engine '$(date)' --mode "
            "'$(date)' --scenario '$(date)'");
  all = commands("runs.csv", "run,protocol,seed\n$(a)-p-$(b),p,$(b)\n", manifest);
  EXPECT_EQ(all.at(0),
            "convscope train --model '$(a)' --protocol p '----x;b' '`c`' --seeds '$(b)'");
}

TEST_F(Methods, RecordsThatNoSingleCommandMakesHaveNoCommands) {
  put(folder.path / "layers.csv", "model\nnet\n");
  Table table = record_table(read_csv(folder.path / "layers.csv")).table;
  add_commands("layers.csv", {}, table);
  EXPECT_EQ(table.columns.size(), 1u);
}

TEST_F(Methods, CommandsOfRecordsWithoutColumnsDoNotFail) {
  EXPECT_EQ(commands("cost.csv", "model\n\"net a\"\n").at(0), "convscope cost 'net a' -i ''");
  EXPECT_EQ(commands("runs.csv", "run\na\n").at(0), "");
}

TEST_F(Methods, CountsAreOfTheNetworksThatFinished) {
  put(folder.path / "cost.csv",
      "model,input,status\na,3x8x8,ok\na,3x9x9,ok\nb,3x8x8,ok\nc,1x1x1,failed\n");
  const std::string text = paragraphs({});
  EXPECT_TRUE(has(text, "receptive fields of 2 networks are exact")) << text;
  EXPECT_TRUE(has(text, "one image (3x8x8, 3x9x9)")) << text;
  EXPECT_TRUE(has(text, "There is no manifest.json")) << text;
}

TEST_F(Methods, ShiftsTellHowFarAndOverHowManyPhotographs) {
  put(folder.path / "shift.csv", "model,shift,images\na,4,7\na,0,7\na,16,6\n");
  EXPECT_TRUE(has(paragraphs({}), "moved over 7 photographs by 0 to 16 pixels")) << paragraphs({});
  put(folder.path / "shift.csv", "model,shift,images\na,4,1\n");
  EXPECT_TRUE(has(paragraphs({}), "one photograph")) << paragraphs({});
  EXPECT_FALSE(has(paragraphs({}), "interval"));
}

TEST_F(Methods, TimingTellsItsSettingsAndTheNoisyCases) {
  put(folder.path / "bench.csv", "model,samples,status\na,12,ok\nb,40,noisy\nc,,failed\n");
  Manifest manifest;
  manifest.environments["e"] = {{"cpu", "A CPU"}, {"cores", "4"}};
  manifest.runs = {run("bench",
                       "[bench]\ninterleave = 4\nwarmup = 0.5\nmax-noise = 2\n"
                       "timeout = 12\n")};
  manifest.runs[0].env = "e";
  const std::string text = paragraphs(manifest);
  for (const char* part :
       {"3 cases were measured on A CPU (4 cores)", "up to 4 at a time", "warm-up of 0.5 s",
        "within 2 % to either side, or for 12 s.", "12 to 40 samples", "1 of 3 cases"})
    EXPECT_TRUE(has(text, part)) << part << ": " << text;
}

TEST_F(Methods, WhatWasNotRecordedIsNotTold) {
  put(folder.path / "bench.csv", "model,samples,status\na,12,ok\n");
  Manifest manifest;
  manifest.runs = {run("bench", "")};
  const std::string text = paragraphs(manifest);
  EXPECT_TRUE(has(text, "1 case was measured, each in a process of its own. There are 12 samples"))
      << text;
  put(folder.path / "bench.csv", "model,samples,status\n");
  EXPECT_EQ(paragraphs(manifest), "");
}

TEST_F(Methods, TrainingAndEvaluationNameWeightsByTheirHash) {
  Manifest manifest;
  manifest.runs = {
      run("train lenet5 probe",
          "[train]\nmodel = lenet5\ndata = digits\nprotocol = probe\nweights = w.pth\nlr = 0.1\n"
          "seeds = 1,2\n"),
      run("train lenet5 find-lr", "[train]\nmodel = lenet5\n"),
      run("evaluate", "[evaluate]\nmodel = lenet5\nweights = w.pth\ndata = digits\n")};
  manifest.runs[0].facts = manifest.runs[2].facts = {{"weights_sha256", "abc"}};
  const std::string text = paragraphs(manifest);
  EXPECT_TRUE(has(text,
                  "Training (train lenet5 probe). Network lenet5, data digits, protocol "
                  "probe, starting from w.pth; learning rate 0.1; seeds 1,2. SHA-256 of the "
                  "weights: abc.\n"))
      << text;
  EXPECT_FALSE(has(text, "find-lr")) << text;
  EXPECT_TRUE(has(text, "Evaluation. lenet5 with the weights w.pth on digits (SHA-256 abc);"))
      << text;
}

}  // namespace
}  // namespace convscope
