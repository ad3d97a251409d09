#pragma once

#include "core/io/Hdf5.hpp"
#include "core/policy/Contract.hpp"

/// The contract's groups and attributes in a policy file; docs/policy_file.md gives the layout.
namespace dempilot {

/// Throws Error naming the file, the place, what was found and what was expected.
Contract read_contract(const hdf5::File& file);
void write_contract(hdf5::File& file, const Contract& contract);

}  // namespace dempilot
