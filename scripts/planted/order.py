# SPDX-License-Identifier: MIT
"""Rows of a graph that are put in another order, and those that a full beam turns away."""
GRAPH = "index/hnsw/graph/"
GROUPS = {"order": ["index/hnsw_reorder_test.cpp"]}
BUGS = [
    ("a row as close as the last of a full beam is turned away", "choosing", GRAPH + "walk.hpp", "left += distance > limit ? 0 : 1;",
     "left += distance >= limit ? 0 : 1;"),
    ("a beam that is not full turns rows away", "choosing", GRAPH + "walk.hpp", "if (walk_.pool.full()) drop_far();", "drop_far();"),
    ("rows stay in the order in which they came", "order", GRAPH + "row_order.hpp", "!is_placed(link)) return link;", "false) return link;"),
    ("a stream goes on by numbers of before", "order", "index/hnsw/stream.hpp",
     "        if (index_.times_reordered != times_reordered_) begin(scorer, stats.now);\n", ""),
    ("a stream that begins again has rows of before", "order", "index/hnsw/stream.hpp", "        window_.clear();\n", ""),
    ("gaps that were closed are used", "order", GRAPH + "reordering.hpp", "    index.directory.close_gaps();\n", ""),
    ("rows end where they did", "order", GRAPH + "reordering.hpp", "index_.directory.lower_high_water(order_.rows.size());", ""),
    ("ids stay with numbers", "order", "storage/id_map.hpp", "if (slot != no_slot) slot = numbers[slot];", "static_cast<void>(numbers);"),
    ("codes stay with numbers", "order", GRAPH + "duplicates.hpp", "if (slot != no_slot) slot = numbers[slot];", "static_cast<void>(numbers);"),
    ("duplicates stay with numbers", "order", GRAPH + "duplicates.hpp", "number(nodes_[rows[i]])", "nodes_[rows[i]]"),
    ("removed rows are forgotten", "order", GRAPH + "reordering.hpp", "retired_.add(static_cast<slot_t>(i));", "continue;"),
    ("the entry keeps its number", "order", GRAPH + "reordering.hpp", "order_.number(from.entry())", "from.entry()"),
    ("parents keep their numbers", "order", GRAPH + "reordering.hpp", "order_.number(from.parent(order_.rows[i]))", "from.parent(order_.rows[i])"),
    ("an order has no room for rows to come", "order", GRAPH + "reordering.hpp",
     "(std::max)(index.directory.room_kept(), order_.rows.size())", "order_.rows.size()"),
]
