// A residual network of one's own: what it costs, layer by layer, and how long it takes.
#include <iostream>

#include "architectures/network.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/timing/harness.h"

using namespace torch::nn;

struct MyNet : convscope::Network {
  Conv2d stem, inner;
  MaxPool2d pool;
  Linear head;

  explicit MyNet(const convscope::Settings& to)
      : stem(register_module("stem", Conv2d(Conv2dOptions(to.image.channels, 16, 3).padding(1)))),
        inner(register_module("inner", Conv2d(Conv2dOptions(16, 16, 3).padding(1).bias(false)))),
        pool(register_module("pool", MaxPool2d(2))),
        head(register_module("head", Linear(16, to.classes))) {}

  torch::Tensor forward(torch::Tensor images) override {
    torch::Tensor x = pool(torch::relu(stem(images)));
    x = torch::relu(inner(x) + x);
    return head(x.mean({2, 3}));
  }
};

int main() {
  const convscope::Architecture mine = {
      "my_net", 2026, "", "", {{3, 32, 32}, 10, 0}, convscope::build<MyNet>()};
  const convscope::Cost cost = convscope::cost(convscope::trace_network(mine, mine.settings));
  std::cout << "params " << cost.params << "\nmacs " << cost.macs << "\nrf "
            << cost.field.at(0).size << "\npeak_bytes " << cost.peak_activation_bytes << "\n";
  for (const convscope::LayerCost& layer : cost.layers) {
    std::cout << layer.op << " '" << layer.layer << "' " << layer.macs << "\n";
  }

  convscope::BenchRule rule = convscope::quick({});
  rule.in_process = true;
  convscope::BenchEvents events;
  events.finished = [](size_t, const std::vector<convscope::BenchResult>& parts) {
    std::cout << "median_ms " << parts.at(0).summary.median / 1e6 << "\n";
  };
  convscope::measure({convscope::usual_case(mine)}, rule, events);
}
