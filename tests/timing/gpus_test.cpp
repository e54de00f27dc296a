// What NVIDIA's driver writes about itself, made up after its form.
#include "suite/timing/gpus.h"

#include <gtest/gtest.h>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

constexpr const char* information =
    "Model: \t\t NVIDIA H200 \n"
    "IRQ:   \t\t 139\n"
    "GPU UUID: \t GPU-0c8f4d0a-0000-1111-2222-333344445555\n"
    "Video BIOS: \t 96.00.bc.00.01\n"
    "Bus Type: \t PCIe\n"
    "Device Minor: \t 0\n";

void put_gpu(const std::filesystem::path& folder, const std::string& address,
             const std::string& text) {
  std::filesystem::create_directories(folder / "gpus" / address);
  put(folder / "gpus" / address / "information", text);
}

TEST(Gpus, AreTheModelsInTheOrderOfTheirAddresses) {
  const TemporaryFolder folder;
  put_gpu(folder.path, "0000:9b:00.0", "Model: \t\t Tesla T4\nIRQ: 5\n");
  put_gpu(folder.path, "0000:1b:00.0", information);
  EXPECT_EQ(gpus_of(folder.path).models, (std::vector<std::string>{"NVIDIA H200", "Tesla T4"}));
}

TEST(Gpus, OneThatDoesNotSayWhatItIsCounts) {
  const TemporaryFolder folder;
  put_gpu(folder.path, "0000:1b:00.0", "IRQ: 5\nOld Model: 3\n");
  EXPECT_EQ(gpus_of(folder.path).models, std::vector<std::string>{"unknown"});
}

TEST(Gpus, TheDriversVersionIsFoundInBothItsForms) {
  const TemporaryFolder folder;
  put(folder.path / "version",
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"
      "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
  EXPECT_EQ(gpus_of(folder.path).driver, "550.54.15");
  put(folder.path / "version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86  Release Build  "
      "(someone@a1) "
      " Sat Aug 19 01:15:15 UTC 2023\nGCC version:  gcc version 11.4.0\n");
  EXPECT_EQ(gpus_of(folder.path).driver, "570.86");
  put(folder.path / "version", "GCC version:  gcc version 11.4.0\n");
  EXPECT_EQ(gpus_of(folder.path).driver, "");
}

TEST(Gpus, WithoutADriverThereAreNone) {
  const TemporaryFolder folder;
  const Gpus none = gpus_of(folder.path / "nvidia");
  EXPECT_TRUE(none.models.empty());
  EXPECT_EQ(none.driver, "");
}

TEST(Gpus, EqualOnesAreCounted) {
  EXPECT_EQ(names_of({}), "");
  EXPECT_EQ(names_of({"NVIDIA H200"}), "NVIDIA H200");
  EXPECT_EQ(names_of({"A", "A", "A", "B", "A"}), "3 x A, B, A");
}

TEST(Gpus, VersionsAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(cuda_version(12040), "12.4");
  EXPECT_EQ(cuda_version(11080), "11.8");
  EXPECT_EQ(cudnn_version(8907), "8.9.7");
  EXPECT_EQ(cudnn_version(90100), "9.1.0");
  EXPECT_EQ(cudnn_version(91002), "9.10.2");
}

}  // namespace
}  // namespace convscope
