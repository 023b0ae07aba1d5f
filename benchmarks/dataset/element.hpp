// SPDX-License-Identifier: MIT
// The number types of the file formats, and their conversion to what the harness computes with.
#pragma once

#include <algorithm>    // for min
#include <bit>          // for bit_cast
#include <concepts>     // for same_as
#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint32_t and its like
#include <limits>       // for numeric_limits
#include <string>       // for to_string
#include <type_traits>  // for make_unsigned_t
#include <vector>       // for vector

#include "input_file.hpp"
#include "matrix.hpp"

namespace bench {

/// A little-endian number in a file.
enum class element : std::uint8_t { f4, f2, u1, i1, u4, i4, u8, i8 };

[[nodiscard]] constexpr std::size_t size_of(element type) noexcept {
    switch (type) {
        case element::u1:
        case element::i1: return 1;
        case element::f2: return 2;
        case element::f4:
        case element::u4:
        case element::i4: return 4;
        case element::u8:
        case element::i8: return 8;
    }
    return 0;
}

namespace detail {

/// The little-endian unsigned integer at `bytes`, on any machine; compilers make it one load.
template <class U>
[[nodiscard]] constexpr U load_little(const std::byte* bytes) noexcept {
    U value = 0;
    for (std::size_t i = 0; i < sizeof(U); ++i)
        value = static_cast<U>(value | static_cast<U>(static_cast<U>(bytes[i]) << (8 * i)));
    return value;
}

/// IEEE 754 binary16, exactly, subnormals, infinities and NaN included.
[[nodiscard]] constexpr float half_to_float(std::uint16_t half) noexcept {
    const auto sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1FU;
    const std::uint32_t fraction = half & 0x3FFU;
    if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float subnormal = static_cast<float>(fraction) * 0x1p-24F;
    return sign == 0 ? subnormal : -subnormal;
}

[[nodiscard]] inline float to_float(element type, const std::byte* bytes) noexcept {
    switch (type) {
        case element::f4: return std::bit_cast<float>(load_little<std::uint32_t>(bytes));
        case element::f2: return half_to_float(load_little<std::uint16_t>(bytes));
        case element::u1: return static_cast<float>(load_little<std::uint8_t>(bytes));
        case element::i1: return static_cast<float>(static_cast<std::int8_t>(load_little<std::uint8_t>(bytes)));
        default: return std::numeric_limits<float>::quiet_NaN();  // accepts<float> keeps the others out
    }
}

/// Negative and too large numbers become a value above every uint32_t.
[[nodiscard]] inline std::uint64_t to_row_number(element type, const std::byte* bytes) noexcept {
    switch (type) {
        case element::u4: return load_little<std::uint32_t>(bytes);
        case element::u8: return load_little<std::uint64_t>(bytes);
        case element::i4: {
            const auto value = static_cast<std::int32_t>(load_little<std::uint32_t>(bytes));
            return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
        }
        case element::i8: return load_little<std::uint64_t>(bytes);
        default: return std::numeric_limits<std::uint64_t>::max();  // accepts<std::uint32_t> keeps the others out
    }
}

}  // namespace detail

/// Whether a file of `type` can be a matrix of T: float for vectors, std::uint32_t for row numbers.
template <class T>
[[nodiscard]] constexpr bool accepts(element type) noexcept {
    const bool integers = type == element::u4 || type == element::i4 || type == element::u8 || type == element::i8;
    return std::same_as<T, float> ? !integers : integers;
}

/// Reads out.size() values of `type` from `file`.
/// throws  input_error if the file ends too soon or a row number is negative or above 2^32 - 1
template <class T>
void read_values(input_file& file, element type, std::span<T> out) {
    constexpr std::size_t chunk_values = 16384;
    const std::size_t width = size_of(type);
    std::vector<std::byte> chunk(std::min(out.size(), chunk_values) * width);
    while (!out.empty()) {
        const std::size_t count = std::min(out.size(), chunk_values);
        file.read(std::span(chunk).first(count * width));
        for (std::size_t i = 0; i < count; ++i) {
            if constexpr (std::same_as<T, float>) {
                out[i] = detail::to_float(type, chunk.data() + i * width);
            } else {
                const std::uint64_t value = detail::to_row_number(type, chunk.data() + i * width);
                if (value > std::numeric_limits<T>::max())
                    file.refuse("holds " + std::to_string(static_cast<std::int64_t>(value)) +
                                ", which is no row number");
                out[i] = static_cast<T>(value);
            }
        }
        out = out.subspan(count);
    }
}

/// A whole matrix, whose size must be what is left of the file; allocates only after that check.
template <class T>
[[nodiscard]] matrix<T> read_matrix(input_file& file, element type, std::uint64_t rows, std::uint64_t dim) {
    if (rows == 0 || dim == 0)
        file.refuse("is empty: " + std::to_string(rows) + " rows of " + std::to_string(dim) + " values");
    if (dim > file.size()) file.refuse("announces rows of " + std::to_string(dim) + " values");
    file.require_rows(rows, dim * size_of(type));
    matrix<T> result{static_cast<std::size_t>(rows), static_cast<std::size_t>(dim), {}};
    result.values.resize(result.rows * result.dim);
    read_values(file, type, std::span(result.values));
    return result;
}

}  // namespace bench
