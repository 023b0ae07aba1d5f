# SPDX-License-Identifier: MIT
"""What a durable index writes, syncs, reads again and refuses."""
GROUPS = {
    "log": ["durable/log_test.cpp"],
    "journal": ["durable/journal_test.cpp"],
    "disk": ["durable/disk_test.cpp"],
    "power": ["durable/power_test.cpp"],
    "followers": ["durable/follower_test.cpp"],
    "commits": ["durable/threads_test.cpp"],
    "replay": ["durable/model_test.cpp"],
}
READER, WRITER, JOURNAL = "durable/log_reader.hpp", "durable/log_writer.hpp", "durable/journal.hpp"
REPLAY, RECOVERY, FOLLOWER = "durable/replay.hpp", "durable/recovery.hpp", "durable/follower.hpp"
BUGS = [
    # ---- reading
    ("a record's checksum is not compared", "log", READER,
     "crc32c(header_.crc, std::span<const std::byte>(out.bytes).subspan(4)) != head.crc", "false"),
    ("records of any segment are taken", "log", "durable/log_format.hpp",
     "store_le(&record[0], crc32c(header_crc, record.subspan(4)));", "store_le(&record[0], crc32c(header_crc ^ 1, record.subspan(4)));"),
    ("damage is cut as if it were a torn end", "log", REPLAY, "if (reader->was_durable()) fail_damaged(*reader);", ""),
    ("a torn end is refused as damage", "log", READER, "head.synced < wanted ||", ""),
    ("a torn end is left", "log", RECOVERY, "if (replay.torn().bytes != 0) cut_torn_end", "if (false) cut_torn_end"),
    ("a gap between segments is passed over", "log", REPLAY, "if (segment.sequence != sequence_ + 1) fail_missing_segment();", ""),
    ("segments of anywhere are continued", "log", REPLAY, " || reader->header().previous != identity_", ""),
    ("a missing log is none", "log", REPLAY, "if (reader_ == nullptr) fail_missing_segment();",
     "if (reader_ == nullptr) throw error(errc::io, \"\");"),
    ("an older snapshot is never tried", "log", RECOVERY, "if (e.code() != errc::corrupt_file && e.code() != errc::io) throw;", "throw;"),
    ("a closed log has no mark", "log", WRITER, "if (appended_ >= header_.first) {", "if (false) {"),
    ("a segment that was given up is in the way", "log", REPLAY, "if (segment.sequence <= sequence_ && !has_records(segment)) {", "if (false) {"),
    # ---- writing
    ("a change is acknowledged before it is on the disk", "power", JOURNAL, "        make_durable(sequence);\n", ""),
    ("the log is not synced", "power", WRITER, "        failed = uninterrupted([&] { return Calls::sync_data(file_); });\n        return failed",
     "        return failed"),
    ("a failed sync goes unnoticed", "disk", WRITER, 'return failed != 0 ? failed_call{"sync", failed} : failed_call{};', "return failed_call{};"),
    ("a failed sync is tried again", "disk", WRITER, "            failed_ = failed;\n", ""),
    ("what the disk refused is not cut off", "disk", WRITER, "if (failed.operation != nullptr) cut();", ""),
    ("a short write counts as whole", "disk", "durable/log_calls.hpp", "bytes = bytes.subspan(n);", "bytes = {};"),
    ("bytes in the system's memory are believed", "power", RECOVERY,
     "if (replay.last().doubtful_from() != replay.last().offset())", "if (false)"),
    ("the snapshot comes before its segment", "power", JOURNAL, "mark.segment = end_segment(mark.sequence);", "mark.segment = writer_.header().identity;"),
    ("the old log is removed before the snapshot is there", "power", JOURNAL,
     "        if (options_.checkpoint_in_memory) write_snapshot<Calls>(snapshot_path(directory_, mark.sequence), saved);\n        note_snapshot(mark, bytes);\n",
     "        remove_obsolete<Calls>(list_directory(directory_), mark.sequence);\n        write_snapshot<Calls>(snapshot_path(directory_, mark.sequence), saved);\n"
     "        note_snapshot(mark, bytes);\n"),
    ("a segment that cannot be begun ends the log", "disk", WRITER, "            leave(lock);\n            throw;", "            throw;"),
    # ---- changes
    ("the log has what the index refused", "journal", JOURNAL, "count = static_cast<std::size_t>(apply(*index_));",
     "try { count = static_cast<std::size_t>(apply(*index_)); } catch (...) { if (fits) writer_.append(record, sequence); throw; }"),
    ("nothing is written twice", "journal", JOURNAL, "(removal ? count == 0 : ids.empty() && kind != record_kind::clear)", "false"),
    ("callbacks wait for themselves", "journal", JOURNAL, "            of.owner_.store(std::this_thread::get_id());\n            if (of.closed_)",
     "            of.owner_.store(std::thread::id());\n            if (of.owner_.load() == std::thread::id()) of.owner_.store(std::thread::id());\n            if (of.closed_)"),
    ("everybody may open a directory", "journal", "durable/log_calls.hpp", "LOCK_EX | LOCK_NB) != 0 ? errno : 0", "LOCK_SH | LOCK_NB) != 0 ? errno : 0"),
    ("the background makes no checkpoints", "journal", JOURNAL, "if (log_bytes() >= due_at_.load()) ask_for_checkpoint();", ""),
    ("batches are replayed one by one", "replay", REPLAY, "case record_kind::add_rows: index.add(ids, record.vectors, batch); break;",
     "case record_kind::add_rows: for (std::size_t i = 0; i < ids.size(); ++i) index.add(ids[i], record.vectors[i]); break;"),
    ("a graph is not brought into its file's order", "replay", JOURNAL, "if (options_.reorder_at_checkpoint) index_->reorder();", ""),
    # ---- threads and followers
    ("half of the threads share a sync", "commits", WRITER, "        wait_for_company(lock);\n", ""),
    ("the leader writes with the lock held", "commits", WRITER, "        const std::uint64_t last = appended_;\n        lock.unlock();\n",
     "        const std::uint64_t last = appended_;\n", ("        taken.clear();\n        lock.lock();\n", "        taken.clear();\n")),
    ("an opened directory goes on in the old segment's name", "followers", JOURNAL, "header.identity = new_identity();", "header.identity = sequence + 1;"),
    ("a follower never looks for the next segment", "followers", FOLLOWER, "if (next->header().previous != identity) continue;", "continue;"),
    ("a follower leaves a segment unread", "followers", FOLLOWER, "            read_segment();\n            if (sequence_ + 1", "            if (sequence_ + 1"),
]
