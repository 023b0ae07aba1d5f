// SPDX-License-Identifier: MIT
// expect: vicinal: Codec has a largest_squares that is not vicinal::norm_bounded_codec
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "vicinal/flat.hpp"

struct floats {
    static constexpr std::string_view name = "floats";
    std::size_t dim = 0;
    std::size_t code_size() const { return dim * sizeof(float); }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        std::memcpy(code.data(), x.data(), code_size());
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        std::memcpy(x.data(), code.data(), code_size());
    }
#ifdef MISUSE
    void largest_squares() const {}
#else
    double largest_squares() const { return 1e30; }
#endif
};

template class vicinal::flat_index<vicinal::l2, floats>;
