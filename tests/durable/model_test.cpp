// SPDX-License-Identifier: MIT
// Random calls, with the directory opened again at random: what it holds is what a model holds, and the index is, byte
// by byte, the one that was.
#include "durable/support.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::durable;

template <class Index>
Index empty_index() {
    if constexpr (requires { Index(dim, vicinal::hnsw_params{}); })
        return Index(dim, {.degree = 4, .ef_construction = 20});
    else
        return Index(dim);
}

/// Makes one change at random in both.
template <class Index>
void change_at_random(durable<Index>& d, model& held, numbers& random, bool removals) {
    const auto key = [&] { return static_cast<id>(random.below(120)); };
    const auto fresh = [&] {
        id free = key();
        while (held.contains(free)) ++free;
        return free;
    };
    const std::vector<float> vector = vector_of(random.bits());
    const auto many = gaussian(1 + random.below(9), dim, random.bits());
    std::vector<id> ids(many.rows());
    const std::size_t kind = removals ? random.below(9) : random.below(2);
    if (kind == 0) {
        const id to = fresh();
        d.add(to, vector, {.payload = bytes_of("a")});
        held[to] = vector;
    } else if (kind == 1) {
        id next = 1000;
        while (held.contains(next)) ++next;
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = next + i;
        REQUIRE(d.add(ids, many.view(), {.threads = 2}) == ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) held[ids[i]] = {many[i].begin(), many[i].end()};
    } else if (kind == 2) {
        const id to = key();
        REQUIRE(d.upsert(to, vector) == !held.contains(to));
        held[to] = vector;
    } else if (kind == 3) {
        const id first = key();
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = first + i;
        d.upsert(ids, many.view());
        for (std::size_t i = 0; i < ids.size(); ++i) held[ids[i]] = {many[i].begin(), many[i].end()};
    } else if (kind == 4 && !held.empty()) {
        d.update(held.begin()->first, vector);
        held.begin()->second = vector;
    } else if (kind == 5 && random.below(30) == 0) {
        d.clear();
        held.clear();
    } else if (kind <= 6) {
        for (id& each : ids) each = key();
        std::size_t gone = 0;
        for (const id each : ids) gone += held.erase(each);
        REQUIRE(d.remove(ids) == gone);
    } else {
        const id from = key();
        REQUIRE(d.remove(from) == (held.erase(from) != 0));
    }
}

/// The bytes of an index without what its file says of the directory.
template <class Index>
std::vector<std::byte> bytes_without_note(const Index& index) {
    return saved(index.clone());
}

/// Makes changes, opens the directory now and then, and demands the index that was, to the byte.
template <class Index>
void live(std::uint64_t seed, vicinal::durable_options<id> options, bool removals, bool checkpoints) {
    const quick_directory folder;
    numbers random(seed);
    model held;
    options.checkpoint_ratio = 0;
    auto d = durable<Index>::open(folder / "d", empty_index<Index>, options);
    std::uint64_t changes = 0;
    for (int i = 0; i < 250; ++i) {
        const auto before = d.last_sequence();
        change_at_random(d, held, random, removals);
        changes += d.last_sequence() - before;
        REQUIRE(d.last_sequence() - before <= 1);
        if (checkpoints && random.below(40) == 0) d.checkpoint();
        if (random.below(25) != 0) continue;
        INFO("seed " << seed << ", change " << i);
        const auto wanted = bytes_without_note(d.index());
        d.close();
        d = durable<Index>::open(folder / "d", options);
        REQUIRE(equals(d.index(), held));
        REQUIRE(d.last_sequence() == changes);
        REQUIRE(d->check().ok());
        REQUIRE(bytes_without_note(d.index()) == wanted);
    }
}

}  // namespace

TEST_CASE("durable model: a flat index that is opened again is the one that was") {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        live<vicinal::flat_index<>>(seed, {}, true, true);
        live<vicinal::flat_index<>>(seed, {.checkpoint_in_memory = false, .threads = 2}, true, true);
    }
}

TEST_CASE("durable model: an ivf index that is opened again is the one that was") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) live<vicinal::ivf_index<>>(seed, {.threads = 2}, true, true);
}

TEST_CASE("durable model: a graph that is opened again is the one that was, link by link") {
    using graph = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        live<graph>(seed, {.threads = 2}, true, false);                                // replayed from the beginning
        live<graph>(seed, {.threads = 2}, false, true);                                // rows only come
        live<graph>(seed, {.reorder_at_checkpoint = true, .threads = 2}, true, true);  // all that there is
    }
}
