// SPDX-License-Identifier: MIT
// Writes JSON, indented, in the order of the calls.
#pragma once

#include <charconv>     // for to_chars
#include <cmath>        // for isfinite
#include <cstdint>      // for int64_t
#include <ostream>      // for ostream
#include <string>       // for string
#include <string_view>  // for string_view
#include <type_traits>  // for is_arithmetic_v

namespace bench {

/// Text between quotes as JSON wants it.
[[nodiscard]] inline std::string json_escape(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            result += {'\\', c};
        else if (code < 0x20)
            result += std::string("\\u00") + digits[code >> 4] + digits[code & 15];
        else
            result += c;
    }
    return result;
}

/// `object` and `array` open; `end` closes what was opened last. A key is empty inside an array.
class json_writer {
  public:
    explicit json_writer(std::ostream& out) : out_(out) {}

    json_writer& object(std::string_view key = {}) { return open(key, '{', '}'); }
    json_writer& array(std::string_view key = {}) { return open(key, '[', ']'); }
    json_writer& end() {
        const char closing = closing_.back();
        closing_.pop_back();
        if (!empty_) indent();
        out_ << closing;
        empty_ = false;
        if (closing_.empty()) out_ << '\n';
        return *this;
    }

    json_writer& value(std::string_view key, std::string_view text) {
        begin(key);
        out_ << '"' << json_escape(text) << '"';
        return *this;
    }
    json_writer& value(std::string_view key, const char* text) { return value(key, std::string_view(text)); }
    /// Numbers in the shortest form that reads back equal; null for what JSON cannot express.
    template <class T>
    requires std::is_arithmetic_v<T> json_writer& value(std::string_view key, T number) {
        begin(key);
        if (!std::isfinite(static_cast<double>(number))) {
            out_ << "null";
            return *this;
        }
        char text[32];
        out_.write(text, std::to_chars(text, text + sizeof text, number).ptr - text);
        return *this;
    }
    json_writer& null(std::string_view key) {
        begin(key);
        out_ << "null";
        return *this;
    }

  private:
    json_writer& open(std::string_view key, char opening, char closing) {
        begin(key);
        out_ << opening;
        closing_ += closing;
        empty_ = true;
        return *this;
    }
    void begin(std::string_view key) {
        if (!closing_.empty()) {
            if (!empty_) out_ << ',';
            indent();
        }
        empty_ = false;
        if (!key.empty()) out_ << '"' << json_escape(key) << "\": ";
    }
    void indent() { out_ << '\n' << std::string(2 * closing_.size(), ' '); }

    std::ostream& out_;
    std::string closing_;
    bool empty_ = true;
};

}  // namespace bench
