# CUDA's compiler, which needs no device.

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  if(Kokkos_ENABLE_CUDA)
    set(CMAKE_CUDA_ARCHITECTURES ${Kokkos_CUDA_ARCHITECTURES})
  else()
    set(CMAKE_CUDA_ARCHITECTURES 80 90)
  endif()
endif()
enable_language(CUDA)
