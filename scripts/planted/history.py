# SPDX-License-Identifier: MIT
"""Costs that grow with what an index once held, work done while readers are out, and levels that a stranger chooses."""
STORAGE = "storage/"
GROUPS = {
    "history": ["living/history_test.cpp"],
    "exclusion": ["living/exclusion_alone_test.cpp"],
    "segments": ["storage/id_map_test.cpp", "storage/chunked_rows_test.cpp"],
    "marks": ["index/hnsw_algorithms_test.cpp"],
}
TAKEN_BACK = """for_each_in_turns(index, ids.size(),
                      [&](std::size_t i) { erase(index, index.directory.find(ids[ids.size() - 1 - i])); });"""
IN_ONE_STEP = """{
        const auto exclusive = index.locks.exclusive();
        for (std::size_t i = ids.size(); i-- > 0;) erase(index, index.directory.find(ids[i]));
    }"""
BUGS = [
    # ---- rows stay dense
    ("the last row's code does not follow its number", "history", "index/flat/changes.hpp",
     "std::copy_n(from, codes.rows().stride(), codes.rows()[slot]);", "static_cast<void>(from);"),
    ("a list calls a row by its old number", "history", "index/ivf/lists/room.hpp", "    index.lists.renumber(index.places[slot], slot);\n", ""),
    ("a row's place is that of its old number", "history", "index/ivf/lists/room.hpp", "    index.places[slot] = index.places[moved];\n", ""),
    ("a row's fine code does not follow it", "history", "index/ivf/lists/room.hpp",
     "    if constexpr (State::two_levels) put_fine(index, slot, index.rows.fine().rows()[moved]);\n", ""),
    ("the table has the last row under its old number", "segments", STORAGE + "id_map.hpp",
     "        table_[place_of(last)] = slot;\n", ""),
    ("the high water stays", "history", "index/flat/changes.hpp",
     "    if (const slot_t moved = index.directory.remove_dense(slot); moved != no_slot)",
     "    index.directory.reserve_free(index.directory.high_water()), index.directory.retire(slot), index.directory.release(slot);\n"
     "    if (const slot_t moved = no_slot; moved != no_slot)"),
    ("a stream knows rows it gave by nothing", "history", "index/ivf/stream.hpp", "seen_.find(id) != no_slot || ", ""),
    ("a stream follows a row whose memory is gone", "history", "index/hnsw/stream.hpp",
     "if (!index_.directory.in_use(node)) return;", ""),
    # ---- memory goes back
    ("segments are never given back", "segments", STORAGE + "chunked_rows.hpp",
     "while (segments_ > 1 && rows <= capacity() / 2) drop_segment();", ""),
    ("a segment goes too early", "segments", STORAGE + "chunked_rows.hpp", "rows <= capacity() / 2) drop", "rows <= capacity() / 2 + 1) drop"),
    ("a segment goes and comes with each row", "segments", STORAGE + "chunked_rows.hpp", "drop_segments(rows + rows / 3)", "drop_segments(rows)"),
    ("the table never shrinks", "segments", STORAGE + "id_map.hpp",
     "at_once ? size >= table_.size() : 4 * size > table_.size()", "true"),
    ("the table goes and comes with each row", "segments", STORAGE + "id_map.hpp",
     "4 * size > table_.size()) return {};", "2 * size > table_.size()) return {};"),
    ("lists never shrink", "history", "index/ivf/lists/lists.hpp",
     "if (own.capacity <= wanted || own.size == 0) return own.capacity > wanted;", "return false;"),
    ("a failed batch keeps its memory", "history", "index/flat/changes.hpp",
     "[ids.size() - 1 - i])); });\n    give_back_rows(index, true);\n", "[ids.size() - 1 - i])); });\n"),
    ("a failed batch of a graph keeps its memory", "history", "index/hnsw/graph/take_back.hpp",
     "    graph.drop_upper();\n    give_back(index, true);\n", "    graph.drop_upper();\n"),
    ("free rows at the end stay", "history", "index/hnsw/graph/room.hpp",
     "if (const std::size_t end = index.directory.used_end(); end < index.directory.high_water())",
     "if (const std::size_t end = index.directory.used_end(); end > index.directory.high_water())"),
    ("memory counts rows to come", "segments", STORAGE + "chunked_rows.hpp", "return memory_of(touched_, segments_);", "return memory_of(capacity(), segments_);"),
    ("to touch a page clears it", "segments", STORAGE + "chunked_rows.hpp", "__atomic_fetch_or(byte", "__atomic_fetch_and(byte"),
    ("a word without free rows still says that it has some", "segments", STORAGE + "slot_set.hpp",
     "if (words_[slot / 64] == 0) summary_", "if (false) summary_"),
    ("the run of free rows at the end begins a word too early", "segments", STORAGE + "slot_set.hpp",
     "if (end % 64 == 0 && words_[word] == ~std::uint64_t{0})", "if (end % 64 == 0 && words_[word] != 0)"),
    ("a walk's marks stay as many as rows ever were", "marks", "index/hnsw/graph/visited_set.hpp", "words_.size() > 8 * words + 4096", "false"),
    # ---- work while readers are out
    ("the larger table is made while readers are out", "exclusion", "index/common/writing.hpp",
     "    auto table = index.directory.prepare_extra(extra);\n",
     "    std::vector<slot_t> table;\n    {\n        const auto exclusive = index.locks.exclusive();\n"
     "        table = index.directory.prepare_extra(extra);\n    }\n"),
    ("the old table goes while readers are out", "exclusion", "index/common/writing.hpp",
     "    index.directory.exchange_table(table);\n", "    index.directory.exchange_table(table);\n    std::vector<slot_t>().swap(table);\n"),
    ("a longer list is made while readers are out", "exclusion", "index/ivf/changes.hpp",
     "    std::vector<made_list> made = lists_with_room(index, std::span(ready.list_of).subspan(first, ids.size()));\n    const auto exclusive = index.locks.exclusive();\n",
     "    const auto exclusive = index.locks.exclusive();\n    std::vector<made_list> made = lists_with_room(index, std::span(ready.list_of).subspan(first, ids.size()));\n"),
    ("the file goes while readers are out", "exclusion", "index/common/files.hpp", "left = index.backing.leave();", "static_cast<void>(index.backing.leave());"),
    ("pages of single rows are met while readers are out", "exclusion", "index/flat/changes.hpp", "    touch_rows(index, 1);\n", ""),
    ("pages of a batch are met while readers are out", "exclusion", "index/flat/changes.hpp", "            touch_rows(index, n);\n", ""),
    ("pages of links are met while readers are out", "exclusion", "index/hnsw/graph/upcoming_rows.hpp", "        of_.graph.touch(rows, upper);\n", ""),
    ("a flat batch is taken back in one step", "exclusion", "index/flat/changes.hpp", TAKEN_BACK, IN_ONE_STEP),
    ("an ivf batch is taken back in one step", "exclusion", "index/ivf/changes.hpp", TAKEN_BACK, IN_ONE_STEP),
    ("a batch is taken out of a graph in one step", "exclusion", "index/hnsw/graph/take_back.hpp", "(std::min)(count, batch_rows)", "count"),
    ("all retired rows are released at once", "marks", "index/hnsw/graph/retired_rows.hpp", "(std::min)(passed_.size(), releases_per_removal)", "passed_.size()"),
    ("the sweep goes where no rows are any more", "marks", "index/hnsw/graph/retired_rows.hpp", "closing_.empty() ? rows : (std::min)(end_, rows)", "closing_.empty() ? rows : end_"),
    ("a round ends before its last rows", "marks", "index/hnsw/graph/retired_rows.hpp", "if (cursor_ >= (std::min)(end_, rows) && passed_.empty())",
     "if (cursor_ + 32 >= (std::min)(end_, rows) && passed_.empty())"),
    # ---- levels
    ("a level comes from the id", "history", "index/hnsw/graph/upcoming_rows.hpp", "draw_level(of_.params.seed, slots_[i])",
     "draw_level(of_.params.seed, static_cast<slot_t>(ids_[i]))"),
]
