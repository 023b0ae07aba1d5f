// SPDX-License-Identifier: MIT
// The strings of a column: each has a list of the rows that have it.
#pragma once

#include <algorithm>    // for find_if, sort, unique
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <functional>   // for less
#include <map>          // for map
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for exchange, move
#include <vector>       // for vector

#include "vicinal/attributes/number.hpp"
#include "vicinal/attributes/row_words.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The strings of rows, one a row or any number. Lists are in no order, so that a row leaves one in O(1): the last row
/// takes its place, and each row knows its places.
class labels {
  public:
    /// Where a row stands: in the list of string `code`, at `at`.
    struct place {
        std::uint32_t code = none;
        std::uint32_t at = 0;
    };
    static constexpr std::uint32_t none = 0xFFFFFFFFU;

    explicit labels(bool many) : many_(many) {}
    labels(labels&&) noexcept = default;
    labels& operator=(labels&&) noexcept = default;
    ~labels() = default;

    void resize(std::size_t rows) {
        if (many_)
            of_many_.resize(rows);
        else
            of_one_.resize(rows);
    }
    [[nodiscard]] std::span<const place> of(std::size_t row) const noexcept {
        if (many_) return of_many_[row];
        return {&of_one_[row], of_one_[row].code == none ? std::size_t{0} : 1};
    }
    [[nodiscard]] const std::string& text(std::uint32_t code) const noexcept { return *names_[code]; }

    /// Finds the codes of these strings, gives new ones to those that are new, and makes room for one more row of each.
    /// `forget_unused` must follow, also if it throws.
    void prepare(std::span<const std::string> strings, std::vector<place>& places) {
        places.reserve(strings.size());
        for (const std::string& string : strings) {
            const std::uint32_t code = code_of(string);
            places.push_back({code, 0});
            auto& rows = rows_[code];
            if (rows.size() == rows.capacity()) rows.reserve(2 * rows.size() + 1);
        }
        std::sort(places.begin(), places.end(), [](const place& a, const place& b) { return a.code < b.code; });
        const auto same = [](const place& a, const place& b) { return a.code == b.code; };
        places.erase(std::unique(places.begin(), places.end(), same), places.end());
    }
    /// Gives `row` the strings of prepared places. Afterwards `places` holds what it had.
    void put(std::uint32_t row, std::vector<place>& places) noexcept {
        for (const place& old : of(row)) leave(row, old);
        for (place& each : places) {
            each.at = static_cast<std::uint32_t>(rows_[each.code].size());
            rows_[each.code].push_back(row);  // there is room
        }
        if (many_) {
            of_many_[row].swap(places);
        } else {
            const place old = std::exchange(of_one_[row], places.empty() ? place{} : places.front());
            if (old.code != none) forget_if_unused(old.code);
            return;
        }
        forget_unused(places);
    }
    /// Drops strings that no row has.
    void forget_unused(std::span<const place> places) noexcept {
        for (const place& each : places) forget_if_unused(each.code);
    }

    /// Sets the rows that have one of these strings, or one that is below (and so on) the first.
    void select(comparison op, std::span<const std::string> strings, row_words& rows) const {
        if (op == comparison::equal) {
            for (const std::string& string : strings)
                if (const auto found = codes_.find(string); found != codes_.end()) select(found->second, rows);
            return;
        }
        const bool below = op == comparison::less || op == comparison::less_equal;
        const bool upper = op == comparison::less_equal || op == comparison::greater;
        const auto border = upper ? codes_.upper_bound(strings[0]) : codes_.lower_bound(strings[0]);
        for (auto at = below ? codes_.begin() : border; at != (below ? border : codes_.end()); ++at)
            select(at->second, rows);
    }
    /// How many rows have `string`.
    [[nodiscard]] std::size_t count(std::string_view string) const noexcept {
        const auto found = codes_.find(string);
        return found == codes_.end() ? 0 : rows_[found->second].size();
    }
    [[nodiscard]] std::size_t distinct() const noexcept { return codes_.size(); }

  private:
    using table = std::map<std::string, std::uint32_t, std::less<>>;

    void select(std::uint32_t code, row_words& rows) const noexcept {
        for (const std::uint32_t row : rows_[code]) rows[row / 64] |= std::uint64_t{1} << row % 64;
    }
    [[nodiscard]] std::uint32_t code_of(const std::string& string) {
        if (const auto found = codes_.find(string); found != codes_.end()) return found->second;
        if (free_.empty()) {
            if (names_.size() == names_.capacity()) names_.reserve(2 * names_.size() + 16);
            free_.reserve(names_.capacity());
            rows_.emplace_back();
            free_.push_back(static_cast<std::uint32_t>(names_.size()));
            names_.push_back(nullptr);
        }
        const std::uint32_t code = free_.back();
        names_[code] = &codes_.emplace(string, code).first->first;
        free_.pop_back();
        return code;
    }
    void forget_if_unused(std::uint32_t code) noexcept {
        if (!rows_[code].empty() || names_[code] == nullptr) return;
        codes_.erase(codes_.find(*names_[code]));
        names_[code] = nullptr;
        free_.push_back(code);  // there is room for all codes
    }
    /// Takes a row out of the list of one of its strings.
    void leave(std::uint32_t row, const place& from) noexcept {
        auto& rows = rows_[from.code];
        const std::uint32_t last = rows.back();
        rows[from.at] = last;
        rows.pop_back();
        if (last == row) return;
        place* const begin = many_ ? of_many_[last].data() : &of_one_[last];
        place* moved = begin;
        while (moved->code != from.code) ++moved;
        moved->at = from.at;
    }

    bool many_;
    table codes_;
    std::vector<const std::string*> names_;         // by code; null of codes that are free
    std::vector<std::vector<std::uint32_t>> rows_;  // by code
    std::vector<std::uint32_t> free_;               // codes; as much room as there are codes
    std::vector<place> of_one_;                     // by row
    std::vector<std::vector<place>> of_many_;       // by row
};

}  // namespace detail

VICINAL_NAMESPACE_END
