/* The bridge's table: HTTP method and path -> event or question -> the events that answer it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "events.h"
#include "http.h"
#include "tokens.h"

enum { ROUTE_EVENTS_MAX = 3, ROUTE_PARAMETERS_MAX = 8, ROUTE_ID_MAX = 128 };

#define ROLE(role) (1U << (role))

/* What is looked at before a command about it is sent, and what a read shows: an aggregate with a view, or a question to its owner. */
struct reading {
	const char *view;    /* "request": key view:request:<id> in Redis; NULL: there is no view */
	bool is_guess;       /* the view is only what this door guessed: its owner is asked first */
	enum event question; /* to the owner */
	enum event answer;   /* his */
	const char
		*id_member; /* of the question, from the path; NULL: a list, the query's parameters are its members */
	const char *item;     /* member of the answer that holds the thing; NULL: the answer itself is shown */
	const char *facility; /* member of the thing, or parameter of the list, that names whose it is */
	bool is_for_all;      /* what it shows is no facility's secret */
	bool is_cached;       /* a provider's day, see slots.h */
	bool (*knows_cursor)(const char
			*text); /* of a list: whether a cursor can be its owner's; NULL: it has none */
};

/* What may be seen of a thing that was asked for, before its owner has told of it: a view of version 0. */
struct guess {
	const char *view;           /* its kind */
	const char *id_member;      /* gets its id */
	const char *const *members; /* of the command, and how they are called here, in pairs; ends with NULL */
	const char *rest;           /* what is so in any case, JSON */
};

/* How a POST becomes an event. */
struct command {
	enum event event;
	enum event accepted; /* answers it, by causation */
	enum event refused;  /* as well */
	enum event decided
		[ROUTE_EVENTS_MAX]; /* with `Prefer: wait`: the final decision, by `key`; else `accepted` is final */
	const char *key;        /* member that the decision and the command share; NULL: there is no decision */
	bool is_signed;         /* members `role` and `facility_id` say who calls, whatever the body says */
	const char *id_member;  /* gets the id of the path */
	const char *facility;   /* member that must be the caller's; gets his where it may be absent */
	const char *actor;      /* member that gets the caller's subject when it is absent */
	const char *location;   /* of what is made, by `key`, else by the message's id: "/v1/blood-requests/" */
	const struct guess *guess;   /* with `location`: until its owner tells of it */
	const struct reading *about; /* must be there, and the caller's; NULL: nothing */
};

enum route_kind { ROUTE_COMMAND, ROUTE_READING, ROUTE_STREAM };

struct route {
	const char *method; /* GET stands for HEAD too */
	const char *path;   /* "/v1/blood-requests/{}/cancellation": at most one id */
	enum route_kind kind;
	unsigned roles; /* bits: who may */
	const struct command *command;
	const struct reading *reading;
	const char *parameters[ROUTE_PARAMETERS_MAX]; /* of the query; end with NULL */
	const char *chosen_by; /* NULL, or a parameter that the query must have: one path, several routes */
};

/* Whether a path fits a pattern, in which {} stands for one part, which becomes `id`. */
bool path_fits(const char *pattern, const char *path, char id[ROUTE_ID_MAX]);

enum { ROUTE_ALLOWED_BYTES = 32 };

/*
 * The exchange's route, or NULL: then `allowed` has the methods of the path ("" = there is no such path), for a 405, and `choice`
 * the parameters of which one must be there ("" = that is not the reason). `id` becomes what stands in the path.
 */
struct finding {
	char id[ROUTE_ID_MAX];
	char allowed[ROUTE_ALLOWED_BYTES];
	char choice[64];
};
const struct route *route_find(const struct http_exchange *exchange, struct finding *finding);

/* Whether some route sends it as a command. */
bool route_is_command(enum event event);
