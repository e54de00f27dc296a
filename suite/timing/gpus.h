// Which GPUs a machine has, as NVIDIA's driver tells it in /proc: without CUDA, and without torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convscope {

/// What the driver tells. Empty where there is no driver or it keeps this to itself.
struct Gpus {
  std::vector<std::string> models;  ///< of each, by its address: "NVIDIA H200"
  std::string driver;               ///< "550.54.15"
};
Gpus gpus_of(const std::filesystem::path& driver_folder = "/proc/driver/nvidia");

/// "2 x NVIDIA H200, NVIDIA T4".
std::string names_of(const std::vector<std::string>& models);

/// "12.4" of the 12040 that CUDA calls its version.
std::string cuda_version(int64_t number);

/// "8.9.7" of 8907, "9.1.0" of 90100: cuDNN has counted differently since 9.
std::string cudnn_version(int64_t number);

}  // namespace convscope
