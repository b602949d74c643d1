/* A flow as a graph that graphviz draws. */
#pragma once

#include <stdio.h>

#include <jansson.h>

/* Boxes are who emits and hears, ellipses are the events. `events` as graph_load has them. */
void dot_print(const json_t *events, FILE *out);
