// SPDX-License-Identifier: MIT
// What stops a call early: std::stop_token and std::stop_source, or our own where the standard library has none.
#pragma once

#include <version>  // for __cpp_lib_jthread

#if defined(__cpp_lib_jthread)
#include <stop_token>  // for stop_source, stop_token

#include "vicinal/core/config.hpp"
#else
#include "vicinal/core/own_stop_token.hpp"
#endif

VICINAL_NAMESPACE_BEGIN

// libc++ has stop tokens since version 20, and from 18 on under -fexperimental-library. All objects of a program must
// be compiled alike in that.
#if defined(__cpp_lib_jthread)
using std::stop_source;
using std::stop_token;
#else
using detail::own::stop_source;
using detail::own::stop_token;
#endif

VICINAL_NAMESPACE_END
