// SPDX-License-Identifier: MIT
// What streams keep of their own because they outlive the call that made them: the filter's answers, the ids given.
#pragma once

#include <cstddef>        // for size_t
#include <unordered_set>  // for unordered_set
#include <vector>         // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/storage/id_map.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What a filter said of each row that was live when it was asked. The caller's filter, and what that refers to, need
/// not live longer than the call, so a set is copied and a predicate is asked about every row at once. It costs a
/// call a row, a bit a row and an id for each row admitted.
template <class Id>
class filter_answers {
  public:
    /// While reading. It throws what the filter throws.
    void ask(const id_map<Id>& directory, const id_filter<Id>& filter) {
        filtered_ = static_cast<bool>(filter);
        if (!filtered_) return;
        if (filter.lists()) {
            std::vector<Id> listed;
            listed.reserve(filter.size());
            filter.for_each([&](Id id) { listed.push_back(id); });
            set_ = id_set<Id>(listed);
            excludes_ = filter.excludes();
            by_id_ = true;
            return;
        }
        rows_.resize(directory.high_water());
        directory.for_each_live([&](slot_t slot) {
            if (!filter(directory.id(slot))) return;
            rows_[slot] = true;
            ids_.push_back(directory.id(slot));
        });
    }
    /// Whether a row that holds `id` now may be given. Ids that came after a predicate was asked may not.
    /// changed  whether the index may have been changed since: rows may then hold other ids
    [[nodiscard]] bool admits(slot_t slot, Id id, bool changed) {
        if (!filtered_) return true;
        if (changed && !by_id_) {
            set_ = id_set<Id>(ids_);
            by_id_ = true;
            rows_ = {};
            ids_ = {};
        }
        return by_id_ ? set_.contains(id) != excludes_ : rows_[slot];
    }

  private:
    bool filtered_ = false;
    bool by_id_ = false;
    bool excludes_ = false;  ///< set_ holds those that are not admitted
    std::vector<bool> rows_;
    std::vector<Id> ids_;
    id_set<Id> set_;
};

/// The ids a stream gave. A row that is updated, or removed and added again, may take another place, where the stream
/// would find it a second time.
template <class Id>
class ids_given {
  public:
    /// Notes an id; false if it was noted before.
    /// changed  whether the index may have been changed since the stream began: before that no id comes twice
    [[nodiscard]] bool note(Id id, bool changed) {
        if (!changed) {
            noted_.push_back(id);
            return true;
        }
        known_.insert(noted_.begin(), noted_.end());
        noted_ = {};
        return known_.insert(id).second;
    }

  private:
    struct hash {
        [[nodiscard]] std::size_t operator()(Id id) const noexcept { return static_cast<std::size_t>(mix_id(id)); }
    };
    std::vector<Id> noted_;
    std::unordered_set<Id, hash> known_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
