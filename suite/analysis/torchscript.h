// A network of somebody else's: the TorchScript file that Python's torch.jit.script or
// torch.jit.trace saves, as an Architecture that every instrument takes.
#pragma once

#include <memory>
#include <string>

#include "architectures/architecture.h"

namespace convscope {

/// The `build` of such a network.
struct ScriptReader {
  std::string file;
  std::shared_ptr<Network> operator()(const Settings& settings) const;
};

/// The network of a file, named as the file is ("net.pt"). Reads nothing: build() does, and gives
/// it with the weights that it has there. Its settings say nothing yet, see script_image().
Architecture scripted_network(const std::string& file);

/// Of scripted_network(); "" for a network of the catalogue.
inline std::string script_file(const Architecture& network) {
  const auto* reader = network.build.target<ScriptReader>();
  return reader ? reader->file : "";
}

/// 224x224 pixels of as many channels as the network's first convolution takes, 3 where something
/// else sees the images first. Throws std::invalid_argument for what is no TorchScript file, what
/// this LibTorch cannot read, and for a network that takes something else than a batch of images.
ImageShape script_image(const Architecture& network);

}  // namespace convscope
