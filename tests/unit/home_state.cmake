gw_unit_test(status ROOMS home)
gw_unit_test(access ROOMS home)
gw_unit_test(store ROOMS home)
