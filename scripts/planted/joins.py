# SPDX-License-Identifier: MIT
# Bugs of joins: pairs, graphs, groups, tables of ranges.
GROUPS = {"joins": ["index/joins_test.cpp"]}
BUGS = [
    ("a pair is told from both sides", "joins", "joins.hpp", "return !(ids[i] < hit.id);", "return ids[i] == hit.id;"),
    ("a row is a pair with itself", "joins", "joins.hpp", "return !(ids[i] < hit.id);", "return hit.id < ids[i];"),
    ("a join that is stopped goes on", "joins", "joins.hpp", "mine.stop = params.stop;", ""),
    ("statistics count the last rows only", "joins", "joins.hpp", "total += counted[i];", "total = counted[i];"),
    ("progress tells how many were begun before", "joins", "joins.hpp", "params.progress(first + some, count);", "params.progress(first, count);"),
    ("all lists of a table begin at its front", "joins", "joins.hpp", "const std::size_t first = query == 0 ? 0 : ends_[query - 1];", "const std::size_t first = query * 0;"),
    ("a batch of ranges ignores its filter", "joins", "joins.hpp", "typename Index::search_params mine = params.search;", "typename Index::search_params mine = {};"),
    ("a radius that is no number is searched", "joins", "joins.hpp", "has_finite_bits(radius) || radius == infinite()", "true || radius == infinite()"),
    ("neighbors beyond the radius link", "joins", "joins.hpp", "if (!(hit.distance <= radius)) break;", ""),
    ("a radius excludes what is as far", "joins", "joins.hpp", "if (!(hit.distance <= radius)) break;", "if (!(hit.distance < radius)) break;"),
    ("only the first step above is joined", "joins", "joins.hpp", "a = lowest(a);\n        b = lowest(b);\n", ""),
    ("groups are known by any number", "joins", "joins.hpp", "above_[a < b ? b : a] = a < b ? a : b;", "above_[a] = b;"),
]
