# End-to-end (the interpreter of the distribution has the packages that packaging/packages.sh installs): real mosquitto, hearthd, hearth, curl and clients that we did not write. One file per journey.
foreach(name tasmota surfaces claim faults described homie_device broker cli schema faulty scenes author)
	add_test(NAME e2e/${name} COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/e2e/${name}.py)
	set_tests_properties(e2e/${name} PROPERTIES LABELS e2e TIMEOUT 600 SKIP_RETURN_CODE 77
		ENVIRONMENT "HEARTH_BIN=${CMAKE_BINARY_DIR}/bin;PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/support")
endforeach()
