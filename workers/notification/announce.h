/*
 * The events of a notification's life. Each happens once, so that its number is the same at every repetition, and with it the
 * event's id; the workflow is the notification's own.
 */
#pragma once

#include "outbox.h"
#include "state.h"

/* Adds the notifications of a list that are not there yet, and tells of each. */
void announce_new(struct state *state, const struct notice *list, struct outbox *outbox);

void announce_delivered(const struct notice *notice, struct outbox *outbox);
void announce_acknowledged(const struct notice *notice, struct outbox *outbox);
