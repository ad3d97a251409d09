#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

/// What a policy file promises between who trained a policy and who simulates with it. Plain data;
/// policy/PolicyFile.hpp reads and writes it, policy/Metadata.hpp translates the model's part.
namespace dempilot {

/// No layer is wider and no lidar finer; wide enough for any use, small enough that sizes computed
/// from it never overflow.
inline constexpr std::size_t max_width = 16384;
/// Layers of a torso, or of a stack of recurrent layers.
inline constexpr std::size_t max_layer_count = 7;

/// The first four are JaxDEM's; `recurrent_actor_critic` is what PyTorch, Stable-Baselines3 and
/// CleanRL build: dense layers, stacked recurrent layers, dense layers.
enum class ModelKind {
  lstm_actor_critic,
  min_gru_actor_critic,
  shared_actor_critic,
  actor_critic,
  recurrent_actor_critic
};

/// `seed` is JaxDEM's first LSTMActorCritic (encoder of two layers, separate heads, dropout while
/// training), `current` the later one (encoder of one layer, one fused head).
enum class ModelVariant { seed, current };

/// `gelu` is the tanh form, `gelu_erf` the exact one.
enum class Activation {
  gelu,
  gelu_erf,
  tanh,
  relu,
  leaky_relu,
  silu,
  elu,
  sigmoid,
  softplus,
  identity
};

/// `lstm` and `gru` as in PyTorch and flax, `min_gru` as in JaxDEM.
enum class CellKind { lstm, gru, min_gru };

/// What the critic of a recurrent_actor_critic reads: the actor's recurrent layers, recurrent
/// layers of its own, or a linear layer in their place.
enum class CriticMemory { shared, own, none };

enum class ActionSpaceKind { free, box, max_norm, clipped };

/// Map from the unbounded Gaussian to the action. JaxDEM: rl/action_spaces. `clipped` is
/// Stable-Baselines3's: an action is clipped when it acts, and its density is that of the Gaussian.
struct ActionSpaceSpec {
  ActionSpaceKind kind = ActionSpaceKind::free;
  std::vector<double>
      x_min;  ///< box, clipped: lower bounds, one per action (clipped: or -infinity)
  std::vector<double> x_max;  ///< box, clipped: upper bounds, one per action (clipped: or infinity)
  double width = 1.0;         ///< box: y = centre + half tanh(x / width)
  double max_norm = 1.0;      ///< max_norm: radius of the ball
  double eps = 1e-6;          ///< distance kept from the boundary

  bool operator==(const ActionSpaceSpec&) const = default;
};

/// What is done to an observation x before the first layer: clip((x - mean) / sqrt(variance +
/// epsilon), ± clip). Source: Stable-Baselines3, VecNormalize.
struct Normalization {
  std::vector<double> mean;      ///< (observation_size), or empty: nothing is done
  std::vector<double> variance;  ///< (observation_size)
  double epsilon = 1e-8;
  double clip = std::numeric_limits<double>::infinity();

  bool operator==(const Normalization&) const = default;
};

/// A model: its constructor's arguments, and how its observations are normalized.
struct ModelSpec {
  ModelKind kind = ModelKind::lstm_actor_critic;
  ModelVariant variant = ModelVariant::current;
  std::size_t observation_size = 0;
  std::size_t action_size = 0;       ///< actions, or how many discrete ones there are
  std::size_t hidden_features = 64;  ///< JaxDEM's recurrent models: width of the encoder
  std::size_t lstm_features = 128;   ///< LSTMActorCritic: width of the carry's h and of its c
  std::size_t gru_features = 128;    ///< MinGRU: width of each layer's carry
  std::size_t num_layers = 1;        ///< MinGRU, RecurrentActorCritic: stacked recurrent layers
  /// RecurrentActorCritic: widths of the dense layers before the recurrent ones.
  std::vector<std::size_t> encoder_architecture;
  CellKind cell = CellKind::lstm;                     ///< RecurrentActorCritic
  std::size_t features = 128;                         ///< RecurrentActorCritic: width of h
  CriticMemory critic_memory = CriticMemory::shared;  ///< RecurrentActorCritic
  /// Widths of the (actor's) torso; RecurrentActorCritic: of the layers after the recurrent ones.
  std::vector<std::size_t> architecture;
  /// Widths of the critic's own torso; RecurrentActorCritic: of its layers after what it reads.
  std::vector<std::size_t> critic_architecture;
  Activation activation = Activation::gelu;
  ActionSpaceSpec action_space;
  bool actor_sigma_head = false;  ///< the standard deviation is a function of the features
  bool discrete = false;          ///< categorical actions; the mean is then the logits

  Normalization normalization;

  bool operator==(const ModelSpec&) const = default;

  bool is_recurrent() const {
    return kind == ModelKind::lstm_actor_critic || kind == ModelKind::min_gru_actor_critic ||
           kind == ModelKind::recurrent_actor_critic;
  }

  /// Floats an agent remembers: of each recurrent layer in turn an LSTM's h, then its c, or a GRU's
  /// or MinGRU's h; the actor's layers first, then those of a critic with layers of its own.
  std::size_t carry_size() const;

  /// Entries of one action: its index where actions are discrete.
  std::size_t action_width() const { return discrete ? 1 : action_size; }
};

enum class ComponentKind { velocity, angular_velocity, goal_direction, goal_displacement, lidar };

/// One named piece of an observation row. Quantities are in the policy's units and the lab frame.
/// Source of the definitions: JaxDEM rl/environments and utils/environment.py.
struct ObservationComponent {
  ComponentKind kind = ComponentKind::velocity;
  /// velocity, angular_velocity, goal_*: how many Cartesian components, from x on (1 to 3). A
  /// planar angular velocity (1) is its z component.
  int dimensions = 3;
  double clip = 3.0;    ///< goal_displacement: every component is clipped to ± clip
  double range = 0.0;   ///< lidar: proximity is max(0, range - d) / range
  int n_azimuth = 0;    ///< lidar: bins over the angle in the xy plane
  int n_elevation = 0;  ///< lidar: bins over the elevation; 0 is the planar form
  bool walls = false;   ///< lidar: walls are seen too
  std::string bind;     ///< goal_*, lidar: name that the simulation binds ("goal", "targets")

  bool operator==(const ObservationComponent&) const = default;

  /// Number of entries in the observation row.
  std::size_t width() const;
};

enum class ActionTarget { force, torque, force_and_torque };
enum class ActionFrame { lab, body };

/// How an action acts on its particle: scale * action is added to the force, to the torque or to
/// both. Two forces act along x and y; a single torque acts about z. The drags act whatever the
/// target.
struct ActionSpec {
  ActionTarget target = ActionTarget::force;
  double scale = 1.0;
  double drag = 0.0;          ///< on the velocity, recomputed every step
  double angular_drag = 0.0;  ///< on the angular velocity, recomputed every step
  ActionFrame frame = ActionFrame::lab;
  /// Discrete actions: (categories, width), what each of them does.
  std::vector<float> table;

  bool operator==(const ActionSpec&) const = default;
};

/// What the policy was trained with; 0 means "not said".
struct Timing {
  double time_step = 0.0;
  long decision_interval = 0;  ///< steps from one decision to the next

  bool operator==(const Timing&) const = default;
};

/// What one unit of the policy's world stands for, in SI; 0 means "not said".
struct Units {
  double length = 0.0;  ///< metres
  double time = 0.0;    ///< seconds
  double mass = 0.0;    ///< kilograms

  bool operator==(const Units&) const = default;
};

struct Contract {
  ModelSpec model;
  std::vector<ObservationComponent> observation;  ///< empty: not said, nor is `action`
  ActionSpec action;
  Timing timing;
  Units units;
  std::string provenance;

  bool operator==(const Contract&) const = default;

  /// Entries of what acts on a particle: of an action, or of a row of the table of discrete ones.
  /// A discrete action without a table is its index.
  std::size_t acting_width() const {
    return action.table.empty() ? model.action_width() : action.table.size() / model.action_size;
  }
};

/// The names by which files and messages call these.
std::string name_of(ModelKind kind);
std::string name_of(Activation activation);
std::string name_of(ComponentKind kind);
std::string name_of(CellKind kind);
std::string name_of(ActionTarget target);
std::string name_of(ActionFrame frame);

}  // namespace dempilot
