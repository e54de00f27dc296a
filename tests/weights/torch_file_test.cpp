#include <gtest/gtest.h>

#include <cstring>

#include "suite/weights/weights_file.h"
#include "tests/report/temporary_folder.h"
#include "tests/weights/made_files.h"

namespace convscope {
namespace {

using namespace made;
using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::string one_to_six = floats({1, 2, 3, 4, 5, 6});

WeightsFile read(const std::string& bytes) {
  return read_weights(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), "file");
}

std::string error(const std::string& bytes) {
  return message_of<std::invalid_argument>([&] { read(bytes); });
}

std::vector<float> values(const StoredTensor& tensor) {
  std::vector<float> result(static_cast<size_t>(tensor.elements()));
  copy_values(tensor, result.data());
  return result;
}

/// A zip whose one storage has six float32, under a state dict with one tensor.
std::string zip_with(const std::string& tensor_operations) {
  return torch_zip(dict({{"w", tensor_operations}}), {{"0", one_to_six}});
}

std::string of_six(int64_t offset, const std::vector<int64_t>& sizes,
                   const std::vector<int64_t>& strides) {
  return zip_with(tensor(storage("FloatStorage", "0", 6), offset, sizes, strides));
}

// ---- tensors

TEST(TorchFile, AZipIsReadWithoutCopyingItsValues) {
  const std::string file = of_six(0, {2, 3}, {3, 1});
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.format, WeightsFormat::zip);
  EXPECT_EQ(weights.wrapped_in, "");
  ASSERT_EQ(weights.tensors.size(), 1u);
  const StoredTensor& tensor = weights.tensors[0];
  EXPECT_EQ(tensor.name, "w");
  EXPECT_EQ(tensor.type, ScalarType::float32);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(tensor.contiguous());
  EXPECT_EQ(reinterpret_cast<const char*>(tensor.data) - file.data(),
            static_cast<ptrdiff_t>(file.find(one_to_six)));
  EXPECT_EQ(values(tensor), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(TorchFile, StridesAndOffsetsAreFollowed) {
  const auto read_values = [](const std::string& file) { return values(read(file).tensors[0]); };
  EXPECT_EQ(read_values(of_six(0, {3, 2}, {1, 3})), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(read_values(of_six(1, {2}, {3})), (std::vector<float>{2, 5}));
  EXPECT_EQ(read_values(of_six(5, {}, {})), (std::vector<float>{6}));
  EXPECT_EQ(read_values(of_six(2, {2, 3}, {1, 0})), (std::vector<float>{3, 3, 3, 4, 4, 4}));
  EXPECT_EQ(read_values(of_six(5, {1, 1}, {1'000'000, 7})), (std::vector<float>{6}));
  EXPECT_EQ(read_values(of_six(99, {2, 0}, {1, 1})), std::vector<float>{});
}

TEST(TorchFile, AStorageThatEndsBeforeItsTensorIsAnError) {
  constexpr int64_t huge = INT64_MAX;
  EXPECT_EQ(error(of_six(0, {7}, {1})),
            "file: holds a tensor that reaches to element 7 of a storage that has 6 (tensor 'w')");
  for (const std::string& file :
       {of_six(6, {1}, {1}), of_six(1, {6}, {1}), of_six(0, {2, 4}, {3, 1}), of_six(huge, {1}, {1}),
        of_six(0, {2}, {huge}), of_six(huge, {2, 2}, {huge, huge}), of_six(0, {3, 3}, {huge, huge}),
        of_six(0, {huge}, {1})}) {
    EXPECT_NE(error(file), "");
  }
}

TEST(TorchFile, NegativeNumbersInATensorAreErrors) {
  EXPECT_NE(error(of_six(-1, {1}, {1})).find("its offset has the number -1"), std::string::npos);
  EXPECT_NE(error(of_six(0, {-1}, {1})).find("its shape has the number -1"), std::string::npos);
  EXPECT_NE(error(of_six(0, {2}, {-1})).find("its strides has the number -1"), std::string::npos);
  EXPECT_NE(error(zip_with(vector_of(-6))).find("its storage has the number -6"),
            std::string::npos);
}

TEST(TorchFile, AShapeThatOverflowsIsAnErrorAlsoWhereItHasNoElements) {
  constexpr int64_t large = int64_t{1} << 40;
  EXPECT_NE(error(of_six(0, {large, large}, {0, 0})), "");
  EXPECT_NE(error(of_six(0, {0, large, large}, {0, 0, 0})), "");
  EXPECT_NE(error(of_six(0, {large, 0, large}, {1, 1, 1})), "");
}

TEST(TorchFile, RepeatingAnElementTenThousandMillionTimesIsAnError) {
  EXPECT_EQ(error(of_six(0, {100'000, 100'000}, {0, 0})),
            "file: holds a tensor of 10000000000 elements in a storage that has 6 (tensor 'w')");
}

TEST(TorchFile, MoreDimensionsThanTorchHasAreAnError) {
  const std::vector<int64_t> ones(65, 1);
  EXPECT_NE(error(of_six(0, ones, ones)).find("65 dimensions"), std::string::npos);
  EXPECT_NE(error(of_six(0, {2, 3}, {1})).find("2 sizes and 1 stride"), std::string::npos);
}

TEST(TorchFile, StridesThatLeadNowhereAreReplaced) {
  constexpr int64_t huge = INT64_MAX;
  const auto strides = [](const std::string& file) { return read(file).tensors[0].strides; };
  EXPECT_EQ(strides(of_six(0, {1, 3, 1}, {huge, 2, huge})), (std::vector<int64_t>{3, 2, 1}));
  EXPECT_EQ(strides(of_six(0, {2, 0, 3}, {huge, huge, huge})), (std::vector<int64_t>{3, 3, 1}));
  const std::string file = of_six(0, {1, 3}, {huge, 2});
  EXPECT_EQ(values(read(file).tensors[0]), (std::vector<float>{1, 3, 5}));
}

TEST(TorchFile, AStorageRecordOfAnotherSizeIsAnError) {
  EXPECT_EQ(error(zip_with(vector_of(7))),
            "file: is damaged: record 'data/0' has 24 bytes where its storage has 28 (tensor 'w')");
  EXPECT_NE(error(zip_with(vector_of(INT64_MAX))).find("claims more than 2^64 bytes"),
            std::string::npos);
  EXPECT_NE(error(zip_with(vector_of(6, "1"))).find("has no record 'net/data/1'"),
            std::string::npos);
}

TEST(TorchFile, OldAndNewWaysToMakeATensorAreRead) {
  const std::string six = storage("FloatStorage", "0", 6);
  const std::string plain = tensor(six, 0, {6}, {1});
  const std::string utils = "torch._utils";
  const std::string untyped = tuple({text("storage"), global("torch.storage", "UntypedStorage"),
                                     text("0"), text("cpu"), integer(24)}) +
                              "Q";
  const std::string size = call(global("torch", "Size"), {integers({6})});
  for (const std::string& operations :
       {call(global(utils, "_rebuild_tensor"), {six, integer(0), integers({6}), integers({1})}),
        call(global(utils, "_rebuild_tensor_v2"),
             {six, integer(0), size, integers({1}), no, ordered_dict()}),
        call(global(utils, "_rebuild_tensor_v3"),
             {untyped, integer(0), integers({6}), integers({1}), no, ordered_dict(),
              global("torch", "float32")}),
        call(global(utils, "_rebuild_parameter"), {plain, no, ordered_dict()}),
        call(global(utils, "_rebuild_parameter_with_state"), {plain, no, ordered_dict(), none}),
        call(global("torch._tensor", "_rebuild_from_type_v2"),
             {global(utils, "_rebuild_parameter"), global("torch.nn.parameter", "Parameter"),
              tuple({plain, no, ordered_dict()}), empty_dict}),
        global("torch.nn.parameter", "Parameter") + tuple({plain}) + "\x81",
        global("torch.nn.parameter", "Parameter") + ")\x81" + tuple({plain, none, none}) + "b"}) {
    const std::string file = zip_with(operations);
    const WeightsFile weights = read(file);
    ASSERT_EQ(weights.tensors.size(), 1u);
    EXPECT_EQ(values(weights.tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
}

TEST(TorchFile, DamagedTensorsAreErrors) {
  const std::string six = storage("FloatStorage", "0", 6);
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  std::string nested = vector_of(6);
  for (int i = 0; i < 20; ++i) {
    nested = call(global("torch._utils", "_rebuild_parameter"), {nested});
  }
  for (const std::string& operations :
       {call(rebuild, {}), call(rebuild, {six}), call(rebuild, {text("a"), integer(0)}),
        call(rebuild, {six, integer(0), integer(6), integers({1})}),
        call(rebuild, {six, none, integers({6}), integers({1})}), nested,
        call(global("torch._utils", "_rebuild_parameter"), {text("no tensor")}),
        call(rebuild, {tuple({text("storage")}) + "Q", integer(0), integers({6}), integers({1})}),
        call(rebuild, {text("0") + "Q", integer(0), integers({6}), integers({1})})}) {
    const std::string said = error(zip_with(operations));
    EXPECT_NE(said.find("tensor 'w'"), std::string::npos) << said;
  }
}

// ---- names

TEST(TorchFile, AnyOtherNameIsRefusedAndNothingIsRun) {
  const TemporaryFolder folder;
  const std::string witness = (folder.path / "witness").string();
  const std::string attack = call(global("os", "system"), {text("touch " + witness)});
  const std::string said = error(torch_zip(dict({{"w", vector_of(6)}, {"x", attack}}), {}));
  EXPECT_NE(said.find("refers to 'os.system', which weights do not need, at byte "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find(" of record data.pkl; nothing was run"), std::string::npos) << said;
  EXPECT_FALSE(std::filesystem::exists(witness));
  for (const auto& [module, name] : Pairs{{"builtins", "eval"},
                                          {"posix", "system"},
                                          {"torch", "load"},
                                          {"torch.hub", "load"},
                                          {"__torch__", "Net"},
                                          {"torch._utils", "_rebuild_tensorx"},
                                          {"", ""},
                                          {"torch.nn.modules.linear", "Linear"},
                                          {"argparse", "Namespace"}}) {
    const std::string file = torch_zip(dict({{"w", global(module, name)}}), {});
    EXPECT_NE(error(file).find("'" + module + "." + name + "'"), std::string::npos) << error(file);
    const std::string old = legacy(dict({{"w", global(module, name)}}), {}, "");
    EXPECT_NE(error(old).find("'" + module + "." + name + "'"), std::string::npos) << error(old);
  }
}

TEST(TorchFile, TensorsOfAnUnsupportedKindAreNamed) {
  for (const auto& [module, name] : Pairs{{"torch._utils", "_rebuild_qtensor"},
                                          {"torch._utils", "_rebuild_sparse_tensor"},
                                          {"torch", "ComplexFloatStorage"},
                                          {"torch", "QInt8Storage"}}) {
    EXPECT_NE(error(zip_with(global(module, name)))
                  .find("holds tensors of a kind that is not supported: '" + module + "." + name),
              std::string::npos);
  }
}

TEST(TorchFile, NamesThatWouldConfuseATerminalAreEscaped) {
  EXPECT_NE(error(zip_with(global("a\x1b[2J", "b"))).find("'a\\x1b[2J.b'"), std::string::npos);
}

// ---- the state dict

std::string saved(const std::string& root) {
  return torch_zip(root, {{"0", one_to_six}, {"1", one_to_six}});
}

TEST(TorchFile, AWrappedStateDictIsFoundAndTheRestIsTold) {
  const std::string two = dict({{"a", vector_of(6)}, {"b", vector_of(6)}});
  const std::string six = dict({{"a", vector_of(6)}, {"b", vector_of(6)}, {"c", vector_of(6)}});
  const std::string moments = dict({{"m", vector_of(6)}, {"v", vector_of(6)}, {"x", vector_of(6)}});
  const std::string optimizer = dict({{"state", "}(" + integer(0) + moments + "u"}});
  for (const std::string key : {"state_dict", "model_state_dict", "model", "net", "weights",
                                "params_ema", "module", "my_own_name"}) {
    const std::string file =
        saved(dict({{"epoch", integer(90)}, {"optimizer", optimizer}, {key, two}}));
    const WeightsFile weights = read(file);
    EXPECT_EQ(weights.wrapped_in, key);
    EXPECT_EQ(weights.tensors.size(), 2u);
    EXPECT_EQ(weights.beside, (Pairs{{"epoch", "90"}, {"optimizer", "3 tensors"}}));
  }
  const std::string chosen = saved(dict({{"ema", six}, {"model", two}, {"note", text("a\nb")}}));
  EXPECT_EQ(read(chosen).wrapped_in, "model") << "a known name, though another dict has more";
  EXPECT_EQ(read(chosen).beside, (Pairs{{"ema", "3 tensors"}, {"note", "a\\x0ab"}}));
  const std::string most = saved(dict({{"discriminator", two}, {"generator", six}}));
  EXPECT_EQ(read(most).wrapped_in, "generator");
  const std::string nested =
      saved(dict({{"outer", dict({{"state_dict", two}, {"step", "K\x01"}})}}));
  EXPECT_EQ(read(nested).wrapped_in, "outer.state_dict");
  EXPECT_EQ(read(nested).beside, (Pairs{{"step", "1"}}));
}

TEST(TorchFile, AStateDictThatStandsInTwoPlacesIsFoundUnderTheLikelierKey) {
  const std::string shared = dict({{"a", vector_of(6)}}) + "q\x01";
  const std::string other = dict({{"b", vector_of(6)}});
  const std::string first =
      saved(dict({{"best", dict({{"last", shared}, {"model", other}})}, {"state_dict", "h\x01"}}));
  EXPECT_EQ(read(first).wrapped_in, "state_dict");
  EXPECT_EQ(read(first).tensors[0].name, "a");
  const std::string last =
      saved(dict({{"state_dict", shared}, {"best", dict({{"last", "h\x01"}, {"model", other}})}}));
  EXPECT_EQ(read(last).wrapped_in, "state_dict");
  const std::string unnamed =
      saved(dict({{"best", dict({{"last", shared}, {"model", other}})}, {"newest", "h\x01"}}));
  EXPECT_NE(error(unnamed).find("several state dicts of 1 tensor: 'best', 'newest'"),
            std::string::npos);
}

TEST(TorchFile, ADictMetAtTheDepthLimitIsFoundWhereItLiesHigher) {
  const std::string shared = dict({{"state_dict", dict({{"a", vector_of(6)}})}}) + "q\x01";
  std::string deep = shared;
  for (int i = 0; i < 3; ++i) deep = dict({{"x", deep}});
  const std::string file = saved(dict({{"deep", deep}, {"high", "h\x01"}}));
  EXPECT_EQ(read(file).wrapped_in, "high.state_dict");
}

TEST(TorchFile, AWayBackToADictThatHoldsTheStateDictIsNotTaken) {
  // d = {"model": {"back": d, "note": 1}, "a": tensor}
  const std::string back = "}q\x01(" + text("model") +
                           dict({{"back", "h\x01"}, {"note", "K\x01"}}) + text("a") + vector_of(6) +
                           "u";
  EXPECT_EQ(read(saved(back)).wrapped_in, "");
  EXPECT_EQ(read(saved(back)).tensors.size(), 1u);
  // d = {"model": d, "a": tensor}
  const std::string itself = "}q\x01(" + text("model") + "h\x01" + text("a") + vector_of(6) + "u";
  EXPECT_EQ(read(saved(itself)).wrapped_in, "");
}

TEST(TorchFile, StateDictsOfEqualSizeAreNotGuessed) {
  const std::string one = dict({{"a", vector_of(6)}});
  EXPECT_EQ(error(saved(dict({{"encoder", one}, {"decoder", one}}))),
            "file: holds several state dicts of 1 tensor: 'encoder', 'decoder'; save the one that "
            "is meant as 'state_dict'")
      << "pickled twice, so that they are two";
}

TEST(TorchFile, NamesStayAsTheyAre) {
  const std::string file = saved(dict({{"module.conv", vector_of(6)}, {"\xc3\xa4", vector_of(6)}}));
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.tensors[0].name, "module.conv");
  EXPECT_EQ(weights.tensors[1].name, "\xc3\xa4");
}

TEST(TorchFile, OneNameTwiceIsAnError) {
  EXPECT_EQ(error(saved(dict({{"a", vector_of(6)}, {"a", vector_of(6)}}))),
            "file: is damaged: key 'a' appears twice in one dict");
}

TEST(TorchFile, WhatIsNoStateDictIsDescribed) {
  const std::string expected = "; expected a dict of named tensors, as a model's state_dict() is";
  const auto said = [&](const std::string& root) { return error(saved(root)); };
  EXPECT_EQ(said(list({vector_of(6), vector_of(6)})),
            "file: holds a list of 2 with 2 tensors" + expected);
  EXPECT_EQ(said(vector_of(6)), "file: holds one tensor without a name" + expected);
  EXPECT_EQ(said("}"), "file: holds an empty dict" + expected);
  EXPECT_EQ(said(dict({{"epoch", "K\x01"}, {"x", list({vector_of(6)})}})),
            "file: holds a dict of 2 keys: 'epoch', 'x' with 1 tensor" + expected);
}

TEST(TorchFile, WhatStandsBesideIsCountedWithOneBudgetForAllKeys) {
  const std::string long_list = "(" + std::string(1'000'000, 'N') + "lq\x01";
  Pairs items = {{"few", list({vector_of(6), none})}, {"many", long_list}};
  for (int i = 0; i < 90; ++i) items.push_back({"again" + std::to_string(i), "h\x01"});
  items.push_back({"late", list({vector_of(6), none})});
  items.push_back({"model", dict({{"a", vector_of(6)}})});
  const WeightsFile weights = read(saved(dict(items)));
  EXPECT_EQ(weights.wrapped_in, "model");
  ASSERT_EQ(weights.beside.size(), 93u);
  EXPECT_EQ(weights.beside.front().second, "1 tensor");
  EXPECT_EQ(weights.beside[1].second, "a list of 1000000");
  EXPECT_EQ(weights.beside.back().second, "a list of 2") << "not counted any more";
}

TEST(TorchFile, ContainersThatHoldThemselvesEnd) {
  // d = {"model": d, "other": [d, tensor]}
  const std::string itself =
      "}q\x01(" + text("model") + "h\x01" + text("other") + "](h\x01" + vector_of(6) + "eu";
  EXPECT_NE(error(saved(itself)).find("a dict of 2 keys"), std::string::npos);
}

TEST(TorchFile, ADictInADictAHundredLevelsDeepSharedTwiceEachIsNotWalkedTwice) {
  std::string bomb = dict({{"w", vector_of(6)}}) + "q\x01";
  for (int i = 0; i < 100; ++i) {
    bomb = bomb + "0}q\x02(" + text("a") + "h\x01" + text("b") + "h\x01" + "u" + "q\x01";
  }
  EXPECT_NE(error(saved(bomb)).find("with 1 tensor"), std::string::npos);
}

// ---- zip

TEST(TorchFile, ATruncatedZipSaysWhatItLacks) {
  const std::string file = of_six(0, {6}, {1});
  for (size_t size = 4; size < file.size(); ++size) {
    const std::string said = error(file.substr(0, size));
    EXPECT_EQ(said.rfind("file: is cut short: ", 0), 0u) << size << ": " << said;
  }
  const size_t pickle_end = file.find("net/data/0") - 30;
  EXPECT_NE(error(file.substr(0, pickle_end)).find("its values alone need"), std::string::npos);
}

TEST(TorchFile, ZipsThatLieAreErrors) {
  const Record pickle_record = {"a/data.pkl", pickle(dict({{"w", vector_of(6)}}))};
  const Record last = {"a/last", std::string(100, 'x')};
  const auto said = [&](Record record) {
    return error(zip({pickle_record, std::move(record), last}));
  };
  const auto expect = [&](Record record, const std::string& what) {
    const std::string found = said(std::move(record));
    EXPECT_NE(found.find(what), std::string::npos) << found;
  };
  EXPECT_EQ(said({"a/data/0", one_to_six}), "");
  expect({"/etc/passwd", ""}, "leads out of the archive");
  expect({"a/../../x", ""}, "leads out of the archive");
  expect({"..", ""}, "leads out of the archive");
  expect({std::string("a\0b", 3), ""}, "leads out of the archive");
  expect({"", ""}, "leads out of the archive");
  expect(pickle_record, "appears twice");
  expect({"a/data/0", one_to_six, 8}, "expected record 'a/data/0' to be stored");
  expect({"a/data/0", one_to_six, 0, 1}, "is encrypted");
  expect({"a/data/0", one_to_six, 0, 0, 4}, "by the directory and 24 by its own header");
  expect({"a/data/0", one_to_six, 0, 0, 1'000'000}, "runs into the directory");
  expect({"a/data/0", one_to_six, 0, 0, -1'000'000}, "runs into the directory");
  expect({"a/data/0", one_to_six, 0, 0, 0, 0}, "has another name");
  expect({"a/data/0", one_to_six, 0, 0, 0, 7}, "does not begin at byte 7");
  expect({"a/data/0", one_to_six, 0, 0, 0, 0xfffffff0}, "does not begin at byte");
  expect({"a/data/0", one_to_six, 0, 0, 0, -1, "b"}, "has another name");
}

TEST(TorchFile, RecordsThatOverlapAreAnError) {
  // The second record lies inside the values of the first.
  const std::string inner = zip({{"a/b", ""}});
  const std::string hidden = inner.substr(0, inner.find("PK\x01\x02"));
  Record outer = {"a/data/0", hidden};
  const std::string head = zip({{"a/data/0", ""}});
  const auto begin = static_cast<int64_t>(head.find("PK\x01\x02"));
  const std::string said = error(zip({outer, {"a/b", "", 0, 0, 0, begin}}));
  EXPECT_NE(said.find("record 'a/b' overlaps record 'a/data/0'"), std::string::npos) << said;
}

TEST(TorchFile, ADamagedPickleIsFoundByItsChecksum) {
  std::string file = of_six(0, {6}, {1});
  file[file.find("storage")] ^= 1;
  EXPECT_NE(error(file).find("record 'net/data.pkl' does not have the checksum"),
            std::string::npos);
}

TEST(TorchFile, BigEndianFilesAreRefused) {
  const Record root = {"a/data.pkl", pickle(dict({{"w", vector_of(6)}}))};
  const Record data = {"a/data/0", one_to_six};
  EXPECT_EQ(error(zip({root, data, {"a/byteorder", "little"}})), "");
  EXPECT_NE(error(zip({root, data, {"a/byteorder", "big"}})).find("big-endian"), std::string::npos);
  EXPECT_NE(error(zip({root, data, {"a/byteorder", "x"}})).find("byte order 'x'"),
            std::string::npos);
  EXPECT_NE(error(magic + system_info(false) + pickle("}")).find("big-endian"), std::string::npos);
}

TEST(TorchFile, AZipThatIsNotOfTorchSaysSo) {
  EXPECT_NE(error(zip({{"word/document.xml", "<x/>"}})).find("not one of torch.save"),
            std::string::npos);
  const Record root = {"a/data.pkl", pickle("}")};
  EXPECT_NE(error(zip({root, {"b/data.pkl", "x"}})).find("found 2 among 2 records"),
            std::string::npos);
  EXPECT_NE(error(zip({})).find("zip archive"), std::string::npos);
}

// ---- TorchScript

std::string script_object(const std::string& type, const std::string& state) {
  return global("__torch__.net", type) + ")\x81" + state + "b";
}

std::string torchscript(const std::string& root) {
  return zip({{"a/data.pkl", pickle(root)},
              {"a/data/0", one_to_six},
              {"a/code/x.py", "deflated", 8},
              {"a/constants.pkl", pickle(")")}});
}

TEST(TorchFile, ModulesOfTorchScriptGiveDottedNames) {
  const std::string inner =
      script_object("Conv", dict({{"training", "\x88"}, {"weight", vector_of(6)}}));
  const std::string file = torchscript(script_object(
      "Net", dict({{"conv", inner}, {"scale", vector_of(6)}, {"list", list({"K\x01"})}})));
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.format, WeightsFormat::torchscript);
  ASSERT_EQ(weights.tensors.size(), 2u);
  EXPECT_EQ(weights.tensors[0].name, "scale") << "a module's own come first, as in a state dict";
  EXPECT_EQ(weights.tensors[1].name, "conv.weight");
}

TEST(TorchFile, TorchScriptThatHoldsItselfIsAnError) {
  const std::string itself =
      global("__torch__.net", "Net") + ")\x81q\x01" + dict({{"a", "h\x01"}, {"b", "h\x01"}}) + "b";
  EXPECT_NE(error(torchscript(itself)).find("is no TorchScript of a network"), std::string::npos);
  std::string bomb = script_object("Net", dict({{"w", vector_of(6)}})) + "q\x01";
  for (int i = 0; i < 60; ++i) {
    bomb = bomb + "0" + script_object("Net", dict({{"a", "h\x01"}, {"b", "h\x01"}})) + "q\x01";
  }
  EXPECT_NE(error(torchscript(bomb)).find("is no TorchScript of a network"), std::string::npos);
}

TEST(TorchFile, AFrozenModuleHasNoTensors) {
  EXPECT_NE(error(torchscript(script_object("Net", "}"))).find("before it is frozen"),
            std::string::npos);
}

// ---- the pickle stream

std::string six_floats() { return raw(int64_t{6}) + one_to_six; }

TEST(TorchFile, APickleStreamIsRead) {
  const std::string file = legacy(dict({{"w", vector_of(6, "b")}, {"v", vector_of(1, "a")}}),
                                  {"a", "b"}, raw(int64_t{1}) + floats({7}) + six_floats());
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.format, WeightsFormat::legacy_pickle);
  EXPECT_EQ(values(weights.tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values(weights.tensors[1]), (std::vector<float>{7}));
}

TEST(TorchFile, AStorageMayBeAViewOfAnother) {
  const auto file = [](int64_t begin, int64_t size) {
    const std::string view = tuple({text("v"), integer(begin), integer(size)});
    const std::string part = storage("FloatStorage", "0", 6, {view});
    return legacy(dict({{"w", tensor(part, 1, {2}, {1})}}), {"0"}, six_floats());
  };
  const std::string right = file(2, 3);
  EXPECT_EQ(values(read(right).tensors[0]), (std::vector<float>{4, 5}));
  EXPECT_NE(error(file(2, 2)).find("reaches to element 3 of a storage that has 2"),
            std::string::npos);
  EXPECT_NE(error(file(4, 3)).find("a view of storage '0' ends at byte 28 of 24"),
            std::string::npos);
  EXPECT_NE(error(file(INT64_MAX, 3)), "");
  EXPECT_NE(error(file(-1, 3)), "");
}

TEST(TorchFile, ATruncatedPickleStreamSaysWhatItLacks) {
  const std::string file = legacy(dict({{"w", vector_of(6)}}), {"0"}, six_floats());
  for (size_t size = 1; size < file.size(); ++size) {
    const std::string said = error(file.substr(0, size));
    EXPECT_EQ(said.rfind("file: is cut short: ", 0), 0u) << size << ": " << said;
  }
  EXPECT_NE(error(file.substr(0, file.size() - 10)).find("; 10 bytes missing"), std::string::npos);
}

TEST(TorchFile, PickleStreamsThatLieAreErrors) {
  const std::string root = dict({{"w", vector_of(6)}});
  const auto expect = [](const std::string& file, const std::string& what) {
    EXPECT_NE(error(file).find(what), std::string::npos) << error(file);
  };
  expect(pickle("}"), "not one of torch.save: expected its magic number, found an empty dict");
  expect(magic.substr(0, 15) + pickle("K\x05"), "expected protocol 1001, found the number 5");
  expect(legacy(root, {}, ""), "storage '0' is not in the file");
  expect(legacy(root, {"1"}, six_floats()), "to which nothing refers");
  expect(legacy(root, {"0", "0"}, six_floats() + six_floats()), "appears twice");
  expect(legacy(root, {"0"}, raw(int64_t{5}) + one_to_six),
         "storage '0' has 20 bytes where its tensors say 24");
  expect(legacy(root, {"0"}, raw(int64_t{-6}) + one_to_six), "has -6 elements");
  expect(legacy(root, {"0"}, raw(INT64_MAX) + one_to_six), "claims more than 2^64 bytes");
  expect(legacy(dict({{"w", vector_of(6)}, {"v", vector_of(5)}}), {"0"}, six_floats()),
         "has 24 bytes in one place and 20 in another");
  expect(legacy(dict({{"w", vector_of(int64_t{1} << 61)}}), {"0"}, ""), "is cut short");
}

// ---- tar

std::string tar_storage(int64_t key, int64_t elements, const std::string& bytes) {
  return pickle(tuple({integer(key), text("cpu"), global("torch", "FloatStorage")})) +
         raw(elements) + bytes;
}

std::string tar_tensor(int64_t key, int64_t storage, const std::vector<int64_t>& sizes,
                       const std::vector<int64_t>& strides, int64_t offset) {
  std::string numbers = raw(static_cast<uint32_t>(sizes.size())) + raw(uint32_t{0});
  for (const int64_t size : sizes) numbers += raw(size);
  for (const int64_t stride : strides) numbers += raw(stride);
  return pickle(tuple({integer(key), integer(storage), global("torch", "FloatTensor")})) + numbers +
         raw(offset);
}

std::string oldest(const std::string& storages, const std::string& tensors,
                   const std::string& root = dict({{"w", text("20") + "Q"}})) {
  return tar({{"sys_info", system_info()},
              {"pickle", pickle(root)},
              {"tensors", pickle("K\x01") + tensors},
              {"storages", pickle("K\x01") + storages}});
}

TEST(TorchFile, TheOldestFormIsRead) {
  const std::string file =
      oldest(tar_storage(10, 6, one_to_six) + pickle("]"), tar_tensor(20, 10, {2, 2}, {1, 3}, 1));
  const WeightsFile weights = read(file);
  EXPECT_EQ(weights.format, WeightsFormat::tar);
  EXPECT_EQ(values(weights.tensors[0]), (std::vector<float>{2, 5, 3, 6}));
}

TEST(TorchFile, ViewsOfStoragesInTheOldestForm) {
  const auto file = [](int64_t begin, int64_t size) {
    const std::string view = tuple({integer(11), integer(10), integer(begin), integer(size)});
    return oldest(tar_storage(10, 6, one_to_six) + pickle(list({view})),
                  tar_tensor(20, 11, {2}, {1}, 0));
  };
  const std::string right = file(3, 2);
  EXPECT_EQ(values(read(right).tensors[0]), (std::vector<float>{4, 5}));
  EXPECT_NE(error(file(5, 2)).find("a view ends at byte 28"), std::string::npos);
  EXPECT_NE(error(file(3, 1)).find("reaches to element 2"), std::string::npos);
}

TEST(TorchFile, OldestFormsThatLieAreErrors) {
  const std::string storages = tar_storage(10, 6, one_to_six) + pickle("]");
  const auto expect = [](const std::string& file, const std::string& what) {
    EXPECT_NE(error(file).find(what), std::string::npos) << error(file);
  };
  expect(oldest(storages, tar_tensor(20, 10, {7}, {1}, 0)), "reaches to element 7");
  expect(oldest(storages, tar_tensor(20, 10, {-1}, {1}, 0)), "2^");
  expect(oldest(storages, tar_tensor(20, 10, {1}, {1}, -1)), "2^64");
  expect(oldest(storages, tar_tensor(20, 9, {1}, {1}, 0)), "refers to storage 9, which it lacks");
  expect(oldest(storages, tar_tensor(21, 10, {1}, {1}, 0)), "refers to tensor the text '20'");
  expect(oldest(tar_storage(10, -1, one_to_six), ""), "has -1 elements");
  expect(oldest(tar_storage(10, 1'000'000'000, one_to_six), ""), "is cut short");
  const std::string about = pickle(tuple({integer(20), integer(10), none}));
  expect(oldest(storages, about + raw(uint64_t{0x7fffffff}) + "x"), "is cut short");
  expect(tar({{"sys_info", system_info()}}), "it has no record 'storages'");
  expect(tar({{"a", ""}, {"a", ""}}), "file 'a' appears twice");
  expect(tar({{"sys_info", system_info(false)}}), "big-endian");
}

TEST(TorchFile, TheOldestFormHasNoMoreDimensionsThanTheOthers) {
  const std::string storages = tar_storage(10, 6, one_to_six) + pickle("]");
  std::vector<int64_t> sizes(64, 1);
  sizes[0] = 3;
  const std::string most =
      oldest(storages, tar_tensor(20, 10, sizes, std::vector(64, int64_t{2}), 0));
  EXPECT_EQ(values(read(most).tensors[0]), (std::vector<float>{1, 3, 5}));
  sizes.resize(2'000'000, 1);
  EXPECT_EQ(error(oldest(storages, tar_tensor(20, 10, sizes, sizes, 0))),
            "file: holds a tensor of 2000000 dimensions; expected at most 64 (tensor 'w')");
}

TEST(TorchFile, ATruncatedTarSaysByHowMuch) {
  const std::string file =
      oldest(tar_storage(10, 6, one_to_six) + pickle("]"), tar_tensor(20, 10, {6}, {1}, 0));
  const size_t end = file.find(one_to_six) + one_to_six.size();
  for (size_t size = 512; size < end; ++size) {
    const std::string said = error(file.substr(0, size));
    const bool told = said.find("is cut short") != std::string::npos ||
                      said.find("it has no record") != std::string::npos;
    EXPECT_TRUE(told) << size << ": " << said;
  }
}

}  // namespace
}  // namespace convscope
