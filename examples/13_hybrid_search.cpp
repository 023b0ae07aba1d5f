// SPDX-License-Identifier: MIT
// Hybrid search: what is close by meaning and what has the right words, as one list. fuse() joins them by rank.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>
#include <vicinal/hnsw.hpp>
#include <vicinal/results.hpp>

#include "support.hpp"

namespace {

using hits = std::vector<vicinal::neighbor<>>;

/// The keyword search of your database or search engine goes here. What has more of the words comes first; scores, of
/// which more is better, become distances by a minus sign.
hits by_keywords(const std::vector<std::vector<std::string>>& documents, const std::vector<std::string>& words) {
    hits found;
    for (std::size_t id = 0; id < documents.size(); ++id) {
        float score = 0;
        for (const std::string& word : words)
            for (const std::string& own : documents[id]) score += own == word ? 1.0F : 0.0F;
        if (score > 0) found.push_back({id, -score});
    }
    std::sort(found.begin(), found.end(), vicinal::closer<std::uint64_t>);
    return found;
}

}  // namespace

int main() {
    // Vectors as a model might make them: the first component is about snakes, the second about programs.
    const std::vector<std::vector<std::string>> documents{{"python", "snake", "of", "asia"},
                                                          {"error", "E1101", "in", "python", "code"},
                                                          {"how", "to", "debug", "a", "program"},
                                                          {"boa", "constrictor"},
                                                          {"traceback", "explained"}};
    const std::vector<float> vectors{1.0F, 0.1F, 0.1F, 0.9F, 0.0F, 1.0F, 1.0F, 0.0F, 0.1F, 1.0F};
    vicinal::hnsw_index<vicinal::cosine> index(2);
    index.add(first_ids(documents.size()), vicinal::matrix_view(vectors, 2));

    // "python E1101": the model understands that it is about programs, only the words know which error.
    const hits by_meaning = index.search({0.05F, 1.0F}, 3);
    const hits by_words = by_keywords(documents, {"python", "E1101"});
    const auto fused = vicinal::fuse(std::array{by_meaning, by_words}, vicinal::rrf{}, 3);
    for (const auto& [id, score] : fused) {
        std::printf("%.4f ", score);
        for (const std::string& word : documents[id]) std::printf(" %s", word.c_str());
        std::printf("\n");
    }
    expect(by_meaning[0].id != 1 && fused[0].id == 1,
           "what both find comes first, though it is not closest by meaning");

    // Where you trust one of them more, give it a weight: 3 for meaning, 1 for words.
    const auto trusting = vicinal::fuse(std::array{by_meaning, by_words}, vicinal::rrf{.weights = {3, 1}});
    expect(trusting.size() == 4 && trusting[1].id == by_meaning[0].id, "all that either found, by meaning first");
}
