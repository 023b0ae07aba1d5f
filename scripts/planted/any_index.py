# SPDX-License-Identifier: MIT
"""any_index: types found by texts and by files, and what calls pass on."""
GROUPS = {"any_index": ["index/any_index_test.cpp"]}
ERASED, LIST = "runtime/erased_index.hpp", "runtime/type_list.hpp"
BUGS = [
    ("an index without a beam takes .ef in silence", "any_index", ERASED, "else if (params.ef != 0)", "else if (false)"),
    ("an index without lists takes .nprobe in silence", "any_index", ERASED, "else if (params.nprobe != 0)", "else if (false)"),
    ("the beam stays as it is by default", "any_index", ERASED, "made.ef = params.ef;", "static_cast<void>(params);"),
    ("as many lists are scanned as by default", "any_index", ERASED, "made.nprobe = params.nprobe;", "static_cast<void>(params);"),
    ("the filter is left behind", "any_index", ERASED, "        made.filter = params.filter;\n", ""),
    ("the stop token is left behind", "any_index", ERASED, "        made.stop = params.stop;\n", ""),
    ("the deadline is left behind", "any_index", ERASED, "        made.deadline = params.deadline;\n", ""),
    ("the executor is left behind", "any_index", ERASED, "        made.executor = params.executor;\n", ""),
    ("the seed of a flat index is passed over", "any_index", ERASED,
     "if constexpr (kind == index_kind::flat) refuse(", "if constexpr (false) refuse("),
    ("an index of another type is merged as if it were of this", "any_index", ERASED,
     "return key == key_of<Index>() ? &index_ : nullptr;", "return key == nullptr ? nullptr : &index_;"),
    ("a text is refused one character too early", "any_index", LIST,
     "parts.push_back({std::move(part), first + 1});", "parts.push_back({std::move(part), first});"),
    ("capitals are other letters", "any_index", LIST, "c >= 'A' && c <= 'Z' ?", "c > 'Z' && c < 'A' ?"),
    ("a text of the first parts of a type is another type", "any_index", LIST,
     "if (n == parts.size()) return type;", "if (n == 3) return type;"),
    ("ids of another width are overlooked", "any_index", LIST, "found.id_bits == asked.id_bits && ", ""),
    ("a view is a copy", "any_index", LIST, "index_access::view<Index>(", "index_access::load<Index>("),
]
