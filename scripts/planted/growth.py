# SPDX-License-Identifier: MIT
"""How lists of an inverted file are learned anew while rows come, and codecs as long as rows change."""
GROUPS = {"growth": ["index/ivf_growth_test.cpp"], "changing": ["index/learning_test.cpp"]}
GROWTH, LEARNING = "index/ivf/lists/growth.hpp", "index/common/learning.hpp"
BUGS = [
    ("the first rows decide the lists", "growth", GROWTH, "may_learn_lists(of) && have_outgrown_lists(of, rows)", "false && rows == 0"),
    ("lists are not looked at", "growth", GROWTH, "else if (may_learn_lists(of) && no_longer_fit", "else if (false && no_longer_fit"),
    ("fewer rows than lists make all lists", "growth", "index/ivf/lists/clustering.hpp",
     "rows >= params.lists ? params.lists : std::max<std::size_t>(rows / rows_for_a_list, 1);",
     "rows >= params.lists ? params.lists : rows;"),
    ("train decides nothing", "growth", "index/ivf/lists/training.hpp", "    index.learner.lists.decided = true;\n", ""),
    ("a file forgets that train decided", "growth", "index/ivf/files.hpp", "history.decided ? lists : index.asked.lists", "index.asked.lists"),
    ("a loaded index learns no lists", "growth", "index/ivf/files.hpp", "history.learned_at = fewest_rows_for(trained);", "history.decided = true;"),
    ("lists of a failed call stay", "growth", GROWTH, "        learned_->exchange(of_);\n    }\n    /// Rows are in.",
     "    }\n    /// Rows are in."),
    ("a failed call counts", "growth", GROWTH, "        of_.learner.lists = before_;\n        if (!exchanged_)", "        if (!exchanged_)"),
    ("rows lie where they lay before", "growth", "index/ivf/lists/training.hpp", "        if (places) std::swap(index.places, *places);\n", ""),
    ("codes stay about the centroids of before", "growth", GROWTH,
     "const auto center = center_of_list(coder, to.centroids, moving.list_of[r]);",
     "const auto center = center_of_list(coder, index.centroids, moving.list_of[r] % index.lists.size());"),
    ("codes about centroids are made of decoded rows", "growth", "index/ivf/lists/training.hpp",
     "if (!State::centered || State::two_levels || index.learner.lists.decided) return rows;", "if (rows != 0) return 64;"),
    ("a stream goes on with the lists of before", "growth", "index/ivf/stream.hpp",
     "        if (index_.list_generation != generation_) order_lists();\n", ""),
    ("codecs learn at doublings only", "changing", LEARNING, "        else if (Recoding::looks_ahead && next_.learned_at >= 512 &&",
     "        else if (false &&"),
    ("exact vectors go though rows keep changing", "changing", LEARNING, "to_be() < (moving ? most_exact_rows(of_.dim) : enough);", "to_be() < enough;"),
    ("a window of like rows moves the mean", "changing", LEARNING,
     "(next_.error[half] == 0 || coding_error(codec, rows) > 3 * next_.error[half]);", "true;"),
]
