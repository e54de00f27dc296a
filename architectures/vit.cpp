// Vision Transformer: an image as a sequence of patches, which attend to each other.
// Dosovitskiy, Beyer, Kolesnikov, Weissenborn, Zhai, Unterthiner, Dehghani, Minderer, Heigold,
// Gelly, Uszkoreit, Houlsby, "An image is worth 16x16 words: transformers for image recognition at
// scale", 2020.
#include <cmath>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// Multi-head self-attention. LibTorch's own module takes the tokens before the images, and keeps
/// weights of its own for the rest.
/// Vaswani et al., "Attention is all you need", 2017.
struct SelfAttention : Module {
  int64_t heads;
  torch::Tensor in_proj_weight, in_proj_bias;
  Linear out_proj;

  SelfAttention(int64_t width, int64_t head_count)
      : heads(head_count),
        in_proj_weight(register_parameter("in_proj_weight", torch::empty({3 * width, width}))),
        in_proj_bias(register_parameter("in_proj_bias", torch::zeros(3 * width))),
        out_proj(register_module("out_proj", Linear(width, width))) {
    init::xavier_uniform_(in_proj_weight);
    init::zeros_(out_proj->bias);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const int64_t images = x.size(0), tokens = x.size(1), width = x.size(2);
    const torch::Tensor of_heads = functional::linear(x, in_proj_weight, in_proj_bias)
                                       .view({images, tokens, 3, heads, width / heads})
                                       .permute({2, 0, 3, 1, 4});
    const torch::Tensor query = of_heads[0] / std::sqrt(static_cast<double>(width / heads));
    const torch::Tensor key = of_heads[1], value = of_heads[2];
    const torch::Tensor attention = torch::softmax(query.matmul(key.transpose(-2, -1)), -1);
    return out_proj(attention.matmul(value).transpose(1, 2).reshape({images, tokens, width}));
  }
};

struct EncoderLayer : Module {
  LayerNorm ln_1;
  std::shared_ptr<SelfAttention> self_attention;
  LayerNorm ln_2;
  Sequential mlp;

  EncoderLayer(int64_t width, int64_t heads, int64_t mlp_width)
      : ln_1(register_module("ln_1", LayerNorm(layer_norm(width)))),
        self_attention(
            register_module("self_attention", std::make_shared<SelfAttention>(width, heads))),
        ln_2(register_module("ln_2", LayerNorm(layer_norm(width)))),
        // torchvision's Dropout of 0 keeps the second layer's name.
        mlp(register_module("mlp", Sequential(Linear(width, mlp_width), GELU(), Dropout(0.0),
                                              Linear(mlp_width, width)))) {
    for (const auto& layer : mlp->children()) {
      auto* linear = layer->as<Linear>();
      if (!linear) continue;
      init::xavier_uniform_(linear->weight);
      init::normal_(linear->bias, 0, 1e-6);
    }
  }

  torch::Tensor forward(torch::Tensor x) {
    x = self_attention->forward(ln_1(x)) + x;
    return x + mlp->forward(ln_2(x));
  }
};

struct Encoder : Module {
  torch::Tensor pos_embedding;
  Sequential layers;
  LayerNorm ln;

  Encoder(int64_t tokens, int64_t width)
      : pos_embedding(
            register_parameter("pos_embedding", torch::empty({1, tokens, width}).normal_(0, 0.02))),
        layers(register_module("layers", Sequential())),
        ln(register_module("ln", LayerNorm(layer_norm(width)))) {}
};

/// A row of the paper's Table 1, with the side of a patch, which it has in the name.
struct VisionTransformerSize {
  int64_t patch, layers, width, mlp_width, heads;
};

struct VisionTransformer : StagedNetwork {
  torch::Tensor class_token;
  Conv2d conv_proj;
  std::shared_ptr<Encoder> encoder;
  Sequential heads;

  VisionTransformer(const Settings& to, const VisionTransformerSize& form)
      : class_token(register_parameter("class_token", torch::zeros({1, 1, form.width}))),
        conv_proj(register_module(
            "conv_proj",
            Conv2d(Conv2dOptions(to.image.channels, form.width, form.patch).stride(form.patch)))),
        encoder(register_module(
            "encoder", std::make_shared<Encoder>(patches(to.image, form.patch) + 1, form.width))),
        heads(register_module("heads", Sequential())) {
    for (int64_t i = 0; i < form.layers; ++i) {
      encoder->layers->push_back("encoder_layer_" + std::to_string(i),
                                 EncoderLayer(form.width, form.heads, form.mlp_width));
    }
    const Linear head(form.width, to.classes);
    heads->push_back("head", head);
    // As torchvision does: trunc_normal_, whose ends at 2 and -2 are a long way outside.
    const int64_t fan_in = to.image.channels * form.patch * form.patch;
    init::normal_(conv_proj->weight, 0, std::sqrt(1 / static_cast<double>(fan_in)));
    init::zeros_(conv_proj->bias);
    init::zeros_(head->weight);
    init::zeros_(head->bias);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all = {{"stem", [this](const torch::Tensor& x) { return tokens(x); }}};
    const size_t layers = encoder->layers->size();
    for (size_t i = 0; i < layers; ++i) {
      all.push_back({"encoder_layer_" + std::to_string(i), [=](torch::Tensor x) {
                       x = forward_part(encoder->layers, i, i + 1, x);
                       return i + 1 < layers ? x : encoder->ln(x).select(1, 0);
                     }});
    }
    all.push_back({"head", [this](const torch::Tensor& x) { return heads->forward(x); }});
    return all;
  }

  /// Images x tokens x width: that of the class, and one for each patch.
  torch::Tensor tokens(const torch::Tensor& images) {
    const torch::Tensor patches = conv_proj(images).flatten(2).permute({0, 2, 1});
    const torch::Tensor of_class = class_token.expand({images.size(0), -1, -1});
    return torch::cat({of_class, patches}, 1) + encoder->pos_embedding;
  }

  static int64_t patches(const ImageShape& image, int64_t side) {
    if (image.height % side != 0 || image.width % side != 0) {
      throw std::invalid_argument(
          c10::str("a vision transformer takes images whose sides are multiples of ", side,
                   ", the side of its patches, not ", image.height, "x", image.width));
    }
    return image.height / side * (image.width / side);
  }
};

}  // namespace

std::vector<Architecture> families::vit() {
  const std::string paper = "Dosovitskiy et al. 2020";
  const auto base = [](int64_t patch) {
    return build<VisionTransformer>(VisionTransformerSize{patch, 12, 768, 3072, 12});
  };
  const auto large = [](int64_t patch) {
    return build<VisionTransformer>(VisionTransformerSize{patch, 24, 1024, 4096, 16});
  };
  return {
      {"vit_b_16", 2020, paper, "torchvision", imagenet, base(16)},
      {"vit_b_32", 2020, paper, "torchvision", imagenet, base(32)},
      {"vit_l_16", 2020, paper, "torchvision", imagenet, large(16)},
      {"vit_l_32", 2020, paper, "torchvision", imagenet, large(32)},
  };
}

}  // namespace convscope
