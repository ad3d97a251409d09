// A tool in the sense of Kokkos' profiling interface: counts the copies and the waiting inside the
// regions of fix pilot/kk, and writes the counts to the file $DEMPILOT_TEST_COPY_WATCH when Kokkos
// ends.
// https://kokkos.org/kokkos-core-wiki/ProfilingInterface.html

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int depth = 0;         ///< of regions
int depth_of_fix = 0;  ///< at which the fix began; 0: it does not run
long copies = 0;
long fences = 0;
long launches = 0;
long decisions = 0;

}  // namespace

extern "C" {

struct SpaceHandle {
  char name[64];
};

void kokkosp_push_profile_region(const char* name) {
  ++depth;
  if (depth_of_fix == 0 && std::strstr(name, "DEMPilot::FixPilotKokkos") != nullptr)
    depth_of_fix = depth;
}

void kokkosp_pop_profile_region() {
  if (depth == depth_of_fix) depth_of_fix = 0;
  --depth;
}

void kokkosp_begin_deep_copy(SpaceHandle, const char*, const void*, SpaceHandle, const char*,
                             const void*, std::uint64_t) {
  if (depth_of_fix > 0) ++copies;
}

/// But for those of the profiling itself, and of arrays that one memory holds for host and device.
void kokkosp_begin_fence(const char* name, std::uint32_t, std::uint64_t*) {
  const bool counts = std::strstr(name, "Profile Tool Fence") == nullptr &&
                      std::strstr(name, "fence after syncing DualView") == nullptr;
  if (depth_of_fix > 0 && counts) ++fences;
}

void kokkosp_begin_parallel_for(const char* name, std::uint32_t, std::uint64_t*) {
  if (depth_of_fix == 0) return;
  ++launches;
  if (std::strstr(name, "DEMPilot::DeviceScene::identity") != nullptr) ++decisions;
}

void kokkosp_finalize_library() {
  const char* const path = std::getenv("DEMPILOT_TEST_COPY_WATCH");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld %ld %ld %ld\n", copies, fences, launches, decisions);
  std::fclose(file);
}
}
