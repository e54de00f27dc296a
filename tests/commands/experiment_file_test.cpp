#include "suite/commands/experiment_file.h"

#include <gtest/gtest.h>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

/// "cost:1{model@2=lenet5}" and so on, to compare at a glance.
std::string parsed(const std::string& text) {
  std::string result;
  for (const ExperimentSection& section : parse_experiment(text, "x.ini")) {
    result += section.name + ":" + std::to_string(section.line) + "{";
    for (const ExperimentSetting& setting : section.settings) {
      result += setting.key + "@" + std::to_string(setting.line) + "=" + setting.value + ";";
    }
    result += "}";
  }
  return result;
}

std::string error(const std::string& text) {
  return message_of<std::invalid_argument>([&] { parse_experiment(text, "x.ini"); });
}

TEST(ExperimentFile, SectionsAndKeysKeepTheirOrderAndLines) {
  EXPECT_EQ(parsed("[env]\n\n[cost]\nmodel = lenet5, vgg11\n input=64\n[plot]"),
            "env:1{}cost:3{model@4=lenet5, vgg11;input@5=64;}plot:6{}");
  EXPECT_EQ(parsed(""), "");
}

TEST(ExperimentFile, RepeatedKeysAddUpAndARepeatedSectionIsOneMore) {
  EXPECT_EQ(parsed("[cost]\nmodel = a\nmodel = b\n[env]\n[cost]\nmodel = c\n"),
            "cost:1{model@2=a;model@3=b;}env:4{}cost:5{model@6=c;}");
}

TEST(ExperimentFile, CommentsAndBlanksAreNotRead) {
  EXPECT_EQ(parsed("# what = this\n; or = that\n [ cost ] # here\n\tmodel =  lenet5\t# small\n"),
            "cost:3{model@4=lenet5;}");
  EXPECT_EQ(parsed("[cost]\nout = run#3.csv\nmodel = a;b\n"),
            "cost:1{out@2=run#3.csv;model@3=a;b;}")
      << "inside a word they may be a part of a path";
}

TEST(ExperimentFile, ValueIsAllAfterTheFirstEqualsSign) {
  EXPECT_EQ(parsed("[cost]\nout = a=b\nmodel =\n"), "cost:1{out@2=a=b;model@3=;}");
}

TEST(ExperimentFile, FilesOfOtherSystemsAreRead) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF[cost]\r\nmodel = lenet5\r\n"), "cost:1{model@2=lenet5;}");
}

TEST(ExperimentFile, ErrorNamesFileAndLine) {
  EXPECT_EQ(error("[cost]\nmodel\n"),
            "x.ini:2: expected 'key = value' or '[command]', found 'model'");
  EXPECT_EQ(error("[cost]\n= 3\n"), "x.ini:2: expected 'key = value' or '[command]', found '= 3'");
  EXPECT_EQ(error("\n[cost\n"), "x.ini:2: expected '[command]', found '[cost'");
  EXPECT_EQ(error("[]\n"), "x.ini:1: expected '[command]', found '[]'");
  EXPECT_EQ(error("[cost] model = a\n"), "x.ini:1: expected '[command]', found '[cost] model = a'");
  EXPECT_EQ(error("model = lenet5\n[cost]\n"),
            "x.ini:1: key 'model' is in no section; put the line '[command]' of the command it is "
            "for before it");
}

TEST(ExperimentFile, ErrorAboutABinaryFileIsReadable) {
  EXPECT_EQ(error(std::string("PK\3\4\0\n", 6) + std::string(1000, 'x')),
            "x.ini:1: expected 'key = value' or '[command]', found 'PK"
            "?"
            "?"
            "?'");
  EXPECT_EQ(
      error(std::string(1000, 'x')),
      "x.ini:1: expected 'key = value' or '[command]', found '" + std::string(60, 'x') + "...'");
}

TEST(ExperimentFile, PlaceIsTheLineOfTheSettingOrOfItsSection) {
  const ExperimentSection section = parse_experiment("\n[cost]\nmodel = a\n", "x.ini").at(0);
  EXPECT_EQ(section.place(), "x.ini:2");
  EXPECT_EQ(section.place(&section.settings[0]), "x.ini:3");
}

TEST(ExperimentFile, SettingIsFoundByTheValueThatAMessageQuotes) {
  const ExperimentSection section =
      parse_experiment("[cost]\nout =\nclasses = 5\nmodel = vgg11, nothing\n", "x.ini").at(0);
  EXPECT_EQ(section.quoted_in("unknown network 'nothing'")->line, 4);
  EXPECT_EQ(section.quoted_in("no list 'vgg11, nothing'")->line, 4);
  EXPECT_EQ(section.quoted_in("--classes '5' is odd")->line, 3);
  EXPECT_EQ(section.quoted_in("5 classes"), nullptr);
  EXPECT_EQ(section.quoted_in("no value ''"), nullptr);
}

TEST(ExperimentFile, UnreadableFileIsNamed) {
  const TemporaryFolder folder;
  for (const auto& path : {(folder.path / "none").string(), folder.path.string()}) {
    EXPECT_EQ(message_of<std::invalid_argument>([&] { experiment_text(path); }),
              "cannot read the experiment file '" + path + "'");
  }
}

TEST(ExperimentHeader, IsReadFromTheCommentsAtTheTop) {
  const ExperimentHeader header = parse_header(
      "# Question  What is it,\n#           and why?\n# Takes     A minute.\n# Something else.\n"
      "#           not of the claim\n# Claim     It is so.\n\n[cost]\n# Question  not this\n");
  EXPECT_EQ(header.question, "What is it, and why?");
  EXPECT_EQ(header.takes, "A minute.");
  EXPECT_EQ(header.claim, "It is so.");
  EXPECT_EQ(parse_header("[cost]\n").question, "");
}

}  // namespace
}  // namespace convscope
