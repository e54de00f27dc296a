#include "suite/interpretation/feature_space.h"

#include <ATen/Context.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "suite/analysis/graph_layers.h"
#include "suite/analysis/ops.h"
#include "suite/analysis/receptive_field.h"
#include "suite/inference/observe.h"
#include "suite/inference/plain_tensors.h"

namespace convscope {
namespace {

FeaturePlace place_of_result(const Graph& graph, size_t call, std::string named) {
  const int value = graph.calls[call].outputs.at(0);
  const Shape& shape = graph.values[static_cast<size_t>(value)].shape;
  if (shape.size() < 2) {
    throw std::invalid_argument(named + " computes " + to_string(shape) +
                                ", expected numbers or maps of each image; an earlier layer has "
                                "them");
  }
  return {call, shape[1], shape.size() > 2, std::move(named)};
}

/// The last layer with weights, whose input is what the rest of the network has found out.
size_t head_of(const Graph& graph) {
  for (size_t i = graph.calls.size(); i-- > 0;) {
    const Op* op = find_operator(graph.calls[i].op);
    if (op && (op->kind == Kind::convolution || op->kind == Kind::linear)) return i;
  }
  throw std::invalid_argument("the network has neither a convolution nor a linear layer");
}

/// Which of its arguments the image is behind, and not a weight, wherever the operator has it.
int input_from_image(const Graph& graph, const Call& call) {
  const std::vector<Fields> fields = receptive_fields(graph).of_value;
  for (const int input : call.inputs) {
    if (input >= 0 && !fields[static_cast<size_t>(input)].sides.empty()) return input;
  }
  throw std::invalid_argument(call.layer + " does not depend on the image");
}

/// Rows of length 1, in double precision.
torch::Tensor unit_rows(const FeatureRows& features, size_t from, size_t to) {
  const auto rows = static_cast<int64_t>(to - from);
  const torch::Tensor values =
      torch::from_blob(const_cast<float*>(features.row(from)), {rows, features.size})
          .to(torch::kFloat64);
  const torch::Tensor norms = values.norm(2, 1, /*keepdim=*/true);
  return values / norms.clamp_min(1e-300);
}

double inner_product(const float* a, const float* b, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// In an order of its own, so that equal features have equal cosines, whatever the threads and the
/// blocks of a matrix product do. Rounded to where float features carry no information.
double cosine(const FeatureRows& a, size_t i, const FeatureRows& b, size_t j) {
  const double lengths = std::sqrt(inner_product(a.row(i), a.row(i), a.size)) *
                         std::sqrt(inner_product(b.row(j), b.row(j), b.size));
  if (!(lengths > 0)) return 0;
  return std::round(inner_product(a.row(i), b.row(j), a.size) / lengths * 1e9) / 1e9;
}

bool is_nearer(const Neighbour& a, const Neighbour& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.index < b.index;
}

/// Of all cosines of a query, those that may be among the largest, computed again in a fixed order.
std::vector<Neighbour> best_of(const FeatureRows& data, const FeatureRows& queries, size_t query,
                               size_t itself, size_t most, const double* cosines) {
  std::vector<size_t> order;
  order.reserve(data.count());
  for (size_t i = 0; i < data.count(); ++i) {
    if (i != itself) order.push_back(i);
  }
  const auto last = order.begin() + static_cast<std::ptrdiff_t>(most) - 1;
  std::nth_element(order.begin(), last, order.end(),
                   [&](size_t a, size_t b) { return cosines[a] > cosines[b]; });
  // Half a unit of cosine()'s rounding, twice, and the error of a sum.
  const double least = cosines[*last] - 2e-9;
  std::vector<Neighbour> found;
  for (const size_t i : order) {
    if (cosines[i] >= least) found.push_back({i, cosine(queries, query, data, i)});
  }
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most), found.end(),
                    is_nearer);
  found.resize(most);
  return found;
}

/// A positive largest entry in each column.
torch::Tensor with_fixed_signs(const torch::Tensor& columns) {
  const torch::Tensor largest = columns.abs().argmax(0, /*keepdim=*/true);
  return columns * columns.gather(0, largest).sign();
}

/// Rows from which the mean is taken away; a block of them at a time, for there may be many.
torch::Tensor centred(const FeatureRows& features, const torch::Tensor& mean, size_t from,
                      size_t to) {
  return torch::from_blob(const_cast<float*>(features.row(from)),
                          {static_cast<int64_t>(to - from), features.size})
             .to(torch::kFloat64) -
         mean;
}

constexpr size_t rows_at_a_time = 4096;

template <class Function>
void for_blocks(size_t count, size_t rows, Function function) {
  for (size_t from = 0; from < count; from += rows) function(from, std::min(count, from + rows));
}

torch::Tensor mean_of(const FeatureRows& features) {
  torch::Tensor sum = torch::zeros({features.size}, torch::kFloat64);
  for_blocks(features.count(), rows_at_a_time, [&](size_t from, size_t to) {
    sum += centred(features, torch::zeros({1}, torch::kFloat64), from, to).sum(0);
  });
  return sum / static_cast<double>(features.count());
}

struct Directions {
  torch::Tensor squares;  ///< the sum of squared deviations along each, the largest first
  torch::Tensor columns;  ///< of length 1
};

/// The smaller of the two products of the rows with themselves has the spectrum of both.
Directions directions(const FeatureRows& features, const torch::Tensor& mean) {
  const size_t count = features.count();
  if (static_cast<int64_t>(count) >= features.size) {
    torch::Tensor product = torch::zeros({features.size, features.size}, torch::kFloat64);
    for_blocks(count, rows_at_a_time, [&](size_t from, size_t to) {
      const torch::Tensor rows = centred(features, mean, from, to);
      product += rows.t().mm(rows);
    });
    const auto [values, vectors] = torch::linalg_eigh(product, "L");
    return {values.flip(0), vectors.flip(1)};
  }
  const torch::Tensor rows = centred(features, mean, 0, count);
  const auto [values, vectors] = torch::linalg_eigh(rows.mm(rows.t()), "L");
  const torch::Tensor across = rows.t().mm(vectors.flip(1));
  return {values.flip(0), across / across.norm(2, 0, /*keepdim=*/true).clamp_min(1e-300)};
}

}  // namespace

FeaturePlace feature_place(const Graph& graph, const std::string& layer) {
  if (!layer.empty()) return place_of_result(graph, last_call_of(graph, layer), layer);
  const Call& head = graph.calls[head_of(graph)];
  const int taken = input_from_image(graph, head);
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    const std::vector<int>& outputs = graph.calls[i].outputs;
    if (std::count(outputs.begin(), outputs.end(), taken)) {
      return place_of_result(graph, i, "the input of " + head.layer);
    }
  }
  throw std::invalid_argument(
      "the network's only layer with weights takes the images themselves; "
      "name a layer with --at");
}

void add_features(const LoadedNetwork& network, const FeaturePlace& place,
                  const std::vector<float>& images, int64_t count, FeatureRows& features) {
  const torch::NoGradGuard no_grad;
  ObserveOptions options;
  options.to_the_end = false;
  torch::Tensor found =
      observe(*network.network, image_batch(network, images, count), {place.call}, options).kept[0];
  if (found.dim() > 2) found = found.flatten(2).mean(2);
  const std::vector<float> rows = plain_values(found);
  features.size = place.size;
  features.values.insert(features.values.end(), rows.begin(), rows.end());
}

std::vector<std::vector<Neighbour>> nearest(const FeatureRows& data, const FeatureRows& queries,
                                            const std::vector<size_t>& itself, size_t most,
                                            const std::function<void(size_t done)>& progress) {
  const torch::NoGradGuard no_grad;
  const bool any_left_out =
      std::any_of(itself.begin(), itself.end(), [](size_t place) { return place != no_image; });
  const size_t others = data.count() - (any_left_out ? 1 : 0);
  if (data.size != queries.size || itself.size() != queries.count() || most > others ||
      data.count() == 0) {
    throw std::invalid_argument(std::to_string(most) + " neighbours of " +
                                std::to_string(queries.count()) + " images cannot be found among " +
                                std::to_string(data.count()));
  }
  std::vector<std::vector<Neighbour>> all(queries.count());
  if (most == 0) return all;
  // A block's cosines with all images take some 32 MB.
  const size_t block = std::clamp<size_t>((size_t{1} << 22) / data.count(), 1, 256);
  for_blocks(queries.count(), block, [&](size_t from, size_t to) {
    const torch::Tensor asked = unit_rows(queries, from, to);
    torch::Tensor cosines = torch::empty(
        {static_cast<int64_t>(to - from), static_cast<int64_t>(data.count())}, torch::kFloat64);
    for_blocks(data.count(), rows_at_a_time, [&](size_t first, size_t end) {
      cosines.slice(1, static_cast<int64_t>(first), static_cast<int64_t>(end))
          .copy_(asked.mm(unit_rows(data, first, end).t()));
    });
    for (size_t q = from; q < to; ++q) {
      all[q] = best_of(data, queries, q, itself[q], most,
                       cosines.data_ptr<double>() + (q - from) * data.count());
    }
    if (progress) progress(to);
  });
  return all;
}

int64_t majority(const std::vector<Neighbour>& neighbours, const std::vector<int64_t>& labels,
                 size_t k) {
  if (k == 0 || k > neighbours.size()) {
    throw std::invalid_argument("expected from 1 to " + std::to_string(neighbours.size()) +
                                " neighbours to decide, found " + std::to_string(k));
  }
  std::vector<std::pair<int64_t, size_t>> votes;  // the class of the nearest first
  for (size_t i = 0; i < k; ++i) {
    const int64_t label = labels.at(neighbours[i].index);
    const auto found = std::find_if(votes.begin(), votes.end(),
                                    [&](const auto& vote) { return vote.first == label; });
    if (found == votes.end()) {
      votes.emplace_back(label, 1);
    } else {
      ++found->second;
    }
  }
  // The first of the largest.
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

PrincipalComponents principal_components(const FeatureRows& features, size_t most) {
  const torch::NoGradGuard no_grad;
  const size_t count = features.count();
  if (count < 2) {
    throw std::invalid_argument("principal components need two images, found " +
                                std::to_string(count));
  }
  if (!at::hasLAPACK()) {
    throw std::runtime_error(
        "this LibTorch was built without LAPACK, which principal components "
        "need");
  }
  const torch::Tensor mean = mean_of(features);
  const auto [squares, all_columns] = directions(features, mean);
  const double total = squares.clamp_min(0).sum().item<double>();
  PrincipalComponents found;
  found.count = std::min(most, static_cast<size_t>(features.size));
  found.scores.resize(count * found.count);
  found.shares.resize(found.count);
  found.loadings.resize(found.count * static_cast<size_t>(features.size));
  // Less than this is rounding: of the largest, or of features that are float and far from 0.
  const double least =
      std::max(1e-12 * squares[0].item<double>(),
               1e-13 * static_cast<double>(count) * mean.square().sum().item<double>());
  const auto spanned = static_cast<size_t>((squares > least).sum().item<int64_t>());
  const auto real = static_cast<int64_t>(std::min({found.count, spanned, count - 1}));
  if (real == 0) return found;
  const torch::Tensor columns = with_fixed_signs(all_columns.slice(1, 0, real));
  const torch::Tensor rows = columns.t().contiguous();
  std::copy_n(rows.data_ptr<double>(), rows.numel(), found.loadings.begin());
  for (int64_t c = 0; c < real; ++c) {
    found.shares[static_cast<size_t>(c)] = squares[c].item<double>() / total;
  }
  for_blocks(count, rows_at_a_time, [&](size_t from, size_t to) {
    const torch::Tensor scores = centred(features, mean, from, to).mm(columns).contiguous();
    for (size_t i = from; i < to; ++i) {
      std::copy_n(scores.data_ptr<double>() + (i - from) * static_cast<size_t>(real), real,
                  found.scores.begin() + static_cast<std::ptrdiff_t>(i * found.count));
    }
  });
  return found;
}

}  // namespace convscope
