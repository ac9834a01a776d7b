/* The entry point of a target, called by libFuzzer or by replay.c. Included into every target by the build. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
