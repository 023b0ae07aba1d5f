# SPDX-License-Identifier: MIT
# Copies of one vector in graphs, near-copies, and the tree over the rows.
GROUPS = {"copies": ["index/hnsw_duplicates_test.cpp"], "choosing": ["index/hnsw_algorithms_test.cpp"],
          "reused_places": ["index/hnsw_places_test.cpp"]}
BUGS = [
    ("duplicates are rows of the graph", "copies", "index/hnsw/graph/upcoming_rows.hpp", "if (node == slot)", "if (node != no_slot)"),
    ("a search delivers one of many copies", "copies", "index/hnsw/graph/duplicates.hpp",
     "walk_.for_each(node, [&](slot_t slot) { collector_.push(slot, distance); });", "collector_.push(node, distance);"),
    ("a filter is asked about the row in the graph", "copies", "index/hnsw/graph/filtered.hpp",
     "const auto of_any = of_duplicates(index, selector);", "const auto& of_any = selector;"),
    ("a copy does not get the row it takes over", "copies", "storage/id_map.hpp", "        ids_[leaving] = id;\n", ""),
    ("a batch taken back leaves its copies", "copies", "index/hnsw/graph/take_back.hpp",
     "index.duplicates.detach_first(index.duplicates.node_of(slot));  // the last", ";  // the last"),
    ("a removed row is still known by its codes", "copies", "index/hnsw/graph/removal.hpp", "        index.known.erase(leaving);\n", ""),
    ("a copy becomes the entry", "reused_places", "index/hnsw/graph/removal.hpp", "return !index.duplicates.is_duplicate(slot);", "return slot != no_slot;"),
    ("lists lead out of a damaged file", "copies", "index/hnsw/graph/duplicates.hpp", "duplicate < rows_ && left_ != 0;",
     "duplicate != no_slot && left_ != 0;"),
    ("defects of lists are not counted", "copies", "index/hnsw/graph/inspector.hpp", "report_.misplaced += duplicates_.defects;", ""),
    ("false copies are let in", "copies", "index/hnsw/files.hpp", "if (false_duplicates(index.duplicates, index.known, n) != 0)", "if (false)"),
    ("features are not compared", "copies", "io/index_io.hpp", "(image.header().incompat & duplicates_apart) != state->file_features()", "false"),
    ("a stream hands copies out as they lie", "copies", "index/hnsw/stream.hpp",
     "[](const tied& a, const tied& b) { return a.id > b.id; }", "[](const tied&, const tied&) { return false; }"),
    ("a stream hands out an id that it meets again", "reused_places", "index/hnsw/stream.hpp",
     "                if (!given_.note(index_.directory.id(slot), changed_)) continue;\n", ""),
    ("all children go the same way", "copies", "index/hnsw/graph/tree.hpp", "way % graph.children(above)", "way * 0"),
    ("a search stays in a crowd", "copies", "index/hnsw/graph/near_duplicates.hpp", "return 4 * wide > pool.size() / run ? -1 : 4 * spread;",
     "return -1;"),
    ("near-duplicates rule out what lies beyond", "choosing", "index/hnsw/graph/near_duplicates.hpp", "margin = 1e-5F", "margin = 0"),
]
