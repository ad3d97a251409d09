#include <gmock/gmock.h>
#include <Kokkos_Core.hpp>

#include "core/Pilot.hpp"

/// main() of all tests: Kokkos runs with two threads, so that the OpenMP back end is really
/// parallel.
int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  dempilot::initialize_runtime(2);
  const int status = RUN_ALL_TESTS();
  Kokkos::finalize();
  return status;
}
