# SPDX-License-Identifier: MIT
# Included by consumer projects: vicinal brings them headers and a language standard, and nothing else.
foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_OPTIONS SOURCES PRECOMPILE_HEADERS)
  get_target_property(value vicinal::vicinal INTERFACE_${property})
  if(value)
    message(FATAL_ERROR "vicinal::vicinal forces ${property} on its consumers: ${value}")
  endif()
endforeach()

# Added from source, vicinal adds no test, example or benchmark, and installs nothing.
function(vicinal_assert_only_the_library source_dir)
  get_property(targets DIRECTORY "${source_dir}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(tests DIRECTORY "${source_dir}" PROPERTY TESTS)
  get_property(subdirectories DIRECTORY "${source_dir}" PROPERTY SUBDIRECTORIES)
  if(NOT "${targets}${tests}${subdirectories}" STREQUAL "vicinal")
    message(FATAL_ERROR "A consumer gets more than the target vicinal: ${targets} ${tests} ${subdirectories}")
  endif()
  if(VICINAL_INSTALL)
    message(FATAL_ERROR "A consumer's install would install vicinal")
  endif()
endfunction()
