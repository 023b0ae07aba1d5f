// SPDX-License-Identifier: MIT
// The functions that search.js calls. Numbers and addresses go in and out; nothing throws.
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t
#include <cstdlib>    // for aligned_alloc
#include <exception>  // for exception
#include <optional>   // for optional
#include <span>       // for span
#include <string>     // for string
#include <vector>     // for vector

#include "page_search.hpp"

#define PAGE_EXPORT(name) extern "C" __attribute__((export_name(#name), used))

namespace {

std::optional<page::page_search> search;
page::answer found;
std::vector<std::uint32_t> ids;
std::vector<float> distances;
std::string message;

}  // namespace

/// Room for a file or a text, at a multiple of 64, where views want their bytes. Null if there is no memory.
PAGE_EXPORT(page_allocate) void* page_allocate(std::size_t size) {
    return std::aligned_alloc(64, (size + 63) / 64 * 64);
}
PAGE_EXPORT(page_free) void page_free(void* room) { std::free(room); }

/// Opens the files. The two indexes are used where they lie and must stay there; the vocabulary may go.
/// returns  the number of documents; 0 if that failed, and page_message() says why
PAGE_EXPORT(page_open)
std::size_t page_open(const std::byte* documents, std::size_t documents_size, const std::byte* terms,
                      std::size_t terms_size, const char* vocabulary, std::size_t vocabulary_size) {
    try {
        search.emplace(page::document_index::view(std::span(documents, documents_size)),
                       page::term_table::view(std::span(terms, terms_size)),
                       std::string_view(vocabulary, vocabulary_size));
        return search->size();
    } catch (const std::exception& e) {
        message = e.what();
        return 0;
    }
}

/// Answers the query of `size` bytes of UTF-8.
/// returns  how many documents were found, at page_ids() and page_distances(), until the next call; -1 if that failed,
///          and page_message() says why
PAGE_EXPORT(page_ask) int page_ask(const char* text, std::size_t size, std::size_t count) {
    try {
        found = search.value().ask(std::string_view(text, size), count);
        ids.clear();
        distances.clear();
        for (const auto& [id, distance] : found.hits) {
            ids.push_back(id);
            distances.push_back(distance);
        }
        return static_cast<int>(ids.size());
    } catch (const std::exception& e) {
        message = e.what();
        return -1;
    }
}

PAGE_EXPORT(page_ids) const std::uint32_t* page_ids() { return ids.data(); }
PAGE_EXPORT(page_distances) const float* page_distances() { return distances.data(); }
PAGE_EXPORT(page_unknown) const char* page_unknown() { return found.unknown.c_str(); }
PAGE_EXPORT(page_completed) const char* page_completed() { return found.completed.c_str(); }
PAGE_EXPORT(page_message) const char* page_message() { return message.c_str(); }
