gw_unit_test(traffic ROOMS profile)
gw_fuzz(traffic ROOMS profile)
