# SPDX-License-Identifier: MIT
# Bugs of .max_distance.
GROUPS = {"max_distance": ["index/max_distance_test.cpp"]}
BUGS = [
    ("what is just as far is left out", "max_distance", "index/common/max_distance.hpp", "hits[count - 1].distance > most) --count;", "hits[count - 1].distance >= most) --count;"),
    ("one hit too far is returned", "max_distance", "index/common/max_distance.hpp", "while (count != 0 && hits[count - 1]", "while (count > 1 && hits[count - 1]"),
    ("batches return what is too far", "max_distance", "index/common/max_distance.hpp", "found[i] = count_within(table[i], most);", "found[i] = table[i].size();"),
    ("a distance that is no number is taken", "max_distance", "index/common/max_distance.hpp", "if ((detail::bit_cast<std::uint32_t>(most) & 0x7FFFFFFFU) > 0x7F800000U)", "if (most > detail::bit_cast<float>(0x7F800000U))"),
    ("streams go on beyond it", "max_distance", "index/common/neighbor_stream.hpp", "if (!from_->next(current_) || current_.distance > most_) from_ = nullptr;", "if (!from_->next(current_)) from_ = nullptr;"),
    ("ranges do not mind it", "max_distance", "hnsw.hpp", "(std::min)(radius, params.max_distance)", "(std::max)(radius, params.max_distance * 0)"),
]
