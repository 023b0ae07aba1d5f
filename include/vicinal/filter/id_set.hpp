// SPDX-License-Identifier: MIT
// An id_set is a compressed bitmap of ids, with the algebra of sets.
#pragma once

#include <algorithm>         // for lower_bound, sort, unique, is_sorted
#include <concepts>          // for convertible_to, same_as
#include <cstddef>           // for ptrdiff_t, size_t
#include <cstdint>           // for uint16_t, uint32_t, uint64_t
#include <initializer_list>  // for initializer_list
#include <iterator>          // for forward_iterator_tag
#include <ranges>            // for input_range
#include <type_traits>       // for remove_cvref_t
#include <utility>           // for move, swap
#include <vector>            // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/filter/id_block.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Numbers whose order is that of the ids: unsigned, with 64 bits or, of wider ids, 128.
template <class Id>
struct id_keys {
    using type = std::uint64_t;
};
#if defined(VICINAL_HAS_INT128)
template <class Id>
requires is_wide_integer<Id>
struct id_keys<Id> {
    using type = uint128;
};
#endif
template <class Id>
using id_key = typename id_keys<Id>::type;

template <class Id>
inline constexpr id_key<Id> sign_bit = is_signed_id<Id> ? id_key<Id>{1} << (8 * sizeof(id_key<Id>) - 1) : id_key<Id>{0};

template <class Id>
[[nodiscard]] constexpr id_key<Id> key_of(Id id) noexcept {
    return static_cast<id_key<Id>>(static_cast<typename integer_of<Id>::type>(id)) ^ sign_bit<Id>;
}
template <class Id>
[[nodiscard]] constexpr Id id_of_key(id_key<Id> key) noexcept {
    return static_cast<Id>(static_cast<typename integer_of<Id>::type>(key ^ sign_bit<Id>));
}

}  // namespace detail

/// A set of ids, as a compressed bitmap: 2 bytes an id where ids are sparse, a bit for each number in between where
/// they are dense, 4 bytes for a range. A search that filters by it knows how many rows it admits, and so whether to
/// measure just these.
///
/// contains takes the logarithm of size() / 65536 steps, and a few more; the algebra takes time linear in the bytes of
/// both sets. Any number of threads may read a set that none changes. Every change has the strong guarantee.
template <identifier Id>
class id_set {
    using key_type = detail::id_key<Id>;

  public:
    using value_type = Id;

    id_set() = default;
    id_set(const id_set&) = default;
    id_set(id_set&& from) noexcept { swap(from); }  // `from` is then empty
    id_set& operator=(const id_set& from) { return *this = id_set(from); }
    id_set& operator=(id_set&& from) noexcept {
        id_set taken(std::move(from));
        swap(taken);
        return *this;
    }
    ~id_set() = default;
    id_set(std::initializer_list<Id> ids) { assign(ids); }
    /// Any range of ids, in any order; repeated ones count once. Ascending ones take O(n), others are sorted.
    template <std::ranges::input_range R>
    requires(std::convertible_to<std::ranges::range_reference_t<R>, Id> &&
             !std::same_as<std::remove_cvref_t<R>, id_set>) explicit id_set(R&& ids) {
        assign(ids);
    }
    /// All ids from `first` to `last`, both included; none if last < first. It takes memory for each 65536 of them that
    /// the range goes through.
    /// throws  error{capacity} if these are more than 2^24; a predicate, which needs none, is then the filter to write
    [[nodiscard]] static id_set range(Id first, Id last) {
        id_set set;
        if (last < first) return set;
        const key_type from = detail::key_of(first), to = detail::key_of(last);
        if ((to >> 16) - (from >> 16) >= most_blocks_of_range)
            detail::fail(errc::capacity,
                         "id_set::range: more than 2^40 ids are more than memory should hold; pass a "
                         "predicate that compares ids instead");
        for (key_type high = from >> 16;; ++high) {
            const bool begins = high == from >> 16, ends = high == to >> 16;
            set.highs_.push_back(high);
            set.blocks_.push_back(
                detail::id_block::range(begins ? low(from) : std::uint16_t{0}, ends ? low(to) : std::uint16_t{65535}));
            set.size_ += set.blocks_.back().size();
            if (ends) return set;
        }
    }

    [[nodiscard]] bool contains(Id id) const noexcept {
        const key_type key = detail::key_of(id);
        const std::size_t at = place(key >> 16);
        return at < highs_.size() && highs_[at] == key >> 16 && blocks_[at].contains(low(key));
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Bytes of memory it owns.
    [[nodiscard]] std::size_t memory() const noexcept {
        std::size_t bytes = highs_.capacity() * sizeof(key_type) + blocks_.capacity() * sizeof(detail::id_block);
        for (const auto& block : blocks_) bytes += block.memory();
        return bytes;
    }

    /// Puts an id in; returns whether it was not there. O(1) where it follows the others in order, else up to the time
    /// of moving 4096 ids, and 16 bytes for each 65536 numbers above it that have ids.
    bool insert(Id id) {
        const key_type key = detail::key_of(id);
        const std::size_t at = place(key >> 16);
        if (at == highs_.size() || highs_[at] != key >> 16) {
            detail::id_block block;
            block.insert(low(key));
            insert_block(at, key >> 16, std::move(block));
            ++size_;
            return true;
        }
        const bool fresh = blocks_[at].insert(low(key));
        size_ += fresh ? 1U : 0U;
        return fresh;
    }
    /// Takes an id out; returns whether it was there.
    bool erase(Id id) {
        const key_type key = detail::key_of(id);
        const std::size_t at = place(key >> 16);
        if (at == highs_.size() || highs_[at] != key >> 16 || !blocks_[at].erase(low(key))) return false;
        --size_;
        if (blocks_[at].size() == 0) {
            highs_.erase(highs_.begin() + static_cast<std::ptrdiff_t>(at));
            blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at));
        }
        return true;
    }
    void clear() noexcept { *this = id_set(); }
    void swap(id_set& other) noexcept {
        highs_.swap(other.highs_);
        blocks_.swap(other.blocks_);
        std::swap(size_, other.size_);
    }

    /// Calls f(id) for every id, in ascending order. Faster than iterating.
    template <class F>
    void for_each(F&& f) const {
        for (std::size_t b = 0; b < blocks_.size(); ++b)
            blocks_[b].for_each([&](std::uint16_t low) { f(detail::id_of_key<Id>(highs_[b] << 16 | low)); });
    }

    /// Passes over the ids in ascending order. A change of the set ends what it may be used for.
    class iterator {
      public:
        using value_type = Id;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;
        using reference = Id;
        using pointer = void;

        iterator() = default;
        iterator(const id_set& set, std::size_t block) noexcept : set_(&set), block_(block) { find(0); }
        [[nodiscard]] Id operator*() const noexcept {
            return detail::id_of_key<Id>(set_->highs_[block_] << 16 | static_cast<std::uint16_t>(low_));
        }
        iterator& operator++() noexcept {
            find(low_ + 1);
            return *this;
        }
        iterator operator++(int) noexcept {
            const iterator before = *this;
            ++*this;
            return before;
        }
        [[nodiscard]] bool operator==(const iterator&) const = default;

      private:
        void find(std::uint32_t from) noexcept {
            for (; block_ < set_->blocks_.size(); ++block_, from = 0) {
                low_ = set_->blocks_[block_].next(from);
                if (low_ < detail::id_block::numbers) return;
            }
            low_ = 0;
        }
        const id_set* set_ = nullptr;
        std::size_t block_ = 0;
        std::uint32_t low_ = 0;
    };
    [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }
    [[nodiscard]] iterator end() const noexcept { return {*this, blocks_.size()}; }

    [[nodiscard]] bool operator==(const id_set&) const = default;
    /// Ids in both sets; in either; in the first and not in the second; in just one of them.
    [[nodiscard]] friend id_set operator&(const id_set& a, const id_set& b) {
        return combined(a, b, detail::set_operation::both);
    }
    [[nodiscard]] friend id_set operator|(const id_set& a, const id_set& b) {
        return combined(a, b, detail::set_operation::either);
    }
    [[nodiscard]] friend id_set operator-(const id_set& a, const id_set& b) {
        return combined(a, b, detail::set_operation::only_first);
    }
    [[nodiscard]] friend id_set operator^(const id_set& a, const id_set& b) {
        return combined(a, b, detail::set_operation::just_one);
    }
    id_set& operator&=(const id_set& other) { return *this = *this & other; }
    id_set& operator|=(const id_set& other) { return *this = *this | other; }
    id_set& operator-=(const id_set& other) { return *this = *this - other; }
    id_set& operator^=(const id_set& other) { return *this = *this ^ other; }

    /// For who reads sets from files: blocks that are not empty, and what their ids have in common, ascending.
    [[nodiscard]] static id_set of_blocks(std::vector<key_type> highs, std::vector<detail::id_block> blocks) {
        id_set set;
        for (const auto& block : blocks) set.size_ += block.size();
        set.highs_ = std::move(highs);
        set.blocks_ = std::move(blocks);
        return set;
    }
    /// For who writes sets to files: each block, and the bits that its ids have in common.
    [[nodiscard]] const std::vector<key_type>& highs() const noexcept { return highs_; }
    [[nodiscard]] const std::vector<detail::id_block>& blocks() const noexcept { return blocks_; }

  private:
    static constexpr key_type most_blocks_of_range = key_type{1} << 24U;
    [[nodiscard]] static std::uint16_t low(key_type key) noexcept { return static_cast<std::uint16_t>(key & 0xFFFFU); }
    [[nodiscard]] std::size_t place(key_type high) const noexcept {
        if (highs_.empty() || highs_.back() < high) return highs_.size();
        if (const key_type from_first = high - highs_.front(); from_first < highs_.size())  // as of ids without gaps
            if (const auto guess = static_cast<std::size_t>(from_first); highs_[guess] == high) return guess;
        return static_cast<std::size_t>(std::lower_bound(highs_.begin(), highs_.end(), high) - highs_.begin());
    }
    void insert_block(std::size_t at, key_type high, detail::id_block block) {
        if (blocks_.size() == blocks_.capacity()) blocks_.reserve(2 * blocks_.size() + 1);  // what follows cannot throw
        highs_.insert(highs_.begin() + static_cast<std::ptrdiff_t>(at), high);
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(at), std::move(block));
    }
    void append(key_type high, detail::id_block block) {
        if (block.size() == 0) return;
        size_ += block.size();
        highs_.push_back(high);
        blocks_.push_back(std::move(block));
    }
    template <class R>
    void assign(R&& ids) {
        std::vector<key_type> keys;
        for (const auto& id : ids) keys.push_back(detail::key_of(static_cast<Id>(id)));
        if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        std::vector<std::uint16_t> lows;
        for (std::size_t i = 0; i < keys.size();) {
            const key_type high = keys[i] >> 16;
            lows.clear();
            for (; i < keys.size() && keys[i] >> 16 == high; ++i) lows.push_back(low(keys[i]));
            append(high, detail::id_block::of(lows));
        }
    }
    [[nodiscard]] static id_set combined(const id_set& a, const id_set& b, detail::set_operation how) {
        const bool wants_a = how != detail::set_operation::both;
        const bool wants_b = how == detail::set_operation::either || how == detail::set_operation::just_one;
        id_set out;
        for (std::size_t i = 0, j = 0; i < a.highs_.size() || j < b.highs_.size();) {
            const bool of_a = j == b.highs_.size() || (i < a.highs_.size() && a.highs_[i] <= b.highs_[j]);
            const bool of_b = i == a.highs_.size() || (j < b.highs_.size() && b.highs_[j] <= a.highs_[i]);
            if (of_a && of_b)
                out.append(a.highs_[i], detail::id_block::combined(a.blocks_[i], b.blocks_[j], how));
            else if (of_a && wants_a)
                out.append(a.highs_[i], a.blocks_[i]);
            else if (of_b && wants_b)
                out.append(b.highs_[j], b.blocks_[j]);
            i += of_a ? 1U : 0U;
            j += of_b ? 1U : 0U;
        }
        return out;
    }

    std::vector<key_type> highs_;
    std::vector<detail::id_block> blocks_;
    std::size_t size_ = 0;
};

/// All ids but those of a set: what `except(set)` and `~set` make. It refers to a set that has a name, which must live
/// as long, and keeps one that has none.
template <identifier Id>
class id_complement {
  public:
    explicit id_complement(const id_set<Id>& set VICINAL_LIFETIMEBOUND) noexcept : refers_(&set) {}
    explicit id_complement(id_set<Id>&& set) noexcept : own_(std::move(set)) {}
    [[nodiscard]] bool contains(Id id) const noexcept { return !excluded().contains(id); }
    /// The ids that are not in it.
    [[nodiscard]] const id_set<Id>& excluded() const noexcept { return refers_ != nullptr ? *refers_ : own_; }

    [[nodiscard]] friend id_set<Id> operator~(const id_complement& a) { return a.excluded(); }
    [[nodiscard]] friend id_set<Id> operator&(const id_set<Id>& a, const id_complement& b) { return a - b.excluded(); }
    [[nodiscard]] friend id_set<Id> operator&(const id_complement& a, const id_set<Id>& b) { return b - a.excluded(); }
    [[nodiscard]] friend id_set<Id> operator-(const id_set<Id>& a, const id_complement& b) { return a & b.excluded(); }
    [[nodiscard]] friend id_complement operator-(const id_complement& a, const id_set<Id>& b) {
        return id_complement(a.excluded() | b);
    }
    [[nodiscard]] friend id_complement operator&(const id_complement& a, const id_complement& b) {
        return id_complement(a.excluded() | b.excluded());
    }
    [[nodiscard]] friend id_complement operator|(const id_complement& a, const id_complement& b) {
        return id_complement(a.excluded() & b.excluded());
    }
    [[nodiscard]] friend id_complement operator|(const id_complement& a, const id_set<Id>& b) {
        return id_complement(a.excluded() - b);
    }
    [[nodiscard]] friend id_complement operator|(const id_set<Id>& a, const id_complement& b) { return b | a; }

  private:
    const id_set<Id>* refers_ = nullptr;
    id_set<Id> own_;
};

/// All ids but those of `set`.
template <identifier Id>
[[nodiscard]] id_complement<Id> except(const id_set<Id>& set VICINAL_LIFETIMEBOUND) noexcept {
    return id_complement<Id>(set);
}
template <identifier Id>
[[nodiscard]] id_complement<Id> except(id_set<Id>&& set) noexcept {
    return id_complement<Id>(std::move(set));
}
template <identifier Id>
[[nodiscard]] id_complement<Id> operator~(const id_set<Id>& set VICINAL_LIFETIMEBOUND) noexcept {
    return id_complement<Id>(set);
}
template <identifier Id>
[[nodiscard]] id_complement<Id> operator~(id_set<Id>&& set) noexcept {
    return id_complement<Id>(std::move(set));
}

VICINAL_NAMESPACE_END
