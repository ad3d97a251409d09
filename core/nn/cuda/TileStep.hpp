#pragma once

#include <cstdint>
#include <cstring>

#include "core/nn/CellUpdate.hpp"
#include "core/nn/Normalize.hpp"
#include "core/nn/cuda/Multiply.hpp"
#include "core/nn/cuda/Numbers.hpp"
#include "core/nn/cuda/Plan.hpp"

namespace dempilot::nn::cuda {

/// Room for what flows between the layers of one tile of `rows` agents, in shared memory or, where
/// a network is too wide for it, elsewhere.
template <class Element>
struct TileRoom {
  Element* in = nullptr;      ///< (rows, stride)
  Element* out = nullptr;     ///< (rows, stride)
  Element* memory = nullptr;  ///< (rows, memory_stride), a layer's h before its step
  float* head = nullptr;      ///< (rows, head_stride)
  int stride = 0;
  int memory_stride = 0;
  int head_stride = 0;

  /// Rows are 8 words more than a multiple of 32 apart, so that eight bytes of each lane of half a
  /// warp come from different banks.
  DEMPILOT_FUNCTION static int stride_of(int width) {
    constexpr int per_bank = 4 / static_cast<int>(sizeof(Element));
    return (width + 32 * per_bank - 1) / (32 * per_bank) * (32 * per_bank) + 8 * per_bank;
  }

  /// Lays it out from `first` on, 16 bytes aligned, or nowhere; returns how many bytes it takes.
  DEMPILOT_FUNCTION std::size_t place(const Plan& plan, int rows, unsigned char* first) {
    stride = stride_of(plan.widest);
    memory_stride = plan.widest_h > 0 ? stride_of(plan.widest_h) : 0;
    head_stride = padded(plan.head.width) + 1;
    std::size_t bytes = 0;
    const auto take = [&](std::size_t size) {
      unsigned char* const here = first == nullptr ? nullptr : first + bytes;
      bytes += (size + 15) / 16 * 16;
      return here;
    };
    const std::size_t row_bytes = sizeof(Element) * rows;
    in = reinterpret_cast<Element*>(take(row_bytes * stride));
    out = reinterpret_cast<Element*>(take(row_bytes * stride));
    memory = reinterpret_cast<Element*>(take(row_bytes * memory_stride));
    head = reinterpret_cast<float*>(take(sizeof(float) * rows * head_stride));
    return bytes;
  }
};

/// Takes tiles of row_tiles * 16 * row_blocks agents through one step of a network. `Machine` is
/// what runs it: the threads of a CUDA block, or a host that does the work of all of them in turn.
/// Between barriers nobody reads what another one writes, so that both give the same.
template <class Machine, Precision precision, int row_tiles>
class TileStep {
 public:
  using Element = typename Format<precision>::Element;
  using Number = Real<precision>;
  static constexpr int block_rows = 16 * row_tiles;  ///< that a warp handles together

  DEMPILOT_FUNCTION TileStep(const Machine& machine, const Plan& plan, const Step& step,
                             TileRoom<Element> room, int row_blocks)
      : machine_(machine), plan_(plan), step_(step), room_(room), row_blocks_(row_blocks) {}

  DEMPILOT_FUNCTION int rows() const { return row_blocks_ * block_rows; }

  DEMPILOT_FUNCTION void operator()(int tile) {
    first_ = tile * rows();
    const int left = step_.decision.agents - first_;
    agents_ = left < rows() ? left : rows();
    load_observation();
    take_through(plan_.actor, plan_.actor.layer_count);
    if (step_.hidden != nullptr) show_features();
    dense(plan_.head, true);
    machine_.barrier();
    decide();
    if (plan_.critic.layer_count > 0) criticise();
    if (step_.done != nullptr) forget_where_done();
  }

 private:
  template <class T>
  using Lane = typename Machine::template Lane<T>;

  DEMPILOT_FUNCTION static void swap(Element*& a, Element*& b) {
    Element* const before = a;
    a = b;
    b = before;
  }

  /// Fills the rows of `to` with value(agent, column) for columns below `width` and zeros to the
  /// end of the last chunk: a warp for each row, so that neighbors read neighbors.
  template <class Value>
  DEMPILOT_FUNCTION void fill(Element* to, int stride, int width, const Value& value) {
    machine_.each_warp(rows(), [&](int row) {
      machine_.each_lane([&](int lane) {
        for (int column = lane; column < padded(width); column += 32) {
          const bool real = row < agents_ && column < width;
          to[row * stride + column] =
              element_of<precision>(real ? value(first_ + row, column) : 0.0F);
        }
      });
    });
  }

  DEMPILOT_FUNCTION void load_observation() {
    const int size = plan_.observation_size;
    fill(room_.in, room_.stride, size, [&](int agent, int column) {
      const float x = step_.observation[static_cast<std::size_t>(agent) * size + column];
      if (plan_.mean == nullptr) return x;
      return static_cast<float>(
          normalize(x, plan_.mean[column], plan_.inverse_std[column], plan_.clip));
    });
  }

  /// Brings `width` floats of each carry, from `first` on, to `to`.
  DEMPILOT_FUNCTION void load_memory(Element* to, int stride, int first, int width) {
    fill(to, stride, width, [&](int agent, int column) { return *carry(agent, first + column); });
  }

  DEMPILOT_FUNCTION float* carry(int agent, int entry) const {
    return step_.carry + static_cast<std::size_t>(agent) * plan_.carry_size + entry;
  }

  /// Replaces what is in `in` by what the first `count` layers make of it.
  DEMPILOT_FUNCTION void take_through(const Branch& branch, int count) {
    for (int n = 0; n < count; ++n) {
      const Layer& layer = branch.layers[n];
      machine_.barrier();
      if (layer.reads_h()) {
        load_memory(room_.memory, room_.memory_stride, layer.first_carry, layer.width);
        machine_.barrier();
      }
      if (layer.kind == LayerKind::dense) {
        dense(layer, false);
      } else {
        recur(layer);
      }
      swap(room_.in, room_.out);
    }
    machine_.barrier();
  }

  /// Calls finish(sums, group, first row) for all products of a layer with blocks of rows.
  template <int tiles, class Finish>
  DEMPILOT_FUNCTION void multiply(const Layer& layer, const Finish& finish) {
    machine_.each_warp(layer.groups() * row_blocks_, [&](int item) {
      const int group = item / row_blocks_;  // warps that read the same weights are neighbors
      const int row = item % row_blocks_ * block_rows;
      Lane<Sums<row_tiles, tiles>> sums;
      start(layer, group, sums);
      constexpr int chunk = Format<precision>::chunk;
      const int x_chunks = padded(layer.features) / chunk;
      const int chunks = layer.padded_inputs() / chunk;
      const Word* const weights = plan_.weights + layer.first_weight +
                                  static_cast<std::int64_t>(group) * chunks * tiles * 32;
      add_products<precision, Machine, row_tiles, tiles>(
          machine_, {room_.in + row * room_.stride, room_.stride, x_chunks},
          {room_.memory + row * room_.memory_stride, room_.memory_stride, chunks - x_chunks},
          weights, sums);
      machine_.each_lane([&](int lane) { finish(lane, sums[lane], group, row); });
    });
  }

  template <int tiles>
  DEMPILOT_FUNCTION void start(const Layer& layer, int group,
                               Lane<Sums<row_tiles, tiles>>& sums) const {
    const float* const bias = plan_.biases + layer.first_bias + group * tiles * tile_columns;
    machine_.each_lane([&](int lane) {
      DEMPILOT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        const float* const two = bias + tile * tile_columns + 2 * (lane % 4);
        DEMPILOT_UNROLL
        for (int m = 0; m < row_tiles; ++m) {
          DEMPILOT_UNROLL
          for (int i = 0; i < 4; ++i)
            sums[lane].of[m][tile][i] = two[i % 2];
        }
      }
    });
  }

  /// Calls use(row, i) for the rows of a lane's sums `of[m][...][2 i]` and `[2 i + 1]`.
  template <class Use>
  DEMPILOT_FUNCTION static void each_row(int lane, int first, const Use& use) {
    DEMPILOT_UNROLL
    for (int m = 0; m < row_tiles; ++m) {
      DEMPILOT_UNROLL
      for (int i = 0; i < 2; ++i)
        use(first + 16 * m + 8 * i + lane / 4, m, i);
    }
  }

  /// Into `out`, or into `head`.
  DEMPILOT_FUNCTION void dense(const Layer& layer, bool is_head) {
    multiply<dense_tiles>(layer, [&](int lane, const auto& sums, int group, int first) {
      DEMPILOT_UNROLL
      for (int tile = 0; tile < dense_tiles; ++tile) {
        const int column = (group * dense_tiles + tile) * tile_columns + 2 * (lane % 4);
        each_row(lane, first, [&](int row, int m, int i) {
          float y[2];
          DEMPILOT_UNROLL
          for (int n = 0; n < 2; ++n) {
            const Number sum = sums.of[m][tile][2 * i + n];
            y[n] = column + n < layer.width ? value_of(activate(layer.activation, sum)) : 0.0F;
          }
          if (is_head) {
            float* const to = room_.head + row * room_.head_stride + column;
            to[0] = y[0];
            to[1] = y[1];
          } else {
            machine_.template store<precision>(room_.out + row * room_.stride + column, y[0], y[1]);
          }
        });
      }
    });
  }

  /// A recurrent layer: into `out` and the carry.
  DEMPILOT_FUNCTION void recur(const Layer& layer) {
    multiply<cell_tiles>(layer, [&](int lane, const auto& sums, int group, int first) {
      const int unit = group * tile_columns + 2 * (lane % 4);
      each_row(lane, first, [&](int row, int m, int i) {
        float y[2] = {0.0F, 0.0F};
        DEMPILOT_UNROLL
        for (int n = 0; n < 2; ++n) {
          if (row >= agents_ || unit + n >= layer.width) continue;
          const auto z = [&](int tile) { return sums.of[m][tile][2 * i + n]; };
          const float x = layer.kind == LayerKind::min_gru
                              ? number_of(room_.in[row * room_.stride + unit + n])
                              : 0.0F;
          y[n] = update(layer, z(0), z(1), z(2), z(3), x,
                        carry(first_ + row, layer.first_carry + unit + n));
        }
        machine_.template store<precision>(room_.out + row * room_.stride + unit, y[0], y[1]);
      });
    });
  }

  /// Replaces what one unit remembers, `memory`, and returns what it gives.
  DEMPILOT_FUNCTION float update(const Layer& layer, Number a, Number b, Number c, Number d,
                                 Number x, float* memory) const {
    Number h = memory[0];
    if (layer.kind == LayerKind::lstm) {
      Number cell = memory[layer.width];
      update_lstm(a, b, c, d, h, cell);
      memory[layer.width] = value_of(cell);
    } else if (layer.kind == LayerKind::gru) {
      update_gru(a, b, c, d, h);
    } else {
      update_min_gru(a, b, c, h, x);
    }
    memory[0] = value_of(h);
    return value_of(layer.kind == LayerKind::min_gru ? x : h);
  }

  DEMPILOT_FUNCTION void decide() {
    machine_.each_thread(agents_, [&](int row) {
      const float* const head = room_.head + row * room_.head_stride;
      step_.decision.report(step_.number, first_ + row, head);
      if (step_.decision.action != nullptr) step_.decision.act(step_.number, first_ + row, head);
    });
  }

  /// The value of a critic with layers of its own, once the actor is done.
  DEMPILOT_FUNCTION void criticise() {
    if (plan_.critic_reads_memory) {
      load_memory(room_.in, room_.stride, plan_.first_memory, plan_.memory_width);
    } else {
      load_observation();
    }
    const int last = plan_.critic.layer_count - 1;
    take_through(plan_.critic, last);
    if (step_.decision.value == nullptr) return;
    dense(plan_.critic.layers[last], true);
    machine_.barrier();
    machine_.each_thread(agents_, [&](int row) {
      step_.decision.value[step_.decision.row_of(step_.number, first_ + row)] =
          room_.head[row * room_.head_stride];
    });
  }

  DEMPILOT_FUNCTION void show_features() {
    const int width = plan_.head.features;
    machine_.each_warp(agents_, [&](int row) {
      machine_.each_lane([&](int lane) {
        for (int column = lane; column < width; column += 32) {
          step_.hidden[static_cast<std::size_t>(first_ + row) * width + column] =
              number_of(room_.in[row * room_.stride + column]);
        }
      });
    });
  }

  DEMPILOT_FUNCTION void forget_where_done() {
    machine_.each_warp(agents_, [&](int row) {
      if (step_.done[first_ + row] == 0) return;
      machine_.each_lane([&](int lane) {
        for (int entry = lane; entry < plan_.carry_size; entry += 32)
          *carry(first_ + row, entry) = 0.0F;
      });
    });
  }

  const Machine& machine_;
  const Plan& plan_;
  const Step& step_;
  TileRoom<Element> room_;
  int row_blocks_;
  int first_ = 0;   ///< agent of the tile
  int agents_ = 0;  ///< of the tile
};

}  // namespace dempilot::nn::cuda
