// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstddef>
#include <string>

namespace dempilot::lammps {

/// Makes a view at least `size` entries long, and never without memory; what was in it is lost when
/// it grows. Returns where it begins.
template <class View>
auto* make_room(View& view, const char* label, std::size_t size) {
  size = std::max<std::size_t>(1, size);
  if (view.extent(0) < size) {
    view = View();  // gives the old memory back first
    view =
        View(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), size + size / 8);
  }
  return view.data();
}

/// Bytes of some views.
template <class... Views>
double bytes_of(const Views&... views) {
  return static_cast<double>(((views.extent(0) * sizeof(*views.data())) + ... + std::size_t{0}));
}

}  // namespace dempilot::lammps
