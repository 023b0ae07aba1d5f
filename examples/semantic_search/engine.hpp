// SPDX-License-Identifier: MIT
// The search engine: documents, an embedding, and two vicinal indexes over the same vectors.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>

#include "corpus.hpp"
#include "document.hpp"
#include "embedding.hpp"

namespace demo {

using graph_index = vicinal::hnsw_index<vicinal::cosine, vicinal::f32>;  // answers
using exact_index = vicinal::flat_index<vicinal::cosine, vicinal::f32>;  // tells how good the answers are

struct answer {
    std::vector<vicinal::neighbor<>> hits;   // ids are document numbers, closest first
    std::vector<std::string> unknown_words;  // words of the query that are not in the corpus
    bool understood = false;                 // false: no word was known, hits is empty
    double milliseconds = 0;                 // embedding and graph search
    double exact_milliseconds = 0;           // the same by exhaustive search
    double recall = 0;                       // share of the exact hits among hits
};

class search_engine {
  public:
    /// Reads `from`, learns an embedding of at most `dims` dimensions and builds the indexes, telling the user.
    static search_engine build(const source& from, std::size_t dims);

    /// Writes everything into `folder`; `key` names what it was made from.
    void save(const std::filesystem::path& folder, std::uint64_t key) const;
    /// throws  std::runtime_error, with the reason, if `folder` does not hold what `save` wrote under the same key
    static search_engine load(const std::filesystem::path& folder, std::uint64_t key);

    /// The `count` documents nearest to `query` in meaning. A larger `ef` finds more of the true ones and takes longer.
    [[nodiscard]] answer ask(std::string_view query, std::size_t count, std::size_t ef) const;

    /// Titles, and texts cut down to a snippet.
    [[nodiscard]] const std::vector<document>& documents() const { return documents_; }
    [[nodiscard]] std::size_t dim() const { return embedding_.dim(); }
    [[nodiscard]] std::size_t terms() const { return embedding_.words().size(); }
    [[nodiscard]] std::size_t memory() const { return graph_.memory().total; }

  private:
    search_engine(std::vector<document> documents, embedding how, graph_index graph, exact_index exact);

    std::vector<document> documents_;
    embedding embedding_;
    graph_index graph_;
    exact_index exact_;
};

}  // namespace demo
