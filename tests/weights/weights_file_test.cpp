#include "suite/weights/weights_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/report/temporary_folder.h"
#include "tests/weights/made_files.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

const fs::path shared_data = fs::path(CONVSCOPE_SHARED) / "data";
const fs::path shared_weights = shared_data / "weights";

std::string error_of(const fs::path& path) {
  return message_of<std::invalid_argument>([&] { read_weights(path); });
}

std::string bytes_of_values(const StoredTensor& tensor) {
  std::string result(static_cast<size_t>(tensor.elements() * bytes_of(tensor.type)), '\0');
  copy_values(tensor, result.data());
  return result;
}

StoredTensor tensor_in(const std::string& name, ScalarType type, const std::vector<int64_t>& shape,
                       const std::vector<int64_t>& strides, const std::string& bytes) {
  return {name, type, shape, strides, reinterpret_cast<const std::byte*>(bytes.data())};
}

int64_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

struct WeightsFileTest : testing::Test {
  TemporaryFolder folder;
  fs::path path = folder.path / "weights";
};

// ---- what is no file of weights

TEST_F(WeightsFileTest, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(error_of(path), path.string() + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of(folder.path),
            folder.path.string() + ": is a folder; expected a file of weights");
  put(path, "");
  EXPECT_EQ(error_of(path), path.string() + ": is empty; expected a file of weights");
  const fs::path pipe = folder.path / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error_of(pipe), pipe.string() + ": is not a regular file; expected a file of weights");
}

TEST_F(WeightsFileTest, AStrangerIsKnownByItsFirstBytes) {
  const auto expect = [&](const std::string& bytes, const std::string& what) {
    put(path, bytes);
    EXPECT_EQ(error_of(path), path.string() + ": " + what +
                                  "; expected a file of torch.save, torch.jit.save or safetensors");
  };
  expect("<!DOCTYPE html>", "is a page of the web or XML; the download went wrong");
  expect("version https://git-lfs.github.com/spec/v1\n",
         "is a pointer of Git LFS; fetch the file itself");
  expect("\x1f\x8b\x08", "is compressed by gzip; unpack it first");
  expect("\x89HDF\r\n\x1a\n", "is HDF5, as Keras writes it");
  expect("hello\x1b[2J", "begins with 'hello\\x1b[2'");
  expect("x", "begins with 'x'");
}

// ---- real files

struct RealFile {
  std::string name;
  WeightsFormat format;
  std::string wrapped_in;
  size_t tensors;
  int64_t elements;
  std::string first_name;
};

std::ostream& operator<<(std::ostream& out, const RealFile& file) { return out << file.name; }

struct RealFileTest : testing::TestWithParam<RealFile> {};

TEST_P(RealFileTest, IsReadWithAllItsTensors) {
  const RealFile& expected = GetParam();
  if (!fs::exists(shared_data)) GTEST_SKIP() << "no folder " << shared_data;
  const WeightsFile file = read_weights(shared_weights / expected.name);
  EXPECT_EQ(file.format, expected.format);
  EXPECT_EQ(file.wrapped_in, expected.wrapped_in);
  EXPECT_EQ(file.tensors.size(), expected.tensors);
  EXPECT_EQ(file.tensors.at(0).name, expected.first_name);
  int64_t elements = 0;
  for (const StoredTensor& tensor : file.tensors) {
    elements += tensor.elements();
    const std::string values = bytes_of_values(tensor);
    if (tensor.type != ScalarType::float32) continue;
    for (size_t at = 0; at < values.size(); at += 4) {
      float value = 0;
      std::memcpy(&value, values.data() + at, sizeof value);
      ASSERT_TRUE(std::isfinite(value)) << tensor.name;
    }
  }
  EXPECT_EQ(elements, expected.elements);
}

// Counts from torch.load.
INSTANTIATE_TEST_SUITE_P(
    Shared, RealFileTest,
    testing::Values(RealFile{"lenet_mnist_model.pth", WeightsFormat::zip, "", 8, 21840,
                             "conv1.weight"},
                    RealFile{"mobilenetV1X0.25_pretrain.pth.tar", WeightsFormat::legacy_pickle,
                             "state_dict", 164, 475571, "module.stage1.0.0.weight"},
                    RealFile{"mobilenet_v2-from-qnnpack-int8.legacy.pth",
                             WeightsFormat::legacy_pickle, "", 314, 3539036, "features.0.0.weight"},
                    RealFile{"mobilenet_v2-from-qnnpack-int8.zip.pth", WeightsFormat::zip, "", 314,
                             3539036, "features.0.0.weight"},
                    RealFile{"squeezenet1_0-from-deep-compression.zip.pth", WeightsFormat::zip, "",
                             52, 1248424, "features.0.weight"},
                    RealFile{"resnet20-12fca82f.th", WeightsFormat::legacy_pickle, "state_dict", 97,
                             271098, "module.conv1.weight"},
                    RealFile{"resnet56-4bfd9763.th", WeightsFormat::legacy_pickle, "state_dict",
                             277, 857082, "module.conv1.weight"}));

TEST(RealFiles, TwoFormsOfTheSameTensorsAreEqual) {
  if (!fs::exists(shared_data)) GTEST_SKIP() << "no folder " << shared_data;
  const WeightsFile zip = read_weights(shared_weights / "mobilenet_v2-from-qnnpack-int8.zip.pth");
  const WeightsFile old =
      read_weights(shared_weights / "mobilenet_v2-from-qnnpack-int8.legacy.pth");
  ASSERT_EQ(zip.tensors.size(), old.tensors.size());
  for (size_t i = 0; i < zip.tensors.size(); ++i) {
    EXPECT_EQ(zip.tensors[i].name, old.tensors[i].name);
    EXPECT_EQ(zip.tensors[i].shape, old.tensors[i].shape);
    EXPECT_EQ(bytes_of_values(zip.tensors[i]), bytes_of_values(old.tensors[i]));
  }
}

TEST(RealFiles, WhatStandsBesideIsTold) {
  if (!fs::exists(shared_data)) GTEST_SKIP() << "no folder " << shared_data;
  const WeightsFile file = read_weights(shared_weights / "mobilenetV1X0.25_pretrain.pth.tar");
  EXPECT_EQ(file.beside,
            (std::vector<std::pair<std::string, std::string>>{{"epoch", "24"},
                                                              {"arch", "resnet18"},
                                                              {"best_acc1", "1 tensor"},
                                                              {"optimizer", "83 tensors"}}));
}

TEST(RealFiles, TruncatedOnesSayByHowMuch) {
  if (!fs::exists(shared_data)) GTEST_SKIP() << "no folder " << shared_data;
  const fs::path cut = shared_weights / "truncated";
  const std::string tar = (cut / "resnet18-5c106cde.TRUNCATED.pth").string();
  EXPECT_EQ(error_of(tar), tar +
                               ": is cut short: its record 'storages' ends at byte 46822653, the "
                               "file at byte 1048576; 45774077 bytes missing");
  const std::string zip = (cut / "resnet18-f37072fd.TRUNCATED.pth").string();
  EXPECT_EQ(error_of(zip),
            zip +
                ": is cut short: a zip archive ends with its directory, which is missing; its "
                "values alone need 46809656 bytes, the file has 579901; at least 46229755 missing");
}

// ---- memory

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST_F(WeightsFileTest, ReleasedValuesLeaveMemoryAndAreReadAgainFromTheFile) {
  constexpr int64_t size = 16 << 20;
  const std::string values(size, 'x');
  write_torch_zip(path, {tensor_in("w", ScalarType::uint8, {size}, {1}, values)});
  const WeightsFile file = read_weights(path);
  std::string copy(size, '\0');
  copy_values(file.tensors[0], copy.data());
  const int64_t before = resident_bytes();
  release_values(file.tensors[0]);
  EXPECT_LT(resident_bytes(), before - size * 3 / 4);
  copy_values(file.tensors[0], copy.data());
  EXPECT_EQ(copy, values);
}

TEST_F(WeightsFileTest, ValuesInMemoryAreNotGivenUp) {
  const std::string values(1 << 20, 'x');
  release_values(tensor_in("w", ScalarType::uint8, {1 << 20}, {1}, values));
  EXPECT_EQ(values, std::string(1 << 20, 'x'));
}

TEST_F(WeightsFileTest, TensorsOutliveTheStructIfTheOwnerIsKept) {
  const std::string values = made::floats({1, 2, 3});
  write_safetensors(path, {tensor_in("w", ScalarType::float32, {3}, {1}, values)});
  StoredTensor tensor;
  std::shared_ptr<const void> owner;
  {
    const WeightsFile file = read_weights(path);
    tensor = file.tensors[0];
    owner = file.owner;
  }
  fs::remove(path);
  EXPECT_EQ(bytes_of_values(tensor), values);
}

TEST_F(WeightsFileTest, ABoolIsZeroOrOneWhateverTheFileHolds) {
  const std::string bytes = {0, 1, 2, '\xff'};
  EXPECT_EQ(bytes_of_values(tensor_in("b", ScalarType::boolean, {4}, {1}, bytes)),
            std::string({0, 1, 1, 1}));
}

TEST(StoredTensors, ContiguousStridesSkipWholeDimensionsAlsoWhereTheyAreEmpty) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (std::vector<int64_t>{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({2, 0, 4}), (std::vector<int64_t>{4, 4, 1}));
  EXPECT_EQ(contiguous_strides({}), std::vector<int64_t>{});
}

TEST(StoredTensors, AnEmptyTensorWithContiguousStridesIsContiguous) {
  const std::string none;
  EXPECT_TRUE(
      tensor_in("w", ScalarType::float32, {3, 0}, contiguous_strides({3, 0}), none).contiguous());
}

// ---- the writers

enum class Writer { zip, safetensors };

struct WriterTest : testing::TestWithParam<Writer> {
  TemporaryFolder folder;
  fs::path path = folder.path / "written";
  void write(const std::vector<StoredTensor>& tensors, const fs::path& to) const {
    GetParam() == Writer::zip ? write_torch_zip(to, tensors) : write_safetensors(to, tensors);
  }
};

INSTANTIATE_TEST_SUITE_P(Both, WriterTest, testing::Values(Writer::zip, Writer::safetensors));

TEST_P(WriterTest, ReadsBackWhatItWrote) {
  std::string bytes(24 * 8, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  std::vector<StoredTensor> tensors;
  for (int i = 0; i <= static_cast<int>(ScalarType::boolean); ++i) {
    const auto type = static_cast<ScalarType>(i);
    tensors.push_back(tensor_in(to_string(type), type, {2, 3, 4}, {12, 4, 1}, bytes));
    tensors.push_back(tensor_in(to_string(type) + ".t", type, {4, 3, 2}, {1, 4, 12}, bytes));
  }
  tensors.push_back(tensor_in("scalar", ScalarType::float64, {}, {}, bytes));
  tensors.push_back(tensor_in("none", ScalarType::float32, {0, 3}, {3, 1}, bytes));
  tensors.push_back(tensor_in("\"\\\n\xc3\xa4", ScalarType::int8, {1}, {1}, bytes));
  tensors.push_back(tensor_in("", ScalarType::int8, {1}, {1}, bytes));
  write(tensors, path);
  const WeightsFile file = read_weights(path);
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(file.tensors[i].name, tensors[i].name);
    EXPECT_EQ(file.tensors[i].type, tensors[i].type);
    EXPECT_EQ(file.tensors[i].shape, tensors[i].shape);
    EXPECT_TRUE(file.tensors[i].contiguous());
    EXPECT_EQ(bytes_of_values(file.tensors[i]), bytes_of_values(tensors[i])) << tensors[i].name;
  }
  EXPECT_EQ(files_in(folder.path), 1);
}

TEST_P(WriterTest, TheSameTensorsAreTheSameBytes) {
  const std::string bytes = made::floats({1, 2});
  const std::vector<StoredTensor> tensors = {tensor_in("w", ScalarType::float32, {2}, {1}, bytes)};
  write(tensors, path);
  const std::string first = contents(path);
  write(tensors, path);
  EXPECT_EQ(contents(path), first);
}

TEST_P(WriterTest, OneNameTwiceIsAnError) {
  const std::string bytes(4, 'x');
  const StoredTensor tensor = tensor_in("w", ScalarType::int8, {4}, {1}, bytes);
  EXPECT_EQ(message_of<std::invalid_argument>([&] {
              write({tensor, tensor}, path);
            }),
            path.string() + ": cannot be written: two tensors are called 'w'");
  EXPECT_TRUE(fs::is_empty(folder.path));
}

TEST_P(WriterTest, APathThatCannotBeWrittenSaysWhy) {
  const fs::path nowhere = folder.path / "none" / "w";
  EXPECT_EQ(message_of<std::invalid_argument>([&] { write({}, nowhere); }),
            nowhere.string() + ": cannot be written: No such file or directory");
  fs::create_directory(path);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { write({}, path); }),
            path.string() + ": cannot be written: it is a folder");
  EXPECT_EQ(files_in(folder.path), 1);
}

TEST_P(WriterTest, AFullDiskLeavesTheOldFileAndNoUnfinishedOne) {
  // A limit on the size of files, in a process of its own, is as good as a full disk.
  put(path, "old");
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string bytes(200'000, 'x');
    const std::string said = message_of<std::invalid_argument>(
        [&] { write({tensor_in("w", ScalarType::uint8, {200'000}, {1}, bytes)}, path); });
    _exit(said == path.string() + ": cannot be written: File too large" ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child's message was another one";
  EXPECT_EQ(contents(path), "old");
  EXPECT_EQ(files_in(folder.path), 1);
}

TEST_F(WeightsFileTest, RecordsOfAZipBeginAtMultiplesOf64) {
  const std::string bytes(1000, 'x');
  std::vector<StoredTensor> tensors;
  for (int i = 1; i < 200; ++i) {
    tensors.push_back(tensor_in("w" + std::to_string(i), ScalarType::uint8, {i}, {1}, bytes));
  }
  write_torch_zip(path, tensors);
  const WeightsFile file = read_weights(path);
  for (const StoredTensor& tensor : file.tensors) {
    // A mapping begins at a page.
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % 64, 0u) << tensor.name;
  }
}

TEST_F(WeightsFileTest, MoreRecordsThanAZipCouldOnceHold) {
  const std::string byte = "x";
  std::vector<StoredTensor> tensors;
  for (int i = 0; i < 70'000; ++i) {
    tensors.push_back(tensor_in(std::to_string(i), ScalarType::uint8, {1}, {1}, byte));
  }
  write_torch_zip(path, tensors);
  EXPECT_EQ(read_weights(path).tensors.size(), 70'000u);
}

TEST_F(WeightsFileTest, SafetensorsMetadataComeBack) {
  const std::string byte = "x";
  const std::vector<StoredTensor> tensors = {tensor_in("w", ScalarType::uint8, {1}, {1}, byte)};
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"},
                                                                     {"epoch", "\"3\""}};
  write_safetensors(path, tensors, metadata);
  EXPECT_EQ(read_weights(path).beside, metadata);
  uint64_t header = 0;
  std::memcpy(&header, contents(path).data(), sizeof header);
  EXPECT_EQ(header % 8, 0u);
}

TEST_F(WeightsFileTest, WhatSafetensorsCannotHoldIsAnError) {
  const std::string byte = "x";
  const auto error_with = [&](const std::string& name,
                              const std::vector<std::pair<std::string, std::string>>& metadata) {
    return message_of<std::invalid_argument>([&] {
      write_safetensors(path, {tensor_in(name, ScalarType::uint8, {1}, {1}, byte)}, metadata);
    });
  };
  const std::string start = path.string() + ": cannot be written: ";
  EXPECT_EQ(error_with("a\xff", {}), start + "safetensors needs UTF-8, found 'a\xff'");
  EXPECT_EQ(error_with("__metadata__", {}), start + "safetensors has no tensor '__metadata__'");
  EXPECT_EQ(error_with("w", {{"a", "1"}, {"a", "2"}}), start + "the metadata have 'a' twice");
  EXPECT_TRUE(fs::is_empty(folder.path));
}

}  // namespace
}  // namespace convscope
