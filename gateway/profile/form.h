/* What the files of forms share. */
#pragma once

#include "profile/compile.h"
#include "profile/state.h"
