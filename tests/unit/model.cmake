gw_unit_test(model ROOMS model)
gw_unit_test(value ROOMS model)
add_test(NAME unit/model_generate COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/unit/test_model_generate.py ${CMAKE_SOURCE_DIR}/gateway/model)
set_tests_properties(unit/model_generate PROPERTIES LABELS unit TIMEOUT 60)
