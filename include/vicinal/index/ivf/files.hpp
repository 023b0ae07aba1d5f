// SPDX-License-Identifier: MIT
// An inverted file's parts in a file: IVF_ (lists asked for, seed, lists trained, and 1 if codes are relative to
// centroids), LGRO (while they are learned anew, from how many rows they were), CENT (centroids), CDRV (what the codec
// derives from them, if so), LOFF (where each list begins), LSLT and COD0 (rows and codes, list after list), and what
// every index of rows has.
#pragma once

#include <algorithm>    // for min
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for make_shared
#include <span>         // for span
#include <string>       // for to_string
#include <type_traits>  // for remove_cvref_t
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/index/common/files.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/places.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Rows are numbered anew, in order; the order inside each list stays.
template <class State, class Parts>
void write_lists(const State& index, Parts& out, const std::vector<slot_t>& slots) {
    auto row_of = std::make_shared<std::vector<std::uint32_t>>(index.directory.high_water());
    for (std::size_t row = 0; row < slots.size(); ++row) (*row_of)[slots[row]] = static_cast<std::uint32_t>(row);
    const ivf_lists& lists = index.lists;
    out.template stream<std::uint64_t>("LOFF", lists.size() + 1, [&lists](const auto& sink) {
        std::uint64_t end = 0;
        sink(std::span<const std::uint64_t>(&end, 1));
        for (std::size_t l = 0; l < lists.size(); ++l) {
            end += lists[l].size;
            sink(std::span<const std::uint64_t>(&end, 1));
        }
    });
    out.template stream<std::uint32_t>("LSLT", slots.size(), [&lists, row_of](const auto& sink) {
        std::vector<std::uint32_t> renumbered;
        for (std::size_t l = 0; l < lists.size(); ++l) {
            const ivf_rows list = lists[l];
            renumbered.resize(list.size);
            for (std::size_t i = 0; i < list.size; ++i) renumbered[i] = (*row_of)[list.slots[i]];
            sink(std::span<const std::uint32_t>(renumbered));
        }
    });
    using word = typename State::coarse_word;
    const std::size_t words = lists.stride() / sizeof(word);
    out.template stream<word>("COD0", slots.size() * words, [&lists, words](const auto& sink) {
        for (std::size_t l = 0; l < lists.size(); ++l)
            sink(std::span<const word>(reinterpret_cast<const word*>(lists[l].codes), lists[l].size * words));
    });
}

/// Lists whose number was left open are learned anew, from as many rows as make that number, unless a call of train
/// decided: a file then says that so many were asked for. Where a number was asked for, LGRO says that they are.
template <class State, class Parts>
void write_history(const State& index, Parts& out) {
    const list_history& history = index.learner.lists;
    const std::size_t lists = index.lists.size();
    const std::uint64_t numbers[] = {history.decided ? lists : index.asked.lists, index.asked.seed, lists, 1};
    out.numbers("IVF_", std::span(numbers).first(index.centroids.derived().empty() ? 3 : 4));
    if (const std::uint64_t rows = history.learned_at; index.asked.lists != 0 && lists != 0 && !history.decided)
        out.numbers("LGRO", std::span(&rows, 1));
}
/// What a file says of how its lists were learned.
template <class Parts>
[[nodiscard]] list_history read_history(const Parts& in, std::size_t asked, std::size_t trained) {
    list_history history;
    if (in.has("LGRO"))
        history.learned_at = static_cast<std::size_t>(
            std::min<std::uint64_t>(in.template elements<std::uint64_t>("LGRO", 1)[0], max_slots));
    else if (asked == 0)
        history.learned_at = fewest_rows_for(trained);
    else
        history.decided = trained != 0;
    if (asked != 0 && trained != 0 && (trained > asked || (trained != asked && !in.has("LGRO"))))
        in.fail(std::to_string(trained) + " lists are trained, " + std::to_string(asked) + " were asked for");
    return history;
}

template <class State, class Parts>
void write_parts(const State& index, Parts& out) {
    write_history(index, out);
    const std::span<const float> derived = index.centroids.derived();
    const matrix_view<const float> centroids = index.centroids.matrix();
    out.template stream<float>("CENT", centroids.rows() * centroids.dim(), [centroids](const auto& sink) {
        sink(std::span<const float>(centroids.data(), centroids.rows() * centroids.dim()));
    });
    if (!derived.empty())
        out.template stream<float>("CDRV", derived.size(), [derived](const auto& sink) { sink(derived); });
    const auto slots = std::make_shared<const std::vector<slot_t>>(slots_in_use(index));
    write_ids(index, out, slots);
    write_lists(index, out, *slots);
    write_learned(out, index.rows.coarse().coder(), 0);
    if constexpr (State::two_levels) write_store(out, index.rows.fine(), slots, 1);
}

/// What a file says about its lists.
struct file_lists {
    std::span<const float> centroids;
    std::span<const float> derived;  // nothing if codes are not relative to centroids
    std::span<const std::uint64_t> offsets;
    std::span<const slot_t> slots;
    const std::byte* codes;
};

/// Everything whose size is that of the lists, checked.
template <class State, class Parts>
[[nodiscard]] file_lists read_lists(State& index, const Parts& in, std::size_t n) {
    bool about_centroids = false;
    if constexpr (State::centered) about_centroids = in.has("CDRV");
    const auto numbers = in.template elements<std::uint64_t>("IVF_", about_centroids ? 4 : 3);
    const std::uint64_t trained = numbers[2];
    if (about_centroids && (numbers[3] != 1 || trained == 0))
        in.fail("its lists have no centroids for codes to be about");
    if (numbers[0] > max_lists || trained > max_lists)
        in.fail(std::to_string(trained) + " lists are trained, " + std::to_string(numbers[0]) + " were asked for");
    index.asked = {static_cast<std::size_t>(numbers[0]), numbers[1]};
    index.learner.lists = read_history(in, index.asked.lists, static_cast<std::size_t>(trained));
    file_lists lists;
    lists.centroids = in.template elements<float>("CENT", trained * index.dim);
    if constexpr (State::centered)
        if (about_centroids)
            lists.derived = in.template elements<float>("CDRV", trained * index.rows.coarse().coder().derived_size());
    lists.offsets = in.template elements<std::uint64_t>("LOFF", trained + 1);
    for (std::size_t l = 0; l < trained; ++l)
        if (lists.offsets[l] > lists.offsets[l + 1]) in.fail("list " + std::to_string(l) + " ends before it begins");
    if (lists.offsets.front() != 0 || lists.offsets.back() != n)
        in.fail("its lists hold rows " + std::to_string(lists.offsets.front()) + " to " +
                std::to_string(lists.offsets.back()) + ", it has " + std::to_string(n));
    lists.slots = in.template elements<slot_t>("LSLT", n);
    using word = typename State::coarse_word;
    const std::size_t words = index.lists.stride() / sizeof(word);
    lists.codes =
        reinterpret_cast<const std::byte*>(in.template elements<word>("COD0", std::uint64_t{n} * words).data());
    return lists;
}

/// Refuses what was not derived from the centroids.
template <class State, class Parts>
void require_derived(const State& index, const Parts& in, const file_lists& from) {
    if constexpr (State::centered) {
        const auto& coder = index.rows.coarse().coder();
        const std::size_t dim = index.dim;
        std::vector<float> derived(coder.derived_size());
        for (std::size_t c = 0; c * derived.size() < from.derived.size(); ++c) {
            coder.derive(from.centroids.subspan(c * dim, dim), derived);
            for (std::size_t i = 0; i < derived.size(); ++i)
                if (detail::bit_cast<std::uint32_t>(derived[i]) !=
                    detail::bit_cast<std::uint32_t>(from.derived[c * derived.size() + i]))
                    in.fail("what was derived from centroid " + std::to_string(c) + " does not belong to it");
        }
    }
}

/// Checks every row of what `read_lists` found.
template <class State, class Parts>
void require_lists_sound(const State& index, const Parts& in, const file_lists& from) {
    const std::size_t dim = index.dim;
    for (std::size_t c = 0; c * dim < from.centroids.size(); ++c)
        if (!admissible(sum_of_squares(from.centroids.subspan(c * dim, dim))))
            in.fail("centroid " + std::to_string(c) + " is not finite, or its sum of squares exceeds FLT_MAX/8");
    require_derived(index, in, from);
    std::vector<bool> listed(from.slots.size());
    std::vector<float> decoded(dim);
    for (std::size_t l = 0; l + 1 < from.offsets.size(); ++l) {
        const auto end = static_cast<std::size_t>(from.offsets[l + 1]);
        for (auto i = static_cast<std::size_t>(from.offsets[l]); i < end; ++i) {
            const slot_t slot = from.slots[i];
            if (slot >= listed.size()) in.fail("list " + std::to_string(l) + " names row " + std::to_string(slot));
            if (listed[slot]) in.fail("row " + std::to_string(slot) + " stands in two lists, or twice in one");
            listed[slot] = true;
            const std::byte* const code = from.codes + i * index.lists.stride();
            check_code(in, index.rows.coarse(), code, slot, decoded,
                       [&](std::span<const std::byte>) { decode_coarse(index, l, code, decoded); });
        }
    }
}

/// Before the first change after a load.
template <class State>
void detach_from_file(State& index) {
    auto centroids = index.centroids.owned();
    auto lists = index.lists.owned();
    auto places = places_in_lists(index);
    copy_from_file(
        index,
        [&](const auto& copy) {
            if constexpr (State::two_levels) copy(index.rows.fine().rows(), index.directory.high_water());
        },
        [&] {
            index.centroids = std::move(centroids);
            index.lists = std::move(lists);
            index.places = std::move(places);
        });
}

template <class State>
[[nodiscard]] bool codecs_trained(const State& index) {
    bool any = false;
    index.rows.for_each_store([&](const auto& codes) {
        if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>)
            any = any || codes.coder().trained();
    });
    return any;
}

/// Takes an index back, where it lies. If in.validate(), every row is checked, else nothing is looked at that grows
/// with the rows.
template <class State, class Parts>
void read_parts(State& index, const Parts& in) {
    const std::size_t n = read_ids(index, in);
    if (index.directory.retired() != 0) in.fail("an inverted file has no retired rows");
    const file_lists lists = read_lists(index, in, n);
    const bool trained = lists.offsets.size() > 1;
    read_learned(in, index.rows.coarse().coder(), 0, trained);
    if constexpr (State::two_levels) read_store(in, index.rows.fine(), n, 1);
    if (!trained && codecs_trained(index)) in.fail("its codec is trained, its lists are not");
    if (trained && needs_training(index.rows)) in.fail("its lists are trained, its codec is not");
    index.centroids = ivf_centroids::at(lists.centroids, index.dim);
    index.centroids.derived_at(lists.derived);
    index.lists.borrow(lists.codes, lists.slots.data(), lists.offsets);
    if (in.validate()) require_lists_sound(index, in, lists);
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
