# SPDX-License-Identifier: MIT
# Bugs of batches whose queries have filters of their own.
GROUPS = {"own_filters": ["index/filter_of_test.cpp"]}
BUGS = [
    ("every task begins with the filter of the first query", "own_filters", "index/common/batch.hpp", "some.filter_of = params.filter_of.from(first);", ""),
    ("a run of queries has the filters of others", "own_filters", "index/common/batch.hpp", "filters.subspan(first, n));", "filters.first(n));"),
    ("a filter stays for the next query", "own_filters", "index/common/batch.hpp", "            own.filter = {};\n            together(", "            together("),
    ("collectors share the first filter", "own_filters", "index/common/batch.hpp", "return own_.empty() ? all_ : own_[query];", "return own_.empty() ? all_ : own_[0];"),
    ("the filter of all is forgotten", "own_filters", "index/common/own_filters.hpp", "if (!all) return use(own);", "return use(own);"),
    ("the filter of a query is forgotten", "own_filters", "index/common/own_filters.hpp", "one ? id_filter<Id>(pairs.back()) : all", "all"),
    ("rows of one list of two are admitted", "own_filters", "filter/id_filter.hpp", "if (of.second(id)) f(id);", "f(id);"),
    ("a single search passes over filters of queries", "own_filters", "index/common/own_filters.hpp", "if (params.filter_of)\n", "if (false)\n"),
    ("what makes a filter is let go at once", "own_filters", "filter/query_filters.hpp", "kept.reserve(count);", ""),
    ("few lists asked for are all that are looked into", "own_filters", "index/ivf/batch.hpp", "params.nprobe != 0 && !params.filter && !own_filters;", "params.nprobe != 0;"),
    ("alone, too", "own_filters", "index/ivf/search.hpp", "(params.nprobe != 0 && !params.filter) || collector", "params.nprobe != 0 || collector"),
    ("queries with filters are searched for one by one", "own_filters", "index/flat/search.hpp", "return !filter || (filter.excludes() &&", "return false && (filter.excludes() &&"),
]
