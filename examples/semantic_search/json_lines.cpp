// SPDX-License-Identifier: MIT
#include "json_lines.hpp"

#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <stdexcept>  // for runtime_error

namespace demo {
namespace {

/// UTF-8 of one code point.
void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | point >> 6);
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3F));
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

class parser {
  public:
    explicit parser(std::string_view text) : text_(text) {}

    string_fields object() {
        string_fields fields;
        expect('{');
        if (!accept('}')) {
            do {
                std::string key = string();
                expect(':');
                if (peek() == '"')
                    fields.emplace_back(std::move(key), string());
                else
                    skip_value(0);
            } while (accept(','));
            expect('}');
        }
        if (peek() != '\0' || at_ < text_.size()) fail("text after the object");
        return fields;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error("column " + std::to_string(at_ + 1) + ": " + what);
    }

    /// The next character that is not white space, or 0 at the end.
    char peek() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool accept(char c) {
        if (peek() != c || at_ >= text_.size()) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(std::string("expected '") + c + "'");
    }

    std::string string() {
        expect('"');
        std::string out;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return out;
            if (c == '\\')
                append_escape(out);
            else
                out += c;
        }
        fail("a string does not end");
    }

    void append_escape(std::string& out) {
        if (at_ >= text_.size()) fail("a string does not end");
        const char c = text_[at_++];
        switch (c) {
            case '"':
            case '\\':
            case '/': out += c; return;
            case 'b': out += '\b'; return;
            case 'f': out += '\f'; return;
            case 'n': out += '\n'; return;
            case 'r': out += '\r'; return;
            case 't': out += '\t'; return;
            case 'u': append_utf8(out, unicode_escape()); return;
            default: fail(std::string("unknown escape \\") + c);
        }
    }

    std::uint32_t four_hex_digits() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = at_ < text_.size() ? text_[at_++] : '\0';
            const auto digit = std::string_view("0123456789abcdef0123456789ABCDEF").find(c);
            if (digit == std::string_view::npos) fail("\\u needs four hexadecimal digits");
            value = value * 16 + static_cast<std::uint32_t>(digit % 16);
        }
        return value;
    }

    /// A code point; two escapes if it is a surrogate pair. A lone surrogate becomes U+FFFD.
    std::uint32_t unicode_escape() {
        constexpr std::uint32_t replacement = 0xFFFD;
        const std::uint32_t high = four_hex_digits();
        if (high < 0xD800 || high > 0xDFFF) return high;
        if (high > 0xDBFF || !text_.substr(at_).starts_with("\\u")) return replacement;
        const std::size_t before = at_;
        at_ += 2;
        const std::uint32_t low = four_hex_digits();
        if (low < 0xDC00 || low > 0xDFFF) {
            at_ = before;
            return replacement;
        }
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }

    void skip_value(int depth) {
        if (depth > 100) fail("nested too deeply");
        const char c = peek();
        if (c == '"') {
            string();
        } else if (accept('[')) {
            if (accept(']')) return;
            do skip_value(depth + 1);
            while (accept(','));
            expect(']');
        } else if (accept('{')) {
            if (accept('}')) return;
            do {
                string();
                expect(':');
                skip_value(depth + 1);
            } while (accept(','));
            expect('}');
        } else {
            skip_scalar();
        }
    }

    /// A number, true, false or null; loosely, since its value is not used.
    void skip_scalar() {
        constexpr std::string_view allowed = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
        const std::size_t begin = at_;
        while (at_ < text_.size() && allowed.find(text_[at_]) != std::string_view::npos) ++at_;
        if (at_ == begin) fail("expected a value");
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

string_fields parse_json_line(std::string_view line) { return parser(line).object(); }

}  // namespace demo
