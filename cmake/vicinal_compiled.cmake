# SPDX-License-Identifier: MIT
# The common types of index, compiled once: what vicinal/compiled.hpp declares. Installed with the package;
# docs/any_index.md says which types these are.
#
#   vicinal_enable_compiled(<target>...)    links the targets to vicinal::compiled, which is made when first asked for
#
# VICINAL_COMPILED_SOURCE_DIR is where the sources are.

# Searches go by run-time dispatch, so that one library serves every processor, whatever flags its users have.
function(vicinal_add_compiled)
  if(TARGET vicinal_compiled)
    return()
  endif()
  vicinal_add_dispatch()
  set(sources compiled flat hnsw ivf)
  list(TRANSFORM sources PREPEND "${VICINAL_COMPILED_SOURCE_DIR}/")
  list(TRANSFORM sources APPEND .cpp)
  add_library(vicinal_compiled STATIC ${sources})
  add_library(vicinal::compiled ALIAS vicinal_compiled)
  target_link_libraries(vicinal_compiled PUBLIC vicinal::dispatch)
  set_target_properties(vicinal_compiled PROPERTIES UNITY_BUILD OFF POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  if(NOT MSVC AND NOT CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    target_compile_options(vicinal_compiled PRIVATE -O2)  # in every configuration, as kernels are
  endif()
endfunction()

function(vicinal_enable_compiled)
  vicinal_add_compiled()
  vicinal_link_component(vicinal::compiled ${ARGN})
endfunction()
