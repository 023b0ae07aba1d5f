# SPDX-License-Identifier: MIT
# Bugs of the views that calls take: rows given by an array and a dimension, vectors written in braces.
GROUPS = {"views": ["core/matrix_view_test.cpp"]}
BUGS = [
    ("values left over are dropped", "views", "core/matrix_view.hpp",
     "if (dim == 0 ? !values.empty() : values.size() % dim != 0)", "if (dim == 0 && !values.empty())"),
    ("rows of no components hold any values", "views", "core/matrix_view.hpp",
     "if (dim == 0 ? !values.empty() : values.size() % dim != 0)", "if (dim != 0 && values.size() % dim != 0)"),
    ("there are as many rows as values", "views", "core/matrix_view.hpp",
     "dim == 0 ? 0 : values.size() / dim, dim", "dim == 0 ? 0 : values.size(), dim"),
    ("a refusal names one number only", "views", "core/matrix_view.hpp",
     '" values are not a whole number of rows of " +\n                                                       std::to_string(dim)',
     '" values are not a whole number of rows"'),
    ("a braced vector ends one early", "views", "core/vector_view.hpp",
     "(values.begin(), values.size())", "(values.begin(), values.size() - (values.size() != 0 ? 1 : 0))"),
]
