# SPDX-License-Identifier: MIT
# Bugs of attributes: conditions, numbers, changes, text.
GROUPS = {"attributes": ["attributes/attributes_test.cpp"]}
BUGS = [
    ("rows that went are found", "attributes", "attributes/table.hpp", "keep(stack.back(), live_);", ""),
    ("a row without a value is compared", "attributes", "attributes/table.hpp", "keep(rows, values_[column].present);", ""),
    ("what is not labeled includes null", "attributes", "attributes/table.hpp", "if (step.what == condition::kind::labeled) keep(rows, values_[step.column].present);", ""),
    ("NaN is stored", "attributes", "attributes/table.hpp", "if (is_nan(*real))", "if (false)"),
    ("NaN is compared", "attributes", "attributes/table.hpp", "if (bound.not_a_number()) return;", ""),
    ("not turns no operator", "attributes", "attributes/expression.hpp", "case kind::both: what = kind::either; break;", "case kind::both: break;"),
    ("exclusive bounds of whole numbers are included", "attributes", "attributes/numbers.hpp", "inclusive = inclusive || floor < bound.real;", "inclusive = true;"),
    ("whole numbers are rounded to doubles", "attributes", "attributes/numbers.hpp", "const int order = bound.whole ? order_of(bound.integer, value) : 0;", "const int order = 0;"),
    ("whole numbers are compared as doubles", "attributes", "attributes/number.hpp", "if (a != whole) return a < whole ? -1 : 1;", "if (static_cast<double>(a) == b) return 0;\n    if (a != whole) return a < whole ? -1 : 1;"),
    ("a row that takes another's place does not know it", "attributes", "attributes/labels.hpp", "moved->at = from.at;", ""),
    ("ids that follow each other are not looked at", "attributes", "attributes.hpp", "from % 64 == 0 && follow_each_other(w * 64)", "from % 64 == 0"),
    ("the lowest id is forgotten", "attributes", "attributes.hpp", "of_->lowest = (std::min)(of_->lowest, detail::key_of(id_));", "of_->lowest = detail::key_of(id_);"),
    ("a column may have two values", "attributes", "attributes.hpp", "named[c] = true;", ""),
    ("text nests as deep as it likes", "attributes", "attributes/text.hpp", "if (++of_.depth_ > max_depth)", "if (++of_.depth_ > 1000000)"),
    ("and goes with or", "attributes", "attributes/text.hpp", "part left = negation();\n        while (take_word(\"and\") || take(\"&&\")) {", "part left = negation();\n        while (take_word(\"and\")) {"),
    ("a word ends where it likes", "attributes", "attributes/text.hpp", "in_name(text_[at_]) || text_[at_] == '.'", "text_[at_] == '.'"),
]
