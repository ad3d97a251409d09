#include "core/nn/cuda/PlanBuilder.hpp"

#include <algorithm>
#include <bit>

#include "core/nn/Packing.hpp"
#include "core/nn/cuda/Numbers.hpp"
#include "core/policy/Architecture.hpp"

namespace dempilot::nn::cuda {
namespace {

using detail::Dense;

/// Where a layer's columns lie among the columns of its groups.
int column_of(const Layer& layer, int group, int tile, int column) {
  if (layer.kind == LayerKind::dense) return (group * dense_tiles + tile) * tile_columns + column;
  const int unit = group * tile_columns + column;
  const int parts = layer.kind == LayerKind::min_gru ? 3 : 4;
  return unit < layer.width && tile < parts ? tile * layer.width + unit : -1;
}

/// Packs layers one after the other.
class Packer {
 public:
  Packer(PlanParts& parts, Precision precision) : parts_(parts), precision_(precision) {}

  /// `layer` has its kind and sizes; `dense` gives its columns.
  Layer add(Layer layer, const Dense& dense) {
    layer.first_weight = static_cast<std::int64_t>(parts_.weights.size());
    layer.first_bias = static_cast<std::int64_t>(parts_.biases.size());
    Plan& plan = parts_.plan;
    plan.widest = std::max({plan.widest, padded(layer.features), padded(layer.width)});
    if (layer.reads_h()) plan.widest_h = std::max(plan.widest_h, padded(layer.width));
    for (int group = 0; group < layer.groups(); ++group) {
      for (int tile = 0; tile < layer.tiles(); ++tile)
        add_biases(layer, dense, group, tile);
      for (int first = 0; first < layer.padded_inputs(); first += chunk()) {
        for (int tile = 0; tile < layer.tiles(); ++tile)
          add_tile(layer, dense, group, tile, first);
      }
    }
    return layer;
  }

  /// Kernels ask for the weights of a chunk while they multiply by those of the one before it.
  void finish() { parts_.weights.resize(parts_.weights.size() + cell_tiles * 32, Word{0, 0}); }

 private:
  int chunk() const { return precision_ == Precision::bf16 ? 16 : 8; }

  void add_biases(const Layer& layer, const Dense& dense, int group, int tile) {
    for (int n = 0; n < tile_columns; ++n) {
      const int column = column_of(layer, group, tile, n);
      const bool real = column >= 0 && column < static_cast<int>(dense.outputs);
      parts_.biases.push_back(
          real ? static_cast<float>(dense.bias[static_cast<std::size_t>(column)]) : 0.0F);
    }
  }

  /// The weight of a place among the padded inputs.
  float weight(const Layer& layer, const Dense& dense, int place, int column) const {
    const int first_h = padded(layer.features);
    const bool of_h = place >= first_h;
    const int within = of_h ? place - first_h : place;
    if (within >= (of_h ? layer.width : layer.features)) return 0.0F;
    const auto input = static_cast<std::size_t>(of_h ? layer.features + within : within);
    if (column < 0 || column >= static_cast<int>(dense.outputs)) return 0.0F;
    return dense.kernel[input * dense.outputs + static_cast<std::size_t>(column)];
  }

  /// The words of the inputs from `first` on.
  void add_tile(const Layer& layer, const Dense& dense, int group, int tile, int first) {
    const auto at = [&](int input, int column) {
      return weight(layer, dense, first + input, column_of(layer, group, tile, column));
    };
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4;
      const int t = lane % 4;
      switch (precision_) {
        case Precision::fp32: {
          // floats [t][k][2], of which this is the word t * 8 + k
          const int k = lane % 8;
          const int column = 2 * (lane / 8);
          push(bits_of(at(k, column)), bits_of(at(k, column + 1)));
          break;
        }
        case Precision::tf32x3:
          push(bits_of(at(2 * t, g)), bits_of(at(2 * t + 1, g)));
          break;
        case Precision::tf32:
          push(bits_of(round_to_tf32(at(2 * t, g))), bits_of(round_to_tf32(at(2 * t + 1, g))));
          break;
        case Precision::bf16: {
          const auto two = [&](int input) {
            return bf16_of(at(input, g)) | static_cast<std::uint32_t>(bf16_of(at(input + 1, g)))
                                               << 16U;
          };
          push(two(4 * t), two(4 * t + 2));
          break;
        }
      }
    }
  }

  void push(std::uint32_t low, std::uint32_t high) { parts_.weights.push_back({low, high}); }

  PlanParts& parts_;
  Precision precision_;
};

void add_torso(Packer& packer, Branch& branch, const ModelSpec& spec, const Parameters& parameters,
               const std::vector<DenseLayer>& layers) {
  for (const DenseLayer& described : layers) {
    Layer layer;
    layer.activation = described.activated ? spec.activation : Activation::identity;
    layer.features = static_cast<int>(described.inputs);
    layer.width = static_cast<int>(described.outputs);
    branch.layers[branch.layer_count++] =
        packer.add(layer, detail::dense(parameters, described.name));
  }
}

LayerKind kind_of(CellKind cell) {
  return cell == CellKind::lstm  ? LayerKind::lstm
         : cell == CellKind::gru ? LayerKind::gru
                                 : LayerKind::min_gru;
}

/// `first_carry`: where this stack's part of the carry begins; moved to its end.
void add_memory(Packer& packer, Branch& branch, const Parameters& parameters,
                const RecurrentLayers& layers, int& first_carry) {
  for (std::size_t i = 0; i < layers.names.size(); ++i) {
    Layer layer;
    layer.kind = kind_of(layers.cell);
    layer.features = static_cast<int>(i == 0 ? layers.inputs : layers.width);
    layer.width = static_cast<int>(layers.width);
    layer.first_carry = first_carry;
    first_carry += detail::carry_width(layers);
    branch.layers[branch.layer_count++] =
        packer.add(layer, detail::gates_of(parameters, layers, i));
  }
}

void add_branch(Packer& packer, Branch& branch, const ModelSpec& spec, const Parameters& parameters,
                const dempilot::Branch& described, int& first_carry) {
  add_torso(packer, branch, spec, parameters, described.before);
  add_memory(packer, branch, parameters, described.memory, first_carry);
  add_torso(packer, branch, spec, parameters, described.after);
}

Layer add_head(Packer& packer, const Parameters& parameters, const Architecture& model) {
  const Dense head = detail::heads_of(parameters, model);
  Layer layer;
  layer.features = static_cast<int>(head.inputs);
  layer.width = static_cast<int>(head.outputs);
  return packer.add(layer, head);
}

}  // namespace

PlanParts build_plan(const ModelSpec& spec, const Parameters& parameters, Precision precision) {
  const Architecture model = architecture_of(spec);
  PlanParts parts;
  Plan& plan = parts.plan;
  plan.observation_size = static_cast<int>(spec.observation_size);
  plan.carry_size = static_cast<int>(spec.carry_size());
  plan.widest = padded(plan.observation_size);
  Packer packer(parts, precision);
  int first_carry = 0;
  add_branch(packer, plan.actor, spec, parameters, model.actor, first_carry);
  plan.critic_reads_memory = model.critic_reads_memory;
  for (int n = 0; n < plan.actor.layer_count; ++n) {
    const Layer& layer = plan.actor.layers[n];
    if (layer.kind == LayerKind::dense) continue;
    plan.first_memory = layer.first_carry;
    plan.memory_width = layer.width;
  }
  plan.head = add_head(packer, parameters, model);
  add_branch(packer, plan.critic, spec, parameters, model.critic, first_carry);
  packer.finish();
  parts.mean = spec.normalization.mean;
  parts.inverse_std = detail::inverse_std_of(spec.normalization);
  plan.clip = spec.normalization.clip;
  return parts;
}

}  // namespace dempilot::nn::cuda
