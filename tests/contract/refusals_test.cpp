// SPDX-License-Identifier: MIT
// What every index refuses, with every metric and codec: by a vicinal::error of the right code that names the values
// which disagree, and without a trace: the bytes it would save are the same before and after.
#include <bit>
#include <cfloat>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include "contract/index_contract.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;

const float infinity = std::numeric_limits<float>::infinity();
const float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t dim = 5;

/// Every way a vector or a query gets in, given rows.view()[bad] as the one to be refused.
struct way_in {
    const char* name;
    bool is_query;
    std::function<void(any_index&, const dataset&, std::size_t)> call;
};

std::vector<way_in> ways_in(const filled& f) {
    const std::uint64_t known = f.ids[3];
    const auto ids = [](const dataset& rows) { return numbered<std::uint64_t>(rows.rows(), 5000); };
    return {
        {"add", false, [](auto& index, const auto& rows, auto bad) { index.add(5000, rows[bad]); }},
        {"batch add", false, [ids](auto& index, const auto& rows, auto) { index.add(ids(rows), rows.view()); }},
        {"batch add by threads", false,
         [ids](auto& index, const auto& rows, auto) {
             vicinal::add_params how;
             how.threads = 3;
             index.add(ids(rows), rows.view(), how);
         }},
        {"update", false, [known](auto& index, const auto& rows, auto bad) { index.update(known, rows[bad]); }},
        {"search", true, [](auto& index, const auto& rows, auto bad) { (void)index.search(rows[bad], 3); }},
        {"search into memory", true,
         [](auto& index, const auto& rows, auto bad) {
             hits_t room(3);
             (void)index.search(rows[bad], std::span(room));
         }},
        {"batch search", true, [](auto& index, const auto& rows, auto) { (void)index.search(rows.view(), 3); }},
        {"batch search by threads", true,
         [](auto& index, const auto& rows, auto) {
             asking how;
             how.threads = 3;
             (void)index.search(rows.view(), 3, how);
         }},
        {"search_within", true,
         [](auto& index, const auto& rows, auto bad) { (void)index.search_within(rows[bad], 1.0F); }},
        {"nearest", true, [](auto& index, const auto& rows, auto bad) { (void)index.nearest(rows[bad]); }},
    };
}

/// Every way in must refuse `rows`, of which `bad` is the offender.
void require_all_refuse(filled& f, const dataset& rows, std::size_t bad, errc code,
                        const std::vector<std::string>& parts, bool queries = true) {
    const bytes_t before = f.index->save();
    for (const way_in& way : ways_in(f)) {
        if (way.is_query && !queries) continue;
        INFO("by " << way.name);
        require_refusal(code, parts, [&] { way.call(*f.index, rows, bad); });
    }
    REQUIRE(difference(f.index->save(), before) == "none");
}

/// And so must train, of an index that has not learned yet.
void require_train_refuses(const subject& s, std::size_t index_dim, const dataset& rows, errc code,
                           const std::vector<std::string>& parts) {
    const index_ptr index = s.make(index_dim);
    const bytes_t before = index->save();
    require_refusal(code, parts, [&] { index->train(rows.view()); });
    const auto ids = numbered<std::uint64_t>(rows.rows());
    require_refusal(code, parts, [&] { index->add(ids, rows.view()); });
    REQUIRE(difference(index->save(), before) == "none");
}

}  // namespace

TEST_CASE("refusals: a vector of the wrong dimension") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    for (const std::size_t wrong : {std::size_t{1}, dim - 1, dim + 1, std::size_t{64}}) {
        const dataset rows = gaussian(3, wrong);
        const std::vector<std::string> both{std::to_string(wrong), std::to_string(dim)};
        require_all_refuse(f, rows, 1, errc::dimension_mismatch, both);
        require_train_refuses(s, dim, rows, errc::dimension_mismatch, both);
    }
    const bytes_t before = f.index->save();
    require_refusal(errc::dimension_mismatch, {"0", "5"}, [&] { f.index->add(5000, {}); });
    require_refusal(errc::dimension_mismatch, {"0", "5"}, [&] { (void)f.index->search(std::span<const float>{}, 3); });
    REQUIRE(difference(f.index->save(), before) == "none");
}

TEST_CASE("refusals: NaN and infinity at any component of any row") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    const float signalling = std::bit_cast<float>(0xFFA00001U);
    for (const float value : {nan_value, signalling, infinity, -infinity})
        for (std::size_t at = 0; at < dim; ++at)
            for (const std::size_t row : {0U, 2U}) {
                dataset rows = gaussian(3, dim, 8);
                rows[row][at] = value;
                const std::string what = value != value ? "NaN" : "infinite";
                require_all_refuse(f, rows, row, errc::non_finite, {"component " + std::to_string(at), what});
                require_train_refuses(s, dim, rows, errc::non_finite, {"component " + std::to_string(at), what});
            }
}

TEST_CASE("refusals: NaN and infinity at each of 33 components") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(10, 33));
    const bytes_t before = f.index->save();
    for (std::size_t at = 0; at < 33; ++at)
        for (const float value : {nan_value, -infinity}) {
            dataset rows = gaussian(1, 33, 8);
            rows[0][at] = value;
            const std::string where = "component " + std::to_string(at) + " ";
            require_refusal(errc::non_finite, {where}, [&] { f.index->add(5000, rows[0]); });
            require_refusal(errc::non_finite, {where}, [&] { (void)f.index->search(rows[0], 1); });
        }
    REQUIRE(difference(f.index->save(), before) == "none");
}

TEST_CASE("refusals: a sum of squares above FLT_MAX/8") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    for (const float value : {6.6e18F, -1e19F, FLT_MAX}) {
        dataset rows = gaussian(3, dim, 8);
        rows[1][4] = value;
        require_all_refuse(f, rows, 1, errc::magnitude, {"sum of squares", "FLT_MAX/8"});
        require_train_refuses(s, dim, rows, errc::magnitude, {"sum of squares", "FLT_MAX/8"});
    }
    dataset together = all_equal(3, dim, 3e18);  // no component alone is too large
    require_all_refuse(f, together, 0, errc::magnitude, {"sum of squares", "FLT_MAX/8"});
}

TEST_CASE("refusals: rows whose squares underflow, but no query and nothing that the metric makes as long as others") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    for (const float value : {1e-24F, -1e-30F, 1e-45F}) {
        const dataset rows = all_equal(3, dim, static_cast<double>(value));
        if (s.metric == "cosine" && stores_whole(s)) continue;  // such rows are no whole numbers
        if (s.metric == "cosine" || is_binary(s)) {
            f.index->add(5000, rows[0]);
            f.index->remove(5000);
            continue;
        }
        require_all_refuse(f, rows, 0, errc::magnitude, {"sum of squares", "2^-100"}, false);
        REQUIRE(f.index->search(rows[0], 3).size() == 3);
    }
    if (s.metric == "cosine" || is_binary(s) || s.codec.substr(0, 3) != "f16") return;
    require_all_refuse(f, all_equal(3, dim, 1e-8), 0, errc::magnitude, {"f16", "1e-08", "3.81e-06"}, false);
}

TEST_CASE("refusals: a component beyond what the codec holds") {
    FOR_EVERY_INDEX(s);
    if (s.codec != "f16" || s.metric == "cosine") return;  // cosine's components are at most 1
    filled f(s, gaussian(40, dim));
    for (const float value : {65505.0F, -1e6F}) {
        dataset rows = gaussian(3, dim, 8);
        rows[2][1] = value;
        require_all_refuse(f, rows, 2, errc::magnitude, {"component 1", "65504"}, false);
    }
    f.index->add(5000, all_equal(1, dim, 65504)[0]);
    REQUIRE(f.index->get(5000)[0] == 65504.0F);
}

TEST_CASE("refusals: a zero vector under cosine and only there") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    dataset rows = gaussian(3, dim, 8);
    for (float& x : rows[1]) x = 0;
    rows[1][2] = -0.0F;
    if (s.metric == "cosine") {
        require_all_refuse(f, rows, 1, errc::zero_norm, {"0", "cosine"});
        require_train_refuses(s, dim, rows, errc::zero_norm, {"0", "cosine"});
    } else {
        f.index->add(5000, rows[1]);
        f.index->update(f.ids[0], rows[1]);
        REQUIRE(f.index->search(rows[1], 42).size() == 41);
        REQUIRE(f.index->check().ok());
    }
}

TEST_CASE("refusals: tiny and negative-zero components are ordinary numbers") {
    FOR_EVERY_INDEX(s);
    if (stores_whole(s)) return;  // tiny numbers are no whole ones
    for (const double scale : {1e-30, 1e-38, 1e-41, 1.5e-45}) {
        INFO("scale " << scale);
        dataset rows = gaussian(40, dim);
        for (std::size_t i = 0; i < rows.values.size(); ++i) {
            float& x = rows.values[i];
            const bool whole = s.metric != "cosine" && i % dim == 1;  // but not all of a row that is stored as it is
            x = static_cast<float>(static_cast<double>(std::abs(x) + 1) * (whole ? 1 : scale));
        }
        rows[3][0] = -0.0F;
        const filled f(s, rows);
        REQUIRE(f.index->check().ok());
        for (std::size_t q = 0; q < 4; ++q)
            f.expect(s).require_closest(rows[q], 10, f.index->search(rows[q], 10, exhaustive()));
        const bytes_t saved = f.index->save();
        REQUIRE(difference(s.load(saved)->save(), saved) == "none");
    }
}

TEST_CASE("refusals: the largest admitted vectors are kept through a file and no distance is infinite") {
    FOR_EVERY_INDEX(s);
    if (stores_whole(s) || s.codec == "eighths" || (s.codec == "f16" && s.metric != "cosine"))
        return;  // their own limit is lower
    for (const std::size_t wide : {std::size_t{1}, std::size_t{3}, std::size_t{40}}) {
        INFO("dim " << wide);
        // Just below the limit: FLT_MAX/8 shared by all components, in all combinations of signs.
        const auto largest =
            static_cast<float>(std::sqrt(double{FLT_MAX} / 8 / static_cast<double>(wide)) * (1 - 1e-6));
        dataset rows = gaussian(30, wide);
        for (float& x : rows.values) x = x < 0 ? -largest : largest;
        const filled f(s, rows);
        for (const auto& hit : f.index->search(rows[0], 30, exhaustive())) REQUIRE(std::isfinite(hit.distance));
        const bytes_t saved = f.index->save();
        REQUIRE(difference(s.load(saved)->save(), saved) == "none");
    }
}

TEST_CASE("refusals: an id the index holds or a batch names twice") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    const bytes_t before = f.index->save();
    const std::string known = std::to_string(f.ids[7]);
    require_refusal(errc::duplicate_id, {known}, [&] { f.index->add(f.ids[7], f.rows[0]); });
    const std::vector<std::uint64_t> with_known{5000, f.ids[7], 5001};
    require_refusal(errc::duplicate_id, {known}, [&] { f.index->add(with_known, f.rows.view(0, 3)); });
    const std::vector<std::uint64_t> with_twin{5000, 5001, 5000};
    require_refusal(errc::duplicate_id, {"5000"}, [&] { f.index->add(with_twin, f.rows.view(0, 3)); });
    REQUIRE(difference(f.index->save(), before) == "none");
    const index_ptr fresh = s.make(dim);
    const bytes_t empty = fresh->save();
    require_refusal(errc::duplicate_id, {"5000"}, [&] { fresh->add(with_twin, f.rows.view(0, 3)); });
    REQUIRE(difference(fresh->save(), empty) == "none");
    f.index->remove(f.ids[7]);
    f.index->add(f.ids[7], f.rows[0]);  // free again
}

TEST_CASE("refusals: not as many ids as rows") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    const bytes_t before = f.index->save();
    const auto ids = numbered<std::uint64_t>(12, 5000);
    require_refusal(errc::invalid_argument, {"12", "13"}, [&] { f.index->add(ids, f.rows.view(0, 13)); });
    require_refusal(errc::invalid_argument, {"12", "11"}, [&] { f.index->add(ids, f.rows.view(0, 11)); });
    require_refusal(errc::invalid_argument, {"12", "0"}, [&] { f.index->add(ids, f.rows.view(0, 0)); });
    REQUIRE(difference(f.index->save(), before) == "none");
}

TEST_CASE("refusals: a single vector is none, though the index has not learned yet") {
    FOR_EVERY_INDEX(s);
    const index_ptr index = s.make(dim);
    const dataset rows = gaussian(30, dim);
    REQUIRE(index->search(rows[0], 3).empty());
    index->add(1, rows[0]);
    REQUIRE(index->size() == 1);
    REQUIRE(index->search(rows[0], 3).size() == 1);
    REQUIRE(index->search(rows[0], 3)[0].id == 1);
    const index_ptr batch = s.make(dim);
    batch->add(std::vector<std::uint64_t>{1}, rows.view(0, 1));
    REQUIRE(difference(index->save(), batch->save()) == "none");
}

TEST_CASE("refusals: training on nothing or with rows in the index") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    const bytes_t before = f.index->save();
    require_refusal(errc::invalid_argument, {"40"}, [&] { f.index->train(f.rows.view()); });
    REQUIRE(difference(f.index->save(), before) == "none");
    const index_ptr fresh = s.make(dim);
    require_refusal(errc::invalid_argument, {"no"}, [&] { fresh->train(f.rows.view(0, 0)); });
}

TEST_CASE("refusals: an id the index does not hold") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(40, dim));
    const bytes_t before = f.index->save();
    require_refusal(errc::not_found, {"4711"}, [&] { (void)f.index->get(4711); });
    require_refusal(errc::not_found, {"4711"}, [&] { f.index->update(4711, f.rows[0]); });
    REQUIRE_FALSE(f.index->remove(4711));
    REQUIRE(difference(f.index->save(), before) == "none");
    f.index->remove(f.ids[2]);
    require_refusal(errc::not_found, {std::to_string(f.ids[2])}, [&] { (void)f.index->get(f.ids[2]); });
    require_refusal(errc::not_found, {std::to_string(f.ids[2])}, [&] { f.index->update(f.ids[2], f.rows[0]); });
    const index_ptr empty = s.make(dim);
    require_refusal(errc::not_found, {"0"}, [&] { (void)empty->get(0); });
    require_refusal(errc::not_found, {"0"}, [&] { empty->update(0, f.rows[0]); });
}

TEST_CASE("refusals: a dimension out of range") {
    FOR_EVERY_INDEX(s);
    require_refusal(errc::invalid_argument, {"dim", "0", "1048576"}, [&] { (void)s.make(0); });
    require_refusal(errc::invalid_argument, {"dim", "1048577", "1048576"}, [&] { (void)s.make((1U << 20) + 1); });
    require_refusal(errc::invalid_argument, {"dim", "1048576"}, [&] { (void)s.make(~std::size_t{0}); });
}

TEST_CASE("refusals: build parameters out of range") {
    using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
    const auto make = [](std::size_t degree, std::size_t ef_construction) {
        return [=] { hnsw(4, {.degree = degree, .ef_construction = ef_construction}); };
    };
    require_refusal(errc::invalid_argument, {"degree", "0", "2", "1024"}, make(0, 100));
    require_refusal(errc::invalid_argument, {"degree", "1", "2", "1024"}, make(1, 100));
    require_refusal(errc::invalid_argument, {"degree", "1025", "1024"}, make(1025, 100));
    require_refusal(errc::invalid_argument, {"ef_construction", "0", "1"}, make(8, 0));
    require_refusal(errc::invalid_argument, {"ef_construction", "1048577", "1048576"}, make(8, (1U << 20) + 1));
    require_refusal(errc::invalid_argument, {"lists", "1048577", "1048576"},
                    [] { vicinal::ivf_index<>(4, {.lists = (1U << 20) + 1}); });
    vicinal::ivf_index<> more_lists_than_rows(dim, {.lists = 20});
    const dataset rows = gaussian(19, dim);
    require_refusal(errc::invalid_argument, {"20", "19"}, [&] { more_lists_than_rows.train(rows.view()); });
}

TEST_CASE("refusals: a radius that is NaN") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(40, dim));
    require_refusal(errc::invalid_argument, {"radius", "NaN"},
                    [&] { (void)f.index->search_within(f.rows[0], nan_value); });
    require_refusal(errc::invalid_argument, {"radius", "NaN"},
                    [&] { (void)f.index->search_within(f.rows[0], -nan_value); });
}

TEST_CASE("refusals: any change to a view") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(40, dim));
    const temporary_directory folder;
    f.index->save(folder / "index.vic");
    const index_ptr view = s.view(folder / "index.vic");
    const bytes_t before = view->save();
    const std::vector<std::uint64_t> ids{5000, 5001};
    require_refusal(errc::read_only, {"view"}, [&] { view->add(5000, f.rows[0]); });
    require_refusal(errc::read_only, {"view"}, [&] { view->add(ids, f.rows.view(0, 2)); });
    require_refusal(errc::read_only, {"view"}, [&] { view->update(f.ids[0], f.rows[1]); });
    require_refusal(errc::read_only, {"view"}, [&] { (void)view->remove(f.ids[0]); });
    require_refusal(errc::read_only, {"view"}, [&] { view->train(f.rows.view()); });
    REQUIRE(difference(view->save(), before) == "none");
    REQUIRE(view->size() == 40);
}

// ---- calls that end early
// --------------------------------------------------------------------------------------------

TEST_CASE("refusals: a search whose stop token was triggered") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(100, dim));
    vicinal::stop_source source;
    source.request_stop();
    const vicinal::id_set<std::uint64_t> few{f.ids[0], f.ids[1]};
    for (const bool all : {false, true}) {
        asking how;
        how.everything = all;
        how.stop = source.get_token();
        hits_t room(3);
        require_refusal(errc::cancelled, {"stop"}, [&] { (void)f.index->search(f.rows[0], 3, how); });
        require_refusal(errc::cancelled, {"stop"}, [&] { (void)f.index->search(f.rows[0], std::span(room), how); });
        require_refusal(errc::cancelled, {"stop"}, [&] { (void)f.index->search(f.rows.view(), 3, how); });
        require_refusal(errc::cancelled, {"stop"}, [&] { (void)f.index->search_within(f.rows[0], 1.0F, how); });
        require_refusal(errc::cancelled, {"stop"}, [&] {
            for (const auto& hit : f.index->nearest(f.rows[0], how)) static_cast<void>(hit);
        });
        how.filter = few;
        require_refusal(errc::cancelled, {"stop"}, [&] { (void)f.index->search(f.rows[0], 3, how); });
    }
    f.expect(s).require_closest(f.rows[0], 3, f.index->search(f.rows[0], 3, exhaustive()));
}

TEST_CASE("refusals: a batch that is stopped has added a prefix") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(50, dim));
    const dataset more = gaussian(700, dim, 9);
    const auto ids = numbered<std::uint64_t>(700, 5000);
    vicinal::stop_source source;
    vicinal::add_params how;
    how.stop = source.get_token();
    std::size_t calls = 0;
    const auto stop_soon = [&](std::size_t done, std::size_t total) {
        REQUIRE(done <= total);
        REQUIRE(total == 700);
        ++calls;
        source.request_stop();
    };
    how.progress = stop_soon;
    const std::size_t added = f.index->add(ids, more.view(), how);
    REQUIRE(calls == 1);
    if (s.kind == "hnsw") REQUIRE(added < 700);
    REQUIRE(added > 0);
    REQUIRE(f.index->size() == 50 + added);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (f.index->contains(ids[i]) != (i < added)) FAIL("id " << ids[i] << " of a prefix of " << added);
    REQUIRE(f.index->check().ok());
    const bytes_t before = f.index->save();
    if (added < 700) REQUIRE(f.index->add(std::span(ids).subspan(added), more.view(added, 700 - added), how) == 0);
    REQUIRE(difference(f.index->save(), before) == "none");
    how.stop = {};
    how.progress = {};
    REQUIRE(f.index->add(std::span(ids).subspan(added), more.view(added, 700 - added), how) == 700 - added);
    f.held = held_by(*f.index, f.ids);
    for (const std::uint64_t id : ids) f.held[id] = f.index->get(id);
    f.expect(s).require_closest(f.rows[0], 10, f.index->search(f.rows[0], 10, exhaustive()));
}

TEST_CASE("refusals: a batch that is stopped before it begins leaves nothing behind") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(100, dim);
    const auto ids = numbered<std::uint64_t>(100);
    vicinal::stop_source source;
    source.request_stop();
    vicinal::add_params how;
    how.stop = source.get_token();
    const index_ptr index = s.make(dim);
    const bytes_t before = index->save();
    REQUIRE(index->add(ids, rows.view(), how) == 0);
    REQUIRE(difference(index->save(), before) == "none");
}

TEST_CASE("refusals: a progress function may use the index") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(600, dim);
    const auto ids = numbered<std::uint64_t>(600);
    const index_ptr index = s.make(dim);
    std::size_t calls = 0;
    const auto look = [&](std::size_t done, std::size_t) {
        ++calls;
        if (index->size() != done || index->search(rows[0], 3).size() != 3)
            throw std::logic_error("not what was added");
    };
    vicinal::add_params how;
    how.progress = look;
    REQUIRE(index->add(ids, rows.view(), how) == 600);
    REQUIRE(calls > 0);
}

namespace {
struct users_exception {};
}  // namespace

TEST_CASE("refusals: a filter that throws ends the search with its exception and changes nothing") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(120, dim));
    const bytes_t before = f.index->save();
    const hits_t hits = f.index->search(f.rows[0], 10, exhaustive());
    for (int at = 0; at < 120; at += 17) {
        int calls = 0;
        const auto throws = [&](std::uint64_t) -> bool {
            if (calls++ == at) throw users_exception();
            return true;
        };
        asking how = exhaustive();
        how.filter = throws;
        REQUIRE_THROWS_AS(f.index->search(f.rows[0], 120, how), users_exception);
        calls = 0;
        REQUIRE_THROWS_AS(f.index->search(f.rows.view(0, 4), 120, how), users_exception);
        calls = 0;
        REQUIRE_THROWS_AS(f.index->search_within(f.rows[0], infinity, how), users_exception);
        calls = 0;
        REQUIRE_THROWS_AS(
            [&] {
                for (const auto& hit : f.index->nearest(f.rows[0], how)) static_cast<void>(hit);
            }(),
            users_exception);
    }
    std::atomic<int> calls{0};
    const auto throws = [&](std::uint64_t) -> bool {
        if (calls++ == 200) throw users_exception();
        return true;
    };
    asking how = exhaustive();
    how.threads = 3;
    how.filter = throws;
    REQUIRE_THROWS_AS(f.index->search(f.rows.view(), 120, how), users_exception);
    REQUIRE(difference(f.index->save(), before) == "none");
    REQUIRE(f.index->search(f.rows[0], 10, exhaustive()) == hits);
}

TEST_CASE("refusals: a progress function that throws leaves an empty index empty") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(600, dim);
    const auto ids = numbered<std::uint64_t>(600);
    const auto throws = [](std::size_t, std::size_t) { throw users_exception(); };
    vicinal::add_params how;
    how.progress = throws;
    const index_ptr index = s.make(dim);
    const bytes_t before = index->save();
    REQUIRE_THROWS_AS(index->add(ids, rows.view(), how), users_exception);
    REQUIRE(index->empty());
    REQUIRE(index->check().ok());
    REQUIRE(difference(index->save(), before) == "none");
}

TEST_CASE("refusals: a progress function that throws leaves the rows as they were") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(60, dim));
    const bytes_t before = f.index->save();
    const dataset more = gaussian(600, dim, 9);
    const auto ids = numbered<std::uint64_t>(600, 5000);
    for (const std::size_t at : {0U, 1U, 2U}) {
        std::size_t calls = 0;
        const auto throws = [&](std::size_t, std::size_t) {
            if (calls++ == at) throw users_exception();
        };
        vicinal::add_params how;
        how.progress = throws;
        bool thrown = false;
        try {
            f.index->add(ids, more.view(), how);
        } catch (const users_exception&) {
            thrown = true;
        }
        if (!thrown) {  // it asks less often than that
            REQUIRE(calls <= at);
            break;
        }
        REQUIRE(f.index->size() == 60);
        REQUIRE(f.index->check().ok());
        for (const std::uint64_t id : ids)
            if (f.index->contains(id)) FAIL("id " << id << " stayed behind");
        f.expect(s).require_closest(f.rows[0], 60, f.index->search(f.rows[0], 60));
        REQUIRE(difference(f.index->save(), before) == "none");
    }
}
