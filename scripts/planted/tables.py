# SPDX-License-Identifier: MIT
"""Look-up tables of sq4's codes that have a range for each component."""
GROUPS = {"component_tables": ["scoring/prefilter_sq_test.cpp"]}
TABLES = "scoring/component_tables.hpp"
BUGS = [
    ("components' tables are rounded up", "component_tables", TABLES, "1.0F / step_, 0.0F, highest", "1.0F / step_, 0.9F, highest"),
    ("what every row has counts twice", "component_tables", TABLES, "room -= least_ * (1 - 0x1p-40);", "room -= 2 * least_ * (1 - 0x1p-40);"),
    ("tables are those of another room", "component_tables", TABLES, "        quantize(room);\n", "        quantize(room);\n        step_ *= 1.1F;\n"),
    ("the half byte behind an odd dimension has what lay there", "component_tables", TABLES,
     "byte_lut_[i] = 0;", "byte_lut_[i] = 127;"),
    ("all that is above the mean is cut off", "component_tables", TABLES, "cut_ = double{top};", "cut_ = 1.0 / static_cast<double>(components_);"),
]
