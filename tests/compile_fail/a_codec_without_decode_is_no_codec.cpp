// SPDX-License-Identifier: MIT
// expect: vicinal: Codec must model vicinal::codec
// expect: decode
#include <cstring>
#include <span>
#include <string_view>

#include "vicinal/ivf.hpp"

struct copies {
    static constexpr std::string_view name = "copies";
    std::size_t dim = 0;
    std::size_t code_size() const { return dim * sizeof(float); }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        std::memcpy(code.data(), x.data(), code_size());
    }
#ifndef MISUSE
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        std::memcpy(x.data(), code.data(), code_size());
    }
#endif
};

vicinal::ivf_index<vicinal::l2, copies> index_of_it(3);
