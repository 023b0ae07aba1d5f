// SPDX-License-Identifier: MIT
// The list of all that the library asks of kernels. What models it is the last template argument of every index:
// `static_kernels` of one instruction set, chosen at compile time, or `dispatched_kernels`, chosen at run time. All
// members are static, take raw pointers, and neither throw nor allocate; any thread may call them.
//
//     of_pair<Metric, Codec>        the policy whose three kernels of floats take that pair; it has these:
//       score_list, score_block     distances of a query to rows, anywhere or one after the other
//       decode                      a row's code as floats
//       weigh_query<Bits>           a query, or row, as integers for inner products of codes
//     round_query<Bits>             a query as integers for squared differences from codes of one step
//     query_from_code<Bits>, query_from_weighted_code       the same of a row's code, exactly
//     integer_list<Bits, What>      distances of such a query to rows anywhere, in integers
//     may_scan_integers, scans_integers()                   whether there is integer_scan: perhaps, and indeed
//     integer_scan<Bits, What>      which of up to 64 rows have integer sums within a limit
//     bit_list<What>, bit_block<What>   how many bits of a query and of rows differ, or are common
//     plane_lookup, round_to_bytes  make look-up tables of pq codes
//     table_sums<Together>          which of up to 64 rows have sums of table entries within a limit, and the sums
//     make_columns                  rows' codes by columns of bytes, for scans by many queries
//     column_sums<Together>         table_sums, column_bounds<Squares> sign_bounds, of columns
//     make_lookup_tables            makes look-up tables of signs
//     sign_bounds<Squares>          rows' lower bounds by their signs
//     pca_bounds<Products>          rows' lower bounds by their coordinates along principal axes
//     not_above_32                  which of 32 floats do not exceed a limit
//     rotate, rotate_back, dot, subtract, project_tile      what queries of rabitq and pca8 go through
//     most_of_panel, panel_size()   how many queries a panel has: at most, and indeed
//     pack, collect                 a panel of queries, and which rows reach what each of its queries demands
//
// A new kernel is a function template over Isa in simd/, a member of static_kernels and of dispatched_kernels, an entry
// of dispatch_table.hpp, filled by src/dispatch/kernels.hpp, and a line here.
#pragma once

#include <concepts>  // for convertible_to, same_as
#include <cstddef>   // for size_t, byte
#include <cstdint>   // for int16_t, uint8_t, uint32_t, uint64_t

#include "vicinal/simd/fast_scan.hpp"
#include "vicinal/simd/pca_lower_bounds.hpp"
#include "vicinal/simd/rotation.hpp"
#include "vicinal/simd/tile.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Models the list above, but for the members that are templates over metrics and codecs.
template <class K>
concept kernel_policy = requires(const std::byte* row, const float* in, float* out, std::size_t n, float x,
                                 std::int16_t* words, std::uint8_t* bytes, double* coordinates, const rotation& by,
                                 const sign_query& signs, const pca_query& axes, const float* const* rows) {
    { K::may_scan_integers } -> std::convertible_to<bool>;
    { K::scans_integers() } -> std::same_as<bool>;
    K::template round_query<8>(in, n, x, x, words);
    K::template query_from_code<8>(row, n, words);
    K::query_from_weighted_code(row, words, n, words);
    { K::template plane_lookup<true>(in, x, x, out, *out) } -> std::same_as<float>;
    K::round_to_bytes(in, n, x, x, 255U, bytes);
    { K::template table_sums<4>(row, n, n, bytes, n, scan_ahead{}, x, out) } -> std::same_as<std::uint64_t>;
    K::make_columns(row, n, n, n, bytes);
    { K::template column_sums<4>(bytes, n, bytes, n, x, out) } -> std::same_as<std::uint64_t>;
    K::template column_bounds<true>(bytes, row, n, n, signs, x, out);
    { K::make_lookup_tables(in, n, bytes) } -> std::same_as<scan_scale>;
    K::template sign_bounds<true>(row, n, n, signs, scan_ahead{}, x, out);
    K::template pca_bounds<true>(row, n, n, axes, x, out, scan_ahead{});
    { K::not_above_32(in, x) } -> std::same_as<std::uint32_t>;
    K::rotate(by, in, out, out);
    K::rotate_back(by, out, out, out);
    { K::dot(in, in, n) } -> std::same_as<float>;
    { K::subtract(in, in, n, out) } -> std::same_as<float>;
    K::project_tile(in, in, n, coordinates);
    { K::panel_size() } -> std::same_as<std::size_t>;
    K::pack(rows, n, n, out);
    requires requires(tile_hits<K::most_of_panel> & hits) { K::collect(in, n, n, rows, n, in, in, in, hits); };
};

}  // namespace simd

VICINAL_NAMESPACE_END
