/* What the files of the machine share: the state of one running worker. */
#pragma once

#include "acks.h"
#include "arena.h"
#include "backoff.h"
#include "broker.h"
#include "crash.h"
#include "digest.h"
#include "http.h"
#include "keyvalue.h"
#include "log.h"
#include "metrics.h"
#include "settings.h"
#include "outbox_internal.h"
#include "worker.h"

enum {
	FLIGHTS_MAX = 8,           /* batches between their start and their acknowledgement */
	BATCH_LIMIT = 128,         /* upper bound of BATCH_MAX */
	BATCH_NEAR_EMERGENCY = 32, /* routine batches while emergencies flow */
	EMERGENCY_CALM_MS = 1000,  /* that long after the last emergency, batches are full again */
	MARKS_MAX = 4096,          /* sent marks that wait for a commit */
	ROUNDS_MAX = 8,            /* loads of one batch */
	TRIES_ALONE = 4,           /* runs of one message that ended in a conflict, until it is parked */
	STARTS_MAX = 3,            /* starts of one redelivered message that never finished, until it is parked */
	STOP_LIMIT_MS = 4000,      /* graceful stop */
	INBOX_COLUMNS = 3,         /* consumer, message ids, digests */
	STOP_QUIET_MS = 150, /* no delivery for that long while nothing is acknowledged: none is on its way */
	NACK_PAUSE_MS =
		200, /* after a full queue refused a publish; the exchange's other queues took it, and take each repetition */
	NACK_DOUBLINGS_MAX = 4,  /* of that pause, for an output refused again */
	EXIT_OUR_FAULT = 70,     /* sysexits.h EX_SOFTWARE */
	EXIT_CONFIGURATION = 78, /* sysexits.h EX_CONFIG */
};

enum lane_number { LANE_ROUTINE, LANE_EMERGENCY, LANE_QUERY, LANE_LEASE, LANE_COUNT };

/* Deliveries in memory, first in first out. */
struct lane {
	struct delivery *first, *last;
	size_t count;
};

enum newness { FRESH, SEEN, CONFLICTING };

/* One delivery of a batch, read. */
struct incoming {
	struct delivery *delivery;
	struct message message;
	const struct route *route;
	unsigned char digest[SHA256_BYTES]; /* of the raw body */
	const char *digest_text;            /* the same in hex */
	enum newness newness;
	int64_t next_ordinal; /* of its outputs */
	bool is_parked;       /* by decide: leaves no inbox row */
	struct why why;
};

/* A batch on its way: from its deliveries to their acknowledgement. */
struct flight {
	bool is_used;
	struct arena arena;           /* what lives as long as the flight */
	struct arena round_arena;     /* the worker's state and the outputs of the current round */
	struct delivery **deliveries; /* to acknowledge; owned */
	size_t deliveries_count;
	struct incoming *incoming; /* those that could be read */
	size_t incoming_count;
	struct outbox outbox; /* what decide sends out */
	struct outbox extras; /* parked copies and stored outputs: published, not stored */
	size_t unsettled_events;
	size_t unsettled_views;
	int64_t started_us;
};

/* Sent outputs whose rows must be marked. */
struct marks {
	struct parameter columns[2]; /* cause_id, ordinal */
	size_t count;
};

enum link_number {
	LINK_CONSUMER,
	LINK_PUBLISHER,
	LINK_DATABASE,
	LINK_KEYVALUE,
	LINK_LISTENER,
	LINK_REGISTRY,
	LINK_COUNT
};

enum metric_number {
	METRIC_DONE,
	METRIC_PARKED,
	METRIC_SEEN,
	METRIC_ACKS,
	METRIC_CONFLICTS,
	METRIC_BATCHES,
	METRIC_BATCH_SECONDS,
	METRIC_PUBLISHED,
	METRIC_CONFIRMED,
	METRIC_RETURNED,
	METRIC_NACKED,
	METRIC_VIEWS,
	METRIC_QUERIES,
	METRIC_SWEPT,
	METRIC_RECONNECTS,
	METRIC_WAITING,
	METRIC_IN_FLIGHT,
	METRIC_COUNT
};

struct worker_settings {
	const char *amqp_url, *amqp_user, *amqp_password;
	const char *database_url, *database_password;
	const char *redis_url, *redis_user, *redis_password;
	const char *installation_secret;
	const char *listener_password; /* where lists are cached, here and below; else unused */
	long cache_entries, cache_bytes;
	const char *instance;
	const char *log_format, *log_level;
	long metrics_port, batch_max, prefetch, sweep_after_ms, stuck_after_ms;
};

struct runtime {
	const struct worker *worker;
	struct worker_settings settings;
	struct log log;
	unsigned char namespace_id[UUID_BYTES];
	struct broker_address consumer_address, publisher_address;
	struct consumer *consumer;
	struct publisher *publisher;
	struct database *database;
	struct keyvalue *keyvalue;
	struct cache *cache; /* NULL: the worker has no cached lists */
	struct http *http;
	struct backoff backoffs[LINK_COUNT];
	const char *queues[LANE_COUNT];       /* consumed, in this order */
	enum lane_number lane_of[LANE_COUNT]; /* by index of the consumer's queue */
	size_t queues_count;
	char query_queue[64], emergency_queue[72];
	char consumer_name[128], publisher_name[128], tag[64];
	struct lane lanes[LANE_COUNT];
	struct flight flights[FLIGHTS_MAX];
	struct acks acks;
	int64_t acks_since_ms;   /* when the oldest finished delivery was */
	struct output **sending; /* ring of outputs that wait for the publisher */
	size_t sending_first, sending_count, sending_capacity;
	int64_t sending_pause_until_ms;
	struct marks marks[2];  /* [0] gathers, [1] rides in a transaction */
	int64_t marks_since_ms; /* oldest of [0] */
	size_t alone;           /* that many messages run alone, after a failed batch */
	int64_t emergency_ms;   /* when the last one was taken */
	int64_t timers_due_ms[WORKER_TIMERS_MAX];
	int64_t sweep_due_ms, prune_due_ms;
	int64_t progress_ms;      /* last commit, acknowledgement or known-dead dependency */
	int64_t delivered_ms;     /* when the last delivery came */
	int64_t gathering_ms;     /* when the first of those that wait in the routine lane came */
	int64_t stop_deadline_ms; /* of the graceful stop; 0 = nobody asked for it */
	int signal_fd;
	bool is_full_prefetch; /* after the first acknowledgement of this connection */
	bool is_stopping;
	bool was_started; /* durability, schema and topology were checked */
	int exit_code;    /* >= 0: end with it */
	struct metric metrics[METRIC_COUNT];
};

/* worker_read.c: the event's name: the property `type`, else the routing key without its lane. */
const char *delivery_event_name(const struct delivery *delivery, struct arena *arena);

/* A delivery to an incoming message. False: to be parked for `why`. */
bool incoming_read(const struct runtime *runtime, struct delivery *delivery, struct arena *arena,
	struct incoming *incoming, struct why *why);

/* worker_batch.c: takes what waits, runs one batch up to its commit. True: something was done. */
bool batch_run(struct runtime *runtime);

/* When a routine batch is due at the latest, whether full or not; INT64_MAX while nothing waits. */
int64_t batch_due_ms(const struct runtime *runtime);

/* When all is stored: caches forget the lists that change, then the commit. */
enum outcome batch_commit(struct runtime *runtime, const struct batch *batch, enum crash_point committed,
	struct why *why);

/* worker_collect.c: fills the flight with deliveries, read; unreadable ones and poison as parked copies. False: nothing to run. */
bool batch_collect(struct runtime *runtime, struct flight *flight);
void batch_end_attempt(struct runtime *runtime,
	const struct flight *flight); /* in the batch's own transaction */

/* The parked copy may be replayed under the same id: it starts from nothing. A failure leaves a row to prune. */
void batch_forget_attempt(struct runtime *runtime, const struct flight *flight);

/* A fresh state and an empty outbox for one more load. */
void batch_begin_round(const struct runtime *runtime, struct flight *flight, struct batch *batch);

/* worker_store.c: the inbox's and outbox's statements. */
/* Messages that become known: inbox_begin, inbox_add for each, inbox_send, which returns the statement's ticket. */
void inbox_begin(const struct runtime *runtime, struct parameter parameters[INBOX_COLUMNS]);
void inbox_add(struct parameter parameters[INBOX_COLUMNS], const char *message_id,
	const unsigned char digest[SHA256_BYTES]);
int inbox_send(struct runtime *runtime, struct parameter parameters[INBOX_COLUMNS]);

void store_outputs(struct runtime *runtime, const struct outbox *outbox);
void store_marks(struct runtime *runtime);
void marks_committed(struct runtime *runtime);
bool marks_flush(struct runtime *runtime); /* in a transaction of their own */
struct output *output_from_row(const struct rows *rows, size_t row, struct arena *arena);

/* worker_send.c: from committed outputs to acknowledgements. */
bool flight_is_free(const struct runtime *runtime);
struct flight *flight_new(struct runtime *runtime); /* NULL: all are in use */
void flight_drop(struct runtime *runtime,
	struct flight *flight); /* nothing happened: deliveries go back to their lanes */
void flight_launch(struct runtime *runtime, struct flight *flight); /* committed: publish, then acknowledge */
void flight_park(struct runtime *runtime, struct flight *flight, const struct delivery *delivery,
	int64_t attempts, const struct why *why);
void send_waiting(struct runtime *runtime);
void send_settled(void *owner, void *token, enum settlement settlement);
void send_view_stored(void *owner, void *token, bool is_stored);

/* worker_ack.c */
void acks_note(struct runtime *runtime, const struct flight *flight); /* its deliveries are done */
void acks_send(struct runtime *runtime);                              /* those that are due */
int64_t acks_due_ms(const struct runtime *runtime);                   /* INT64_MAX: there are none */

/* worker_link.c: connections, waiting. */
void links_serve(struct runtime *runtime);
void links_serve_publisher(struct runtime
		*runtime); /* what was sent goes out now, not after the next look around */
void links_wait(struct runtime *runtime, int64_t deadline_ms);
bool links_wait_for(void *owner, int fd, short events, int64_t deadline_ms); /* database_wait_fn */

/* One look around: serves what is there or comes until then. For whoever waits for something that is not a connection's. */
void links_turn(struct runtime *runtime, int64_t deadline_ms);
bool links_are_due(const struct runtime *runtime, enum link_number link); /* to be opened */
void links_opened(struct runtime *runtime, enum link_number link);
void links_lost(struct runtime *runtime, enum link_number link, const struct why *why); /* logs, backs off */
void lane_push(struct lane *lane, struct delivery *delivery);
void lane_push_front(struct lane *lane, struct delivery *delivery);
struct delivery *lane_take(struct lane *lane);
void links_close(struct runtime *runtime);
void links_first_ack(struct runtime *runtime);

/* worker_timer.c: timers, sweeper, pruning. True: something was done. */
bool timers_run(struct runtime *runtime);
int64_t timers_next_ms(const struct runtime *runtime);

/* worker_query.c: one question. True: something was done. */
bool query_run(struct runtime *runtime);
bool lease_run(struct runtime
		*runtime); /* of a cache, on the registry's connection: also while a batch waits */

/* worker_start.c: settings, and what must hold before the first message. */
void worker_prepare(struct runtime *runtime); /* names, connections (closed), metrics */
void worker_release(struct runtime *runtime);
void worker_clear_settings(struct runtime *runtime);
bool worker_check_database(struct runtime *runtime, struct why *why);
void worker_answer_http(void *owner, struct http_exchange *exchange);
extern const struct setting worker_settings_table[];
extern const struct setting cache_settings_table[]; /* read too where lists are cached */

/* Logs and remembers that the process must end. */
void worker_fail(struct runtime *runtime, int exit_code, const struct why *why);
static inline void count(struct runtime *runtime, enum metric_number number, double by)
{
	runtime->metrics[number].value += by;
}
