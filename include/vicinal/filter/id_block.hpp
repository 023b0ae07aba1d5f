// SPDX-License-Identifier: MIT
// An id_block holds the ids of a set that have all bits but the lowest 16 in common.
#pragma once

#include <algorithm>  // for lower_bound, set_difference, set_intersection, set_symmetric_difference, set_union
#include <bit>        // for countl_zero, countr_zero, popcount
#include <cstddef>    // for size_t
#include <cstdint>    // for uint16_t, uint32_t, uint64_t, uint8_t
#include <iterator>   // for back_inserter
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What two sets are made one by.
enum class set_operation : std::uint8_t { both, either, only_first, just_one };

/// A set of numbers of 16 bits, in the form that takes least memory: an ascending array of few numbers, a bitmap of
/// many, or the first and last number of each run where a range was put in. (The forms are those of Roaring bitmaps:
/// Lemire, Ssi-Yan-Kai, Kaser, "Consistently faster and smaller compressed bitmaps with Roaring", 2016.)
class id_block {
  public:
    static constexpr std::size_t numbers = 65536;
    static constexpr std::size_t word_count = numbers / 64;
    /// An array of so many numbers takes as much memory as a bitmap.
    static constexpr std::size_t most_in_array = numbers / 16;
    enum class form : std::uint8_t { array = 0, bitmap = 1, runs = 2 };

    id_block() = default;
    /// All numbers from `first` to `last`.
    [[nodiscard]] static id_block range(std::uint16_t first, std::uint16_t last) {
        id_block block;
        block.form_ = form::runs;
        block.values_ = {first, last};
        block.size_ = std::uint32_t{last} - first + 1U;
        return block;
    }
    /// Those numbers, which are ascending and distinct.
    [[nodiscard]] static id_block of(std::span<const std::uint16_t> ascending) {
        id_block block;
        block.size_ = static_cast<std::uint32_t>(ascending.size());
        if (ascending.size() <= most_in_array) {
            block.values_.assign(ascending.begin(), ascending.end());
            return block;
        }
        block.form_ = form::bitmap;
        block.words_.resize(word_count, 0);
        for (const std::uint16_t value : ascending) block.words_[value / 64U] |= std::uint64_t{1} << value % 64U;
        return block;
    }
    /// Runs by their first and last numbers, which do not overlap and ascend.
    [[nodiscard]] static id_block of_runs(std::span<const std::uint16_t> ends) {
        id_block block;
        block.form_ = form::runs;
        block.values_.assign(ends.begin(), ends.end());
        for (std::size_t r = 0; r < ends.size(); r += 2) block.size_ += std::uint32_t{ends[r + 1]} - ends[r] + 1U;
        return block;
    }
    /// The numbers whose bits are set in `words`, of which there are word_count.
    [[nodiscard]] static id_block of_words(std::vector<std::uint64_t> words) {
        id_block block;
        for (const std::uint64_t word : words) block.size_ += static_cast<std::uint32_t>(std::popcount(word));
        block.form_ = form::bitmap;
        block.words_ = std::move(words);
        if (block.size_ <= most_in_array) block.make_array();
        return block;
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] form stored_as() const noexcept { return form_; }
    /// The array, or the firsts and lasts of runs.
    [[nodiscard]] std::span<const std::uint16_t> values() const noexcept { return values_; }
    /// The bitmap's words.
    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
    [[nodiscard]] std::size_t memory() const noexcept {
        return values_.capacity() * sizeof(std::uint16_t) + words_.capacity() * sizeof(std::uint64_t);
    }

    [[nodiscard]] bool contains(std::uint16_t value) const noexcept {
        if (form_ == form::bitmap) return (words_[value / 64U] >> value % 64U & 1U) != 0;
        const std::size_t at = first_not_below(value);
        if (at == values_.size()) return false;
        // Between a run's first and last, the next value that is not below is its last.
        return values_[at] == value || (form_ == form::runs && at % 2 == 1);
    }
    /// Puts a number in; returns whether it was not there. Strong guarantee.
    bool insert(std::uint16_t value) {
        if (contains(value)) return false;
        if (form_ == form::runs || (form_ == form::array && size_ == most_in_array)) make_bitmap();
        if (form_ == form::array)
            values_.insert(std::lower_bound(values_.begin(), values_.end(), value), value);
        else
            words_[value / 64U] |= std::uint64_t{1} << value % 64U;
        ++size_;
        return true;
    }
    /// Takes a number out; returns whether it was there. Strong guarantee.
    bool erase(std::uint16_t value) {
        if (!contains(value)) return false;
        if (form_ == form::runs) make_bitmap();
        if (form_ == form::bitmap && size_ <= most_in_array / 2) make_array();  // not at once, lest it go to and fro
        if (form_ == form::array)
            values_.erase(std::lower_bound(values_.begin(), values_.end(), value));
        else
            words_[value / 64U] &= ~(std::uint64_t{1} << value % 64U);
        --size_;
        return true;
    }

    /// Calls f(number) in ascending order.
    template <class F>
    void for_each(F&& f) const {
        if (form_ == form::array) {
            for (const std::uint16_t value : values_) f(value);
        } else if (form_ == form::runs) {
            for (std::size_t r = 0; r < values_.size(); r += 2)
                for (std::uint32_t value = values_[r]; value <= values_[r + 1]; ++value)
                    f(static_cast<std::uint16_t>(value));
        } else {
            for (std::size_t w = 0; w < word_count; ++w)
                for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
                    f(static_cast<std::uint16_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(bits))));
        }
    }
    /// The highest number; 0 if there is none.
    [[nodiscard]] std::uint32_t last() const noexcept {
        if (form_ != form::bitmap) return values_.empty() ? 0 : values_.back();
        for (std::size_t w = word_count; w-- > 0;)
            if (words_[w] != 0)
                return static_cast<std::uint32_t>(w * 64 + 63 - static_cast<std::size_t>(std::countl_zero(words_[w])));
        return 0;
    }
    /// The lowest number from `from` on; `numbers` if there is none.
    [[nodiscard]] std::uint32_t next(std::uint32_t from) const noexcept {
        if (from >= numbers) return numbers;
        if (form_ != form::bitmap) {
            const auto at = std::lower_bound(values_.begin(), values_.end(), from);
            if (at == values_.end()) return numbers;
            return form_ == form::runs && (at - values_.begin()) % 2 == 1 ? from : *at;
        }
        std::size_t w = from / 64;
        std::uint64_t bits = words_[w] >> from % 64 << from % 64;
        while (bits == 0)
            if (++w == word_count)
                return numbers;
            else
                bits = words_[w];
        return static_cast<std::uint32_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
    }

    [[nodiscard]] bool operator==(const id_block& other) const {
        if (size_ != other.size_) return false;
        if (form_ == other.form_) return values_ == other.values_ && words_ == other.words_;
        bool equal = true;
        for_each([&](std::uint16_t value) { equal = equal && other.contains(value); });
        return equal;
    }

    [[nodiscard]] static id_block combined(const id_block& a, const id_block& b, set_operation how) {
        const bool shrinks = how == set_operation::both || how == set_operation::only_first;
        if (shrinks && a.form_ == form::array && b.form_ != form::array) return kept(a, b, how == set_operation::both);
        if (how == set_operation::both && b.form_ == form::array && a.form_ != form::array) return kept(b, a, true);
        if (a.form_ == form::array && b.form_ == form::array) return of_arrays(a.values_, b.values_, how);
        return of_bitmaps(a, b, how);
    }

  private:
    /// The place of the first value that is not below `value`, by a binary search without branches that depend on it.
    [[nodiscard]] std::size_t first_not_below(std::uint16_t value) const noexcept {
        const std::uint16_t* low = values_.data();
        std::size_t count = values_.size();
        while (count > 1) {
            const std::size_t half = count / 2;
            low += half & (std::size_t{0} - static_cast<std::size_t>(low[half - 1] < value));
            count -= half;
        }
        const auto at = static_cast<std::size_t>(low - values_.data());
        return count == 1 && *low < value ? at + 1 : at;
    }
    /// The numbers of an array that are in `other`, or those that are not.
    [[nodiscard]] static id_block kept(const id_block& array, const id_block& other, bool in) {
        id_block block;
        for (const std::uint16_t value : array.values_)
            if (other.contains(value) == in) block.values_.push_back(value);
        block.size_ = static_cast<std::uint32_t>(block.values_.size());
        return block;
    }
    [[nodiscard]] static id_block of_arrays(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b,
                                            set_operation how) {
        std::vector<std::uint16_t> out;
        out.reserve(how == set_operation::both ? (a.size() < b.size() ? a.size() : b.size()) : a.size() + b.size());
        const auto to = std::back_inserter(out);
        switch (how) {
            case set_operation::both: std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), to); break;
            case set_operation::either: std::set_union(a.begin(), a.end(), b.begin(), b.end(), to); break;
            case set_operation::only_first: std::set_difference(a.begin(), a.end(), b.begin(), b.end(), to); break;
            case set_operation::just_one:
                std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), to);
                break;
        }
        return of(out);
    }
    [[nodiscard]] static id_block of_bitmaps(const id_block& a, const id_block& b, set_operation how) {
        std::vector<std::uint64_t> of_a, of_b, out(word_count);
        const std::uint64_t* const x = a.as_words(of_a);
        const std::uint64_t* const y = b.as_words(of_b);
        switch (how) {
            case set_operation::both:
                for (std::size_t w = 0; w < word_count; ++w) out[w] = x[w] & y[w];
                break;
            case set_operation::either:
                for (std::size_t w = 0; w < word_count; ++w) out[w] = x[w] | y[w];
                break;
            case set_operation::only_first:
                for (std::size_t w = 0; w < word_count; ++w) out[w] = x[w] & ~y[w];
                break;
            case set_operation::just_one:
                for (std::size_t w = 0; w < word_count; ++w) out[w] = x[w] ^ y[w];
                break;
        }
        return of_words(std::move(out));
    }
    /// The words of a bitmap; of another form they are written to `memory`.
    [[nodiscard]] const std::uint64_t* as_words(std::vector<std::uint64_t>& memory) const {
        if (form_ == form::bitmap) return words_.data();
        memory.assign(word_count, 0);
        for_each([&](std::uint16_t value) { memory[value / 64U] |= std::uint64_t{1} << value % 64U; });
        return memory.data();
    }
    void make_bitmap() {
        std::vector<std::uint64_t> words;
        (void)as_words(words);
        words_ = std::move(words);
        values_ = std::vector<std::uint16_t>();  // {} would keep the memory
        form_ = form::bitmap;
    }
    void make_array() {
        std::vector<std::uint16_t> values;
        values.reserve(size_);
        for_each([&](std::uint16_t value) { values.push_back(value); });
        values_ = std::move(values);
        words_ = std::vector<std::uint64_t>();
        form_ = form::array;
    }

    form form_ = form::array;
    std::uint32_t size_ = 0;
    std::vector<std::uint16_t> values_;
    std::vector<std::uint64_t> words_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
