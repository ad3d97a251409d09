#pragma once

#include <hdf5.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/BasePolicies.hpp"

namespace dempilot::fuzz {

/// A policy file under construction in memory: a base policy and what lines of text change in it.
/// Whatever the text says, HDF5 itself writes the file, so that its container is sound and only
/// what it holds is not. The lines, words apart by one space:
///
///   json OBJECT ATTRIBUTE POINTER VALUE     sets a place in the base's JSON; without VALUE removes
///   it text OBJECT ATTRIBUTE VALUE             a string of variable length, as h5py writes fixed
///   OBJECT ATTRIBUTE SIZE VALUE       a string of fixed size long OBJECT ATTRIBUTE COUNT VALUE
///   VALUE so many times number OBJECT ATTRIBUTE TYPE SHAPE VALUE rename OBJECT ATTRIBUTE NAME,
///   strip OBJECT ATTRIBUTE data PATH TYPE STORAGE SHAPE VALUE      a dataset filled with VALUE;
///   without VALUE not written poke PATH INDEX VALUE                   one value of a dataset group
///   PATH, type PATH, remove PATH, move PATH NEW hard PATH TARGET, soft PATH TARGET, external PATH
///   TARGET fit VALUE                               weights and golden rows of the model in the
///   JSON
///
/// The root group is "/". What makes no sense is passed over.
class Draft {
 public:
  explicit Draft(const BasePolicy& base);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void apply(const std::string& line);
  std::vector<std::byte> bytes() const;

 private:
  using Words = std::vector<std::string>;

  bool apply_to_attribute(const Words& words);
  bool apply_to_link(const Words& words);
  void set_json(const std::string& object, const std::string& attribute, const std::string& pointer,
                const std::string& value);
  void set_text(const std::string& object, const std::string& attribute, const std::string& text);
  void set_fixed(const std::string& object, const std::string& attribute, const std::string& size,
                 const std::string& text);
  void set_number(const std::string& object, const std::string& attribute, const std::string& type,
                  const std::string& shape, const std::string& value);
  void put_attribute(const std::string& object, const std::string& attribute, hid_t type,
                     hid_t space, const void* value);
  void put_data(const std::string& path, const std::string& type, const std::string& storage,
                const std::string& shape, const std::string& value);
  void poke(const std::string& path, const std::string& index, const std::string& value);
  void fit(const std::string& value);

  hid_t file_;
  std::string model_;
  nlohmann::json metadata_;
  nlohmann::json components_;
};

/// The file that a text describes: its first line names the base, the others are edits.
std::vector<std::byte> policy_of(std::string_view text);

}  // namespace dempilot::fuzz
