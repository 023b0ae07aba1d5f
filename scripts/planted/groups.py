# SPDX-License-Identifier: MIT
# Bugs of searches for groups.
GROUPS = {"groups": ["index/groups_test.cpp"]}
BUGS = [
    ("groups come as they were found", "groups", "groups.hpp", "for (auto& group : groups_) std::sort(group.hits.begin(), group.hits.end(), closer<Id>);", "std::reverse(groups_.begin(), groups_.end()); return std::move(groups_);"),
    ("a row is taken each time it is found", "groups", "groups.hpp", "!seen_.insert(hit.id).second", "(seen_.insert(hit.id).second, false)"),
    ("further groups than k are wanted", "groups", "groups.hpp", "known == places_.end() ? groups_.size() < k_ :", "known == places_.end() ? groups_.size() <= k_ :"),
    ("full groups are looked for again", "groups", "groups.hpp", "how.filter = wanted;", ""),
    ("the caller's filter is forgotten", "groups", "groups.hpp", "return groups.wants(group(id)) && (!params.search.filter || params.search.filter(id));", "return groups.wants(group(id));"),
    ("groups take one row", "groups", "groups.hpp", "groups_[place].hits.size() == per_group_;", "groups_[place].hits.size() >= 1;"),
    ("one search has to do", "groups", "groups.hpp", "if (hits.size() < count || !any) break;", "break;"),
    ("groups of no rows are asked for", "groups", "groups.hpp", "if (params.per_group == 0)", "if (params.per_group > 1000)"),
]
