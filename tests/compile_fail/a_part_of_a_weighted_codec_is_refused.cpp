// SPDX-License-Identifier: MIT
// expect: vicinal: Codec has a part of vicinal::weighted_codec: it needs 8 bits, unit, weight and weights
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
    static constexpr unsigned bits = 8;
#ifdef MISUSE
    const std::int16_t* weights() const { return nullptr; }
#endif
};

template class vicinal::flat_index<vicinal::l2, floats>;
