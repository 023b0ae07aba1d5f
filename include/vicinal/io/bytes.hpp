// SPDX-License-Identifier: MIT
// Bounded cursors read and write fields of a file's sections, which are little-endian.
#pragma once

#include <algorithm>    // for reverse
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint64_t
#include <cstring>      // for memcpy
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/number_as.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Reverses the bytes of every element of `width` bytes, in place. bytes.size() is a multiple of width.
inline void swap_elements(std::span<std::byte> bytes, std::size_t width) noexcept {
    if (width < 2) return;
    for (std::size_t i = 0; i + width <= bytes.size(); i += width)
        std::reverse(bytes.data() + i, bytes.data() + i + width);
}

/// Appends fields to a small section of mixed contents.
class byte_writer {
  public:
    template <file_element T>
    byte_writer& put(T value) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        store_le(bytes_.data() + at, value);
        return *this;
    }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept VICINAL_LIFETIMEBOUND { return bytes_; }
    [[nodiscard]] std::vector<std::byte> take() noexcept { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

/// Takes fields from a span, front to back. Never reads past its end.
class byte_reader {
  public:
    /// what  names the bytes in messages: "catalog.vic: section 'HPAR' at offset 256"
    byte_reader(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

    /// Takes one field.
    /// throws  error{corrupt_file} if fewer bytes are left than T needs
    template <file_element T>
    [[nodiscard]] T take() {
        return load_le<T>(take_bytes(sizeof(T)).data());
    }
    /// Takes `count` bytes as they are.
    /// throws  error{corrupt_file} if fewer than `count` bytes are left
    [[nodiscard]] std::span<const std::byte> take_bytes(std::uint64_t count) {
        if (count > left())
            fail(errc::corrupt_file, what_ + ": byte " + std::to_string(at_) + " begins a field of " +
                                         std::to_string(count) + " bytes, " + std::to_string(left()) + " are left");
        const auto part = bytes_.subspan(at_, number_as<std::size_t>(count));
        at_ += part.size();
        return part;
    }
    /// Demands that nothing is left.
    /// throws  error{corrupt_file} unless everything was taken
    void finish() const {
        if (left() != 0)
            fail(errc::corrupt_file, what_ + ": " + std::to_string(left()) +
                                         " bytes follow the last field, which ends at byte " + std::to_string(at_));
    }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

  private:
    std::span<const std::byte> bytes_;
    std::string what_;
    std::size_t at_ = 0;
};

}  // namespace detail
VICINAL_NAMESPACE_END
