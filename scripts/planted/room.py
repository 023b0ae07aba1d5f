# SPDX-License-Identifier: MIT
"""Room that is reserved for rows to come, and what is given back of that of rows that are gone."""
STORAGE, COMMON = "storage/", "index/common/"
GROUPS = {"room": ["index/room_test.cpp"], "pages": ["storage/chunked_rows_test.cpp"]}
BUGS = [
    ("room that was reserved goes with the rows", "room", STORAGE + "id_map.hpp",
     "return (std::max)(kept_, high_water_after(extra));", "return high_water_after(extra);"),
    ("more rows than can be are room for none", "room", COMMON + "reserving.hpp", "if (rows > max_slots)", "if (false)"),
    ("memory refused is not said to be", "room", COMMON + "reserving.hpp", "} catch (const std::bad_alloc&) {", "} catch (const error&) {"),
    ("reserved room stays for ever", "room", COMMON + "reserving.hpp", "    index.directory.keep_room(0);\n", ""),
    ("counts go with the buffers", "room", COMMON + "reserving.hpp", "        buffers.done = done;\n", ""),
    ("a loaded index is shrunk as if it owned its rows", "room", COMMON + "reserving.hpp", "    const auto writing = index.locks.writer();",
     "    const auto writing = lock_for_writing(index);"),
    ("links to come get no room", "room", "index/hnsw/graph/room.hpp", "make_room_with_links(index, extra); });", "make_room(index, extra); });"),
    ("links of higher levels lose their room", "room", "index/hnsw/graph/graph.hpp", "if (rows <= rows_) at_once", "at_once"),
    ("codes to come have no room once codecs learn", "room", COMMON + "learning.hpp", "recoded_->reserve(of_.directory.rows_to_hold(ids_.size()));",
     "recoded_->reserve(of_.directory.high_water_after(ids_.size()));"),
    ("retired rows stay when a graph is shrunk", "room", "index/hnsw/changes.hpp", "        finish_sweep(index);\n", ""),
    ("lists to come get no room", "room", "index/ivf/changes.hpp", "make_room_with_lists(index, extra); });", "make_room(index, extra); });"),
    ("lists are not shrunk", "room", "index/ivf/changes.hpp", "shrink_list(index, l);", "static_cast<void>(l);"),
    ("a long list keeps the memory of rows that are gone", "room", "index/ivf/lists/lists.hpp", "touched(own) >= wanted + wanted / 4", "false"),
    ("a list's room goes with a row of it", "room", "index/ivf/lists/room.hpp",
     "const bool keeps_room = index.directory.room_kept() > index.directory.live();", "const bool keeps_room = false;"),
    ("a view owns its file", "room", STORAGE + "file_backing.hpp", "return viewed_ ? 0 : bytes_;", "return bytes_;"),
    ("pages of removed rows stay", "room", STORAGE + "chunked_rows.hpp", "discard(rows + rows / 6);", "static_cast<void>(0);"),
    ("pages of rows in use go", "pages", STORAGE + "chunked_rows.hpp", "(std::max)(rows, segment_begin(touched_ - 1))", "segment_begin(touched_ - 1)"),
    ("a page that holds a row in use goes", "pages", STORAGE + "chunked_rows.hpp", "const auto first = round_up(reinterpret_cast<std::uintptr_t>(begin), page_bytes);",
     "const auto first = reinterpret_cast<std::uintptr_t>(begin) / page_bytes * page_bytes;"),
    ("pages that are gone still count", "pages", STORAGE + "chunked_rows.hpp", "            touched_ = first;\n", "            return;\n"),
    ("pages go with each row", "pages", STORAGE + "chunked_rows.hpp", "if (touched_ > rows + rows / 3 + small_segment / stride_) discard(rows + rows / 6);", "discard(rows);"),
    ("exact rows to learn from are not foretold", "room", COMMON + "observers.hpp", "if (rows < learning_rows(index.dim)) {  // kept", "if (false) {  // kept"),
    ("upper links are not foretold", "room", "index/hnsw/graph/graph.hpp", "of(base_, rows) + of(upper_, upper)", "of(base_, rows)"),
    ("codes in lists are foretold twice", "room", "index/ivf/check.hpp", "estimate_memory_of_rows(index, rows, 0)", "estimate_memory_of_rows(index, rows, rows)"),
]
