// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/FixOptions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "core/Error.hpp"
#include "core/nn/Precision.hpp"

namespace dempilot::lammps {
namespace {

constexpr std::array<std::string_view, 11> keywords = {
    "every",  "mode",         "bind",   "walls", "reset",    "restart",
    "record", "observations", "strict", "scale", "precision"};

bool is_keyword(const std::string& word) {
  return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

/// A whole number of at least `least`.
template <class Integer>
Integer parse_integer(const std::string& text, Integer least, std::string_view what) {
  Integer value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || value < least) {
    fail("{} cannot be '{}' (it is a whole number of at least {}). Correct the argument", what,
         text, least);
  }
  return value;
}

/// Arguments of one keyword: those up to the next keyword.
using Arguments = std::vector<std::string>;

void require_count(const Arguments& arguments, std::size_t count, std::string_view usage) {
  if (arguments.size() > count) throw Error(unknown_keyword(arguments[count]));
  if (arguments.size() < count) {
    fail("the keyword in '{}' has {} arguments (it takes {}). Write '{}'", usage, arguments.size(),
         count, usage);
  }
}

void parse_every(const Arguments& arguments, FixOptions& options) {
  require_count(arguments, 1, "every N");
  options.every = parse_integer(arguments[0], 1L, "'every'");
}

void parse_mode(const Arguments& arguments, FixOptions& options) {
  const std::string mode = arguments.empty() ? "" : arguments[0];
  if (mode == "mean") {
    require_count(arguments, 1, "mode mean");
    options.sample = false;
  } else if (mode == "sample") {
    require_count(arguments, 2, "mode sample SEED");
    options.sample = true;
    options.seed = parse_integer(arguments[1], std::uint64_t{0}, "the seed of 'mode sample'");
  } else {
    fail(
        "unknown mode '{}' (an action is the mean of its distribution or a sample of it). Write "
        "'mode mean' or 'mode sample SEED'",
        mode);
  }
}

void parse_bind(const Arguments& arguments, FixOptions& options) {
  if (arguments.size() < 2) {
    fail(
        "the keyword 'bind' lacks arguments (it takes the policy's name and what stands for it "
        "here). Write e.g. 'bind goal v_gx v_gy v_gz' or 'bind targets all'");
  }
  const auto same_name = [&](const FixOptions::Binding& b) { return b.name == arguments[0]; };
  if (std::any_of(options.bindings.begin(), options.bindings.end(), same_name)) {
    fail("'{}' is bound twice (a name stands for one thing). Remove one of the two 'bind {}'",
         arguments[0], arguments[0]);
  }
  options.bindings.push_back({arguments[0], {arguments.begin() + 1, arguments.end()}});
}

void parse_walls(const Arguments& arguments, FixOptions& options) {
  const std::string kind = arguments.empty() ? "" : arguments[0];
  if (kind == "box") {
    require_count(arguments, 1, "walls box");
    options.walls.emplace_back("box");
  } else if (kind == "region" && arguments.size() > 1) {
    options.walls.insert(options.walls.end(), arguments.begin() + 1, arguments.end());
  } else {
    fail(
        "unknown walls '{}' (walls are the faces of the box or surfaces of regions). Write 'walls "
        "box' or 'walls region ID ...'",
        kind);
  }
}

void parse_reset(const Arguments& arguments, FixOptions& options) {
  if (!arguments.empty() && arguments[0] == "every") {
    require_count(arguments, 2, "reset every N");
    options.reset_every = parse_integer(arguments[1], 1L, "'reset every'");
  } else if (!arguments.empty() && arguments[0] == "region") {
    require_count(arguments, 2, "reset region ID");
    options.reset_region = arguments[1];
  } else if (arguments.size() == 1 && arguments[0].starts_with("v_")) {
    options.reset_variable = arguments[0];
  } else {
    fail(
        "the keyword 'reset' is not followed by what it takes (carries are reset after a number "
        "of steps, where an atom-style variable is not zero, or in a region). Write 'reset every "
        "N', 'reset v_name' or 'reset region ID'");
  }
}

void parse_restart(const Arguments& arguments, FixOptions& options) {
  require_count(arguments, 1, "restart FILE");
  options.restart_path = arguments[0];
}

void parse_scale(const Arguments& arguments, FixOptions& options) {
  require_count(arguments, 3, "scale L T M");
  for (std::size_t n = 0; n < 3; ++n) {
    const std::string& text = arguments[n];
    double& value = options.scale[n];
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool read = status == std::errc{} && end == text.data() + text.size();
    if (read && std::isnormal(value) && value > 0) continue;
    fail(
        "'scale' cannot be '{}' (it is what one unit of the policy's length, time and mass is in "
        "units of the simulation: three positive numbers). Correct the argument",
        text);
  }
  const auto [length, time, mass] = options.scale;
  const double velocity = length / time;
  const double force = mass * length / time / time;
  if (std::isnormal(velocity) && std::isnormal(force) && std::isnormal(force * length)) return;
  fail(
      "'scale {} {} {}' makes units of {} for velocities, {} for forces and {} for torques (they "
      "must be numbers that can be computed with). Correct the arguments",
      length, time, mass, velocity, force, force * length);
}

bool parse_switch(const std::string& keyword, const Arguments& arguments) {
  require_count(arguments, 1, keyword + " yes");
  if (arguments[0] != "yes" && arguments[0] != "no") {
    fail("'{}' cannot be '{}' (it is yes or no). Write '{} yes'", keyword, arguments[0], keyword);
  }
  return arguments[0] == "yes";
}

/// Arguments come in pairs, of which `every N` is the first, so that a later `every` is the fix's.
void parse_record(const Arguments& arguments, FixOptions& options) {
  if (arguments.size() < 3 || arguments[1] != "every") {
    fail(
        "the keyword 'record' is not followed by what it takes (a folder, and how many decisions "
        "lie between those that are recorded). Write 'record FOLDER every N'");
  }
  if (options.record) {
    fail("'record' is given twice (a fix makes one recording). Remove one of the two");
  }
  FixOptions::Record& record = options.record.emplace();
  record.path = arguments[0];
  record.every = parse_integer(arguments[2], 1L, "'record every'");
  for (std::size_t n = 3; n < arguments.size(); n += 2) {
    const std::string& name = arguments[n];
    const bool known = name == "flush" || name == "carry" || name == "reward" || name == "done";
    if (!known) throw Error(unknown_keyword(name));
    if (n + 1 == arguments.size()) {
      fail("'{}' of the keyword 'record' lacks its argument (it takes one). Write '{} {}'", name,
           name,
           name == "flush"   ? "M"
           : name == "carry" ? "yes"
                             : "v_name");
    }
    const std::string& value = arguments[n + 1];
    if (name == "flush") record.flush = parse_integer(value, 1L, "'record flush'");
    if (name == "carry") record.carry = parse_switch(name, {value});
    if (name == "reward") record.reward = value;
    if (name == "done") record.done = value;
  }
}

void parse_precision(const Arguments& arguments, FixOptions& options) {
  require_count(arguments, 1, "precision NAME");
  nn::parse_precision(arguments[0], "'precision'");
  options.precision = arguments[0];
}

void parse_keyword(const std::string& keyword, const Arguments& arguments, FixOptions& options) {
  if (keyword == "every") return parse_every(arguments, options);
  if (keyword == "mode") return parse_mode(arguments, options);
  if (keyword == "bind") return parse_bind(arguments, options);
  if (keyword == "walls") return parse_walls(arguments, options);
  if (keyword == "reset") return parse_reset(arguments, options);
  if (keyword == "restart") return parse_restart(arguments, options);
  if (keyword == "scale") return parse_scale(arguments, options);
  if (keyword == "record") return parse_record(arguments, options);
  if (keyword == "precision") return parse_precision(arguments, options);
  (keyword == "strict" ? options.strict : options.observations) = parse_switch(keyword, arguments);
}

}  // namespace

std::string unknown_keyword(const std::string& word) {
  return fmt::format(
      "unknown keyword '{}' (known are every, mode, bind, walls, reset, restart, record, "
      "observations, strict, scale and precision). Remove or correct it",
      word);
}

FixOptions parse_options(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    fail(
        "no policy is named (the first argument is a policy file). Write 'fix ID group pilot "
        "policy.h5 ...'");
  }
  FixOptions options;
  options.policy_path = arguments[0];
  std::size_t n = 1;
  while (n < arguments.size()) {
    const std::string& keyword = arguments[n];
    if (!is_keyword(keyword)) {
      throw Error(unknown_keyword(keyword));
    }
    const auto first = arguments.begin() + static_cast<std::ptrdiff_t>(n) + 1;
    // The first words after a keyword are its own, whatever they are called: 'reset every N', or a
    // group, goal or file with the name of a keyword. Only walls may stand without any.
    const std::ptrdiff_t own = keyword == "bind" ? 2 : keyword == "record" ? 3 : 1;
    const auto search = first + std::min(own, arguments.end() - first);
    const auto last = std::find_if(search, arguments.end(), is_keyword);
    parse_keyword(keyword, {first, last}, options);
    n += 1 + static_cast<std::size_t>(last - first);
  }
  return options;
}

}  // namespace dempilot::lammps
