/* A live home with all profiles, for each test of a file. */
#pragma once

#include "live_home.h"
#include "live_profiles.h"

static struct live_home h;

static int setup(void **state)
{
	(void)state;
	live_home_open(&h, all_profiles, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_home_close(&h);
	return 0;
}
