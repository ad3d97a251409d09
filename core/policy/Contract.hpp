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
/// Neighbors that a component lists: they are sorted in registers and the first levels of cache.
inline constexpr int max_neighbors = 64;
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

enum class ComponentKind {
  velocity,
  angular_velocity,
  goal_direction,
  goal_displacement,
  lidar,
  neighbors,
  contact_force,
  contact_count,
  wall_distance,
  wall_direction,
  quaternion,
  director,
  previous_action,
  time_since_reset,
  field
};

/// `body` turns with the particle.
enum class Frame { lab, body };

/// Whether a component is a vector, or several, with `dimensions` Cartesian components.
bool is_vector(ComponentKind kind);
/// Whether a component can be given along the axes of the body.
bool has_frame(ComponentKind kind);

/// One named piece of an observation row. Quantities are in the policy's units.
/// Source of velocities, goals and lidars: JaxDEM rl/environments and utils/environment.py.
struct ObservationComponent {
  ComponentKind kind = ComponentKind::velocity;
  /// Vectors: how many Cartesian components, from x on (1 to 3); an angular velocity of one is its
  /// z component. previous_action, field: how many entries.
  int dimensions = 3;
  Frame frame = Frame::lab;  ///< vectors, lidar, neighbors: the axes in which they are given
  /// goal_displacement: every component is clipped to ± clip. time_since_reset: the most.
  double clip = 3.0;
  double range = 0.0;              ///< lidar, neighbors, walls: how far they see
  int n_azimuth = 0;               ///< lidar: bins over the angle in the xy plane
  int n_elevation = 0;             ///< lidar: bins over the elevation; 0 is the planar form
  bool walls = false;              ///< lidar: walls are seen too
  int count = 0;                   ///< neighbors: how many, the nearest first
  bool relative_velocity = false;  ///< neighbors: with their velocity relative to the agent's
  bool radius = false;             ///< neighbors: with their radius
  bool type = false;               ///< neighbors: with the number of their type
  int axis = 0;                    ///< director: which axis of the body it is, 0 to 2
  std::string bind;  ///< what the simulation binds: the name of a goal, group, wall set or field

  bool operator==(const ObservationComponent&) const = default;

  /// Number of entries in the observation row.
  std::size_t width() const;
  /// neighbors: number of entries of each of them.
  int entries_per_neighbor() const {
    return dimensions * (relative_velocity ? 2 : 1) + (radius ? 1 : 0) + (type ? 1 : 0);
  }
};

/// `thrust` is a force along the director, `thrust_and_turn` also a torque: about z in the plane.
/// `velocity` sets a velocity that the simulation is told to reach, and gives no force by itself.
enum class ActionTarget { force, torque, force_and_torque, thrust, thrust_and_turn, velocity };

/// Whether a target is along the director.
inline bool is_thrust(ActionTarget target) {
  return target == ActionTarget::thrust || target == ActionTarget::thrust_and_turn;
}

/// How an action acts on its particle: scale * action is added to the force, to the torque or to
/// both. Two forces act along x and y; a single torque acts about z. The drags act whatever the
/// target.
struct ActionSpec {
  ActionTarget target = ActionTarget::force;
  double scale = 1.0;
  double drag = 0.0;          ///< on the velocity, recomputed every step
  double angular_drag = 0.0;  ///< on the angular velocity, recomputed every step
  Frame frame = Frame::lab;
  int axis = 0;        ///< thrust: which axis of the body is the director, 0 to 2
  std::string bind{};  ///< velocity: name that the simulation binds to a per-atom property
  /// Discrete actions: (categories, width), what each of them does.
  std::vector<float> table{};

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
std::string name_of(Frame frame);

}  // namespace dempilot
