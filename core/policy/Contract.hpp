#pragma once

#include <array>
#include <cstddef>
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

enum class ModelKind { lstm_actor_critic, min_gru_actor_critic, shared_actor_critic, actor_critic };

/// `seed` is JaxDEM's first LSTMActorCritic (encoder of two layers, separate heads, dropout while
/// training), `current` the later one (encoder of one layer, one fused head).
enum class ModelVariant { seed, current };

enum class Activation { gelu, tanh, relu, silu, elu, sigmoid };

enum class ActionSpaceKind { free, box, max_norm };

/// Map from the unbounded Gaussian to the action. JaxDEM: rl/action_spaces.
struct ActionSpaceSpec {
  ActionSpaceKind kind = ActionSpaceKind::free;
  std::vector<double> x_min;  ///< box: lower bounds, one per action
  std::vector<double> x_max;  ///< box: upper bounds, one per action
  double width = 1.0;         ///< box: y = centre + half tanh(x / width)
  double max_norm = 1.0;      ///< max_norm: radius of the ball
  double eps = 1e-6;          ///< distance kept from the boundary

  bool operator==(const ActionSpaceSpec&) const = default;
};

/// The constructor's arguments of a model.
struct ModelSpec {
  ModelKind kind = ModelKind::lstm_actor_critic;
  ModelVariant variant = ModelVariant::current;
  std::size_t observation_size = 0;
  std::size_t action_size = 0;                   ///< actions, or how many discrete ones there are
  std::size_t hidden_features = 64;              ///< recurrent models: width of the encoder
  std::size_t lstm_features = 128;               ///< LSTM: width of the carry's h and of its c
  std::size_t gru_features = 128;                ///< MinGRU: width of each layer's carry
  std::size_t num_layers = 1;                    ///< MinGRU
  std::vector<std::size_t> architecture;         ///< feed-forward: widths of the (actor's) torso
  std::vector<std::size_t> critic_architecture;  ///< ActorCritic: widths of the critic's own torso
  Activation activation = Activation::gelu;
  ActionSpaceSpec action_space;
  bool actor_sigma_head = false;  ///< the standard deviation is a function of the features
  bool discrete = false;          ///< categorical actions; the mean is then the logits

  bool operator==(const ModelSpec&) const = default;

  bool is_recurrent() const {
    return kind == ModelKind::lstm_actor_critic || kind == ModelKind::min_gru_actor_critic;
  }

  /// Floats an agent remembers: [h | c] of the LSTM, h of each MinGRU layer, 0 without recurrence.
  std::size_t carry_size() const {
    if (kind == ModelKind::lstm_actor_critic) return 2 * lstm_features;
    return kind == ModelKind::min_gru_actor_critic ? num_layers * gru_features : 0;
  }

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

enum class ActionTarget { force, torque };

/// How an action acts on its particle, in the lab frame: scale * action is added to the force or to
/// the torque. Two actions act along x and y; one is a torque about z. The drags act whatever the
/// target.
struct ActionSpec {
  ActionTarget target = ActionTarget::force;
  double scale = 1.0;
  double drag = 0.0;          ///< on the velocity, recomputed every step
  double angular_drag = 0.0;  ///< on the angular velocity, recomputed every step

  bool operator==(const ActionSpec&) const = default;
};

/// What the policy was trained with; 0 means "not said".
struct Timing {
  double time_step = 0.0;
  long decision_interval = 0;  ///< steps from one decision to the next

  bool operator==(const Timing&) const = default;
};

struct Contract {
  ModelSpec model;
  std::vector<ObservationComponent> observation;
  ActionSpec action;
  Timing timing;
  std::string provenance;

  bool operator==(const Contract&) const = default;
};

/// The names by which files and messages call these.
std::string name_of(ModelKind kind);
std::string name_of(Activation activation);
std::string name_of(ComponentKind kind);

}  // namespace dempilot
