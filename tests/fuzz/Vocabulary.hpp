#pragma once

#include <array>
#include <string_view>

/// The words from which edits are made up when they are not copied from other inputs.
namespace dempilot::fuzz::words {

/// Lines with holes, each filled from the list of its name.
inline constexpr std::array<std::string_view, 29> lines{
    "json / metadata $METADATA $VALUE",
    "json / metadata $METADATA $VALUE",
    "json / metadata $METADATA $VALUE\nfit 0.5",
    "json / metadata $METADATA",
    "json observation components $COMPONENT $VALUE",
    "json observation components $COMPONENT $VALUE",
    "json observation components $COMPONENT",
    "json observation components /0/name $NAME",
    "text $OBJECT $ATTRIBUTE $TEXT",
    "text / metadata $VALUE",
    "text action target $TEXT",
    "fixed $OBJECT $ATTRIBUTE $NUMBER $TEXT",
    "long $OBJECT $ATTRIBUTE $NUMBER $TEXT",
    "number $OBJECT $ATTRIBUTE $TYPE $SHAPE $NUMBER",
    "number $OBJECT $ATTRIBUTE f8 scalar $NUMBER",
    "number timing decision_interval i8 scalar $NUMBER",
    "rename $OBJECT $ATTRIBUTE $ATTRIBUTE",
    "strip $OBJECT $ATTRIBUTE",
    "data $DATASET $TYPE $STORAGE $SHAPE $NUMBER",
    "data $DATASET f8 $STORAGE $SHAPE $NUMBER",
    "poke $DATASET $NUMBER $NUMBER",
    "group $LINK",
    "type $LINK",
    "remove $LINK",
    "move $LINK $LINK",
    "hard $LINK $LINK",
    "soft $LINK $LINK",
    "external $LINK $LINK",
    "fit $NUMBER",
};

inline constexpr std::array<std::string_view, 7> objects{
    "/", "observation", "action", "timing", "golden", "params", "golden/value"};

inline constexpr std::array<std::string_view, 14> attributes{
    "format", "version", "model",        "metadata",  "provenance",        "components", "target",
    "scale",  "drag",    "angular_drag", "time_step", "decision_interval", "tolerance",  "other"};

inline constexpr std::array<std::string_view, 31> datasets{
    "params/_log_std",
    "params/actor_sigma.log_std",
    "params/actor_sigma.net.layers.0.kernel",
    "params/actor_sigma.net.layers.0.bias",
    "params/encoder.layers.0.kernel",
    "params/encoder.layers.0.bias",
    "params/encoder.layers.2.kernel",
    "params/encoder.layers.2.bias",
    "params/cell.dense_i.kernel",
    "params/cell.dense_h.kernel",
    "params/cell.dense_h.bias",
    "params/fused_head.kernel",
    "params/fused_head.bias",
    "params/proj_in.kernel",
    "params/mingru_kernel",
    "params/network.layers.0.kernel",
    "params/network.layers.2.bias",
    "params/actor_torso.layers.0.bias",
    "params/actor.kernel",
    "params/actor.bias",
    "params/actor_mu.kernel",
    "params/actor_mu.bias",
    "params/critic.kernel",
    "params/critic.bias",
    "params/critic.layers.0.bias",
    "golden/observation",
    "golden/carry",
    "golden/action",
    "golden/value",
    "golden/next_carry",
    "other",
};

inline constexpr std::array<std::string_view, 12> links{"/",
                                                        "params",
                                                        "observation",
                                                        "action",
                                                        "timing",
                                                        "golden",
                                                        "extras",
                                                        "./",
                                                        "params/critic.bias",
                                                        "params/_log_std",
                                                        "golden/sub",
                                                        "golden/observation"};

inline constexpr std::array<std::string_view, 27> metadata{
    "",
    "/observation_space_size",
    "/action_space_size",
    "/hidden_features",
    "/lstm_features",
    "/gru_features",
    "/num_layers",
    "/architecture",
    "/actor_architecture",
    "/critic_architecture",
    "/activation",
    "/action_space",
    "/action_space/type",
    "/action_space/kw",
    "/action_space/kw/x_min",
    "/action_space/kw/x_max",
    "/action_space/kw/width",
    "/action_space/kw/max_norm",
    "/action_space/kw/eps",
    "/action_space_type",
    "/action_space_kws",
    "/action_space_kws/x_min",
    "/variant",
    "/actor_sigma_head",
    "/discrete",
    "/cell_type",
    "/remat",
};

inline constexpr std::array<std::string_view, 13> components{
    "",        "/0",       "/1",           "/0/name",        "/0/dimensions",
    "/0/clip", "/0/range", "/0/n_azimuth", "/0/n_elevation", "/0/walls",
    "/0/bind", "/0/other", "/1/name"};

inline constexpr std::array<std::string_view, 5> names{R"("velocity")", R"("angular_velocity")",
                                                       R"("goal_direction")",
                                                       R"("goal_displacement")", R"("lidar")"};

inline constexpr std::array<std::string_view, 53> values{
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "0",
    "1",
    "2",
    "3",
    "7",
    "8",
    "-1",
    "16384",
    "16385",
    "4294967297",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "1.0",
    "0.1",
    "-0.0",
    "1e-6",
    "1e-13",
    "5e-324",
    "1e-46",
    "3.5e38",
    "1e308",
    "-1e308",
    "1e309",
    "[1]",
    "[2,1]",
    "[-1,-1]",
    "[1,2,3]",
    "[1,1,1,1,1,1,1]",
    "[1,1,1,1,1,1,1,1]",
    "[[1]]",
    R"("gelu")",
    R"("jax.nn:sigmoid")",
    R"({"_callable":true,"path":"jax._src.nn.functions:elu"})",
    R"({"path":1})",
    R"("Free")",
    R"("Box")",
    R"("MaxNorm")",
    R"({"type":"Box","kw":{"x_min":[-1,-2],"x_max":[1,2],"width":2,"eps":1e-3}})",
    R"({"type":"MaxNorm","kw":{"max_norm":2}})",
    R"({"x_min":-1,"x_max":1})",
    R"("seed")",
    R"("current")",
    R"("a\u0000b\ud83d\ude00")",
    R"({"name":"lidar","range":1,"n_azimuth":1,"n_elevation":2})",
};

inline constexpr std::array<std::string_view, 15> texts{
    "dempilot-policy",
    "LSTMActorCritic",
    "MinGRUActorCritic",
    "SharedActorCritic",
    "ActorCritic",
    "force",
    "torque",
    "force_and_torque",
    "",
    "x",
    "\xff\xfe",
    "\x1b[2J",
    "{}{fmt}%s%n",
    "[",
    "{\"a\":",
};

inline constexpr std::array<std::string_view, 26> numbers{
    "0",     "1",       "-1",      "2",          "3",
    "16",    "64",      "0.5",     "-0",         "1e-5",
    "nan",   "inf",     "-inf",    "1e39",       "1e308",
    "1e-46", "4096",    "4097",    "16384",      "65000",
    "65536", "1048576", "1048577", "2147483648", "9223372036854775807",
    "1e19"};

inline constexpr std::array<std::string_view, 24> types{
    "f4",   "f8",   "f4be",  "f8be",     "i1",     "u1",     "i4",     "i8",
    "u8",   "i8be", "bits",  "enum",     "f4odd",  "i4odd",  "list",   "long_double",
    "text", "time", "array", "compound", "opaque", "string", "padded", "reference"};

inline constexpr std::array<std::string_view, 12> storages{
    "contiguous", "compact",     "chunked", "gzip",     "shuffle", "fletcher",
    "nbit",       "scaleoffset", "huge",    "external", "virtual", "contiguous"};

inline constexpr std::array<std::string_view, 19> shapes{"scalar",
                                                         "null",
                                                         "0",
                                                         "1",
                                                         "2",
                                                         "3",
                                                         "4",
                                                         "1x1",
                                                         "1x2",
                                                         "2x1",
                                                         "2x2",
                                                         "3x2",
                                                         "1x3",
                                                         "2x4",
                                                         "2+",
                                                         "1x2+",
                                                         "0x2",
                                                         "4096x2",
                                                         "1099511627776x262144"};

}  // namespace dempilot::fuzz::words
