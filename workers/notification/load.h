/* What the loads of batches and timers share. */
#pragma once

#include "database.h"
#include "state.h"

/* Waits for the banks' locks, in a fixed order: whoever holds them alone reads and changes these banks' shelves and windows. */
void load_lock_banks(const struct state *state, struct database *database);

/* Each sends; the answer is read by the function below it. Notifications are locked, in the order of their ids. */
int load_send_notices(const struct state *state, struct database *database);
enum outcome load_read_notices(struct state *state, struct database *database, int ticket, struct why *why);
int load_send_windows(const struct state *state, struct database *database);
enum outcome load_read_windows(struct state *state, struct database *database, int ticket, struct why *why);
