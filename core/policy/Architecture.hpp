#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/policy/Contract.hpp"

/// Every model as one short description: which layers, of which sizes, under which names, follow
/// one another. The table of parameters and the kernels are made from it.
namespace dempilot {

/// y = x kernel + bias, with `name.kernel` (inputs, outputs) and `name.bias` (outputs).
struct DenseLayer {
  std::string name;
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  bool activated = true;
};

/// Recurrent layers one on top of the other; the first reads `inputs`, the others `width`.
struct RecurrentLayers {
  CellKind cell = CellKind::lstm;
  std::size_t inputs = 0;
  std::size_t width = 0;
  /// One for each layer; `min_gru` has all its layers stacked in one parameter of this name.
  std::vector<std::string> names;
};

/// Dense layers, recurrent layers, dense layers; each of the three may be empty.
struct Branch {
  std::vector<DenseLayer> before;
  RecurrentLayers memory;
  std::vector<DenseLayer> after;
};

/// Columns [first, first + count) of the dense layer `layer`.
struct Head {
  DenseLayer layer;
  std::size_t first = 0;
  std::size_t count = 0;
};

struct Architecture {
  Branch actor;               ///< from the observation to the features that the heads read
  Head mean;                  ///< or the logits
  std::optional<Head> sigma;  ///< softplus of it is the standard deviation; none: exp(_log_std)
  std::optional<Head> value;  ///< none: the critic's last layer gives it
  Branch critic;              ///< empty where `value` is a head
  /// Whether the critic starts from the last h of the actor's recurrent layers, not from the
  /// observation.
  bool critic_reads_memory = false;
  double dropout_rate = 0;  ///< on the features, in training mode
};

/// The layers of a model whose sizes check_size (policy/ParameterTable.hpp) accepts.
Architecture architecture_of(const ModelSpec& spec);

}  // namespace dempilot
