# SPDX-License-Identifier: MIT
"""Calls for many rows, and those by id: upsert, bulk remove, get, ids, distances, search_id, clear, clone, merge."""
TYPES = """
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"
std::vector<const vicinal_test::subject*>& vicinal_test::subjects() {
    static std::vector<const subject*> all;
    return all;
}
namespace {
using namespace vicinal_test;
const registered<vicinal::hnsw_index, combination<l2, f32>, combination<cosine, sq8>> graph("hnsw");
const registered<vicinal::ivf_index, combination<l2, sq8_then_f32>> lists("ivf");
const registered<vicinal::flat_index, combination<l2, sq8>> rows("flat");
}
"""
GROUPS = {"calls": ["contract/calls_test.cpp", TYPES]}
BULK = "index/hnsw/graph/bulk_removal.hpp"
BUGS = [
    # ---- many rows leave a graph
    ("rows leave together and keep their children", "calls", BULK, "        consolidator.hand_over_children();\n", ""),
    ("the entry leaves with many others", "calls", BULK,
     "        consolidator.replace_entry([&](slot_t slot) { return !index_.duplicates.is_duplicate(slot); });\n", ""),
    ("a row leaves whose copies stay", "calls", BULK, "return rows > leaving;", "return rows > leaving + 1;"),
    ("a row that left is still known by its codes", "calls", BULK, "            index_.known.erase(slot);\n", ""),
    # ---- rows that arrive
    ("nobody hears that a row arrives elsewhere", "calls", BULK, "if (arrives) moved(spare, slot);", "static_cast<void>(arrives);"),
    ("a row that arrives is found beside the one it replaces", "calls", "storage/id_map.hpp",
     "take_next(id, row_state::arriving);", "take_next(id, row_state::live);"),
    ("rows that arrived stay when an upsert fails", "calls", "index/hnsw/graph/take_back.hpp",
     "            index.directory.retire_arriving(slot);\n", "            static_cast<void>(slot);\n"),
    ("rows that are there as they are given are linked anew", "calls", "index/hnsw/changes.hpp",
     "if (is_as_before(index, ids[i], old, codes.data() + i * bytes)) continue;", ""),
    # ---- flat and ivf
    ("a replaced row stays in its list, too", "calls", "index/ivf/lists/room.hpp",
     "        leave_list(index, slot);\n        join_list(index, slot, list, code);", "        join_list(index, slot, list, code);"),
    ("an upsert replaces no row of a flat index", "calls", "index/flat/changes.hpp",
     "present == no_slot ? index.directory.upcoming(0) : present", "index.directory.upcoming(0)"),
    ("a stop in the end comes too late", "calls", "index/common/writing.hpp",
     "    }\n    throw_if_stopped(params.stop);\n}", "    }\n}"),
    ("a merge replaces rows", "calls", "index/common/batch_checks.hpp", "if (call != \"upsert\")", "if (call == \"add\")"),
    ("cleared lists keep their rows", "calls", "index/ivf/changes.hpp", "std::swap(index.lists, fresh);", ""),
    # ---- questions
    ("distances close up where ids are not there", "calls", "index/common/reads.hpp",
     "lease->keys.push_back(i);", "lease->keys.push_back(lease->keys.size());"),
    ("the same id twice has one distance", "calls", "index/common/reads.hpp", "positions_[next_++]", "positions_[next_]"),
    ("ids come in the order of rows", "calls", "index/common/reads.hpp", "    std::sort(ids.begin(), ids.end());\n", ""),
    ("a stored vector is its own neighbour", "calls", "index/common/calls.hpp", "return hit.id == id;", "return hit.id == id && k > 400;"),
    ("vectors need not fill their room", "calls", "index/common/reads.hpp", " || out.size() % index.dim != 0", ""),
    ("a clone has forgotten what it learned from", "calls", "io/index_io.hpp", "    copy->learner = *std::move(learner);\n", ""),
    # ---- notes and deadlines
    ("a note of a stranger's may be as long as he likes", "calls", "io/index_io.hpp", "if (note.empty() || note.size() > max_note)\n        fail_corrupt", "if (note.empty())\n        fail_corrupt"),
    ("a view writes its note twice", "calls", "io/index_io.hpp", "if (!note.empty() && entry.type == part_type(note_section)) continue;", ""),
    ("a clone has no note", "calls", "io/index_io.hpp", "    copy->note = from.note;\n", ""),
    ("nobody looks at the clock", "calls", "core/time_limit.hpp", "any_(stop.stop_possible() || deadline)", "any_(stop.stop_possible())"),
    ("who has no deadline is late", "calls", "core/time_limit.hpp", "if (!(wait < ", "if (false && !(wait < "),
    ("a batch does not say that it was cut short", "calls", "index/common/batch.hpp", "stats.partial += some.size();", ""),
    ("late queries of a graph are not counted", "calls", "index/hnsw/batch.hpp", "stats.partial += at_once;", ""),
    ("whoever is late and stopped is only late", "calls", "core/time_limit.hpp",
     "        throw_if_stopped(*stop_);\n        if (deadline_ && deadline_.passed()) throw deadline_passed();",
     "        if (deadline_ && deadline_.passed()) throw deadline_passed();\n        throw_if_stopped(*stop_);"),
]
