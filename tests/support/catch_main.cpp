// SPDX-License-Identifier: MIT
// The main function of every test program under Catch2 2, which ships none. It takes seconds to compile, so it is
// compiled once; Catch2 3 brings its own.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
