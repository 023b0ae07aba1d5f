// SPDX-License-Identifier: MIT
// What the files of promises have in common: an index with rows in it, and the loop over all index types.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "contract/any_index.hpp"

namespace vicinal_test {

using vicinal::errc;

/// Runs the rest of the test case once for each index type.
#define FOR_EVERY_INDEX(variable)                                       \
    const subject& variable = *GENERATE(from_range(sorted_subjects())); \
    INFO("in " << variable.name())

inline std::vector<const subject*> sorted_subjects() {
    std::vector<const subject*> sorted = subjects();
    std::sort(sorted.begin(), sorted.end(), [](const subject* a, const subject* b) { return a->name() < b->name(); });
    sorted.erase(std::unique(sorted.begin(), sorted.end(),
                             [](const subject* a, const subject* b) { return a->name() == b->name(); }),
                 sorted.end());
    REQUIRE(sorted.size() >= 2);
    return sorted;
}

/// What the index holds under these ids, decoded.
inline vectors_t held_by(const any_index& index, std::span<const std::uint64_t> ids) {
    vectors_t held;
    for (const std::uint64_t id : ids) held.emplace(id, index.get(id));
    return held;
}

/// Says whether the metric makes zeros and ones of what it is given.
inline bool is_binary(const subject& s) { return s.metric == "hamming" || s.metric == "jaccard"; }

/// Says whether the codec stores whole numbers, to which given_rows rounds what tests add.
inline bool stores_whole(const subject& s) { return s.codec == "i8" || s.codec == "u8"; }

/// How far the kernels' components may be from those of `held`: nothing, or a rounding of the codec's largest number.
inline double wobble_of(const subject& s, const vectors_t& held) {
    if (!s.decodes) return 0;
    double largest = 0;
    for (const auto& [id, row] : held)
        for (const float x : row) largest = std::max(largest, std::abs(double{x}));
    return 4 * 0x1p-24 * largest;
}
inline expectation expect(const subject& s, const vectors_t& held) {
    return {s.metric, wobble_of(s, held), held, s.metric == "cosine" && (s.codec == "eighths" || stores_whole(s))};
}

/// An index of `of`, the rows given to it, and what it made of them.
struct filled {
    filled(const subject& of, dataset given, std::uint64_t first_id = 100)
        : rows(std::move(given)), ids(numbered<std::uint64_t>(rows.rows(), first_id, 3)), index(of.make(rows.dim)) {
        REQUIRE(index->add(ids, rows.view()) == rows.rows());
        held = held_by(*index, ids);
    }
    [[nodiscard]] expectation expect(const subject& of) const { return vicinal_test::expect(of, held); }

    dataset rows;
    std::vector<std::uint64_t> ids;
    index_ptr index;
    vectors_t held;
};

/// A comparison of files that says where they differ instead of printing them.
inline std::string difference(const bytes_t& a, const bytes_t& b) {
    if (a.size() != b.size()) return std::to_string(a.size()) + " bytes, not " + std::to_string(b.size());
    std::size_t count = 0;
    std::size_t first = 0;
    for (std::size_t i = a.size(); i-- > 0;)
        if (a[i] != b[i]) {
            ++count;
            first = i;
        }
    return count == 0 ? "none" : std::to_string(count) + " bytes, the first at " + std::to_string(first);
}

inline asking exhaustive() {
    asking how;
    how.everything = true;
    return how;
}

/// The error a call throws: its code, and that its message holds all of `parts`.
template <class Call>
void require_refusal(errc code, const std::vector<std::string>& parts, Call&& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        INFO("it says: " << e.what());
        REQUIRE(vicinal::to_string(e.code()) == vicinal::to_string(code));
        for (const std::string& part : parts) REQUIRE_THAT(std::string(e.what()), contains(part));
        return;
    }
    FAIL("nothing was thrown, " << vicinal::to_string(code) << " was expected");
}

}  // namespace vicinal_test
