// SPDX-License-Identifier: MIT
// What the rows of an index lie in: memory of its own, the bytes it was loaded from, or a file that it views.
#pragma once

#include <cstddef>  // for size_t
#include <memory>   // for shared_ptr
#include <utility>  // for exchange, move

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says where an index has its rows, and keeps the file alive that they lie in. An index begins `owned`. A load makes
/// it `loaded`: it works on the bytes of the file until its first change, which copies them into memory that can grow
/// and so makes it owned again. A view stays `viewed`, and refuses changes.
class file_backing {
  public:
    [[nodiscard]] bool owned() const noexcept { return file_ == nullptr; }
    [[nodiscard]] bool loaded() const noexcept { return file_ != nullptr && !viewed_; }
    [[nodiscard]] bool viewed() const noexcept { return viewed_; }
    /// The file, null if owned. Only io/ knows its type.
    [[nodiscard]] const void* file() const noexcept { return file_.get(); }
    /// Bytes of the file that are the index's: none of a mapped one.
    [[nodiscard]] std::size_t memory() const noexcept { return viewed_ ? 0 : bytes_; }
    /// Bytes of the file that are not: all of a viewed one.
    [[nodiscard]] std::size_t mapped() const noexcept { return viewed_ ? bytes_ : 0; }

    void load(std::shared_ptr<const void> file, std::size_t bytes) noexcept {
        file_ = std::move(file);
        bytes_ = bytes;
    }
    void view(std::shared_ptr<const void> file, std::size_t bytes) noexcept {
        file_ = std::move(file);
        bytes_ = bytes;
        viewed_ = true;
    }
    /// Leaves a loaded file, and returns it: to give its memory back takes as long as it is large.
    [[nodiscard]] std::shared_ptr<const void> leave() noexcept {
        bytes_ = 0;
        return std::exchange(file_, nullptr);
    }

  private:
    std::shared_ptr<const void> file_;
    std::size_t bytes_ = 0;
    bool viewed_ = false;
};

}  // namespace detail

VICINAL_NAMESPACE_END
