// SPDX-License-Identifier: MIT
// What every index promises when memory runs out in the middle of a call: nothing has happened. This header replaces
// the global operator new, so whoever includes it is a program of its own; three of them, one an index, each with the
// codecs that reach all code paths.
//
// Each call is made again and again, and its n-th allocation refused, n = 1, 2, ... until it needs no more. By default
// many allocations of a long call are left out; VICINAL_TEST_LONG=1 refuses every one (scripts/living_campaign.sh).
#pragma once

#include <atomic>
#include <climits>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <new>
#include <sstream>
#include <stdexcept>

#include "contract/index_contract.hpp"
#include "contract/subject.hpp"
#include "support/reduced.hpp"
#include "support/temporary.hpp"

namespace memory_test {

inline std::atomic<long> left{LONG_MAX};    ///< allocations until one is refused
inline std::atomic<bool> all_later{false};  ///< whether those after it are refused, too
inline std::atomic<std::size_t> refused{0};
inline std::atomic<long> live{0};  ///< blocks not yet given back

inline void* take(std::size_t size, std::size_t alignment) noexcept {
    const long before = left.fetch_sub(1);
    if (before == 0 || (before < 0 && all_later)) {
        ++refused;
        return nullptr;
    }
    ++live;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
inline void* take_or_throw(std::size_t size, std::size_t alignment = 1) {
    if (void* const p = take(size, alignment)) return p;
    throw std::bad_alloc();
}
inline void give(void* p) noexcept {
    if (p != nullptr) --live;
    std::free(p);
}

}  // namespace memory_test

// All of them, so that no pair is split between these and a sanitizer's. Never inlined: compilers would see that delete
// is free, and warn.
#define NEVER_INLINE [[gnu::noinline]]
NEVER_INLINE void* operator new(std::size_t n) { return memory_test::take_or_throw(n); }
NEVER_INLINE void* operator new[](std::size_t n) { return memory_test::take_or_throw(n); }
NEVER_INLINE void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return memory_test::take(n, 1); }
NEVER_INLINE void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return memory_test::take(n, 1); }
NEVER_INLINE void* operator new(std::size_t n, std::align_val_t a) {
    return memory_test::take_or_throw(n, static_cast<std::size_t>(a));
}
NEVER_INLINE void* operator new[](std::size_t n, std::align_val_t a) {
    return memory_test::take_or_throw(n, static_cast<std::size_t>(a));
}
NEVER_INLINE void operator delete(void* p) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete[](void* p) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete(void* p, std::size_t) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete[](void* p, std::size_t) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete(void* p, const std::nothrow_t&) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete[](void* p, const std::nothrow_t&) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete(void* p, std::align_val_t) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete[](void* p, std::align_val_t) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { memory_test::give(p); }
NEVER_INLINE void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { memory_test::give(p); }

namespace vicinal_test {
std::vector<const subject*>& subjects() {
    static std::vector<const subject*> all;
    return all;
}
}  // namespace vicinal_test

namespace {

using namespace vicinal_test;

bool long_form() { return std::getenv("VICINAL_TEST_LONG") != nullptr; }

constexpr std::size_t dim = 8;

/// While it lives, `after` allocations succeed and the next is refused, or it and all later ones.
struct short_of_memory {
    explicit short_of_memory(std::size_t after, bool for_good) {
        memory_test::refused = 0;
        memory_test::all_later = for_good;
        memory_test::left = static_cast<long>(after);
    }
    short_of_memory(const short_of_memory&) = delete;
    short_of_memory& operator=(const short_of_memory&) = delete;
    ~short_of_memory() { memory_test::left = LONG_MAX; }
};

/// An index with a past: rows of a batch, rows added alone, some taken out and one changed.
index_ptr with_a_past(const subject& s) {
    const dataset rows = clustered(120, dim, 5);
    index_ptr index = s.make(dim);
    index->add(numbered<std::uint64_t>(100), rows.view(0, 100));
    for (std::size_t i = 0; i < 10; ++i) index->remove(i * 9);
    for (std::size_t i = 100; i < 104; ++i) index->add(i, rows[i]);
    index->update(50, rows[110]);
    return index;
}

using hits_of = std::vector<hits_t>;
hits_t listed(const vicinal::search_table<std::uint64_t>& table) {
    hits_t all;
    for (std::size_t i = 0; i < table.size(); ++i) all.insert(all.end(), table[i].begin(), table[i].end());
    return all;
}

/// A call on an index; what it returns goes into `out`.
struct operation {
    std::string name;
    std::function<index_ptr(const subject&)> prepare;
    std::function<void(any_index& index, hits_t& out)> call;
    bool mends = false;  ///< repairs links in the end, as far as there is memory: bytes may differ, rows not
};

vicinal::add_params on(std::size_t threads) {
    vicinal::add_params how;
    how.threads = threads;
    return how;
}

index_ptr fresh(const subject& s) { return s.make(dim); }
index_ptr with_one_row(const subject& s) {
    const dataset rows = clustered(40, dim, 5);
    index_ptr index = s.make(dim);
    index->train(rows.view());
    index->add(7, rows[0]);
    return index;
}
/// One row more, and codecs learn again.
index_ptr about_to_double(const subject& s) {
    const dataset rows = clustered(39, dim, 5);
    index_ptr index = s.make(dim);
    index->add(numbered<std::uint64_t>(20), rows.view(0, 20));
    for (std::size_t i = 20; i < 39; ++i) index->add(i, rows[i]);
    return index;
}
/// One that has decided what rows are like.
index_ptr trained(const subject& s) {
    const dataset rows = clustered(60, dim, 5);
    index_ptr index = s.make(dim);
    index->train(rows.view());
    index->add(numbered<std::uint64_t>(60), rows.view());
    index->remove(5);
    return index;
}
index_ptr loaded(const subject& s) { return s.load(std::span<const std::byte>(with_a_past(s)->save())); }

const dataset& old_rows() {
    static const dataset rows = clustered(120, dim, 5);
    return rows;
}
/// With four copies of row 60.
index_ptr with_copies(const subject& s) {
    index_ptr index = with_a_past(s);
    for (std::uint64_t id = 500; id < 504; ++id) index->add(id, old_rows()[60]);
    return index;
}
index_ptr loaded_copies(const subject& s) { return s.load(std::span<const std::byte>(with_copies(s)->save())); }

/// Some are copies of old rows, some of each other.
const dataset& new_rows() {
    static const dataset rows = [] {
        dataset made = clustered(270, dim, 5, 3, 11);
        for (std::size_t r = 10; r < made.rows(); r += 7)
            std::copy_n(old_rows()[r % 100].begin(), dim, made[r].begin());
        for (std::size_t r = 12; r < made.rows(); r += 9) std::copy_n(made[r / 2].begin(), dim, made[r].begin());
        return made;
    }();
    return rows;
}

const dataset& far_rows() {
    static const dataset rows =
        make_rows(270, dim, [](std::size_t r, std::size_t i) { return 100 + 50 * double{new_rows()[r][i]}; });
    return rows;
}

std::vector<operation> changes() {
    const dataset& rows = new_rows();
    const auto add_batch = [&rows](std::size_t count, std::size_t threads) {
        return [&rows, count, threads](any_index& index, hits_t&) {
            index.add(numbered<std::uint64_t>(count, 1000), rows.view(0, count), on(threads));
        };
    };
    const auto add_one = [&rows](any_index& index, hits_t&) { index.add(1000, rows[0]); };
    const auto update_one = [&rows](any_index& index, hits_t&) { index.update(60, rows[1]); };
    const auto add_copy = [](any_index& index, hits_t&) { index.add(1000, old_rows()[60]); };
    const auto update_to = [](std::uint64_t id, std::size_t row) {
        return [id, row](any_index& index, hits_t&) { index.update(id, old_rows()[row]); };
    };
    const auto remove_some = [](std::uint64_t id) { return [id](any_index& index, hits_t&) { index.remove(id); }; };
    std::vector<operation> all{
        {"add", with_a_past, add_one},
        {"add after a load", loaded, add_one},
        {"add of 20 rows", with_a_past, add_batch(20, 1)},
        {"add of 270 rows", with_a_past, add_batch(270, 1)},
        {"add of 270 rows on two threads", with_a_past, add_batch(270, 2)},
        {"add of 60 rows to a new index", fresh, add_batch(60, 1)},
        {"add of 270 rows to a new index", fresh, add_batch(270, 1)},
        {"add of 270 rows to a new index on two threads", fresh, add_batch(270, 2)},
        {"add of 30 rows after a load", loaded, add_batch(30, 1)},
        {"add of the row that has codecs learn again", about_to_double, add_one},
        {"update that has codecs learn again", about_to_double,
         [&rows](any_index& index, hits_t&) { index.update(7, rows[1]); }},
        {"add of 270 rows that leave what codecs learned", trained,
         [](any_index& index, hits_t&) { index.add(numbered<std::uint64_t>(270, 1000), far_rows().view(), on(2)); }},
        {"train", fresh, [&rows](any_index& index, hits_t&) { index.train(rows.view(0, 60)); }},
        {"update", with_a_past, update_one},
        {"update after a load", loaded, update_one},
        {"update of the only row", with_one_row, [&rows](any_index& index, hits_t&) { index.update(7, rows[3]); }},
        {"remove after a load", loaded, remove_some(60)},
        {"remove of the only row", with_one_row, remove_some(7)},
        {"add of the first copy", with_a_past, add_copy},
        {"add of a copy", with_copies, add_copy},
        {"add of a copy after a load", loaded_copies, add_copy},
        {"update to a copy", with_a_past, update_to(61, 60)},
        {"update of a row with copies", with_copies, update_to(60, 61)},
        {"update of a copy to itself", with_copies, update_to(502, 60)},
        {"remove of a row with copies", with_copies, remove_some(60)},
        {"remove of a copy after a load", loaded_copies, remove_some(501)},
    };
    const auto upsert = [&rows](std::uint64_t first, std::size_t count) {
        return [&rows, first, count](any_index& index, hits_t&) {
            index.upsert(numbered<std::uint64_t>(count, first), rows.view(0, count), on(2));
        };
    };
    const auto exchange_copies = [](any_index& index, hits_t&) {
        std::vector<float> some;  // one copy stays, two go, two rows become copies
        for (const std::size_t row : {61U, 62U, 60U, 60U})
            some.insert(some.end(), old_rows()[row].begin(), old_rows()[row].end());
        index.upsert(std::vector<std::uint64_t>{60, 501, 61, 62}, {std::span<const float>(some), dim});
    };
    const auto remove_many = [](std::uint64_t first, std::size_t count) {
        return [first, count](any_index& index, hits_t&) { index.remove(numbered<std::uint64_t>(count, first)); };
    };
    for (const auto& more : std::vector<operation>{
             {"upsert of a new row", with_a_past, [&rows](any_index&index, hits_t&) { index.upsert(1000, rows[0]); }},
             {"upsert of new rows", with_a_past, upsert(1000, 30)},
             {"upsert of 270 rows, 90 of them there", with_a_past, upsert(0, 270), true},
             {"upsert after a load", loaded, upsert(70, 40), true},
             {"upsert of copies", with_copies, exchange_copies, true},
             {"upsert of copies after a load", loaded_copies, exchange_copies, true},
             {"upsert that has codecs learn again", about_to_double, upsert(10, 30), true},
             {"upsert to a new index", fresh, upsert(0, 60)},
             {"remove of 40 rows", with_a_past, remove_many(50, 60), true},
             {"remove of all rows", with_a_past, remove_many(0, 200)},
             {"remove of copies", with_copies, remove_many(495, 8), true},
             {"clear", with_copies, [](any_index&index, hits_t&) { index.clear(); }}})
        all.push_back(more);
    for (const std::uint64_t id : {1U, 60U, 101U})
        all.push_back({"remove of " + std::to_string(id), with_a_past, remove_some(id)});
    return all;
}

std::vector<operation> questions() {
    const dataset& rows = new_rows();
    static const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
    static const vicinal::id_set<std::uint64_t> few{3, 5, 8};
    const auto asked = [](auto filter) {
        asking how;
        how.filter = filter;
        return how;
    };
    const auto with = [&rows](asking how) {
        return [&rows, how](any_index& index, hits_t& out) { out = index.search(rows[0], 10, how); };
    };
    asking on_two;
    on_two.threads = 2;
    return {
        {"search", with_a_past, with({})},
        {"search everywhere", with_a_past, with(exhaustive())},
        {"search by a filter", with_a_past, with(asked(vicinal::id_filter<std::uint64_t>(odd)))},
        {"search among few", with_a_past, with(asked(vicinal::id_filter<std::uint64_t>(few)))},
        {"batch search", with_a_past,
         [&rows](any_index& index, hits_t& out) { out = listed(index.search(rows.view(0, 40), 5)); }},
        {"batch search on two threads", with_a_past,
         [&rows, on_two](any_index& index, hits_t& out) { out = listed(index.search(rows.view(0, 40), 5, on_two)); }},
        {"search_within", with_a_past,
         [&rows](any_index& index, hits_t& out) { out = index.search_within(rows[0], 8.0F); }},
        {"nearest", with_a_past,
         [&rows](any_index& index, hits_t& out) {
             out.clear();
             for (const auto& hit : index.nearest(rows[0])) out.push_back(hit);
         }},
        {"get", with_a_past,
         [](any_index& index, hits_t& out) {
             out.clear();
             for (const float x : index.get(61)) out.push_back({0, x});
         }},
        {"get after a load", loaded,
         [](any_index& index, hits_t& out) {
             out.clear();
             for (const float x : index.get(61)) out.push_back({0, x});
         }},
        {"check", with_a_past,
         [](any_index& index, hits_t& out) {
             out = {{index.check().live, 0}};
         }},
        {"memory", with_a_past, [](any_index& index, hits_t&) { (void)index.memory(); }},
        {"save to bytes", with_a_past,
         [](any_index& index, hits_t& out) {
             out = {{index.save().size(), 0}};
         }},
        {"save to a stream", with_a_past,
         [](any_index& index, hits_t& out) {
             std::ostringstream stream;
             stream.exceptions(std::ios::badbit);  // or a stream keeps what its buffer threw to itself
             index.save(stream);
             out = {{stream.str().size(), 0}};
         }},
    };
}

struct points {
    std::size_t refused = 0;
    std::size_t calls = 0;
};

/// Which allocation of `of` to refuse after the n-th.
std::size_t next_point(std::size_t n, std::size_t of) {
#if defined(VICINAL_TEST_REDUCED)
    constexpr std::size_t closely = 2;  // what an allocation leaves behind is the same at each place of a loop
    constexpr std::size_t farther = 2;
#else
    constexpr std::size_t closely = 6;
    constexpr std::size_t farther = 6;
#endif
    if (long_form() || n < closely) return n + 1;
    return n + std::max<std::size_t>(1, of / farther);
}

std::size_t allocations_of(const operation& op, const subject& s) {
    const index_ptr index = op.prepare(s);
    hits_t out;
    memory_test::left = LONG_MAX;
    op.call(*index, out);
    return static_cast<std::size_t>(LONG_MAX - memory_test::left);
}

/// What a call does when nothing is refused.
struct expected_of {
    expected_of(const operation& op, const subject& s) {
        const index_ptr index = op.prepare(s);
        before = index->save();
        op.call(*index, hits);
        after = index->save();
        ids = index->ids();
        mends = op.mends;
    }
    /// What the call leaves when it succeeds.
    void require_after(const any_index& index) const {
        if (!mends) REQUIRE(difference(index.save(), after) == "none");
        REQUIRE(index.ids() == ids);
        REQUIRE(index.check().ok());
    }
    hits_t hits;
    bytes_t before;
    bytes_t after;
    std::vector<std::uint64_t> ids;
    bool mends = false;
};

/// The call with its n-th allocation refused. Returns false if it needed fewer.
bool refuse_one(any_index& index, const operation& op, std::size_t n, bool for_good, const expected_of& expected,
                points& count) {
    hits_t out;
    bool failed = false;
    {
        const short_of_memory limit(n, for_good);
        try {
            op.call(index, out);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
    }
    ++count.calls;
    if (memory_test::refused == 0) {
        REQUIRE_FALSE(failed);
        return false;
    }
    ++count.refused;
    if (!failed) {  // it found another way, as std::stable_sort does without its buffer
        expected.require_after(index);
        REQUIRE(out == expected.hits);
        return false;
    }
    if (const std::string d = difference(index.save(), expected.before); d != "none")
        FAIL("allocation " << n << (for_good ? " and all later ones" : "") << " refused: " << d);
    if (!index.check().ok()) FAIL("allocation " << n << " refused: the index is not sound");
    return true;
}

/// The same index throughout: it must bear one failure after the other.
void refuse_in_turn(const subject& s, const operation& op, bool for_good, const expected_of& expected, std::size_t most,
                    points& count) {
    const index_ptr index = op.prepare(s);
    for (std::size_t n = 0; n <= most; n = next_point(n, most))
        if (!refuse_one(*index, op, n, for_good, expected, count)) break;  // done, whatever was refused
    hits_t out;
    if (difference(index->save(), expected.before) == "none") op.call(*index, out);
    expected.require_after(*index);
}
/// A new one each time: no buffer is left over from the call before.
void refuse_afresh(const subject& s, const operation& op, bool for_good, const expected_of& expected, std::size_t most,
                   points& count) {
    for (std::size_t n = 0; n <= most; n = next_point(n, most)) {
        const index_ptr index = op.prepare(s);
        if (!refuse_one(*index, op, n, for_good, expected, count)) continue;
        hits_t out;
        op.call(*index, out);
        REQUIRE(out == expected.hits);
        if (const std::string d = difference(index->save(), expected.after); d != "none")
            FAIL("made again after allocation " << n << " was refused: " << d);
    }
}

void refuse_everywhere(const std::vector<operation>& operations) {
    points count;
    FOR_EVERY_INDEX(s);
    for (const operation& op : operations) {
        INFO(op.name);
        const expected_of expected(op, s);
        const std::size_t most = allocations_of(op, s);
        const long blocks = memory_test::live;
#if defined(VICINAL_TEST_REDUCED)
        const bool afresh =
            long_form() || (&op - operations.data()) % 2 == 0;  // the other half is done without sanitizers
        const bool in_turn = long_form() || !afresh;
#else
        constexpr bool afresh = true, in_turn = true;
#endif
        if (in_turn) refuse_in_turn(s, op, false, expected, most, count);
        if (afresh) refuse_afresh(s, op, true, expected, most, count);
        if (long_form()) {
            refuse_in_turn(s, op, true, expected, most, count);
            refuse_afresh(s, op, false, expected, most, count);
        }
        REQUIRE(memory_test::live == blocks);
    }
    if (long_form()) WARN(s.name() << ": " << count.refused << " allocations refused");
}

}  // namespace

TEST_CASE("memory: a change that runs out of it has changed nothing, and can be made again") {
    refuse_everywhere(changes());
}

TEST_CASE("memory: a question that runs out of it can be asked again") { refuse_everywhere(questions()); }

TEST_CASE("memory: a load that runs out of it leaves nothing behind") {
    FOR_EVERY_INDEX(s);
    const bytes_t saved = with_a_past(s)->save();
    const temporary_directory folder;
    with_a_past(s)->save(folder / "a.vic");
    const std::function<index_ptr()> ways[] = {[&] { return s.load(std::span<const std::byte>(saved)); },
                                               [&] { return s.load(folder / "a.vic"); },
                                               [&] { return s.view(folder / "a.vic"); }};
    for (const auto& open : ways)
        for (const bool for_good : {false, true})
            for (std::size_t n = 0;; ++n) {
                REQUIRE(n < 100000);
                const long blocks = memory_test::live;
                index_ptr index;
                {
                    const short_of_memory limit(n, for_good);
                    try {
                        index = open();
                    } catch (const std::bad_alloc&) {
                    }
                }
                if (index == nullptr) {
                    REQUIRE(memory_test::live == blocks);
                    continue;
                }
                REQUIRE(difference(index->save(), saved) == "none");
                if (memory_test::refused == 0) break;
            }
}

TEST_CASE("memory: an executor that throws has the call change nothing") {
    struct thrown {};
    struct failing_executor {
        std::size_t runs_left;
        void run(std::size_t count, vicinal::task_ref task) {
            if (runs_left-- == 0) throw thrown();
            for (std::size_t i = 0; i < count; ++i) task(i);
        }
        [[nodiscard]] std::size_t concurrency() const noexcept { return 2; }
    };
    FOR_EVERY_INDEX(s);
    const auto ids = numbered<std::uint64_t>(270, 1000);
    for (const auto prepare : {with_a_past, fresh}) {
        const index_ptr index = prepare(s);
        const index_ptr undisturbed = prepare(s);
        const bytes_t before = index->save();
        undisturbed->add(ids, new_rows().view());
        for (std::size_t runs = 0;; ++runs) {
            REQUIRE(runs < 1000);
            failing_executor executor{runs};
            vicinal::add_params how;
            how.executor = executor;
            try {
                index->add(ids, new_rows().view(), how);
                break;
            } catch (const thrown&) {
            }
            if (const std::string d = difference(index->save(), before); d != "none") FAIL("run " << runs << ": " << d);
            REQUIRE(index->check().ok());
        }
        REQUIRE(difference(index->save(), undisturbed->save()) == "none");
    }
}
