// SPDX-License-Identifier: MIT
// The parts of a file that every index of rows has: IDS_, STAT, LIVE, and for each store its codes and what its codec
// learned.
#pragma once

#include <algorithm>    // for min
#include <array>        // for array
#include <bit>          // for has_single_bit
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <memory>       // for shared_ptr
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <type_traits>  // for conditional_t, remove_cvref_t
#include <utility>      // for move, pair
#include <vector>       // for vector

#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/common/observers.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The unsigned integer a codec's bytes are made of: what a big-endian machine swaps. Codecs say so by `word_size`.
template <class Codec>
struct code_word_of {
    static constexpr std::size_t size = [] {
        if constexpr (multibyte_codec<Codec>)
            return std::size_t{Codec::word_size};
        else
            return std::size_t{1};
    }();
    static_assert(size == 1 || size == 2 || size == 4, "vicinal: a codec's word_size must be 1, 2 or 4");
    using type =
        std::conditional_t<size == 4, std::uint32_t, std::conditional_t<size == 2, std::uint16_t, std::uint8_t>>;
};
template <class Codec>
using code_word = typename code_word_of<Codec>::type;

/// The rows in use, in order: row i of a file is slots_in_use(index)[i].
template <class State>
[[nodiscard]] std::vector<slot_t> slots_in_use(const State& index) {
    std::vector<slot_t> slots;
    slots.reserve(stored_rows(index));
    for (std::size_t i = 0; i < index.directory.high_water(); ++i)
        if (index.directory.state(static_cast<slot_t>(i)) != row_state::free) slots.push_back(static_cast<slot_t>(i));
    return slots;
}

// ---- writing -------------------------------------------------------------------------------------------------------

/// Gives `sink` of(slot) for each slot, many at a time.
template <class T, class Sink, class Of>
void write_each(const std::vector<slot_t>& slots, const Sink& sink, Of of) {
    std::array<T, 1024> buffer;
    for (std::size_t first = 0; first < slots.size(); first += buffer.size()) {
        const std::size_t n = (std::min)(buffer.size(), slots.size() - first);
        for (std::size_t i = 0; i < n; ++i) buffer[i] = of(slots[first + i]);
        sink(std::span<const T>(buffer.data(), n));
    }
}
/// Calls f(first, count) for the longest runs of consecutive rows that lie in one piece of memory.
template <class F>
void for_each_run(const std::vector<slot_t>& slots, F&& f) {
    const auto follows = [&](std::size_t i) {  // segments begin at powers of two
        return slots[i] == slots[i - 1] + 1 && !std::has_single_bit(slots[i]);
    };
    for (std::size_t i = 0, end = 0; i < slots.size(); i = end) {
        for (end = i + 1; end < slots.size() && follows(end);) ++end;
        f(slots[i], end - i);
    }
}
template <class State, class Parts>
void write_ids(const State& index, Parts& out, std::shared_ptr<const std::vector<slot_t>> slots) {
    using id_type = typename State::id_type;
    const auto& directory = index.directory;
    const std::size_t n = slots->size();
    const std::uint64_t live = directory.live();
    out.numbers("LIVE", std::span(&live, 1));
    out.template stream<id_type>("IDS_", n, [&directory, slots](const auto& sink) {
        write_each<id_type>(*slots, sink, [&directory](slot_t slot) {
            return directory.is_live(slot) ? directory.id(slot) : id_type{};  // a retired row's id means nothing
        });
    });
    out.template stream<std::uint8_t>("STAT", n, [&directory, slots](const auto& sink) {
        write_each<std::uint8_t>(
            *slots, sink, [&directory](slot_t slot) { return static_cast<std::uint8_t>(directory.state(slot)); });
    });
}
template <class Parts, class Codec>
void write_learned(Parts& out, const Codec& coder, std::size_t which) {
    if constexpr (trainable_codec<Codec>)
        out.bytes(which == 0 ? "LRN0" : "LRN1", coder.trained() ? coder.state() : std::vector<std::byte>());
}
/// The parts of one store, the `which`-th: COD0 and LRN0, or COD1 and LRN1.
template <class Parts, class Codec>
void write_store(Parts& out, const code_store<Codec>& codes, std::shared_ptr<const std::vector<slot_t>> slots,
                 std::size_t which) {
    using word = code_word<Codec>;
    const std::size_t words = codes.rows().stride() / sizeof(word);
    out.template stream<word>(
        which == 0 ? "COD0" : "COD1", slots->size() * words, [&codes, slots, words](const auto& sink) {
            for_each_run(*slots, [&](slot_t first, std::size_t count) {
                sink(std::span<const word>(reinterpret_cast<const word*>(codes.rows()[first]), count * words));
            });
        });
    write_learned(out, codes.coder(), which);
}
/// Names the parts every index of rows has.
template <class State, class Parts>
void write_rows(const State& index, Parts& out, std::shared_ptr<const std::vector<slot_t>> slots) {
    write_ids(index, out, slots);
    std::size_t which = 0;
    index.rows.for_each_store([&](const auto& codes) { write_store(out, codes, slots, which++); });
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// Checks that the ids and states of `n` rows go together, `live` of them being live, and that no id comes twice.
template <class State, class Parts>
void require_ids(State& index, const Parts& in, std::span<const typename State::id_type> ids,
                 std::span<const std::uint8_t> states, std::uint64_t live) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (states[i] == static_cast<std::uint8_t>(row_state::live))
            ++found;
        else if (states[i] != static_cast<std::uint8_t>(row_state::retired) || ids[i] != typename State::id_type{})
            in.fail("row " + std::to_string(i) + " has state " + std::to_string(states[i]) + " and id " +
                    text_of(ids[i]) + ", which do not go together");
    }
    if (found != live) in.fail(std::to_string(found) + " of its rows are live, it says " + std::to_string(live));
    if (!index.directory.build_table(in.bytes())) in.fail("two of its rows have the same id");
}
/// Returns how many rows there are.
template <class State, class Parts>
[[nodiscard]] std::size_t read_ids(State& index, const Parts& in) {
    if (in.rows() > max_slots)
        in.fail("it has " + std::to_string(in.rows()) + " rows, at most " + std::to_string(max_slots) +
                " are possible");
    const auto n = static_cast<std::size_t>(in.rows());
    const auto live = in.template elements<std::uint64_t>("LIVE", 1)[0];
    const auto ids = in.template elements<typename State::id_type>("IDS_", n);
    const auto states = in.template elements<std::uint8_t>("STAT", n);
    if (live > n) in.fail(std::to_string(live) + " of its " + std::to_string(n) + " rows are said to be live");
    index.directory.borrow(reinterpret_cast<const std::byte*>(ids.data()),
                           reinterpret_cast<const std::byte*>(states.data()), n, static_cast<std::size_t>(live));
    if (in.validate()) require_ids(index, in, ids, states, live);
    return n;
}
/// required  whether the codec must have learned something
template <class Parts, class Codec>
void read_learned(const Parts& in, Codec& coder, std::size_t which, [[maybe_unused]] bool required) {
    if constexpr (trainable_codec<Codec>) {
        const auto bytes = in.template elements<std::byte>(which == 0 ? "LRN0" : "LRN1");
        if ((required || !bytes.empty()) && !coder.restore(bytes))
            in.fail("what codec " + std::string(std::string_view(Codec::name)) + " learned is not a state of it");
    }
}
/// Refuses a code of row `i` that no admitted vector has. decode(code) decodes into `decoded`.
template <class Parts, class Codec, class Decode>
void check_code(const Parts& in, const code_store<Codec>& codes, const std::byte* code, std::size_t i,
                const std::vector<float>& decoded, const Decode& decode) {
    for (std::size_t b = codes.rows().row_bytes(); b < codes.rows().stride(); ++b)
        if (code[b] != std::byte{0}) in.fail("the padding of row " + std::to_string(i) + " is not zero");
    const std::span<const std::byte> used(code, codes.rows().row_bytes());
    if constexpr (checked_codec<Codec>)
        if (!codes.coder().well_formed(used)) in.fail("row " + std::to_string(i) + " is no code of its codec");
    if constexpr (total_codec<Codec>) return;
    decode(used);
    if (!admissible_when_decoded(sum_of_squares(decoded)))
        in.fail("the vector of row " + std::to_string(i) + " is not finite, or its sum of squares exceeds FLT_MAX/5");
}
template <class Parts, class Codec>
void read_store(const Parts& in, code_store<Codec>& codes, std::size_t n, std::size_t which) {
    using word = code_word<Codec>;
    read_learned(in, codes.coder(), which, n != 0);
    const std::size_t words = codes.rows().stride() / sizeof(word);
    const auto source = in.template elements<word>(which == 0 ? "COD0" : "COD1", std::uint64_t{n} * words);
    codes.rows().borrow(reinterpret_cast<const std::byte*>(source.data()));
    if (!in.validate()) return;
    std::vector<float> decoded(codes.dim());
    for (std::size_t i = 0; i < n; ++i)
        check_code(in, codes, reinterpret_cast<const std::byte*>(source.data() + i * words), i, decoded,
                   [&](std::span<const std::byte> code) { codes.coder().decode(code, decoded); });
}
/// Takes the parts back, where they lie. If in.validate(), every row is checked, else nothing is looked at that grows
/// with the rows.
template <class State, class Parts>
void read_rows(State& index, const Parts& in) {
    const std::size_t n = read_ids(index, in);
    std::size_t which = 0;
    index.rows.for_each_store([&](auto& codes) { read_store(in, codes, n, which++); });
}

// ---- leaving a file ------------------------------------------------------------------------------------------------

/// Copies the arrays of a loaded index into memory that can grow, and leaves the file. Strong guarantee.
/// for_each_array(f)  names to f(rows, count) the arrays of the index besides the directory's
/// place()            puts the rest in place, with readers out; must not throw
template <class State, class ForEach, class Place>
void copy_from_file(State& index, const ForEach& for_each_array, const Place& place) {
    std::vector<std::pair<chunked_rows*, chunked_rows>> copies;
    const auto copy = [&](chunked_rows& array, std::size_t count) { copies.emplace_back(&array, array.owned(count)); };
    index.directory.for_each_array(copy);
    for_each_array(copy);
    // What was in use goes when readers are in again: to give a file's memory back takes as long as it is large.
    std::shared_ptr<const void> left;
    const auto exclusive = index.locks.exclusive();
    for (auto& [array, own] : copies) *array = std::move(own);
    place();
    left = index.backing.leave();
}

}  // namespace detail

VICINAL_NAMESPACE_END
