# SPDX-License-Identifier: MIT
# Bugs of sets of ids, of their files, and of what filters know of them.
GROUPS = {"sets": ["filter/id_set_test.cpp"]}
BUGS = [
    ("a bitmap keeps the array's memory", "sets", "filter/id_block.hpp", "values_ = std::vector<std::uint16_t>();", "values_ = {};"),
    ("what is between a run's ends is passed over", "sets", "filter/id_block.hpp", "return form_ == form::runs && (at - values_.begin()) % 2 == 1 ? from : *at;", "return *at;"),
    ("bitmaps differ as they unite", "sets", "filter/id_block.hpp", "out[w] = x[w] & ~y[w];", "out[w] = x[w] ^ y[w];"),
    ("a moved set keeps its size", "sets", "filter/id_set.hpp", "std::swap(size_, other.size_);", "size_ = other.size_;"),
    ("blocks of the second set are lost", "sets", "filter/id_set.hpp", "else if (of_b && wants_b)", "else if (of_b && wants_b && of_a)"),
    ("blocks may stand twice in a file", "sets", "id_set_file.hpp", "if (at_ != 0 && !(highs[at_ - 1] < highs[at_]))", "if (at_ != 0 && highs[at_] < highs[at_ - 1])"),
    ("arrays in files need not ascend", "sets", "id_set_file.hpp", "values[i] <= values[i - 1])", "values[i] < values[i - 1])"),
    ("files may hold ids that are too wide", "sets", "id_set_file.hpp", "|| (high << 16U | block.last()) > highest", ""),
    ("what follows the last block is ignored", "sets", "id_set_file.hpp", "if (!values_.empty() || !words_.empty())", "if (!words_.empty())"),
    ("nobody counts the ids of a file", "sets", "id_set_file.hpp", "if (made.size() != file_.header().rows)", "if (made.size() < file_.header().rows && made.empty())"),
]
