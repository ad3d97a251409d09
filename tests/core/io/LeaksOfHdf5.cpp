/// HDF5 1.10 forgets to free some of what it had made of a damaged file when it gives up on it. Not
/// our memory, so LeakSanitizer is told to pass over what HDF5 itself allocated.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}
