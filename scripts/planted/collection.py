# SPDX-License-Identifier: MIT
# Bugs of collections: an index and its attributes that fall out of step.
GROUPS = {"collection": ["attributes/collection_test.cpp"]}
BUGS = [
    ("a collection's row loses its attributes on the way", "collection", "collection.hpp", "        index_.add(id, vector);\n        planned.commit();", "        index_.add(id, vector);"),
    ("attributes are set before the vector is known to be good", "collection", "collection.hpp", "        index_.update(id, vector);\n        planned.commit();", "        planned.commit();\n        index_.update(id, vector);"),
    ("attributes of ids that are not there are updated", "collection", "collection.hpp", "if (!index_.contains(id)) detail::fail", "if (false) detail::fail"),
    ("a removed row leaves its attributes", "collection", "collection.hpp", "index_.remove(id);\n        planned.commit();", "index_.remove(id);"),
    ("a condition replaces the caller's filter", "collection", "collection.hpp", "        if (params.filter)\n", "        if (false)\n"),
    ("the caller's filter replaces a condition", "collection", "collection.hpp", "met.contains(id) && params.filter(id)", "params.filter(id)"),
]
