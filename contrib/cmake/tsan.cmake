# cmake -C contrib/cmake/tsan.cmake -S . -B build/tsan -G Ninja
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(MAILFERRY_SANITIZE thread CACHE STRING "")
set(MAILFERRY_WERROR ON CACHE BOOL "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g" CACHE STRING "")
