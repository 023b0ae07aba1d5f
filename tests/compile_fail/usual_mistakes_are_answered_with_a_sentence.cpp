// SPDX-License-Identifier: MIT
// What programs that used faiss, hnswlib or usearch have first, all compiled at once: an expected number says how many
// mistakes a sentence answers. The calls that are meant stand beside them, and compile.
//
// expect 3: vicinal: behind k come the parameters of this kind of index
// expect 2: vicinal: say how many neighbors are wanted
// expect 2: vicinal: a pointer does not say how many components follow
// expect 1: vicinal: search returns its results
// expect 2: vicinal: doubles are not rounded
// expect 2: vicinal: rows lie one behind the other
// expect 1: vicinal: many rows are a matrix_view
// expect 1: vicinal: ids must be of the index's id type
// expect 1: vicinal: vectors come with their ids
// expect 1: vicinal: a filter is no list of ids
// expect 1: vicinal: the metric comes first, then the codec
// expect 1: vicinal: Metric has no name
// expect 1: vicinal: an index in memory is bytes
// expect 1: vicinal: prefix<N> keeps too little to rank by
// expect 1: vicinal: prefix<N, Inner> takes a codec of single components
// expect: vicinal: write hnsw_index.dim, ..degree = 16
// expect: vicinal: write ivf_index.dim, ..lists = 1024
// expect: vicinal: write flat_index.dim
// expect: vicinal: copy an index by clone
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

using namespace vicinal;
using graph = hnsw_index<l2, f32>;
using rows = flat_index<>;
using lists = ivf_index<>;
using ids_t = std::vector<std::uint64_t>;
using nested = std::vector<std::vector<float>>;

struct unnamed {
#ifndef MISUSE
    static constexpr std::string_view name = "named";
#endif
    static float accumulate(float sum, float q, float x) { return sum + (q - x); }
    static float finish(float sum) { return sum; }
};
#ifdef MISUSE
void constructions(const graph& one) {
    graph params_of_another_index(3, ivf_params{});
    graph numbers_where_params_go(3, 16, 200);
    lists a_number_where_params_go(3, 100);
    rows params_of_none(3, hnsw_params{});
    graph a_copy(one);
    flat_index<f32, l2> swapped(3);
    flat_index<unnamed> of_no_name(3);
    flat_index<cosine, prefix<2>> of_too_little(3);
    flat_index<l2, two_level<prefix<2, bits>, f32>> of_no_components(3);
}
void searches(const graph& index, const rows& scan, std::span<const float> q) {
    (void)index.search(q, 3, ivf_search_params<>{});
    (void)scan.search(q, 3, flat_search_params<int>{});
    (void)index.search(q, 3, 64);
    (void)index.search(q);
    (void)index.search(q, {.ef = 64});
    (void)index.search(q.data(), 10, {.ef = 64});
    scan.search(std::size_t{1}, q.data(), 10, new float[10], new std::int64_t[10]);
    (void)scan.search(std::vector<double>{1, 2, 3}, 10);
    (void)scan.search(nested{{1, 2, 3}}, 10);
    (void)index.search(q, 10, {.filter = ids_t{1, 2}});
}
void additions(graph& index, const ids_t& ids, std::vector<float>& v) {
    index.add(5, v.data());
    index.add(5, std::vector<double>{1, 2, 3});
    index.add(ids, nested{{1, 2, 3}});
    index.add(ids, v);
    index.add(std::vector<int>{1, 2}, matrix_view(v, 3));
    index.add(matrix_view(v, 3));
}
void files(const std::vector<char>& file) { (void)rows::load(file); }
#else
// Who asks whether an index can be made of some parameters gets the answer.
static_assert(std::is_constructible_v<graph, int, hnsw_params> && !std::is_constructible_v<graph, int, ivf_params>);
static_assert(std::is_constructible_v<lists, int, ivf_params> && !std::is_constructible_v<rows, int, ivf_params>);
static_assert(!std::is_copy_constructible_v<graph> && std::is_move_constructible_v<graph>);
void constructions(const graph& one) {
    graph params_by_name(3, {.degree = 16, .ef_construction = 200});
    graph params_by_type(3, hnsw_params{});
    lists of_many(3, {.lists = 100});
    rows none(3);
    graph a_copy(one.clone());
    graph taken(static_cast<graph&&>(a_copy));
    flat_index<l2, f32> in_order(3);
    flat_index<unnamed> named(3);
    flat_index<cosine, two_level<prefix<2>, f32>> of_two_levels(3);
    flat_index<l2, two_level<prefix<2, sq8>, f32>> of_components(3);
}
void searches(const graph& index, const rows& scan, std::span<const float> q) {
    const id_set<std::uint64_t> wanted{1, 2};
    const float three[] = {1, 2, 3};
    neighbor<> out[3];
    (void)index.search(q, 3, hnsw_search_params<>{});
    (void)index.search(q, 3, {.ef = 64, .filter = wanted});
    (void)scan.search(q, 3, {.filter = [](std::uint64_t id) { return id > 1; }});
    (void)index.search(three, 3);
    (void)index.search({1, 2, 3}, 3);
    (void)index.search({0, 2, -0.5}, 3, {.ef = 5});
    (void)index.search(std::vector<float>{1, 2, 3}, 3);
    (void)index.search(std::span(q.data(), 3), 3);
    (void)index.search(q, std::span(out), {.ef = 3});
    (void)index.search(matrix_view(q, 3), 3, {.threads = 2});
    (void)index.search_id(1, 3, {.ef = 9});
}
void additions(graph& index, const ids_t& ids, std::vector<float>& v) {
    float three[] = {1, 2, 3};
    index.add(5, v);
    index.add(5, {0, 2, -0.5});
    index.add(5, {});
    index.add(5, three);
    index.add(ids, matrix_view(v, 3));
    index.add(ids, {v, 3}, {.threads = 2});
    index.add(ids, {v.data(), 1, 3});
    index.add(ids_t{1}, {std::vector<float>{1, 2, 3}, 3});
}
void files(const std::vector<char>& file, const std::vector<std::byte>& bytes, std::istream& stream) {
    (void)rows::load(std::as_bytes(std::span(file)));
    (void)rows::load(bytes);
    (void)rows::load("path", {.max_rows = 5});
    (void)rows::load(stream);
}
#endif
