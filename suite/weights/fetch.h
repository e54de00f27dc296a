// Published weights, from their address into the user's cache: a download that was cut is resumed,
// its SHA-256 is checked, and under its final name a file is whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "suite/weights/published.h"

namespace convscope {

struct FetchOptions {
  std::filesystem::path folder;  ///< empty: cache_folder("weights")
  std::string url;               ///< instead of the published one: a mirror's
  /// Bytes that are there, of how many; 0: the server does not say. What it throws stops the
  /// download, keeps the bytes and comes out of fetch().
  std::function<void(int64_t done, int64_t total)> progress;
  int attempts = 5;        ///< that may break off before they bring a MiB
  double pause_s = 1;      ///< before the second attempt; doubles each time
  int64_t stalled_s = 30;  ///< without a byte, after which an attempt is given up
  int64_t connect_s = 20;  ///< for name, connection and handshake
};

/// What a download would do.
struct FetchPlan {
  std::string url;
  std::filesystem::path path;
  std::filesystem::path part;  ///< where bytes wait until they are all there
  int64_t part_bytes = 0;      ///< there already, from a download that was cut
  bool there = false;          ///< `path` is there; only fetch() looks whether its hash is right
};

struct Fetched {
  std::filesystem::path path;
  std::string sha256;
  int64_t received = 0;  ///< bytes; 0: the file was in the cache
};

FetchPlan plan_fetch(const PublishedWeights& weights, const FetchOptions& options = {});

/// "would download URL to PATH; 1234 bytes are there already".
std::string to_string(const FetchPlan& plan);

/// Returns at once if the cache has the file. A second process that wants the same file waits for
/// the first. Throws std::runtime_error for what the network did, std::invalid_argument for what
/// the user can mend here: the folder, the disk.
Fetched fetch(const PublishedWeights& weights, const FetchOptions& options = {});

}  // namespace convscope
