/* What the tables of commands and options say, for people. */
#pragma once

#include <stdio.h>

#include "command.h"

extern const char help_exit_codes[]; /* one line */

void help_commands(FILE *out);
void help_command(const struct command *command, FILE *out);
