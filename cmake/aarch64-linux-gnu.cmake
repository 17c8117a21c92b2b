# Toolchain file: arm64 Linux by Debian's cross compiler. Programs are static, since what they run on is
# a guest without libraries; nothing of this host's own libraries is looked at.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# pkg-config finds nothing: an empty list of folders would mean this host's own
set(ENV{PKG_CONFIG_LIBDIR} /nonexistent)
