#pragma once

#include <string>
#include <vector>

#include "core/Backend.hpp"
#include "core/policy/Array.hpp"

namespace dempilot {

/// Host values, converted to T, in the memory of an execution space.
template <class T, class ExecutionSpace, class From>
Vector<T, ExecutionSpace> upload(const std::vector<From>& values, const std::string& label) {
  Vector<T, ExecutionSpace> vector(label, values.size());
  const auto host = Kokkos::create_mirror_view(vector);
  for (std::size_t i = 0; i < values.size(); ++i)
    host(i) = static_cast<T>(values[i]);
  Kokkos::deep_copy(vector, host);
  return vector;
}

/// A matrix of host values in the memory of an execution space.
template <class T, class ExecutionSpace>
Matrix<T, ExecutionSpace> upload(const std::vector<T>& values, std::size_t rows,
                                 const char* label) {
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  Matrix<T, ExecutionSpace> matrix(Kokkos::ViewAllocateWithoutInitializing(label), rows, columns);
  Kokkos::deep_copy(matrix, HostMatrix<const T>(values.data(), rows, columns));
  return matrix;
}

template <class T, class ExecutionSpace>
Array<T> download(const Matrix<T, ExecutionSpace>& matrix, Shape shape) {
  Array<T> array{std::move(shape), std::vector<T>(matrix.extent(0) * matrix.extent(1))};
  Kokkos::deep_copy(HostMatrix<T>(array.values.data(), matrix.extent(0), matrix.extent(1)), matrix);
  return array;
}

}  // namespace dempilot
