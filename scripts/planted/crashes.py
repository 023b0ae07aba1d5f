# SPDX-License-Identifier: MIT
# Crashes, hangs and races found in the field (issue 18, items 5 to 10 and 17).
GROUPS = {
    "pools": ["core/executor_test.cpp"],
    "streams": ["index/streams_test.cpp"],
    "callbacks": ["index/callbacks_test.cpp"],
    "limits": ["linalg/kmeans_limits_test.cpp"],
    "training": ["index/ivf_training_test.cpp"],
    "races": ["index/lazy_parts_test.cpp"],
    "forks": ["index/fork_test.cpp"],
}
STREAM = "index/hnsw/stream.hpp"
BUGS = [
    # ---- thread pools
    ("a worker leaves a run without saying so", "pools", "core/executor.hpp",
     "pool_.idle_.wait(lock, [&] { return mine_.helpers == 0; });", ""),
    ("as many threads are started as were asked for", "pools", "core/executor.hpp",
     "        threads = (std::min)(threads, max_threads);\n", ""),
    ("a thread that does not start is passed on", "pools", "core/executor.hpp",
     "} catch (const std::exception&) {", "} catch (const std::bad_alloc&) {"),
    # ---- streams
    ("a window is as wide as asked for", "streams", STREAM,
     "std::clamp<std::size_t>(params.ef, 1, std::max<std::size_t>(1, stored_rows(index)))", "params.ef + 1; walk_.fresh.resize(width_)"),
    ("rows at one distance come by place", "streams", STREAM,
     "return a.id > b.id;", "return a.key > b.key;"),
    ("rows at one distance are given before all were met", "streams", STREAM,
     "        while (!frontier_.empty() && no_farther(frontier_.front(), *window_.begin())) follow(scorer, stats);\n", ""),
    ("zeros of both signs are two distances", "streams", STREAM, " || key_distance(a) == key_distance(b)", ""),
    ("an id comes twice from lists", "streams", "index/ivf/stream.hpp",
     "if (seen_.find(id) != no_slot || !answers_", "if (!answers_"),
    ("a row comes at the distance of what lay in its place", "streams", STREAM,
     "changed_ ? scorer.score(slot) : key_distance(key)", "key_distance(key)"),
    ("a set is referred to after the call", "streams", "index/common/stream.hpp", "    id_set<Id> set_;\n",
     "    struct { const id_set<Id>* of = nullptr; void operator=(const id_set<Id>& s) { of = &s; }\n"
     "             bool contains(Id id) const { return of->contains(id); } } set_;\n"),
    ("what a filter said of a place is taken for its next id", "streams", "index/common/stream.hpp",
     "if (changed && !by_id_) {", "if (false) {"),
    ("a stream that was moved from is read", "streams", "index/common/neighbor_stream.hpp",
     "if (from_ != nullptr) ++*this;", "++*this;"),
    # ---- callbacks
    ("a callback waits for its own call's writing to end", "callbacks", "index/common/locks.hpp",
     "if (stay::inside(*this))\n", "if (false)\n"),
    ("a filter waits behind a writer that waits for it", "callbacks", "index/common/locks.hpp",
     "if (stay::inside(*this, use::reading)) return {};", ""),
    ("a gate is never left", "callbacks", "index/common/locks.hpp", "            *at = outer_;\n", ""),
    ("the number of results wraps around", "callbacks", "params.hpp",
     "if (queries > most / std::max<std::size_t>(k, 1))", "if (queries * k > most)"),
    # ---- training
    ("k-means takes any number for a share", "limits", "linalg/kmeans.hpp", "if (bits > infinite && bits != minus_zero)", "if (false)"),
    ("k-means takes NaN for a row", "limits", "linalg/row_set.hpp", "if (!finite) fail(", "if (false) fail("),
    ("a split centroid steps anywhere", "limits", "linalg/kmeans.hpp", "        draw_near({stays, dim});\n", ""),
    ("a mean of no direction is lengthened", "training", "index/ivf/lists/clustering.hpp",
     "if (squares * 0x1p48 <= spread) return;", "if (squares <= 0) return;"),
    ("a centroid is halved for ever", "training", "index/ivf/lists/clustering.hpp", "halvings < 80 && !admissible", "!admissible"),
    ("a training stopped at its end is put in place", "training", "index/ivf/lists/training.hpp",
     "    throw_if_stopped(params.stop);\n    codecs_of<typename State::store_type> taught(index.rows);\n"
     "    taught.train(matrix_view<const float>(std::span<const float>(sample), index.dim));\n    throw_if_stopped(params.stop);\n",
     "    codecs_of<typename State::store_type> taught(index.rows);\n"
     "    taught.train(matrix_view<const float>(std::span<const float>(sample), index.dim));\n"),
    # ---- races
    ("memory() looks at a table that is being made", "races", "index/common/observers.hpp",
     "if (!index.backing.viewed() || index.id_table.is_made()) {", "if (true) {"),
    ("memory() looks at places that are being found", "races", "index/ivf/check.hpp",
     "if (index.backing.owned() || index.found_places.is_made()) {", "if (true) {"),
    # ---- forks
    ("a child keeps the locks of threads it has not", "forks", "index/common/locks.hpp", "        std::construct_at(&readers_);\n", ""),
    ("a child goes on with half a change", "forks", "index/common/locks.hpp", "abandoned_ = abandoned_ || changed_elsewhere_;", ""),
    ("a child of a child goes on with half a change", "forks", "index/common/locks.hpp",
     "abandoned_ = abandoned_ || changed_elsewhere_;", "abandoned_ = changed_elsewhere_;"),
    ("a child that forked in a change does not hold its lock", "forks", "index/common/locks.hpp",
     "        if (changes_here_) writer_.lock();\n", ""),
    ("a child that forked in a search does not hold its lock", "forks", "index/common/locks.hpp",
     "        if (reads_here_) readers_.lock_shared();\n", ""),
    ("a fork never finds a writer out", "forks", "index/common/locks.hpp",
     "        fork_registration::let_forks_go_first();\n", ""),
    ("a scratch pool stays locked in a child", "forks", "index/common/forks.hpp",
     "    void renew() noexcept override { mutex_.unlock(); }", "    void renew() noexcept override {}"),
]
