# The Debian package: cpack -G DEB in a build folder of contrib/cmake/deb.cmake.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mailferry)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Mailferry <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "ActiveSync for IMAP servers")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1 CACHE STRING "Release of the Debian package")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Phones and tablets that speak Exchange ActiveSync use the mail of an IMAP
server through it: messages, folders, flags, and new mail as it arrives.")
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nginx | haproxy | apache2 | caddy, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/contrib/debian/conffiles ${CMAKE_SOURCE_DIR}/contrib/debian/postinst
    ${CMAKE_SOURCE_DIR}/contrib/debian/prerm ${CMAKE_SOURCE_DIR}/contrib/debian/postrm)
include(CPack)
