// The scenes of the tests lie in std::vectors, and observers want them where their execution space
// reaches them: in tests of a device all that operator new gives is managed memory. Where there is
// no device, tests can still be listed.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <new>

namespace {

bool device_is_there() {
  static const bool there = [] {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  }();
  return there;
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = nullptr;
  const std::size_t bytes = size == 0 ? 1 : size;
  if (!device_is_there())
    memory = std::malloc(bytes);
  else if (cudaMallocManaged(&memory, bytes) != cudaSuccess)
    memory = nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  if (device_is_there())
    cudaFree(memory);
  else
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
