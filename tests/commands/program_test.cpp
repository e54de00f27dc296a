// The program as its user meets it: what is typed, what is printed, what the exit code is.
#include "suite/commands/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/commands/convscope_with.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t lines(const std::string& text) { return size_t(std::count(text.begin(), text.end(), '\n')); }

class Program : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::temp_directory_path() /
             (std::string("convscope-") + test->name() + std::to_string(getpid()));
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string experiment(const std::string& text) {
    std::ofstream(folder / "experiment.ini") << text;
    return (folder / "experiment.ini").string();
  }

  /// A mistake gives one line on stderr, nothing on stdout, exit code 2.
  static void expect_usage_error(const std::vector<std::string>& arguments,
                                 const std::string& words) {
    const Result result = convscope_with(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines(result.err), 1u) << result.err;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
  }

  fs::path folder;
};

TEST_F(Program, PrintsACostTable) {
  const Result result = convscope_with({"cost", "resnet50"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.out.find("25.56 M"), std::string::npos) << result.out;
  EXPECT_EQ(result.err, "");
}

TEST_F(Program, WhatNeedsOneAnswerForEachImageRefusesANetworkWithMany) {
  const std::string network = "deeplabv3_resnet50", some_file = experiment("");
  const auto expect_refusal = [&](std::vector<std::string> arguments) {
    const std::string command = arguments[0];
    arguments.insert(arguments.begin() + 1, network);
    expect_usage_error(arguments, network + " answers for each position, not once for the image; " +
                                      command + " needs a classifier");
  };
  expect_refusal({"predict", some_file});
  expect_refusal({"evaluate"});
  expect_refusal({"train"});
  // Of as many threads as there are cores, a busy machine makes a note.
  expect_refusal({"saliency", some_file, "--untrained", "--threads", "1"});
  expect_refusal({"shift", some_file, "--untrained", "--threads", "1"});
  expect_refusal({"dream", "--untrained", "--threads", "1"});
}

TEST_F(Program, WhatNeedsHeightAndWidthRefusesANetworkOfSignals) {
  expect_usage_error({"erf", "wavenet", "--untrained", "--threads", "1"},
                     "erf needs a network with maps of a height and a width");
  expect_usage_error({"filters", "wavenet", "--untrained"},
                     "wavenet has no convolution over height and width");
  expect_usage_error({"cost", "wavenet", "-i", "224"},
                     "wavenet takes signals, images one pixel high such as 1x4096, not 224x224");
}

TEST_F(Program, WhatOrganisesItselfIsNotTrainedByGradients) {
  for (const std::string command : {"train", "transfer"}) {
    expect_usage_error(
        {command, "neocognitron", "--results", (folder / "r").string()},
        "neocognitron organises itself; " + command + " needs a network that learns by gradients");
  }
}

TEST_F(Program, CsvHasTheContractsColumns) {
  const Result result = convscope_with({"cost", "lenet5", "--format", "csv"});
  const std::string header =
      "model,variant,input,params,conv_params,linear_params,norm_params,buffers,macs,flops,"
      "activations,weight_bytes,peak_activation_bytes,rf,rf_stride,rf_padding,rf_aligned,"
      "conv_layers,linear_layers,norm_layers,depth,output,status";
  EXPECT_EQ(result.out.substr(0, header.size()), header);
  EXPECT_NE(result.out.find("\nlenet5,\"ReLU, max pooling\",3x32x32,62006,2872,59134,0,0,651720,"),
            std::string::npos)
      << result.out;
}

TEST_F(Program, LayersHaveTheContractsColumns) {
  const Result result = convscope_with({"cost", "lenet5", "--layers", "--format", "csv"});
  const std::string header =
      "model,input,index,layer,op,in_shape,out_shape,kernel,stride,padding,dilation,groups,params,"
      "macs,flops,activations,rf,rf_stride,rf_padding";
  EXPECT_EQ(result.out.substr(0, header.size()), header);
}

TEST_F(Program, JsonHoldsRawNumbers) {
  const Result result = convscope_with({"cost", "resnet18", "--format", "json"});
  const auto rows = nlohmann::json::parse(result.out);
  EXPECT_EQ(rows.at(0).at("params"), 11689512);
  EXPECT_EQ(rows.at(0).at("rf_aligned"), true);
}

TEST_F(Program, SweepsInputSizes) {
  const Result result =
      convscope_with({"cost", "mobilenet_v1", "-i", "128-192+32", "--format", "csv"});
  EXPECT_EQ(lines(result.out), 4u);
  EXPECT_NE(result.out.find("290675200"), std::string::npos);
}

TEST_F(Program, MistakesGetOneLineAndExitCodeTwo) {
  expect_usage_error({"cots"}, "did you mean 'cost'?");
  expect_usage_error({"cost", "resnet51"}, "did you mean 'resnet50'?");
  expect_usage_error({"cost", "--modle", "vgg16"}, "did you mean '--model'?");
  expect_usage_error({"cost", "vgg16", "--input", "22x"}, "is no image size");
  expect_usage_error({"cost", "vgg16", "--input", "-5"}, "is no image size");
  expect_usage_error({"cost", "vgg16", "--input", "0"}, "is no image size");
  expect_usage_error({"cost", "vgg16", "--input", "99999999999999999999"}, "is no image size");
  expect_usage_error({"cost", "vgg16", "--classes", "0"}, "--classes '0'");
  expect_usage_error({"cost", "mobilenet_v2", "--width", "0"}, "--width '0'");
  expect_usage_error({"cost", "mobilenet_v2", "--width", "-1"}, "--width '-1'");
  expect_usage_error({"cost", "mobilenet_v2", "--width", "nan"}, "--width 'nan'");
  expect_usage_error({"cost", "resnet50", "--width", "0.5"}, "resnet50 has no width multiplier");
  expect_usage_error({"cost", "vgg16", "--format", "xls"}, "csv");
  expect_usage_error({"cost", "vgg16", "--explain", "features.99"}, "no layer 'features.99'");
  expect_usage_error({"cost", "vgg*", "--explain", "features.0"}, "takes one network");
  expect_usage_error({"cost", "--variants", "--kernel", "4"}, "kernel 4 is even");
  expect_usage_error({"cost", "--variants", "--channels", "many"}, "--channels 'many'");
  expect_usage_error({"env", "now"}, "takes options only");
  expect_usage_error({"calibrate", "--pairs", "many"}, "--pairs 'many'");
  expect_usage_error({"calibrate", "--pairs", "100000"}, "is neither 0 nor from 5 to 1000");
  expect_usage_error({"plot"}, "say which folder to read");
  expect_usage_error({"plot", "--results", (folder / "none").string()}, "is no folder");
  expect_usage_error({"run"}, "name an experiment file");
  expect_usage_error({"run", (folder / "none.ini").string()}, "cannot read");
  expect_usage_error({"cost", "vgg16", "--config", (folder / "none.ini").string()}, "cannot read");
}

TEST_F(Program, ImageThatIsTooSmallNamesTheLayerWhereItVanishes) {
  expect_usage_error({"cost", "alexnet", "--input", "32"}, "features.12 (max_pool2d)");
  expect_usage_error({"cost", "alexnet", "--input", "32"},
                     "the smallest square image it takes is 63x63");
  expect_usage_error({"cost", "alexnet_2012", "--input", "32"}, "(max_pool2d)");
}

TEST_F(Program, FailedCaseStaysInTheTableOfTheOthers) {
  const Result result =
      convscope_with({"cost", "alexnet", "resnet18", "-i", "32", "--format", "csv"});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.out.find("failed"), std::string::npos);
  EXPECT_NE(result.out.find("11689512"), std::string::npos);
  EXPECT_NE(result.err.find("features.12"), std::string::npos);
}

TEST_F(Program, UnwritableOutputIsKnownBeforeTheWorkAndLeavesNothing) {
  expect_usage_error({"cost", "vgg16", "--out", (folder / "no/such/file.csv").string()},
                     "cannot write");
  expect_usage_error({"cost", "vgg16", "--out", folder.string()}, "it is a folder");
  std::ofstream(folder / "file") << "x";
  expect_usage_error({"cost", "vgg16", "--results", (folder / "file").string()}, "file");
  EXPECT_EQ(
      convscope_with({"cost", "alexnet", "-i", "32", "--out", (folder / "out").string()}).code, 2);
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST_F(Program, OutGoesToAFile) {
  const Result result =
      convscope_with({"cost", "vgg16", "--format", "md", "--out", (folder / "vgg.md").string()});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(read(folder / "vgg.md").find("| vgg16"), std::string::npos);
}

TEST_F(Program, ResultsFolderHoldsRecordsAndManifest) {
  const std::string results = (folder / "results").string();
  EXPECT_EQ(convscope_with({"cost", "lenet5", "vgg11", "--results", results}).code, 0);
  EXPECT_EQ(lines(read(folder / "results/cost.csv")), 3u);
  EXPECT_NE(read(folder / "results/layers.csv").find("vgg11,3x224x224,0,features.0,conv2d"),
            std::string::npos);
  const auto manifest = nlohmann::json::parse(read(folder / "results/manifest.json"));
  const auto& run = manifest.at("runs").at("cost");
  EXPECT_EQ(run.at("configuration"),
            "[cost]\nmodel = lenet5\nmodel = vgg11\nresults = " + results +
                "\nchannels = 64\nkernel = 3\nsize = 56\nformat = table\n");
  EXPECT_TRUE(manifest.at("environments").contains(run.at("env").get<std::string>()));
}

TEST_F(Program, RooflineIsDrawnWhereItsRecordsAre) {
  const fs::path results = folder / "timed";
  fs::create_directories(results);
  std::ofstream(results / "calibration.csv")
      << "quantity,threads,value\nfma,1,235\nonednn,1,199\ntriad,1,38\n";
  std::ofstream(results / "bench_layers.csv")
      << "model,input,engine,threads,index,layer,op,median_ms,ci_low_ms,ci_high_ms,macs,flops,"
         "bytes,gflop_per_s,gb_per_s,peak_share,intensity,bound\n"
         "lenet5,3x32x32,frozen,1,0,conv1,conv2d,0.01,0.01,0.01,1,2,3,100,10,0.4,10,compute\n"
         "lenet5,3x32x32,frozen,1,1,relu1,relu,0.001,0.001,0.001,0,1,8,2,10,0.01,0.125,memory\n"
         "lenet5,3x32x32,frozen,1,2,flat,flatten,0.001,0.001,0.001,0,0,8,0,10,0,0,overhead\n"
         "lenet5,3x32x32,eager,1,0,conv1,conv2d,0.1,0.1,0.1,1,2,3,10,1,0.04,10,compute\n";
  const Result result =
      convscope_with({"plot", "--results", results.string(), "--image-format", "svg"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(results / "figures/roofline.svg"));
  EXPECT_FALSE(fs::exists(results / "figures/cost_bars.svg"));
  EXPECT_NE(result.err.find("1 row of other engines or threads left out"), std::string::npos)
      << result.err;
  std::ofstream(results / "calibration.csv") << "quantity,threads,value\nfma,1,235\n";
  EXPECT_NE(convscope_with({"plot", "--results", results.string()})
                .err.find("roofline: calibration.csv has not both fma and triad\n"),
            std::string::npos);
}

TEST_F(Program, RecordsOfTrainingArePlotted) {
  const fs::path results = folder / "trained";
  fs::create_directories(results);
  std::ofstream(results / "transfer.csv")
      << "name,model,dataset,split,seed,network,source,tuned,cut,stage,images,top1,base_top1\n"
         "digits,lenet5,d,1,1,A1B,A,0,1,conv1,9,50,60\n"
         "letters,lenet5,d,1,1,A1B,A,0,1,conv1,9,50,60\n"
         "others,vgg11,d,1,1,A1B,A,0,1,conv1,9,50,60\n";
  const Result result = convscope_with(
      {"plot", "--results", results.string(), "-m", "lenet5", "--image-format", "svg"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(results / "figures/transfer_digits.svg"));
  EXPECT_TRUE(fs::exists(results / "figures/transfer_letters.svg"));
  EXPECT_FALSE(fs::exists(results / "figures/transfer_others.svg"));
  EXPECT_FALSE(fs::exists(results / "figures/training_curves.svg"));
}

TEST_F(Program, ResumeKeepsWhatIsThereAndDropsATornRow) {
  const std::string results = (folder / "results").string();
  convscope_with({"cost", "lenet5", "--results", results});
  std::ofstream(folder / "results/cost.csv", std::ios::app) << "vgg11,torn";
  const Result result =
      convscope_with({"cost", "lenet5", "vgg11", "--results", results, "--resume"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("torn"), std::string::npos);
  const std::string costs = read(folder / "results/cost.csv");
  EXPECT_EQ(lines(costs), 3u) << costs;
  EXPECT_EQ(costs.find("lenet5,"), costs.rfind("lenet5,"));
}

TEST_F(Program, ResumeTellsVariantsApart) {
  const std::string results = (folder / "results").string();
  convscope_with({"cost", "mobilenet_v2", "--results", results});
  convscope_with({"cost", "mobilenet_v2", "--width", "0.5", "--results", results, "--resume"});
  EXPECT_EQ(lines(read(folder / "results/cost.csv")), 3u);
  expect_usage_error({"cost", "vgg11", "--resume"}, "--resume needs --results");
}

TEST_F(Program, SweepOfSizesIsPlottedSizeBySize) {
  const std::string results = (folder / "results").string();
  convscope_with({"cost", "vgg11", "-i", "64,128", "--results", results});
  const Result result = convscope_with({"plot", "--results", results, "--image-format", "svg"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(read(folder / "results/figures/cost_bars.svg").find("vgg11 3x128x128"),
            std::string::npos);
}

TEST_F(Program, OutWritesIntoAPipeAndThroughALink) {
  fs::create_symlink(folder / "target.csv", folder / "link.csv");
  std::ofstream(folder / "target.csv") << "old";
  EXPECT_EQ(
      convscope_with({"cost", "vgg11", "--format", "csv", "--out", (folder / "link.csv").string()})
          .code,
      0);
  EXPECT_TRUE(fs::is_symlink(folder / "link.csv"));
  EXPECT_NE(read(folder / "target.csv").find("vgg11"), std::string::npos);
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(convscope_with({"cost", "vgg11", "--out", pipe}).code, 0);
  char first = 0;
  EXPECT_EQ(::read(reader, &first, 1), 1);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(Program, ExperimentRunsItsSections) {
  const std::string file = experiment("[cost]\nmodel = lenet5\nformat = csv\n");
  const Result result = convscope_with({"run", file, "--results", (folder / "r").string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("62006"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "r/cost.csv"));
}

TEST_F(Program, PlotDrawsTheFiguresOfAnExperiment) {
  const std::string file = experiment("[cost]\nmodel = lenet5,vgg11\n[plot]\nimage-format = svg\n");
  const Result result = convscope_with({"run", file, "--results", (folder / "r").string()});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const char* name : {"cost_bars", "receptive_field", "cost_bubbles"}) {
    const std::string svg = read(folder / "r/figures" / (std::string(name) + ".svg"));
    EXPECT_NE(svg.find("vgg11"), std::string::npos) << name;
    EXPECT_FALSE(fs::exists(folder / "r/figures" / (std::string(name) + ".png")));
  }
  expect_usage_error({"plot", "--results", (folder / "r").string(), "--figure", "cost_bar"},
                     "did you mean 'cost_bars'?");
}

TEST_F(Program, CommandLineBeatsFileBeatsEnvironmentBeatsDefault) {
  const std::string file = experiment("[cost]\nmodel = lenet5\nclasses = 5\n");
  const auto config = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"cost", "--config", file, "--dump-config"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return convscope_with(arguments).out;
  };
  setenv("CONVSCOPE_CLASSES", "6", 1);
  setenv("CONVSCOPE_FORMAT", "json", 1);
  const std::string from_file = config({}), from_line = config({"--classes", "7"});
  unsetenv("CONVSCOPE_CLASSES");
  unsetenv("CONVSCOPE_FORMAT");
  EXPECT_NE(from_file.find("classes = 5\n"), std::string::npos) << from_file;
  EXPECT_NE(from_file.find("format = json\n"), std::string::npos) << from_file;
  EXPECT_NE(from_line.find("classes = 7\n"), std::string::npos) << from_line;
  EXPECT_NE(config({}).find("format = table\n"), std::string::npos);
  EXPECT_NE(config({"vgg11"}).find("model = vgg11\n"), std::string::npos) << "lists do not add up";
}

TEST_F(Program, DumpedConfigReproducesTheRun) {
  const std::vector<std::string> asked = {"cost", "vgg1?", "--input", "64,96", "--fold-bn"};
  std::vector<std::string> dump = asked;
  dump.push_back("--dump-config");
  const std::string file = experiment(convscope_with(dump).out);
  EXPECT_EQ(convscope_with({"cost", "--config", file}).out, convscope_with(asked).out);
}

TEST_F(Program, SectionWithoutKeysRunsWithDefaults) {
  const std::string file = experiment("[env]\n[list]\nmodel = lenet5, vgg11\n[cost]\n");
  const std::string dump = convscope_with({"run", file, "--dump-config"}).out;
  EXPECT_LT(dump.find("[env]"), dump.find("[list]"));
  EXPECT_NE(dump.find("model = lenet5, vgg11"), std::string::npos) << dump;
  EXPECT_NE(dump.find("[cost]"), std::string::npos);
}

TEST_F(Program, MistypedSizeLeavesEarlierResultsAlone) {
  const std::string results = (folder / "results").string();
  convscope_with({"cost", "vgg11", "--results", results});
  const std::string before = read(folder / "results/cost.csv");
  expect_usage_error({"cost", "vgg11", "-i", "8", "--results", results}, "vgg11");
  EXPECT_EQ(read(folder / "results/cost.csv"), before);
}

TEST_F(Program, ResumeComputesAgainWhatLostItsLayers) {
  const std::string results = (folder / "results").string();
  convscope_with({"cost", "lenet5", "--results", results});
  const std::string layers = read(folder / "results/layers.csv");
  fs::remove(folder / "results/layers.csv");
  convscope_with({"cost", "lenet5", "--results", results, "--resume"});
  EXPECT_EQ(read(folder / "results/layers.csv"), layers);
  EXPECT_EQ(lines(read(folder / "results/cost.csv")), 2u);
}

TEST_F(Program, BrokenExperimentNamesFileAndKey) {
  expect_usage_error({"run", experiment("[cost]\nmodle = lenet5\n")},
                     "experiment.ini:2: [cost] has no key 'modle'; did you mean 'model'?");
  expect_usage_error({"run", experiment("[cots]\nmodel = lenet5\n")}, "did you mean 'cost'?");
  expect_usage_error({"run", experiment("[env]\n[cots]\n")}, "experiment.ini:2: section [cots]");
  expect_usage_error({"run", experiment("[run]\n")}, "section [run] is no command that");
  expect_usage_error({"run", experiment("model = lenet5\n")}, "no section");
  expect_usage_error({"run", experiment("[cost]\nmodel\n")}, "experiment.ini:2");
  expect_usage_error({"run", experiment("")}, "nothing to run");
  expect_usage_error({"run", experiment("\n[cost]\nmodel = nothing\n")},
                     "experiment.ini:3: [cost] unknown network 'nothing'");
  expect_usage_error(
      {"cost", "--config", experiment("[cost]\nclasses = 5\nmodel = vgg11, nothing\n")},
      "experiment.ini:3: unknown network 'nothing'");
  expect_usage_error({"run", experiment("\n[plot]\n"), "--figure", "x"},
                     "experiment.ini:2: [plot] ");
  expect_usage_error({"run", experiment("[cost]\nmodel = lenet5\n"), "--figure", "x"},
                     "'--figure'");
  for (const std::string wrong : {"layers = perhaps\n", "classes = 5\nclasses = 6\n"}) {
    const std::string file = experiment("[cost]\n" + wrong);
    const std::string place =
        wrong[0] == 'l' ? "experiment.ini:2: [cost] " : "experiment.ini:3: [cost] ";
    expect_usage_error({"run", file}, place);
    expect_usage_error({"cost", "lenet5", "--config", file}, place);
  }
}

TEST_F(Program, EveryCommandHasHelpWithAnExample) {
  for (const Command& command : commands()) {
    const Result result = convscope_with({command.name, "--help"});
    EXPECT_EQ(result.code, 0);
    EXPECT_NE(result.out.find("Example: convscope " + command.name), std::string::npos);
  }
  EXPECT_EQ(convscope_with({"--help"}).code, 0);
  EXPECT_EQ(convscope_with({}).code, 2);
}

TEST_F(Program, DryRunListsWhatWouldRun) {
  const Result result = convscope_with({"cost", "vgg11", "-i", "64,128", "--dry-run"});
  EXPECT_EQ(result.out, "cost vgg11 3x64x64\ncost vgg11 3x128x128\n");
}

TEST_F(Program, ExplainsALayerAsAPersonWould) {
  EXPECT_EQ(convscope_with({"cost", "resnet50", "--explain", "conv1"}).out,
            "conv1 (conv2d): 3x224x224 -> 64x112x112\n"
            "  output size      floor((224 + 2 * 3 - 7) / 2) + 1 = 112\n"
            "  receptive field  1 + (7 - 1) * 1 = 7, stride 1 * 2 = 2, padding 0 + 3 * 1 = 3\n"
            "  parameters       64 filters * 3 channels * 7x7 = 9,408\n"
            "  MACs             64x112x112 outputs * 147 weights each = 118,013,952\n"
            "  FLOPs            2 * 118,013,952 = 236,027,904\n");
}

TEST_F(Program, OtherToolsCountsArePrintedAsTheToolsPrintThem) {
  EXPECT_EQ(convscope_with({"cost", "resnet50", "--convention",
                            "torchvision,fvcore,ptflops,torchinfo", "--format", "csv"})
                .out,
            "model,input,convention,tool,count,quantity,printed,params,status,reason\n"
            "resnet50,3x224x224,torchvision,\"torchvision 0.27.0, _ops of the "
            "weights\",4089184256,GFLOPS,4.089,25557032,ok,\n"
            "resnet50,3x224x224,fvcore,\"fvcore 3378afe, "
            "FlopCountAnalysis\",4111512576,flops,4111512576,25557032,ok,\n"
            "resnet50,3x224x224,ptflops,ptflops 0.7.6,4132436968,MACs,4.13 GMac,25557032,ok,\n"
            "resnet50,3x224x224,torchinfo,torchinfo 1.8.0 (5c4164f),4089238376,mult-adds,(G): "
            "4.09,25557032,ok,\n");
}

TEST_F(Program, DifferenceBetweenTwoToolsIsExplainedByCauses) {
  // Hand arithmetic: 64x55x55 = 193600, 192x27x27 = 139968, 384x13x13 = 64896, 256x13x13 = 43264;
  // both count the adaptive pooling's 256x6x6 once.
  EXPECT_EQ(
      convscope_with(
          {"cost", "--explain", "alexnet", "--convention", "fvcore,ptflops", "--format", "csv"})
          .out,
      "of,cause,first,second,difference,calls,counted,largest\n"
      "operations,bias,0,494184,494184,8,none / 1 per output element,"
      "\"features.0 193,600; features.3 139,968; features.6 64,896; 5 more\"\n"
      "operations,activation,0,493184,493184,7,none / 1 per element,"
      "\"features.1 193,600; features.4 139,968; features.7 64,896; 4 more\"\n"
      "operations,pooling,0,376832,376832,3,none / 1 per input element,"
      "\"features.2 193,600; features.5 139,968; features.12 43,264\"\n"
      "operations,\"activation, counted again\",0,493184,493184,7,none / as module and function,"
      "\"features.1 193,600; features.4 139,968; features.7 64,896; 4 more\"\n"
      "operations,\"pooling, counted again\",0,386048,386048,4,none / as module and function,"
      "\"features.2 193,600; features.5 139,968; features.12 43,264; 1 more\"\n"
      "operations,all,714197696,716441128,2243432,,,\n");
  EXPECT_TRUE(contains(
      convscope_with({"cost", "--explain", "alexnet", "--convention", "fvcore,ptflops"}).out,
      "2,243,432"));
}

TEST_F(Program, PublishedParametersOfInceptionHaveItsAuxiliaryHead) {
  const std::string printed =
      convscope_with({"cost", "googlenet,inception_v3", "-i", "224", "--convention",
                      "torchvision,fvcore", "--format", "csv"})
          .out;
  // facts of torchvision's weights: 6,624,904 and 27,161,264; without the head 23,834,568
  for (const char* params : {",6624904,ok", ",27161264,ok", ",23834568,ok"}) {
    EXPECT_TRUE(contains(printed, params)) << printed;
  }
  EXPECT_TRUE(contains(convscope_with({"cost", "--explain", "inception_v3", "--convention",
                                       "macs,torchvision", "--format", "csv"})
                           .out,
                       "parameters,auxiliary heads,23834568,27161264,3326696,"));
}

TEST_F(Program, ConventionsThatCannotBePrintedAreRefused) {
  expect_usage_error({"cost", "vgg16", "--convention", "fvcor"}, "did you mean 'fvcore'?");
  expect_usage_error({"cost", "vgg16", "--convention", "fvcore", "--results", "r"},
                     "leave out --convention or --results");
  expect_usage_error({"cost", "vgg16", "--convention", "fvcore", "--layers"}, "or --layers");
  expect_usage_error({"cost", "--explain", "vgg16", "--convention", "fvcore"},
                     "compares two conventions, not 1");
  expect_usage_error({"cost", "--explain", "vgg16", "--convention", "fvcore,macs,flops"}, "not 3");
  expect_usage_error({"cost", "vgg16", "--explain", "features.0", "--convention", "fvcore,macs"},
                     "cost --explain vgg16 --convention fvcore,macs");
  expect_usage_error({"cost", "--explain", "vgg*", "--convention", "fvcore,macs"},
                     "takes one network");
  expect_usage_error({"cost", "--explain", "resnet51", "--convention", "fvcore,macs"},
                     "did you mean 'resnet50'?");
  expect_usage_error({"cost", "alexnet", "-i", "32", "--convention", "fvcore"}, "features.12");
}

TEST_F(Program, VerifiesTheFieldByExperiment) {
  const Result result = convscope_with({"cost", "resnet18", "--verify-rf", "--format", "csv"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.out.find("resnet18,3x224x224,435,32,217,435,32,217,true"), std::string::npos)
      << result.out;
}

TEST_F(Program, FoldedBatchNormMatchesThePublishedCount) {
  EXPECT_NE(
      convscope_with({"cost", "resnet50", "--fold-bn", "--format", "csv"}).out.find(",25530472,"),
      std::string::npos);
}

TEST_F(Program, ReadmesTableIsTheProgramsOwn) {
  const std::string networks =
      "neocognitron,lenet5_1998,alexnet_2012,nin,vgg16,googlenet_2014,spp_net,"
      "inception_v3,resnet18,resnet50,resnet152,resnet56,preact_resnet200,"
      "squeezenet1_1,densenet121,xception,resnext50_32x4d,wide_resnet50_2,wavenet,"
      "mobilenet_v1,deeplabv3_resnet50,mobilenet_v2,shufflenet_v2_x1_0,mnasnet1_0,"
      "mobilenet_v3_large,efficientnet_b0,efficientnet_b4,vit_b_16,efficientnet_v2_s,"
      "convnext_tiny,convnext_large";
  const std::string printed = convscope_with({"cost", networks, "--format", "md"}).out;
  EXPECT_NE(read(fs::path(CONVSCOPE_SOURCE) / "README.md").find(printed), std::string::npos)
      << printed;
}

TEST_F(Program, DocumentedOperatorTableIsTheProgramsOwn) {
  const std::string printed = convscope_with({"list", "--operators", "--format", "md"}).out;
  const std::string documented = read(fs::path(CONVSCOPE_SOURCE) / "CONVENTIONS.md");
  EXPECT_NE(documented.find(printed), std::string::npos)
      << "put the output of 'convscope list --operators --format md' into CONVENTIONS.md";
}

TEST(Experiments, EveryFileIsOfCommandsAndKeysThatThereAre) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(CONVSCOPE_SOURCE) / "experiments")) {
    const Result result = convscope_with({"run", entry.path().string(), "--dump-config"});
    EXPECT_EQ(result.code, 0) << result.err;
    ++files;
  }
  EXPECT_GT(files, 5u);
}

}  // namespace
}  // namespace convscope
