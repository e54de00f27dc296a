// The options by which every command picks networks and the sizes to run them at.
#pragma once

#include <vector>

#include "architectures/architecture.h"
#include "suite/commands/command.h"

namespace convscope {

/// Adds --model, --input, --classes, --width and --auxiliary.
void add_network_options(po::options_description& options);

/// Adds --module, which network_cases() then knows.
void add_module_option(po::options_description& options);

/// Adds --channels, --kernel and --size of the textbook's variants, which `table` prints.
void add_variant_options(po::options_description& options, const std::string& table);

/// The variants that these options describe.
std::vector<Architecture> variants_asked_for(const Invocation& invocation);

/// One network at one size.
struct NetworkCase {
  Architecture architecture;
  Settings settings;
  std::string refusal;  ///< why the family does not allow these settings; "" if it does
};

/// Every network asked for at every size asked for; what is assumed of a --module goes to `err`.
/// Throws UsageError for a name that matches nothing, for what is no size or number, and
/// std::invalid_argument for a file that is no network of images.
std::vector<NetworkCase> network_cases(const Invocation& invocation);

/// The same for a network that another option than --model names.
std::vector<NetworkCase> network_cases(const Invocation& invocation, const std::string& name);

/// "3x224x224".
std::string to_string(const ImageShape& image);

/// What to_string() wrote. Throws UsageError.
ImageShape parse_shape(const std::string& text);

/// The whole numbers of at least 1 that a repeatable option has: "1,8,64", "1-16*2", "2-8+2".
/// Throws UsageError that names the option.
std::vector<int64_t> positive_integers(const Invocation& invocation, const std::string& option);

/// The same from 0: "0-8", "3,17".
std::vector<int64_t> integers_from_0(const Invocation& invocation, const std::string& option);

/// A whole number of at least 1. Throws UsageError that names the option.
int64_t positive_integer(const Invocation& invocation, const std::string& option);

/// The same from 0.
int64_t integer_from_0(const Invocation& invocation, const std::string& option);

}  // namespace convscope
