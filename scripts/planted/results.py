# SPDX-License-Identifier: MIT
# Bugs of what is done with lists of results.
GROUPS = {"results": ["index/results_test.cpp"]}
BUGS = [
    ("an id of two lists counts twice", "results", "results.hpp", "    all.erase(std::unique(all.begin(), all.end(), same_id), all.end());\n", "    static_cast<void>(same_id);\n"),
    ("a repeated id keeps any of its distances", "results", "results.hpp", "return a.id != b.id ? a.id < b.id : a.distance < b.distance;", "return a.id < b.id;"),
    ("no number is merged", "results", "results.hpp", "has_finite_bits(hit.distance) || hit.distance == infinite()", "true || hit.distance == infinite()"),
    ("ranks begin at 0", "results", "results.hpp", "static_cast<double>(place) + 1;", "static_cast<double>(place);"),
    ("an id counts as often as its list has it", "results", "results.hpp", "else if (all[i].list != all[i - 1].list)", "else"),
    ("ties of scores are in any order", "results", "results.hpp", "(a.score == b.score && a.id < b.id)", "(a.score == b.score && a.id > b.id)"),
    ("one weight serves all lists", "results", "results.hpp", "return weights.empty() ? 1 : weights[list];", "return weights.empty() ? 1 : weights[list * 0];"),
    ("an infinite distance makes scores no numbers", "results", "results.hpp", "return double{std::clamp(distance, -most, most)};", "return double{distance + 0 * most};"),
    ("the last chosen alone decides what differs", "results", "results.hpp", "closest_chosen[i] = (std::min)(closest_chosen[i], between[i]);", "closest_chosen[i] = between[i];"),
    ("rows that are gone are chosen", "results", "results.hpp", "out[i] = to_query[i] == detail::infinite();", "out[i] = false;"),
]
