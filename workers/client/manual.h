/* The manual page carebus(1), made from the tables of commands, options and settings. */
#pragma once

#include <stdio.h>

void manual_print(FILE *out);
