#include "suite/analysis/torchscript.h"

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "architectures/network.h"
#include "suite/analysis/module_names.h"

namespace convscope {
namespace {

namespace jit = torch::jit;

std::string first_line_of(const std::string& text) {
  const size_t begin = std::min(text.find_first_not_of('\n'), text.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

[[noreturn]] void cannot_read(const std::string& why) {
  throw std::invalid_argument("cannot be read: " + why);
}

constexpr const char* how_to_export =
    "; a TorchScript file is what torch.jit.script(net).save('net.pt') writes, or torch.jit.trace";

const std::string libtorch_says = "LibTorch " TORCH_VERSION " says: ";

/// What torch.jit.save writes is a zip file with constants.pkl, which torch.save's does not have.
void check_kind(const std::string& file) {
  if (std::filesystem::is_directory(file)) cannot_read("it is a folder");
  std::ifstream bytes(file, std::ios::binary);
  if (!bytes) cannot_read("there is no such file, or it may not be read");
  char first = 0, second = 0;
  bytes.get(first).get(second);
  const std::string of_weights = "it holds weights only, as torch.save writes them, and no network";
  if (first == '\x80') cannot_read(of_weights + how_to_export);
  if (first != 'P' || second != 'K') cannot_read(std::string("no TorchScript") + how_to_export);
  bool script = false, weights = false;
  try {
    caffe2::serialize::PyTorchStreamReader zip(file);
    script = zip.hasRecord("constants.pkl");
    weights = zip.hasRecord("data.pkl");
  } catch (const c10::Error& error) {
    const std::string what = first_line_of(error.what_without_backtrace());
    if (what.find("central directory") != std::string::npos) {
      cannot_read("its zip archive is cut off or broken");
    }
  }
  if (script) return;
  cannot_read((weights ? of_weights
                       : "a zip archive, but no TorchScript (torch.export's programs are none)") +
              how_to_export);
}

jit::Module read_module(const std::string& file) {
  check_kind(file);
  // With memory, even where others are made without.
  const c10::impl::ExcludeDispatchKeyGuard not_intercepted(c10::DispatchKey::DeferredInit);
  try {
    return jit::load(file, c10::Device(c10::kCPU));
  } catch (const c10::Error& error) {
    cannot_read(libtorch_says + first_line_of(error.what_without_backtrace()));
  } catch (const std::exception& error) {  // an operator that it does not have
    cannot_read(libtorch_says + first_line_of(error.what()));
  }
}

/// What a traced graph calls _convolution is what its module called conv2d: then it is counted,
/// lowered and shown as that.
void name_convolutions(jit::Block* block) {
  for (auto place = block->nodes().begin(); place != block->nodes().end();) {
    jit::Node* node = *place++;
    for (jit::Block* inner : node->blocks()) name_convolutions(inner);
    if (node->kind() != c10::Symbol::fromQualString("aten::_convolution")) continue;
    const auto transposed = jit::constant_as<bool>(node->namedInput("transposed"));
    const jit::Node* stride = node->namedInput("stride")->node();
    const auto constant = jit::toIValue(node->namedInput("stride"));
    const size_t sides = constant && constant->isIntList() ? constant->toIntVector().size()
                         : stride->kind() == c10::prim::ListConstruct ? stride->inputs().size()
                                                                      : 0;
    if (!transposed || sides < 1 || sides > 3) continue;
    std::vector<const char*> inputs = {"input", "weight", "bias", "stride", "padding"};
    for (const char* more : *transposed
                                ? std::vector<const char*>{"output_padding", "groups", "dilation"}
                                : std::vector<const char*>{"dilation", "groups"}) {
      inputs.push_back(more);
    }
    const std::string name =
        (*transposed ? "aten::conv_transpose" : "aten::conv") + std::to_string(sides) + "d";
    jit::Node* named = block->owningGraph()->create(c10::Symbol::fromQualString(name));
    for (const char* input : inputs) named->addInput(node->namedInput(input));
    named->insertBefore(node);
    named->copyMetadata(node);
    named->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(named->output());
    node->destroy();
  }
}

/// Calls `visit` with each tensor that is a constant of the graph and no single number.
template <class Visit>
void for_each_constant(jit::Block* block, const Visit& visit) {
  for (jit::Node* node : block->nodes()) {
    for (jit::Block* inner : node->blocks()) for_each_constant(inner, visit);
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = jit::toIValue(node->output());
    if (value && value->isTensor() && value->toTensor().dim() > 0) visit(value->toTensor());
  }
}

/// "images: Tensor, size: int"
std::string listed(const std::vector<c10::Argument>& arguments) {
  std::string text;
  for (const c10::Argument& argument : arguments) {
    text += (text.empty() ? "" : ", ") + argument.name() + ": " + argument.type()->repr_str();
  }
  return text;
}

/// The first tensor in a result, whatever holds it: a tuple's first is the logits, its others are
/// for training; undefined if there is none.
torch::Tensor first_tensor(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor();
  std::vector<c10::IValue> parts;
  if (value.isTuple()) parts = value.toTupleRef().elements().vec();
  if (value.isList()) parts = value.toListRef().vec();
  if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) parts.push_back(entry.value());
  }
  for (const c10::IValue& part : parts) {
    torch::Tensor tensor = first_tensor(part);
    if (tensor.defined()) return tensor;
  }
  return {};
}

/// The script's own forward pass, run operator by operator as it is written: no profiling run, no
/// fusion. Its parameters are registered here under the names that they have there.
class Script : public Network, public TellsLayer {
 public:
  explicit Script(const std::string& file) : module_(read_module(file)) {
    mirror(*this, module_);
    const auto method = module_.find_method("forward");
    if (!method) cannot_read("its network has no forward");
    const std::vector<c10::Argument>& arguments = method->function().getSchema().arguments();
    check_arguments({arguments.begin() + 1, arguments.end()});
    auto graph = method->graph()->copy();
    jit::Inline(*graph);
    name_convolutions(graph->block());
    function_ = std::make_unique<jit::GraphFunction>("forward", std::move(graph), nullptr,
                                                     jit::ExecutorExecutionMode::SIMPLE);
    register_constants();
    // An error of an operator, or of who intercepts it, as it is, and nothing on stderr.
    FLAGS_torch_jit_enable_rethrow_caught_exception = true;
    FLAGS_torch_jit_disable_warning_prints = true;
  }

  torch::Tensor forward(torch::Tensor images) override {
    jit::Stack stack = {module_._ivalue(), std::move(images)};
    stack.insert(stack.end(), defaults_.begin(), defaults_.end());
    try {
      function_->run(stack);
    } catch (const jit::JITException& error) {
      throw std::invalid_argument("its forward raised: " + first_line_of(error.what()));
    }
    torch::Tensor result = first_tensor(stack.at(0));
    if (!result.defined()) throw std::invalid_argument("its forward returns no tensor");
    return result;
  }

  void train(bool on) override {
    Network::train(on);
    module_.train(on);
  }

  /// From "TOP(Net)::forward", "block(Block)::forward", "conv(Conv2d)::forward", "::relu".
  std::string running_layer(const std::string& before) const override {
    Member at{"", shared_from_this()};
    for (const std::string& call : jit::currentModuleHierarchy()) {
      const size_t open = call.find('('), close = call.find(')');
      const std::string name = call.substr(0, open);
      if (name == "TOP" || name == "SELF" || close == std::string::npos) continue;
      const Member next = member(at, name, call.substr(open + 1, close - open - 1), before);
      if (!next.module) break;
      at = next;
    }
    return at.path;
  }

  /// The channels that the first convolution takes, 0 where something else sees the images first.
  int64_t channels() const {
    for (const jit::Use& use : function_->optimized_graph()->inputs().at(1)->uses()) {
      const std::string op = use.user->kind().toQualString();
      if (op == "aten::conv1d") takes("signals", op);
      if (op == "aten::conv3d") takes("volumes", op);
      if (op == "aten::linear") takes("rows of features", op);
      if (op != "aten::conv2d") continue;
      const c10::IValue weight = value_of(use.user->input(1));
      const auto groups = jit::constant_as<int64_t>(use.user->namedInput("groups"));
      if (weight.isTensor() && groups) return weight.toTensor().size(1) * *groups;
    }
    return 0;
  }

 private:
  static void mirror(torch::nn::Module& to, const jit::Module& from) {
    for (const auto& parameter : from.named_parameters(/*recurse=*/false)) {
      to.register_parameter(parameter.name, parameter.value, parameter.value.requires_grad());
    }
    for (const auto& buffer : from.named_buffers(/*recurse=*/false)) {
      to.register_buffer(buffer.name, buffer.value);
    }
    for (const auto& child : from.named_children()) {
      auto module = std::make_shared<torch::nn::Module>(child.value.type()->name()->name());
      mirror(*to.register_module(child.name, std::move(module)), child.value);
    }
  }

  struct Member {
    std::string path;
    std::shared_ptr<const torch::nn::Module> module;
  };

  /// The member `name`, which may be in a list ("convs.0"), since the interpreter leaves these out:
  /// of several such lists, the one where it is of that class, or that `before` is in. No module if
  /// there is none.
  static Member member(const Member& of, const std::string& name, const std::string& its_class,
                       const std::string& before) {
    const std::string path = of.path.empty() ? "" : of.path + ".";
    const auto children = of.module->named_children();
    if (const auto* child = children.find(name)) return {path + name, *child};
    Member found;
    for (const auto& list : children) {
      const auto members = list.value()->named_children();
      const auto* child = members.find(name);
      if (!child || (*child)->name() != its_class) continue;
      const std::string full = path + list.key() + "." + name;
      if (!found.module || (before + ".").rfind(full + ".", 0) == 0) found = {full, *child};
    }
    return found;
  }

  [[noreturn]] static void takes(const std::string& what, const std::string& op) {
    throw std::invalid_argument("it takes " + what + " (" + op +
                                " sees its input first), and convscope gives a batch of images");
  }

  void check_arguments(const std::vector<c10::Argument>& arguments) {
    const auto given = [](const c10::Argument& a) { return !a.default_value(); };
    const bool one_tensor = !arguments.empty() &&
                            arguments[0].type()->kind() == c10::TypeKind::TensorType &&
                            std::none_of(arguments.begin() + 1, arguments.end(), given);
    if (!one_tensor) {
      throw std::invalid_argument("its forward takes (" + listed(arguments) +
                                  "), and convscope gives one batch of images, a Tensor");
    }
    for (size_t i = 1; i < arguments.size(); ++i)
      defaults_.push_back(*arguments[i].default_value());
  }

  /// torch.jit.freeze makes constants of all parameters; they are its parameters nevertheless.
  void register_constants() {
    const bool frozen = module_.parameters().size() == 0;
    int number = 0;
    for_each_constant(function_->optimized_graph()->block(), [&](const torch::Tensor& constant) {
      const std::string name = "constant" + std::to_string(number++);
      if (frozen && constant.is_floating_point()) {
        register_parameter(name, constant, /*requires_grad=*/false);
      } else {
        register_buffer(name, constant);
      }
    });
  }

  /// Of an attribute of the module or a constant; None for what is computed.
  c10::IValue value_of(const jit::Value* value) const {
    const jit::Node* node = value->node();
    if (value == function_->optimized_graph()->inputs().at(0)) return module_._ivalue();
    if (node->kind() == c10::prim::GetAttr) {
      const c10::IValue owner = value_of(node->input());
      return owner.isObject() ? owner.toObjectRef().getAttr(node->s(c10::attr::name))
                              : c10::IValue();
    }
    return jit::toIValue(value).value_or(c10::IValue());
  }

  jit::Module module_;
  std::unique_ptr<jit::GraphFunction> function_;
  jit::Stack defaults_;  // of what forward takes beside the images
};

}  // namespace

std::shared_ptr<Network> ScriptReader::operator()(const Settings&) const {
  return std::make_shared<Script>(file);
}

Architecture scripted_network(const std::string& file) {
  Architecture network;
  network.name = std::filesystem::path(file).filename().string();
  network.variant = "TorchScript";
  network.year = 0;  // nobody said
  network.build = ScriptReader{file};
  return network;
}

ImageShape script_image(const Architecture& network) {
  const int64_t channels = Script(script_file(network)).channels();
  return {channels > 0 ? channels : 3, 224, 224};
}

}  // namespace convscope
