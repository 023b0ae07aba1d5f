// SPDX-License-Identifier: MIT
// What a writer does while readers are out is bounded, however many rows there are: no memory is taken or given back,
// no page is met for the first time, and what concerns many rows is done some rows at a time. This file replaces the
// locks of every index by one that watches, and the global operator new, so it is a program of its own.
#include <sys/resource.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <atomic>
#include <cstdlib>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#define index_locks watched_locks
#include "vicinal/index/common/locks.hpp"
#undef index_locks

namespace exclusion {

inline thread_local bool inside = false;
inline std::size_t sections = 0;
inline std::size_t allocations = 0;
inline std::size_t releases = 0;
inline std::size_t most_faults = 0;
inline std::size_t faults = 0;

inline std::size_t faults_so_far() {
#if defined(RUSAGE_THREAD)
    rusage now{};
    ::getrusage(RUSAGE_THREAD, &now);
    return static_cast<std::size_t>(now.ru_minflt);
#else
    return 0;
#endif
}
inline void forget() { sections = allocations = releases = most_faults = faults = 0; }

}  // namespace exclusion

VICINAL_NAMESPACE_BEGIN
namespace detail {
class index_locks : public watched_locks {
    class section {
      public:
        explicit section(watched_locks& locks) : lock_(locks.exclusive()), faults_(exclusion::faults_so_far()) {
            ++exclusion::sections;
            exclusion::inside = true;
        }
        section(const section&) = delete;
        section& operator=(const section&) = delete;
        ~section() {
            exclusion::inside = false;
            const std::size_t now = exclusion::faults_so_far() - faults_;
            exclusion::faults += now;
            exclusion::most_faults = std::max(exclusion::most_faults, now);
        }

      private:
        std::unique_lock<std::shared_mutex> lock_;
        std::size_t faults_;
    };

  public:
    [[nodiscard]] section exclusive() { return section(*this); }
};
}  // namespace detail
VICINAL_NAMESPACE_END

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/sanitized.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {
#if defined(__GLIBC__)
// Each array gets pages of its own, so that none was met when it belonged to another.
[[maybe_unused]] const int own_pages = mallopt(M_MMAP_THRESHOLD, 1 << 14);
#endif
void* take(std::size_t size, std::size_t alignment) {
    if (exclusion::inside) ++exclusion::allocations;
    const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    if (void* p = std::aligned_alloc(alignment, whole)) return p;
    throw std::bad_alloc();
}
void give(void* p) noexcept {
    if (exclusion::inside && p != nullptr) ++exclusion::releases;
    std::free(p);
}
}  // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // both sides are replaced here, which it does not see
#endif
void* operator new(std::size_t size) { return take(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return take(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t align) { return take(size, static_cast<std::size_t>(align)); }
void* operator new[](std::size_t size, std::align_val_t align) { return take(size, static_cast<std::size_t>(align)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* p) noexcept { give(p); }
void operator delete[](void* p) noexcept { give(p); }
void operator delete(void* p, std::size_t) noexcept { give(p); }
void operator delete[](void* p, std::size_t) noexcept { give(p); }
void operator delete(void* p, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { give(p); }

namespace {

using namespace vicinal_test;

/// What happened while readers were out, since forget().
void require_brief(const char* call) {
    [[maybe_unused]] constexpr std::size_t few = 8;
    INFO(call << ": " << exclusion::sections << " times alone, " << exclusion::allocations << " allocations and "
              << exclusion::releases << " releases there, " << exclusion::faults << " pages met for the first time, "
              << exclusion::most_faults << " at once");
    CHECK(exclusion::sections > 0);
    CHECK(exclusion::allocations == 0);
    CHECK(exclusion::releases == 0);
#if !defined(VICINAL_TEST_SANITIZED)  // their shadows are pages, too
    CHECK(exclusion::faults <= few);
#endif
    exclusion::forget();
}

struct at_the_end {};

/// An index from its first row to its last, by calls of all kinds.
/// steps  how often, at least, a batch taken back lets readers in more than one added
template <class Index>
void live_and_watch(Index index, std::size_t first, std::size_t batch, std::size_t one_by_one, std::size_t steps) {
    const std::size_t dim = index.dim();
    const dataset rows = gaussian(first + batch + one_by_one, dim);
    const auto ids = numbered<std::uint64_t>(rows.rows());
    exclusion::forget();
    REQUIRE(index.add(std::span(ids).first(first), rows.view(0, first)) == first);
    require_brief("the first batch");
    for (std::size_t i = first; i < first + one_by_one; ++i) index.add(ids[i], rows[i]);
    require_brief("single rows");

    const auto fail_at_the_end = [&](std::size_t done, std::size_t total) {
        if (done == total) throw at_the_end();
    };
    const auto others = std::span(ids).subspan(first + one_by_one);
    REQUIRE_THROWS_AS(index.add(others, rows.view(first + one_by_one, batch), {.progress = fail_at_the_end}),
                      at_the_end);
    const std::size_t there_and_back = exclusion::sections;
    require_brief("a batch taken back");

    REQUIRE(index.add(others, rows.view(first + one_by_one, batch)) == batch);
    CHECK(there_and_back >= exclusion::sections + steps);
    require_brief("a batch");
    for (std::size_t i = 0; i < one_by_one; ++i) index.update(ids[i], rows[one_by_one - i]);
    require_brief("updates");

    if constexpr (requires { index.reorder(); }) {
        index.reorder();
        CHECK(exclusion::sections == 1);
        require_brief("another order of the rows");
    }

    std::vector<std::byte> bytes;
    index.save(bytes);
    Index loaded = Index::load(std::span<const std::byte>(bytes));
    exclusion::forget();
    loaded.update(ids[0], rows[5]);
    require_brief("the first change after a load");
    for (std::size_t i = 0; i < rows.rows(); ++i) REQUIRE(loaded.remove(ids[i * 7919 % rows.rows()]));
    require_brief("removals of all rows");
    REQUIRE(loaded.size() == 0);
}

}  // namespace

TEST_CASE("exclusion: flat does bounded work while readers are out") {
    live_and_watch(vicinal::flat_index<>(8), 1000, 100003, 30000, 97);
    live_and_watch(vicinal::flat_index<vicinal::l2, vicinal::two_level<vicinal::sq8, vicinal::f32>>(8), 1000, 20003,
                   300, 19);
}

TEST_CASE("exclusion: ivf does bounded work while readers are out") {
    live_and_watch(vicinal::ivf_index<vicinal::l2, vicinal::two_level<vicinal::sq8, vicinal::f32>>(4, {.lists = 3}),
                   1000, 50003, 20000, 48);
}

TEST_CASE("exclusion: hnsw does bounded work while readers are out") {
    live_and_watch(vicinal::hnsw_index<>(3, {.degree = 3, .ef_construction = 4}), 300, 5003, 4000, 3 * 19);
}
