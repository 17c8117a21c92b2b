# Every option of the build, one sentence each.
include(GNUInstallDirs)

option(NUMASLAB_WERROR "Treat warnings as errors" OFF)
option(NUMASLAB_TESTS "Build the tests" ON)
option(NUMASLAB_DEBUG_LOCKS "Check the lock order at every acquisition" OFF)
set(NUMASLAB_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
set(NUMASLAB_LIBPERF AUTO CACHE STRING "Hardware counters through libperf: AUTO, ON or OFF")
set_property(CACHE NUMASLAB_LIBPERF PROPERTY STRINGS AUTO ON OFF)
option(NUMASLAB_LIBPFM "Names of vendor events through libpfm4, where it is installed" ON)
option(NUMASLAB_VALGRIND "Tell Valgrind of objects in the debug layer, where its headers are" ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
