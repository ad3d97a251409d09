#pragma once

#include <span>
#include <utility>

#include "core/Backend.hpp"
#include "core/Error.hpp"
#include "core/policy/Array.hpp"

namespace dempilot {

/// What each agent remembers between decisions: a row [h | c] per agent, in the memory of the
/// execution space. The agents have a leading shape, (environments, agents) for instance.
template <class Real, class ExecutionSpace>
class Carry {
 public:
  explicit Carry(std::size_t carry_size) : size_(carry_size) {}

  /// A copy remembers by itself; the views of Kokkos would share what they show.
  Carry(const Carry& other) : size_(other.size_), leading_(other.leading_) {
    if (other.rows_.data() == nullptr) return;
    reset(leading_);
    Kokkos::deep_copy(rows_, other.rows_);
  }
  Carry& operator=(const Carry& other) {
    Carry copy(other);
    *this = std::move(copy);
    return *this;
  }
  Carry(Carry&&) noexcept = default;
  Carry& operator=(Carry&&) noexcept = default;
  ~Carry() = default;

  const Shape& leading_shape() const { return leading_; }
  std::size_t agents() const { return rows_.extent(0); }
  Matrix<Real, ExecutionSpace> rows() const { return rows_; }

  /// Zeros for agents of this leading shape.
  void reset(const Shape& leading) {
    leading_ = leading;
    rows_ = Matrix<Real, ExecutionSpace>("DEMPilot::Carry::rows", element_count(leading), size_);
  }

  /// Zeroes all agents.
  void reset() { Kokkos::deep_copy(rows_, Real(0)); }

  /// Zeroes the agents of the environments (entries along the first axis) where `mask` is true.
  void reset(std::span<const std::int8_t> mask) {
    if (leading_.empty() || mask.size() != leading_[0]) {
      fail(
          "cannot reset by a mask of {} entries (the carry's leading shape is ({})) give one entry "
          "for "
          "each index of the first axis",
          mask.size(), fmt::join(leading_, ", "));
    }
    const std::size_t agents_each = mask.empty() ? 0 : agents() / mask.size();
    for (std::size_t e = 0; e < mask.size(); ++e) {
      if (mask[e] != 0) zero(e * agents_each, (e + 1) * agents_each);
    }
  }

  /// Zeroes single agents, by their row-major index.
  void reset_agents(std::span<const std::size_t> indices) {
    for (const std::size_t index : indices) {
      if (index >= agents()) {
        fail("cannot reset agent {} (there are {}) give indices below that", index, agents());
      }
      zero(index, index + 1);
    }
  }

  /// Takes over a carry from the host, (..., carry_size).
  void set(const Array<Real>& carry) {
    if (carry.shape.empty() || carry.shape.back() != size_) {
      fail("cannot set a carry of shape ({}) (the model's has {} entries per agent) give (..., {})",
           fmt::join(carry.shape, ", "), size_, size_);
    }
    if (carry.values.size() != element_count(carry.shape)) {
      fail("cannot set a carry of shape ({}) from {} values (they must fill it) correct the shape",
           fmt::join(carry.shape, ", "), carry.values.size());
    }
    reset(Shape(carry.shape.begin(), carry.shape.end() - 1));
    const HostMatrix<const Real> host(carry.values.data(), agents(), size_);
    Kokkos::deep_copy(rows_, host);
  }

  /// A copy on the host, (..., carry_size); (0, carry_size) before there are agents.
  Array<Real> get() const {
    Shape shape = rows_.data() == nullptr && leading_.empty() ? Shape{0} : leading_;
    shape.push_back(size_);
    Array<Real> copy{shape, std::vector<Real>(element_count(shape))};
    const HostMatrix<Real> host(copy.values.data(), agents(), rows_.extent(1));
    Kokkos::deep_copy(host, rows_);
    return copy;
  }

 private:
  void zero(std::size_t first, std::size_t last) {
    Kokkos::deep_copy(Kokkos::subview(rows_, std::make_pair(first, last), Kokkos::ALL), Real(0));
  }

  std::size_t size_;
  Shape leading_;
  Matrix<Real, ExecutionSpace> rows_;
};

}  // namespace dempilot
