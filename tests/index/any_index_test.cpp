// SPDX-License-Identifier: MIT
// any_index: what a text or a file names is made, what it does not have is refused, calls reach the index unchanged.
// That all calls keep the contract, tests/contract shows, which is run over any_index.
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/index_types.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::any_index;
using vicinal::neighbor;

using exact = vicinal::flat_index<vicinal::l2, vicinal::f32>;
using coded = vicinal::flat_index<vicinal::l2, vicinal::sq8>;
using lists = vicinal::ivf_index<vicinal::l2, vicinal::f32>;
using graph = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
using all_types = vicinal::index_types<graph, coded, exact, lists>;
using exact_only = vicinal::index_types<exact>;

any_index filled(const std::string& text, std::size_t rows = 200) {
    auto index = vicinal::make_index<all_types>(text, 8);
    index.add(numbered<std::uint64_t>(rows, 100), clustered(rows, 8, 6).view());
    return index;
}

TEST_CASE("any_index: a text names a type, and what is left out is that of the first in the list") {
    const auto type = [](const char* text) { return vicinal::make_index<all_types>(text, 3).type(); };
    CHECK(type("hnsw,l2,f32") == "hnsw,l2,f32");
    CHECK(type(" IVF , L2,F 32\t") == "ivf,l2,f32");
    CHECK(type("flat,l2,f32") == "flat,l2,f32");
    CHECK(type("flat") == "flat,l2,sq8");
    CHECK(type("flat,l2") == "flat,l2,sq8");
    CHECK(all_types::names() == "hnsw,l2,f32; flat,l2,sq8; flat,l2,f32; ivf,l2,f32");
    CHECK(vicinal::make_index<exact_only>("flat", 3).type() == "flat,l2,f32");
    CHECK(any_index(graph(3)).type() == "hnsw,l2,f32");
}

TEST_CASE("any_index: a text that names nothing is refused where it fails, with what could stand there") {
    struct refused {
        const char* text;
        const char* says;
    };
    for (const auto& [text, says] : {
             refused{"",
                     "invalid_argument: vicinal: make_index: \"\", character 1: expected a kind of index: flat, ivf "
                     "or hnsw"},
             refused{"  hsnw,l2",
                     "invalid_argument: vicinal: make_index: \"  hsnw,l2\", character 3: expected a kind of "
                     "index: flat, ivf or hnsw"},
             refused{"flat, ,f32",
                     "invalid_argument: vicinal: make_index: \"flat, ,f32\", character 7: expected a "
                     "metric, as in \"hnsw,cosine\""},
             refused{"flat,l2,",
                     "invalid_argument: vicinal: make_index: \"flat,l2,\", character 9: expected a codec, as "
                     "in \"hnsw,cosine,sq8+f32\""},
             refused{"flat,l2,f32,16",
                     "invalid_argument: vicinal: make_index: \"flat,l2,f32,16\", character 12: "
                     "expected the end, as kind, metric and codec are all"},
             refused{"ivf, cosine",
                     "wrong_type: vicinal: make_index: \"ivf, cosine\", character 6: the program has no "
                     "such type; it has hnsw,l2,f32; flat,l2,sq8; flat,l2,f32; ivf,l2,f32"},
             refused{"flat,l2,pq",
                     "wrong_type: vicinal: make_index: \"flat,l2,pq\", character 9: the program has no such "
                     "type; it has hnsw,l2,f32; flat,l2,sq8; flat,l2,f32; ivf,l2,f32"},
         })
        CHECK(refusal([text = text] { (void)vicinal::make_index<all_types>(text, 3); }) == says);
    CHECK(refusal([] { (void)vicinal::make_index<exact_only>("hnsw", 3); }) ==
          "wrong_type: vicinal: make_index: \"hnsw\", character 1: the program has no such type; it has flat,l2,f32");
    CHECK_THAT(refusal([] { (void)vicinal::make_index<all_types>("flat", 0); }), contains("invalid_argument"));
}

TEST_CASE("any_index: parameters reach the index, and those that it does not have are refused by name and value") {
    const vicinal::any_params of_graph{.degree = 5, .ef_construction = 33, .seed = 9};
    CHECK(vicinal::make_index<all_types>("hnsw", 3, of_graph).params() == of_graph);
    CHECK(vicinal::make_index<all_types>("hnsw", 3).params().degree == vicinal::hnsw_params{}.degree);
    CHECK(vicinal::make_index<all_types>("flat", 3).params() == vicinal::any_params{});
    auto two = vicinal::make_index<all_types>("ivf", 3, {.lists = 2, .seed = 7});
    CHECK(two.lists() == 0);
    two.train(gaussian(50, 3).view());
    CHECK(two.lists() == 2);

    const auto made = [](const char* text, const vicinal::any_params& params) {
        return refusal([&] { (void)vicinal::make_index<all_types>(text, 3, params); });
    };
    CHECK(made("flat", {.degree = 8}) ==
          "invalid_argument: vicinal: make_index: .degree is 8, and a flat index has no such option");
    CHECK(made("ivf", {.ef_construction = 99}) ==
          "invalid_argument: vicinal: make_index: .ef_construction is 99, and an ivf index has no such option");
    CHECK(made("hnsw", {.lists = 0}) ==
          "invalid_argument: vicinal: make_index: .lists is 0, and an hnsw index has no such option");
    CHECK(made("flat", {.seed = 1}) ==
          "invalid_argument: vicinal: make_index: .seed is 1, and a flat index has no such option");
    CHECK_THAT(made("hnsw", {.degree = 1}), contains("degree is 1"));
}

TEST_CASE("any_index: a search option that the index does not have is refused by every search") {
    const auto refuses = [](const any_index& index, const vicinal::any_search_params<>& how, const std::string& says) {
        const std::vector<float> query(8, 0.5F);
        std::vector<neighbor<>> out(3);
        CHECK(refusal([&] { (void)index.search(query, 3, how); }) == "invalid_argument: vicinal: search: " + says);
        CHECK(refusal([&] { (void)index.search(query, out, how); }) == "invalid_argument: vicinal: search: " + says);
        CHECK(refusal([&] { (void)index.search(gaussian(2, 8).view(), 3, how); }) ==
              "invalid_argument: vicinal: search: " + says);
        CHECK(refusal([&] { (void)index.search_id(100, 3, how); }) == "invalid_argument: vicinal: search_id: " + says);
        CHECK(refusal([&] { (void)index.search_within(query, 3, how); }) ==
              "invalid_argument: vicinal: search_within: " + says);
        CHECK(refusal([&] { (void)index.nearest(query, how); }) == "invalid_argument: vicinal: nearest: " + says);
    };
    refuses(filled("flat"), {.ef = 40}, ".ef is 40, and a flat index has no such option");
    refuses(filled("flat"), {.nprobe = 2}, ".nprobe is 2, and a flat index has no such option");
    refuses(filled("ivf"), {.ef = 41}, ".ef is 41, and an ivf index has no such option");
    refuses(filled("hnsw"), {.nprobe = 3}, ".nprobe is 3, and an hnsw index has no such option");
}

/// Everything that a search did.
template <class Index, class Params>
std::vector<std::uint64_t> trace(const Index& index, Params params, const dataset& queries) {
    std::vector<std::uint64_t> seen;
    const auto note = [&](const auto& hits) {
        for (const auto& hit : hits) seen.push_back(hit.id);
    };
    vicinal::search_stats stats;
    params.stats = &stats;
    params.rerank = 3;
    const vicinal::id_set<std::uint64_t> some{101, 103, 150, 180};
    for (int filtered = 0; filtered < 3; ++filtered) {
        const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
        if (filtered == 1) params.filter = odd;
        if (filtered == 2) params.filter = some;
        note(index.search(queries[0], 7, params));
        std::vector<neighbor<>> out(5);
        out.resize(index.search(queries[1], std::span(out), params));
        note(out);
        const auto table = index.search(queries.view(), 4, params);
        for (std::size_t q = 0; q < table.size(); ++q) note(table[q]);
        note(index.search_id(120, 6, params));
        note(index.search_within(queries[2], 0.5F, params));
        for (const auto& hit : index.nearest(queries[0], params)) seen.push_back(hit.id);
    }
    seen.insert(seen.end(), {stats.distances, stats.hops, stats.lists, stats.reranks, stats.partial});
    return seen;
}

TEST_CASE("any_index: calls do what those of the index itself do") {
    const dataset queries = clustered(6, 8, 6, 3);
    const any_index g = filled("hnsw"), l = filled("ivf"), e = filled("flat,l2,f32");
    for (const std::size_t ef : {0U, 4U, 90U})
        CHECK(trace(g, vicinal::any_search_params<>{.ef = ef}, queries) ==
              trace(*g.get_if<graph>(), graph::search_params{.ef = ef}, queries));
    for (const std::size_t nprobe : {0U, 1U, 3U})
        CHECK(trace(l, vicinal::any_search_params<>{.nprobe = nprobe}, queries) ==
              trace(*l.get_if<lists>(), lists::search_params{.nprobe = nprobe}, queries));
    CHECK(trace(e, vicinal::any_search_params<>{}, queries) ==
          trace(*e.get_if<exact>(), exact::search_params{}, queries));
    CHECK(trace(g, vicinal::any_search_params<>{.ef = 4}, queries) !=
          trace(g, vicinal::any_search_params<>{.ef = 90}, queries));

    vicinal::stop_source stop;
    stop.request_stop();
    CHECK_THAT(refusal([&] { (void)e.search(queries[0], 3, {.stop = stop.get_token()}); }), contains("cancelled"));
    vicinal::search_stats stats;
    (void)e.search(queries[0], 3, {.deadline = std::chrono::seconds(-1), .stats = &stats});
    CHECK(stats.partial == 1);
    struct counting_executor {
        std::size_t runs = 0;
        void run(std::size_t count, vicinal::task_ref task) {
            ++runs;
            for (std::size_t i = 0; i < count; ++i) task(i);
        }
        [[nodiscard]] std::size_t concurrency() const { return 2; }
    } mine;
    (void)e.search(clustered(200, 8, 6, 4).view(), 3, {.executor = mine});
    CHECK(mine.runs > 0);

    CHECK(g.counters().searches == g.get_if<graph>()->counters().searches);
    CHECK(g.memory().links == g.get_if<graph>()->memory().links);
    CHECK(filled("flat").codec_report().coarse.learned_rows == 200);
    CHECK(g.check().links > 0);
}

TEST_CASE("any_index: the index itself can be had as what it is, and only as that") {
    any_index index = filled("hnsw");
    const any_index& fixed = index;
    REQUIRE(index.get_if<graph>() != nullptr);
    CHECK(fixed.get_if<graph>() == index.get_if<graph>());
    CHECK(index.get_if<exact>() == nullptr);
    CHECK(fixed.get_if<vicinal::hnsw_index<vicinal::cosine>>() == nullptr);
    index.get_if<graph>()->remove(100);
    CHECK_FALSE(index.contains(100));
    index.reorder();
    CHECK(index.check().ok());
    CHECK(refusal([] { filled("flat").reorder(); }) ==
          "invalid_argument: vicinal: reorder: only an hnsw index has an order to make, this one is flat,l2,sq8");
}

TEST_CASE("any_index: indexes of two types are not merged, and both are named; they can be exchanged") {
    any_index a = filled("hnsw"), b = filled("flat,l2,f32", 50);
    CHECK(refusal([&] { a.merge(b); }) ==
          "wrong_type: vicinal: merge: the other index is flat,l2,f32, this one is hnsw,l2,f32; both must be of one "
          "type");
    CHECK(a.size() == 200);
    swap(a, b);
    CHECK(a.type() == "flat,l2,f32");
    CHECK(a.size() == 50);
    CHECK(b.size() == 200);
    const any_index copy = b.clone();
    b.clear();
    CHECK(b.empty());
    CHECK(copy.type() == "hnsw,l2,f32");
    CHECK(b.merge(copy) == 200);
    a = std::move(b);
    CHECK(a.size() == 200);
}

TEST_CASE("any_index: a file is opened as what it holds, or refused with what it holds and what the program has") {
    const temporary_directory folder;
    for (const std::string text : {"hnsw,l2,f32", "flat,l2,sq8", "flat,l2,f32", "ivf,l2,f32"}) {
        const any_index index = filled(text);
        const auto path = folder / "a.vic";
        index.save(path);
        std::vector<std::byte> bytes;
        index.save(bytes);
        std::stringstream stream;
        index.save(stream);
        const any_index opened[] = {vicinal::open<all_types>(path), vicinal::open<all_types>(stream),
                                    vicinal::open<all_types>(bytes), vicinal::open_view<all_types>(path)};
        for (const any_index& one : opened) {
            CHECK(one.type() == text);
            CHECK(one.ids() == index.ids());
            std::vector<std::byte> again;
            one.save(again);
            CHECK(again == bytes);
        }
        CHECK(opened[3].memory().mapped == bytes.size());
        CHECK(refusal([&] { (void)vicinal::open<all_types>(path, {.max_rows = 199}); }) ==
              "limit_exceeded: vicinal: " + path.string() +
                  ": the number of rows is 200, load_limits::max_rows is 199");
        if (text == "flat,l2,f32") continue;
        const std::string kind = text.substr(0, text.find(',')), codec = text.substr(text.rfind(',') + 1);
        const std::string says =
            "the file holds " + std::string(kind == "flat" ? "a " : "an ") + kind + " index of metric l2, codec " +
            codec + ", 64-bit unsigned ids, dimension 8; the program has flat,l2,f32, of 64-bit unsigned ids";
        CHECK(refusal([&] { (void)vicinal::open<exact_only>(path); }) ==
              "wrong_type: vicinal: " + path.string() + ": " + says);
        CHECK_THAT(refusal([&] { (void)vicinal::open_view<exact_only>(path); }), contains(says));
        CHECK_THAT(refusal([&] { (void)vicinal::open<exact_only>(bytes); }), contains(says));
    }
}

TEST_CASE("any_index: a file with ids of another type is refused") {
    using of_small_ids = vicinal::index_types<vicinal::flat_index<vicinal::l2, vicinal::f32, std::uint32_t>>;
    auto small = vicinal::make_index<of_small_ids>("flat", 2);
    small.add(3, {1.0F, 2.0F});
    CHECK(small.search({1.0F, 2.0F}, 1) == std::vector{neighbor<std::uint32_t>{3, 0}});
    std::vector<std::byte> bytes;
    small.save(bytes);
    CHECK(vicinal::open<of_small_ids>(bytes).contains(3));
    CHECK(refusal([&] { (void)vicinal::open<exact_only>(bytes); }) ==
          "wrong_type: vicinal: the bytes: the file holds a flat index of metric l2, codec f32, 32-bit unsigned ids, "
          "dimension 2; the program has flat,l2,f32, of 64-bit unsigned ids");
}

}  // namespace
