#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants bugs, one at a time, in a copy of what reads and writes files, changes a living index, makes centroids, scans pq's
codes or goes by bounds, and demands that a test fails for each.

    scripts/planted_bugs.py [NAME...]     all, or those whose name contains a NAME or whose group is one
    scripts/planted_bugs.py --fit         only whether each still fits its header, in a second

A bug is a piece of a header and what replaces it. Each group's tests are compiled against the damaged copy, under ASan
and UBSan or under TSan, and run; a bug that no test notices, or that no longer fits its header, makes the exit status 1.
Needs a compiler and Catch2. About an hour and a half on one core.
"""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILER = shutil.which("clang++") or "g++"  # which compiles unoptimised code in half of the time of g++
FLAGS = ["-std=c++20", "-g1", "-DVICINAL_NO_FORCED_INLINE", "-march=native", "-isystem", "/usr/include/eigen3",
         "-w"]
ADDRESSES = ["-fsanitize=address,undefined", "-fno-sanitize=object-size,vptr", "-fno-sanitize-recover=all"]
PLAIN = ["-DVICINAL_TEST_REDUCED"]
THREADS = ["-fsanitize=thread", "-DVICINAL_TEST_REDUCED"]

# Three small types reach every check that is made of what a file says.
FEW_TYPES = """
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
const registered<vicinal::hnsw_index, combination<l2, f32>> graph("hnsw");
const registered<vicinal::ivf_index, combination<l2, f32>> lists("ivf");
const registered<vicinal::flat_index, combination<l2, sq8>> rows("flat");
}
"""
# What the soak and the refused allocations need to reach every way of changing an index.
LIVING_TYPES = """
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
namespace {
using namespace vicinal_test;
const registered<vicinal::hnsw_index, combination<l2, f32>> graph("hnsw");
const registered<vicinal::flat_index, combination<l2, f32>> rows("flat");
const registered<vicinal::flat_index, combination<l2, sq8_then_f32>> twofold_rows("flat");
}
"""
GROUPS = {
    "refused": ['#include "living/failing_allocations.hpp"\n' + LIVING_TYPES],
    "soak": ["living/soak_test.cpp", LIVING_TYPES],
    "churn": ["living/churn_test.cpp"],
    "io": ["io/save_test.cpp", "io/refusal_test.cpp", "io/round_trip_test.cpp"],
    "memory": ["io/allocation_alone_test.cpp"],
    "crash": ["contract/crash_test.cpp", FEW_TYPES],
    "mended": ["files/mended_test.cpp"],
    "product": ["codec/pq_test.cpp", "simd/intrinsics_test.cpp", "simd/table_scan_test.cpp", "scoring/prefilter_pq_test.cpp",
                "index/pq_test.cpp"],
    "clusters": ["linalg/kmeans_test.cpp", "linalg/kmeans_seeding_test.cpp", "linalg/cluster_closures_test.cpp"],
    "bounds": ["core/reservoir_test.cpp", "scoring/scan_test.cpp", "simd/integer_scan_test.cpp",
               "simd/sign_rows_test.cpp"],
    "forged": ["contract/corruption_test.cpp", FEW_TYPES],
}
# Tests that compute much are compiled with optimisation; all others compile in half the time without.
COMPUTING = {"bits", "bounds", "bytes", "centroids", "clusters", "lanes_of_4", "learning", "limits", "order", "product", "room", "scan_by_16",
             "score_tile", "segments", "short", "training", "whole", "words"}
# What the quick form lets pass meets the long one, too: threads must happen to meet, a changed byte to matter.
LONGER = {"soak", "forged"}


@dataclasses.dataclass
class Bug:
    name: str
    group: str
    header: str
    was: str
    becomes: str
    also: tuple = ()  # a second piece, what replaces it, and its header if another, where two checks guard one thing

    def pieces(self):
        """(header, piece, what replaces it), one or two."""
        second = [((*self.also, self.header)[2], *self.also[:2])] if self.also else []
        return [(self.header, self.was, self.becomes)] + second


def bugs():
    """Those below and those of scripts/planted/*.py, one file a subject: GROUPS, {name: sources}, and BUGS, tuples as Bug takes."""
    found = bugs_here()
    for path in sorted((ROOT / "scripts/planted").glob("*.py")):
        module = {"INDEX": "index/detail/"}
        exec(compile(path.read_text(), str(path), "exec"), module)
        if twice := [name for name in module["GROUPS"] if GROUPS.get(name, module["GROUPS"][name]) != module["GROUPS"][name]]:
            sys.exit(f"{path.name}: group {twice[0]} has other tests elsewhere")
        GROUPS.update(module["GROUPS"])
        found += [Bug(*bug) for bug in module["BUGS"]]
    return found


def bugs_here():
    io, index, linalg, storage = "io/", "index/detail/", "linalg/", "storage/"
    return [
        # ---- a call that fails has done something
        Bug("a batch taken back leaves its ids", "refused", "index/hnsw/graph/take_back.hpp",
            "            index.directory.retire(slot);\n        else\n", "            static_cast<void>(slot);\n        else\n"),
        Bug("a batch taken back leaves its links", "refused", "index/hnsw/graph/take_back.hpp", "more = journal.restore_some();", "more = false;"),
        Bug("a plan that fails leaves its rows' upper links", "refused", "index/hnsw/graph/upcoming_rows.hpp",
            "if (set_up_ && !inserted_) forget(of_, slots_);", ""),
        Bug("what a batch taught is not forgotten", "refused", "index/common/learning.hpp",
            "            {\n                const auto exclusive = of_.locks.exclusive();\n                Recoding::exchange(of_, *recoded_);\n            }\n", ""),
        Bug("a removal changes the graph as it goes", "refused", "index/hnsw/changes.hpp",
            "    index.retired.reserve(1);\n    if (index.directory.live() == 1)\n        empty(index);\n    else\n        publish_removal(",
            "    if (index.directory.live() == 1) {\n        empty(index);\n        return true;\n    }\n    changes.publish();\n    index.retired.reserve(1);\n    publish_removal("),
        Bug("a walk's buffers grow together or so it thinks", "refused", "index/hnsw/graph/walk.hpp",
            "if (distances.size() < most) distances.resize(most);", "if (fresh.size() < most) distances.resize(most);"),
        Bug("a loaded index has no room for free rows", "refused", "index/hnsw/files.hpp", "    index.directory.reserve_free(rows);\n", ""),
        # ---- readers and writers meet
        Bug("rows are written after they are published", "soak", "index/flat/changes.hpp",
            "    const auto exclusive = index.locks.exclusive();\n    put_row(index, index.directory.upcoming(0), buffers.code.data());\n    index.directory.insert(id);",
            "    auto exclusive = index.locks.exclusive();\n    const slot_t slot = index.directory.insert(id);\n    exclusive.unlock();\n    put_row(index, slot, buffers.code.data());"),
        Bug("rows of a graph are written beside readers", "soak", "index/hnsw/graph/upcoming_rows.hpp",
            "        make_room(levels, upper);\n",
            "        make_room(levels, upper);\n        for (std::size_t i = 0; i < ids_.size(); ++i)\n            put_row(of_, slots_[i], row_codes.data() + i * code_bytes(of_));\n"),
        Bug("links are put in place beside readers", "soak", "index/hnsw/graph/removal.hpp",
            "    const auto exclusive = index.locks.exclusive();\n    retire(index, leaving, spare);\n    changes.publish();\n",
            "    changes.publish();\n    const auto exclusive = index.locks.exclusive();\n    retire(index, leaving, spare);\n"),
        Bug("writers do not take turns", "soak", "index/common/locks.hpp", "return std::unique_lock(writer_);", "return {};"),
        # ---- rows that go leave something behind
        Bug("the sweep repairs nothing", "churn", "index/hnsw/graph/consolidate.hpp", "if (held.size() == now.size()) return;", "return;"),
        Bug("children are not handed over", "churn", "index/hnsw/graph/removal.hpp", "        consolidator.hand_over_children();\n", ""),
        Bug("the entry is not replaced", "churn", "index/hnsw/graph/removal.hpp", "        consolidator.replace_entry([&](slot_t slot) { return !index.duplicates.is_duplicate(slot); });\n", ""),
        Bug("retired rows are never released", "churn", "index/hnsw/graph/retired_rows.hpp", "            release(passed_.back());\n", ""),
        # ---- the loader believes the file
        Bug("a section's checksum is not compared", "io", io + "reader.hpp", "found != entry.crc", "found != found"),
        Bug("the header's checksum is not compared", "io", io + "format.hpp",
            "crc32c(0, bytes.first(124)); found != crc", "crc32c(0, bytes.first(124)); found != found"),
        Bug("the table's checksum is not compared", "io", io + "format.hpp", "found != header.table_crc",
            "found != found"),
        Bug("padding is not looked at", "io", io + "reader.hpp", "for (std::size_t i = begin; i < end; ++i)",
            "for (std::size_t i = end; i < end; ++i)"),
        Bug("the last section is not checked", "io", io + "reader.hpp", "for (const section_entry& entry : entries_) {\n            const auto at",
            "for (const section_entry& entry : std::span(entries_).first(entries_.size() - 1)) {\n            const auto at"),
        Bug("bytes after the end are ignored", "io", io + "source.hpp", "end == stream_end::required && read",
            "end != stream_end::required && read"),
        Bug("sections may lie anywhere", "io", io + "format.hpp", "entries[i].offset != expected[i].offset", "false"),
        Bug("a section may come twice", "io", io + "format.hpp", "entries[j].type == entry.type", "false"),
        Bug("a width is not compared", "io", io + "reader.hpp", "found.width != width", "false"),
        Bug("a later format is read as this one", "io", io + "format.hpp", "header.major != format_major", "false"),
        Bug("limits are not asked", "io", io + "source.hpp", "if (const std::size_t n = read(head.data(), head.size()); n != head.size()) fail_short(name, n, header_size);\n    const file_header header = decode_header(head, name);\n    require_limits(header, limits, name);",
            "if (const std::size_t n = read(head.data(), head.size()); n != head.size()) fail_short(name, n, header_size);\n    const file_header header = decode_header(head, name);"),
        Bug("memory is taken for what a stream claims", "memory", io + "source.hpp",
            "constexpr std::uint64_t first_piece = std::uint64_t{1} << 18", "const std::uint64_t first_piece = length"),
        # ---- the saver believes the disk
        Bug("the file is not synced", "crash", io + "atomic_file.hpp", "if (options_.sync)", "if (false)"),
        Bug("the file is synced after the rename", "io", io + "atomic_file.hpp",
            "if (refused != 0) fail_io(\"rename to\", target_, refused);",
            "if (refused != 0) fail_io(\"rename to\", target_, refused);\n        (void)Calls::sync(file_);"),
        Bug("the directory is not synced", "io", io + "atomic_file.hpp", "if (!directory_open_) return;", "return;"),
        Bug("a short write counts as whole", "io", io + "atomic_file.hpp", "bytes = bytes.subspan(written);", "bytes = {};"),
        Bug("a full disk goes unnoticed", "io", io + "atomic_file.hpp",
            "if (failed != 0) fail_io(\"write\", temporary_for(), failed);", "if (failed != 0) return;"),
        Bug("a failing close goes unnoticed", "io", io + "atomic_file.hpp",
            "if (const int failed = Calls::close(file_); failed != 0) fail_io(\"close\", temporary_for(), failed);",
            "(void)Calls::close(file_);"),
        Bug("a failed save leaves its file", "io", io + "atomic_file.hpp",
            "if (temporary_exists_) Calls::remove(temporary_);", ""),
        Bug("the old file is written over", "crash", io + "atomic_file.hpp",
            "temporary_ = directory / (stem + hex(random()) + std::string(names_.suffix));",
            "temporary_ = target_;\n            Calls::remove(target_);"),
        Bug("a stream is not flushed", "io", io + "writer.hpp", "out.flush();\n        } catch", ";\n        } catch"),
        Bug("what changes while it is written is saved", "io", io + "writer.hpp", "known && crc != entries[i].crc", "false"),
        # ---- an index believes its sections
        Bug("links may lead anywhere", "forged", "index/hnsw/files.hpp", "ended || link >= n", "ended",
            ("link >= rows_ || directory_.state(link)", "directory_.state(link)", "index/hnsw/graph/inspector.hpp")),
        Bug("upper links may be anybody's", "forged", "index/hnsw/files.hpp", "from.upper_first[i] != (level == 0 ? 0 : upper) ||\n                level > upper_rows - upper", "false"),
        Bug("the entry may be anywhere", "forged", "index/hnsw/files.hpp", "head[3] >= n || head[4] > hnsw_graph::max_level", "false"),
        Bug("a graph need not be sound", "forged", "index/hnsw/files.hpp", "if (!found.ok())", "if (false)"),
        Bug("the tree may have cycles", "mended", "index/hnsw/files.hpp", "if (!tree_is_whole(index.graph, index.directory.high_water()))", "if (false)"),
        Bug("lists may end before they begin", "forged", "index/ivf/files.hpp", "lists.offsets[l] > lists.offsets[l + 1]", "false"),
        Bug("lists need not hold all rows", "forged", "index/ivf/files.hpp", "lists.offsets.front() != 0 || lists.offsets.back() != n", "false"),
        Bug("lists may name any row", "forged", "index/ivf/files.hpp", "if (slot >= listed.size())", "if (false)"),
        Bug("a row may stand in two lists", "forged", "index/ivf/files.hpp", "if (listed[slot])", "if (false)"),
        Bug("two rows may have one id", "forged", "index/common/files.hpp", "if (!index.directory.build_table(in.bytes()))", "if (!index.directory.build_table(in.bytes()) && false)"),
        Bug("a row may have any state", "forged", "index/common/files.hpp", "states[i] != static_cast<std::uint8_t>(row_state::retired) || ids[i] != typename State::id_type{}", "false"),
        Bug("the live rows are not counted", "forged", "index/common/files.hpp", "if (found != live)", "if (false)"),
        # ---- centroids that are not those of k-means
        Bug("rows are sought around their centroid, not their home", "clusters", linalg + "kmeans.hpp",
            "        homes = result.centroids;\n", "",
            ("        result.converged = objective <= 0", "        homes = result.centroids;\n        result.converged = objective <= 0")),
        Bug("homes are never brought up to date", "clusters", linalg + "kmeans.hpp",
            "        homes = result.centroids;", "        if (homes.empty()) homes = result.centroids;"),
        Bug("all clusters of a task share a neighbourhood", "clusters", linalg + "kmeans.hpp",
            "subspan(c * neighbourhood, neighbourhood)", "subspan(0, neighbourhood)"),
        Bug("every fourth row is left out of its mean", "clusters", linalg + "kmeans.hpp",
            "static_cast<double>(c[j])) +\n                     static_cast<double>(d[j]);", "static_cast<double>(c[j]));\n            static_cast<void>(d);"),
        Bug("scores are believed to the last bit", "clusters", linalg + "nearest_centroids.hpp",
            "else if (over <= doubt)", "else if (over <= 0)"),
        Bug("doubtful scores are believed", "clusters", linalg + "nearest_centroids.hpp", "if (over < -doubt)", "if (over < 0)"),
        Bug("the doubtful come in order of number", "clusters", linalg + "nearest_centroids.hpp",
            "        std::sort(work.doubtful_.begin(), work.doubtful_.end());\n", ""),
        Bug("some centroids' norms are others'", "clusters", linalg + "nearest_centroids.hpp",
            "all.half_norms_[chosen[c]]", "all.half_norms_[c]"),
        Bug("some centroids have no rounding error", "clusters", linalg + "nearest_centroids.hpp",
            "largest = (std::max)(largest, all.group_norms_[chosen[c] / group]);", "static_cast<void>(largest);"),
        Bug("some centroids forget their numbers", "clusters", linalg + "nearest_centroids.hpp",
            "return chosen_.empty() ? c : chosen_[c];", "return c;"),
        Bug("what is drawn at once is not told apart", "clusters", linalg + "kmeans_seeding.hpp", "odds < left", "odds >= 0"),
        Bug("a row is kept twice as often as it should be", "clusters", linalg + "kmeans_seeding.hpp", "odds < left", "odds < 2 * left"),
        Bug("only the last drawn lowers weights", "clusters", linalg + "kmeans_seeding.hpp",
            "lower_weights({next, drawn.size(), dim});", "lower_weights({next + (drawn.size() - 1) * dim, 1, dim});"),
        Bug("weights forget earlier centroids", "clusters", linalg + "kmeans_seeding.hpp",
            "weights_[i] = (std::min)(weights_[i], distance_[i]);", "weights_[i] = distance_[i];"),
        # ---- pq's codes, what it learns, and what its tables rule out
        Bug("the second of a tie is named", "product", "codec/pq/plane_clusters.hpp", "if (distances[c] < distances[closest])",
            "if (distances[c] <= distances[closest])"),
        Bug("half bytes are written the other way round", "product", "codec/pq/pq.hpp", "closest << (p % 2 * 4)", "closest << (4 - p % 2 * 4)"),
        Bug("any last half byte will do", "product", "codec/pq/pq.hpp", "std::to_integer<unsigned>(code.back()) < 16", "true"),
        Bug("a codebook may hold infinity", "product", "codec/pq/pq.hpp", "if (!detail::has_finite_bits(x)) return false;", "static_cast<void>(x);",
            ("if (!(squares <= double{(std::numeric_limits<float>::max)()} / 7)) return false;", "static_cast<void>(squares);")),
        Bug("a codebook may hold what is too long", "product", "codec/pq/pq.hpp",
            "if (!(squares <= double{(std::numeric_limits<float>::max)()} / 7)) return false;", "static_cast<void>(squares);"),
        Bug("an odd dimension's partner may be anything", "product", "codec/pq/pq.hpp",
            "detail::bit_cast<std::uint32_t>(codebook[i + 1]) != 0)", "false)"),
        Bug("the first centroid's length counts for all", "product", "codec/pq/pq.hpp", "if (squares > most) most = squares;",
            "if (most <= 0) most = squares;"),
        Bug("it learns from the first rows only", "product", "codec/pq/pq.hpp",
            "ordinary_rows(rows, (rows.rows() + most - 1) / most)", "ordinary_rows(rows.rows(0, (std::min)(most, rows.rows())), 1)"),
        Bug("all pairs learn what the first does", "product", "codec/pq/pq.hpp", "points.set(i, row[2 * p], whole ? row[2 * p + 1] : 0.0F);",
            "points.set(i, row[0], dim_ > 1 ? row[1] : 0.0F);"),
        Bug("one iteration is enough", "product", "codec/pq/plane_clusters.hpp", "iterations = 20", "iterations = 1"),
        Bug("seeds are drawn by the last distance", "product", "codec/pq/plane_clusters.hpp",
            "nearest_[p] = d < nearest_[p] ? d : nearest_[p];\n                total", "nearest_[p] = d;\n                total"),
        Bug("means forget the second coordinate", "product", "codec/pq/plane_clusters.hpp", "            y[c] += y_[p];\n", ""),
        Bug("tables round to the nearest where they must round down", "product", "scoring/prefilter_pq.hpp",
            "luts_.quantize(room, false)", "luts_.quantize(room, true)"),
        Bug("the limit is one too low", "product", "scoring/prefilter_pq.hpp",
            "std::floor(room / luts_.step() * (1 + 0x1p-40))", "std::floor(room / luts_.step() * (1 + 0x1p-40)) - 1"),
        Bug("products do not round", "product", "scoring/prefilter_pq.hpp", "room = off_ - metric_", "room = -metric_"),
        Bug("differences do not round", "product", "scoring/prefilter_pq.hpp",
            "double{threshold} * (1 + 1.25 * error_) * (1 + 0x1p-20) + lost_ : lost_", "double{threshold} : 0"),
        Bug("the least that pairs add is not taken off", "product", "scoring/prefilter_pq.hpp", "room -= least - 0x1p-40", "room -= 0 * least - 0x1p-40"),
        Bug("the limit of the first threshold is kept", "product", "scoring/prefilter_pq.hpp",
            "if (threshold != asked_) {", "if (asked_ == std::numeric_limits<float>::infinity()) {"),
        Bug("rows beyond the last are close", "product", "simd/fast_scan.hpp", "return close & ~std::uint64_t{0} >> (64 - count);", "return close;"),
        Bug("an odd dimension's last component is left out", "product", "scoring/prefilter_pq.hpp",
            "least_ += double{", "if (2 * p + 1 >= coder.dim()) continue;\n            least_ += double{"),
        Bug("estimates are cut off at next to nothing", "product", "scoring/prefilter_pq.hpp", "luts_.mean() * 1.5", "luts_.mean() * 0.01"),
        Bug("what is at the limit is beyond it", "product", "simd/avx/intrinsics.hpp", "_CMP_NGT_UQ", "_CMP_NGE_UQ"),
        Bug("what is at the limit is beyond it in plain C++", "product", "simd/generic/intrinsics.hpp",
            "values[i] > limit ? 0U", "values[i] >= limit ? 0U"),
        Bug("entries are not cut off", "product", "simd/avx2/fast_scan.hpp",
            "_mm256_cvttps_epi32(_mm256_min_ps(scaled, _mm256_set1_ps(top)))", "_mm256_cvttps_epi32(scaled)"),
        Bug("every second pair looks up the first's centroids", "product", "simd/avx/intrinsics.hpp",
            "two(at(four & 15U), at(16 + (four >> 4 & 15U)))", "two(at(four & 15U), at(four >> 4 & 15U))"),
        Bug("only the lowest bounds are looked at", "bounds", "scoring/scan.hpp", "if (kept_ != 0 || all_kept_) return;", "return;"),
        Bug("the lowest are measured again", "bounds", "scoring/scan.hpp", "> last) measurer.add(row);", ">= 0) measurer.add(row);"),
        Bug("the row after the last of the lowest is left out", "bounds", "scoring/scan.hpp",
            "> last) measurer.add(row);", "> last + 1) measurer.add(row);"),
        Bug("rows beyond the last are possible", "bounds", "scoring/scan.hpp", "if (count - r < simd::scan_lanes) possible &=", "if (false) possible &="),
        Bug("bounds of two segments in one call", "bounds", "scoring/scan.hpp", "return aligned < most ? aligned : most;", "return most;"),
        Bug("so of the first segments", "bounds", "scoring/scan.hpp", "first == 0 ? scan_block :", "first == 0 ? most :"),
        Bug("the last few noted are not measured", "bounds", "scoring/scan.hpp",
            "        measurer.settle();\n        if (kept_", "        if (kept_"),
        Bug("the limit stays what it was", "bounds", "scoring/scan.hpp",
            "        limit_ = scorer_.limit_of(collector_.threshold());\n    }\n    [[nodiscard]] std::size_t measured",
            "    }\n    [[nodiscard]] std::size_t measured"),
        Bug("rows of no index are measured", "bounds", "scoring/scan.hpp",
            "if (slots_[noted_] != no_slot && ++noted_ == at_once)", "if (++noted_ == at_once)"),
        Bug("the highest of the lowest first", "bounds", "scoring/scan.hpp",
            "std::make_heap(keys_, keys_ + kept_, std::greater<>());", "std::make_heap(keys_, keys_ + kept_);"),
        Bug("useless bounds are taken on and on", "bounds", "scoring/scan.hpp", "if (limited || end - begin >= bounded_first / 2)", "if (false)"),
        Bug("bounds that were useless once are given up", "bounds", "scoring/bounds_pca8.hpp",
            "rest_ -= (std::min)(rest_, rows);", "static_cast<void>(rows);"),
        Bug("memory for the bounds of whole 32 is not there", "bounds", "scoring/scan.hpp",
            "round_up(end - begin, simd::scan_lanes)", "end - begin"),
        Bug("zeros of two signs are two bounds", "bounds", "core/reservoir.hpp", "distance == 0.0F ? 0.0F : distance", "distance"),
        Bug("the last heads are not copied", "bounds", "simd/avx2/row_factors.hpp", "r < count || r % 8 != 0", "r + 1 < count"),
        Bug("weights of odd codes meet the even ones", "bounds", "simd/generic/integer_scan.hpp", "weight : weight * 256", "weight : weight"),
        Bug("vectors may be NaN", "forged", "index/common/files.hpp", "if (!admissible_when_decoded(sum_of_squares(decoded)))", "if (false)"),
    ]


def run(command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          **how)


def where(piece, text):
    """(first, end) of the first occurrence of `piece` in `text`, however its lines are broken and indented; or None."""
    first = text.find(piece)
    if first >= 0:
        return first, first + len(piece)
    found = re.search(r"\s*".join(re.escape(c) for c in "".join(piece.split())), text)
    return found.span() if found else None


class Workshop:
    """A folder with one object of Catch2's main."""

    def __init__(self, folder):
        self.folder = folder
        self.main = folder / "main.o"
        made = run([COMPILER, *FLAGS, f"-I{ROOT}/tests", "-c", ROOT / "tests/support/catch_main.cpp", "-o", self.main])
        if made.returncode:
            sys.exit(made.stdout)

    def verdict(self, group, include, folder, kept=None):
        """Builds a group's program with the headers of `include` and runs it: (built, passed, last words).

        Test files' objects that lie in the folder `kept` are taken from there.
        """
        without = {"product", "pools", "codes_batch", "component_tables", "exclusion", "segments", "forks"}
        sanitizer = THREADS if group in {"soak", "races"} else PLAIN if group in without else ADDRESSES
        flags = [*FLAGS, "-O1" if group in COMPUTING else "-O0", *sanitizer]
        objects = []
        for number, source in enumerate(GROUPS[group]):
            path = ROOT / "tests" / source if source.endswith(".cpp") else folder / "few_types.cpp"
            if path.parent == folder:
                path.write_text(source)
            elif kept:
                objects.append(kept / f"{number}.o")
                continue
            objects.append(folder / f"{number}.o")
            made = run([COMPILER, *flags, f"-I{include}", f"-I{ROOT}/tests", "-c", path, "-o", objects[-1]])
            if made.returncode:
                return False, False, made.stdout
        program = folder / "program"
        made = run([COMPILER, *flags, *objects, self.main, "-pthread", "-o", program])
        if made.returncode:
            return False, False, made.stdout
        for long_form in (False, True) if group in LONGER else (False,):
            try:
                done = run([program], cwd=folder, timeout=600,
                           env=os.environ | ({"VICINAL_TEST_LONG": "1"} if long_form else {}))
            except subprocess.TimeoutExpired:
                return True, False, "ran for ten minutes"
            if done.returncode:
                break
        return True, done.returncode == 0, done.stdout

    def plant(self, bug):
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            shutil.copytree(ROOT / "include", folder / "include")
            for piece_of, was, becomes in bug.pieces():
                header = folder / "include/vicinal" / piece_of
                text = header.read_text()
                place = where(was, text)
                if place is None:
                    return "does not fit " + piece_of
                header.write_text(text[:place[0]] + becomes + text[place[1]:])
            # The tests of whole indexes know them through an interface that the few types alone implement.
            kept = self.folder / bug.group if bug.group == "forged" and bug.header.startswith("index/") else None
            built, passed, words = self.verdict(bug.group, folder / "include", folder, kept)
        if not built:
            return "does not compile:\n" + words[-2000:]
        return "NOT NOTICED" if passed else "noticed"


def compiled_here(bug):
    """Whether this machine's programs have what the bug is in: what is for AVX-512 is left out elsewhere."""
    if not bug.header.startswith("simd/avx512/"):
        return True
    macros = run(["g++", "-march=native", "-dM", "-E", "-x", "c++", os.devnull]).stdout
    return "__AVX512VNNI__" in macros and "__AVX512VL__" in macros


def misfits():
    """Bugs whose piece of a header is not in it any more."""
    def fits(bug):
        return all(where(was, (ROOT / "include/vicinal" / header).read_text()) for header, was, _ in bug.pieces())
    return [bug for bug in bugs() if not fits(bug)]


def main():
    if sys.argv[1:] == ["--fit"]:
        wrong = misfits()
        for bug in wrong:
            print(f"{bug.name}: its text is not in {bug.header}")
        print(f"{len(bugs())} bugs, {len(wrong)} do not fit")
        return 1 if wrong else 0
    wanted = [bug for bug in bugs() if not sys.argv[1:] or any(word in bug.name or word == bug.group for word in sys.argv[1:])]
    for bug in (elsewhere := [bug for bug in wanted if not compiled_here(bug)]):
        print(f"{bug.name:<50} left out: this machine has no AVX-512 with VNNI")
    wanted = [bug for bug in wanted if bug not in elsewhere]
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        workshop = Workshop(pathlib.Path(name))
        for group in sorted({bug.group for bug in wanted}):  # without a bug, all must pass
            folder = workshop.folder / group
            folder.mkdir()
            built, passed, words = workshop.verdict(group, ROOT / "include", folder)
            print(f"{group + ' tests without a bug':<50} {'pass' if built and passed else 'FAIL'}", flush=True)
            if not (built and passed):
                sys.exit(words[-3000:])
        for bug in wanted:
            found = workshop.plant(bug)
            missed += found != "noticed"
            print(f"{bug.name:<50} {found}", flush=True)
    print(f"{len(wanted)} bugs, {missed} not noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
