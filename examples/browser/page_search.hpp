// SPDX-License-Identifier: MIT
// What the page asks: from typed text to the documents nearest in meaning. The browser runs it as WebAssembly, the
// program that makes the page's files runs it as a native check of the same answers.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>

#include "../semantic_search/tfidf.hpp"

namespace page {

/// One byte a component: the page downloads a quarter of what f32 would take.
using document_index = vicinal::hnsw_index<vicinal::cosine, vicinal::sq8, std::uint32_t>;
/// A term's vector by its number. Nobody searches it: it is the smallest table of vectors that can be viewed.
using term_table = vicinal::flat_index<vicinal::inner_product, vicinal::sq8, std::uint32_t>;

struct answer {
    std::vector<vicinal::neighbor<std::uint32_t>> hits;  // ids are document numbers, closest first
    std::string unknown;                                 // the words that no document has, separated by spaces
    std::string completed;                               // what the last word was taken for, if it is not whole yet
};

/// Documents, and an embedding for queries.
class page_search {
  public:
    /// documents, terms   views, of files or of bytes in memory
    /// vocabulary         as `save_vocabulary` wrote it; may go away after the call
    /// throws  vicinal::error or std::runtime_error if they are damaged or do not belong together
    page_search(document_index documents, term_table terms, std::string_view vocabulary);

    /// The `count` documents nearest to `text`; none if no word is known. A last word that is not known and has no
    /// space behind it is still being typed: the most frequent term that begins like it stands for it.
    [[nodiscard]] answer ask(std::string_view text, std::size_t count) const;

    [[nodiscard]] std::size_t size() const { return documents_.size(); }

  private:
    [[nodiscard]] std::string completion_of(std::string_view beginning) const;
    [[nodiscard]] std::vector<float> embed(const std::string& text) const;

    document_index documents_;
    term_table terms_;
    demo::vocabulary words_;
};

/// The terms of a vocabulary and their weights as bytes.
std::string save_vocabulary(const demo::vocabulary& words);

}  // namespace page
