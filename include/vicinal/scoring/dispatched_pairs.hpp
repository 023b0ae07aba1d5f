// SPDX-License-Identifier: MIT
// Says which place each metric and codec of ours has in the table of kernels that are chosen at run time.
#pragma once

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/codec/pq/pq.hpp"
#include "vicinal/codec/prefix.hpp"
#include "vicinal/codec/rabitq.hpp"
#include "vicinal/codec/sq/sq4.hpp"
#include "vicinal/codec/sq/sq8.hpp"
#include "vicinal/metric/cosine.hpp"
#include "vicinal/metric/inner_product.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/metric/sums.hpp"
#include "vicinal/scoring/bounds_rabitq.hpp"
#include "vicinal/simd/dispatched_kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

template <>
struct metric_in_table<l2> {
    static constexpr auto number = table::l2;
};
template <>
struct metric_in_table<inner_product> {
    static constexpr auto number = table::inner_product;
};
template <>
struct metric_in_table<cosine> {
    static constexpr auto number = table::cosine;
};
template <>
struct metric_in_table<vicinal::detail::squares_of_row> {
    static constexpr auto number = table::squares_of_row;
};
template <>
struct metric_in_table<vicinal::detail::plain_sum> {
    static constexpr auto number = table::plain_sum;
};

/// The place of a codec whose kernels need to know its size only.
template <class Codec, table::codec Number>
struct plain_codec_in_table {
    static constexpr auto number = Number;
    [[nodiscard]] static table::codec_view view(const Codec& codec) noexcept {
        return {codec.code_size(), nullptr, nullptr, nullptr};
    }
};
template <>
struct codec_in_table<f32> : plain_codec_in_table<f32, table::f32> {};
template <>
struct codec_in_table<f16> : plain_codec_in_table<f16, table::f16> {};
template <>
struct codec_in_table<bf16> : plain_codec_in_table<bf16, table::bf16> {};

/// The place of a codec of evenly spaced steps.
template <class Codec, table::codec Number>
struct affine_codec_in_table {
    static constexpr auto number = Number;
    [[nodiscard]] static table::codec_view view(const Codec& codec) noexcept {
        return {codec.code_size(), codec.lows(), codec.steps(), nullptr};
    }
};
template <>
struct codec_in_table<sq8> : affine_codec_in_table<sq8, table::sq8> {};
template <>
struct codec_in_table<sq4> : affine_codec_in_table<sq4, table::sq4> {};
template <>
struct codec_in_table<pq> {
    static constexpr auto number = table::pq;
    [[nodiscard]] static table::codec_view view(const pq& codec) noexcept {
        return {codec.code_size(), nullptr, nullptr, codec.codebook(0).data()};
    }
};

/// The kernels of a codec are told how many components it has.
template <std::size_t N, class Inner>
struct codec_in_table<prefix<N, Inner>> : codec_in_table<Inner> {};

template <unsigned Bits>
struct rotated_in_table<vicinal::detail::rotated_code<rabitq<Bits>>> {
    static constexpr unsigned bits = Bits;
};

}  // namespace simd

VICINAL_NAMESPACE_END
