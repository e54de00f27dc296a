// What read_weights finds in a file, for programs that know it from elsewhere: a line of JSON about
// the file, then for each tensor a line of JSON and its values as bytes. With a second name, the
// tensors are written there.
//
//     weights_probe FILE [OUTPUT.pth | OUTPUT.safetensors]
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "suite/weights/weights_file.h"

int main(int argc, char** argv) {
  using namespace convscope;
  try {
    const WeightsFile file = read_weights(argv[1]);
    const std::filesystem::path output = argc > 2 ? argv[2] : "";
    if (output.extension() == ".safetensors") {
      write_safetensors(output, file.tensors, {{"format", "pt"}});
    } else if (!output.empty()) {
      write_torch_zip(output, file.tensors);
    } else {
      nlohmann::ordered_json about;
      about["format"] = to_string(file.format);
      about["wrapped_in"] = file.wrapped_in;
      about["beside"] = file.beside;
      std::cout << about << "\n";
      for (const StoredTensor& tensor : file.tensors) {
        std::string values(static_cast<size_t>(tensor.elements() * bytes_of(tensor.type)), '\0');
        copy_values(tensor, values.data());
        nlohmann::ordered_json line;
        line["name"] = tensor.name;
        line["type"] = to_string(tensor.type);
        line["shape"] = tensor.shape;
        line["bytes"] = values.size();
        std::cout << line << "\n" << values;
        release_values(tensor);
      }
    }
  } catch (const std::invalid_argument& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
