/* cmocka 1.1.5 and 2.x differ in what they want included first; every test includes only this. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gw/compiler.h"
