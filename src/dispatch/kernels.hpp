// SPDX-License-Identifier: MIT
// Fills the table of kernels of one level. Each file of a level defines VICINAL_DISPATCH_LEVEL as its name and includes
// this, which compiles the same kernels for the instruction sets that the file's flags allow.
//
// What is compiled here must not meet what other objects make of the same headers, as a linker keeps one of two inline
// functions of one name, and that may be the one with instructions that a processor lacks. So the library and xsimd have
// names of this level in this file, functions of std are not called, and the one name that others know is the table's.
#if !defined(VICINAL_DISPATCH_LEVEL)
#error "kernels.hpp is included by the files of levels, which define VICINAL_DISPATCH_LEVEL"
#endif

#include "vicinal/simd/dispatch_table.hpp"

#define VICINAL_LEVEL_NAME_2(name, level) name##_of_##level
#define VICINAL_LEVEL_NAME_1(name, level) VICINAL_LEVEL_NAME_2(name, level)
#define VICINAL_LEVEL_TEXT_2(level) #level
#define VICINAL_LEVEL_TEXT_1(level) VICINAL_LEVEL_TEXT_2(level)
#define vicinal VICINAL_LEVEL_NAME_1(vicinal, VICINAL_DISPATCH_LEVEL)
#define xsimd VICINAL_LEVEL_NAME_1(xsimd, VICINAL_DISPATCH_LEVEL)

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/metric/sums.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/simd/bit_planes.hpp"
#include "vicinal/simd/static_kernels.hpp"

// VICINAL_LEVEL_KERNEL stands before a function of the table, so that all it calls is inlined and a call is one call.
#if defined(VICINAL_GNU)
#define VICINAL_LEVEL_KERNEL __attribute__((flatten))
#else
#define VICINAL_LEVEL_KERNEL
#endif

namespace {

namespace simd = vicinal::simd;
namespace table = vicinal_dispatch;
using std::size_t;
using table::bytes;
using vicinal::detail::plain_sum;
using vicinal::detail::squares_of_row;
using kernels = simd::static_kernels<simd::native_isa>;

// ---- codecs, of which kernels use one function each

/// A codec as kernels see it: its view, and `load` as the codec of that name in codec/ has it.
struct viewed {
    const table::codec_view& view;
    VICINAL_INLINE size_t code_size() const noexcept { return view.code_size; }
};
struct viewed_f32 : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return simd::load<V>(reinterpret_cast<const float*>(code) + i);
    }
};
struct viewed_f16 : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return simd::widen_f16<V>(code + 2 * i);
    }
};
struct viewed_bf16 : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return simd::widen_bf16<V>(code + 2 * i);
    }
};
struct viewed_sq8 : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return vicinal::mul_add(simd::widen_u8<V>(code + i), simd::load<V>(view.steps + i),
                                simd::load<V>(view.lows + i));
    }
};
struct viewed_sq4 : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return vicinal::mul_add(simd::widen_u4<V>(code, i), simd::load<V>(view.steps + i),
                                simd::load<V>(view.lows + i));
    }
};
struct viewed_pq : viewed {
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        return simd::look_up_pairs<V>(view.codebook, code, i);
    }
};
/// A rotated code of rabitq: its levels follow four floats, the first of which is the scale.
template <unsigned Bits>
struct viewed_rotated : viewed {
    size_t width;
    template <class V>
    VICINAL_INLINE V load(bytes code, size_t i) const noexcept {
        const std::uint64_t levels = simd::levels_of_8<Bits>(code + 16, width / 8, i / 8 * 8);
        return simd::centered_levels<V, Bits>(levels, i, vicinal::detail::load_le<float>(code));
    }
};

}  // namespace

namespace vicinal::simd {
template <>
inline constexpr bool loads_wide<viewed_f32> = true;
template <>
inline constexpr bool loads_wide<viewed_bf16> = true;
template <>
inline constexpr bool decodes_slowly<viewed_sq8> = true;
template <>
inline constexpr bool decodes_slowly<viewed_sq4> = true;
}  // namespace vicinal::simd

namespace {

// ---- floats

VICINAL_INLINE simd::row_table rows_of(const table::row_places& rows) noexcept {
    return {rows.origins, rows.stride, rows.shift, rows.lines_ahead};
}

template <class Metric, class Codec>
VICINAL_LEVEL_KERNEL void score_list(const table::codec_view& view, const float* query, size_t dim,
                                     const table::row_places& rows, const std::uint32_t* slots, size_t count,
                                     float* out) noexcept {
    kernels::score_list(Metric{}, Codec{{view}}, query, dim, rows_of(rows), slots, count, out);
}
template <class Metric, unsigned Bits>
VICINAL_LEVEL_KERNEL void score_rotated(const table::codec_view& view, const float* query, size_t width,
                                        const table::row_places& rows, const std::uint32_t* slots, size_t count,
                                        float* out) noexcept {
    kernels::score_list(Metric{}, viewed_rotated<Bits>{{view}, width}, query, width, rows_of(rows), slots, count, out);
}
template <class Metric, class Codec>
VICINAL_LEVEL_KERNEL void score_block(const table::codec_view& view, const float* query, size_t dim, bytes first,
                                      size_t stride, size_t count, float* out, size_t ahead) noexcept {
    kernels::score_block(Metric{}, Codec{{view}}, query, dim, first, stride, count, out, simd::scan_ahead(ahead));
}
template <class Codec>
VICINAL_LEVEL_KERNEL void decode(const table::codec_view& view, bytes row, size_t dim, float* out) noexcept {
    kernels::decode(Codec{{view}}, row, dim, out);
}

// ---- integers

VICINAL_INLINE table::scale scale_of(const simd::integer_scale& by) noexcept {
    return {by.multiple, by.plus, by.factor, by.offset};
}

/// The kernels of codes of `Bits` bits, which `Codec` views.
template <unsigned Bits, class Codec>
struct integers {
    using query_type = typename kernels::query_type<Bits>;

    template <class Source>
    static table::scale weigh(const table::codec_view& view, bytes row, const float* lows, const float* steps,
                              size_t dim, void* out) noexcept {
        return scale_of(
            kernels::weigh_query<Bits>(Source{{view}}, row, lows, steps, dim, static_cast<query_type*>(out)));
    }
    static void round_query(const float* query, size_t dim, float low, float scale, void* out) noexcept {
        kernels::round_query<Bits>(query, dim, low, scale, static_cast<query_type*>(out));
    }
    static void query_from_code(bytes code, size_t dim, void* out) noexcept {
        kernels::query_from_code<Bits>(code, dim, static_cast<query_type*>(out));
    }
    template <simd::integer_sum What>
    VICINAL_LEVEL_KERNEL static void list(const table::scale& scale, const void* query, size_t dim,
                                          const table::row_places& rows, const std::uint32_t* slots, size_t count,
                                          float* out) noexcept {
        kernels::integer_list<Bits, What>(
            {scale.multiple, scale.plus, scale.factor, scale.offset},
            [](float sum) VICINAL_LAMBDA_INLINE { return sum; }, static_cast<const query_type*>(query), dim,
            rows_of(rows), slots, count, out);
    }
    template <simd::integer_sum What>
    static std::uint64_t scan(const void* query, size_t dim, unsigned shift, bytes first, size_t stride, size_t count,
                              std::int32_t limit, size_t ahead) noexcept {
        return kernels::integer_scan<Bits, What>(static_cast<const query_type*>(query), dim, shift, first, stride,
                                                 count, limit, simd::scan_ahead(ahead));
    }
    /// Null where there are no instructions for it, or no such sums.
    template <simd::integer_sum What>
    static constexpr table::integer_scan_kernel scan_if_any() noexcept {
        if constexpr (kernels::may_scan_integers && (Bits == 8 || What != simd::integer_sum::weighted_difference))
            return scan<What>;
        else
            return nullptr;
    }
    static constexpr table::integer_list_kernel weighted_list() noexcept {
        if constexpr (Bits == 8)
            return list<simd::integer_sum::weighted_difference>;
        else
            return nullptr;
    }
    static constexpr table::integer_kernels all() noexcept {
        using enum simd::integer_sum;
        return {{weigh<viewed_f32>, weigh<Codec>},
                round_query,
                query_from_code,
                {list<product>, list<squared_difference>, weighted_list()},
                {scan_if_any<product>(), scan_if_any<squared_difference>(), scan_if_any<weighted_difference>()}};
    }
};

void query_from_weighted_code(bytes code, const std::int16_t* weights, size_t dim, std::int16_t* out) noexcept {
    kernels::query_from_weighted_code(code, weights, dim, out);
}

// ---- codes of one bit

template <simd::bit_count What>
VICINAL_LEVEL_KERNEL void bit_list(bytes query, size_t size, const table::row_places& rows, const std::uint32_t* slots,
                                   size_t count, float* out) noexcept {
    kernels::bit_list<What>(query, size, rows_of(rows), slots, count, out);
}
template <simd::bit_count What>
VICINAL_LEVEL_KERNEL void bit_block(bytes query, size_t size, bytes first, size_t stride, size_t count, float* out,
                                    size_t ahead) noexcept {
    kernels::bit_block<What>(query, size, first, stride, count, out, simd::scan_ahead(ahead));
}

// ---- look-up tables and bounds

template <bool Differences>
float plane_lookup(const float* codebook, float x, float y, float* entries, float* most) noexcept {
    return kernels::plane_lookup<Differences>(codebook, x, y, entries, *most);
}
void round_to_bytes(const float* entries, size_t count, float scale, float half, unsigned highest,
                    std::uint8_t* out) noexcept {
    kernels::round_to_bytes(entries, count, scale, half, highest, out);
}
template <size_t Together>
std::uint64_t table_sums(bytes first, size_t stride, size_t count, const std::uint8_t* tables, size_t dim, size_t ahead,
                         float limit, float* out) noexcept {
    return kernels::table_sums<Together>(first, stride, count, tables, dim, simd::scan_ahead(ahead), limit, out);
}
void make_columns(bytes first, size_t stride, size_t count, size_t of_a_code, std::uint8_t* columns) noexcept {
    kernels::make_columns(first, stride, count, of_a_code, columns);
}
std::uint64_t column_sums(const std::uint8_t* columns, size_t count, const std::uint8_t* tables, size_t dim,
                          float limit, float* out) noexcept {
    return kernels::column_sums<4>(columns, count, tables, dim, limit, out);
}
table::lookup_scale make_lookup_tables(const float* query, size_t dim, std::uint8_t* tables) noexcept {
    const simd::scan_scale made = kernels::make_lookup_tables(query, dim, tables);
    return {made.step, made.low};
}
VICINAL_INLINE simd::sign_query signs_of(const table::sign_query& query) noexcept {
    return {query.factors_size,
            query.tables,
            query.width,
            {query.scale.step, query.scale.low},
            {query.base, query.slack, query.width_of_terms}};
}
template <bool Squares>
void sign_bounds(bytes first, size_t stride, size_t count, const table::sign_query& query, size_t ahead, float largest,
                 float* out) noexcept {
    kernels::sign_bounds<Squares>(first, stride, count, signs_of(query), simd::scan_ahead(ahead), largest, out);
}
template <bool Squares>
void column_bounds(const std::uint8_t* columns, bytes first, size_t stride, size_t count,
                   const table::sign_query& query, float largest, float* out) noexcept {
    kernels::column_bounds<Squares>(columns, first, stride, count, signs_of(query), largest, out);
}
template <bool Products>
void pca_bounds(bytes first, size_t stride, size_t count, const table::pca_query& query, float lowest, float* out,
                size_t ahead) noexcept {
    const simd::pca_query by{
        query.factors_size, query.weights, query.width, query.zero, {query.base, query.scale, query.along, query.off}};
    kernels::pca_bounds<Products>(first, stride, count, by, lowest, out, simd::scan_ahead(ahead));
}
std::uint32_t not_above_32(const float* values, float limit) noexcept { return kernels::not_above_32(values, limit); }

// ---- rotated and projected vectors

void rotate(const table::rotation& by, const float* vector, float* out, float* spare) noexcept {
    simd::rotate<simd::native_isa>({by.dim, by.size, by.window, by.signs}, vector, out, spare);
}
void rotate_back(const table::rotation& by, float* rotated, float* out, float* spare) noexcept {
    simd::rotate_back<simd::native_isa>({by.dim, by.size, by.window, by.signs}, rotated, out, spare);
}
float dot(const float* a, const float* b, size_t size) noexcept { return kernels::dot(a, b, size); }
float subtract(const float* a, const float* b, size_t size, float* out) noexcept {
    return kernels::subtract(a, b, size, out);
}
void project_tile(const float* relative, const float* directions, size_t dim, double* out) noexcept {
    kernels::project_tile(relative, directions, dim, out);
}

// ---- many queries at once

static_assert(kernels::most_of_panel <= table::most_of_panel && table::most_rows == simd::tile_most_rows);

void pack(const float* const* query, size_t count, size_t dim, float* panel) noexcept {
    kernels::pack(query, count, dim, panel);
}
void collect(const float* panel, size_t size, size_t dim, const float* const* row_at, size_t count, const float* least,
             const float* slope, const float* term, std::uint16_t* counts,
             std::uint16_t (*lists)[table::most_rows]) noexcept {
    simd::tile<simd::wide_isa<simd::native_isa>>::collect(panel, size, dim, row_at, count, least, slope, term, counts,
                                                          lists);
}

// ---- the table

constexpr table::kernel_table make_table() noexcept {
    table::kernel_table all{};
    all.level = VICINAL_LEVEL_TEXT_1(VICINAL_DISPATCH_LEVEL);
    all.panel_size = kernels::panel_size();
    all.scans_integers = kernels::scans_integers();
    const auto take_codec = [&]<class Codec>(table::codec place, const Codec*) {
        all.score_list[table::l2][place] = score_list<vicinal::l2, Codec>;
        all.score_list[table::inner_product][place] = score_list<vicinal::inner_product, Codec>;
        all.score_list[table::cosine][place] = score_list<vicinal::cosine, Codec>;
        all.score_list[table::squares_of_row][place] = score_list<squares_of_row, Codec>;
        all.score_block[table::l2][place] = score_block<vicinal::l2, Codec>;
        all.score_block[table::inner_product][place] = score_block<vicinal::inner_product, Codec>;
        all.score_block[table::cosine][place] = score_block<vicinal::cosine, Codec>;
        all.score_block[table::squares_of_row][place] = score_block<squares_of_row, Codec>;
        all.decode[place] = decode<Codec>;
    };
    take_codec(table::f32, static_cast<const viewed_f32*>(nullptr));
    take_codec(table::f16, static_cast<const viewed_f16*>(nullptr));
    take_codec(table::bf16, static_cast<const viewed_bf16*>(nullptr));
    take_codec(table::sq8, static_cast<const viewed_sq8*>(nullptr));
    take_codec(table::sq4, static_cast<const viewed_sq4*>(nullptr));
    take_codec(table::pq, static_cast<const viewed_pq*>(nullptr));
    [&]<size_t... B>(std::index_sequence<B...>) {
        ((all.score_rotated[0][B] = score_rotated<vicinal::l2, B + 1>), ...);
        ((all.score_rotated[1][B] = score_rotated<plain_sum, B + 1>), ...);
    }
    (std::make_index_sequence<table::most_bits>{});
    all.of_8_bits = integers<8, viewed_sq8>::all();
    all.of_4_bits = integers<4, viewed_sq4>::all();
    all.query_from_weighted_code = query_from_weighted_code;
    all.bit_list[0] = bit_list<simd::bit_count::differing>;
    all.bit_list[1] = bit_list<simd::bit_count::common>;
    all.bit_block[0] = bit_block<simd::bit_count::differing>;
    all.bit_block[1] = bit_block<simd::bit_count::common>;
    all.plane_lookup[0] = plane_lookup<false>;
    all.plane_lookup[1] = plane_lookup<true>;
    all.round_to_bytes = round_to_bytes;
    all.table_sums[0] = table_sums<2>;
    all.table_sums[1] = table_sums<4>;
    all.make_columns = make_columns;
    all.column_sums = column_sums;
    all.make_lookup_tables = make_lookup_tables;
    all.sign_bounds[0] = sign_bounds<false>;
    all.sign_bounds[1] = sign_bounds<true>;
    all.column_bounds[0] = column_bounds<false>;
    all.column_bounds[1] = column_bounds<true>;
    all.pca_bounds[0] = pca_bounds<false>;
    all.pca_bounds[1] = pca_bounds<true>;
    all.not_above_32 = not_above_32;
    all.rotate = rotate;
    all.rotate_back = rotate_back;
    all.dot = dot;
    all.subtract = subtract;
    all.project_tile = project_tile;
    all.pack = pack;
    all.collect = collect;
    return all;
}

}  // namespace

extern "C" {
// Constant, so that no code of this file runs before the level is chosen.
extern constinit const vicinal_dispatch::kernel_table VICINAL_DISPATCH_NAME(VICINAL_DISPATCH_LEVEL) = make_table();
}
