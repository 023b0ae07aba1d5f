// SPDX-License-Identifier: MIT
// VICINAL_TEST_REDUCED is defined where a sanitizer makes every type of index minutes of compiling: tests of many types
// then take those that reach all code paths.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VICINAL_TEST_REDUCED
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VICINAL_TEST_REDUCED
#endif
#endif
