# How a room of the house is built: gw_room(<name> ROOMS <rooms it may use> LIBS <pkg targets> SOURCES <files>).
# The ROOMS of a room are the include edges that gateway/docs/architecture.md allows; tests/support/include_check.py
# holds the sources against the same table.

add_library(hearth_flags INTERFACE)
target_compile_features(hearth_flags INTERFACE c_std_17)
target_compile_options(hearth_flags INTERFACE
	-std=gnu17 -Wall -Wextra -Wformat=2 -Wconversion -Wsign-conversion -Wshadow -Wvla -Walloca
	-Wnull-dereference -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef
	-Wno-missing-field-initializers
	-ffp-contract=off -fno-common -fstack-protector-strong -fPIE
	-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_compile_definitions(hearth_flags INTERFACE _GNU_SOURCE)
if(HEARTH_WERROR)
	target_compile_options(hearth_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86")
	target_compile_options(hearth_flags INTERFACE -fcf-protection=full -fstack-clash-protection)
endif()
if(HEARTH_SANITIZE)
	target_compile_options(hearth_flags INTERFACE -fsanitize=${HEARTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(hearth_flags INTERFACE -fsanitize=${HEARTH_SANITIZE})
	target_compile_definitions(hearth_flags INTERFACE HEARTH_SANITIZE=1)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
	# -O2 also without the assertions: those state our own invariants and stay on in release.
	set(CMAKE_C_FLAGS_RELEASE "-O2 -g1" CACHE STRING "" FORCE)
	target_compile_options(hearth_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ffunction-sections -fdata-sections)
	target_link_options(hearth_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed)
endif()
if(HEARTH_FUZZ)
	target_compile_options(hearth_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(MOSQ REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)

function(gw_room name)
	cmake_parse_arguments(A "" "" "ROOMS;LIBS;SOURCES" ${ARGN})
	if(NOT A_SOURCES) # a room that stands empty still has its place in the row
		add_library(gw_${name} INTERFACE)
		return()
	endif()
	add_library(gw_${name} STATIC ${A_SOURCES})
	target_include_directories(gw_${name} PUBLIC ${CMAKE_SOURCE_DIR}/gateway/include)
	# Private headers are named "<room>/x.h"; include_check.py says which of them a room may see.
	target_include_directories(gw_${name} PRIVATE ${CMAKE_SOURCE_DIR}/gateway ${CMAKE_SOURCE_DIR}/adapters)
	set(rooms ${A_ROOMS})
	list(TRANSFORM rooms PREPEND gw_)
	target_link_libraries(gw_${name} PUBLIC hearth_flags ${rooms} ${A_LIBS})
endfunction()

# gw_unit_test(<module> ROOMS <rooms>): builds tests/unit/test_<module>.c and adds it to ctest.
function(gw_unit_test module)
	cmake_parse_arguments(A "" "" "ROOMS;LIBS;SOURCES" ${ARGN})
	set(rooms ${A_ROOMS})
	list(TRANSFORM rooms PREPEND gw_)
	add_executable(test_${module} ${CMAKE_SOURCE_DIR}/tests/unit/test_${module}.c ${A_SOURCES})
	target_include_directories(test_${module} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_SOURCE_DIR}/gateway ${CMAKE_SOURCE_DIR}/adapters)
	target_compile_definitions(test_${module} PRIVATE HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
	target_link_libraries(test_${module} PRIVATE hearth_flags ${rooms} ${A_LIBS} PkgConfig::CMOCKA m)
	set_target_properties(test_${module} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME unit/${module} COMMAND test_${module})
	set_tests_properties(unit/${module} PROPERTIES LABELS unit TIMEOUT 60 SKIP_RETURN_CODE 77)
endfunction()

# gw_fuzz(<name> ROOMS <rooms>): tests/fuzz/fuzz_<name>.c; a libFuzzer binary with HEARTH_FUZZ, else a program that
# replays tests/fuzz/seeds/<name>/ as an ordinary test.
function(gw_fuzz name)
	cmake_parse_arguments(A "" "" "ROOMS;LIBS" ${ARGN})
	set(rooms ${A_ROOMS})
	list(TRANSFORM rooms PREPEND gw_)
	add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
	target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_SOURCE_DIR}/gateway ${CMAKE_SOURCE_DIR}/adapters)
	target_link_libraries(fuzz_${name} PRIVATE hearth_flags ${rooms} ${A_LIBS} m)
	target_compile_options(fuzz_${name} PRIVATE -include ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz.h)
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
	if(HEARTH_FUZZ)
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	else()
		target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
		add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/${name})
		set_tests_properties(fuzz/${name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 120)
	endif()
endfunction()
