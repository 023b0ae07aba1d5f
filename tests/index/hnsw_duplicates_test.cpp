// SPDX-License-Identifier: MIT
// hnsw_index with many copies of few vectors: they neither trap searches nor make changes dear, they are found as a
// naive index finds them, and files keep them. Near-copies, which differ in the last bits, trap no search either.
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/index/hnsw/graph/tree.hpp"
#include "vicinal/io/inspect.hpp"

namespace {

using namespace vicinal_test;
using hnsw = vicinal::hnsw_index<>;
using flat = vicinal::flat_index<>;
using hits = std::vector<vicinal::neighbor<>>;
using bytes_t = std::vector<std::byte>;
using vicinal::detail::slot_t;

/// Row r is vector r % distinct, each component moved by `move`.
template <class Move>
dataset near_copies(std::size_t rows, std::size_t dim, std::size_t distinct, Move move) {
    const dataset vectors = gaussian(distinct, dim, 31);
    return make_rows(rows, dim, [&](std::size_t r, std::size_t d) { return move(vectors[r % distinct][d]); });
}
dataset copies(std::size_t rows, std::size_t dim, std::size_t distinct) {
    return near_copies(rows, dim, distinct, [](float x) { return x; });
}

/// The share of hits as close as the tenth closest row there is, or but for `off` so.
double recall_by_distance(const hnsw& index, const dataset& rows, float off = 0) {
    flat exact(rows.dim);
    exact.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    const dataset queries = gaussian(100, rows.dim, 77);
    std::size_t good = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const float last = exact.search(queries[q], 10).back().distance;
        for (const auto& hit : index.search(queries[q], 10)) good += hit.distance <= last + off * last ? 1 : 0;
    }
    return static_cast<double>(good) / static_cast<double>(10 * queries.rows());
}
hnsw built(const dataset& rows, bool at_once, std::size_t degree = 16) {
    hnsw index(rows.dim, {.degree = degree, .ef_construction = 60});
    if (at_once)
        index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    else
        for (std::size_t r = 0; r < rows.rows(); ++r) index.add(r, rows[r]);
    REQUIRE(index.check().ok());
    return index;
}

std::atomic<std::size_t> measured{0};
/// l2, and how often it was asked.
struct counting {
    static constexpr std::string_view name = "counting";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        ++measured;
        float sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += (q[i] - x[i]) * (q[i] - x[i]);
        return sum;
    }
};
using counted = vicinal::hnsw_index<counting>;
template <class Call>
double distances_of(Call call) {
    const std::size_t before = measured;
    call();
    return static_cast<double>(measured - before);
}

}  // namespace

TEST_CASE("hnsw duplicates: of few vectors with many duplicates the closest are found") {
    for (const std::size_t distinct : {48U, 500U})
        for (const bool at_once : {true, false}) {
            const dataset rows = copies(6000, 16, distinct);
            INFO(distinct << " vectors, " << (at_once ? "one batch" : "one by one"));
            CHECK(recall_by_distance(built(rows, at_once), rows) >= 0.99);
        }
}

TEST_CASE("hnsw near-duplicates: rows that differ by rounding hide no other vector") {
    numbers random(8);
    const auto ulp = [&](float x) { return random.below(2) == 0 ? x : std::nextafter(x, 10.0F); };
    const auto noise = [&](double width) {
        return [&random, width](float x) { return static_cast<double>(x) * (1 + width * random.normal()); };
    };
    const std::pair<const char*, dataset> kinds[] = {{"one ulp", near_copies(3000, 16, 16, ulp)},
                                                     {"1e-6", near_copies(3000, 16, 16, noise(1e-6))},
                                                     {"1e-4", near_copies(3000, 16, 16, noise(1e-4))}};
    for (const auto& [kind, rows] : kinds)
        for (const bool at_once : {true, false}) {
            INFO(kind << ", " << (at_once ? "one batch" : "one by one"));
            const hnsw index = built(rows, at_once);
            CHECK(recall_by_distance(index, rows) >= 0.95);
            CHECK(recall_by_distance(index, rows, 1e-5F) >= 0.98);
        }
}

TEST_CASE("hnsw duplicates: adding and removing costs the same however many there are") {
    for (const std::size_t distinct : {1U, 24U})
        for (const std::size_t degree : {2U, 3U, 16U}) {
            INFO(distinct << " vectors, degree " << degree);
            const dataset rows = copies(6000, 4, distinct);
            counted index(4, {.degree = degree, .ef_construction = 20});
            const auto add = [&](std::size_t first, std::size_t last) {
                for (std::size_t r = first; r < last; ++r) index.add(r, rows[r]);
            };
            const auto remove = [&](std::size_t first, std::size_t last) {
                for (std::size_t r = first; r < last; ++r) index.remove(r);
            };
            CHECK(distances_of([&] { add(0, 3000); }) <=
                  static_cast<double>(100 * distinct * distinct));  // of the vectors
            CHECK(distances_of([&] { add(3000, 6000); }) == 0);
            CHECK(distances_of([&] { remove(1, 5900); }) == 0);
            CHECK(index.check().retired == 0);
            CHECK(index.check().ok());
        }
}

TEST_CASE("hnsw near-duplicates: the late ones cost no more than the early ones") {
    numbers random(9);
    for (const std::size_t degree : {2U, 3U, 4U, 16U}) {
        const dataset rows = near_copies(3000, 8, 1, [&](float x) {
            return random.below(2) == 0 ? x
                                        : std::nextafter(x, 10.0F) * (1 + 1e-6F * static_cast<float>(random.below(9)));
        });
        counted index(8, {.degree = degree, .ef_construction = 30});
        const auto add = [&](std::size_t first, std::size_t last) {
            return distances_of([&] {
                for (std::size_t r = first; r < last; ++r) index.add(r, rows[r]);
            });
        };
        (void)add(0, 1000);
        const double early = add(1000, 2000);
        CHECK(add(2000, 3000) <= 1.5 * early);
        CHECK(index.check().ok());
    }
}

namespace {

/// A tree made by hand, which counts the steps taken in it.
struct counted_tree {
    std::vector<std::vector<slot_t>> below;
    mutable std::size_t steps = 0;
    [[nodiscard]] std::size_t children(slot_t row) const { return below[row].size(); }
    [[nodiscard]] std::size_t child_limit() const { return 2; }
    slot_t add(slot_t above, slot_t child) {
        steps = 0;
        const slot_t row = vicinal::detail::find_room(*this, above, child, [this](slot_t at, std::size_t i) {
            ++steps;
            return below[at][i];
        });
        below[row].push_back(child);
        below.emplace_back();
        return row;
    }
};

}  // namespace

TEST_CASE("hnsw tree: room for a child is few steps away in trees of every shape") {
    const auto steps_of = [](counted_tree& tree) {
        std::size_t most = 0;
        for (int i = 0; i < 20000; ++i) {
            (void)tree.add(0, static_cast<slot_t>(tree.below.size()));
            most = std::max(most, tree.steps);
        }
        return most;
    };
    counted_tree whole{{{}}};
    CHECK(steps_of(whole) <= 60);  // twice what a tree of branches drawn at random has, for 20 000 rows
    counted_tree comb{{{}}};       // a path of which every row has a leaf beside it
    for (slot_t row = 0; row < 20000; ++row) {
        comb.below[2 * row] = {2 * row + 2, 2 * row + 1};
        comb.below.resize(2 * row + 3);
    }
    CHECK(steps_of(comb) <= 60);
}

// ---- against a naive index ------------------------------------------------------------------------------------------

namespace {

template <class Index>
class model {
  public:
    explicit model(std::uint64_t seed) : random_(seed), vectors_(gaussian(14, 6, seed)) {}

    void change() {
        const std::size_t kind = random_.below(10);
        if (kind == 0)
            add_batch();
        else if (kind < 4)
            add();
        else if (kind < 7)
            update();
        else
            remove();
        REQUIRE(index_.size() == held_.size());
    }
    void compare(const Index& index) {
        REQUIRE(index.check().ok());
        REQUIRE(index.check().live == held_.size());
        const dataset queries = gaussian(3, 6, random_.bits());
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            const std::size_t k = 1 + random_.below(held_.size() + 3);
            const hits want = expected(index, queries[q], [](std::uint64_t) { return true; });
            require_first(want, index.search(queries[q], k, {.ef = 64}), k);
            require_first(want, index.search(queries[q], 3, {.ef = 64}), 3);
            require_first(want, index.search(queries.view(q, 1), k, {.ef = 64})[0], k);
            const auto odd = [](std::uint64_t id) { return id % 3 == 1; };
            require_first(expected(index, queries[q], odd), index.search(queries[q], k, {.ef = 64, .filter = odd}), k);
            if (want.empty()) continue;
            const float radius = want[want.size() / 2].distance + 1e-3F;
            std::size_t within = 0;
            while (within < want.size() && want[within].distance <= radius) ++within;
            require_first(want, index.search_within(queries[q], radius), within);
            hits streamed;
            for (const auto& hit : index.nearest(queries[q])) streamed.push_back(hit);
            require_first(want, streamed, want.size());
        }
    }
    [[nodiscard]] const Index& index() const { return index_; }
    void take(Index other) { index_ = std::move(other); }

  private:
    /// What the index should find: copies at one distance, which is that of the vector it says it holds.
    template <class Admits>
    hits expected(const Index& index, std::span<const float> query, Admits admits) {
        std::vector<std::pair<double, std::uint64_t>> order;
        for (const auto& [id, vector] : held_)
            if (admits(id)) order.push_back({reference_distance(metric_of(), query, index.get(id)).distance, id});
        std::sort(order.begin(), order.end());
        hits want;
        for (const auto& [distance, id] : order) want.push_back({id, static_cast<float>(distance)});
        return want;
    }
    static void require_first(const hits& want, std::span<const vicinal::neighbor<>> got, std::size_t k) {
        INFO("of " << want.size() << ", k " << k);
        REQUIRE(got.size() == std::min(k, want.size()));
        for (std::size_t i = 0; i < got.size(); ++i) {
            if (got[i].id != want[i].id) FAIL("hit " << i << " is " << got[i].id << ", expected " << want[i].id);
            REQUIRE(std::abs(got[i].distance - want[i].distance) <= 1e-4F);
        }
    }
    static std::string metric_of() { return std::is_same_v<Index, hnsw> ? "l2" : "inner_product"; }
    std::uint64_t some_id() {
        auto at = held_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random_.below(held_.size())));
        return at->first;
    }
    void add() {
        const std::uint64_t id = random_.below(1000);
        const std::size_t v = random_.below(vectors_.rows());
        if (held_.contains(id)) return;
        index_.add(id, vectors_[v]);
        held_[id] = v;
    }
    void add_batch() {
        std::vector<std::uint64_t> ids;
        dataset rows{6, {}};
        for (std::size_t i = 0; i < 20; ++i) {
            const std::uint64_t id = 1000 + random_.below(9000);
            if (held_.contains(id)) continue;
            const std::size_t v = random_.below(vectors_.rows());
            held_[id] = v;
            ids.push_back(id);
            rows.values.insert(rows.values.end(), vectors_[v].begin(), vectors_[v].end());
        }
        REQUIRE(index_.add(ids, rows.view(), {.threads = 2}) == ids.size());
    }
    void update() {
        if (held_.empty()) return;
        const std::uint64_t id = some_id();
        held_[id] = random_.below(vectors_.rows());
        index_.update(id, vectors_[held_[id]]);
    }
    void remove() {
        for (std::size_t i = 0; i < 8 && !held_.empty(); ++i) {
            const std::uint64_t id = some_id();
            held_.erase(id);
            REQUIRE(index_.remove(id));
        }
    }

    numbers random_;
    dataset vectors_;
    Index index_{6, {.degree = 3, .ef_construction = 10}};
    std::map<std::uint64_t, std::size_t> held_;
};

template <class Index>
void live(std::uint64_t seed) {
    const temporary_directory folder;
    model<Index> it(seed);
    for (int step = 0; step < 400; ++step) {
        it.change();
        if (step % 10 == 0) it.compare(it.index());
        if (step % 50 != 49) continue;
        it.index().save(folder / "copies.vic");
        it.compare(Index::view(folder / "copies.vic"));
        Index loaded = Index::load(folder / "copies.vic");
        it.compare(loaded);
        bytes_t again;
        bytes_t before;
        loaded.save(again);
        it.index().save(before);
        REQUIRE(again == before);
        if (step % 100 == 99) it.take(std::move(loaded));
    }
}

}  // namespace

TEST_CASE("hnsw duplicates: changed at random they are found as a naive index finds them, in files as well") {
    live<hnsw>(1);
    live<hnsw>(2);
}

TEST_CASE("hnsw duplicates: changed at random they are found under inner product in two levels, too") {
    live<vicinal::hnsw_index<vicinal::inner_product, vicinal::two_level<vicinal::bf16, vicinal::f32>>>(3);
}

// ---- one by one -----------------------------------------------------------------------------------------------------

TEST_CASE("hnsw duplicates: the number of threads changes no byte, nor does a call that failed") {
    const dataset rows = copies(1500, 8, 40);
    const auto ids = numbered<std::uint64_t>(rows.rows());
    bytes_t want;
    built(rows, true).save(want);
    for (const std::size_t threads : {3U, 8U}) {
        hnsw index(8, {.ef_construction = 60});
        index.add(ids, rows.view(), {.threads = threads});
        bytes_t got;
        index.save(got);
        REQUIRE(got == want);
    }
    hnsw index(8, {.ef_construction = 60});
    index.add(std::span(ids).first(100), rows.view(0, 100));
    bytes_t before;
    index.save(before);
    const auto stop_late = [](std::size_t done, std::size_t) {
        if (done > 700) throw std::runtime_error("enough");
    };
    REQUIRE_THROWS_AS(index.add(std::span(ids).subspan(100), rows.view(100, 1400), {.progress = stop_late}),
                      std::runtime_error);
    bytes_t after;
    index.save(after);
    REQUIRE(after == before);
    index.add(std::span(ids).subspan(100), rows.view(100, 1400));
    REQUIRE(index.check().ok());
    REQUIRE(index.search(rows[0], 38).back().distance == 0);
}

TEST_CASE("hnsw duplicates: a removed row's place is free at once, and the one that others link to stays") {
    const dataset rows = copies(300, 8, 3);
    hnsw index = built(rows, false);
    const std::size_t links = index.check().links;
    for (std::uint64_t id = 0; id < 297; ++id) {  // the first of each vector are those in the graph
        REQUIRE(index.remove(id));
        REQUIRE(index.check().retired == 0);
        REQUIRE(index.check().links == links);
        REQUIRE(index.search(rows[0], 300).size() == 299 - id);
    }
    REQUIRE(index.remove(297));
    REQUIRE(index.check().retired == 1);
    REQUIRE(index.check().ok());
    index.update(298, rows[298]);  // to what it is
    REQUIRE(index.check().retired == 1);
    index.update(298, rows[299]);  // to what another is
    REQUIRE(index.check().ok());
    REQUIRE(index.search(rows[299], 5).size() == 2);
    REQUIRE(index.search(rows[299], 5)[0].id == 298);
}

TEST_CASE("hnsw duplicates: a stream hands out 20 000 of one vector in the order of ids, and none that is gone") {
    const dataset rows = copies(20000, 4, 1);
    hnsw index = built(rows, true);
    const dataset query = gaussian(1, 4, 5);
    std::uint64_t next = 0;
    for (const auto& hit : index.nearest(query[0])) {
        REQUIRE(hit.id == next);
        ++next;
        if (next == 10) {
            for (const std::uint64_t id : {3U, 0U, 15U, 19999U, 12U}) REQUIRE(index.remove(id));
        }
        if (next == 12 || next == 15) ++next;
    }
    REQUIRE(next == 19999);
}

// ---- files ----------------------------------------------------------------------------------------------------------

namespace {

std::size_t place_of(const bytes_t& file, const char* type) {
    for (std::size_t at = 128;; at += 32)
        if (std::memcmp(&file[at], type, 4) == 0)
            return static_cast<std::size_t>(vicinal::detail::load_le<std::uint64_t>(&file[at + 8]));
}
/// With good checksums, as a forger would leave it.
void sign(bytes_t& file) {
    using namespace vicinal::detail;
    const std::size_t count = load_le<std::uint32_t>(&file[44]);
    for (std::size_t at = 128; at < 128 + 32 * count; at += 32)
        store_le(&file[at + 24],
                 crc32c(0, std::span(file).subspan(static_cast<std::size_t>(load_le<std::uint64_t>(&file[at + 8])),
                                                   static_cast<std::size_t>(load_le<std::uint64_t>(&file[at + 16])))));
    store_le(&file[120], crc32c(0, std::span(file).subspan(128, 32 * count)));
    store_le(&file[124], crc32c(0, std::span(file).first(124)));
}

}  // namespace

TEST_CASE("hnsw duplicates: a file has their feature bit only if there are any") {
    const temporary_directory folder;
    const auto features = [&](const hnsw& index) {
        index.save(folder / "a.vic");
        return vicinal::inspect(folder / "a.vic").incompat_features;
    };
    hnsw index = built(gaussian(50, 4), true);
    REQUIRE(features(index) == 0);
    index.add(50, gaussian(50, 4)[7]);
    REQUIRE(features(index) == 1);
    REQUIRE(features(hnsw::load(folder / "a.vic")) == 1);
    index.remove(7);
    REQUIRE(features(index) == 0);
    REQUIRE(index.search(gaussian(50, 4)[7], 1)[0].id == 50);
}

TEST_CASE("hnsw duplicates: forged lists are refused by loads, and followed safely in views") {
    const temporary_directory folder;
    bytes_t good;
    built(copies(64, 4, 4), true).save(good);
    const std::size_t lists = place_of(good, "COPY");
    const auto with = [&](std::initializer_list<std::pair<std::size_t, std::uint32_t>> entries) {
        bytes_t file = good;
        for (const auto& [row, next] : entries) vicinal::detail::store_le(&file[lists + 4 * row], next);
        sign(file);
        return file;
    };
    const std::uint32_t end = 0xFFFFFFFF;
    const bytes_t forged[] = {
        with({{60, 60}}), with({{60, 0}}),  with({{60, 4}}),
        with({{4, 0}}),   with({{60, 64}}), with({{60, end - 1}}),
        with({{0, end}}), with({{60, 61}}), with({{0, 1}}),
        with({{0, 8}}),   with({{4, 5}}),   with({{0, 8}, {8, 4}, {4, 12}})};  // sound, but in another order
    REQUIRE(hnsw::load(std::span<const std::byte>(with({}))).size() == 64);
    for (const bytes_t& file : forged) {
        REQUIRE_THROWS_AS(hnsw::load(std::span<const std::byte>(file)), vicinal::error);
        std::ofstream(folder / "forged.vic", std::ios::binary)
            .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
        const hnsw view = hnsw::view(folder / "forged.vic");
        const dataset queries = gaussian(4, 4, 3);
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            REQUIRE(view.search(queries[q], 100).size() <= 64);
            (void)view.search(queries[q], 5, {.filter = [](std::uint64_t id) { return id % 5 == 3; }});
            REQUIRE(view.search_within(queries[q], 100).size() <= 128);
            std::size_t count = 0;
            for (const auto& hit : view.nearest(queries[q])) count += hit.distance >= 0 ? 1 : 0;
            REQUIRE(count <= 128);
        }
        REQUIRE(view.check().ok() == (&file == &std::end(forged)[-1]));
    }
    bytes_t unequal = good;  // row 60 is in a list behind row 0, and has another vector
    vicinal::detail::store_le(&unequal[place_of(good, "COD0") + 60 * 4 * sizeof(float)], 0x3F000000U);
    sign(unequal);
    REQUIRE_THROWS_WITH(hnsw::load(std::span<const std::byte>(unequal)),
                        contains("rows that it calls copies have other vectors"));
    bytes_t unmarked = good;
    vicinal::detail::store_le(&unmarked[52], std::uint32_t{0});
    sign(unmarked);
    REQUIRE_THROWS_AS(hnsw::load(std::span<const std::byte>(unmarked)), vicinal::error);
}
