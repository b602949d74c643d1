/* Names and their numbers, from 0 in the order of their coming. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_new(void);
void names_free(struct names *names);
uint32_t names_number(struct names *names, const char *name, size_t length);
const char *names_text(const struct names *names, uint32_t number);
size_t names_count(const struct names *names);
