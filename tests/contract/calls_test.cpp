// SPDX-License-Identifier: MIT
// What every index promises of calls for many rows, and of those by id: upsert, bulk remove, get, ids, distances,
// search_id, clear, clone, merge, swap.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>

#include "contract/index_contract.hpp"
#include "support/temporary.hpp"
#include "vicinal/io/index_io.hpp"

namespace {

using namespace vicinal_test;

constexpr std::size_t dim = 8;

vicinal::add_params on(std::size_t threads) {
    vicinal::add_params how;
    how.threads = threads;
    return how;
}
void require_sound(const any_index& index) {
    const auto report = index.check();
    INFO("unreachable " << report.unreachable << ", dangling " << report.dangling << ", duplicate " << report.duplicate
                        << ", misplaced " << report.misplaced);
    REQUIRE(report.ok());
    REQUIRE(report.live == index.size());
}
/// Some ids that are in `f`, others that are not, and a new row for each.
struct change {
    std::vector<std::uint64_t> ids;
    dataset rows;
    std::size_t added;
};
change half_new(const filled& f, std::size_t rows, std::uint64_t seed = 77) {
    change made{{}, gaussian(rows, dim, seed), rows / 2};
    for (std::size_t i = 0; i < rows; ++i) made.ids.push_back(i % 2 == 0 ? f.ids[i] : 9000 + i);
    return made;
}
/// Which of the rows a stored vector is nearest to, as directions: what a metric does to lengths does not matter.
std::size_t nearest_row(const vector_t& stored, const dataset& rows) {
    const auto cosine = [&](std::span<const float> row) {
        double xy = 0, xx = 0, yy = 0;
        for (std::size_t d = 0; d < row.size(); ++d) {
            xy += double{stored[d]} * double{row[d]};
            xx += double{stored[d]} * double{stored[d]};
            yy += double{row[d]} * double{row[d]};
        }
        return xy / std::sqrt(xx * yy);
    };
    std::size_t best = 0;
    for (std::size_t r = 1; r < rows.rows(); ++r)
        if (cosine(rows[r]) > cosine(rows[best])) best = r;
    return best;
}
/// The index holds what was put in last under each id, and searches find it.
void require_holds(const subject& s, const any_index& index, const vectors_t& held, const dataset& queries) {
    require_sound(index);
    REQUIRE(index.size() == held.size());
    for (std::size_t q = 0; q < 5; ++q)
        expect(s, held).require_closest(queries[q], 10, index.search(queries[q], 10, exhaustive()));
    REQUIRE(index.search(queries[0], 10).size() == std::min<std::size_t>(10, held.size()));
}

}  // namespace

// ---- upsert --------------------------------------------------------------------------------------------------------

TEST_CASE("calls: upsert of one vector adds it, or replaces the one there is") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(60, dim));
    const dataset fresh = gaussian(4, dim, 9);
    const auto reference = f.index->clone();
    REQUIRE(f.index->upsert(7, fresh[0]));
    REQUIRE_FALSE(f.index->upsert(7, fresh[1]));
    REQUIRE_FALSE(f.index->upsert(f.ids[4], fresh[2]));
    reference->add(7, fresh[0]);
    reference->update(7, fresh[1]);
    reference->update(f.ids[4], fresh[2]);
    REQUIRE(difference(f.index->save(), reference->save()) == "none");
}

TEST_CASE("calls: upsert of a batch adds and replaces rows") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(400, dim));
    const change c = half_new(f, 300);
    for (std::size_t i = 0; i < 5; ++i) f.index->remove(f.ids[399 - i]);
    REQUIRE(f.index->upsert(c.ids, c.rows.view()) == c.added);
    REQUIRE(f.index->size() == 395 + c.added);
    for (std::size_t i = 0; i < 5; ++i) f.ids.pop_back();
    for (const std::uint64_t id : c.ids)
        if (id >= 9000) f.ids.push_back(id);
    require_holds(s, *f.index, held_by(*f.index, f.ids), c.rows);
    std::size_t right = 0;
    for (std::size_t i = 0; i < c.ids.size(); ++i) right += nearest_row(f.index->get(c.ids[i]), c.rows) == i ? 1 : 0;
    if (!is_binary(s) && !stores_whole(s))
        REQUIRE(right >= (s.codec.starts_with("rabitq") || s.codec == "pq" || s.codec == "sq4" ? 200 : 300));
    REQUIRE(f.index->upsert({}, matrix_view<const float>(nullptr, 0, dim)) == 0);
}

TEST_CASE("calls: upsert of what is there already changes nothing") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(120, dim, 6));
    REQUIRE(f.index->upsert(f.ids, f.rows.view()) == 0);
    if (s.learns) return;  // codecs may learn again
    REQUIRE(difference(f.index->save(), filled(s, duplicates(120, dim, 6)).index->save()) == "none");
}

TEST_CASE("calls: upsert moves rows in and out of copies of each other") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(150, dim, 3));  // 50 copies of row 0
    numbers random(5);
    for (int round = 0; round < 6; ++round) {
        INFO("round " << round);
        std::vector<std::uint64_t> ids;
        std::vector<float> values;
        for (std::size_t i = 0; i < f.ids.size(); ++i) {
            if (random.below(3) == 0) continue;
            ids.push_back(f.ids[(i * 7 + 3) % f.ids.size()]);
            const auto row = f.rows[random.below(2) == 0 ? random.below(6) : random.below(150)];
            values.insert(values.end(), row.begin(), row.end());
        }
        REQUIRE(f.index->upsert(ids, {std::span<const float>(values), dim}) == 0);
        require_holds(s, *f.index, held_by(*f.index, f.ids), f.rows);
    }
    for (std::size_t i = 0; i < 30; ++i) REQUIRE(f.index->remove(f.ids[i * 5]));
    require_sound(*f.index);
}

TEST_CASE("calls: upsert of every row there is leaves only the new ones") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(300, dim));
    const dataset moved = gaussian(300, dim, 12);
    REQUIRE(f.index->upsert(f.ids, moved.view()) == 0);
    require_holds(s, *f.index, held_by(*f.index, f.ids), moved);
    std::size_t found = 0;
    for (std::size_t i = 0; i < 100; ++i) found += f.index->search(moved[i], 1, exhaustive())[0].id == f.ids[i] ? 1 : 0;
    if (s.metric != "inner_product" && !s.decodes && !is_binary(s) && !(s.metric == "cosine" && stores_whole(s)))
        REQUIRE(found == 100);
    const index_ptr empty = s.make(dim);
    REQUIRE(empty->upsert(f.ids, moved.view()) == 300);
    require_holds(s, *empty, held_by(*empty, f.ids), moved);
}

TEST_CASE("calls: the number of threads of an upsert changes no byte") {
    FOR_EVERY_INDEX(s);
    bytes_t first;
    for (const std::size_t threads : {1U, 3U}) {
        filled f(s, gaussian(400, dim));
        const change c = half_new(f, 300);
        f.index->upsert(c.ids, c.rows.view(), on(threads));
        if (threads == 1) first = f.index->save();
        REQUIRE(difference(f.index->save(), first) == "none");
    }
}

TEST_CASE("calls: an upsert that is refused, stopped or fails has changed nothing") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(400, dim));
    change c = half_new(f, 300);
    const bytes_t before = f.index->save();
    struct thrown {};
    vicinal::stop_source source;
    vicinal::add_params stopped;
    stopped.stop = source.get_token();
    const auto stop_later = [&](std::size_t, std::size_t) { source.request_stop(); };
    stopped.progress = stop_later;
    require_refusal(errc::cancelled, {}, [&] { f.index->upsert(c.ids, c.rows.view(), stopped); });
    REQUIRE(difference(f.index->save(), before) == "none");
    require_refusal(errc::cancelled, {}, [&] { f.index->upsert(c.ids, c.rows.view(), stopped); });
    const auto throws_at_end = [](std::size_t done, std::size_t total) {
        if (done == total) throw thrown();
    };
    vicinal::add_params throwing = on(2);
    throwing.progress = throws_at_end;
    REQUIRE_THROWS_AS(f.index->upsert(c.ids, c.rows.view(), throwing), thrown);
    REQUIRE(difference(f.index->save(), before) == "none");
    c.rows[299][3] = std::numeric_limits<float>::quiet_NaN();
    require_refusal(errc::non_finite, {"row 299"}, [&] { f.index->upsert(c.ids, c.rows.view()); });
    c = half_new(f, 300);
    c.ids[5] = c.ids[8];
    require_refusal(errc::duplicate_id, {std::to_string(c.ids[8]), "twice"},
                    [&] { f.index->upsert(c.ids, c.rows.view()); });
    require_refusal(errc::invalid_argument, {"upsert", "300", "299"},
                    [&] { f.index->upsert(c.ids, c.rows.view(0, 299)); });
    require_refusal(errc::dimension_mismatch, {"upsert", "9", "8"},
                    [&] { f.index->upsert(std::span(c.ids).first(2), gaussian(2, 9).view()); });
    require_refusal(errc::dimension_mismatch, {"7", "8"}, [&] { f.index->upsert(3, gaussian(1, 7)[0]); });
    REQUIRE(difference(f.index->save(), before) == "none");
    c = half_new(f, 300);
    REQUIRE(f.index->upsert(c.ids, c.rows.view()) == c.added);
    require_sound(*f.index);
}

TEST_CASE("calls: the progress of an upsert may search the index; what it saves is whole, or it is refused") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(400, dim));
    const change c = half_new(f, 300);
    std::size_t told = 0, refused = 0;
    const auto look = [&](std::size_t done, std::size_t total) {
        ++told;
        REQUIRE(done <= total);
        REQUIRE(f.index->search(f.rows[0], 5).size() == 5);
        require_sound(*f.index);
        bytes_t saved;
        try {
            saved = f.index->save();
        } catch (const vicinal::error& e) {
            REQUIRE(e.code() == errc::reentrant_call);
            ++refused;
            return;
        }
        REQUIRE(s.load(std::span<const std::byte>(saved))->check().ok());
    };
    vicinal::add_params how;
    how.progress = look;
    REQUIRE(f.index->upsert(c.ids, c.rows.view(), how) == c.added);
    REQUIRE(told >= 1);
    REQUIRE((refused == 0 || s.kind == "hnsw"));
    require_sound(*f.index);
}

// ---- remove, clear -------------------------------------------------------------------------------------------------

TEST_CASE("calls: a bulk remove takes out the ids that are there") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(300, dim, 4));
    std::vector<std::uint64_t> gone{1, 2};  // none of the index
    for (std::size_t i = 0; i < f.ids.size(); ++i)
        if (i % 4 != 1) gone.push_back(f.ids[i]);
    gone.push_back(gone[7]);
    REQUIRE(f.index->remove(gone) == 225);
    REQUIRE(f.index->remove(gone) == 0);
    std::vector<std::uint64_t> left;
    for (std::size_t i = 1; i < f.ids.size(); i += 4) left.push_back(f.ids[i]);
    require_holds(s, *f.index, held_by(*f.index, left), f.rows);
    REQUIRE(f.index->ids() == left);
    REQUIRE(f.index->remove(left) == 75);
    REQUIRE(f.index->empty());
    require_sound(*f.index);
    REQUIRE(f.index->add(f.ids, f.rows.view()) == 300);
    require_holds(s, *f.index, held_by(*f.index, f.ids), f.rows);
}

TEST_CASE("calls: copies of a row go by a bulk remove some at a time") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(120, dim, 2));
    std::vector<std::uint64_t> left = f.ids;
    for (std::size_t round = 0; round < 5; ++round) {
        std::vector<std::uint64_t> gone;
        for (std::size_t i = 0; i < 12; ++i) gone.push_back(f.ids[round * 24 + i * 2]);
        REQUIRE(f.index->remove(gone) == 12);
        for (const std::uint64_t id : gone) left.erase(std::find(left.begin(), left.end(), id));
        require_holds(s, *f.index, held_by(*f.index, left), f.rows);
    }
}

TEST_CASE("calls: clear leaves an empty index that can be filled again") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(200, dim, 5));
    for (std::size_t i = 0; i < 20; ++i) f.index->remove(f.ids[i * 3]);
    f.index->clear();
    REQUIRE(f.index->empty());
    REQUIRE(f.index->ids().empty());
    REQUIRE(f.index->search(f.rows[0], 5).empty());
    require_sound(*f.index);
    f.index->clear();
    REQUIRE(f.index->add(f.ids, f.rows.view()) == 200);
    require_holds(s, *f.index, held_by(*f.index, f.ids), f.rows);
    const index_ptr loaded = s.load(std::span<const std::byte>(f.index->save()));
    loaded->clear();
    REQUIRE(loaded->empty());
    require_sound(*loaded);
}

// ---- questions by id -----------------------------------------------------------------------------------------------

TEST_CASE("calls: get writes one vector, or many, into the caller's memory") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(50, dim));
    std::vector<float> one(dim), many(3 * dim);
    f.index->get(f.ids[9], std::span(one));
    REQUIRE(one == f.held[f.ids[9]]);
    const std::vector<std::uint64_t> asked{f.ids[9], f.ids[2], f.ids[9]};
    f.index->get(asked, many);
    for (std::size_t i = 0; i < 3; ++i)
        REQUIRE(std::equal(many.begin() + static_cast<std::ptrdiff_t>(i * dim),
                           many.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim), f.held[asked[i]].begin()));
    f.index->get(std::span<const std::uint64_t>(), std::span<float>());
    require_refusal(errc::not_found, {"get", "5"}, [&] { f.index->get(5, std::span(one)); });
    const std::vector<std::uint64_t> absent{f.ids[0], 5, 6};
    require_refusal(errc::not_found, {"get", "5"}, [&] { f.index->get(absent, many); });
    require_refusal(errc::dimension_mismatch, {"7", "8"},
                    [&] { f.index->get(f.ids[0], std::span<float>(one).first(7)); });
    require_refusal(errc::invalid_argument, {"24", "2", "8"}, [&] { f.index->get(std::span(asked).first(2), many); });
    require_refusal(errc::invalid_argument, {"23", "3", "8"},
                    [&] { f.index->get(asked, std::span<float>(many).first(23)); });
    many.push_back(0);
    require_refusal(errc::invalid_argument, {"25", "3", "8"}, [&] { f.index->get(asked, many); });
}

TEST_CASE("calls: ids are all that the index holds, in ascending order") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(90, dim));
    std::reverse(f.ids.begin(), f.ids.end());
    const index_ptr index = s.make(dim);
    REQUIRE(index->ids().empty());
    index->add(f.ids, f.rows.view());
    for (std::size_t i = 0; i < 30; ++i) index->remove(f.ids[i * 2]);
    index->add(7, f.rows[0]);
    std::vector<std::uint64_t> expected{7};
    for (std::size_t i = f.ids.size(); i-- > 0;)
        if (i >= 60 || i % 2 == 1) expected.push_back(f.ids[i]);
    REQUIRE(index->ids() == expected);
}

TEST_CASE("calls: distances are those that a search reports") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(150, dim));
    const dataset queries = gaussian(5, dim, 40);
    std::vector<std::uint64_t> asked = f.ids;
    asked.push_back(f.ids[3]);
    asked.insert(asked.begin() + 4, 5);  // not there
    std::vector<float> out(asked.size());
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        REQUIRE(f.index->distances(queries[q], asked, out) == asked.size() - 1);
        REQUIRE(out[4] == std::numeric_limits<float>::infinity());
        hits_t sorted;
        for (std::size_t i = 0; i < asked.size() - 1; ++i)
            if (i != 4) sorted.push_back({asked[i], out[i]});
        std::sort(sorted.begin(), sorted.end(), vicinal::closer<std::uint64_t>);
        f.expect(s).require_sound(queries[q], sorted);
        const hits_t hits = f.index->search(queries[q], 150, exhaustive());
        for (const auto& hit : hits) {
            const auto at = std::find(asked.begin(), asked.end(), hit.id) - asked.begin();
            REQUIRE(std::abs(out[static_cast<std::size_t>(at)] - hit.distance) <= 1e-4F * (1 + std::abs(hit.distance)));
        }
        REQUIRE(out.back() == out[3]);
    }
    REQUIRE(f.index->distances(queries[0], {}, std::span<float>()) == 0);
    require_refusal(errc::invalid_argument, {"distances", "151", "152"},
                    [&] { f.index->distances(queries[0], asked, std::span<float>(out).first(151)); });
    require_refusal(errc::dimension_mismatch, {"7", "8"}, [&] { f.index->distances(queries[0].first(7), asked, out); });
}

TEST_CASE("calls: search_id finds the neighbours of a stored vector without itself") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(120, dim, 10));
    for (const std::size_t i : {0U, 5U, 10U, 119U}) {
        hits_t expected = f.index->search(f.held[f.ids[i]], 120, exhaustive());
        expected.erase(std::find_if(expected.begin(), expected.end(), [&](auto& hit) { return hit.id == f.ids[i]; }));
        for (const std::size_t k : {1U, 7U, 119U, 400U}) {
            const hits_t hits = f.index->search_id(f.ids[i], k, exhaustive());
            REQUIRE(hits == hits_t(expected.begin(),
                                   expected.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(k, 119))));
        }
    }
    REQUIRE(f.index->search_id(f.ids[0], 0).empty());
    REQUIRE(f.index->search_id(f.ids[0], 5).size() == 5);
    require_refusal(errc::not_found, {"search_id", "5"}, [&] { (void)f.index->search_id(5, 3); });
}

// ---- whole indexes -------------------------------------------------------------------------------------------------

TEST_CASE("calls: a clone is the same, and its own") {
    FOR_EVERY_INDEX(s);
    filled f(s, duplicates(100, dim, 5));
    f.index->remove(f.ids[50]);
    const index_ptr copy = f.index->clone();
    REQUIRE(difference(copy->save(), f.index->save()) == "none");
    const dataset more = gaussian(100, dim, 8);
    const auto ids = numbered<std::uint64_t>(100, 7000);
    copy->add(ids, more.view());
    REQUIRE(f.index->size() == 99);
    REQUIRE(copy->size() == 199);
    require_sound(*copy);
    f.index->add(ids, more.view());  // as the one learned on, so did the other
    for (const std::uint64_t id : ids) REQUIRE(copy->get(id) == f.index->get(id));
}

TEST_CASE("calls: merge adds the rows of another index, or none") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(80, dim));
    filled other(s, gaussian(70, dim, 33), 5000);
    const bytes_t others = other.index->save();
    REQUIRE(f.index->merge(*other.index) == 70);
    REQUIRE(difference(other.index->save(), others) == "none");
    std::vector<std::uint64_t> all = f.ids;
    all.insert(all.end(), other.ids.begin(), other.ids.end());
    require_holds(s, *f.index, held_by(*f.index, all), other.rows);
    const bytes_t before = f.index->save();
    f.index->remove(other.ids[0]);
    f.index->upsert(other.ids[0], other.rows[0]);
    require_refusal(errc::duplicate_id, {std::to_string(other.ids[0])}, [&] { f.index->merge(*other.index); });
    require_refusal(errc::duplicate_id, {}, [&] { f.index->merge(*f.index); });
    REQUIRE(f.index->size() == 150);
    require_refusal(errc::dimension_mismatch, {"merge", "9", "8"}, [&] { f.index->merge(*s.make(9)); });
    REQUIRE(f.index->merge(*s.make(dim)) == 0);
    require_sound(*f.index);
}

TEST_CASE("calls: swap exchanges two indexes") {
    FOR_EVERY_INDEX(s);
    filled a(s, gaussian(20, dim)), b(s, gaussian(30, dim + 1), 5000);
    a.index->swap_with(*b.index);
    REQUIRE(a.index->size() == 30);
    REQUIRE(a.index->dim() == dim + 1);
    REQUIRE(b.index->get(a.ids[3]) == a.held[a.ids[3]]);
}

// ---- the application's note ----------------------------------------------------------------------------------------

TEST_CASE("calls: a note travels in the file, until a save without it") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(20, dim));
    const bytes_t plain = f.index->save();
    const std::string text = "log position 4711";
    vicinal::save_options how;
    how.note = std::as_bytes(std::span(text));
    const auto is_text = [&](const any_index& index) {
        return std::equal(index.note().begin(), index.note().end(), how.note.begin(), how.note.end());
    };
    const bytes_t noted = f.index->save(how);
    REQUIRE(f.index->note().empty());
    REQUIRE(noted.size() > plain.size());
    const temporary_directory folder;
    std::ofstream(folder / "a.vic", std::ios::binary)
        .write(reinterpret_cast<const char*>(noted.data()), std::ssize(noted));
    const index_ptr loaded = s.load(std::span<const std::byte>(noted));
    REQUIRE(is_text(*loaded));
    REQUIRE(is_text(*loaded->clone()));
    loaded->remove(f.ids[0]);
    loaded->add(f.ids[0], f.rows[0]);
    REQUIRE(is_text(*loaded));
    REQUIRE(s.load(std::span<const std::byte>(loaded->save()))->note().empty());
    const index_ptr view = s.view(folder / "a.vic");
    REQUIRE(is_text(*view));
    REQUIRE(difference(view->save(), noted) == "none");
    const std::string other = "4712";
    how.note = std::as_bytes(std::span(other));
    REQUIRE(is_text(*s.load(std::span<const std::byte>(view->save(how)))));
    REQUIRE(s.load(std::span<const std::byte>(plain))->note().empty());
}

TEST_CASE("calls: a note has a largest size, in files of strangers too") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(5, dim));
    const bytes_t most(65536, std::byte{7});
    vicinal::save_options how;
    how.note = most;
    REQUIRE(s.load(std::span<const std::byte>(f.index->save(how)))->note().size() == 65536);
    const bytes_t more(65537, std::byte{7});
    how.note = more;
    require_refusal(errc::invalid_argument, {"65537", "65536"}, [&] { f.index->save(how); });
    const bytes_t plain = f.index->save();
    for (const std::size_t size : {0U, 65537U}) {
        const vicinal::detail::file_image image(vicinal::detail::read_span(plain));
        vicinal::detail::section_writer forged(image.header());
        vicinal::detail::copy_sections(image, forged, {});
        forged.add_bytes(vicinal::detail::part_type("NOTE"), bytes_t(size));
        const bytes_t file = forged.to_bytes();
        require_refusal(errc::corrupt_file, {"note", std::to_string(size), "65536"},
                        [&] { (void)s.load(std::span<const std::byte>(file)); });
    }
}

// ---- deadlines -----------------------------------------------------------------------------------------------------

TEST_CASE("calls: a search whose deadline has passed returns what it has, and says so") {
    FOR_EVERY_INDEX(s);
    filled f(s, clustered(300, dim, 6));
    const dataset queries = clustered(20, dim, 6, 3, 40);
    vicinal::search_stats stats;
    asking late;
    late.deadline = std::chrono::milliseconds(-1);
    late.stats = &stats;
    const hits_t hits = f.index->search(queries[0], 10, late);
    REQUIRE(stats.partial == 1);
    f.expect(s).require_sound(queries[0], hits);
    const auto table = f.index->search(queries.view(), 10, late);
    REQUIRE(stats.partial == 21);
    for (std::size_t q = 0; q < 20; ++q)
        f.expect(s).require_sound(queries[q], hits_t(table[q].begin(), table[q].end()));
    const hits_t within = f.index->search_within(queries[0], std::numeric_limits<float>::max(), late);
    REQUIRE(stats.partial == 22);
    REQUIRE(within.size() < 300);
    late.everything = true;
    REQUIRE(f.index->search(queries[0], 300, late).size() < 300);
    REQUIRE(stats.partial == 23);
}

TEST_CASE("calls: a deadline that is far off changes nothing") {
    FOR_EVERY_INDEX(s);
    filled f(s, clustered(200, dim, 6));
    vicinal::search_stats stats;
    for (const vicinal::time_limit far : {vicinal::time_limit(std::chrono::hours(1)), vicinal::time_limit(),
                                          vicinal::time_limit(std::chrono::hours::max()),
                                          vicinal::time_limit(vicinal::time_limit::clock::time_point::max())}) {
        asking how;
        how.deadline = far;
        how.stats = &stats;
        REQUIRE(f.index->search(f.rows[3], 10, how) == f.index->search(f.rows[3], 10));
    }
    REQUIRE(stats.partial == 0);
}

TEST_CASE("calls: a deadline that passes during a scan leaves the best of what was seen") {
    FOR_EVERY_INDEX(s);
    if (s.kind == "hnsw") return;                              // a walk so short would be over
    if (s.name().find("rabitq") != std::string::npos) return;  // filters are asked once all rows have bounds
    filled f(s, gaussian(600, dim));
    vicinal::search_stats stats;
    asking how = exhaustive();
    const vicinal::time_limit soon(std::chrono::milliseconds(3));
    // A filter is asked about 256 rows first, by ivf_index then about all rows, and about those that were scored last.
    const std::size_t late = s.kind == "flat" ? 256 + 50 : 256 + 600 + 50;
    std::size_t asked = 0;
    const auto wait = [&](std::uint64_t) {
        while (++asked == late && !soon.passed()) --asked;
        return true;
    };
    how.deadline = soon;
    how.stats = &stats;
    how.filter = wait;
    const hits_t hits = f.index->search(f.rows[0], 600, how);
    REQUIRE(stats.partial == 1);
    REQUIRE(!hits.empty());
    REQUIRE(hits.size() < 600);
    f.expect(s).require_sound(f.rows[0], hits);
}

TEST_CASE("calls: who is stopped and late is told that the call was stopped") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(100, dim));
    vicinal::stop_source source;
    asking how;
    how.stop = source.get_token();
    how.deadline = std::chrono::milliseconds(-1);
    source.request_stop();
    require_refusal(errc::cancelled, {}, [&] { (void)f.index->search(f.rows[0], 10, how); });
}
