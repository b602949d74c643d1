/* What a batch is about: the notifications, shelves and windows that its messages name, before anything is known of them. */
#pragma once

#include "state.h"

struct state *subject_state(const struct batch *batch);
