# How targets of this project are made: C11, strict warnings, hidden symbols, sanitizers.

# Flags that every target of ours shares; the public headers come with it.
add_library(numaslab_flags INTERFACE)
target_include_directories(numaslab_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(numaslab_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith
  -Wformat=2 -Wconversion -fno-omit-frame-pointer -fvisibility=hidden)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(numaslab_flags INTERFACE -march=x86-64-v2 -mcx16)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(numaslab_flags INTERFACE -moutline-atomics)
endif()
if(NUMASLAB_WERROR)
  target_compile_options(numaslab_flags INTERFACE -Werror)
endif()
if(NUMASLAB_DEBUG_LOCKS)
  target_compile_definitions(numaslab_flags INTERFACE NSLAB_DEBUG_LOCKS)
endif()
if(NUMASLAB_SANITIZE)
  target_compile_options(numaslab_flags INTERFACE
    -fsanitize=${NUMASLAB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(numaslab_flags INTERFACE -fsanitize=${NUMASLAB_SANITIZE})
  # __atomic_*_16 lives in libatomic (cas.h under ThreadSanitizer)
  target_link_libraries(numaslab_flags INTERFACE atomic)
elseif(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_link_libraries(numaslab_flags INTERFACE atomic)
endif()

# numaslab_library(core SOURCES a.c b.c LINK numaslab_headers): static library numaslab_core.
function(numaslab_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(numaslab_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(numaslab_${name} PUBLIC ${ARG_LINK} PRIVATE numaslab_flags ${ARG_PRIVATE_LINK})
  # with checked locks, core/lock.h is no longer header-only
  if(NUMASLAB_DEBUG_LOCKS AND NOT name STREQUAL core)
    target_link_libraries(numaslab_${name} PUBLIC numaslab_core)
  endif()
endfunction()

# numaslab_builtin_plugins(target slub slab ...): NAME.c becomes a built-in plug-in called NAME. The
# names are collected; runner/ generates the table of built-ins from them, in this order.
function(numaslab_builtin_plugins target)
  foreach(name ${ARGN})
    target_sources(${target} PRIVATE ${name}.c)
    set_property(SOURCE ${name}.c APPEND PROPERTY
      COMPILE_DEFINITIONS NSLAB_PLUGIN_SYMBOL=nslab_plugin_${name})
    set_property(GLOBAL APPEND PROPERTY NUMASLAB_BUILTIN_PLUGINS ${name})
    set_property(GLOBAL APPEND PROPERTY NUMASLAB_PLUGINS_${target} ${name})
  endforeach()
endfunction()

# numaslab_builtin_table(target): adds the generated table of the plug-ins collected so far.
function(numaslab_builtin_table target)
  get_property(builtin GLOBAL PROPERTY NUMASLAB_BUILTIN_PLUGINS)
  set(declarations "")
  set(rows "")
  foreach(name ${builtin})
    string(APPEND declarations "extern const struct nslab_plugin nslab_plugin_${name};\n")
    string(APPEND rows "\t&nslab_plugin_${name},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/builtin.c @ONLY CONTENT
"/* Generated from the CMake lists of built-in plug-ins. */
#include \"runner/builtin.h\"

@declarations@
const struct nslab_plugin *const nslab_builtin_plugins[] = {
@rows@\tNULL,
};
")
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/builtin.c)
endfunction()

# numaslab_test(unit.hist LABELS unit SOURCES test_hist.c LINK numaslab_core): a cmocka program.
function(numaslab_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS;SOURCES;LINK;ARGS" ${ARGN})
  string(REPLACE "." "_" target test_${name})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE numaslab_flags ${ARG_LINK} PkgConfig::CMOCKA)
  numaslab_add_test(${name} LABELS ${ARG_LABELS} TIMEOUT ${ARG_TIMEOUT}
    COMMAND ${target} ${ARG_ARGS})
endfunction()

# numaslab_add_test(cli.topo LABELS cli COMMAND bash x.sh $<TARGET_FILE:numaslab>)
# Exit status 77 is a skip; the test prints the reason. A build host in a container with a quota is
# throttled now and then: no test takes times for figures, so none is refused for it.
function(numaslab_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS;COMMAND" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT NUMASLAB_IGNORE=quota_throttled)
endfunction()
