// SPDX-License-Identifier: MIT
// What test programs read once for all of their files (tests/units.cmake). No test may count on it: dev does without.
#pragma once

#include "support/catch.hpp"
#include "vicinal/vicinal.hpp"
