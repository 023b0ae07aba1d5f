// SPDX-License-Identifier: MIT
// Kernels of every instruction set this machine has, against sums in long double and against each other.
#include <array>
#include <bit>
#include <cmath>
#include <type_traits>
#include <vector>

#include "simd/reference.hpp"
#include "support.hpp"
#include "vicinal/storage/validation.hpp"

namespace {

using namespace vicinal_fuzz;
namespace simd = vicinal::simd;
using vicinal::detail::slot_t;

/// Any admissible vector: of quarters, or of any bits that pass.
std::vector<float> vector(input& in, std::size_t dim) {
    const bool raw = in.below(4) == 0;
    std::vector<float> v(dim);
    for (float& x : v) {
        x = raw ? std::bit_cast<float>(in.word()) : in.quarter();
        if (!(std::fabs(x) < 1e15F) || (x != 0 && std::fabs(x) < 1e-15F)) x = 1;
    }
    return v;
}

struct rows {
    std::size_t stride;
    std::size_t count;
    std::vector<std::byte> bytes;
    std::uintptr_t origin = 0;
    std::vector<slot_t> slots;

    rows(std::size_t n, std::size_t code_size, input& in)
        : stride((code_size + in.below(4) + 3) / 4 * 4),
          count(n),
          bytes(n * stride + simd::over_read, std::byte{0xFF}) {
        origin = reinterpret_cast<std::uintptr_t>(bytes.data());
        for (std::size_t i = 0; i < n; ++i) slots.push_back(static_cast<slot_t>(in.below(n)));
    }
    [[nodiscard]] std::byte* row(std::size_t i) { return bytes.data() + i * stride; }
    [[nodiscard]] simd::row_table table() const { return {&origin, stride, 31}; }
};

template <class Isa, class Metric, class Codec>
std::vector<float> scores(const Codec& codec, const std::vector<float>& query, std::size_t dim, const rows& at) {
    using kernels = simd::static_kernels<Isa>;
    std::vector<float> listed(at.count);
    std::vector<float> block(at.count);
    kernels::score_list(Metric{}, codec, query.data(), dim, at.table(), at.slots.data(), at.count, listed.data());
    kernels::score_block(Metric{}, codec, query.data(), dim, at.bytes.data(), at.stride, at.count, block.data());
    for (std::size_t i = 0; i < at.count; ++i)
        require(vicinal_test::same_bits(listed[i], block[at.slots[i]]), "a list and a block give the same bits");
    return listed;
}

/// With any ranges that training could have left, which takes longer than all the rest.
template <class Codec>
Codec codec_of(std::size_t dim, input& in) {
    Codec codec{dim};
    if constexpr (vicinal::affine_codec<Codec>) {
        std::vector<float> low(dim);
        std::vector<double> step(dim);
        for (std::size_t i = 0; i < dim; ++i) {
            low[i] = in.quarter();
            step[i] = 0x1p-5 * (1 + in.byte());
        }
        if (in.below(2) == 0)
            codec.set_all(low[0], step[0]);
        else
            codec.set_each([&](std::size_t i) { return low[i]; }, [&](std::size_t i) { return step[i]; });
    }
    return codec;
}

template <class Metric, class Codec>
void floats(input& in) {
    const std::size_t dim = 1 + in.below(80);
    std::vector<float> query = vector(in, dim);
    const auto codec = codec_of<Codec>(dim, in);
    rows at(1 + in.below(9), codec.code_size(), in);
    std::vector<std::vector<float>> decoded;
    for (std::size_t r = 0; r < at.count; ++r) {
        auto v = vector(in, dim);
        if constexpr (vicinal::bounded_codec<Codec>)
            for (float& x : v) x = std::fmin(std::fmax(x, -60000.0F), 60000.0F);
        codec.encode(v, {at.row(r), codec.code_size()});
        codec.decode({at.row(r), codec.code_size()}, decoded.emplace_back(dim));
    }
    query.resize(dim + simd::over_read / sizeof(float), std::nanf(""));
    const auto compare = [&](const std::vector<float>& got, std::size_t lanes) {
        for (std::size_t i = 0; i < at.count; ++i) {
            const auto want = vicinal_test::reference(Metric{}, query.data(), decoded[at.slots[i]].data(), dim);
            const auto limit = vicinal_test::allowed(dim, lanes, want.magnitude);
            require(std::fabs(static_cast<long double>(got[i]) - want.distance) <= limit,
                    "a distance is within the stated bound");
        }
    };
    compare(scores<simd::scalar_isa, Metric>(codec, query, dim, at), 1);
    compare(scores<simd::native_isa, Metric>(codec, query, dim, at), simd::lane_count<simd::native_isa>);
#if defined(__SSE2__)
    // For the codecs whose loads differ most; tests/simd has every pair.
    if constexpr (std::is_same_v<Codec, vicinal::f32> || std::is_same_v<Codec, vicinal::sq4>)
        compare(scores<xsimd::sse2, Metric>(codec, query, dim, at), simd::lane_count<xsimd::sse2>);
#endif
}

template <unsigned Bits, simd::integer_sum What>
void integers(input& in) {
    using codes = simd::integer_codes<Bits>;
    const std::size_t dim = 1 + in.below(160);
    const std::size_t padded = (dim + simd::integer_group - 1) / simd::integer_group * simd::integer_group;
    const int weight =
        static_cast<int>(std::fmin(codes::largest_weight, codes::total_weight / static_cast<float>(dim)));
    const int low = What == simd::integer_sum::product ? -weight : codes::lowest;
    const int high = What == simd::integer_sum::product ? weight : codes::highest;
    std::vector<std::int16_t> natural(padded);
    for (std::size_t i = 0; i < dim; ++i)
        natural[i] =
            static_cast<std::int16_t>(low + static_cast<int>(in.below(static_cast<std::size_t>(high - low + 1))));
    std::vector<typename codes::query_type> query(padded);
    for (std::size_t i = 0; i < padded; i += simd::integer_group) codes::arrange(&natural[i], &query[i]);
    rows at(1 + in.below(9), codes::bytes(dim), in);
    for (std::size_t r = 0; r < at.count; ++r)
        for (std::size_t i = 0; i < codes::bytes(dim); ++i) at.row(r)[i] = std::byte{in.byte()};
    simd::integer_scale scale;
    if (What == simd::integer_sum::squared_difference)
        scale = {codes::of_sum, codes::add_squares(query.data(), dim), 1.0F, 0.0F};
    const auto check = [&](auto isa) {
        std::vector<float> got(at.count);
        simd::static_kernels<decltype(isa)>::template integer_list<Bits, What>(
            scale, [](float sum) { return sum; }, query.data(), dim, at.table(), at.slots.data(), at.count, got.data());
        for (std::size_t i = 0; i < at.count; ++i) {
            std::int64_t want = 0;
            const std::byte* code = at.row(at.slots[i]);
            for (std::size_t c = 0; c < dim; ++c) {
                const auto x = Bits == 8 ? std::to_integer<std::int64_t>(code[c])
                                         : (std::to_integer<std::int64_t>(code[c / 2]) >> (c % 2 * 4) & 15);
                const std::int64_t difference = codes::per_step * x - natural[c];
                want += What == simd::integer_sum::product ? natural[c] * x : difference * difference;
            }
            require(got[i] == static_cast<float>(want), "an integer sum is exact");
        }
    };
    check(simd::scalar_isa{});
    check(simd::native_isa{});
#if defined(__SSE2__)
    check(xsimd::sse2{});
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal;
    input in({reinterpret_cast<const std::byte*>(data), size});
    switch (in.below(9)) {  // each metric and each codec; tests/simd has every pair
        case 0: floats<l2, f32>(in); break;
        case 1: floats<inner_product, f16>(in); break;
        case 2: floats<l2, bf16>(in); break;
        case 3: floats<inner_product, sq8>(in); break;
        case 4: floats<l2, sq4>(in); break;
        case 5: integers<8, simd::integer_sum::product>(in); break;
        case 6: integers<8, simd::integer_sum::squared_difference>(in); break;
        case 7: integers<4, simd::integer_sum::product>(in); break;
        default: integers<4, simd::integer_sum::squared_difference>(in);
    }
    return 0;
}
