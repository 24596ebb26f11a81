# What tests in several folders need.
set(MAILFERRY_DOVECOT ${CMAKE_BINARY_DIR}/tests/dovecot)

# mailferry_needs_dovecot(TEST ...): CTest starts the shared Dovecot before these tests and removes it
# after the last; they find it by dovecot_get of tests/integration/fixture.h (link mf_fixture).
function(mailferry_needs_dovecot)
  foreach(test ${ARGN})
    set_property(TEST ${test} APPEND PROPERTY FIXTURES_REQUIRED dovecot)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT MAILFERRY_DOVECOT=${MAILFERRY_DOVECOT})
  endforeach()
endfunction()
