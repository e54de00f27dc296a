#include <gtest/gtest.h>

#include "suite/weights/weights_file.h"
#include "tests/report/temporary_folder.h"
#include "tests/weights/made_files.h"

namespace convscope {
namespace {

using made::safetensors;

WeightsFile read(const std::string& bytes) {
  return read_weights(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), "file");
}

std::string error(const std::string& bytes) {
  return message_of<std::invalid_argument>([&] { read(bytes); });
}

const std::string eight = made::floats({1, 2});

TEST(Safetensors, TensorsStandInTheOrderOfTheHeader) {
  const std::string file =
      safetensors(R"({"__metadata__":{"format":"pt"},)"
                  R"("z":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("a":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
                  R"("n":{"dtype":"BF16","shape":[3,0],"data_offsets":[16,16]}}  )",
                  eight + made::raw(int64_t{-5}));
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.format, WeightsFormat::safetensors);
  ASSERT_EQ(weights.tensors.size(), 3u);
  EXPECT_EQ(weights.tensors[0].name, "z");
  EXPECT_EQ(weights.tensors[0].strides, std::vector<int64_t>{1});
  int64_t number = 0;
  copy_values(weights.tensors[1], &number);
  EXPECT_EQ(number, -5);
  EXPECT_EQ(weights.tensors[2].type, ScalarType::bfloat16);
  EXPECT_EQ(weights.tensors[2].elements(), 0);
  EXPECT_EQ(weights.beside.at(0).second, "pt");
}

TEST(Safetensors, AHeaderWhoseLengthLooksLikeAPickleIsStillOne) {
  // 0x0280: a pickle of protocol 2 begins with the same two bytes.
  std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.resize(0x0280, ' ');
  const std::string file = safetensors(header, eight);
  EXPECT_EQ(read(file).format, WeightsFormat::safetensors);
}

TEST(Safetensors, TruncatedFilesSayWhatTheyLack) {
  const std::string file =
      safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight);
  for (size_t size = 9; size < file.size(); ++size) {
    const std::string said = error(file.substr(0, size));
    EXPECT_EQ(said.rfind("file: is cut short: ", 0), 0u) << size << ": " << said;
  }
  EXPECT_EQ(error(file.substr(0, file.size() - 3)),
            "file: is cut short: its values end at byte 70, the file at byte 67; 3 bytes missing");
}

TEST(Safetensors, HeadersThatLieAreErrors) {
  const auto expect = [](const std::string& header, const std::string& what) {
    const std::string said = error(safetensors(header, eight));
    EXPECT_NE(said.find("file: " + what), std::string::npos) << header << ": " << said;
  };
  const auto tensor = [](const std::string& shape, const std::string& offsets,
                         const std::string& type = "F32") {
    return R"({"a":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
  };
  expect(tensor("[2]", "[0,8]", "F8_E4M3"), "holds tensor 'a' of type 'F8_E4M3', which is not");
  expect(tensor("[3]", "[0,8]"), "is damaged: tensor 'a' of 3 elements has 8 bytes");
  expect(tensor("[4294967296,4294967296,4294967296]", "[0,8]"), "claims more than 2^64 bytes");
  expect(tensor("[0,4294967296,4294967296]", "[0,8]"), "claims more than 2^64 bytes");
  expect(tensor("[4611686018427387904,2]", "[0,8]"), "claims more than 2^64 bytes");
  expect(tensor("[1]", "[0,4]"), "is damaged: its values end at byte");
  expect(tensor("[1]", "[4,8]"), "is damaged: tensor 'a' begins at byte 4 of the values where");
  expect(tensor("[2]", "[8,0]"), "is damaged: tensor 'a' begins at byte 8");
  expect(tensor("[2]", "[0]"), "is damaged: tensor 'a' has no beginning and end");
  expect(tensor("[2]", "[0,8,8]"), "is damaged: tensor 'a' has no beginning and end");
  expect(tensor("[2]", "[0,18446744073709551615]"), "claims more than 2^64 bytes");
  expect(tensor("[-2]", "[0,8]"), "is damaged: its header has a negative number, under 'a'");
  expect(tensor("[2.0]", "[0,8]"), "is damaged: its header has a fraction");
  expect(tensor("[[2]]", "[0,8]"), "is damaged: its header has an unexpected list");
  expect(tensor("{}", "[0,8]"), "is damaged: its header has an object nested too deep");
  expect(tensor("2", "[0,8]"), "is damaged: its header has an unexpected number");
  expect(R"({"a":{"dtype":"F32","shape":[2]}})", "is damaged: its header has a tensor without");
  expect(R"({"a":{"dtype":"F32","shape":[2],"shape":[2]}})", "is damaged: its header has field");
  expect(R"({"a":{"type":"F32"}})", "is damaged: its header has an unknown field 'type'");
  expect(R"({"a":3})", "is damaged: its header has an unexpected number");
  expect(R"({"__metadata__":{"a":{}}})", "is damaged: its header has an object nested too deep");
  expect(R"({"__metadata__":{"a":1}})", "is damaged: its header has an unexpected number");
  expect(R"({"__metadata__":"a"})", "is damaged: its header has an unexpected text");
  expect(R"({"a":)", "is damaged: its header is no JSON at byte");
  expect("{\"\xff\":1}", "is damaged: its header is no JSON at byte");
  expect("{} {}", "is damaged: its header is no JSON at byte");
  expect("{}", "holds no tensors");
  const std::string one = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  expect("{" + one + "," + one + "}", "is damaged: its header has this key twice, under 'a'");
  expect("{" + one + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
         "is damaged: tensor 'b' begins at byte 0 of the values where the one before ends at 4");
}

TEST(Safetensors, DeepNestingNeedsNoStack) {
  const std::string deep(1'000'000, '[');
  EXPECT_NE(error(safetensors(R"({"a":)" + deep, "")).find("an unexpected list"),
            std::string::npos);
}

}  // namespace
}  // namespace convscope
