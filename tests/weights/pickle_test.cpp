#include "suite/weights/pickle.h"

#include <gtest/gtest.h>

#include "tests/report/temporary_folder.h"
#include "tests/weights/made_files.h"

namespace convscope {
namespace {

using Kind = PickleValue::Kind;

struct PickleTest : testing::Test {
  PickleValues memory;
  std::string bytes;
  std::vector<std::string> globals;

  const PickleValue& read(const std::string& operations) {
    bytes = made::pickle(operations);
    size_t position = 0;
    const CheckGlobal note = [&](std::string_view name, const std::string&) {
      globals.emplace_back(name);
    };
    const PickleValue& root = read_pickle(bytes, position, "record data.pkl", note, memory);
    EXPECT_EQ(position, bytes.size());
    return root;
  }

  std::string error(const std::string& operations) {
    return message_of<std::invalid_argument>([&] { read(operations); });
  }
};

TEST_F(PickleTest, NumbersAreReadInEveryForm) {
  EXPECT_EQ(read("K\xff").integer, 255);
  EXPECT_EQ(read("M\xff\xff").integer, 65535);
  EXPECT_EQ(read("J\xff\xff\xff\xff").integer, -1);
  EXPECT_EQ(read(std::string("\x8a\x00", 2)).integer, 0);
  EXPECT_EQ(read("\x8a\x01\xfe").integer, -2);
  EXPECT_EQ(read("\x8b" + made::raw(2) + "\x01\x02").integer, 513);
  EXPECT_EQ(read("\x8a\x09" + std::string(9, '\x01')).kind, Kind::long_integer);
  EXPECT_EQ(read(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)).real, 1.5);
  EXPECT_EQ(read("\x88").kind, Kind::boolean);
}

TEST_F(PickleTest, ContainersKeepTheirOrder) {
  const PickleValue& dict = read(made::dict({{"b", "K\x01"},
                                             {"a",
                                              "](K\x02K\x03"
                                              "e"}}));
  ASSERT_EQ(dict.items.size(), 4u);
  EXPECT_EQ(dict.items[0]->text, "b");
  EXPECT_EQ(dict.find("a")->items[1]->integer, 3);
  EXPECT_EQ(dict.find("c"), nullptr);
  EXPECT_EQ(read("K\x01K\x02K\x03\x87").items[2]->integer, 3);
}

TEST_F(PickleTest, ProtocolFourIsRead) {
  const PickleValue& value = read(std::string("\x95\x10\0\0\0\0\0\0\0", 9) +
                                  "\x8c\x01"
                                  "m\x94\x8c\x01"
                                  "n\x93)R");
  EXPECT_EQ(value.maker(), "m.n");
}

TEST_F(PickleTest, ACallIsDescribedAndNotMade) {
  const PickleValue& value =
      read(made::call(made::global("os", "system"), {made::text("echo run")}));
  EXPECT_EQ(value.kind, Kind::call);
  EXPECT_EQ(value.maker(), "os.system");
  EXPECT_EQ(value.arguments()[0]->text, "echo run");
  EXPECT_EQ(globals, std::vector<std::string>{"os.system"});
}

TEST_F(PickleTest, AnOrderedDictOfPythonTwoHasItsItemsAsArguments) {
  const std::string pairs = "](](" + made::text("k") +
                            "K\x07"
                            "ee";
  const PickleValue& dict = read(made::call(made::global("collections", "OrderedDict"), {pairs}));
  EXPECT_EQ(dict.kind, Kind::dict);
  EXPECT_EQ(dict.find("k")->integer, 7);
}

TEST_F(PickleTest, AListMayHoldItself) {
  const PickleValue& value = read("]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a");
  EXPECT_EQ(value.items[0], &value);
  EXPECT_EQ(describe(value), "a list of 1");
}

TEST_F(PickleTest, DeepNestingNeedsNoStack) {
  EXPECT_EQ(read(std::string(1'000'000, ']') + std::string(999'999, 'a')).items.size(), 1u);
}

TEST_F(PickleTest, WhatIsNotWhereItShouldBeIsAnError) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "it takes a value where there is none"},
      {"t", "it takes values up to a mark where there is none"},
      {"K\x01(0", "it takes a value where there is none"},
      {"K\x01K\x02"
       "a",
       "it adds items to the number 1"},
      {"}(K\x01u", "it adds a key without a value"},
      {"h\x05", "it takes a value from its memo that it never put there"},
      {"K\x01)R", "it calls the number 1"},
      {made::global("a", "b") + "NR", "it calls with None"},
      {"NNb", "it sets attributes of None"},
      {"K\x01)\x81", "it makes an object of the number 1"},
      {"I1\n", "found operation 0x49"},
      {std::string("\xff"), "found operation 0xff"},
      {"\x80\x07", "expected protocol 2 to 5, found 7"},
      {"NN\x93", "its global has no name"},
  };
  for (const auto& [operations, expected] : cases) {
    EXPECT_NE(error(operations).find("is no pickle of weights: " + expected), std::string::npos)
        << error(operations);
  }
  EXPECT_EQ(error("t"),
            "is no pickle of weights: it takes values up to a mark where there is none, at byte 2 "
            "of record data.pkl");
}

TEST_F(PickleTest, ALengthThatLeavesTheFileAllocatesNothing) {
  for (const std::string code :
       {"X\xff\xff\xff\x7f", "X\xff\xff\xff\xff", "T\xff\xff\xff\xff", "\x8b\xff\xff\xff\xff",
        "\x8b\xff\xff\xff\x7f", "U\xff", "\x8a\xff", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        "cos\nsystem", "\x95\x01"}) {
    EXPECT_NE(error(code).find("it wants bytes behind its end"), std::string::npos) << error(code);
  }
  EXPECT_LT(memory.values.size(), 10u);
}

TEST_F(PickleTest, AFileThatEndsWithinItsPickleIsCutShort) {
  const std::string whole = made::pickle(made::text("conv1.weight") + made::global("a", "b") + "0");
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string start = whole.substr(0, size);
    size_t position = 0;
    const CheckGlobal any = [](std::string_view, const std::string&) {};
    const std::string what =
        message_of<std::invalid_argument>([&] { read_pickle(start, position, "", any, memory); });
    EXPECT_EQ(what.rfind("is cut short: the pickle", 0), 0u) << what;
  }
}

TEST_F(PickleTest, TheNumberOfOperationsIsBounded) {
  std::string marks;
  marks.resize(11'000'000, '(');
  EXPECT_NE(error(marks).find("more than 10000000 operations"), std::string::npos);
  memory = {};
  // 30 copies of a list of a million pairs: few bytes, much memory.
  std::string bomb =
      "](](K\x01K\x02"
      "eq\x01";
  for (int i = 0; i < 1000; ++i) bomb += "h\x01";
  bomb += "eq\x02";
  for (int i = 0; i < 20'000; ++i) bomb += made::global("collections", "OrderedDict") + "(h\x02tR";
  EXPECT_NE(error(bomb).find("more than 10000000 operations"), std::string::npos);
}

TEST_F(PickleTest, TheNumberOfOperationsIsBoundedForAllPicklesOfAFile) {
  const std::string marks(2'000'000, '(');
  for (int i = 0; i < 2; ++i) EXPECT_EQ(read(marks + "N").kind, Kind::none);
  EXPECT_NE(error(marks).find("more than 10000000 operations"), std::string::npos);
}

}  // namespace
}  // namespace convscope
